"""Solutions of L D L' z = r for an incomplete factor; vectors are in the order of the equations.

Both solves gather: L is kept by rows for the forward and by columns for the backward one, so a node writes its own equations
only, and nodes that are not linked with each other may be solved by any number of threads, with the same bits. Elements are
kept by the width of the *partner*, so that the size of each small matrix is known when a loop is compiled: `own` and `partner`
are any tuples as long as the widths of the node and of its partners.

Indices that are not negative are said to be unsigned: that saves a comparison for each element of L.
"""

from __future__ import annotations

import numba
import numpy as np

from breedeval.kernels.compile import compiled, compiled_parallel


@compiled
def forward(own, partner, low, high, equation, begin, end, index, value, base, out):
    """Take the partners' share from nodes low to high, in place: of L y = r.

    begin, end (n,) elements of each node, index their partners' first equations; the matrix (own, partner) of element q begins
    at value[base + q · own · partner].
    """
    k, w = len(own), len(partner)
    if k == 1 and w == 1:
        for p in range(low, high):
            e = np.uint64(equation[p])
            total = out[e]
            for q in range(begin[p], end[p]):
                total -= value[np.uint64(base + q)] * out[np.uint64(index[q])]
            out[e] = total
        return
    if k == 3 and w == 3:
        _forward_threes(low, high, equation, begin, end, index, value, base, out)
        return
    work = np.empty(k)
    for p in range(low, high):
        if begin[p] == end[p]:
            continue
        e = np.uint64(equation[p])
        for a in range(k):
            work[a] = out[e + np.uint64(a)]
        for q in range(begin[p], end[p]):
            v, j = np.uint64(base + q * k * w), np.uint64(index[q])
            for a in range(k):
                total = 0.0
                for b in range(w):
                    total += value[v + np.uint64(a * w + b)] * out[j + np.uint64(b)]
                work[a] -= total
        for a in range(k):
            out[e + np.uint64(a)] = work[a]


@compiled
def _forward_threes(low, high, equation, begin, end, index, value, base, out):
    """Three equations a node, the most frequent width: sums in registers, a third faster."""
    one, two = np.uint64(1), np.uint64(2)
    for p in range(low, high):
        e = np.uint64(equation[p])
        first, second, third = out[e], out[e + one], out[e + two]
        for q in range(begin[p], end[p]):
            v, j = np.uint64(base + q * 9), np.uint64(index[q])
            x, y, z = out[j], out[j + one], out[j + two]
            first -= value[v] * x + value[v + one] * y + value[v + two] * z
            second -= value[v + np.uint64(3)] * x + value[v + np.uint64(4)] * y + value[v + np.uint64(5)] * z
            third -= value[v + np.uint64(6)] * x + value[v + np.uint64(7)] * y + value[v + np.uint64(8)] * z
        out[e], out[e + one], out[e + two] = first, second, third


@compiled
def _backward_threes(low, high, equation, begin, split, end, index, value, base, inverse, d, is_first, dense, work, out):
    one, two = np.uint64(1), np.uint64(2)
    for p in range(high - 1, low - 1, -1):
        e = np.uint64(equation[p])
        if is_first:
            _multiply_by_inverse(3, e, np.uint64(d + p * 9), inverse, work, out)
            first, second, third = work[0], work[1], work[2]
        else:
            first, second, third = out[e], out[e + one], out[e + two]
        for q in range(split[p], end[p]):
            v, j = np.uint64(base + q * 9), np.uint64(index[q])
            x, y, z = dense[j], dense[j + one], dense[j + two]
            first -= value[v] * x + value[v + np.uint64(3)] * y + value[v + np.uint64(6)] * z
            second -= value[v + one] * x + value[v + np.uint64(4)] * y + value[v + np.uint64(7)] * z
            third -= value[v + two] * x + value[v + np.uint64(5)] * y + value[v + np.uint64(8)] * z
        for q in range(begin[p], split[p]):
            v, j = np.uint64(base + q * 9), np.uint64(index[q])
            x, y, z = out[j], out[j + one], out[j + two]
            first -= value[v] * x + value[v + np.uint64(3)] * y + value[v + np.uint64(6)] * z
            second -= value[v + one] * x + value[v + np.uint64(4)] * y + value[v + np.uint64(7)] * z
            third -= value[v + two] * x + value[v + np.uint64(5)] * y + value[v + np.uint64(8)] * z
        out[e], out[e + one], out[e + two] = first, second, third


@compiled_parallel
def forward_by_threads(own, partner, low, high, piece, equation, begin, end, index, value, base, out):
    """As `forward` for nodes that are not linked with each other, `piece` of them at a time."""
    for k in numba.prange((high - low + piece - 1) // piece):
        first = low + k * piece
        forward(own, partner, first, min(high, first + piece), equation, begin, end, index, value, base, out)


@compiled
def backward(own, partner, low, high, equation, begin, split, end, index, value, base, inverse, d, is_first, dense, out):
    """Take the partners' share from nodes high to low, in place: of L'z = D⁻¹y, which is multiplied by D⁻¹ first.

    begin to split: elements whose partners are in `out`, split to end: those whose partners are in `dense`, the last equations.
    The matrix (partner, own) of element q begins at value[base + q · own · partner], D⁻¹ of node p at inverse[d + p · own ·
    own], unless D⁻¹ has been there already: is_first false.
    """
    k, w = len(own), len(partner)
    if k == 1 and w == 1:
        for p in range(high - 1, low - 1, -1):
            e = np.uint64(equation[p])
            total = out[e]
            if is_first:
                total *= inverse[np.uint64(d + p)]
            for q in range(split[p], end[p]):
                total -= value[np.uint64(base + q)] * dense[np.uint64(index[q])]
            for q in range(begin[p], split[p]):
                total -= value[np.uint64(base + q)] * out[np.uint64(index[q])]
            out[e] = total
        return
    work = np.empty(k)
    if k == 3 and w == 3:
        _backward_threes(low, high, equation, begin, split, end, index, value, base, inverse, d, is_first, dense, work, out)
        return
    for p in range(high - 1, low - 1, -1):
        e = np.uint64(equation[p])
        for a in range(k):
            work[a] = out[e + np.uint64(a)]
        if is_first:
            _multiply_by_inverse(k, e, np.uint64(d + p * k * k), inverse, work, out)
        for q in range(split[p], end[p]):
            _subtract_transposed(k, w, np.uint64(base + q * k * w), np.uint64(index[q]), value, dense, work)
        for q in range(begin[p], split[p]):
            _subtract_transposed(k, w, np.uint64(base + q * k * w), np.uint64(index[q]), value, out, work)
        for a in range(k):
            out[e + np.uint64(a)] = work[a]


@compiled_parallel
def backward_by_threads(
    own, partner, low, high, piece, equation, begin, split, end, index, value, base, inverse, d, is_first, dense, out
):
    """As `backward` for nodes that are not linked with each other, `piece` of them at a time."""
    for k in numba.prange((high - low + piece - 1) // piece):
        first, last = low + k * piece, min(high, low + (k + 1) * piece)
        backward(own, partner, first, last, equation, begin, split, end, index, value, base, inverse, d, is_first, dense, out)


@compiled
def _multiply_by_inverse(k, e, d, inverse, work, out):
    """Work = D⁻¹ out, one node."""
    for a in range(k):
        total = 0.0
        for b in range(k):
            total += inverse[d + np.uint64(a * k + b)] * out[e + np.uint64(b)]
        work[a] = total


@compiled
def _subtract_transposed(k, w, v, j, value, x, work):
    for b in range(k):
        total = 0.0
        for a in range(w):
            total += value[v + np.uint64(a * k + b)] * x[j + np.uint64(a)]
        work[b] -= total


@compiled_parallel
def dense_shares(own, partner, low, high, bounds, equation, split, end, index, value, base, y, out):
    """Add the share of nodes low to high in the last equations to out (pieces, T): one row a piece, of nodes by `bounds`."""
    k, w = len(own), len(partner)
    for piece in numba.prange(bounds.shape[0] - 1):
        for p in range(max(low, bounds[piece]), min(high, bounds[piece + 1])):
            e = np.uint64(equation[p])
            for q in range(split[p], end[p]):
                v, j = np.uint64(base + q * k * w), np.uint64(index[q])
                for a in range(w):
                    total = 0.0
                    for b in range(k):
                        total += value[v + np.uint64(a * k + b)] * y[e + np.uint64(b)]
                    out[np.uint64(piece), j + np.uint64(a)] += total


@compiled
def multiply_dense(matrix, x, out):
    """Out (T,) = matrix (T, T) times x, the same bits whatever else the machine does."""
    for a in range(x.shape[0]):
        total = 0.0
        for b in range(x.shape[0]):
            total += matrix[a, b] * x[b]
        out[a] = total
