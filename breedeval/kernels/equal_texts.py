"""Texts that are equal, found by parts that fit into the caches of the processor.

A table of ten million texts lies in main memory, and almost every look into it waits. Here the texts are dealt out first, by
their hash, into partitions; equal texts come into one partition, and the table of one partition is small. (Radix partitioning,
as for the hash joins of data bases: Manegold, Boncz and Kersten 2002, IEEE Trans. Knowl. Data Eng. 14:709.)

What is dealt out is a key of k words: the letters, zeros behind them, the length in one byte, and the place of the text among
all texts in four bytes. So texts of at most 8 k − 5 bytes are equal if and only if their keys without the place are, and the
text itself is not looked at again. A partition has its texts in the order of their places, whichever thread brought them there.

What is found of a text takes the place of its place. It is fetched in the order in which the texts were dealt out: that reads
each partition from its beginning on, whereas to write it to the places would go to a line of memory of its own for each text.

The number of words is told by the length of a tuple, which is known when a loop is compiled.
"""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled
from breedeval.kernels.hashing import SEED, finish, fold
from breedeval.kernels.text import copy_bytes
from breedeval.kernels.words import load_short, load_word

_HALF, _LENGTH = np.uint64(32), np.uint64(24)
_WITHOUT_PLACE = np.uint64(0xFFFFFFFF)
#: Of a place that is a code already; places are lower.
MARK = np.uint32(1 << 31)


@compiled
def _key_word(address, length, k, n_words, end):
    """Word k of the key of a text, without its place; memory ends at `end`."""
    left = length - 8 * k
    word = np.uint64(0)
    if left >= 8:
        word = load_word(address + np.uint64(8 * k))
    elif left > 0:
        word = load_short(address + np.uint64(8 * k), left, end)
    return word | (np.uint64(length) << _LENGTH) if k == n_words - 1 else word


@compiled
def count_partitions(buffer, starts, lengths, words, bits, counts_out, partitions_out):
    """Find the partition of each of these texts; add to counts_out (2**bits,) int64 how many belong to each.

    buffer (b,) uint8; starts, lengths (m,) of any integer type; partitions_out (m,) uint16; words: a tuple of k, no text is
    longer than 8 k − 5 bytes.
    """
    base = np.uint64(buffer.ctypes.data)
    end = base + np.uint64(buffer.shape[0])
    n_words, shift = len(words), np.uint64(64 - bits)
    for i in range(starts.shape[0]):
        address, length = base + np.uint64(starts[i]), np.int64(lengths[i])
        h = SEED
        for k in range(n_words):
            h = fold(h, _key_word(address, length, k, n_words, end))
        partition = (finish(h) >> np.uint64(1)) >> (shift - np.uint64(1))
        partitions_out[i] = partition
        counts_out[partition] += 1


@compiled
def deal_out(buffer, starts, lengths, first_place, words, partitions, next_free_out, keys_out):
    """Write the keys of these texts, whose places are first_place and so on, to their partitions.

    next_free_out (2**bits,) int64: where the next text of each partition goes; it moves. keys_out (t, k) uint64.
    """
    base = np.uint64(buffer.ctypes.data)
    end = base + np.uint64(buffer.shape[0])
    last = len(words) - 1
    for i in range(starts.shape[0]):
        address, length = base + np.uint64(starts[i]), np.int64(lengths[i])
        partition = np.uint64(partitions[i])
        at = np.uint64(next_free_out[partition])
        next_free_out[partition] += 1
        for k in range(last):
            keys_out[at, k] = _key_word(address, length, k, last + 1, end)
        place = np.uint64(first_place + i) << _HALF
        keys_out[at, last] = _key_word(address, length, last, last + 1, end) | place


@compiled
def match_partitions(words, ends, first, last, slots, keys_out):
    """For each text of the partitions first to last − 1: the first place of an equal text, instead of its own place in its key.

    ends (partitions + 1,) int64: partition p is from ends[p] on to ends[p + 1]. slots (s,) uint32 is scratch, s a power of two
    and more than the texts of any of these partitions.
    """
    final = len(words) - 1
    for partition in range(first, last):
        begin, n = ends[partition], ends[partition + 1] - ends[partition]
        size = np.int64(16)
        while size < 2 * n and size < slots.shape[0]:
            size *= 2
        slots[:size] = 0
        mask = np.uint64(size - 1)
        for j in range(n):
            at = np.uint64(begin + j)
            h = SEED
            for k in range(final):
                h = fold(h, keys_out[at, k])
            ending = keys_out[at, final] & _WITHOUT_PLACE
            slot = finish(fold(h, ending)) & mask
            while True:
                other = slots[slot]
                if other == 0:
                    slots[slot] = np.uint32(j + 1)
                    break
                candidate = np.uint64(begin + np.int64(other) - 1)
                found = keys_out[candidate, final]
                same = (found & _WITHOUT_PLACE) == ending
                for k in range(final):
                    same &= keys_out[at, k] == keys_out[candidate, k]
                if same:
                    keys_out[at, final] = found  # the ending of both, and the place of the first
                    break
                slot = (slot + np.uint64(1)) & mask


@compiled
def fetch_first(partitions, next_out, keys, first_place_out):
    """For each text of these partitions (m,) the first place of an equal text, see `match_partitions`.

    next_out (2**bits,) int64: where the next text of each partition is, as `deal_out` began with; it moves.
    """
    last = keys.shape[1] - 1
    for i in range(partitions.shape[0]):
        partition = np.uint64(partitions[i])
        first_place_out[i] = keys[np.uint64(next_out[partition]), last] >> _HALF
        next_out[partition] += 1


@compiled
def count_first(first_place, before):
    """How many texts, the first one at place `before`, have no equal text before them; and how many such lead the others."""
    n, leading = 0, -1
    for i in range(first_place.shape[0]):
        is_first = np.int64(first_place[i]) == before + i
        if not is_first and leading < 0:
            leading = i
        n += is_first
    return n, (first_place.shape[0] if leading < 0 else leading)


@compiled
def number_first(lengths, before, code, places_out, ends_out):
    """Give the codes `code` and so on, with a mark, to the texts that have no equal text before them.

    places_out (m,) uint32 comes with the first place of each text, see `match_partitions`. ends_out takes where each such text
    ends when they stand one behind the other. Returns the last end.
    """
    end, n = np.int64(0), 0
    for i in range(places_out.shape[0]):
        if np.int64(places_out[i]) == before + i:
            places_out[i] = np.uint32(code + n) | MARK
            end += np.int64(lengths[i])
            ends_out[n] = end
            n += 1
    return end


@compiled
def copy_first(buffer, starts, lengths, marked, out):
    """Copy the texts that `number_first` marked to out (b,) uint8, which they fill."""
    base, target = np.uint64(buffer.ctypes.data), np.uint64(out.ctypes.data)
    base_end, out_end = base + np.uint64(buffer.shape[0]), target + np.uint64(out.shape[0])
    for i in range(starts.shape[0]):
        if marked[i] >= MARK:
            length = np.int64(lengths[i])
            copy_bytes(base + np.uint64(starts[i]), base_end, target, out_end, length)
            target += np.uint64(length)


@compiled
def code_others(all_places, n_leading, places_out):
    """Turn what `number_first` left of a part of `all_places` (t,) into codes.

    A text with its mark loses the mark. The others get the code of the first text that is equal, which may be marked still or
    not; the code of each of the first `n_leading` places is the place.
    """
    for i in range(places_out.shape[0]):
        place = places_out[i]
        if place >= MARK:
            places_out[i] = place & ~MARK
        elif place >= n_leading:
            places_out[i] = all_places[np.uint64(place)] & ~MARK
