"""Where everything stands in a supernodal factor, found before any number is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csc_array

from breedeval.arrays import Bool, Int32, Int64, freeze
from breedeval.kernels import elimination
from breedeval.kernels.factor import count_factor

#: Columns of a supernode at most; what is wider is cut, so that work space stays small.
WIDEST = 256
#: Share of zeros that merging may bring in, for groups of up to 16, up to 48 and more columns.
ZEROS = (0.8, 0.1, 0.05)


@dataclass(frozen=True)
class Structure:
    """Where everything stands in the factor of one pattern; see `breedeval.kernels.supernodal`.

    Parameters
    ----------
    permutation
        (n,) row i of P C P' is row ``permutation[i]`` of C.
    first, owner, row_pointer, rows, value_pointer
        Supernodes.
    entry
        (nnz,) place of each stored element of C in the values of the factor.
    is_read
        (nnz,) elements that are read when factorizing: of both triangles one is.
    n_elements
        Elements of L below its diagonal, without the zeros of supernodes.
    """

    permutation: Int64
    first: Int32
    owner: Int32
    row_pointer: Int64
    rows: Int32
    value_pointer: Int64
    entry: Int64
    is_read: Bool
    n_elements: int

    @property
    def n(self) -> int:
        """Order of the matrix."""
        return len(self.permutation)

    @property
    def n_values(self) -> int:
        """Numbers stored for a factor."""
        return int(self.value_pointer[-1])

    @cached_property
    def tallest(self) -> int:
        """Rows of the tallest block."""
        return int((np.diff(self.first) + np.diff(self.row_pointer)).max(initial=1))

    @cached_property
    def widest(self) -> int:
        """Columns of the widest block."""
        return int(np.diff(self.first).max(initial=1))

    @cached_property
    def place(self) -> Int64:
        """(n,) position of each row of C in the elimination order."""
        return _inverse(self.permutation)

    @cached_property
    def diagonal(self) -> Int64:
        """(n,) place of the diagonal elements, in elimination order."""
        owner = self.owner
        height = np.diff(self.first) + np.diff(self.row_pointer)
        places: Int64 = self.value_pointer[owner] + (np.arange(self.n) - self.first[owner]) * (height[owner] + 1)
        return places


def build_structure(matrix: csc_array, order: Int64) -> Structure:
    """Lay out the factor of a pattern for an elimination order.

    Parameters
    ----------
    matrix
        (n, n), both triangles or either.
    order
        (n,) elimination order; only its order within branches of the elimination tree is changed, which costs no fill.
    """
    n = matrix.shape[0]
    pointer, row = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32)
    column = np.repeat(np.arange(n, dtype=np.int32), np.diff(pointer))
    both = bool((row > column).any() and (row < column).any())
    place = _inverse(order)
    parent, counts = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    left_pointer, left = np.empty(n + 1, dtype=np.int64), np.empty(len(row), dtype=np.int32)
    elimination.permuted_pattern(pointer, row, place, both, left_pointer, left)
    n_elements = int(count_factor(left_pointer, left, 2**62, parent, counts))
    post = np.empty(n, dtype=np.int64)
    elimination.postorder(parent, counts, post)
    back = _inverse(post)
    permutation, parent, counts = order[post], np.where(parent >= 0, back[parent], -1)[post], counts[post]
    place = _inverse(permutation)
    elimination.permuted_pattern(pointer, row, place, both, left_pointer, left)
    first, owner = _supernodes(parent, counts)
    row_pointer = np.empty(len(first), dtype=np.int64)
    elimination.supernode_rows(left_pointer, left, parent, first, owner, row_pointer, np.empty(0, dtype=np.int32), False)
    rows = np.empty(int(row_pointer[-1]), dtype=np.int32)
    elimination.supernode_rows(left_pointer, left, parent, first, owner, row_pointer, rows, True)
    width = np.diff(first).astype(np.int64)
    value_pointer = np.concatenate([[0], np.cumsum(width * (width + np.diff(row_pointer)))])
    entry = np.empty(len(row), dtype=np.int64)
    elimination.element_places(place[row], place[column], first, owner, row_pointer, rows, value_pointer, entry)
    return Structure(
        freeze(permutation),
        freeze(first),
        freeze(owner),
        freeze(row_pointer),
        freeze(rows),
        freeze(value_pointer),
        freeze(entry),
        freeze(row >= column if both else np.ones(len(row), dtype=np.bool_)),
        n_elements,
    )


def _supernodes(parent: Int64, counts: Int64) -> tuple[Int32, Int32]:
    n = len(parent)
    first = np.empty(n + 1, dtype=np.int32)
    found = elimination.find_supernodes(parent, counts, *ZEROS, first)
    cut = np.empty(n + 1, dtype=np.int32)
    found = elimination.split_wide(first[: found + 1], WIDEST, cut)
    first = cut[: found + 1].copy()
    owner = np.repeat(np.arange(found, dtype=np.int32), np.diff(first))
    return first, owner


def _inverse(permutation: Int64) -> Int64:
    place = np.empty(len(permutation), dtype=np.int64)
    place[permutation] = np.arange(len(permutation))
    return place
