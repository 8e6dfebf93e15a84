"""Coefficients of records, one after the other.

A row of coefficients has the columns ``TRAIT``, ``COLUMN`` and ``COVARIATE``. It is the coefficient of one trait, or
(``TRAIT`` −1) those of all traits side by side in their order. Its equation is ``first[i, term] + COLUMN``, and it is
multiplied by the covariate ``COVARIATE``, −1: by one. ``first`` (m, K) int32 is the first equation of the level of record i
in each term, −1 where it does not meet the term.

`columns` and `like` are any tuples of as many numbers as there are vectors, and numbers side by side for each coefficient:
those of c vectors, or of t traits and c vectors; their lengths are known when the loops are compiled.

Records are those of a batch, counted from `begin`: the n records of `some`, or all of the first n if that is None.
"""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled
from breedeval.kernels.row_arithmetic import add_row, local_row, scale_row

#: Where a term's share goes, see `breedeval.kernels.record_pass`.
ORDERED, SMALL, WIDE = 0, 1, 2
#: Columns of coefficients.
TRAIT, COLUMN, COVARIATE = 0, 1, 2


@compiled
def numbers_of(coefficients, s):
    """A row of coefficients as a tuple: a part of an array costs more than all it is needed for in a batch of records."""
    return coefficients[s, 0], coefficients[s, 1], coefficients[s, 2]


@compiled
def read_coefficient(columns, like, coefficient, x, first, covariates, k, begin, some, n, out_rows):
    """Add what a coefficient of term k makes of x to the rows of a batch, out_rows (·, t · c)."""
    if coefficient[COVARIATE] < 0:
        _read(columns, like, coefficient, x, first, None, k, begin, some, n, out_rows)
    else:
        _read(columns, like, coefficient, x, first, covariates, k, begin, some, n, out_rows)


@compiled
def give_coefficient(columns, like, coefficient, how, rows, first, covariates, k, begin, some, n, out):
    """Add the rows of a batch to the equations that `read_coefficient` reads.

    `how` says by how much these are lowered to be elements of out, and whether most records have the level of the record
    before: then sums of a level are kept until another comes.
    """
    shift, repeats = how
    if coefficient[COVARIATE] < 0:
        if repeats:
            _collect(columns, like, coefficient, shift, rows, first, None, k, begin, some, n, out)
        else:
            _give(columns, like, coefficient, shift, rows, first, None, k, begin, some, n, out)
    elif repeats:
        _collect(columns, like, coefficient, shift, rows, first, covariates, k, begin, some, n, out)
    else:
        _give(columns, like, coefficient, shift, rows, first, covariates, k, begin, some, n, out)


@compiled
def _read(columns, like, coefficient, x, first, covariates, k, begin, some, n, out_rows):
    column, covariate = coefficient[COLUMN], coefficient[COVARIATE]
    across, offset = np.int64(out_rows.shape[1]), max(coefficient[TRAIT], 0) * len(like)
    for r in range(np.uint64(n)):
        i = np.int64(r) if some is None else np.int64(some[r])
        start = np.int64(first[np.uint64(begin + i), np.uint64(k)])
        if start >= 0:
            z = 1.0 if covariates is None else covariates[np.uint64(begin + i), np.uint64(covariate)]
            add_row(like, z, x, (start + column) * len(columns), out_rows, i * across + offset)


@compiled
def _give(columns, like, coefficient, shift, rows, first, covariates, k, begin, some, n, out):
    column, covariate = coefficient[COLUMN] - shift, coefficient[COVARIATE]
    across, offset = np.int64(rows.shape[1]), max(coefficient[TRAIT], 0) * len(like)
    for r in range(np.uint64(n)):
        i = np.int64(r) if some is None else np.int64(some[r])
        start = np.int64(first[np.uint64(begin + i), np.uint64(k)])
        if start >= 0:
            z = 1.0 if covariates is None else covariates[np.uint64(begin + i), np.uint64(covariate)]
            add_row(like, z, rows, i * across + offset, out, (start + column) * len(columns))


@compiled
def _collect(columns, like, coefficient, shift, rows, first, covariates, k, begin, some, n, out):
    """As `_give`, with the same sums in the same order: those of the level before are kept, and written when it changes.

    Added to `out` at once, each would wait until the one before is written.
    """
    column, covariate = coefficient[COLUMN] - shift, coefficient[COVARIATE]
    across, offset, kept = np.int64(rows.shape[1]), max(coefficient[TRAIT], 0) * len(like), local_row(like)
    last = np.int64(-1)
    for r in range(np.uint64(n)):
        i = np.int64(r) if some is None else np.int64(some[r])
        start = np.int64(first[np.uint64(begin + i), np.uint64(k)])
        if start != last:
            if start < 0:
                continue
            if last >= 0:
                scale_row(like, 1.0, kept, 0, out, (last + column) * len(columns))
            scale_row(like, 1.0, out, (start + column) * len(columns), kept, 0)
            last = start
        z = 1.0 if covariates is None else covariates[np.uint64(begin + i), np.uint64(covariate)]
        add_row(like, z, rows, i * across + offset, kept, 0)
    if last >= 0:
        scale_row(like, 1.0, kept, 0, out, (last + column) * len(columns))
