"""Elements of C⁻¹ on the pattern of a supernodal factor (Takahashi, Fagan and Chin 1973), by dense blocks.

With L of a supernode J split into its diagonal block L_JJ and the rows R below, Y = L_RJ L_JJ⁻¹:
Z_RJ = −Z_RR Y and Z_JJ = (L_JJ L_JJ')⁻¹ − Y' Z_RJ. Z_RR stands in the blocks of the supernodes that own R, which come later.
"""

from __future__ import annotations

import numpy as np

from breedeval.kernels.blas import gemm, moved, place_of, potri, trsm
from breedeval.kernels.compile import compiled
from breedeval.kernels.supernodal import SMALL


@compiled
def invert_on_pattern(routines, first, owner, row_pointer, rows, value_pointer, tallest, widest, out_values):
    """Put the elements of C⁻¹ in the place of those of L, from the last supernode to the first.

    Arguments as of `supernodal.factorize`; tallest, widest: extents of the tallest and the widest block. Diagonal blocks become
    symmetric, both triangles written.
    """
    y, z = np.empty(tallest * widest), np.empty(tallest * widest)
    gathered = np.empty(tallest * widest)
    local = np.empty(tallest, dtype=np.int64)
    info = np.zeros(1, dtype=np.int32)
    for s in range(first.shape[0] - 2, -1, -1):
        width, begin, stop = first[s + 1] - first[s], row_pointer[s], row_pointer[s + 1]
        below = stop - begin
        at = value_pointer[s]
        if below > 0:
            _scale(routines, at, width, below, out_values, y)
            for k in range(width * below):
                z[k] = 0.0
        p = begin
        while p < stop:
            a = owner[rows[p]]
            q = p
            while q < stop and rows[q] < first[a + 1]:
                q += 1
            _locate(rows, p, stop, q, first[a], first[a + 1], row_pointer[a], row_pointer[a + 1], local)
            a_height = first[a + 1] - first[a] + row_pointer[a + 1] - row_pointer[a]
            _multiply(
                routines,
                local,
                q - p,
                stop - p,
                value_pointer[a],
                a_height,
                out_values,
                gathered,
                p - begin,
                width,
                below,
                y,
                z,
            )
            p = q
        _finish(routines, at, width, below, info, y, z, out_values)


@compiled
def _scale(routines, at, width, below, values, y):
    """Y (below, width) := L_RJ L_JJ⁻¹."""
    height = width + below
    for j in range(width):
        for r in range(below):
            y[j * below + r] = values[at + j * height + width + r]
    if width * width * below < SMALL:
        for j in range(width - 1, -1, -1):
            column = at + j * height
            for k in range(j + 1, width):
                factor = values[column + k]
                for r in range(below):
                    y[j * below + r] -= factor * y[k * below + r]
            for r in range(below):
                y[j * below + r] /= values[column + j]
        return
    block = moved(place_of(values), at)
    trsm(routines, False, False, below, width, block, height, place_of(y), below)


@compiled
def _locate(rows, p, stop, q, first, end, low, high, local):
    """Places in the block of a supernode of the rows p..stop, of which those before q are its own columns."""
    for k in range(p, q):
        local[k - p] = rows[k] - first
    width = end - first
    begin = low
    walk = high - low < 8 * (stop - q)
    for k in range(q, stop):
        wanted = rows[k]
        if walk:
            while rows[low] < wanted:
                low += 1
        else:
            step = 1
            while low + step < high and rows[low + step] <= wanted:
                low += step
                step *= 2
            top = min(low + step, high)
            while top - low > 1:
                middle = (low + top) // 2
                if rows[middle] <= wanted:
                    low = middle
                else:
                    top = middle
        local[k - p] = width + low - begin


@compiled
def _multiply(routines, local, n_columns, n_rows, source, lda, values, gathered, offset, width, below, y, z):
    """Take from z the part of Z_RR Y that has Z in one supernode's block; offset: its first row among R."""
    low = local[0]
    if n_columns * n_rows * width < SMALL:
        for c in range(n_columns):
            column = source + local[c] * lda
            for j in range(width):
                top = j * below + offset
                there = y[top + c]
                here = values[column + local[c]] * there
                for r in range(c + 1, n_rows):
                    element = values[column + local[r]]
                    z[top + r] -= element * there
                    here += element * y[top + r]
                z[top + c] -= here
        return
    if local[n_rows - 1] - low == n_rows - 1:
        block, ld = moved(place_of(values), source + low * lda + low), lda
    else:
        block, ld = place_of(gathered), n_rows
        for c in range(n_columns):
            column, to = source + local[c] * lda, c * n_rows
            for r in range(n_rows):
                gathered[to + r] = values[column + local[r]]
    y_here, z_here = moved(place_of(y), offset), moved(place_of(z), offset)
    gemm(routines, False, False, n_rows, width, n_columns, -1.0, block, ld, y_here, below, 1.0, z_here, below)
    rest = n_rows - n_columns
    if rest > 0:
        lower, y_rest = moved(block, n_columns), moved(y_here, n_columns)
        gemm(routines, True, False, n_columns, width, rest, -1.0, lower, ld, y_rest, below, 1.0, z_here, below)


@compiled
def _finish(routines, at, width, below, info, y, z, values):
    """Z_JJ := (L_JJ L_JJ')⁻¹ − Y' Z_RJ, both triangles, and Z_RJ into its place."""
    height = width + below
    if width == 1:
        total = 1.0 / (values[at] * values[at])
        for r in range(below):
            total -= y[r] * z[r]
        values[at] = total
    else:
        block = moved(place_of(values), at)
        potri(routines, width, block, height, place_of(info))
        if below > 0:
            yp, zp = place_of(y), place_of(z)
            gemm(routines, True, False, width, width, below, -1.0, yp, below, zp, below, 1.0, block, height)
        for j in range(width):
            for i in range(j + 1, width):
                values[at + i * height + j] = values[at + j * height + i]
    for j in range(width):
        for r in range(below):
            values[at + j * height + width + r] = z[j * below + r]
