"""Loops over a sparse triangular factor: its size before it is made, and elements of the inverse after."""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled


@compiled
def count_factor(pointer, row, limit, parent, out):
    """Column counts of the Cholesky factor (without diagonal) by row subtrees (Liu 1990, The role of elimination trees).

    pointer (n + 1,), row: upper triangle by columns, any order, diagonal allowed; parent (n,) work; out (n,) int64 counts.
    Stops and returns −1 when more than `limit` elements are counted, so that a hopeless factor costs no more than a possible
    one.
    """
    n = pointer.shape[0] - 1
    mark = np.full(n, -1, dtype=np.int64)
    total = 0
    for j in range(n):
        parent[j] = -1
        out[j] = 0
        mark[j] = j
        for p in range(pointer[j], pointer[j + 1]):
            i = row[p]
            while i < j and mark[i] != j:
                if parent[i] == -1:
                    parent[i] = j
                out[i] += 1
                total += 1
                mark[i] = j
                i = parent[i]
        if total > limit:
            return -1
    return total


@compiled
def find_elements(pointer, row, z, column, wanted, out):
    """Write to out (m,) the elements of z at (wanted[i], column[i]) of a lower triangle by columns, rows ascending.

    Where the pattern has no such element out is NaN.
    """
    for i in range(column.shape[0]):
        low, high = pointer[column[i]], pointer[column[i] + 1]
        end = high
        while low < high:
            middle = (low + high) // 2
            if row[middle] < wanted[i]:
                low = middle + 1
            else:
                high = middle
        out[i] = z[low] if low < end and row[low] == wanted[i] else np.nan


@compiled
def invert_on_pattern(pointer, row, lower, pivot, z, diagonal):
    """Elements of C⁻¹ on the pattern of L, where C = L D L' (Takahashi, Fagan and Chin 1973).

    pointer (n + 1,), row, lower: unit lower triangle by columns without its diagonal, rows ascending; pivot (n,) D. Writes z
    (same pattern as lower) and diagonal (n,). Column j needs the columns of its own rows only, so one pass from the last column
    to the first does.
    """
    n = pivot.shape[0]
    place = np.full(n, -1, dtype=np.int64)
    for j in range(n - 1, -1, -1):
        begin, end = pointer[j], pointer[j + 1]
        for a in range(begin, end):
            place[row[a]] = a
            z[a] = 0.0
        for a in range(begin, end):
            k = row[a]
            lkj = lower[a]
            here = diagonal[k] * lkj
            for b in range(pointer[k], pointer[k + 1]):
                at = place[row[b]]
                if at >= 0:
                    z[at] -= z[b] * lkj
                    here += z[b] * lower[at]
            z[a] -= here
        total = 1.0 / pivot[j]
        for a in range(begin, end):
            total -= z[a] * lower[a]
            place[row[a]] = -1
        diagonal[j] = total
