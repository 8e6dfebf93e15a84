"""Many small matrices: one k × k block a level."""

from __future__ import annotations

import numba
import numpy as np

from breedeval.kernels.compile import compiled_parallel


@compiled_parallel
def multiply_blocks(blocks, x, out):
    """Out (n, k, c) = blocks (n, k, k) times x (n, k, c), level by level. x and out may not be the same array."""
    n, k, n_columns = x.shape
    for i in numba.prange(n):
        for a in range(k):
            for c in range(n_columns):
                total = 0.0
                for b in range(k):
                    total += blocks[i, a, b] * x[i, b, c]
                out[i, a, c] = total


@compiled_parallel
def multiply_middle(x, matrix, out):
    """Out (n, k, c) = matrix (k, k), symmetric, times each x[i] (k, c). x and out may be the same array."""
    n, k, n_columns = x.shape
    if k == 1:
        for i in numba.prange(n):
            for c in range(n_columns):
                out[i, 0, c] = matrix[0, 0] * x[i, 0, c]
    else:
        for i in numba.prange(n):
            for c in range(n_columns):
                row = np.zeros(k)
                for a in range(k):
                    for b in range(k):
                        row[a] += matrix[a, b] * x[i, b, c]
                for a in range(k):
                    out[i, a, c] = row[a]
