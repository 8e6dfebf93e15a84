"""Columns of a sparse matrix that one row alone holds, and those that are left so when such rows are gone."""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled


@compiled
def peel(pointer, column, value, smallest, out_row, out_column, out_left):
    """Take away columns with an element in one row only, together with that row, as long as there are any.

    pointer, column, value: a matrix (m, p) by rows, each column at most once in a row; smallest (p,): an element below that is
    left. Writes the rows and columns in their turn to out_row, out_column (at least min(m, p)), and whether a row is left to
    out_left (m,). Returns how many.
    """
    n_columns = smallest.shape[0]
    count, total = np.zeros(n_columns, dtype=np.int64), np.zeros(n_columns, dtype=np.int64)
    for i in range(pointer.shape[0] - 1):
        out_left[i] = True
        for q in range(pointer[i], pointer[i + 1]):
            count[column[q]] += 1
            total[column[q]] += i  # of one row: which it is
    waiting = np.empty(n_columns, dtype=np.int64)
    first, last = 0, 0
    for j in range(n_columns):
        if count[j] == 1:
            waiting[last] = j
            last += 1
    n = 0
    while first < last:
        j = waiting[first]
        first += 1
        i = total[j]
        if count[j] != 1 or not _holds(i, j, pointer, column, value, smallest[j]):
            continue
        out_row[n], out_column[n], out_left[i] = i, j, False
        n += 1
        for q in range(pointer[i], pointer[i + 1]):
            other = column[q]
            count[other] -= 1
            total[other] -= i
            if count[other] == 1:
                waiting[last] = other
                last += 1
    return n


@compiled
def _holds(i, j, pointer, column, value, smallest):
    """Whether row i has an element in column j that is not too small."""
    for q in range(pointer[i], pointer[i + 1]):
        if column[q] == j:
            return abs(value[q]) >= smallest
    return False


@compiled
def put_back(rows, columns, pointer, column, value, out):
    """Complete vectors, out (p, d) by rows, so that the product of each row taken away with each of them is zero.

    rows, columns: as they were taken away, the last one first; out is zero there.
    """
    for k in range(rows.shape[0]):
        own = 0.0
        for q in range(pointer[rows[k]], pointer[rows[k] + 1]):
            if column[q] == columns[k]:
                own = value[q]
                continue
            for b in range(out.shape[1]):
                out[columns[k], b] -= value[q] * out[column[q], b]
        for b in range(out.shape[1]):
            out[columns[k], b] /= own
