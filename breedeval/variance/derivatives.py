"""First derivatives of the log-likelihood.

For a random block with K: with U = û as (levels × columns), S = U'K⁻¹U and T = the traces of K⁻¹ with the block's part of C⁻¹,
dL = tr(D dΣ) with D = ½ (Σ⁻¹ (S + T) Σ⁻¹ − q Σ⁻¹). For the residual of a class, over its patterns p of observed traits,
D = ½ Σ_p (R_p⁻¹ (S_p + M_p) R_p⁻¹ − n_p R_p⁻¹) with S_p the sum of weighted ê ê' and M_p that of W C⁻¹ W' (Johnson and
Thompson 1995, J. Dairy Sci. 78:449).
"""

from __future__ import annotations

import numpy as np

from breedeval.arrays import Float64
from breedeval.variance.likelihood import Point
from breedeval.variance.parameters import Matrices
from breedeval.variance.system import MixedModelSystem


def gradient_matrices(point: Point) -> Matrices:
    """D of each (co)variance matrix, symmetric, with dL = tr(D dΣ)."""
    return (*_random_gradients(point), *_residual_gradients(point))


def _traces_of(point: Point, kind: str, number: int, size: int) -> Float64:
    """Symmetric (size, size) matrix of the traces that belong to one block or one kind of records."""
    found = np.zeros((size, size))
    for c, trace in zip(point.system.coefficients.coefficients, point.traces, strict=True):
        if c.kind == kind and c.number == number:
            found[c.row, c.column] = found[c.column, c.row] = trace if c.row == c.column else trace / 2.0
    return found


def _random_gradients(point: Point) -> list[Float64]:
    found = []
    for number, one in enumerate(point.system.random):
        k = one.block.n_columns
        moments = one.quadratic_forms(point.system.deviations(number, point.transformed))
        moments = moments + _traces_of(point, "random", number, k)
        if _is_transformed(point, number):
            inverse_root = np.linalg.inv(point.roots[number])
            derivative = inverse_root.T @ (moments - one.n_random * np.eye(k)) @ inverse_root
        else:
            inverse = point.inverses[number]
            derivative = inverse @ (moments - one.n_random * point.matrices[number]) @ inverse
        found.append(0.25 * (derivative + derivative.T))
    return found


def _is_transformed(point: Point, number: int) -> bool:
    return number in point.transformed_blocks


def _residual_gradients(point: Point) -> list[Float64]:
    system = point.system
    t, n_patterns = system.design.n_traits, len(system.patterns)
    moments = error_moments(system, point.errors)
    found = []
    for of_class in range(len(system.design.residual_names)):
        total = np.zeros((t, t))
        for kind in range(of_class * n_patterns, (of_class + 1) * n_patterns):
            if system.n_of_kind[kind]:
                inverse = point.residual.inverses[kind]
                middle = moments[kind] + _traces_of(point, "residual", kind, t)
                total += 0.5 * (inverse @ middle @ inverse - system.n_of_kind[kind] * inverse)
        found.append(total)
    return found


def error_moments(system: MixedModelSystem, errors: Float64) -> Float64:
    """(kinds, t, t) sum of weight × ê ê' over the records of each kind."""
    t = errors.shape[1]
    found = np.zeros((len(system.n_of_kind), t, t))
    for i in range(t):
        for j in range(i, t):
            products = system.weight_roots[:, i] * system.weight_roots[:, j] * errors[:, i] * errors[:, j]
            found[:, i, j] = found[:, j, i] = np.bincount(system.kind, products, minlength=len(found))
    return found
