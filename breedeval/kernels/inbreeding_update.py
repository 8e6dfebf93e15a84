"""The plan of `inbreeding_plan` for few animals whose F is wanted: nothing is done for animals that they do not descend from.

The words are the same. Sets of animals hold a bit each, and are swept through in the order of the pedigree, so that memory is
read from one end to the other; a place is the rank of an animal's bit. Maternal lines are followed for each pair on its own,
from the mate to the first animal of the core.
"""

from __future__ import annotations

import numpy as np
from numba.cpython.unsafe.numbers import leading_zeros, trailing_zeros

from breedeval.kernels.compile import compiled
from breedeval.kernels.inbreeding import follows_at_once
from breedeval.kernels.inbreeding_plan import AT_ONCE, DAM_FACTOR, PAIR
from breedeval.kernels.words import count_bits, load_word, prefetch, store_word

#: Links of a line that are stored with its pair, so that memory is read once for most lines; see `sort_pairs`.
LINE = 7
#: Links of a line at most: where it is longer, its next animal becomes one of the core.
MOST_LINKS = 2 * LINE
#: Lines that are followed together.
_TOGETHER = 512
#: Animals between the one looked at and the one whose mother is asked for.
_AHEAD = 16
#: Progeny are not counted beyond this.
_MANY = np.uint8(255)
_ONE = np.uint64(1)
_WORD, _IN_WORD = np.uint64(6), np.uint64(63)
_LOG_BYTES, _LOG_INT32 = np.uint64(3), np.uint64(2)
#: Two places stand in one word; the second is shifted by this.
_SECOND = np.uint64(32)


@compiled
def _mark(marked, i):
    """Mark animal i; ``marked`` is the address of the words of a set."""
    word = marked + ((np.uint64(i) >> _WORD) << _LOG_BYTES)
    store_word(word, load_word(word) | (_ONE << (np.uint64(i) & _IN_WORD)))


@compiled
def _has(marked, i):
    return (load_word(marked + ((np.uint64(i) >> _WORD) << _LOG_BYTES)) >> (np.uint64(i) & _IN_WORD)) & _ONE != 0


@compiled
def _rank(i, marked, before):
    """Rank of an animal marked; ``before`` (words,) int32 holds the rank of the first of each word."""
    word = np.uint64(i) >> _WORD
    older = marked[word] & ((_ONE << (np.uint64(i) & _IN_WORD)) - _ONE)
    return np.int32(before[word] + np.int64(count_bits(older)))


@compiled
def _place(i, core, before):
    """Place of a parent in the core; 0 if it is not of the core, or no animal."""
    word = np.uint64(i) >> _WORD
    if word < np.uint64(core.shape[0]) and (core[word] >> (np.uint64(i) & _IN_WORD)) & _ONE:
        return _rank(i, core, before)
    return np.int32(0)


@compiled
def classify(sire, dam, wanted, inbreeding_out, note_out, n_progeny_out, progeny_out):
    """Note how the F of each animal wanted is found, and count pairs by parent; see `inbreeding_plan.classify`.

    n_progeny_out (n,) uint8 stops at its highest value; progeny_out (wanted,) lists the progeny of the pairs. Returns the
    numbers of F that follow at once and of pairs.
    """
    n = sire.shape[0]
    n_at_once, n_pairs = 0, 0
    sires, dams = np.uint64(sire.ctypes.data), np.uint64(dam.ctypes.data)
    for k in range(wanted.shape[0]):
        if k + _AHEAD < wanted.shape[0]:
            mother = np.uint64(dam[wanted[k + _AHEAD]]) << _LOG_INT32
            prefetch(sires + mother)
            prefetch(dams + mother)
        i = wanted[k]
        s, d = sire[i], dam[i]
        if not (0 <= s < n and 0 <= d < n):
            inbreeding_out[i] = 0.0
        elif follows_at_once(s, d, sire, dam):
            note_out[i] = AT_ONCE
            n_at_once += 1
        else:
            note_out[i] = PAIR
            progeny_out[n_pairs] = i
            n_pairs += 1
            n_progeny_out[s] += n_progeny_out[s] < _MANY
            n_progeny_out[d] += n_progeny_out[d] < _MANY
    return n_at_once, n_pairs


@compiled
def _row_animal(i, sire, dam, n_progeny):
    s, d = sire[i], dam[i]
    return d if np.int64(n_progeny[d]) > DAM_FACTOR * np.int64(n_progeny[s]) else s


@compiled
def mark_pairs(sire, dam, progeny, n_progeny, core_out, mates_out, row_out, mate_out):
    """Choose the row animal and the mate of each pair, row_out and mate_out (pairs,), and mark them in the sets."""
    core, mates = np.uint64(core_out.ctypes.data), np.uint64(mates_out.ctypes.data)
    for pair in range(progeny.shape[0]):
        i = progeny[pair]
        row = _row_animal(i, sire, dam, n_progeny)
        row_out[pair], mate_out[pair] = row, sire[i] + dam[i] - row
        _mark(core, row)
        _mark(mates, mate_out[pair])


@compiled
def spread_to_ancestors(sire, dam, core_out, mates_out):
    """Mark all ancestors of the core, and who follows along the lines of mates; returns how many are marked of both.

    At each link one parent is read and the other leads on; the one that is read is of the core, or unknown. If neither is of
    the core, the sire joins it. Afterwards mates are those outside the core only.
    """
    n = np.uint64(sire.shape[0])
    core, mates = np.uint64(core_out.ctypes.data), np.uint64(mates_out.ctypes.data)
    n_core, n_mates = 0, 0
    for word in range(core_out.shape[0] - 1, -1, -1):
        w = np.uint64(word)
        left = core_out[w] | mates_out[w]
        while left:
            bit = np.uint64(63) - np.uint64(leading_zeros(left))
            i = (w << _WORD) | bit
            s, d = np.uint64(sire[i]), np.uint64(dam[i])
            to = core
            if (core_out[w] >> bit) & _ONE:
                n_core += 1
            else:
                n_mates += 1
                to = mates
            if s < n:
                leads_on = to == mates and not _has(core, s) and (d >= n or _has(core, d))
                _mark(mates if leads_on else core, s)
            if d < n:
                _mark(to, d)
            left = (core_out[w] | mates_out[w]) & ((_ONE << bit) - _ONE)
        mates_out[w] &= ~core_out[w]
    return n_core, n_mates


@compiled
def _both(place, next_place):
    """Two places in one word."""
    return np.uint64(place) | (np.uint64(next_place) << _SECOND)


@compiled
def number_places(
    sire, dam, core, mates, before_out, mates_before_out, animal_out, core_sire_out, core_dam_out, link_out, length_out,
    too_long_out,
):  # fmt: skip
    """Give places to the core, larger ones to the mates, and tie the lines; before_out, mates_before_out: see `_rank`.

    For each place: link_out (places,) uint64 holds the place to read and the one that leads on, both itself in the core, and
    length_out (places,) uint8 the links to the core. Mates that are `MOST_LINKS` away are marked in too_long_out; returns how
    many these are.
    """
    n = np.uint64(sire.shape[0])
    place, mate, n_too_long = 1, animal_out.shape[0], 0
    link_out[0], length_out[0] = 0, 0
    for word in range(core.shape[0]):
        w = np.uint64(word)
        before_out[w], mates_before_out[w] = place, mate
        left = core[w] | mates[w]
        while left:
            lowest = left & (~left + _ONE)
            i = (w << _WORD) | np.uint64(trailing_zeros(left))
            left ^= lowest
            s, d = np.uint64(sire[i]), np.uint64(dam[i])
            p, q = _place(s, core, before_out), _place(d, core, before_out)
            if core[w] & lowest:
                animal_out[place], core_sire_out[place], core_dam_out[place] = i, p, q
                link_out[place], length_out[place] = _both(place, place), 0
                place += 1
                continue
            if q == 0 and d < n:
                q = _rank(d, mates, mates_before_out)
            elif p == 0 and s < n:
                p, q = q, _rank(s, mates, mates_before_out)
            length = length_out[q] + np.uint8(1)
            if length == MOST_LINKS:
                too_long_out[w] |= lowest
                n_too_long += 1
                length = np.uint8(0)
            link_out[mate], length_out[mate] = _both(p, q), length
            mate += 1
    return n_too_long


@compiled
def find_stages(sire, dam, n_progeny, note, core, before, animal, core_sire, core_dam, stage_out, done_out):
    """Stage of each place, and the number of stages; see `inbreeding_plan.find_stages`."""
    stage_out[0], done_out[0] = -1, 0
    last = 0
    for j in range(1, animal.shape[0]):
        i = animal[j]
        stage = max(done_out[core_sire[j]], done_out[core_dam[j]])
        stage_out[j] = done_out[j] = stage
        if note[i] & PAIR:
            done_out[j] = max(stage, stage_out[_place(_row_animal(i, sire, dam, n_progeny), core, before)] + 1)
        last = max(last, stage)
    return last + 1


@compiled
def count_pairs(core, mates, before, mates_before, length, row, mate, n_pairs_out):
    """Replace rows and mates by their places; n_pairs_out (n_core + 2,): pairs of each place j, at j + 1.

    Returns how many lines are longer than `LINE`.
    """
    n_long = 0
    for pair in range(row.shape[0]):
        row[pair], j = _place(row[pair], core, before), _place(mate[pair], core, before)
        mate[pair] = j if j else _rank(mate[pair], mates, mates_before)
        n_pairs_out[row[pair] + 1] += 1
        n_long += length[mate[pair]] > LINE
    return n_long


@compiled
def _follow(at, link, places_out):
    """Follow `LINE` links from each place, all at a time; places_out (LINE, places) gets those to read. ``at`` moves."""
    for step in range(LINE):
        for k in range(at.shape[0]):
            links = link[np.uint64(at[k])]
            places_out[step, k], at[k] = np.int32(links), np.int32(links >> _SECOND)


@compiled
def sort_pairs(progeny, row, mate, n, link, next_free_out, pairs_out, chain_out):
    """List the pairs by row: pairs_out (pairs, LINE + 2) holds the line's places to read, its end, and the progeny.

    The end of a line that goes on is ``n``, the number of places in the core and 0, plus the row of chain_out (long,
    LINE + 1) that holds the rest. A line that has ended in the core stays there: ½ a + ½ a = a. ``mate`` is used up;
    ``next_free_out`` (n,) holds where the list of each row begins; where it ends when done.
    """
    places, rest, n_long = np.empty((LINE, _TOGETHER), dtype=np.int32), np.empty((LINE, 1), dtype=np.int32), 0
    pairs, length = np.uint64(pairs_out.ctypes.data), np.uint64(pairs_out.strides[0])
    to = np.empty(_TOGETHER, dtype=np.uint64)
    for first in range(0, row.shape[0], _TOGETHER):
        at = mate[first : first + _TOGETHER]
        for k in range(at.shape[0]):
            to[k] = next_free_out[row[first + k]]
            next_free_out[row[first + k]] += 1
            prefetch(pairs + to[k] * length)
        _follow(at, link, places)
        for k in range(at.shape[0]):
            if at[k] >= n:
                _follow(at[k : k + 1], link, rest)
                chain_out[n_long, :LINE], chain_out[n_long, LINE] = rest[:, 0], at[k]
                at[k] = n + n_long
                n_long += 1
            for step in range(LINE):
                pairs_out[to[k], step] = places[step, k]
            pairs_out[to[k], LINE], pairs_out[to[k], LINE + 1] = at[k], progeny[first + k]
