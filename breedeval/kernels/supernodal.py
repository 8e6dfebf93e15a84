"""Supernodal Cholesky factorization, left-looking (Ng and Peyton 1993; Chen, Davis, Hager and Rajamanickam 2008).

P C P' = L L'. A supernode is a group of neighboring columns with the same rows, stored as one dense block by columns: its own
columns' rows first (whose upper triangle means nothing), then the rows below. Arrays that every function here takes:

first (s + 1,) first column of each supernode; owner (n,) supernode of a column; row_pointer (s + 1,), rows: rows below the
diagonal block, ascending; value_pointer (s + 1,): begin of the block in the values; routines: `blas.addresses`.
"""

from __future__ import annotations

import numpy as np

from breedeval.kernels.blas import gemm, moved, place_of, potrf, syrk, trsm
from breedeval.kernels.compile import compiled

#: Products of fewer multiplications than this are written as loops: a call costs as much.
SMALL = 400


@compiled
def factorize(routines, first, owner, row_pointer, rows, value_pointer, scratch, out_values):
    """Factorize in place.

    out_values: the lower triangle of P C P' in its places (`elimination.entry_places`), zeros elsewhere; becomes L. scratch:
    as long as the tallest block times the widest. Returns −1, or the first column whose pivot is not positive.
    """
    n_super = first.shape[0] - 1
    local = np.empty(owner.shape[0], dtype=np.int32)
    head, following = np.full(n_super, -1, dtype=np.int32), np.full(n_super, -1, dtype=np.int32)
    position = row_pointer[:-1].copy()
    info = np.zeros(1, dtype=np.int32)
    for s in range(n_super):
        begin, end = first[s], first[s + 1]
        width, below = end - begin, row_pointer[s + 1] - row_pointer[s]
        for j in range(begin, end):
            local[j] = j - begin
        for k in range(below):
            local[rows[row_pointer[s] + k]] = width + k
        d = head[s]
        while d >= 0:
            behind = following[d]
            p = position[d]
            q, stop = p, row_pointer[d + 1]
            while q < stop and rows[q] < end:
                q += 1
            d_width = first[d + 1] - first[d]
            d_height = d_width + stop - row_pointer[d]
            source = value_pointer[d] + d_width + p - row_pointer[d]
            _subtract(
                routines,
                rows,
                p,
                stop,
                q - p,
                source,
                d_width,
                d_height,
                local,
                value_pointer[s],
                width + below,
                scratch,
                out_values,
            )
            _link(d, q, stop, rows, owner, position, head, following)
            d = behind
        failed = _eliminate(routines, value_pointer[s], width, below, info, out_values)
        if failed >= 0:
            return begin + failed
        _link(s, row_pointer[s], row_pointer[s + 1], rows, owner, position, head, following)
    return -1


@compiled
def _link(d, q, stop, rows, owner, position, head, following):
    """Put supernode d in the list of the supernode that its row q belongs to."""
    position[d] = q
    if q < stop:
        t = owner[rows[q]]
        following[d] = head[t]
        head[t] = d


@compiled
def _subtract(routines, rows, p, stop, n_columns, source, k, lda, local, target, ldc, scratch, values):
    """Take from a block what an earlier supernode contributes: product of its rows p.. with those of its first n_columns."""
    n_rows = stop - p
    if n_rows * n_columns * k < SMALL:
        for c in range(n_columns):
            to = target + np.int64(local[rows[p + c]]) * ldc
            for t in range(k):
                column = source + t * lda
                factor = values[column + c]
                for r in range(c, n_rows):
                    values[to + local[rows[p + r]]] -= factor * values[column + r]
        return
    a = moved(place_of(values), source)
    low = np.int64(local[rows[p]])
    if local[rows[stop - 1]] - low == n_rows - 1:  # rows without a gap: no scatter
        c = moved(place_of(values), target + low + low * ldc)
        _lower_product(routines, n_rows, n_columns, k, -1.0, a, lda, 1.0, c, ldc)
        return
    _lower_product(routines, n_rows, n_columns, k, 1.0, a, lda, 0.0, place_of(scratch), n_rows)
    for c in range(n_columns):
        to = target + np.int64(local[rows[p + c]]) * ldc
        taken = c * n_rows
        for r in range(c, n_rows):
            values[to + local[rows[p + r]]] -= scratch[taken + r]


@compiled
def _lower_product(routines, n_rows, n_columns, k, alpha, a, lda, beta, c, ldc):
    """C := beta C + alpha A B' for the first n_columns rows B of A (n_rows, k); above the diagonal C means nothing."""
    if n_columns < 32:
        gemm(routines, False, True, n_rows, n_columns, k, alpha, a, lda, a, lda, beta, c, ldc)
        return
    syrk(routines, n_columns, k, alpha, a, lda, beta, c, ldc)
    rest = n_rows - n_columns
    if rest > 0:
        below = moved(a, n_columns)
        gemm(routines, False, True, rest, n_columns, k, alpha, below, lda, a, lda, beta, moved(c, n_columns), ldc)


@compiled
def _eliminate(routines, at, width, below, info, values):
    """Factorize the diagonal block and divide what is below by it; the column that fails, or −1."""
    height = width + below
    if width * width * height < SMALL:
        return _eliminate_small(at, width, height, values)
    block = moved(place_of(values), at)
    potrf(routines, width, block, height, place_of(info))
    # What LAPACK makes of a NaN is its own affair.
    for j in range(width):
        if not values[at + j * (height + 1)] > 0.0 or info[0] == j + 1:
            return j
    if below > 0:
        trsm(routines, False, True, below, width, block, height, moved(block, width), height)
    return -1


@compiled
def _eliminate_small(at, width, height, values):
    for j in range(width):
        column = at + j * height
        for k in range(j):
            earlier = at + k * height
            factor = values[earlier + j]
            for r in range(j, height):
                values[column + r] -= factor * values[earlier + r]
        pivot = values[column + j]
        if not pivot > 0.0:
            return j
        root = np.sqrt(pivot)
        values[column + j] = root
        for r in range(j + 1, height):
            values[column + r] /= root
    return -1
