"""Solutions of L D L' z = r for several vectors side by side, each element of L read once for all of them.

The loops are those of `breedeval.kernels.triangular`, and so are their arguments. `columns` is any tuple of c numbers, `both`
one of c for each equation of a node. Vectors are (N, c): the numbers of an equation are one or two lines of the cache, which
are asked for before they are needed.
"""

from __future__ import annotations

import numba
import numpy as np

from breedeval.kernels.compile import compiled, compiled_parallel, inlined
from breedeval.kernels.row_arithmetic import add_products, add_row, fill_row, local_row, prefetch_row, scale_row

#: Elements of L, and nodes, by which lines are asked for ahead.
AHEAD, NODES_AHEAD = 32, 8


@inlined
def _copy(columns, rows, x, p, out, o):
    """Copy rows of c numbers one by one: as a whole, the compiler would keep them in memory, and not in its registers."""
    for a in range(len(rows)):
        scale_row(columns, 1.0, x, p + a * len(columns), out, o + a * len(columns))


@inlined
def _add(columns, rows, sign, value, v, x, sum_, out, o):
    """Add rows of x, each times an element of L, to one row of `out`, which is in `sum_` meanwhile and is written once."""
    scale_row(columns, 1.0, out, o, sum_, 0)
    for a in range(len(rows)):
        add_row(columns, sign * np.float64(value[np.uint64(v + a)]), x, a * len(columns), sum_, 0)
    scale_row(columns, 1.0, sum_, 0, out, o)


@compiled
def forward_columns(columns, both, own, partner, low, high, equation, begin, end, index, value, base, is_first, r, out):
    """Write y of L y = r, for nodes low to high and one width of partners; r and out (N, c).

    Where is_first is false, `out` is what other widths have left of r.
    """
    k, w, n_columns, last = len(own), len(partner), len(columns), index.shape[0] - 1
    work = local_row(both)
    for p in range(low, high):
        here = np.int64(equation[p]) * n_columns
        if is_first:
            _copy(columns, own, r, here, work, 0)
        elif begin[p] < end[p]:
            _copy(columns, own, out, here, work, 0)
        else:
            continue
        for q in range(begin[p], end[p]):
            v, there = base + q * k * w, np.int64(index[np.uint64(q)]) * n_columns
            later = np.int64(index[np.uint64(min(q + AHEAD, last))]) * n_columns
            for b in range(w):
                prefetch_row(columns, out, later + b * n_columns)
                for a in range(k):
                    x = np.float64(value[np.uint64(v + b * k + a)])
                    add_row(columns, -x, out, there + b * n_columns, work, a * n_columns)
        _copy(columns, own, work, 0, out, here)


@compiled_parallel
def forward_columns_by_threads(
    columns, both, own, partner, low, high, piece, equation, begin, end, index, value, base, is_first, r, out
):
    """As `forward_columns` for nodes that are not linked with each other, `piece` of them at a time."""
    for k in numba.prange((high - low + piece - 1) // piece):
        first, last = low + k * piece, min(high, low + (k + 1) * piece)
        forward_columns(columns, both, own, partner, first, last, equation, begin, end, index, value, base, is_first, r, out)


@compiled
def give_columns(
    columns, both, own, partner, low, high, bounds, equation, begin, split, end, index, value, base, out, shares_out
):
    """Give the shares of nodes low to high to their partners, in place: `forward_columns` and `dense_shares_of_columns` as one.

    The bits are the same, as every equation is changed by the same products in the same order. Elements from split to end are
    those of the last equations, whose shares are added to shares_out (pieces, T, c). This is for one thread: what partners get
    is in the cache more often than what they would have to take.
    """
    k, w, n_columns, last = len(own), len(partner), len(columns), index.shape[0] - 1
    work, sum_ = local_row(both), local_row(columns)
    for piece in range(bounds.shape[0] - 1):
        for p in range(max(low, bounds[piece]), min(high, bounds[piece + 1])):
            prefetch_row(both, out, np.int64(equation[np.uint64(min(p + NODES_AHEAD, high - 1))]) * n_columns)
            _copy(columns, own, out, np.int64(equation[p]) * n_columns, work, 0)
            for q in range(begin[p], split[p]):
                v, there = base + q * k * w, np.int64(index[np.uint64(q)]) * n_columns
                later = np.int64(index[np.uint64(min(q + AHEAD, last))]) * n_columns
                for b in range(w):
                    prefetch_row(columns, out, later + b * n_columns)
                    _add(columns, own, -1.0, value, v + b * k, work, sum_, out, there + b * n_columns)
            for q in range(split[p], end[p]):
                v, there = base + q * k * w, (piece * shares_out.shape[1] + np.int64(index[np.uint64(q)])) * n_columns
                for b in range(w):
                    _add(columns, own, 1.0, value, v + b * k, work, sum_, shares_out, there + b * n_columns)


@compiled
def backward_columns(
    columns,
    both,
    own,
    partner,
    low,
    high,
    equation,
    begin,
    split,
    end,
    index,
    value,
    base,
    inverse,
    d,
    is_first,
    dense,
    out,
    product_out,
):
    """Solve L'z = D⁻¹y in place; dense (T, c) is the solution of the last equations, out (N, c).

    Where is_first is true, y'D⁻¹y of each column, which is the nodes' part of r'z, is added to product_out (c,).
    """
    k, w, n_columns = len(own), len(partner), len(columns)
    work, product = local_row(both), local_row(columns)
    fill_row(columns, 0.0, product, 0)
    for p in range(high - 1, low - 1, -1):
        here = np.int64(equation[p]) * n_columns
        prefetch_row(both, out, np.int64(equation[np.uint64(max(p - NODES_AHEAD, 0))]) * n_columns)
        if is_first:
            for a in range(k):
                fill_row(columns, 0.0, work, a * n_columns)
                for b in range(k):
                    x = inverse[np.uint64(d + (p * k + a) * k + b)]
                    add_row(columns, x, out, here + b * n_columns, work, a * n_columns)
            for a in range(k):
                add_products(columns, out, here + a * n_columns, work, a * n_columns, product, 0)
        else:
            _copy(columns, own, out, here, work, 0)
        for q in range(split[p], end[p]):
            v, there = base + q * k * w, np.int64(index[np.uint64(q)]) * n_columns
            for b in range(w):
                for a in range(k):
                    x = np.float64(value[np.uint64(v + b * k + a)])
                    add_row(columns, -x, dense, there + b * n_columns, work, a * n_columns)
        for q in range(begin[p], split[p]):
            v, there = base + q * k * w, np.int64(index[np.uint64(q)]) * n_columns
            later = np.int64(index[np.uint64(max(q - AHEAD, 0))]) * n_columns
            for b in range(w):
                prefetch_row(columns, out, later + b * n_columns)
                for a in range(k):
                    x = np.float64(value[np.uint64(v + b * k + a)])
                    add_row(columns, -x, out, there + b * n_columns, work, a * n_columns)
        _copy(columns, own, work, 0, out, here)
    add_row(columns, 1.0, product, 0, product_out, 0)


@compiled_parallel
def backward_columns_by_threads(
    columns,
    both,
    own,
    partner,
    low,
    high,
    piece,
    equation,
    begin,
    split,
    end,
    index,
    value,
    base,
    inverse,
    d,
    is_first,
    dense,
    out,
    products_out,
):
    """As `backward_columns` for nodes that are not linked with each other, `piece` of them at a time.

    products_out (pieces, c), as each piece gives a sum of its own.
    """
    for k in numba.prange((high - low + piece - 1) // piece):
        backward_columns(
            columns,
            both,
            own,
            partner,
            low + k * piece,
            min(high, low + (k + 1) * piece),
            equation,
            begin,
            split,
            end,
            index,
            value,
            base,
            inverse,
            d,
            is_first,
            dense,
            out,
            products_out[k],
        )


@compiled_parallel
def dense_shares_of_columns(columns, own, partner, low, high, bounds, equation, split, end, index, value, base, y, out):
    """Add what elimination of nodes low to high takes from the last equations, L_T y, to out (pieces, T, c); y (N, c).

    One matrix a piece, of nodes by `bounds`.
    """
    k, w, n_columns = len(own), len(partner), len(columns)
    for piece in numba.prange(bounds.shape[0] - 1):
        for p in range(max(low, bounds[piece]), min(high, bounds[piece + 1])):
            here = np.int64(equation[p]) * n_columns
            for q in range(split[p], end[p]):
                v, there = base + q * k * w, (piece * out.shape[1] + np.int64(index[np.uint64(q)])) * n_columns
                for a in range(w):
                    for b in range(k):
                        x = np.float64(value[np.uint64(v + a * k + b)])
                        add_row(columns, x, y, here + b * n_columns, out, there + a * n_columns)
