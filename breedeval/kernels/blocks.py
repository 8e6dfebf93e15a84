"""Many small matrices: one k × k block a level."""

from __future__ import annotations

import numba
import numpy as np

from breedeval.kernels.compile import compiled, compiled_parallel
from breedeval.kernels.row_arithmetic import add_row, fill_row, local_row, scale_row

#: Levels that one thread takes at a time.
PIECE = 1024


@compiled_parallel
def multiply_blocks(width, columns, blocks, x, out):
    """Out (n, k · c) = blocks (n, k, k), symmetric, times x (n, k · c), level by level. x and out may not be the same array.

    `width` and `columns` are any tuples of k and c numbers: their lengths are known when the loop is compiled.
    """
    for i in numba.prange(x.shape[0]):
        for a in range(len(width)):
            here = (i * len(width) + a) * len(columns)
            fill_row(columns, 0.0, out, here)
            for b in range(len(width)):
                w = blocks[np.uint64(i), np.uint64(a), np.uint64(b)]
                add_row(columns, w, x, (i * len(width) + b) * len(columns), out, here)


@compiled_parallel
def multiply_middle(width, columns, both, x, matrix, out):
    """Out (n, k · c) = I ⊗ matrix (k, k), symmetric, times x (n, k · c), for c vectors side by side; x may be out itself.

    `width` and `columns` are as in `multiply_blocks`; `both` is a tuple of k · c numbers.
    """
    n = x.shape[0]
    for piece in numba.prange((n + PIECE - 1) // PIECE):
        _multiply_middle(width, columns, both, x, matrix, piece * PIECE, min(n, (piece + 1) * PIECE), out)


@compiled
def _multiply_middle(width, columns, both, x, matrix, begin, end, out):
    """Levels `begin` to `end`: in a function of its own, as what a parallel loop takes from outside is no constant in it."""
    row = local_row(both)
    for i in range(begin, end):
        here = i * len(both)
        fill_row(both, 0.0, row, 0)
        for b in range(len(width)):
            if len(columns) == 1:
                add_row(width, x[np.uint64(i), np.uint64(b)], matrix, b * len(width), row, 0)
                continue
            for a in range(len(width)):
                w = matrix[np.uint64(b), np.uint64(a)]
                add_row(columns, w, x, here + b * len(columns), row, a * len(columns))
        scale_row(both, 1.0, row, 0, out, here)
