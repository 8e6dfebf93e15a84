"""Texts as bytes: hashing them and turning them into codes.

A text is a start and a length in a buffer of bytes. The table of known texts uses open addressing with linear probing; a slot
keeps 32 bits of the hash beside the code, so that a probe that misses touches no other memory. In a large table almost every
step would wait for memory. So texts are looked up in small batches, whose memory is asked for first, all of a kind at once: the
processor waits for the whole batch together and not for each text.

The slots are cut into regions, and a text stays in the region of its hash: threads that own different regions never meet. A
text that is new gets the place of its first appearance, whichever thread meets it; places become codes in one pass after.
So the codes do not depend on the number of threads.
"""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled
from breedeval.kernels.hashing import SEED, finish, fold
from breedeval.kernels.words import load_byte, load_short, load_word, prefetch, store_byte, store_word

EMPTY = np.uint64(0)
_LOW = np.uint64(0xFFFFFFFF)
_HIGH = np.uint64(0xFFFFFFFF00000000)
_ONE, _EIGHT = np.uint64(1), np.uint64(8)
_BATCH = 64


@compiled
def hash_texts(buffer, starts, lengths, out):
    """Hash each text, see `breedeval.kernels.hashing`.

    buffer (b,) uint8; starts (m,) int64; lengths (m,) int32; out (m,) uint64.
    """
    base = np.uint64(buffer.ctypes.data)
    end = base + np.uint64(buffer.shape[0])
    for i in range(starts.shape[0]):
        address, length = base + np.uint64(starts[i]), np.int64(lengths[i])
        h = SEED ^ np.uint64(length)
        while length >= 8:
            h = fold(h, load_word(address))
            address += _EIGHT
            length -= 8
        if length > 0:
            h = fold(h, load_short(address, length, end))
        out[i] = finish(h)


@compiled
def _same_bytes(one, one_end, other, other_end, length):
    """Whether the bytes at two addresses are the same; memory ends at the ends."""
    while length >= 8:
        if load_word(one) != load_word(other):
            return False
        one += _EIGHT
        other += _EIGHT
        length -= 8
    return length == 0 or load_short(one, length, one_end) == load_short(other, length, other_end)


@compiled
def copy_bytes(source, source_end, target, target_end, length):
    """Copy bytes; may write some more behind them, which the next text overwrites."""
    while length > 0:
        if source + _EIGHT <= source_end and target + _EIGHT <= target_end:
            store_word(target, load_word(source))
        else:
            for j in range(min(length, 8)):
                store_byte(target + np.uint64(j), load_byte(source + np.uint64(j)))
        source += _EIGHT
        target += _EIGHT
        length -= 8


@compiled
def find_texts(buffer, starts, lengths, hashes, slots, region, known, known_offsets, out):
    """Write the code of each text to out (m,) int32, −1 for one that is not in the table.

    ``region`` is the number of slots of a region, a power of two. The table is not changed: threads may share it.
    """
    mask, inside = np.uint64(slots.shape[0] - 1), np.uint64(region - 1)
    m, n_known = starts.shape[0], known_offsets.shape[0] - 1
    base, known_base = np.uint64(buffer.ctypes.data), np.uint64(known.ctypes.data)
    base_end, known_end = base + np.uint64(buffer.shape[0]), known_base + np.uint64(known.shape[0])
    slots_base, offsets_base = np.uint64(slots.ctypes.data), np.uint64(known_offsets.ctypes.data)
    for first in range(0, m, _BATCH):
        last = min(first + _BATCH, m)
        for i in range(first, last):
            prefetch(slots_base + _EIGHT * (hashes[i] & mask))
        for i in range(first, last):
            slot = slots[hashes[i] & mask]
            out[i] = np.int64(slot & _LOW) - 1 if slot != EMPTY else 0
            prefetch(offsets_base + _EIGHT * np.uint64(out[i]))
            prefetch(offsets_base + _EIGHT * np.uint64(out[i] + 1))
        for i in range(first, last):
            if n_known > 0:
                address = known_base + np.uint64(known_offsets[np.uint64(out[i])])
                prefetch(address)
                prefetch(address + _EIGHT)
        for i in range(first, last):
            tag = hashes[i] & _HIGH
            place = hashes[i] & mask
            length = np.int64(lengths[i])
            code = np.int64(-1)
            while slots[place] != EMPTY:
                if (slots[place] & _HIGH) == tag:
                    candidate = (slots[place] & _LOW) - _ONE
                    begin = known_offsets[candidate]
                    if known_offsets[candidate + _ONE] - begin == length and _same_bytes(
                        base + np.uint64(starts[i]), base_end, known_base + np.uint64(begin), known_end, length
                    ):
                        code = np.int64(candidate)
                        break
                place = (place & ~inside) | ((place + _ONE) & inside)
            out[i] = code


@compiled
def encode_texts(
    buffer, starts, lengths, hashes, slots, region, first_region, last_region, known, known_offsets, n_known, out, place_out
):
    """As `find_texts` for the texts of some regions; a text i that is not in the table gets the code n_known + i.

    Texts of other regions are passed over. ``place_out`` (m,) uint32 is the slot of each text that is new. ``slots`` must be at
    most half full after this call. Codes are settled by `settle_codes`.
    """
    mask, inside = np.uint64(slots.shape[0] - 1), np.uint64(region - 1)
    low, high = np.uint64(first_region * region), np.uint64(last_region * region)
    n_old = np.uint64(n_known)
    base, known_base = np.uint64(buffer.ctypes.data), np.uint64(known.ctypes.data)
    base_end, known_end = base + np.uint64(buffer.shape[0]), known_base + np.uint64(known.shape[0])
    slots_base, offsets_base = np.uint64(slots.ctypes.data), np.uint64(known_offsets.ctypes.data)
    codes, chosen = np.zeros(_BATCH, dtype=np.uint64), np.zeros(_BATCH + 1, dtype=np.int64)
    n, m = 0, starts.shape[0]
    for next_text in range(m + 1):
        if next_text < m:
            place = hashes[next_text] & mask
            chosen[n] = next_text
            n += np.int64(low <= place) & np.int64(place < high)
            if n < _BATCH:
                continue
        for j in range(n):
            prefetch(slots_base + _EIGHT * (hashes[chosen[j]] & mask))
        for j in range(n):
            slot = slots[hashes[chosen[j]] & mask]
            code = (slot & _LOW) - _ONE
            codes[j] = code if slot != EMPTY and code < n_old else EMPTY
            prefetch(offsets_base + _EIGHT * codes[j])
            prefetch(offsets_base + _EIGHT * (codes[j] + _ONE))
        for j in range(n):
            address = known_base + np.uint64(known_offsets[codes[j]])
            prefetch(address)
            prefetch(address + _EIGHT)
        for j in range(n):
            i = np.uint64(chosen[j])
            tag = hashes[i] & _HIGH
            place = hashes[i] & mask
            length = np.int64(lengths[i])
            address = base + np.uint64(starts[i])
            code = n_old + i
            is_new = True
            while slots[place] != EMPTY:
                if (slots[place] & _HIGH) == tag:
                    candidate = (slots[place] & _LOW) - _ONE
                    if candidate < n_old:
                        begin = known_offsets[candidate]
                        same = known_offsets[candidate + _ONE] - begin == length and _same_bytes(
                            address, base_end, known_base + np.uint64(begin), known_end, length
                        )
                    else:
                        first = candidate - n_old
                        same = np.int64(lengths[first]) == length and _same_bytes(
                            address, base_end, base + np.uint64(starts[first]), base_end, length
                        )
                    if same:
                        code = candidate
                        is_new = False
                        break
                place = (place & ~inside) | ((place + _ONE) & inside)
            if is_new:
                slots[place] = tag | (code + _ONE)
                place_out[i] = place
            out[i] = code
        n = 0


@compiled
def settle_codes(buffer, starts, lengths, slots_out, place, known_out, known_offsets_out, n_known, out):
    """Turn places of first appearance into codes and add the new texts to those known. Returns the new number of texts.

    ``known_out`` and ``known_offsets_out`` must have room for every text of the call.
    """
    base, known_base = np.uint64(buffer.ctypes.data), np.uint64(known_out.ctypes.data)
    base_end, known_end = base + np.uint64(buffer.shape[0]), known_base + np.uint64(known_out.shape[0])
    n_new = 0
    for i in range(starts.shape[0]):
        first = np.int64(out[i]) - n_known
        if first < 0:
            continue
        if first < i:
            out[i] = out[first]
            continue
        code = n_known + n_new
        if code != out[i]:
            slots_out[place[i]] = (slots_out[place[i]] & _HIGH) | np.uint64(code + 1)
            out[i] = code
        end, length = known_offsets_out[code], np.int64(lengths[i])
        copy_bytes(base + np.uint64(starts[i]), base_end, known_base + np.uint64(end), known_end, length)
        known_offsets_out[code + 1] = end + length
        n_new += 1
    return n_known + n_new


@compiled
def fill_slots(hashes, slots, region, first_region, last_region):
    """Put the codes 0, 1, ... of distinct texts with these hashes into empty slots of some regions."""
    mask, inside = np.uint64(slots.shape[0] - 1), np.uint64(region - 1)
    low, high = np.uint64(first_region * region), np.uint64(last_region * region)
    for code in range(hashes.shape[0]):
        place = hashes[code] & mask
        if low <= place < high:
            while slots[place] != EMPTY:
                place = (place & ~inside) | ((place + _ONE) & inside)
            slots[place] = (hashes[code] & _HIGH) | np.uint64(code + 1)


@compiled
def end_texts(offsets, rows, ends_out):
    """Where the text of each row ends when these texts stand one behind the other; returns the last end."""
    end = np.int64(0)
    for i in range(rows.shape[0]):
        row = np.uint64(rows[i])
        end += offsets[row + _ONE] - offsets[row]
        ends_out[i] = end
    return end


@compiled
def gather_texts(buffer, offsets, rows, out, out_offsets):
    """Copy the texts of some rows to ``out`` (b,), which they fill; the i-th begins at out_offsets[i] − out_offsets[0]."""
    base, out_base = np.uint64(buffer.ctypes.data), np.uint64(out.ctypes.data)
    base_end, out_end = base + np.uint64(buffer.shape[0]), out_base + np.uint64(out.shape[0])
    n = rows.shape[0]
    for first in range(0, n, _BATCH):
        last = min(first + _BATCH, n)
        for i in range(first, last):
            prefetch(base + np.uint64(offsets[np.uint64(rows[i])]))
        for i in range(first, last):
            target = out_base + np.uint64(out_offsets[i] - out_offsets[0])
            length = out_offsets[i + 1] - out_offsets[i]
            copy_bytes(base + np.uint64(offsets[np.uint64(rows[i])]), base_end, target, out_end, length)


@compiled
def common_length(offsets):
    """Length of every text, −1 if they differ or there is none."""
    n = offsets.shape[0] - 1
    length = offsets[1] - offsets[0] if n > 0 else -1
    for i in range(n):
        if offsets[i + 1] - offsets[i] != length:
            return -1
    return length


@compiled
def gather_even_texts(buffer, first, length, rows, out):
    """As `gather_texts` for texts of one length, the first of which begins at ``first``: their offsets are not looked at."""
    base, target = np.uint64(buffer.ctypes.data), np.uint64(out.ctypes.data)
    base_end, out_end = base + np.uint64(buffer.shape[0]), target + np.uint64(out.shape[0])
    base += np.uint64(first)
    step = np.uint64(length)
    n = rows.shape[0]
    for begin in range(0, n, _BATCH):
        end = min(begin + _BATCH, n)
        for i in range(begin, end):
            address = base + step * np.uint64(rows[i])
            prefetch(address)
            prefetch(address + step)
        for i in range(begin, end):
            copy_bytes(base + step * np.uint64(rows[i]), base_end, target, out_end, length)
            target += step
