"""Triangular solutions with a supernodal factor."""

from __future__ import annotations

from breedeval.kernels.blas import gemm, gemv, moved, place_of, trsm, trsv
from breedeval.kernels.compile import compiled
from breedeval.kernels.supernodal import SMALL

#: The same for several right-hand sides, which take two calls for a supernode.
SMALL_COLUMNS = 1500


@compiled
def solve(routines, first, row_pointer, rows, value_pointer, values, scratch, out):
    """Solve for out (n, k) in elimination order: right-hand sides become solutions of L L' x = b.

    scratch (tallest block × k,). Other arguments as of `supernodal.factorize`.
    """
    n_super = first.shape[0] - 1
    k = out.shape[1]
    for s in range(n_super):
        height = first[s + 1] - first[s] + row_pointer[s + 1] - row_pointer[s]
        _forward(routines, first[s], first[s + 1], row_pointer[s], height, rows, value_pointer[s], values, k, scratch, out)
    for s in range(n_super - 1, -1, -1):
        height = first[s + 1] - first[s] + row_pointer[s + 1] - row_pointer[s]
        _backward(routines, first[s], first[s + 1], row_pointer[s], height, rows, value_pointer[s], values, k, scratch, out)


@compiled
def solve_transposed(routines, first, row_pointer, rows, value_pointer, values, scratch, out):
    """Solve L' x = b for out (n, k) in elimination order, in place; arguments as of `solve`."""
    k = out.shape[1]
    for s in range(first.shape[0] - 2, -1, -1):
        height = first[s + 1] - first[s] + row_pointer[s + 1] - row_pointer[s]
        _backward(routines, first[s], first[s + 1], row_pointer[s], height, rows, value_pointer[s], values, k, scratch, out)


@compiled
def _forward(routines, begin, end, low, height, rows, at, values, k, scratch, out):
    width = end - begin
    below = height - width
    if k == 1 and width * height < SMALL:
        for j in range(width):
            column = at + j * height
            x = out[begin + j, 0] / values[column + j]
            out[begin + j, 0] = x
            for i in range(j + 1, width):
                out[begin + i, 0] -= values[column + i] * x
            for r in range(below):
                out[rows[low + r], 0] -= values[column + width + r] * x
        return
    if width * height * k < SMALL_COLUMNS:
        for j in range(width):
            column = at + j * height
            for c in range(k):
                out[begin + j, c] /= values[column + j]
            for i in range(j + 1, width):
                factor = values[column + i]
                for c in range(k):
                    out[begin + i, c] -= factor * out[begin + j, c]
            for r in range(below):
                factor, row = values[column + width + r], rows[low + r]
                for c in range(k):
                    out[row, c] -= factor * out[begin + j, c]
        return
    block, x = moved(place_of(values), at), moved(place_of(out), begin * k)
    product, lower = place_of(scratch), moved(block, width)
    if k == 1:
        trsv(routines, False, width, block, height, x)
    else:
        trsm(routines, False, True, k, width, block, height, x, k)
    if below == 0:
        return
    if k == 1:
        gemv(routines, False, below, width, 1.0, lower, height, x, 0.0, product)
    else:
        gemm(routines, False, True, k, below, width, 1.0, x, k, lower, height, 0.0, product, k)
    for r in range(below):
        for j in range(k):
            out[rows[low + r], j] -= scratch[r * k + j]


@compiled
def _backward(routines, begin, end, low, height, rows, at, values, k, scratch, out):
    width = end - begin
    below = height - width
    if k == 1 and width * height < SMALL:
        for j in range(width - 1, -1, -1):
            column = at + j * height
            x = out[begin + j, 0]
            for i in range(j + 1, width):
                x -= values[column + i] * out[begin + i, 0]
            for r in range(below):
                x -= values[column + width + r] * out[rows[low + r], 0]
            out[begin + j, 0] = x / values[column + j]
        return
    if width * height * k < SMALL_COLUMNS:
        for j in range(width - 1, -1, -1):
            column = at + j * height
            for i in range(j + 1, width):
                factor = values[column + i]
                for c in range(k):
                    out[begin + j, c] -= factor * out[begin + i, c]
            for r in range(below):
                factor, row = values[column + width + r], rows[low + r]
                for c in range(k):
                    out[begin + j, c] -= factor * out[row, c]
            for c in range(k):
                out[begin + j, c] /= values[column + j]
        return
    for r in range(below):
        for j in range(k):
            scratch[r * k + j] = out[rows[low + r], j]
    block, x = moved(place_of(values), at), moved(place_of(out), begin * k)
    product, lower = place_of(scratch), moved(block, width)
    if k == 1:
        if below > 0:
            gemv(routines, True, below, width, -1.0, lower, height, product, 1.0, x)
        trsv(routines, True, width, block, height, x)
        return
    if below > 0:
        gemm(routines, False, False, k, width, below, -1.0, product, k, lower, height, 1.0, x, k)
    trsm(routines, False, False, k, width, block, height, x, k)
