"""Relationship matrices that a user gives, or their inverses: completed, checked, and inverted where needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, diags_array, issparse

from breedeval.arrays import Float64, Int64, freeze
from breedeval.errors import DataError, count_of
from breedeval.names import Names
from breedeval.relationship.components import invert_by_components

#: Two elements that should be equal may differ by this part of the largest diagonal element, the rounding of printed numbers.
SYMMETRIC = 1e-6


@dataclass(frozen=True)
class LabelledMatrix:
    """A symmetric matrix with the names of its rows; ``matrix`` (n, n) is dense or sparse, with both triangles.

    `notes` say how it was read.
    """

    names: Names
    matrix: csr_array | Float64
    notes: tuple[str, ...] = ()


def from_triplets(names: Names, row: Int64, column: Int64, value: Float64) -> LabelledMatrix:
    """A matrix from its elements: one triangle, in any order, or both.

    Raises
    ------
    DataError
        If an element stands twice, both triangles differ, or some pairs of levels stand once and others twice.

    Examples
    --------
    >>> found = from_triplets(Names.of(["a", "b"]), np.array([0, 1, 1]), np.array([0, 0, 1]), np.array([1.0, 0.5, 1.0]))
    >>> found.matrix.toarray().tolist(), found.notes
    ([[1.0, 0.5], [0.5, 1.0]], ('one triangle',))
    """
    n = len(names)
    keys, counts = np.unique(row * n + column, return_counts=True)
    if (counts > 1).any():
        again = keys[counts > 1]
        first = _pair(names, int(again[0]))
        raise DataError(f"{count_of(len(again), 'element')} more than once in the file, such as {first}. Keep one of each.")
    given = csr_array((value, (row, column)), shape=(n, n))
    off = row != column
    pairs, times = np.unique(np.minimum(row, column)[off] * n + np.maximum(row, column)[off], return_counts=True)
    if not (times == 2).any():
        # Explicit zeros stay, so that a pair that is given counts as given.
        upper = csr_array((value[off], (column[off], row[off])), shape=(n, n))
        return LabelledMatrix(names, csr_array(given + upper), ("one triangle",) if off.any() else ())
    if (times == 1).any():
        single = pairs[times == 1]
        raise DataError(
            f"{count_of(int((times == 2).sum()), 'pair')} of levels in both triangles and {count_of(len(single), 'pair')} in "
            f"one only, such as {_pair(names, int(single[0]))}. Give one triangle, or both of them whole."
        )
    return symmetrized(names, given, ("both triangles",))


def symmetrized(names: Names, matrix: csr_array | Float64, notes: tuple[str, ...] = ()) -> LabelledMatrix:
    """A matrix of both triangles, made symmetric to the last bit.

    Raises
    ------
    DataError
        If it is not symmetric within the rounding of printed numbers, or holds a number that is not finite.
    """
    values = matrix.data if issparse(matrix) else matrix
    if not np.isfinite(values).all():
        raise DataError("it holds values that are no finite numbers. Every element must be given.")
    difference = abs(matrix - matrix.T)
    largest = float(difference.max()) if matrix.shape[0] else 0.0
    if largest > SYMMETRIC * float(np.abs(matrix.diagonal()).max(initial=0.0)):
        place = int(difference.argmax())
        i, j = divmod(place, matrix.shape[0])
        raise DataError(
            f"not symmetric: ({names[i]}, {names[j]}) is {matrix[i, j]:g} and ({names[j]}, {names[i]}) is {matrix[j, i]:g}. "
            "Correct the one that is wrong, or give one triangle."
        )
    whole = (matrix + matrix.T) / 2
    return LabelledMatrix(names, csr_array(whole) if issparse(matrix) else np.asarray(whole, dtype=np.float64), notes)


def blended(matrix: csr_array | Float64, weight: float) -> csr_array | Float64:
    """(1 − w) K + w diag(K): every level keeps its own variance, and the relationships between levels shrink by w.

    Examples
    --------
    >>> blended(np.array([[1.0, 1.0], [1.0, 1.0]]), 0.1).tolist()
    [[1.0, 0.9], [0.9, 1.0]]
    """
    diagonal = matrix.diagonal()
    if issparse(matrix):
        return csr_array((1.0 - weight) * matrix + diags_array(weight * diagonal))
    shrunk: Float64 = (1.0 - weight) * matrix
    np.fill_diagonal(shrunk, diagonal)
    return shrunk


def invert_given(given: LabelledMatrix, blend: float | None, remedy: str) -> tuple[csr_array | Float64, Float64, float]:
    """K⁻¹, the diagonal of K and log|K| of a matrix that was given, blended first if asked.

    Raises
    ------
    NotPositiveDefiniteError, DataError
        As `breedeval.relationship.components.invert_by_components`.
    """
    matrix = given.matrix if blend is None else blended(given.matrix, blend)
    inverse, log_determinant = invert_by_components(matrix, given.names, remedy)
    return inverse, freeze(np.array(matrix.diagonal(), dtype=np.float64)), log_determinant


def _pair(names: Names, key: int) -> str:
    i, j = divmod(key, len(names))
    return f"({names[i]}, {names[j]})"
