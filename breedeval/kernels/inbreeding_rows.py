"""Inbreeding from rows of A, several at a time, over the animals that `inbreeding_plan` picked."""

from __future__ import annotations

import numba
import numpy as np

from breedeval.kernels.compile import compiled, compiled_parallel
from breedeval.kernels.inbreeding import value_at_once, variance_of
from breedeval.kernels.inbreeding_plan import AT_ONCE, LINKS

#: Rows of A that are computed together: their values for an animal fill one line of cache.
WIDTH = 8
#: Places of a block; a block in which nobody waits is passed by.
BLOCK = 64
# State of a place: it holds shares of genes of the rows; its relationship with the rows is asked for.
_SHARED, _ASKED = np.int8(1), np.int8(2)


@compiled
def _ask_for_pairs(first, last, pairs, chain, n, state, busy):
    """Say which relationships the pairs need."""
    for pair in range(first, last):
        for link in range(LINKS):
            at = pairs[pair, link]
            state[at] |= _ASKED
            busy[at // BLOCK] = True
        at = pairs[pair, LINKS]
        while at >= n:
            for link in range(LINKS):
                core = chain[at - n, link]
                state[core] |= _ASKED
                busy[core // BLOCK] = True
            at = chain[at - n, 2 * LINKS - 1]
        state[at] |= _ASKED
        busy[at // BLOCK] = True


@compiled
def _go_up(core_sire, core_dam, state, busy, asked, x):
    """T'x over the ancestors of the rows, and all ancestors of those asked for.

    Those go to ``asked``, youngest first; returns how many. The loops are written out, and places unsigned, for speed.
    """
    n = core_sire.shape[0]
    n_asked = 0
    for block in range((n - 1) // BLOCK, -1, -1):
        if not busy[block]:
            continue
        for place in range(min(n, (block + 1) * BLOCK) - 1, max(1, block * BLOCK) - 1, -1):
            j = np.uint64(place)
            now = state[j]
            if not now:
                continue
            for parent in (core_sire[j], core_dam[j]):
                p = np.uint64(parent)
                busy[parent // BLOCK] = True
                state[p] |= now & _ASKED
                if now & _SHARED:
                    if state[p] & _SHARED:
                        for k in range(WIDTH):
                            x[p, k] += 0.5 * x[j, k]
                    else:
                        state[p] |= _SHARED
                        for k in range(WIDTH):
                            x[p, k] = 0.5 * x[j, k]
            if now & _ASKED:
                asked[n_asked] = place
                n_asked += 1
            else:
                state[j] = 0
        busy[block] = False
    return n_asked


@compiled
def _go_down(core_sire, core_dam, variance, n_asked, asked, state, x):
    """T D x for the places in ``asked``, oldest last there; clears their state."""
    state[0] = 0
    for k in range(WIDTH):
        x[0, k] = 0.0  # unknown parents: what went up to them is lost
    for e in range(n_asked - 1, -1, -1):
        j = np.uint64(asked[e])
        p, q = np.uint64(core_sire[j]), np.uint64(core_dam[j])
        if state[j] & _SHARED:
            own = variance[j]
            for k in range(WIDTH):
                x[j, k] = own * x[j, k] + 0.5 * (x[p, k] + x[q, k])
        else:
            for k in range(WIDTH):
                x[j, k] = 0.5 * (x[p, k] + x[q, k])
        state[j] = 0


@compiled
def _read_pairs(first, last, pairs, chain, n, column, x, inbreeding_out):
    for pair in range(first, last):
        weight, value = 0.5, 0.0
        for link in range(LINKS):
            weight *= 0.5
            value += weight * x[pairs[pair, link], column]
        at = pairs[pair, LINKS]
        while at >= n:
            for link in range(LINKS):
                weight *= 0.5
                value += weight * x[chain[at - n, link], column]
            at = chain[at - n, 2 * LINKS - 1]
        inbreeding_out[pairs[pair, LINKS + 1]] = value + weight * x[at, column]


@compiled
def _batch(rows, core_sire, core_dam, variance, starts, pairs, chain, x, state, busy, asked, inbreeding_out):
    """Inbreeding of the progeny of up to WIDTH row animals: rows of T D T' (Colleau 2002, Genet. Sel. Evol. 34:409)."""
    n = core_sire.shape[0]
    for k in range(rows.shape[0]):
        j = rows[k]
        _ask_for_pairs(starts[j], starts[j + 1], pairs, chain, n, state, busy)
        state[j] |= _SHARED
        busy[j // BLOCK] = True
        for column in range(WIDTH):
            x[j, column] = 0.0
        x[j, k] = 1.0
    n_asked = _go_up(core_sire, core_dam, state, busy, asked, x)
    _go_down(core_sire, core_dam, variance, n_asked, asked, state, x)
    for k in range(rows.shape[0]):
        _read_pairs(starts[rows[k]], starts[rows[k] + 1], pairs, chain, n, k, x, inbreeding_out)


@compiled
def _begin_stage(members, animal, sire, dam, note, starts, variance, rows, inbreeding_out):
    """Variances of a stage's members, and F where it follows at once; returns the number of rows, which go to ``rows``."""
    n_rows = 0
    for j in members:
        i = animal[j]
        if note[i] & AT_ONCE:
            inbreeding_out[i] = value_at_once(i, sire, dam, inbreeding_out)
        variance[j] = variance_of(i, sire, dam, inbreeding_out)
        if starts[j + 1] > starts[j]:
            rows[n_rows] = j
            n_rows += 1
    return n_rows


@compiled_parallel
def inbreeding_by_stages(
    sire, dam, note, animal, core_sire, core_dam, members, stage_starts, starts, pairs, chain, n_workers, x, inbreeding_out
):
    """Inbreeding of the progeny of every pair, stage by stage, batches of a stage in ``n_workers`` threads.

    A batch holds the same rows for any number of threads, and nobody else writes what it writes: the same bits.
    ``members`` (n_core,) lists places of the core by stage, those of stage k from stage_starts[k] to stage_starts[k + 1].
    ``x`` (n_workers, n_core + 1, WIDTH) is work space (from numpy, which asks for large pages).
    """
    n = core_sire.shape[0]
    state = np.zeros((n_workers, n), dtype=np.int8)
    busy = np.zeros((n_workers, n // BLOCK + 1), dtype=np.bool_)
    asked = np.empty((n_workers, n), dtype=np.int32)
    rows, variance = np.empty(n, dtype=np.int32), np.empty(n)
    for stage in range(stage_starts.shape[0] - 1):
        of_stage = members[stage_starts[stage] : stage_starts[stage + 1]]
        n_rows = _begin_stage(of_stage, animal, sire, dam, note, starts, variance, rows, inbreeding_out)
        n_batches = (n_rows + WIDTH - 1) // WIDTH
        for worker in numba.prange(n_workers):
            for batch in range(worker, n_batches, n_workers):
                _batch(
                    rows[batch * WIDTH : min(n_rows, (batch + 1) * WIDTH)],
                    core_sire, core_dam, variance, starts, pairs, chain,
                    x[worker], state[worker], busy[worker], asked[worker], inbreeding_out,
                )  # fmt: skip


@compiled
def fill_at_once(sire, dam, note, inbreeding_out):
    """Write F of the animals whose F follows at once, oldest first, when all others are there."""
    for i in range(sire.shape[0]):
        if note[i] & AT_ONCE:
            inbreeding_out[i] = value_at_once(i, sire, dam, inbreeding_out)
