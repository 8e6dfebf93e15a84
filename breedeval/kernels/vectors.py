"""Fused passes over the vectors of PCG.

Sums go over fixed pieces that are added in order: the same bits for any number of threads.
"""

from __future__ import annotations

import numba
import numpy as np

from breedeval.kernels.compile import compiled_parallel

PIECE = 65_536


@compiled_parallel
def dot(x, y):
    """X'y for vectors (N,)."""
    n = x.shape[0]
    n_pieces = (n + PIECE - 1) // PIECE
    partial = np.zeros(n_pieces)
    for piece in numba.prange(n_pieces):
        total = 0.0
        for i in range(piece * PIECE, min(n, (piece + 1) * PIECE)):
            total += x[i] * y[i]
        partial[piece] = total
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
        total = 0.0
        for i in range(piece * PIECE, min(n, (piece + 1) * PIECE)):
            x[i] += alpha * p[i]
            r[i] -= alpha * q[i]
            total += r[i] * r[i]
        partial[piece] = total
    result = 0.0
    for piece in range(n_pieces):
        result += partial[piece]
    return result


@compiled_parallel
def step_and_largest(alpha, p, q, x, r, first, end, inverse_sd):
    """As `step`; returns r'r and the largest of |alpha p_i| inverse_sd (k,), for elements first to end − 1 in rows of k columns.

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
def scale(r, weight, out):
    """Out = weight (n,) times the rows of r; r and out (n, c)."""
    for i in numba.prange(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = weight[i] * r[i, j]


@compiled_parallel
def dot_columns(x, y, out):
    """Out (c,) = the products x_j'y_j of the columns of x and y (N, c)."""
    n, n_columns = x.shape
    n_pieces = (n + PIECE - 1) // PIECE
    partial = np.zeros((n_pieces, n_columns))
    for piece in numba.prange(n_pieces):
        for i in range(piece * PIECE, min(n, (piece + 1) * PIECE)):
            for j in range(n_columns):
                partial[piece, j] += x[i, j] * y[i, j]
    out[:] = 0.0
    for piece in range(n_pieces):
        for j in range(n_columns):
            out[j] += partial[piece, j]


@compiled_parallel
def step_columns(alpha, p, q, x, r):
    """As `step` for each column, alpha (c,); all others (N, c). Returns nothing."""
    for i in numba.prange(x.shape[0]):
        for j in range(x.shape[1]):
            x[i, j] += alpha[j] * p[i, j]
            r[i, j] -= alpha[j] * q[i, j]


@compiled_parallel
def next_direction_columns(z, beta, p):
    """As `next_direction` for each column, beta (c,)."""
    for i in numba.prange(p.shape[0]):
        for j in range(p.shape[1]):
            p[i, j] = z[i, j] + beta[j] * p[i, j]
