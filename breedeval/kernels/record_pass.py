"""W'R⁻¹W x in one pass over the records, for any number of traits and of vectors x side by side.

A batch of records reads its equations, weighs the sums by R⁻¹ and gives them back at once, while its levels are still in cache.
Within a batch one term follows the other, so that what differs between terms is asked once for all of its records, and reads
that miss the cache do not wait for each other. Records are cut into fixed chunks, and where a term's share goes depends on it:

- ``ORDERED``: no chunk shares a level with another, and no other term writes there: added to `out` directly;
- ``SMALL``: few levels that any record may have: added to the chunk's own copy, and the copies are summed in order;
- ``WIDE``: neither: left for `breedeval.kernels.incidence.backward`, which gathers it from e = R⁻¹W x, kept for that.

The number of chunks depends on the records alone, so the sums have the same order for any number of threads. Slots are those
of `breedeval.kernels.incidence`; ragged terms have none here: what they add to W x comes in `added`, and their share is
gathered from e.

`traits`, `columns` and `both` are any tuples of t, c and t · c numbers: their lengths are known when the loops are compiled, so
that a record's row of t · c numbers is a few vector instructions. x and out are (N · c,), the c numbers of an equation side by
side; a batch's rows are (records, t · c), those of a trait side by side.
"""

from __future__ import annotations

import numba
import numpy as np

from breedeval.kernels.compile import compiled, compiled_parallel
from breedeval.kernels.row_arithmetic import add_row, fill_row, local_row, scale_row

ORDERED, SMALL, WIDE = 0, 1, 2

#: Numbers in the rows of a batch: few enough to stay in the nearest cache. A batch has no fewer records than the second.
BATCH, FEWEST = 256, 16


@compiled_parallel
def multiply(
    traits,
    columns,
    both,
    x,
    added,
    first,
    covariates,
    pointer,
    run,
    column,
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
    """Add the ordered terms' part of W'R⁻¹W x to out; the small terms' part goes to private_out (chunks, size · c).

    Slots stand by term and trait: column and covariate (s,), those of term k and trait j from pointer[k, j] to
    pointer[k, j + 1]; run[k] ≥ 0 says that they are one for each trait, in order, in columns that begin with run[k], times one.
    target, shift (K,) say where a term's share goes and what its equations are lowered by among the copies; bounds
    (chunks + 1,) cut the records. kind (m,) chooses one of inverses (q, t, t), weights (m,) multiply it; roots (m, t) are those
    of weights by trait, or (0, t). added (m, t · c), or (0, t · c) when no term is ragged; e_out the same when no term is wide.
    """
    n_terms, n_traits, n_columns = run.shape[0], len(traits), len(columns)
    size = max(FEWEST, BATCH // (n_traits * n_columns))
    by_slot = n_terms > 0 and run.min() < 0
    for chunk in numba.prange(bounds.shape[0] - 1):
        private_out[chunk, :] = 0.0
        rows = np.empty((size, n_traits * n_columns))
        having, count = np.empty((n_traits, size), np.int32), np.zeros(n_traits, np.int64)
        for begin in range(bounds[chunk], bounds[chunk + 1], size):
            end = min(bounds[chunk + 1], begin + size)
            if by_slot:
                _find_traits(traits, kind, inverses, begin, end, having, count)
            if added.shape[0] > 0:
                rows[: end - begin] = added[begin:end]
            else:
                rows[:] = 0.0
            for k in range(n_terms):
                if run[k] >= 0:
                    _read_run(columns, both, x, first, k, begin, end, run[k], rows)
                    continue
                for j in range(n_traits):
                    for s in range(pointer[k, j], pointer[k, j + 1]):
                        some, place = having[j, : count[j]], (k, j, column[s])
                        _read_slot(columns, both, x, first, place, begin, some, covariates, covariate[s], rows)
            _weigh(traits, columns, both, kind, inverses, weights, roots, begin, end, rows)
            for k in range(n_terms):
                if target[k] == WIDE:
                    continue
                to = out if target[k] == ORDERED else private_out[chunk]
                if run[k] >= 0:
                    _give_run(columns, both, rows, first, k, begin, end, run[k] - shift[k], to)
                    continue
                for j in range(n_traits):
                    for s in range(pointer[k, j], pointer[k, j + 1]):
                        some, place = having[j, : count[j]], (k, j, column[s] - shift[k])
                        _give_slot(columns, both, rows, first, place, begin, some, covariates, covariate[s], to)
            if e_out.shape[0] > 0:
                e_out[begin:end] = rows[: end - begin]


@compiled
def _find_traits(traits, kind, inverses, begin, end, having_out, count_out):
    """Which records of a batch have trait j: having_out[j, : count_out[j]], counted from `begin`."""
    for j in range(np.uint64(len(traits))):
        n = np.uint64(0)
        for i in range(np.uint64(end - begin)):
            having_out[j, n] = i
            n += np.uint64(inverses[np.uint64(kind[np.uint64(begin) + i]), j, j] > 0.0)
        count_out[j] = n


@compiled
def _read_run(columns, both, x, first, k, begin, end, column, out_rows):
    """Add the part of W x of a term that has one equation for each trait side by side."""
    for i in range(np.uint64(end - begin)):
        start = first[np.uint64(begin) + i, np.uint64(k)]
        if start >= 0:
            add_row(both, 1.0, x, (start + column) * len(columns), out_rows, i * np.uint64(len(both)))


@compiled
def _read_slot(columns, both, x, first, place, begin, having, covariates, covariate, out_rows):
    """Add the part of W x of one slot, of term and trait and in the column `place`; `having` are the records with the trait."""
    here, offset = np.uint64(place[0]), place[1] * len(columns)
    for r in range(np.uint64(having.shape[0])):
        i = having[r]
        start = first[np.uint64(begin + i), here]
        if start >= 0:
            z = covariates[np.uint64(begin + i), np.uint64(covariate)] if covariate >= 0 else 1.0
            add_row(columns, z, x, (start + place[2]) * len(columns), out_rows, i * len(both) + offset)


@compiled
def _give_run(columns, both, rows, first, k, begin, end, column, out):
    """Add a batch's rows to the equations that `_read_run` reads."""
    for i in range(np.uint64(end - begin)):
        start = first[np.uint64(begin) + i, np.uint64(k)]
        if start >= 0:
            add_row(both, 1.0, rows, i * np.uint64(len(both)), out, (start + column) * len(columns))


@compiled
def _give_slot(columns, both, rows, first, place, begin, having, covariates, covariate, out):
    """Add a batch's rows to the equations that `_read_slot` reads."""
    here, offset = np.uint64(place[0]), place[1] * len(columns)
    for r in range(np.uint64(having.shape[0])):
        i = having[r]
        start = first[np.uint64(begin + i), here]
        if start >= 0:
            z = covariates[np.uint64(begin + i), np.uint64(covariate)] if covariate >= 0 else 1.0
            add_row(columns, z, rows, i * len(both) + offset, out, (start + place[2]) * len(columns))


@compiled
def _weigh(traits, columns, both, kind, inverses, weights, roots, begin, end, out_rows):
    """Multiply the rows of a batch by R⁻¹; one trait has no roots."""
    work = local_row(both)
    for i in range(end - begin):
        q, weight, here = np.uint64(kind[np.uint64(begin + i)]), weights[np.uint64(begin + i)], i * len(both)
        if len(traits) == 1:
            scale_row(both, weight * inverses[q, 0, 0], out_rows, here, out_rows, here)
            continue
        fill_row(both, 0.0, work, 0)
        for k in range(np.uint64(len(traits))):
            of_k = weight * roots[np.uint64(begin + i), k] if roots.shape[0] > 0 else weight
            if len(columns) == 1:
                place = (np.int64(q) * len(traits) + np.int64(k)) * len(traits)
                add_row(traits, of_k * out_rows[np.uint64(i), k], inverses, place, work, 0)
                continue
            for j in range(len(traits)):
                w, of_trait = of_k * inverses[q, k, np.uint64(j)], here + np.int64(k) * len(columns)
                add_row(columns, w, out_rows, of_trait, work, j * len(columns))
        for j in range(len(traits)):
            of_j = roots[np.uint64(begin + i), np.uint64(j)] if roots.shape[0] > 0 else 1.0
            scale_row(columns, of_j, work, j * len(columns), out_rows, here + j * len(columns))


@compiled_parallel
def add_copies(copies, out):
    """Add the copies of a small block (chunks, n), chunk after chunk, to out (n,)."""
    for j in numba.prange(out.shape[0]):
        total = 0.0
        for chunk in range(copies.shape[0]):
            total += copies[chunk, j]
        out[j] += total
