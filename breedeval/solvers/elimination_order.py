"""Elimination orders for a sparse factor, and its size before it is made."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array

from breedeval.arrays import Int64
from breedeval.kernels.elimination import permuted_pattern
from breedeval.kernels.factor import count_factor
from breedeval.kernels.minimum_degree import minimum_degree

#: Variables with more neighbors than this times √n are ordered last by minimum degree.
DENSE = 10.0
#: Minimum degree is given up where it takes longer than a factor in the order at hand: a look at an element of its graph takes
#: as long as so many operations of a factor; but so many looks for each element of the matrix are always worth it.
OPERATIONS_A_LOOK = 20
LOOKS_AN_ELEMENT = 20
#: And so many, some seconds, where the factor in the order at hand was too large to be counted.
MOST_LOOKS = 500_000_000


@dataclass(frozen=True)
class FactorSize:
    """Elements of L and operations to make it; `elements` −1 where the count was given up at its limit."""

    elements: int
    operations: float


def minimum_degree_order(matrix: csc_array) -> Int64:
    """(n,) elimination order by approximate minimum degree.

    Parameters
    ----------
    matrix
        (n, n), both triangles.

    Notes
    -----
    Amestoy, Davis and Duff (1996, SIAM J. Matrix Anal. Appl. 17:886). Good where nothing is known about the matrix, or where a
    pedigree has few parents.

    Examples
    --------
    An arrow is eliminated from its ends; its head comes when one other is left:

    >>> arrow = np.eye(5) + np.pad(np.ones((1, 4)), ((0, 4), (1, 0)))
    >>> bool(0 in minimum_degree_order(csc_array(arrow + arrow.T))[-2:])
    True
    """
    return _minimum_degree(matrix, 2**62)[0]


def predict_size(matrix: csc_array, order: Int64, limit: int = 2**62) -> FactorSize:
    """Count the elements of L (below its diagonal) for an elimination order, giving up above `limit`."""
    n = matrix.shape[0]
    place = np.empty(n, dtype=np.int64)
    place[order] = np.arange(n)
    pointer, row = np.empty(n + 1, dtype=np.int64), np.empty(matrix.nnz, dtype=np.int32)
    indices = matrix.indices.astype(np.int32)
    permuted_pattern(matrix.indptr.astype(np.int64), indices, place, True, pointer, row)
    counts = np.empty(n, dtype=np.int64)
    total = count_factor(pointer, row, limit, np.empty(n, dtype=np.int64), counts)
    if total < 0:
        return FactorSize(-1, math.inf)
    return FactorSize(int(total), float((counts.astype(np.float64) ** 2).sum()))


def better_order(matrix: csc_array, order: Int64, limit: int = 2**62) -> tuple[Int64, FactorSize, bool]:
    """The better of a given order and minimum degree, by the operations that a factor would take.

    Minimum degree is given up where finding it takes longer than it could save.

    Parameters
    ----------
    matrix
        (n, n), both triangles.
    order
        (n,) order from what the equations mean.
    limit
        Elements of L at which counting is given up.

    Returns
    -------
    order, size, is_given
        The order, the size of its factor, and whether it is the given one.
    """
    given = predict_size(matrix, order, limit)
    worth = MOST_LOOKS if given.elements < 0 else int(given.operations / OPERATIONS_A_LOOK)
    other_order, is_found = _minimum_degree(matrix, max(LOOKS_AN_ELEMENT * matrix.nnz, worth))
    other = predict_size(matrix, other_order, limit) if is_found else given
    if other.operations < given.operations:
        return other_order, other, False
    return order, given, True


def _minimum_degree(matrix: csc_array, limit: int) -> tuple[Int64, bool]:
    """The order, and whether it was found with no more looks at elements of the graph than the limit."""
    pattern = matrix
    if not matrix.has_canonical_format:
        pattern = matrix.copy()
        pattern.sum_duplicates()
    n = matrix.shape[0]
    out = np.arange(n)
    dense = max(16, int(DENSE * math.sqrt(n)))
    indices = pattern.indices.astype(np.int32)
    is_found = minimum_degree(pattern.indptr.astype(np.int64), indices, dense, limit, out)
    return out, bool(is_found)
