"""Inbreeding from rows of A, several at a time, over the animals that `inbreeding_plan` picked."""

from __future__ import annotations

import numba
import numpy as np
from numba.cpython.unsafe.numbers import leading_zeros, trailing_zeros

from breedeval.kernels.compile import compiled, compiled_parallel
from breedeval.kernels.inbreeding import value_at_once, variance_of
from breedeval.kernels.inbreeding_plan import AT_ONCE
from breedeval.kernels.lines import LOG_BYTES, WIDTH, add_half, put_zeros, scale_and_add_mean

#: Places whose bits stand in one word.
BITS = 64
_ONE = np.uint64(1)
_WORD, _IN_WORD = np.uint64(6), np.uint64(63)


@compiled
def _mark(places, place):
    p = np.uint64(place)
    places[p >> _WORD] |= _ONE << (p & _IN_WORD)


@compiled
def ask_for_pairs(first, last, pairs, chain, links, n, asked):
    """Mark the places whose relationships the pairs need; ``asked`` and all other sets of places hold a bit a place."""
    for pair in range(first, last):
        for link in range(len(links)):
            _mark(asked, pairs[pair, link])
        at = pairs[pair, len(links)]
        while at >= n:
            for link in range(len(links)):
                _mark(asked, chain[at - n, link])
            at = chain[at - n, chain.shape[1] - 1]
        _mark(asked, at)


@compiled
def mark_ancestors(core_sire, core_dam, marked):
    """Mark all ancestors of the places marked; returns how many places are marked then."""
    count = 0
    for word in range(marked.shape[0] - 1, -1, -1):
        w = np.uint64(word)
        left = marked[w]
        while left:
            bit = np.uint64(63) - np.uint64(leading_zeros(left))
            j = (w << _WORD) | bit
            p, q = np.uint64(core_sire[j]), np.uint64(core_dam[j])
            marked[p >> _WORD] |= _ONE << (p & _IN_WORD)
            marked[q >> _WORD] |= _ONE << (q & _IN_WORD)
            count += 1
            left &= (_ONE << bit) - _ONE
            if p >> _WORD == w or q >> _WORD == w:  # seldom; what has just been written is slow to read
                left = marked[w] & ((_ONE << bit) - _ONE)
    return count


@compiled
def _clear_ancestors(core_sire, core_dam, asked, x):
    """As `mark_ancestors`, with zeros in the lines of all places marked; x is an address."""
    for word in range(asked.shape[0] - 1, -1, -1):
        w = np.uint64(word)
        left = asked[w]
        while left:
            bit = np.uint64(63) - np.uint64(leading_zeros(left))
            j = (w << _WORD) | bit
            put_zeros(x + (j << LOG_BYTES))
            p, q = np.uint64(core_sire[j]), np.uint64(core_dam[j])
            asked[p >> _WORD] |= _ONE << (p & _IN_WORD)
            asked[q >> _WORD] |= _ONE << (q & _IN_WORD)
            left &= (_ONE << bit) - _ONE
            if p >> _WORD == w or q >> _WORD == w:
                left = asked[w] & ((_ONE << bit) - _ONE)


@compiled
def _go_up(core_sire, core_dam, shared, x):
    """T'x: the shares of genes that the rows have from their ancestors; ``shared`` marks the rows, and nothing afterwards.

    The lines of all ancestors come with zeros, so that nothing depends on who was met before. ``x`` is an address.
    """
    for word in range(shared.shape[0] - 1, -1, -1):
        w = np.uint64(word)
        left = shared[w]
        while left:
            bit = np.uint64(63) - np.uint64(leading_zeros(left))
            j = (w << _WORD) | bit
            own = x + (j << LOG_BYTES)
            p, q = np.uint64(core_sire[j]), np.uint64(core_dam[j])
            add_half(x + (p << LOG_BYTES), own)
            add_half(x + (q << LOG_BYTES), own)
            shared[p >> _WORD] |= _ONE << (p & _IN_WORD)
            shared[q >> _WORD] |= _ONE << (q & _IN_WORD)
            left &= (_ONE << bit) - _ONE
            if p >> _WORD == w or q >> _WORD == w:
                left = shared[w] & ((_ONE << bit) - _ONE)
        shared[w] = 0


@compiled
def _go_down(core_sire, core_dam, variance, asked, x):
    """T D x for the places asked for, oldest first; nothing is marked afterwards."""
    asked[0] &= ~_ONE
    put_zeros(x)  # unknown parents: what went up to them is lost
    for word in range(asked.shape[0]):
        w = np.uint64(word)
        left = asked[w]
        while left:
            j = (w << _WORD) | np.uint64(trailing_zeros(left))
            left &= left - _ONE
            p, q = np.uint64(core_sire[j]), np.uint64(core_dam[j])
            scale_and_add_mean(x + (j << LOG_BYTES), variance[j], x + (p << LOG_BYTES), x + (q << LOG_BYTES))
        asked[w] = 0


@compiled
def _read_pairs(first, last, pairs, chain, links, n, column, x, inbreeding_out):
    for pair in range(first, last):
        weight, value = 0.5, 0.0
        for link in range(len(links)):
            weight *= 0.5
            value += weight * x[pairs[pair, link], column]
        at = pairs[pair, len(links)]
        while at >= n:
            for link in range(len(links)):
                weight *= 0.5
                value += weight * x[chain[at - n, link], column]
            at = chain[at - n, chain.shape[1] - 1]
        inbreeding_out[pairs[pair, len(links) + 1]] = value + weight * x[at, column]


@compiled
def _batch(
    rows, core_sire, core_dam, variance, starts, pairs, chain, links, x, shared, asked, inbreeding_out
):  # fmt: skip
    """Inbreeding of the progeny of up to WIDTH row animals: rows of T D T' (Colleau 2002, Genet. Sel. Evol. 34:409)."""
    n = core_sire.shape[0]
    for j in rows:
        ask_for_pairs(starts[j], starts[j + 1], pairs, chain, links, n, asked)
        _mark(asked, j)
        _mark(shared, j)
    address = np.uint64(x.ctypes.data)
    _clear_ancestors(core_sire, core_dam, asked, address)
    for k in range(rows.shape[0]):
        x[rows[k], k] = 1.0
    _go_up(core_sire, core_dam, shared, address)
    _go_down(core_sire, core_dam, variance, asked, address)
    for k in range(rows.shape[0]):
        _read_pairs(starts[rows[k]], starts[rows[k] + 1], pairs, chain, links, n, k, x, inbreeding_out)


@compiled
def _begin_stage(members, animal, sire, dam, note, variance, inbreeding_out):
    """Variances of a stage's members, and F where it follows at once."""
    for j in members:
        i = animal[j]
        if note[i] & AT_ONCE:
            inbreeding_out[i] = value_at_once(i, sire, dam, inbreeding_out)
        variance[j] = variance_of(i, sire, dam, inbreeding_out)


@compiled_parallel
def inbreeding_by_stages(
    sire, dam, note, animal, core_sire, core_dam, members, stage_starts, rows, row_starts, starts, pairs, chain, links,
    n_workers, x, inbreeding_out,
):  # fmt: skip
    """Inbreeding of the progeny of every pair, stage by stage, batches of a stage in ``n_workers`` threads.

    A batch holds the same rows for any number of threads, and nobody else writes what it writes: the same bits.
    ``members`` (n_core,) lists places of the core by stage, those of stage k from stage_starts[k] to stage_starts[k + 1], and
    ``rows`` those with pairs alike. ``x`` (n_workers, n_core + 1, WIDTH) is work space, each line of it a line of cache.
    """
    n = core_sire.shape[0]
    shared = np.zeros((n_workers, n // BITS + 1), dtype=np.uint64)
    asked = np.zeros_like(shared)
    variance = np.zeros(n)  # numbers for all: what has none yet is multiplied by the zeros of animals that share nothing
    for stage in range(stage_starts.shape[0] - 1):
        of_stage = members[stage_starts[stage] : stage_starts[stage + 1]]
        _begin_stage(of_stage, animal, sire, dam, note, variance, inbreeding_out)
        first, end = row_starts[stage], row_starts[stage + 1]
        n_batches = (end - first + WIDTH - 1) // WIDTH
        for worker in numba.prange(n_workers):
            for batch in range(worker, n_batches, n_workers):
                begin = first + batch * WIDTH
                _batch(
                    rows[begin : min(end, begin + WIDTH)],
                    core_sire, core_dam, variance, starts, pairs, chain, links,
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
def sampled_visits(core_sire, core_dam, starts, pairs, chain, links, rows, n_batches):
    """Mean number of places that a batch of rows visits, of ``n_batches`` batches spread over ``rows``."""
    n = core_sire.shape[0]
    asked = np.zeros(n // BITS + 1, dtype=np.uint64)
    visits = 0
    for batch in range(n_batches):
        begin = batch * max(0, rows.shape[0] - WIDTH) // max(1, n_batches - 1)
        for j in rows[begin : begin + WIDTH]:
            ask_for_pairs(starts[j], starts[j + 1], pairs, chain, links, n, asked)
            _mark(asked, j)
        visits += mark_ancestors(core_sire, core_dam, asked)
        asked[:] = 0
    return visits / n_batches
