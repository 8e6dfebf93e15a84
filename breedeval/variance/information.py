"""Average information of the (co)variances: ½ f_i'P f_j with working variates f = ∂V/∂θ P y.

Gilmour, Thompson and Cullis (1995, Biometrics 51:1440); Johnson and Thompson (1995, J. Dairy Sci. 78:449). The working variate
of a random effect is W a with a in the effect's own levels, so that W'R⁻¹W a = (C − Π) a with the penalty Π = K⁻¹ ⊗ Σ⁻¹, and
f'P f = a'Πa − (Πa)'C⁻¹(Πa): no record is looked at. Those of all (co)variances add up to θ'f = V P y = y − Xb, whose product
with P is that of y; so one of them follows from the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from breedeval.arrays import Float64
from breedeval.equations.residual import ResidualInverse
from breedeval.solvers.blas_threads import cross_product
from breedeval.variance.parameters import Matrices, Parameters
from breedeval.variance.system import MixedModelSystem

#: A (co)variance follows from the others where it makes at least this share of y'Py: less would lose digits.
SHARE_OF_LAST = 0.02

Element = tuple[int, int, int]


class SolvedModel(Protocol):
    """The model at one set of (co)variances with its solutions, however these were found; fields as in `Point`."""

    @property
    def system(self) -> MixedModelSystem:
        """The model."""

    @property
    def matrices(self) -> Matrices:
        """Σ of each random block, R of each class."""

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

    def transform(self, b: Float64) -> Float64:
        """F'b for b (N, c)."""

    def solve_transformed(self, b: Float64) -> Float64:
        """(F'CF)⁻¹ b for b (N, c)."""


def average_information(point: SolvedModel, parameters: Parameters, *, with_last: bool = True) -> Float64:
    """Average information of θ, (number of free elements) squared.

    Parameters
    ----------
    with_last
        Let one (co)variance follow from the others: for exact solutions.

    Notes
    -----
    One solution of the equations for each element of θ but the last, all at once.
    """
    elements = parameters.elements
    blocks = [_Scaled.of(point, number) for number in range(len(point.system.random))]
    halves = _quadratic_halves(point, blocks, elements)
    last = _last(point, parameters, halves) if with_last else None
    chosen = [place for place in range(len(elements)) if place != last]
    found = np.zeros((len(elements), len(elements)))
    found[np.ix_(chosen, chosen)] = _information(point, blocks, [elements[place] for place in chosen])
    if last is not None:
        theta = parameters.vector(point.matrices)
        found[last, chosen] = found[chosen, last] = (halves - found @ theta)[chosen] / theta[last]
        found[last, last] = (halves[last] - found[last] @ theta) / theta[last]
    return found


@dataclass(frozen=True)
class _Scaled:
    """A random block of predictions U: S = U Σ⁻¹, K⁻¹ S and S'K⁻¹S, and T so that Π a is K⁻¹ a T' for a (levels, k)."""

    scaled: Float64
    penalized: Float64
    forms: Float64
    inverse: Float64
    turned: Float64

    @classmethod
    def of(cls, point: SolvedModel, number: int) -> _Scaled:
        one, inverse = point.system.random[number], point.inverses[number]
        turned = np.asarray(np.linalg.inv(point.roots[number])) if number in point.transformed_blocks else inverse
        scaled = np.ascontiguousarray(point.system.deviations(number, point.transformed) @ turned)
        penalized = scaled if one.inverse is None else one.inverse.multiply(scaled)
        forms = cross_product(scaled, penalized)
        return cls(scaled, penalized, (forms + forms.T) / 2.0, inverse, turned)

    def right_hand_side(self, i: int, j: int, out: Float64) -> None:
        """Π a of element (i, j) into the block's part (levels, k) of a vector."""
        out += self.penalized[:, [j]] * self.turned[:, i]
        if i != j:
            out += self.penalized[:, [i]] * self.turned[:, j]

    def product(self, i: int, j: int, r: int, s: int) -> float:
        """a'Πa of two elements."""
        found = sum(self.forms[b, d] * self.inverse[a, c] for a, b in {(i, j), (j, i)} for c, d in {(r, s), (s, r)})
        return float(found)


def _information(point: SolvedModel, blocks: list[_Scaled], elements: list[Element]) -> Float64:
    """Average information of some of the elements."""
    system, n_random = point.system, len(blocks)
    right = np.zeros((system.design.layout.n_equations, len(elements)))
    products = np.zeros((len(elements), len(elements)))
    of_residual = point.residual.multiply(point.errors, np.empty_like(point.errors))
    variates: list[tuple[int, Float64, Float64]] = []
    for place, (number, i, j) in enumerate(elements):
        if number < n_random:
            block = system.random[number].block
            part = right[block.equations, place].reshape(block.n_levels, block.n_columns)  # a copy: columns are strided
            blocks[number].right_hand_side(i, j, part)
            right[block.equations, place] = part.ravel()
            for other, (same, r, s) in enumerate(elements):
                if same == number:
                    products[place, other] = blocks[number].product(i, j, r, s)
        else:
            variate = _residual_variate(system, of_residual, number - n_random, i, j)
            weighted = point.residual.multiply(variate, np.empty_like(variate))
            b = system.incidence.add_backward(weighted, np.zeros(len(right)))
            right[:, place] = point.transform(b[:, None])[:, 0]
            variates.append((place, variate, weighted))
    for place, variate, _ in variates:
        for other, _, weighted in variates:
            products[place, other] = float(np.einsum("ij,ij", variate, weighted))
    inner = cross_product(right, point.solve_transformed(right))
    # Between a random effect and the residual f'P f is (Πa)'C⁻¹W'R⁻¹f.
    is_random = np.array([number < n_random for number, _, _ in elements], dtype=bool)
    inner = np.where(is_random[:, None] == is_random, products - inner, inner)
    return np.asarray((inner + inner.T) / 4.0)


def _quadratic_halves(point: SolvedModel, blocks: list[_Scaled], elements: tuple[Element, ...]) -> Float64:
    """½ y'P ∂V/∂θ P y of each element."""
    of_residual = point.residual.multiply(point.errors, np.empty_like(point.errors))
    found = []
    for number, i, j in elements:
        if number < len(blocks):
            found.append(blocks[number].forms[i, j] * (1.0 if i == j else 2.0))
        else:
            variate = _residual_variate(point.system, of_residual, number - len(blocks), i, j)
            found.append(float(np.einsum("ij,ij", variate, of_residual)))
    return 0.5 * np.array(found)


def _last(point: SolvedModel, parameters: Parameters, halves: Float64) -> int | None:
    """The residual variance with the largest share of y'Py; None if its share is small or a matrix is given."""
    if any(matrix.structure == "fixed" for matrix in parameters.matrices):
        return None
    shares = halves * parameters.vector(point.matrices)
    variances = [
        place for place, (number, i, j) in enumerate(parameters.elements) if i == j and parameters.matrices[number].is_residual
    ]
    largest = max(variances, key=lambda place: shares[place])
    return largest if shares[largest] > SHARE_OF_LAST * shares.sum() else None


def _residual_variate(system: MixedModelSystem, scaled: Float64, of_class: int, i: int, j: int) -> Float64:
    """∂V/∂θ P y for an element of a residual class, from R⁻¹ê; a weight divides the residual (co)variance."""
    here = system.kind // len(system.patterns) == of_class
    factor = here / (system.weight_roots[:, i] * system.weight_roots[:, j])
    variate = np.zeros_like(scaled)
    variate[:, i] += factor * scaled[:, j]
    if i != j:
        variate[:, j] += factor * scaled[:, i]
    return variate
