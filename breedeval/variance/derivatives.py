"""First derivatives of the log-likelihood and its average information.

For a random block with K: with U = û as (levels × columns), S = U'K⁻¹U and T = the traces of K⁻¹ with the block's part of C⁻¹,
dL = tr(D dΣ) with D = ½ (Σ⁻¹ (S + T) Σ⁻¹ − q Σ⁻¹). For the residual of a class, over its patterns p of observed traits,
D = ½ Σ_p (R_p⁻¹ (S_p + M_p) R_p⁻¹ − n_p R_p⁻¹) with S_p the sum of weighted ê ê' and M_p that of W C⁻¹ W'. Average information:
½ f_i'P f_j with working variates f = ∂V/∂θ P y (Gilmour, Thompson and Cullis 1995, Biometrics 51:1440; Johnson and Thompson
1995, J. Dairy Sci. 78:449).
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from breedeval.arrays import Float64
from breedeval.equations.residual import ResidualInverse
from breedeval.variance.likelihood import Point
from breedeval.variance.parameters import Matrices, Parameters
from breedeval.variance.system import MixedModelSystem


class SolvedModel(Protocol):
    """The model at one set of (co)variances with its solutions, however these were found; fields as in `Point`."""

    @property
    def system(self) -> MixedModelSystem:
        """The model."""

    @property
    def inverses(self) -> Matrices:
        """Σ⁻¹ of each random block."""

    @property
    def roots(self) -> Matrices:
        """F of each random block."""

    @property
    def residual(self) -> ResidualInverse:
        """R⁻¹."""

    @property
    def transformed(self) -> Float64:
        """(N,) all effects, in other coordinates in `transformed_blocks`."""

    @property
    def transformed_blocks(self) -> tuple[int, ...]:
        """Numbers of these random blocks."""

    @property
    def errors(self) -> Float64:
        """(m, t) ê."""

    def solve(self, b: Float64) -> Float64:
        """C⁻¹ b for b (N, c)."""


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


def _is_transformed(point: SolvedModel, number: int) -> bool:
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


def average_information(point: SolvedModel, parameters: Parameters) -> Float64:
    """Average information of θ, (number of free elements) squared.

    Notes
    -----
    One solution of the equations for each element of θ.
    """
    system = point.system
    elements = parameters.elements
    n_equations = system.design.layout.n_equations
    right = np.empty((n_equations, len(elements)))
    weighted = np.empty((len(elements), system.design.observations.size))
    variates = np.empty_like(weighted)
    of_random = [
        system.deviations(number, point.transformed)
        @ (np.linalg.inv(point.roots[number]) if _is_transformed(point, number) else inverse)
        for number, inverse in enumerate(point.inverses)
    ]
    of_residual = point.residual.multiply(point.errors, np.empty_like(point.errors))
    for place, (number, i, j) in enumerate(elements):
        if number < len(system.random):
            variate = _random_variate(point, of_random[number], number, i, j)
        else:
            variate = _residual_variate(point, of_residual, number - len(system.random), i, j)
        scaled = point.residual.multiply(variate, np.empty_like(variate))
        right[:, place] = system.incidence.add_backward(scaled, np.zeros(n_equations))
        variates[place], weighted[place] = variate.ravel(), scaled.ravel()
    information = variates @ weighted.T - right.T @ point.solve(right)
    return np.asarray((information + information.T) / 4.0)


def _random_variate(point: SolvedModel, scaled: Float64, number: int, i: int, j: int) -> Float64:
    """∂V/∂θ P y for an element of a random block, from U Σ⁻¹."""
    block = point.system.random[number].block
    effects = np.zeros(point.system.design.layout.n_equations)
    columns = block.view(effects)
    columns[:, i] += scaled[:, j]
    if i != j:
        columns[:, j] += scaled[:, i]
    return point.system.incidence.forward(effects, np.empty_like(point.errors))


def _residual_variate(point: SolvedModel, scaled: Float64, of_class: int, i: int, j: int) -> Float64:
    """∂V/∂θ P y for an element of a residual class, from R⁻¹ê; a weight divides the residual (co)variance."""
    system = point.system
    here = system.kind // len(system.patterns) == of_class
    factor = here / (system.weight_roots[:, i] * system.weight_roots[:, j])
    variate = np.zeros_like(scaled)
    variate[:, i] += factor * scaled[:, j]
    if i != j:
        variate[:, j] += factor * scaled[:, i]
    return variate
