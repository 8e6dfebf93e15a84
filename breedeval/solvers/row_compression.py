"""A design matrix of millions of records by far fewer rows that say the same of its columns."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array

from breedeval.arrays import Float64, Int32, Int64, freeze
from breedeval.kernels import row_compression as kernels
from breedeval.kernels.incidence import index_levels
from breedeval.kernels.threads import map_parts, n_threads

#: Groups of rows with more columns than this are left as they are: a reflection costs rows times columns.
WIDEST = 64
#: Elements of a triangle below this part of their column's length in the group are rounding errors.
NEGLIGIBLE = 1e-15
#: Rounds at most, and the part of the rows that a round has to save to be followed by another.
ROUNDS, WORTH_IT = 6, 0.1
#: Rows that a thread is started for.
FEWEST_ROWS = 50_000


def compress_rows(x: csr_array, rows: Int64 | None = None) -> csr_array:
    """Return Q'X of as few rows as grouping finds, Q orthogonal: ‖Q'X v‖ = ‖X v‖ for every v.

    Parameters
    ----------
    x
        (m, p).
    rows
        Rows of X to be read; all if not given.

    Notes
    -----
    Sums of squares would lose what is below the root of the rounding error; reflections change each column by rounding errors
    of its own length, so that nearly dependent columns can still be told from dependent ones. Time in proportion to the
    elements of X times the columns that rows with the same rarest column have together; memory of two copies of X at most. The
    same bits for any number of threads.

    Examples
    --------
    >>> x = csr_array(np.tile(np.eye(3), (100, 1)))
    >>> compress_rows(x).shape
    (3, 3)
    """
    pointer, column, value = x.indptr.astype(np.int64, copy=False), x.indices.astype(np.int32, copy=False), x.data
    chosen = np.arange(x.shape[0]) if rows is None else rows
    for _ in range(ROUNDS):
        pointer, column, value = _round(chosen, pointer, column, value, x.shape[1])
        before, chosen = len(chosen), np.arange(len(pointer) - 1)
        if len(chosen) > (1.0 - WORTH_IT) * before:
            break
    return csr_array((value, column, pointer), shape=(len(pointer) - 1, x.shape[1]))


def _round(rows: Int64, pointer: Int64, column: Int32, value: Float64, n_columns: int) -> tuple[Int64, Int32, Float64]:
    """Compress each group of rows with the same rarest column; returns pointer, columns and values of the new rows."""
    counts, rarest = np.zeros(n_columns, dtype=np.int64), np.empty(len(rows), dtype=np.int32)
    kernels.count_in_columns(rows, pointer, column, counts)
    kernels.rarest_columns(rows, pointer, column, counts, rarest)
    bounds, order = np.zeros(n_columns + 1, dtype=np.int64), np.empty(int((rarest >= 0).sum()), dtype=np.int32)
    index_levels(freeze(rarest), bounds, order)
    rows, width = rows[order], np.zeros(n_columns, dtype=np.int64)

    def compress(groups: tuple[int, int]) -> tuple[Int64, Int32, Float64]:
        work = np.full(n_columns, -1, dtype=np.int32)
        most = kernels.survey_groups(*groups, bounds, rows, pointer, column, WIDEST, work, width)
        work[:] = -1
        counted = np.empty(bounds[groups[1]] - bounds[groups[0]], dtype=np.int64)
        columns, values = np.empty(most, dtype=np.int32), np.empty(most)
        what = (bounds, rows, pointer, column, value, width, NEGLIGIBLE)
        n = kernels.compress_groups(*groups, *what, work, counted, columns, values)
        total = int(counted[:n].sum())
        return counted[:n].copy(), columns[:total].copy(), values[:total].copy()

    parts = list(map_parts(compress, _cut_groups(bounds)))
    counted, columns, values = (np.concatenate(kind) for kind in zip(*parts, strict=True))
    return np.concatenate([[0], np.cumsum(counted)]).astype(np.int64), columns, values


def _cut_groups(bounds: Int64) -> list[tuple[int, int]]:
    """Runs of groups of about as many rows each, for the threads."""
    pieces = max(1, min(n_threads(), int(bounds[-1]) // FEWEST_ROWS))
    ends = np.searchsorted(bounds, np.linspace(0, bounds[-1], pieces + 1)).tolist()
    return [(first, end) for first, end in pairwise(ends) if first < end] or [(0, 0)]
