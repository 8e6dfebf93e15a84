"""The (co)variances that are estimated: matrices, which of their elements are free, and the vector θ of these."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from breedeval.arrays import Float64, Int64, freeze
from breedeval.model.variances import Covariance, ResidualCovariance, Variances

Structure = Literal["unstructured", "diagonal", "fixed"]
Matrices = tuple[Float64, ...]

#: Smallest squared pivots, in units of the plausible variances, of random effects and of the residual.
FLOOR, RESIDUAL_FLOOR = 1e-8, 1e-6
#: So many times the floor is still at the boundary.
BOUNDARY_FLOORS = 10.0


@dataclass(frozen=True)
class MatrixParameter:
    """One (co)variance matrix.

    Parameters
    ----------
    name
        Key of the random block; ``residual``, or the class of residual (co)variance.
    labels
        (k,) of its rows.
    is_residual
        Whether it belongs to the residual.
    structure
        ``unstructured``: all elements are estimated; ``diagonal``: variances, with covariances of zero; ``fixed``: none.
    scale
        (k,) standard deviations of a plausible size; what is small is judged against these.
    dropped
        Rows that are zero: their variances stay at the floor.
    """

    name: str
    labels: tuple[str, ...]
    is_residual: bool
    structure: Structure
    scale: Float64
    dropped: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        """Number of rows, k."""
        return len(self.labels)

    @property
    def floor(self) -> float:
        """Smallest squared pivot of the scaled matrix: what is smaller counts as zero.

        The residual is divided by, so its floor is higher: below it the gradient would be rounding error.
        """
        return RESIDUAL_FLOOR if self.is_residual else FLOOR

    @property
    def boundary(self) -> float:
        """Squared pivots and scaled variances up to this count as being at the boundary."""
        return BOUNDARY_FLOORS * self.floor

    def free(self) -> list[tuple[int, int]]:
        """Elements (i, j), i ≤ j, that are estimated."""
        if self.structure == "fixed":
            return []
        kept = [i for i in range(self.size) if i not in self.dropped]
        if self.structure == "diagonal":
            return [(i, i) for i in kept]
        return [(i, j) for i in kept for j in kept if i <= j]

    def without_dropped(self, value: Float64) -> Float64:
        """A matrix with zeros in the rows that are dropped, and the floor on their diagonal."""
        found = value.copy()
        for i in self.dropped:
            found[i, :] = found[:, i] = 0.0
            found[i, i] = self.floor * self.scale[i] ** 2
        return found


@dataclass(frozen=True)
class Parameters:
    """All matrices: those of the random blocks in the order of the layout, then the classes of the residual.

    ``by`` is the column of the residual classes, or None; with the bounds ``up_to`` these are intervals of a covariate.
    """

    matrices: tuple[MatrixParameter, ...]
    by: str | None
    up_to: tuple[float, ...] = ()

    @property
    def elements(self) -> tuple[tuple[int, int, int], ...]:
        """(matrix, i, j) of each element of θ."""
        return tuple((number, i, j) for number, matrix in enumerate(self.matrices) for i, j in matrix.free())

    @property
    def n_random(self) -> int:
        """Number of random blocks."""
        return sum(not matrix.is_residual for matrix in self.matrices)

    @property
    def random_names(self) -> tuple[str, ...]:
        """Keys of the random blocks."""
        return tuple(matrix.name for matrix in self.matrices if not matrix.is_residual)

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each element of θ: ``genetic milk:id``, ``genetic milk:id,fat:id``."""
        found = []
        for number, i, j in self.elements:
            matrix = self.matrices[number]
            of = f"residual {matrix.name}" if matrix.is_residual and self.by else matrix.name
            found.append(f"{of} {matrix.labels[i]}" + ("" if i == j else f",{matrix.labels[j]}"))
        return tuple(found)

    def vector(self, values: Matrices) -> Float64:
        """θ of the matrices."""
        return np.array([values[number][i, j] for number, i, j in self.elements])

    def changed(self, values: Matrices, theta: Float64) -> Matrices:
        """The matrices with the elements of θ put in."""
        found = [value.copy() for value in values]
        for (number, i, j), x in zip(self.elements, theta, strict=True):
            found[number][i, j] = found[number][j, i] = x
        return tuple(found)

    def gradient(self, derivatives: Matrices) -> Float64:
        """∂L/∂θ from symmetric matrices D with dL = tr(D dΣ)."""
        return np.array([derivatives[number][i, j] * (1.0 if i == j else 2.0) for number, i, j in self.elements])

    def derivatives(self, gradient: Float64) -> Matrices:
        """Symmetric matrices D with dL = tr(D dΣ) from ∂L/∂θ; zero where an element is not estimated."""
        found = tuple(np.zeros((matrix.size, matrix.size)) for matrix in self.matrices)
        for (number, i, j), x in zip(self.elements, gradient, strict=True):
            found[number][i, j] = found[number][j, i] = x if i == j else x / 2.0
        return found

    def places(self, number: int) -> Int64:
        """Where in θ the elements of one matrix stand."""
        return np.array([place for place, element in enumerate(self.elements) if element[0] == number], dtype=np.int64)

    def scales(self) -> Float64:
        """Products of the scales of the rows that each element of θ belongs to."""
        return np.array([self.matrices[number].scale[i] * self.matrices[number].scale[j] for number, i, j in self.elements])

    def to_variances(self, values: Matrices, notes: tuple[str, ...] = ()) -> Variances:
        """The matrices as a model uses them."""
        random = {m.name: Covariance(m.labels, freeze(v)) for m, v in self._with(values) if not m.is_residual}
        residual = {m.name: freeze(v) for m, v in self._with(values) if m.is_residual}
        labels = self.matrices[-1].labels
        return Variances(
            MappingProxyType(random), ResidualCovariance(MappingProxyType(residual), labels, self.by, self.up_to), notes
        )

    def _with(self, values: Matrices) -> list[tuple[MatrixParameter, Float64]]:
        return list(zip(self.matrices, values, strict=True))
