"""The plan of `inbreeding_plan` for few animals whose F is wanted: nothing is done for animals that they do not descend from.

The words are the same. A maternal line is followed for each pair on its own, from the mate to the first animal of the core, so
that nothing has to be kept of the mates. Sets of animals hold a bit each; a place is the rank of an animal's bit.
"""

from __future__ import annotations

import numpy as np
from numba.cpython.unsafe.numbers import leading_zeros, trailing_zeros

from breedeval.kernels.compile import compiled
from breedeval.kernels.inbreeding import follows_at_once
from breedeval.kernels.inbreeding_plan import AT_ONCE, DAM_FACTOR, PAIR
from breedeval.kernels.words import count_bits, load_word, prefetch, store_word

#: Links of a line at most: where it is longer, its next animal becomes one of the core.
MOST_LINKS = 16
#: Lines that are followed together.
_TOGETHER = 1024
#: Animals between the one looked at and the one whose mother is asked for.
_AHEAD = 16
#: Progeny are not counted beyond this.
_MANY = np.uint8(255)
_ONE = np.uint64(1)
_WORD, _IN_WORD = np.uint64(6), np.uint64(63)
_LOG_BYTES, _LOG_INT32 = np.uint64(3), np.uint64(2)


@compiled
def _mark(marked, i):
    """Mark animal i; ``marked`` is the address of the words of a set."""
    word = marked + ((np.uint64(i) >> _WORD) << _LOG_BYTES)
    store_word(word, load_word(word) | (_ONE << (np.uint64(i) & _IN_WORD)))


@compiled
def _has(marked, i):
    return (load_word(marked + ((np.uint64(i) >> _WORD) << _LOG_BYTES)) >> (np.uint64(i) & _IN_WORD)) & _ONE != 0


@compiled
def _place(i, core, before):
    """Place of an animal of the core; 0 for a code that is none."""
    code = np.uint64(i)
    word = code >> _WORD
    if word >= np.uint64(core.shape[0]):
        return np.int32(0)
    older = core[word] & ((_ONE << (code & _IN_WORD)) - _ONE)
    return np.int32(before[word] + np.int64(count_bits(older)) + 1)


@compiled
def classify(sire, dam, wanted, inbreeding_out, note_out, n_progeny_out, progeny_out, parents_of_dam_out):
    """Note how the F of each animal wanted is found, and count pairs by parent; see `inbreeding_plan.classify`.

    n_progeny_out (n,) uint8 stops at its highest value. For each pair: progeny_out (wanted,) the progeny, and
    parents_of_dam_out (wanted, 2) what is read here anyway. Returns the numbers of F that follow at once and of pairs.
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
            progeny_out[n_pairs], parents_of_dam_out[n_pairs, 0], parents_of_dam_out[n_pairs, 1] = i, sire[d], dam[d]
            n_pairs += 1
            n_progeny_out[s] += n_progeny_out[s] < _MANY
            n_progeny_out[d] += n_progeny_out[d] < _MANY
    return n_at_once, n_pairs


@compiled
def _row_animal(i, sire, dam, n_progeny):
    s, d = sire[i], dam[i]
    return d if np.int64(n_progeny[d]) > DAM_FACTOR * np.int64(n_progeny[s]) else s


@compiled
def _mark_ancestors(sire, dam, marked):
    """Mark all ancestors of the animals marked; returns how many are marked then."""
    n = sire.shape[0]
    count, address = 0, np.uint64(marked.ctypes.data)
    for word in range(marked.shape[0] - 1, -1, -1):
        w = np.uint64(word)
        left = marked[w]
        while left:
            bit = np.uint64(63) - np.uint64(leading_zeros(left))
            i = (w << _WORD) | bit
            for parent in (sire[i], dam[i]):
                if 0 <= parent < n:
                    _mark(address, parent)
            count += 1
            left = marked[w] & ((_ONE << bit) - _ONE)
    return count


@compiled
def _follow_some(mates, parents, sire, dam, core, front, ends, links_out, lines_out):
    """Follow the lines of a few mates link by link, all at a time: while memory is fetched for one, others go on.

    lines_out (mates, MOST_LINKS + 1), links_out (mates,); see `_follow_lines`. ``front`` and ``ends`` are work space, as long.
    """
    n = sire.shape[0]
    sires, dams = np.uint64(sire.ctypes.data), np.uint64(dam.ctypes.data)
    n_front = mates.shape[0]
    for k in range(n_front):
        front[k], ends[k] = k, mates[k]
    for links in range(MOST_LINKS + 1):
        n_on = 0
        for f in range(n_front):
            k, at = np.uint64(front[f]), np.int64(ends[f])
            if at < 0 or _has(core, at) or links == MOST_LINKS:
                if at >= 0:
                    _mark(core, at)
                lines_out[k, links], links_out[k] = at, links
                continue
            if links == 0:
                s, d = np.int64(parents[k, 0]), np.int64(parents[k, 1])
            else:
                s, d = np.int64(sire[np.uint64(at)]), np.int64(dam[np.uint64(at)])
            s, d = s if s < n else -1, d if d < n else -1
            if s >= 0 and not _has(core, s):
                if d < 0 or _has(core, d):
                    s, d = d, s
                else:
                    _mark(core, s)
            prefetch(sires + (np.uint64(d) << _LOG_INT32))
            prefetch(dams + (np.uint64(d) << _LOG_INT32))
            lines_out[k, links] = s
            front[n_on], ends[n_on] = k, d
            n_on += 1
        n_front = n_on


@compiled
def _follow_lines(mates, parents, sire, dam, core, links_out, lines_out):
    """Follow the line of each mate: what is read along it, a link after the other, goes to lines_out, then its end.

    At each link one parent is read and the other leads on; the one that is read is of the core, or unknown (−1). If neither is
    of the core, the sire joins it. ``parents`` (mates, 2) of the mates; links_out (mates,) uint8 gets the number of links;
    ``core`` is the address of the set. Returns how much was written.
    """
    front, ends = np.empty(_TOGETHER, dtype=np.int32), np.empty(_TOGETHER, dtype=np.int32)
    some = np.empty((_TOGETHER, MOST_LINKS + 1), dtype=np.int32)
    to = 0
    for first in range(0, mates.shape[0], _TOGETHER):
        links, end = links_out[first : first + _TOGETHER], first + _TOGETHER
        _follow_some(mates[first:end], parents[first:end], sire, dam, core, front, ends, links, some)
        for k in range(links.shape[0]):
            for link in range(links[k] + 1):
                lines_out[to + link] = some[k, link]
            to += np.int64(links[k]) + 1
    return to


@compiled
def find_core(sire, dam, progeny, n_progeny, parents_of_dam, core_out, row_out, links_out, lines_out):
    """Find the core and follow the lines of all mates, see `_follow_lines`.

    For each pair: row_out (pairs,) its row animal, and its line. core_out holds a bit an animal; parents_of_dam (pairs, 2) is
    used up. Returns the size of the core and that of lines_out.
    """
    address = np.uint64(core_out.ctypes.data)
    mates = np.empty_like(row_out)
    for pair in range(progeny.shape[0]):
        i = progeny[pair]
        row = _row_animal(i, sire, dam, n_progeny)
        row_out[pair], mates[pair] = row, sire[i] + dam[i] - row
        if row == dam[i]:
            parents_of_dam[pair, 0], parents_of_dam[pair, 1] = sire[sire[i]], dam[sire[i]]
        _mark(address, row)
    _mark_ancestors(sire, dam, core_out)
    n_lines = _follow_lines(mates, parents_of_dam, sire, dam, address, links_out, lines_out)
    return _mark_ancestors(sire, dam, core_out), n_lines


@compiled
def number_core(sire, dam, core, before_out, animal_out, core_sire_out, core_dam_out):
    """Give places to the core; before_out (words,) int32: animals of the core before each word of bits."""
    n = sire.shape[0]
    place = 0
    for word in range(core.shape[0]):
        w = np.uint64(word)
        before_out[w] = place
        left = core[w]
        while left:
            i = (w << _WORD) | np.uint64(trailing_zeros(left))
            left &= left - _ONE
            place += 1
            animal_out[place] = i
            core_sire_out[place] = _place(sire[i], core, before_out) if 0 <= sire[i] < n else 0
            core_dam_out[place] = _place(dam[i], core, before_out) if 0 <= dam[i] < n else 0


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
def count_pairs(row, links, core, before, counts_out):
    """Replace row animals by their places; counts_out (2, n_core + 2): pairs of each place j, and their lines, at j + 1."""
    for pair in range(row.shape[0]):
        row[pair] = _place(row[pair], core, before)
        counts_out[0, row[pair] + 1] += 1
        counts_out[1, row[pair] + 1] += np.int64(links[pair]) + 1


@compiled
def sort_pairs(progeny, core, before, row, links, followed, next_pair_out, next_line_out, pairs_out, starts_out, lines_out):
    """List progeny and lines by row. next_pair_out, next_line_out: where the lists of each row begin; they move."""
    at = 0
    for pair in range(progeny.shape[0]):
        k, to = next_pair_out[row[pair]], next_line_out[row[pair]]
        length = np.int64(links[pair]) + 1
        next_pair_out[row[pair]] = k + 1
        next_line_out[row[pair]] = to + length
        pairs_out[k, 0], starts_out[k] = progeny[pair], to
        for link in range(length):
            lines_out[np.uint64(to + link)] = _place(followed[np.uint64(at + link)], core, before)
        at += length
