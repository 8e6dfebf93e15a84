"""W'R⁻¹W x in one pass over the records, for any number of traits and of vectors x side by side.

A batch of records reads its equations, weighs the sums by R⁻¹ and gives them back at once, while its levels are still in cache.
Within a batch one coefficient (see `breedeval.kernels.record_coefficients`) follows the other, so that what differs between
them is asked once for all of its records, and reads that miss the cache do not wait for each other; curves are taken together
(see `breedeval.kernels.curves`). Records are cut into fixed chunks, and where a term's share goes depends on it:

- ``ORDERED``: no chunk shares a level with another, and no other term writes there: added to `out` directly;
- ``SMALL``: few levels that any record may have: added to the chunk's own copy, and the copies are summed in order;
- ``WIDE``: neither: left for `breedeval.kernels.incidence.backward`, which gathers it from e = R⁻¹W x, kept for that.

The number of chunks depends on the records alone, so the sums have the same order for any number of threads. Ragged terms have
no coefficients here: what they add to W x comes in `added`, and their share is gathered from e.

`traits`, `columns` and `both` are any tuples of t, c and t · c numbers: their lengths are known when the loops are compiled, so
that a record's row of t · c numbers is a few vector instructions. x and out are (N · c,), the c numbers of an equation side by
side; a batch's rows are (records, t · c), those of a trait side by side.
"""

from __future__ import annotations

import numba
import numpy as np

from breedeval.kernels.compile import compiled, compiled_parallel
from breedeval.kernels.curves import give_curves, places_of_runs, read_curves, runs_of
from breedeval.kernels.record_coefficients import ORDERED, TRAIT, WIDE, give_coefficient, numbers_of, read_coefficient
from breedeval.kernels.row_arithmetic import add_row, fill_row, local_row, scale_row

#: Numbers in the rows of a batch, of one vector and of several: few enough to stay in the nearest cache. A batch has no fewer
#: records than the last.
BATCH, BATCH_OF_COLUMNS, FEWEST = 256, 1_024, 16


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
    coefficients,
    curves,
    of_traits,
    repeats,
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

    Rows of `coefficients` (s, 3) stand by term, those of term k from pointer[k] to pointer[k + 1]; `curves` are those arrays of
    `breedeval.kernels.curves`, or None if there are none; `of_traits` is None if there is one trait, else 1 if
    some coefficients are of one trait or 0: what is None is not compiled.
    repeats (K,) says that most records have the term's level of the record before. target, shift (K,) say where a term's share
    goes and what its equations are lowered by among the copies; bounds (chunks + 1,) cut the records. kind (m,) chooses one of
    inverses (q, t, t), weights (m,) multiply it; roots (m, t) are those of weights by trait, or (0, t). added
    (m, t · c), or (0, t · c) when no term is ragged; e_out the same when no term is wide.
    """
    for chunk in numba.prange(bounds.shape[0] - 1):
        tuples = (traits, columns, both)
        terms, records = (pointer, coefficients, repeats, target, shift), (first, covariates)
        residual, here = (kind, inverses, weights, roots), (bounds[chunk], bounds[chunk + 1])
        _multiply_chunk(tuples, curves, of_traits, x, added, terms, records, residual, here, private_out[chunk], e_out, out)


@compiled
def _multiply_chunk(tuples, curves, of_traits, x, added, terms, records, residual, here, private_out, e_out, out):
    """The same for the records of one chunk, batch after batch."""
    traits, columns, both = tuples
    begin, end = here
    private_out[:] = 0.0
    size = max(FEWEST, (BATCH if len(columns) == 1 else BATCH_OF_COLUMNS) // len(both))
    rows, places, runs = np.empty((size, len(both))), places_of_runs(both, curves, size), (np.int64(-1), np.int64(0))
    having, count = np.empty((len(traits), size), np.int32), np.zeros(len(traits), np.int64)
    for low in range(begin, end, size):
        high = min(end, low + size)
        if added.shape[0] > 0:
            _copy(both, added, low, rows, 0, high - low)
        else:
            rows[:] = 0.0
        if of_traits is not None and of_traits > 0:
            _find_traits(traits, residual[0], residual[1], low, high, having, count)
        _read(tuples, of_traits, x, terms, records, low, high, having, count, rows)
        if curves is not None:
            runs = runs_of(curves, runs[1] - 1, low, high)
            read_curves(columns, both, curves, x, (low, high), runs, places, rows)
        _weigh(traits, columns, both, residual, low, high, rows)
        _give(tuples, of_traits, rows, terms, records, low, high, having, count, private_out, out)
        if curves is not None:
            give_curves(columns, both, curves, terms[3:], rows, (low, high), runs, places, private_out, out)
        if e_out.shape[0] > 0:
            _copy(both, rows, 0, e_out, low, high - low)


@compiled
def _copy(both, x, begin, out, place, n):
    """Write n rows of x from `begin` on to those of out from `place` on."""
    for i in range(n):
        scale_row(both, 1.0, x, (begin + i) * len(both), out, (place + i) * len(both))


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
def _read(tuples, of_traits, x, terms, records, begin, end, having, count, out_rows):
    """Add W x to the rows of a batch, without curves."""
    _, columns, both = tuples
    pointer, coefficients, _, _, _ = terms
    first, covariates = records
    for k in range(pointer.shape[0] - 1):
        for s in range(pointer[k], pointer[k + 1]):
            j, one = coefficients[s, TRAIT], numbers_of(coefficients, s)
            if j < 0:
                read_coefficient(columns, both, one, x, first, covariates, k, begin, None, end - begin, out_rows)
            elif of_traits is not None:
                read_coefficient(columns, columns, one, x, first, covariates, k, begin, having[j], count[j], out_rows)


@compiled
def _give(tuples, of_traits, rows, terms, records, begin, end, having, count, private_out, out):
    """Add W' times the rows of a batch to the equations of those terms that are not wide, without curves."""
    _, columns, both = tuples
    pointer, coefficients, repeats, target, shift = terms
    first, covariates = records
    for k in range(pointer.shape[0] - 1):
        to = out if target[k] == ORDERED else private_out
        for s in range(pointer[k], pointer[k + 1] if target[k] != WIDE else 0):
            j, one, how = coefficients[s, TRAIT], numbers_of(coefficients, s), (shift[k], repeats[k])
            if j < 0:
                give_coefficient(columns, both, one, how, rows, first, covariates, k, begin, None, end - begin, to)
            elif of_traits is not None:
                give_coefficient(columns, columns, one, how, rows, first, covariates, k, begin, having[j], count[j], to)


@compiled
def _weigh(traits, columns, both, residual, begin, end, out_rows):
    """Multiply the rows of a batch by R⁻¹; one trait has no roots."""
    kind, inverses, weights, roots = residual
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
