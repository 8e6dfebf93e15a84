"""Coefficients of records that stand side by side, as many as a loop has been compiled for.

A *stretch* is a row of the columns ``TRAIT`` to ``WIDTH``: coefficients of one term, all those of a curve if there are not too
many. They are of one trait, or (``TRAIT`` −1) of all traits, each coefficient of all of them in their order before the next.
Their equations follow each other from ``first[i, term] + COLUMN`` on, their covariates from ``COVARIATE`` on; a width of 0 says
that there is one coefficient, times one. ``first`` (m, K) int32 is the first equation of the level of record i in each term, −1
where it does not meet the term.

A loop over a number of coefficients that is known when it is compiled is unrolled, and what a level gets in several records
can stay in registers. `width`, `columns` and `like` are any tuples of as many numbers as there are coefficients, vectors, and
numbers side by side for each coefficient: those of c vectors, or of t traits and c vectors. `curves` is None if no stretch is
wider than one, else any number.

Records are those of a batch, counted from `begin`: the n records of `some`, or all of the first n if that is None.
"""

from __future__ import annotations

import numpy as np
from numba import literal_unroll

from breedeval.kernels.compile import compiled
from breedeval.kernels.row_arithmetic import add_row, local_row, local_rows, scale_row

#: Columns of stretches.
TRAIT, COLUMN, COVARIATE, WIDTH = 0, 1, 2, 3
#: Tuples of as many numbers as loops are compiled for: coefficients taken one by one, and several of a curve.
ONE, CURVES = (0,), ((0,) * 2, (0,) * 3, (0,) * 4, (0,) * 5)


@compiled
def numbers_of(stretches, s):
    """A row of stretches as a tuple: a part of an array costs more than all it is needed for in a batch of records."""
    return stretches[s, 0], stretches[s, 1], stretches[s, 2], stretches[s, 3]


@compiled
def read_stretch(curves, columns, like, stretch, x, first, covariates, k, begin, some, n, out_rows):
    """Add what a stretch of term k makes of x to the rows of a batch, out_rows (·, t · c)."""
    if stretch[WIDTH] == 0:
        _read(ONE, columns, like, stretch, x, first, None, k, begin, some, n, out_rows)
    elif stretch[WIDTH] == 1:
        _read(ONE, columns, like, stretch, x, first, covariates, k, begin, some, n, out_rows)
    if curves is not None:
        for width in literal_unroll(CURVES):
            if stretch[WIDTH] == len(width):
                _read(width, columns, like, stretch, x, first, covariates, k, begin, some, n, out_rows)


@compiled
def give_stretch(curves, columns, like, stretch, how, rows, first, covariates, k, begin, some, n, out):
    """Add the rows of a batch to the equations that `read_stretch` reads.

    `how` says by how much these are lowered to be elements of out, and whether most records have the level of the record
    before: then sums of a level are kept until another comes, as always for curves.
    """
    shift, repeats = how
    if stretch[WIDTH] == 0:
        if repeats:
            _collect(ONE, columns, like, stretch, shift, rows, first, None, k, begin, some, n, out)
        else:
            _give(ONE, columns, like, stretch, shift, rows, first, None, k, begin, some, n, out)
    elif stretch[WIDTH] == 1:
        if repeats:
            _collect(ONE, columns, like, stretch, shift, rows, first, covariates, k, begin, some, n, out)
        else:
            _give(ONE, columns, like, stretch, shift, rows, first, covariates, k, begin, some, n, out)
    if curves is not None:
        for width in literal_unroll(CURVES):
            if stretch[WIDTH] == len(width):
                _collect(width, columns, like, stretch, shift, rows, first, covariates, k, begin, some, n, out)


@compiled
def _read(width, columns, like, stretch, x, first, covariates, k, begin, some, n, out_rows):
    column, covariate = stretch[COLUMN], stretch[COVARIATE]
    across, offset, row = np.int64(out_rows.shape[1]), max(stretch[TRAIT], 0) * len(like), local_row(like)
    for r in range(np.uint64(n)):
        i = np.int64(r) if some is None else np.int64(some[r])
        start = np.int64(first[np.uint64(begin + i), np.uint64(k)])
        if start >= 0:
            scale_row(like, 1.0, out_rows, i * across + offset, row, 0)
            for a in range(len(width)):
                z = 1.0 if covariates is None else covariates[np.uint64(begin + i), np.uint64(covariate + a)]
                add_row(like, z, x, (start + column) * len(columns) + a * len(like), row, 0)
            scale_row(like, 1.0, row, 0, out_rows, i * across + offset)


@compiled
def _give(width, columns, like, stretch, shift, rows, first, covariates, k, begin, some, n, out):
    column, covariate = stretch[COLUMN] - shift, stretch[COVARIATE]
    across, offset = np.int64(rows.shape[1]), max(stretch[TRAIT], 0) * len(like)
    for r in range(np.uint64(n)):
        i = np.int64(r) if some is None else np.int64(some[r])
        start = np.int64(first[np.uint64(begin + i), np.uint64(k)])
        if start >= 0:
            for a in range(len(width)):
                z = 1.0 if covariates is None else covariates[np.uint64(begin + i), np.uint64(covariate + a)]
                add_row(like, z, rows, i * across + offset, out, (start + column) * len(columns) + a * len(like))


@compiled
def _collect(width, columns, like, stretch, shift, rows, first, covariates, k, begin, some, n, out):
    """As `_give`, with the same sums in the same order: those of the level before are kept, and written when it changes.

    Added to `out` at once, each would wait until the one before is written.
    """
    column, covariate = stretch[COLUMN] - shift, stretch[COVARIATE]
    across, offset, kept = np.int64(rows.shape[1]), max(stretch[TRAIT], 0) * len(like), local_rows(width, like)
    last = np.int64(-1)
    for r in range(np.uint64(n)):
        i = np.int64(r) if some is None else np.int64(some[r])
        start = np.int64(first[np.uint64(begin + i), np.uint64(k)])
        if start != last:
            if start < 0:
                continue
            if last >= 0:
                _write(width, columns, like, kept, last + column, out)
            for a in range(len(width)):
                scale_row(like, 1.0, out, (start + column) * len(columns) + a * len(like), kept, a * len(like))
            last = start
        if covariates is not None and len(like) == 1:
            at = np.int64(begin + i) * np.int64(covariates.shape[1]) + covariate
            add_row(width, rows[np.uint64(i), np.uint64(offset)], covariates, at, kept, 0)
            continue
        for a in range(len(width)):
            z = 1.0 if covariates is None else covariates[np.uint64(begin + i), np.uint64(covariate + a)]
            add_row(like, z, rows, i * across + offset, kept, a * len(like))
    if last >= 0:
        _write(width, columns, like, kept, last + column, out)


@compiled
def _write(width, columns, like, kept, start, out):
    for a in range(len(width)):
        scale_row(like, 1.0, kept, a * len(like), out, start * len(columns) + a * len(like))
