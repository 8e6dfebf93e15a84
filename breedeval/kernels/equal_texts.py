"""Texts that are equal, found by parts that fit into the caches of the processor.

A table of ten million texts lies in main memory, and almost every look into it waits. Here the texts are dealt out first, by
their hash, into partitions; equal texts come into one partition, and the table of one partition is small. (Radix partitioning,
as for the hash joins of data bases: Manegold, Boncz and Kersten 2002, IEEE Trans. Knowl. Data Eng. 14:709.)

What is dealt out is a key of k words: the letters, zeros behind them, the length in one byte, and the number of the text in
four bytes. So texts of at most 8 k − 5 bytes are equal if and only if their keys without the number are, and the text itself
is not looked at again: it may be gone.

Texts come in streams, each dealt out by one thread in its order. The keys of a stream in a partition stand in a chain of
blocks, so that nobody has to know before how many there will be: a position is followed by the next one, that at the end of a
block by the first of the block that `links` names. A partition is gone through stream by stream, so its texts come in the order
of all texts, whichever thread brought them there.

What is found of a text takes the place of its number. It is fetched in the order in which the texts were dealt out: that reads
each chain from its beginning on, whereas to write it to the places would go to a line of memory of its own for each text.

The number of words is told by the length of a tuple, which is known when a loop is compiled.
"""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled
from breedeval.kernels.hashing import SEED, finish, fold
from breedeval.kernels.text import copy_bytes
from breedeval.kernels.words import load_short, load_word, store_word

#: Keys of a block, a power of two.
BLOCK = 512
_BLOCK_BITS, _IN_BLOCK = 9, BLOCK - 1
_HALF, _LENGTH, _BYTE = np.uint64(32), np.uint64(24), np.uint64(0xFF)
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
def _next_position(at, links):
    """The position behind `at` in its chain."""
    at += 1
    return at if at & _IN_BLOCK else np.int64(links[(at - 1) >> _BLOCK_BITS]) << _BLOCK_BITS


@compiled
def deal_out(
    buffer, starts, lengths, first, words, bits, last_block, next_block_out, begins_out, ends_out, links_out, keys_out,
    partitions_out,
):  # fmt: skip
    """Write the keys of these texts of a stream, whose numbers are `first` and so on, to the chains of their partitions.

    buffer (b,) uint8; starts, lengths (m,) of any integer type; words: a tuple of k. next_block_out (1,) int64 is the next
    block of the stream, which has those up to last_block − 1. begins_out and ends_out (2**bits,) int64: where the chain of each
    partition begins and, behind its last key, ends; both 0 come first. links_out (blocks,) int32; keys_out (t, k) uint64;
    partitions_out (m,) of an unsigned type. Returns how many texts were dealt out: not all if one is longer than 8 k − 5 bytes
    or there is no block left.
    """
    base, keys_base = np.uint64(buffer.ctypes.data), np.uint64(keys_out.ctypes.data)
    end = base + np.uint64(buffer.shape[0])
    last, shift = len(words) - 1, np.uint64(63 - bits)
    step, longest = np.uint64(8 * len(words)), 8 * len(words) - 5
    for i in range(starts.shape[0]):
        address, length = base + np.uint64(starts[i]), np.int64(lengths[i])
        if length > longest:
            return i
        # Only keys of two words, the usual ones, are not made twice.
        first_word = _key_word(address, length, 0, last + 1, end)
        h = fold(SEED, first_word)
        for k in range(1, last):
            h = fold(h, _key_word(address, length, k, last + 1, end))
        last_word = _key_word(address, length, last, last + 1, end)
        partition = (finish(fold(h, last_word)) >> np.uint64(1)) >> shift
        at = ends_out[partition]
        if at & _IN_BLOCK == 0:
            block = next_block_out[0]
            if block == last_block:
                return i
            next_block_out[0] = block + 1
            if at > 0:
                links_out[(at - 1) >> _BLOCK_BITS] = block
            at = block << _BLOCK_BITS
            if ends_out[partition] == 0:
                begins_out[partition] = at
        ends_out[partition] = at + 1
        partitions_out[i] = partition
        key = keys_base + np.uint64(at) * step
        store_word(key, first_word)
        for k in range(1, last):
            store_word(key + np.uint64(8 * k), _key_word(address, length, k, last + 1, end))
        store_word(key + np.uint64(8 * last), last_word | (np.uint64(first + i) << _HALF))
    return starts.shape[0]


@compiled
def count_keys(begins, ends, links, counts_out):
    """Add the number of keys of each partition to counts_out (partitions,) int64; begins, ends (streams, partitions)."""
    for stream in range(begins.shape[0]):
        for partition in range(begins.shape[1]):
            at, end = begins[stream, partition], ends[stream, partition]
            if end > 0:
                counts_out[partition] += ((end - 1) & _IN_BLOCK) + 1
                while (at >> _BLOCK_BITS) != ((end - 1) >> _BLOCK_BITS):
                    counts_out[partition] += BLOCK
                    at = np.int64(links[at >> _BLOCK_BITS]) << _BLOCK_BITS


@compiled
def match_partitions(words, begins, ends, links, before, counts, first, last, slots, keys_out, new_out):
    """For each text of the partitions first to last − 1: the first place of an equal text, instead of its number in its key.

    begins, ends (streams, partitions), links: see `deal_out`; before (streams,) int64: place of the first text of each stream
    among all texts; counts: see `count_keys`. slots (s,) uint32 is scratch, s a power of two and more than the texts of any of
    these partitions. new_out (streams, 2) int64: the texts of each stream that have no equal one before them, and their bytes,
    are added to it.
    """
    final = len(words) - 1
    for partition in range(first, last):
        size = np.int64(16)
        while size < 2 * counts[partition] and size < slots.shape[0]:
            size *= 2
        slots[:size] = 0
        mask = np.uint64(size - 1)
        for stream in range(begins.shape[0]):
            position, end = begins[stream, partition], ends[stream, partition]
            place_before = np.uint64(before[stream]) << _HALF
            n_new, n_bytes, is_text = 0, np.uint64(0), end > 0
            while is_text:
                at = np.uint64(position)
                h = SEED
                for k in range(final):
                    h = fold(h, keys_out[at, k])
                ending = keys_out[at, final] & _WITHOUT_PLACE
                slot = finish(fold(h, ending)) & mask
                while True:
                    other = slots[slot]
                    if other == 0:
                        slots[slot] = np.uint32(position + 1)
                        keys_out[at, final] += place_before
                        n_new += 1
                        n_bytes += ending >> _LENGTH
                        break
                    candidate = np.uint64(other) - np.uint64(1)
                    found = keys_out[candidate, final]
                    same = (found & _WITHOUT_PLACE) == ending
                    for k in range(final):
                        same &= keys_out[at, k] == keys_out[candidate, k]
                    if same:
                        keys_out[at, final] = found  # the ending of both, and the place of the first
                        break
                    slot = (slot + np.uint64(1)) & mask
                is_text = position + 1 != end
                position = _next_position(position, links)
            new_out[stream, 0] += n_new
            new_out[stream, 1] += np.int64(n_bytes)


@compiled
def fetch_first(partitions, next_out, links, keys, first_place_out):
    """For each text of a stream, in partitions (m,), the first place of an equal text; see `match_partitions`.

    next_out (2**bits,) int64 comes with where the chain of each partition begins, and moves.
    """
    last = keys.shape[1] - 1
    for i in range(partitions.shape[0]):
        partition = np.uint64(partitions[i])
        at = next_out[partition]
        first_place_out[i] = keys[np.uint64(at), last] >> _HALF
        next_out[partition] = _next_position(at, links)


@compiled
def fetch_codes(partitions, next_out, links, keys, before, code, byte, places_out, ends_out, texts_out):
    """As `fetch_first`, but texts without an equal one before them get the codes `code` and so on, with a mark.

    before: place of the first text of the stream. texts_out (b,) uint8 takes these texts one behind the other, which fill it;
    ends_out where each of them ends, counted from `byte` on.
    """
    last = keys.shape[1] - 1
    base, target = np.uint64(keys.ctypes.data), np.uint64(texts_out.ctypes.data)
    step, n_bytes = np.uint64(8 * keys.shape[1]), np.int64(byte)
    base_end, out_end = base + step * np.uint64(keys.shape[0]), target + np.uint64(texts_out.shape[0])
    n = 0
    for i in range(partitions.shape[0]):
        partition = np.uint64(partitions[i])
        at = next_out[partition]
        next_out[partition] = _next_position(at, links)
        ending = keys[np.uint64(at), last]
        place = np.int64(ending >> _HALF)
        places_out[i] = place
        if place == before + i:
            places_out[i] = np.uint32(code + n) | MARK
            length = np.int64((ending >> _LENGTH) & _BYTE)
            copy_bytes(base + step * np.uint64(at), base_end, target, out_end, length)
            target += np.uint64(length)
            n_bytes += length
            ends_out[n] = n_bytes
            n += 1


@compiled
def code_others(all_places, n_leading, places_out):
    """Turn what `fetch_codes` left of a part of `all_places` (t,) into codes.

    A text with its mark loses the mark. The others get the code of the first text that is equal, which may be marked still or
    not; the code of each of the first `n_leading` places is the place.
    """
    for i in range(places_out.shape[0]):
        place = places_out[i]
        if place >= MARK:
            places_out[i] = place & ~MARK
        elif place >= n_leading:
            places_out[i] = all_places[np.uint64(place)] & ~MARK
