"""W'R⁻¹W x in one pass over the records.

Each record reads its equations, weighs the sum by R⁻¹ and gives it back at once, while its levels are still in cache. Records
are cut into fixed chunks, and where a slot's share goes depends on its term:

- ``ORDERED``: levels only grow with the record, and no chunk shares one with another: added to `out` directly;
- ``SMALL``: few levels that any record may have: added to the chunk's own copy, and the copies are summed in order;
- ``WIDE``: neither: left for `breedeval.kernels.incidence.backward`, which gathers it from e = R⁻¹W x, kept for that.

The number of chunks depends on the records alone, so the sums have the same order for any number of threads. Slots are those
of `breedeval.kernels.incidence`; ragged terms have none here: what they add to W x comes in `added`, and their share is
gathered from e.
"""

from __future__ import annotations

import numba
import numpy as np

from breedeval.kernels.compile import compiled_parallel

ORDERED, SMALL, WIDE = 0, 1, 2


@compiled_parallel
def multiply_one_trait(
    x,
    added,
    first,
    covariates,
    term,
    column,
    covariate,
    target,
    shift,
    kind,
    inverses,
    weights,
    bounds,
    private_out,
    e_out,
    out,
):
    """Add the ordered terms' part of W'R⁻¹W x to out (N,); the small terms' part goes to private_out (chunks, size).

    target, shift (s,) say where a slot's share goes and what its equation is lowered by among the copies; bounds (chunks + 1,)
    cut the records; e_out (m, 1), or (0, 1) when no term is wide; added (m, 1), or (0, 1) when no term is ragged.
    """
    n_slots = term.shape[0]
    for chunk in numba.prange(bounds.shape[0] - 1):
        private_out[chunk, :] = 0.0
        equation, z = np.empty(n_slots, np.int64), np.empty(n_slots)
        for i in range(bounds[chunk], bounds[chunk + 1]):
            value = added[i, 0] if added.shape[0] > 0 else 0.0
            for s in range(n_slots):
                start = first[i, term[s]]
                equation[s] = -1
                if start >= 0:
                    equation[s] = start + column[s]
                    z[s] = covariates[i, covariate[s]] if covariate[s] >= 0 else 1.0
                    value += z[s] * x[np.uint64(equation[s])]
            share = value * inverses[kind[i], 0, 0] * weights[i]
            for s in range(n_slots):
                if equation[s] >= 0:
                    if target[s] == ORDERED:
                        out[np.uint64(equation[s])] += z[s] * share
                    elif target[s] == SMALL:
                        private_out[chunk, np.uint64(equation[s] - shift[s])] += z[s] * share
            if e_out.shape[0] > 0:
                e_out[i, 0] = share


@compiled_parallel
def multiply_traits(
    x,
    added,
    first,
    covariates,
    pointer,
    run,
    column,
    trait,
    covariate,
    target,
    shift,
    kind,
    inverses,
    weights,
    roots,
    bounds,
    private_out,
    e_out,
    out,
):
    """As `multiply_one_trait`, for t traits; trait (s,), inverses (q, t, t), e_out and added (m, t) or (0, t).

    Slots stand by term: those of term k are pointer[k] to pointer[k + 1]; run[k] ≥ 0 says that they are one for each trait, in
    order, in columns that begin with run[k], times one. Else traits that a record does not have are passed over: their rows of
    the inverse are zero. roots (m, t) of weights by trait, or (0, t) without them.
    """
    n_terms, n_traits = pointer.shape[0] - 1, inverses.shape[1]
    for chunk in numba.prange(bounds.shape[0] - 1):
        private_out[chunk, :] = 0.0
        value, share, there = np.empty(n_traits), np.empty(n_traits), np.empty(n_traits, np.bool_)
        for i in range(bounds[chunk], bounds[chunk + 1]):
            q = np.uint64(kind[i])
            for j in range(n_traits):
                there[j] = inverses[q, j, j] > 0.0
                value[j] = added[i, j] if added.shape[0] > 0 else 0.0
            for k in range(n_terms):
                start = first[i, k]
                if start >= 0 and run[k] >= 0:
                    base = np.uint64(start + run[k])
                    for j in range(n_traits):
                        value[j] += x[base + np.uint64(j)]
                elif start >= 0:
                    for s in range(pointer[k], pointer[k + 1]):
                        if there[trait[s]]:
                            z = x[np.uint64(start + column[s])]
                            if covariate[s] >= 0:
                                z *= covariates[i, covariate[s]]
                            value[trait[s]] += z
            if roots.shape[0] > 0:
                for j in range(n_traits):
                    value[j] *= roots[i, j]
            for j in range(n_traits):
                total = 0.0
                for k in range(n_traits):
                    total += inverses[q, j, k] * value[k]
                share[j] = total * weights[i]
            if roots.shape[0] > 0:
                for j in range(n_traits):
                    share[j] *= roots[i, j]
            for k in range(n_terms):
                start = first[i, k]
                if start < 0 or pointer[k] == pointer[k + 1] or target[pointer[k]] == WIDE:
                    continue
                is_ordered = target[pointer[k]] == ORDERED
                if run[k] >= 0:
                    base = np.uint64(start + run[k])
                    if is_ordered:
                        for j in range(n_traits):
                            out[base + np.uint64(j)] += share[j]
                    else:
                        base -= np.uint64(shift[pointer[k]])
                        for j in range(n_traits):
                            private_out[chunk, base + np.uint64(j)] += share[j]
                    continue
                for s in range(pointer[k], pointer[k + 1]):
                    if there[trait[s]]:
                        z = share[trait[s]]
                        if covariate[s] >= 0:
                            z *= covariates[i, covariate[s]]
                        if is_ordered:
                            out[np.uint64(start + column[s])] += z
                        else:
                            private_out[chunk, np.uint64(start + column[s] - shift[s])] += z
            if e_out.shape[0] > 0:
                for j in range(n_traits):
                    e_out[i, j] = share[j]


@compiled_parallel
def multiply_columns(
    columns,
    x,
    added,
    first,
    covariates,
    term,
    column,
    trait,
    covariate,
    target,
    shift,
    kind,
    inverses,
    weights,
    roots,
    bounds,
    private_out,
    e_out,
    out,
):
    """As `multiply_traits`, for c vectors side by side: x and out (N, c), private_out (chunks, size, c), e_out (m, t, c).

    `columns` is any tuple of c numbers: its length is known when the loop is compiled, so that a row of c numbers is a few
    vector instructions without a loop of its own.
    """
    n_slots, n_traits, n_columns = term.shape[0], inverses.shape[1], len(columns)
    for chunk in numba.prange(bounds.shape[0] - 1):
        private_out[chunk, :, :] = 0.0
        value, share = np.empty((n_traits, n_columns)), np.empty((n_traits, n_columns))
        for i in range(bounds[chunk], bounds[chunk + 1]):
            for j in range(n_traits):
                for c in range(n_columns):
                    value[j, c] = 0.0
            if added.shape[0] > 0:
                for j in range(n_traits):
                    for c in range(n_columns):
                        value[j, c] = added[i, j, c]
            for s in range(n_slots):
                start = first[i, term[s]]
                if start >= 0:
                    z = covariates[i, covariate[s]] if covariate[s] >= 0 else 1.0
                    row, j = np.uint64(start + column[s]), np.uint64(trait[s])
                    for c in range(n_columns):
                        value[j, np.uint64(c)] += z * x[row, np.uint64(c)]
            for j in range(n_traits):
                for c in range(n_columns):
                    share[j, c] = 0.0
                for k in range(n_traits):
                    w = inverses[kind[i], j, k] * weights[i]
                    if roots.shape[0] > 0:
                        w *= roots[i, j] * roots[i, k]
                    for c in range(n_columns):
                        share[j, c] += w * value[k, c]
            for s in range(n_slots):
                start = first[i, term[s]]
                if start >= 0 and target[s] != WIDE:
                    z = covariates[i, covariate[s]] if covariate[s] >= 0 else 1.0
                    j = np.uint64(trait[s])
                    if target[s] == ORDERED:
                        row = np.uint64(start + column[s])
                        for c in range(n_columns):
                            out[row, np.uint64(c)] += z * share[j, np.uint64(c)]
                    else:
                        row = np.uint64(start + column[s] - shift[s])
                        for c in range(n_columns):
                            private_out[chunk, row, np.uint64(c)] += z * share[j, np.uint64(c)]
            if e_out.shape[0] > 0:
                for j in range(n_traits):
                    for c in range(n_columns):
                        e_out[i, j, c] = share[j, c]


@compiled_parallel
def add_copies(copies, out):
    """Add the copies of a small block (chunks, n), chunk after chunk, to out (n,)."""
    for j in numba.prange(out.shape[0]):
        total = 0.0
        for chunk in range(copies.shape[0]):
            total += copies[chunk, j]
        out[j] += total
