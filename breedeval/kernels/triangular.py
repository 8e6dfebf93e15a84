"""Solutions of L D L' z = r for an incomplete factor; vectors are in the order of the equations.

L is kept by columns, and by rows as well where several threads share the work. One thread goes through the columns twice: a
node gives its share to its partners in the forward solve, and takes theirs in the backward one. Threads take, by rows, in the
forward solve too: then a node writes its own equations only, and nodes that are not linked with each other may be solved by any
number of threads. The bits are the same, as every equation is changed by the same products in the same order.

Elements are kept by the width of the *partner*, so that the size of each small matrix is known when a loop is compiled: `own`
and `partner` are any tuples as long as the widths of the node and of its partners. Matrices and the numbers of partners lie all
over the memory, and are asked for before they are needed: that decides what a solve costs.

Indices that are not negative are said to be unsigned: that saves a comparison for each element of L.
"""

from __future__ import annotations

import numba
import numpy as np

from breedeval.kernels.compile import compiled, compiled_parallel, inlined
from breedeval.kernels.row_arithmetic import add_row, fill_row, local_row, prefetch_row, scale_row
from breedeval.kernels.small_matrices import prefetch_matrix, subtract_product, subtract_transposed

#: What is asked for ahead: partners, so many elements of L; own equations, so many nodes; matrices, so many of their numbers.
PARTNERS_AHEAD, NODES_AHEAD, NUMBERS_AHEAD = 64, 16, 1_024


@inlined
def _take(own, partner, first, past, step, ahead, index, value, base, x, out, total):
    """Take from `total` the shares of partners whose numbers are in x; elements first to past, of which others are in `out`."""
    for q in range(first, past, step):
        v = base + q * len(own) * len(partner)
        prefetch_row((0,), out, np.uint64(index[np.uint64(q + step * ahead)]))
        prefetch_matrix(own, partner, value, v + step * NUMBERS_AHEAD)
        subtract_product(own, partner, value, v, x, np.uint64(index[np.uint64(q)]), total, 0)


@inlined
def _give(own, partner, first, past, ahead, index, value, base, y, out, x, shift):
    """Take the share of y from partners whose numbers are in x; elements first to past, of which others are in `out`."""
    for q in range(first, past):
        v = base + q * len(own) * len(partner)
        prefetch_row((0,), out, np.uint64(index[np.uint64(q + ahead)]))
        prefetch_matrix(own, partner, value, v + NUMBERS_AHEAD)
        subtract_transposed(own, partner, value, v, y, 0, x, shift + np.uint64(index[np.uint64(q)]))


@compiled
def forward(own, partner, low, high, equation, begin, end, index, value, base, out):
    """Take the partners' share from nodes low to high, in place: of L y = r.

    begin, end (n,) elements of each node, index their partners' first equations; the matrix (partner, own) of element q begins
    at value[base + q · own · partner].
    """
    last, total = index.shape[0] - PARTNERS_AHEAD, local_row(own)
    for p in range(low, high):
        if begin[p] == end[p]:
            continue
        e, ahead = np.uint64(equation[p]), PARTNERS_AHEAD if end[p] <= last else 0
        scale_row(own, 1.0, out, e, total, 0)
        _take(own, partner, begin[p], end[p], 1, ahead, index, value, base, out, out, total)
        scale_row(own, 1.0, total, 0, out, e)


@compiled_parallel
def forward_by_threads(own, partner, low, high, piece, equation, begin, end, index, value, base, out):
    """As `forward` for nodes that are not linked with each other, `piece` of them at a time."""
    for k in numba.prange((high - low + piece - 1) // piece):
        first = low + k * piece
        forward(own, partner, first, min(high, first + piece), equation, begin, end, index, value, base, out)


@compiled_parallel
def dense_shares(own, partner, low, high, bounds, equation, split, end, index, value, base, y, out):
    """Take the share of nodes low to high in the last equations from out (pieces, T): one row a piece, of nodes by `bounds`."""
    size = len(own) * len(partner)
    for piece in numba.prange(bounds.shape[0] - 1):
        for p in range(max(low, bounds[piece]), min(high, bounds[piece + 1])):
            e = np.uint64(equation[p])
            for q in range(split[p], end[p]):
                there = piece * out.shape[1] + np.int64(index[np.uint64(q)])
                subtract_transposed(own, partner, value, base + q * size, y, e, out, there)


@compiled
def forward_by_columns(own, partner, low, high, bounds, equation, begin, split, end, index, value, base, out, shares_out):
    """Give the shares of nodes low to high to their partners, in place: what `forward` and `dense_shares` do, the same bits.

    begin to split: elements whose partners are in `out`, split to end: those whose partners are in shares_out (pieces, T), the
    last equations. The matrix (partner, own) of element q begins at value[base + q · own · partner].
    """
    last, y = index.shape[0] - PARTNERS_AHEAD, local_row(own)
    for piece in range(bounds.shape[0] - 1):
        shift = np.uint64(piece * shares_out.shape[1])
        for p in range(max(low, bounds[piece]), min(high, bounds[piece + 1])):
            prefetch_row((0,), out, np.uint64(equation[np.uint64(min(p + NODES_AHEAD, high - 1))]))
            scale_row(own, 1.0, out, np.uint64(equation[p]), y, 0)
            ahead = PARTNERS_AHEAD if end[p] <= last else 0
            _give(own, partner, begin[p], split[p], ahead, index, value, base, y, out, out, np.uint64(0))
            _give(own, partner, split[p], end[p], ahead, index, value, base, y, out, shares_out, shift)


@compiled
def backward(own, partner, low, high, equation, begin, split, end, index, value, base, inverse, d, is_first, dense, out):
    """Take the partners' share from nodes high to low, in place: of L'z = D⁻¹y, which is multiplied by D⁻¹ first.

    begin to split: elements whose partners are in `out`, split to end: those whose partners are in `dense`, the last equations.
    The matrix (partner, own) of element q begins at value[base + q · own · partner], D⁻¹ of node p at inverse[d + p · own ·
    own], unless D⁻¹ has been there already: is_first false. All is read from behind, which the memory foresees.
    """
    k, total = len(own), local_row(own)
    for p in range(high - 1, low - 1, -1):
        e, ahead = np.uint64(equation[p]), PARTNERS_AHEAD if begin[p] >= PARTNERS_AHEAD else 0
        prefetch_row((0,), out, np.uint64(equation[np.uint64(max(p - NODES_AHEAD, 0))]))
        if is_first:
            fill_row(own, 0.0, total, 0)
            for b in range(k):  # D⁻¹ is symmetric
                add_row(own, out[e + np.uint64(b)], inverse, d + (p * k + b) * k, total, 0)
        else:
            scale_row(own, 1.0, out, e, total, 0)
        _take(own, partner, end[p] - 1, split[p] - 1, -1, ahead, index, value, base, dense, out, total)
        _take(own, partner, split[p] - 1, begin[p] - 1, -1, ahead, index, value, base, out, out, total)
        scale_row(own, 1.0, total, 0, out, e)


@compiled_parallel
def backward_by_threads(
    own, partner, low, high, piece, equation, begin, split, end, index, value, base, inverse, d, is_first, dense, out
):
    """As `backward` for nodes that are not linked with each other, `piece` of them at a time."""
    for k in numba.prange((high - low + piece - 1) // piece):
        first, last = low + k * piece, min(high, low + (k + 1) * piece)
        backward(own, partner, first, last, equation, begin, split, end, index, value, base, inverse, d, is_first, dense, out)


@compiled
def multiply_dense(matrix, x, out):
    """Out (T,) = matrix (T, T) times x, the same bits whatever else the machine does."""
    for a in range(x.shape[0]):
        total = 0.0
        for b in range(x.shape[0]):
            total += matrix[a, b] * x[b]
        out[a] = total
