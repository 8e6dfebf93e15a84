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
    """X += alpha p and r −= alpha q in one pass, in place."""
    for i in numba.prange(x.shape[0]):
        x[i] += alpha * p[i]
        r[i] -= alpha * q[i]


@compiled_parallel
def next_direction(z, beta, p):
    """P = z + beta p in one pass, in place."""
    for i in numba.prange(p.shape[0]):
        p[i] = z[i] + beta * p[i]
