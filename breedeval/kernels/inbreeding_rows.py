"""Inbreeding from rows of A, several at a time, over the animals that `inbreeding_plan` picked."""

from __future__ import annotations

import numba
import numpy as np
from numba.cpython.unsafe.numbers import leading_zeros, trailing_zeros

from breedeval.kernels.compile import compiled, compiled_parallel
from breedeval.kernels.inbreeding import value_at_once, variance_of
from breedeval.kernels.inbreeding_plan import AT_ONCE, LINKS

#: Rows of A that are computed together: their values for an animal fill one line of cache.
WIDTH = 8
#: Places whose bits stand in one word.
BITS = 64
_ONE = np.uint64(1)
_WORD, _IN_WORD = np.uint64(6), np.uint64(63)


@compiled
def _mark(places, place):
    p = np.uint64(place)
    places[p >> _WORD] |= _ONE << (p & _IN_WORD)


@compiled
def ask_for_pairs(first, last, pairs, chain, n, asked):
    """Mark the places whose relationships the pairs need; ``asked`` and all other sets of places hold a bit a place."""
    for pair in range(first, last):
        for link in range(LINKS):
            _mark(asked, pairs[pair, link])
        at = pairs[pair, LINKS]
        while at >= n:
            for link in range(LINKS):
                _mark(asked, chain[at - n, link])
            at = chain[at - n, 2 * LINKS - 1]
        _mark(asked, at)


@compiled
def mark_ancestors(core_sire, core_dam, marked):
    """Mark all ancestors of the places marked; returns how many places are marked then."""
    count = 0
    for word in range(marked.shape[0] - 1, -1, -1):
        left = marked[np.uint64(word)]
        while left:
            bit = np.uint64(63) - np.uint64(leading_zeros(left))
            j = (np.uint64(word) << _WORD) | bit
            _mark(marked, core_sire[j])
            _mark(marked, core_dam[j])
            count += 1
            left = marked[np.uint64(word)] & ((_ONE << bit) - _ONE)
    return count


@compiled
def _go_up(core_sire, core_dam, shared, x):
    """T'x: the shares of genes that the rows have from their ancestors, which are marked in ``shared``."""
    for word in range(shared.shape[0] - 1, -1, -1):
        left = shared[np.uint64(word)]
        while left:
            bit = np.uint64(63) - np.uint64(leading_zeros(left))
            j = (np.uint64(word) << _WORD) | bit
            for parent in (core_sire[j], core_dam[j]):
                p = np.uint64(parent)
                if shared[p >> _WORD] >> (p & _IN_WORD) & _ONE:
                    for k in range(WIDTH):
                        x[p, k] += 0.5 * x[j, k]
                else:
                    shared[p >> _WORD] |= _ONE << (p & _IN_WORD)
                    for k in range(WIDTH):
                        x[p, k] = 0.5 * x[j, k]
            left = shared[np.uint64(word)] & ((_ONE << bit) - _ONE)


@compiled
def _go_down(core_sire, core_dam, variance, shared, asked, x):
    """T D x for the places asked for, oldest first; nothing is marked afterwards."""
    asked[0] &= ~_ONE
    for k in range(WIDTH):
        x[0, k] = 0.0  # unknown parents: what went up to them is lost
    for word in range(asked.shape[0]):
        w = np.uint64(word)
        left = asked[w]
        while left:
            bit = np.uint64(trailing_zeros(left))
            j = (w << _WORD) | bit
            left &= left - _ONE
            p, q = np.uint64(core_sire[j]), np.uint64(core_dam[j])
            if shared[w] >> bit & _ONE:
                own = variance[j]
                for k in range(WIDTH):
                    x[j, k] = own * x[j, k] + 0.5 * (x[p, k] + x[q, k])
            else:
                for k in range(WIDTH):
                    x[j, k] = 0.5 * (x[p, k] + x[q, k])
        asked[w] = 0
        shared[w] = 0


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
def _batch(rows, core_sire, core_dam, variance, starts, pairs, chain, x, shared, asked, inbreeding_out):
    """Inbreeding of the progeny of up to WIDTH row animals: rows of T D T' (Colleau 2002, Genet. Sel. Evol. 34:409)."""
    n = core_sire.shape[0]
    for k in range(rows.shape[0]):
        j = rows[k]
        ask_for_pairs(starts[j], starts[j + 1], pairs, chain, n, asked)
        _mark(shared, j)
        for column in range(WIDTH):
            x[j, column] = 0.0
        x[j, k] = 1.0
    mark_ancestors(core_sire, core_dam, asked)
    _go_up(core_sire, core_dam, shared, x)
    _go_down(core_sire, core_dam, variance, shared, asked, x)
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
    shared = np.zeros((n_workers, n // BITS + 1), dtype=np.uint64)
    asked = np.zeros_like(shared)
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
                    x[worker], shared[worker], asked[worker], inbreeding_out,
                )  # fmt: skip


@compiled
def fill_at_once(sire, dam, wanted, n_wanted, note, inbreeding_out):
    """Write F of the animals wanted whose F follows at once, oldest first, when all others are there."""
    for k in range(n_wanted):
        i = k if n_wanted == sire.shape[0] else wanted[k]
        if note[i] & AT_ONCE:
            inbreeding_out[i] = value_at_once(i, sire, dam, inbreeding_out)


@compiled
def sampled_visits(core_sire, core_dam, starts, pairs, chain, rows, n_batches):
    """Mean number of places that a batch of rows visits, of ``n_batches`` batches spread over ``rows``."""
    n = core_sire.shape[0]
    asked = np.zeros(n // BITS + 1, dtype=np.uint64)
    visits = 0
    for batch in range(n_batches):
        begin = batch * max(0, rows.shape[0] - WIDTH) // max(1, n_batches - 1)
        for j in rows[begin : begin + WIDTH]:
            ask_for_pairs(starts[j], starts[j + 1], pairs, chain, n, asked)
            _mark(asked, j)
        visits += mark_ancestors(core_sire, core_dam, asked)
        asked[:] = 0
    return visits / n_batches
