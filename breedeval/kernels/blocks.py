"""Many small matrices: one k × k block a level."""

from __future__ import annotations

import numba

from breedeval.kernels.compile import compiled_parallel


@compiled_parallel
def multiply_blocks(blocks, x, out):
    """Out (n, k) = blocks (n, k, k) times x (n, k), level by level. x and out may not be the same array."""
    k = x.shape[1]
    for i in numba.prange(x.shape[0]):
        for a in range(k):
            total = 0.0
            for b in range(k):
                total += blocks[i, a, b] * x[i, b]
            out[i, a] = total


@compiled_parallel
def multiply_right_add(x, matrix, out):
    """Add x (n, k) times a symmetric matrix (k, k) to out (n, k)."""
    k = x.shape[1]
    for i in numba.prange(x.shape[0]):
        for a in range(k):
            total = 0.0
            for b in range(k):
                total += x[i, b] * matrix[b, a]
            out[i, a] += total
