"""Products with the incidence matrix W, whose rows are known by their levels and covariates.

A *slot* is one coefficient of one term for one trait: it reads the equation ``first[i, term] + column`` of record i and
multiplies it by covariate ``covariate`` of the record (−1: by one). ``first`` (m, K) int32 is the first equation of the
record's level in each of K terms, −1 where the record does not meet the term. Going forward every record writes its own row;
going back every level gathers its own records, so the sums have the same order for any number of threads.

A *ragged* term meets any number of levels in one record (all pen mates of an animal). Going forward its entries are added in
the order in which they stand; going back it is like any other term, since a level gathers records either way.
"""

from __future__ import annotations

import numba
import numpy as np

from breedeval.kernels.compile import compiled, compiled_parallel
from breedeval.kernels.row_arithmetic import add_row

#: Records that share one scratch row; large enough that its making does not count.
PIECE = 4096


@compiled
def index_levels(level, pointer, order):
    """Counting sort of records by level: order[pointer[l]:pointer[l + 1]] are the records of level l, ascending.

    level (m,) int32, −1 skipped; pointer (n_levels + 1,) int64 zero on entry; order (number of levels ≥ 0,) int32.
    """
    for i in range(level.shape[0]):
        if level[i] >= 0:
            pointer[level[i] + 1] += 1
    for k in range(1, pointer.shape[0]):
        pointer[k] += pointer[k - 1]
    for i in range(level.shape[0]):
        if level[i] >= 0:
            order[pointer[level[i]]] = i
            pointer[level[i]] += 1
    for k in range(pointer.shape[0] - 1, 0, -1):
        pointer[k] = pointer[k - 1]
    pointer[0] = 0


@compiled_parallel
def forward(x, first, covariates, term, column, trait, covariate, out):
    """Out (m, t) = W x, for x (N,) of all equations. The four last inputs are (s,) int32, one entry a slot."""
    for i in numba.prange(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = 0.0
        for s in range(term.shape[0]):
            start = first[i, term[s]]
            if start >= 0:
                z = x[start + column[s]]
                if covariate[s] >= 0:
                    z *= covariates[i, covariate[s]]
                out[i, trait[s]] += z


@compiled_parallel
def add_forward_ragged(columns, x, pointer, first, covariates, column, trait, covariate, out):
    """Add the part of W x that belongs to one ragged term to out (m, t · c), for c vectors side by side, x (N · c,).

    first[pointer[i]:pointer[i + 1]] are the first equations of the levels that record i meets; slots of that term only.
    `columns` is any tuple of c numbers: its length is known when the loop is compiled.
    """
    for i in numba.prange(out.shape[0]):
        for s in range(column.shape[0]):
            z = covariates[i, covariate[s]] if covariate[s] >= 0 else 1.0
            here = i * out.shape[1] + trait[s] * len(columns)
            for p in range(pointer[i], pointer[i + 1]):
                add_row(columns, z, x, np.int64(first[p] + column[s]) * len(columns), out, here)


@compiled_parallel
def count_coefficients(first, term, column, trait, n_traits, start, stop, out):
    """Out (m * t,), zero on entry: coefficients of each row of W between columns `start` and `stop`."""
    for i in numba.prange(first.shape[0]):
        for s in range(term.shape[0]):
            equation = first[i, term[s]] + column[s]
            if first[i, term[s]] >= 0 and start <= equation < stop:
                out[i * n_traits + trait[s]] += 1


@compiled_parallel
def fill_coefficients(first, covariates, term, column, trait, covariate, n_traits, start, stop, pointer, out_column, out_value):
    """Columns (less `start`) and values of these coefficients; row k has those from pointer[k] to pointer[k + 1]."""
    for i in numba.prange(first.shape[0]):
        for j in range(n_traits):
            q = pointer[i * n_traits + j]
            for s in range(term.shape[0]):
                equation = first[i, term[s]] + column[s]
                if trait[s] == j and first[i, term[s]] >= 0 and start <= equation < stop:
                    out_column[q] = equation - start
                    out_value[q] = covariates[i, covariate[s]] if covariate[s] >= 0 else 1.0
                    q += 1


@compiled_parallel
def weigh(e, kind, inverses, weights, out):
    """Out (m, t) = R⁻¹ e, for e (m, t): kind (m,) chooses one of inverses (q, t, t); weights (m,) multiply it."""
    n, n_traits = e.shape
    if n_traits == 1:
        for i in numba.prange(n):
            out[i, 0] = inverses[kind[i], 0, 0] * weights[i] * e[i, 0]
        return
    for piece in numba.prange((n + PIECE - 1) // PIECE):
        row = np.empty(n_traits)
        for i in range(piece * PIECE, min(n, (piece + 1) * PIECE)):
            for j in range(n_traits):
                row[j] = 0.0
                for k in range(n_traits):
                    row[j] += inverses[kind[i], j, k] * e[i, k]
            for j in range(n_traits):
                out[i, j] = row[j] * weights[i]


@compiled_parallel
def weigh_by_trait(e, kind, inverses, roots, out):
    """As `weigh`, with a weight a trait: roots (m, t) of the weights stand on both sides of the inverse."""
    n, n_traits = e.shape
    for piece in numba.prange((n + PIECE - 1) // PIECE):
        row = np.empty(n_traits)
        for i in range(piece * PIECE, min(n, (piece + 1) * PIECE)):
            for j in range(n_traits):
                row[j] = 0.0
                for k in range(n_traits):
                    row[j] += inverses[kind[i], j, k] * roots[i, k] * e[i, k]
            for j in range(n_traits):
                out[i, j] = row[j] * roots[i, j]


@compiled_parallel
def backward(columns, e, pointer, order, width, covariates, column, trait, covariate, out):
    """Add the part of W'e that belongs to one term: out (n_levels · width · c,); e (m, t · c); slots of that term only.

    `columns` is any tuple of c numbers, as in `add_forward_ragged`; `width` is the number of equations of a level.
    """
    for level in numba.prange(pointer.shape[0] - 1):
        for p in range(pointer[level], pointer[level + 1]):
            i = np.int64(order[p])
            for s in range(column.shape[0]):
                z = covariates[i, covariate[s]] if covariate[s] >= 0 else 1.0
                here = (level * width + column[s]) * len(columns)
                add_row(columns, z, e, i * e.shape[1] + trait[s] * len(columns), out, here)


@compiled_parallel
def diagonal_blocks(pointer, order, kind, inverses, weights, roots, covariates, column, trait, covariate, out):
    """Add the part of W'R⁻¹W that belongs to one term's own levels: out (n_levels, k, k).

    roots (m, t) of weights by trait, or (0, t) without them.
    """
    by_trait = roots.shape[0] > 0
    for level in numba.prange(pointer.shape[0] - 1):
        for p in range(pointer[level], pointer[level + 1]):
            i = order[p]
            for s in range(column.shape[0]):
                zs = covariates[i, covariate[s]] if covariate[s] >= 0 else 1.0
                for r in range(column.shape[0]):
                    zr = covariates[i, covariate[r]] if covariate[r] >= 0 else 1.0
                    w = inverses[kind[i], trait[s], trait[r]] * weights[i]
                    if by_trait:
                        w *= roots[i, trait[s]] * roots[i, trait[r]]
                    out[level, column[s], column[r]] += zs * w * zr
