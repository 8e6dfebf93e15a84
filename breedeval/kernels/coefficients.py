"""Sums of sparse matrices on one pattern with coefficients, and their products with another matrix on it."""

from __future__ import annotations

from breedeval.kernels.compile import compiled


@compiled
def find_places(pointer, row, wanted, column, out):
    """Out (m,) = places of the elements (wanted[i], column[i]) in a pattern by columns, rows ascending, that has them all."""
    for i in range(wanted.shape[0]):
        low, high = pointer[column[i]], pointer[column[i] + 1]
        while high - low > 1:
            middle = (low + high) // 2
            if row[middle] <= wanted[i]:
                low = middle
            else:
                high = middle
        out[i] = low


@compiled
def add_up(begin, place, value, c, out):
    """Out (nnz,) = Σ_k c[k] B_k, where value[begin[k]:begin[k + 1]] stand at place[...]."""
    for i in range(out.shape[0]):
        out[i] = 0.0
    for k in range(c.shape[0]):
        if c[k] != 0.0:
            for e in range(begin[k], begin[k + 1]):
                out[place[e]] += c[k] * value[e]


@compiled
def inner_products(begin, place, value, wanted, other, out):
    """Out[k] = Σ other × B_k over the pattern, for each k that is wanted; others are left."""
    for k in range(out.shape[0]):
        if not wanted[k]:
            continue
        total = 0.0
        for e in range(begin[k], begin[k + 1]):
            total += other[place[e]] * value[e]
        out[k] = total
