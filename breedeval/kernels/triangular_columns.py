"""Solutions of L D L' z = r for several vectors side by side, each element of L read once for all of them.

The loops are those of `breedeval.kernels.triangular`, and so are their arguments. `columns` is any tuple of c numbers, `both`
one of c for each equation of a node. Vectors are (N, c): the numbers of an equation are one or two lines of the cache.
"""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled
from breedeval.kernels.row_arithmetic import add_row, fill_row, local_row, scale_row


@compiled
def forward_columns(columns, both, own, partner, low, high, equation, begin, end, index, value, base, out):
    """Solve L y = r in place, for nodes low to high and one width of partners; out (N, c)."""
    k, w, n_columns = len(own), len(partner), len(columns)
    work = local_row(both)
    for p in range(low, high):
        if begin[p] == end[p]:
            continue
        here = np.int64(equation[p]) * n_columns
        scale_row(both, 1.0, out, here, work, 0)
        for q in range(begin[p], end[p]):
            v, there = base + q * k * w, np.int64(index[np.uint64(q)]) * n_columns
            for a in range(k):
                for b in range(w):
                    x = np.float64(value[np.uint64(v + b * k + a)])
                    add_row(columns, -x, out, there + b * n_columns, work, a * n_columns)
        scale_row(both, 1.0, work, 0, out, here)


@compiled
def backward_columns(
    columns, both, own, partner, low, high, equation, begin, split, end, index, value, base, inverse, d, is_first, dense, out
):
    """Solve L'z = D⁻¹y in place; dense (T, c) is the solution of the last equations, out (N, c)."""
    k, w, n_columns = len(own), len(partner), len(columns)
    work = local_row(both)
    for p in range(high - 1, low - 1, -1):
        here = np.int64(equation[p]) * n_columns
        if is_first:
            fill_row(both, 0.0, work, 0)
            for a in range(k):
                for b in range(k):
                    x = inverse[np.uint64(d + (p * k + a) * k + b)]
                    add_row(columns, x, out, here + b * n_columns, work, a * n_columns)
        else:
            scale_row(both, 1.0, out, here, work, 0)
        for q in range(split[p], end[p]):
            v, there = base + q * k * w, np.int64(index[np.uint64(q)]) * n_columns
            for a in range(w):
                for b in range(k):
                    x = np.float64(value[np.uint64(v + a * k + b)])
                    add_row(columns, -x, dense, there + a * n_columns, work, b * n_columns)
        for q in range(begin[p], split[p]):
            v, there = base + q * k * w, np.int64(index[np.uint64(q)]) * n_columns
            for a in range(w):
                for b in range(k):
                    x = np.float64(value[np.uint64(v + a * k + b)])
                    add_row(columns, -x, out, there + a * n_columns, work, b * n_columns)
        scale_row(both, 1.0, work, 0, out, here)


@compiled
def dense_shares_of_columns(columns, own, partner, low, high, equation, split, end, index, value, base, y, out):
    """What elimination takes from the last equations, L_T y, all nodes in one piece; y (N, c), out (T, c)."""
    k, w, n_columns = len(own), len(partner), len(columns)
    for p in range(low, high):
        here = np.int64(equation[p]) * n_columns
        for q in range(split[p], end[p]):
            v, there = base + q * k * w, np.int64(index[np.uint64(q)]) * n_columns
            for a in range(w):
                for b in range(k):
                    x = np.float64(value[np.uint64(v + a * k + b)])
                    add_row(columns, x, y, here + b * n_columns, out, there + a * n_columns)
