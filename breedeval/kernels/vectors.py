"""Fused passes over the vectors of PCG.

Sums go over fixed pieces that are added in order: the same bits for any number of threads. Within a piece each of a few lanes
sums every so many products, so that one addition need not wait for the one before.

Where several vectors are worked on together, the numbers of an equation stand side by side, and `columns` is any tuple of as
many numbers as there are vectors: its length is known when the loop is compiled.
"""

from __future__ import annotations

import numba
import numpy as np

from breedeval.kernels.compile import compiled, compiled_parallel
from breedeval.kernels.row_arithmetic import add_products, add_row, fill_row, local_row, scale_row

PIECE, COLUMNS_PIECE = 65_536, 8_192
#: Sums side by side, and numbers that stay in the nearest cache between two loops over them.
LANES, BLOCK = 8, 1_024


@compiled_parallel
def dot(x, y):
    """X'y for vectors (N,)."""
    n = x.shape[0]
    n_pieces = (n + PIECE - 1) // PIECE
    partial = np.zeros(n_pieces)
    for piece in numba.prange(n_pieces):
        partial[piece] = _dot(x[piece * PIECE : (piece + 1) * PIECE], y[piece * PIECE : (piece + 1) * PIECE])
    result = 0.0
    for piece in range(n_pieces):
        result += partial[piece]
    return result


@compiled_parallel
def step(alpha, p, q, x, r):
    """X += alpha p and r −= alpha q in one pass, in place; returns r'r."""
    n = x.shape[0]
    n_pieces = (n + PIECE - 1) // PIECE
    partial = np.zeros(n_pieces)
    for piece in numba.prange(n_pieces):
        here = slice(piece * PIECE, min(n, (piece + 1) * PIECE))
        for block in range(here.start, here.stop, BLOCK):
            end = min(here.stop, block + BLOCK)
            for i in range(block, end):
                x[i] += alpha * p[i]
                r[i] -= alpha * q[i]
            partial[piece] += _dot(r[block:end], r[block:end])
    result = 0.0
    for piece in range(n_pieces):
        result += partial[piece]
    return result


@compiled
def _dot(x, y):
    """X'y of one piece."""
    n = np.uint64(x.shape[0])
    a, b, c, d, e, f, g, h = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    whole = n - n % np.uint64(LANES)
    for i in range(np.uint64(0), whole, np.uint64(LANES)):
        a += x[i] * y[i]
        b += x[i + np.uint64(1)] * y[i + np.uint64(1)]
        c += x[i + np.uint64(2)] * y[i + np.uint64(2)]
        d += x[i + np.uint64(3)] * y[i + np.uint64(3)]
        e += x[i + np.uint64(4)] * y[i + np.uint64(4)]
        f += x[i + np.uint64(5)] * y[i + np.uint64(5)]
        g += x[i + np.uint64(6)] * y[i + np.uint64(6)]
        h += x[i + np.uint64(7)] * y[i + np.uint64(7)]
    for i in range(whole, n):
        a += x[i] * y[i]
    return ((a + b) + (c + d)) + ((e + f) + (g + h))


@compiled_parallel
def step_and_largest(alpha, p, q, x, r, first, end, inverse_sd):
    """As `step`; returns r'r and the largest of |alpha p_i| inverse_sd (k,), for elements first to end − 1, k a row.

    Elements are looked at while the piece is still in the cache.
    """
    n, k = x.shape[0], inverse_sd.shape[0]
    n_pieces = (n + PIECE - 1) // PIECE
    partial, largest = np.zeros(n_pieces), np.zeros(n_pieces)
    for piece in numba.prange(n_pieces):
        total = 0.0
        lo, hi = piece * PIECE, min(n, (piece + 1) * PIECE)
        for i in range(lo, hi):
            x[i] += alpha * p[i]
            r[i] -= alpha * q[i]
            total += r[i] * r[i]
        partial[piece] = total
        lo, hi = max(lo, first), min(hi, end)
        most = 0.0
        for j in range(k):
            of_column = 0.0
            for i in range(lo + (j - lo + first) % k, hi, k):
                of_column = max(of_column, abs(p[i]))
            most = max(most, of_column * inverse_sd[j])
        largest[piece] = most
    result, most = 0.0, 0.0
    for piece in range(n_pieces):
        result += partial[piece]
        most = max(most, largest[piece])
    return result, abs(alpha) * most


@compiled_parallel
def next_direction(z, beta, p):
    """P = z + beta p in one pass, in place."""
    for i in numba.prange(p.shape[0]):
        p[i] = z[i] + beta * p[i]


@compiled_parallel
def scale(columns, r, weight, out):
    """Out (n · c,) = weight (n,) times the rows of r (n · c,)."""
    if len(columns) == 1:
        for i in numba.prange(out.shape[0]):
            out[i] = weight[i] * r[i]
    else:
        for i in numba.prange(weight.shape[0]):
            scale_row(columns, weight[i], r, i * len(columns), out, i * len(columns))


@compiled_parallel
def dot_columns(columns, x, y, out):
    """Out (c,) = the products x_j'y_j of the columns of x and y (N, c)."""
    n = x.shape[0]
    n_pieces = (n + COLUMNS_PIECE - 1) // COLUMNS_PIECE
    partial = np.zeros((n_pieces, len(columns)))
    for piece in numba.prange(n_pieces):
        _dot_columns(columns, x, y, piece * COLUMNS_PIECE, min(n, (piece + 1) * COLUMNS_PIECE), partial[piece])
    fill_row(columns, 0.0, out, 0)
    for piece in range(n_pieces):
        add_row(columns, 1.0, partial, piece * len(columns), out, 0)


@compiled
def _dot_columns(columns, x, y, begin, end, out):
    """Products of one piece, out (c,)."""
    total = local_row(columns)
    fill_row(columns, 0.0, total, 0)
    for i in range(begin, end):
        add_products(columns, x, i * len(columns), y, i * len(columns), total, 0)
    scale_row(columns, 1.0, total, 0, out, 0)


@compiled_parallel
def residual_columns(columns, alpha, q, r, squares_out):
    """R −= alpha q of each column, in place, and squares_out (c,) = r'r; alpha (c,), q and r (N, c)."""
    n = r.shape[0]
    n_pieces = (n + COLUMNS_PIECE - 1) // COLUMNS_PIECE
    partial, minus = np.zeros((n_pieces, len(columns))), np.empty(len(columns))
    scale_row(columns, -1.0, alpha, 0, minus, 0)
    for piece in numba.prange(n_pieces):
        end = min(n, (piece + 1) * COLUMNS_PIECE)
        _residual_columns(columns, minus, q, piece * COLUMNS_PIECE, end, r, partial[piece])
    fill_row(columns, 0.0, squares_out, 0)
    for piece in range(n_pieces):
        add_row(columns, 1.0, partial, piece * len(columns), squares_out, 0)


@compiled
def _residual_columns(columns, minus, q, begin, end, r, squares_out):
    """One piece of `residual_columns`."""
    total, left = local_row(columns), local_row(columns)
    fill_row(columns, 0.0, total, 0)
    for i in range(begin, end):
        here = i * len(columns)
        scale_row(columns, 1.0, r, here, left, 0)
        add_products(columns, minus, 0, q, here, left, 0)
        add_products(columns, left, 0, left, 0, total, 0)
        scale_row(columns, 1.0, left, 0, r, here)
    scale_row(columns, 1.0, total, 0, squares_out, 0)


@compiled_parallel
def step_columns(columns, alpha, z, beta, p, x):
    """X += alpha p, and then p = z + beta p, of each column, in place; alpha and beta (c,), all others (N, c)."""
    n = p.shape[0]
    for piece in numba.prange((n + COLUMNS_PIECE - 1) // COLUMNS_PIECE):
        _step_columns(columns, alpha, z, beta, piece * COLUMNS_PIECE, min(n, (piece + 1) * COLUMNS_PIECE), p, x)


@compiled
def _step_columns(columns, alpha, z, beta, begin, end, p, x):
    """One piece of `step_columns`."""
    direction, row = local_row(columns), local_row(columns)
    for i in range(begin, end):
        here = i * len(columns)
        scale_row(columns, 1.0, p, here, direction, 0)
        add_products(columns, alpha, 0, direction, 0, x, here)
        scale_row(columns, 1.0, z, here, row, 0)
        add_products(columns, beta, 0, direction, 0, row, 0)
        scale_row(columns, 1.0, row, 0, p, here)
