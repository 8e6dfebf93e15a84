"""Texts as bytes: hashing them and turning them into codes.

A text is a start and a length in a buffer of bytes. The table of known texts uses open addressing with linear probing; a slot
keeps 32 bits of the hash beside the code, so that a probe that misses touches no other memory. In a large table almost every
step would wait for memory. So texts are looked up in small batches, whose memory is touched first, all of a kind at once: the
processor waits for the whole batch together and not for each text.
"""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled

EMPTY = np.uint64(0)
_LOW = np.uint64(0xFFFFFFFF)
_HIGH = np.uint64(0xFFFFFFFF00000000)
_FNV_OFFSET = np.uint64(0xCBF29CE484222325)
_FNV_PRIME = np.uint64(0x100000001B3)
_MIX = np.uint64(0xFF51AFD7ED558CCD)
_SHIFT = np.uint64(33)
_HALF = np.uint64(32)
_ONE = np.uint64(1)
_BATCH = 64


@compiled
def hash_texts(buffer, starts, lengths, out):
    """Hash each text: FNV-1a (Fowler, Noll, Vo) with the final mix of MurmurHash3 (Appleby).

    buffer (b,) uint8; starts (m,) int64; lengths (m,) int32; out (m,) uint64.
    """
    for i in range(starts.shape[0]):
        h = _FNV_OFFSET
        start = starts[i]
        for j in range(start, start + lengths[i]):
            h = (h ^ np.uint64(buffer[j])) * _FNV_PRIME
        h = (h ^ (h >> _SHIFT)) * _MIX
        out[i] = h ^ (h >> _SHIFT)


@compiled
def _same(buffer, start, length, known, known_offsets, code):
    begin = known_offsets[code]
    if known_offsets[code + 1] - begin != length:
        return False
    for j in range(length):  # noqa: SIM110  a generator would not compile
        if buffer[start + j] != known[begin + j]:
            return False
    return True


@compiled
def _touch(hashes, first, last, slots, known, known_offsets, begins_out, sum_out):
    """Read what the lookup of texts first to last will need. The sum is there so that the reading is not optimized away."""
    mask = np.uint64(slots.shape[0] - 1)
    for i in range(first, last):
        slot = slots[hashes[i] & mask]
        begins_out[i - first] = np.int64((slot & _LOW) - _ONE) if slot != EMPTY else 0
    for j in range(last - first):
        begins_out[j] = known_offsets[begins_out[j]]
    for j in range(last - first):
        sum_out[0] += known[min(begins_out[j], known.shape[0] - 1)]


@compiled
def find_texts(buffer, starts, lengths, hashes, slots, known, known_offsets, out):
    """Write the code of each text to out (m,) int32, −1 for one that is not in the table."""
    mask = np.uint64(slots.shape[0] - 1)
    begins, touched = np.zeros(_BATCH, dtype=np.int64), np.zeros(1, dtype=np.int64)
    for i in range(starts.shape[0]):
        if i % _BATCH == 0 and known.shape[0] > 0:
            _touch(hashes, i, min(i + _BATCH, starts.shape[0]), slots, known, known_offsets, begins, touched)
        tag = hashes[i] & _HIGH
        place = hashes[i] & mask
        code = -1
        while slots[place] != EMPTY:
            if (slots[place] & _HIGH) == tag:
                candidate = np.int64((slots[place] & _LOW) - _ONE)
                if _same(buffer, starts[i], lengths[i], known, known_offsets, candidate):
                    code = candidate
                    break
            place = (place + _ONE) & mask
        out[i] = code


@compiled
def encode_texts(buffer, starts, lengths, hashes, slots, known, known_offsets, n_known, out):
    """As `find_texts`, but a text that is not in the table is appended to it. Returns the new number of texts.

    ``known`` and ``known_offsets`` must have room for every text of this call, ``slots`` be at most half full after it.
    """
    mask = np.uint64(slots.shape[0] - 1)
    begins, touched = np.zeros(_BATCH, dtype=np.int64), np.zeros(1, dtype=np.int64)
    for i in range(starts.shape[0]):
        if i % _BATCH == 0 and known.shape[0] > 0:
            _touch(hashes, i, min(i + _BATCH, starts.shape[0]), slots, known, known_offsets, begins, touched)
        tag = hashes[i] & _HIGH
        place = hashes[i] & mask
        code = np.int64(-1)
        while slots[place] != EMPTY:
            if (slots[place] & _HIGH) == tag:
                candidate = np.int64((slots[place] & _LOW) - _ONE)
                if _same(buffer, starts[i], lengths[i], known, known_offsets, candidate):
                    code = candidate
                    break
            place = (place + _ONE) & mask
        if code < 0:
            code = n_known
            end = known_offsets[n_known]
            for j in range(lengths[i]):
                known[end + j] = buffer[starts[i] + j]
            known_offsets[n_known + 1] = end + lengths[i]
            slots[place] = tag | np.uint64(n_known + 1)
            n_known += 1
        out[i] = code
    return n_known


@compiled
def fill_slots(hashes, slots):
    """Put the codes 0, 1, ... of distinct texts with these hashes into empty slots."""
    mask = np.uint64(slots.shape[0] - 1)
    for code in range(hashes.shape[0]):
        place = hashes[code] & mask
        while slots[place] != EMPTY:
            place = (place + _ONE) & mask
        slots[place] = (hashes[code] & _HIGH) | np.uint64(code + 1)


@compiled
def gather_texts(buffer, starts, lengths, out):
    """Copy texts one behind the other into out."""
    end = 0
    for i in range(starts.shape[0]):
        for j in range(lengths[i]):
            out[end + j] = buffer[starts[i] + j]
        end += lengths[i]
