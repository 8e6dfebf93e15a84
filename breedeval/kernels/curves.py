"""Curves of records: coefficients of several terms that belong to the same covariates, added up before they are multiplied.

Records that follow each other and meet the same levels of all terms that have curves, test days of a cow for instance, are a
*run*. They lie on one curve, the sum of those of its levels: its coefficients are added up once, each record costs one product
for each covariate, whatever the number of terms, and what the records give back is summed before it goes to every term.

Coefficients of a run stand in *places*, rows of as many numbers as `both` has: those of t traits and c vectors. Covariates that
follow each other are a group, as many as a loop has been compiled for. The first place of a group is a coefficient without
covariate (only that of the first group is used), its covariates have the next ones.

`curves` are six arrays. starts (r + 1,) int32: where runs begin, and the end. levels (r, k) int32: the first equation of the
level that a run meets in each of k terms, −1 where it does not. parts (s, 6): coefficients of one term that stand side by side
both among equations and among places, as which of the k terms this is, its number among all terms, the trait (−1: of all
traits, each coefficient of all of them in their order before the next), the first column, the first place, and how many.
groups (g, 3): first covariate, first place, and how many covariates. covariates: a row a record, or where many
records have the same, as those of a day in milk, each row once; row (m,) int32 then says which one a record has, else
it has no element.

A batch are the records `begin` to `end`, with `runs` from the first to behind the last that have any of them.
"""

from __future__ import annotations

import numpy as np
from numba import literal_unroll

from breedeval.kernels.compile import compiled
from breedeval.kernels.hashing import SEED, finish, fold
from breedeval.kernels.record_coefficients import ORDERED, WIDE
from breedeval.kernels.row_arithmetic import add_row, fill_row, local_row, local_rows, scale_row

#: Tuples of as many numbers as loops over the covariates of a group are compiled for.
WIDTHS = ((0,) * 2, (0,) * 3, (0,) * 4, (0,) * 5)


@compiled
def places_of_runs(both, curves, n_records):
    """Room for the places (n, places, t · c) of all runs of a batch."""
    if curves is None:
        return np.empty((0, 0, 0))
    groups = curves[3]
    return np.empty((n_records, groups.shape[0] + groups[:, 2].sum(), len(both)))


@compiled
def runs_of(curves, run, begin, end):
    """The first run of a batch, and the one behind its last; `run` is one not behind the first, or −1 if none is known."""
    starts = curves[0]
    low = run if run >= 0 else np.searchsorted(starts, begin, side="right") - 1
    while starts[low + 1] <= begin:
        low += 1
    high = low
    while starts[high] < end:
        high += 1
    return low, high


@compiled
def read_curves(columns, both, curves, x, batch, runs, places, out_rows):
    """Add what curves make of x to the rows of a batch (n, t · c)."""
    starts, levels, parts, groups, row, covariates = curves
    places[: runs[1] - runs[0]] = 0.0
    for s in range(parts.shape[0]):
        part = (parts[s, 0], parts[s, 2], parts[s, 3], parts[s, 4], parts[s, 5])
        if parts[s, 2] < 0:
            _take(columns, both, part, x, levels, runs, places)
        else:
            _take(columns, columns, part, x, levels, runs, places)
    for g in range(groups.shape[0]):
        for width in literal_unroll(WIDTHS):
            if groups[g, 2] == len(width):
                _read(width, both, groups[g, 0], groups[g, 1], row, covariates, batch, starts, runs, places, out_rows)


@compiled
def give_curves(columns, both, curves, targets, rows, batch, runs, places, copies_out, out):
    """Add the rows of a batch to the equations that `read_curves` reads.

    targets are the arrays `target` and `shift` of `breedeval.kernels.record_pass`.
    """
    starts, levels, parts, groups, row, covariates = curves
    target, shift = targets
    for g in range(groups.shape[0]):
        for width in literal_unroll(WIDTHS):
            if groups[g, 2] == len(width):
                _collect(width, both, groups[g, 0], groups[g, 1], row, covariates, batch, starts, runs, rows, places)
    for s in range(parts.shape[0]):
        k = parts[s, 1]
        if target[k] == WIDE:
            continue
        to = out if target[k] == ORDERED else copies_out
        part = (parts[s, 0], parts[s, 2], parts[s, 3] - shift[k], parts[s, 4], parts[s, 5])
        if parts[s, 2] < 0:
            _give(columns, both, part, places, levels, runs, to)
        else:
            _give(columns, columns, part, places, levels, runs, to)


@compiled
def _take(columns, like, part, x, levels, runs, out_places):
    """Add the coefficients of the levels of runs to their places."""
    k, trait, column, place, n = part
    first, last = runs
    across, offset = out_places.shape[2], max(trait, 0) * len(like)
    for run in range(np.uint64(last - first)):
        start = np.int64(levels[np.uint64(first) + run, np.uint64(k)])
        if start >= 0:
            here, there = (start + column) * len(columns), (np.int64(run) * out_places.shape[1] + place) * across + offset
            for a in range(n):
                add_row(like, 1.0, x, here + a * len(like), out_places, there + a * across)


@compiled
def _give(columns, like, part, places, levels, runs, out):
    """Add what stands in the places of runs to the equations of their levels.

    The sums of a level are kept until another comes: added to `out` at once, each would wait until the one before is written.
    """
    k, trait, column, place, n = part
    first, last = runs
    across, offset, kept = places.shape[2], max(trait, 0) * len(like), local_row(like)
    for a in range(n):
        before, shift = np.int64(-1), column * len(columns) + a * len(like)
        for run in range(np.uint64(last - first)):
            start = np.int64(levels[np.uint64(first) + run, np.uint64(k)])
            if start != before and start >= 0:
                if before >= 0:
                    scale_row(like, 1.0, kept, 0, out, before * len(columns) + shift)
                scale_row(like, 1.0, out, start * len(columns) + shift, kept, 0)
                before = start
            if start >= 0:
                add_row(like, 1.0, places, (np.int64(run) * places.shape[1] + place + a) * across + offset, kept, 0)
        if before >= 0:
            scale_row(like, 1.0, kept, 0, out, before * len(columns) + shift)


@compiled
def _read(width, both, covariate, place, row, covariates, batch, starts, runs, places, out_rows):
    """Add the curves of runs, of one group of covariates, to the rows of their records."""
    begin, end = batch
    n, kept, total, constant = len(both), local_rows(width, both), local_row(both), local_row(both)
    for run in range(runs[0], runs[1]):
        here = ((run - runs[0]) * places.shape[1] + place) * n
        scale_row(both, 1.0, places, here, constant, 0)
        for a in range(len(width)):
            scale_row(both, 1.0, places, here + (1 + a) * n, kept, a * n)
        for i in range(max(begin, starts[np.uint64(run)]), min(end, starts[np.uint64(run + 1)])):
            at = np.uint64(i if row.shape[0] == 0 else row[np.uint64(i)])
            scale_row(both, 1.0, constant, 0, total, 0)
            for a in range(len(width)):
                add_row(both, covariates[at, np.uint64(covariate + a)], kept, a * n, total, 0)
            add_row(both, 1.0, total, 0, out_rows, (i - begin) * n)


@compiled
def _collect(width, both, covariate, place, row, covariates, batch, starts, runs, rows, out_places):
    """Write what the rows of each run give to the places of one group of covariates."""
    begin, end = batch
    n, kept, total = len(both), local_rows(width, both), local_row(both)
    for run in range(runs[0], runs[1]):
        fill_row(both, 0.0, total, 0)
        for a in range(len(width)):
            fill_row(both, 0.0, kept, a * n)
        for i in range(max(begin, starts[np.uint64(run)]), min(end, starts[np.uint64(run + 1)])):
            at = np.uint64(i if row.shape[0] == 0 else row[np.uint64(i)])
            add_row(both, 1.0, rows, (i - begin) * n, total, 0)
            if n == 1:
                e = rows[np.uint64(i - begin), np.uint64(0)]
                add_row(width, e, covariates, np.int64(at) * np.int64(covariates.shape[1]) + covariate, kept, 0)
                continue
            for a in range(len(width)):
                add_row(both, covariates[at, np.uint64(covariate + a)], rows, (i - begin) * n, kept, a * n)
        here = ((run - runs[0]) * out_places.shape[1] + place) * n
        scale_row(both, 1.0, total, 0, out_places, here)
        for a in range(len(width)):
            scale_row(both, 1.0, kept, a * n, out_places, here + (1 + a) * n)


@compiled
def code_rows(bits, columns, row_out, records_out):
    """Number different rows as they are met, and return how many there are, or −1 if that is more than have room.

    bits (m, ·) uint64 are covariates, of which `columns` (c,) count; row_out (m,) int32 is the number of each record's row,
    records_out the first record that has each.
    """
    size = 64
    while size < 4 * records_out.shape[0]:
        size *= 2
    slots, n_rows = np.full(size, -1, np.int32), 0
    for i in range(bits.shape[0]):
        h = SEED
        for c in columns:
            h = fold(h, bits[i, c])
        slot = finish(h) & np.uint64(size - 1)
        while slots[slot] >= 0 and _differ(bits, columns, i, records_out[slots[slot]]):
            slot = (slot + np.uint64(1)) & np.uint64(size - 1)
        if slots[slot] < 0:
            if n_rows == records_out.shape[0]:
                return -1
            slots[slot], records_out[n_rows] = n_rows, i
            n_rows += 1
        row_out[i] = slots[slot]
    return n_rows


@compiled
def _differ(bits, columns, i, j):
    n_equal = 0
    for c in columns:
        n_equal += bits[i, c] == bits[j, c]
    return n_equal < columns.shape[0]
