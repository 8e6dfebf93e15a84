"""Texts of which few are distinct: sexes, years, dates, herds of a small file."""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled
from breedeval.kernels.words import load_short, load_word

#: Texts have so many bytes at most.
LONGEST = 15

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_EIGHT, _TOP = np.uint64(8), np.uint64(56)


@compiled
def encode_few(buffer, starts, lengths, n, slots_out, keys_out, out):
    """Give each text a code, in order of first appearance, as long as texts are short and few.

    buffer (b,) uint8; starts, lengths (m,) of any integer type; n: how many distinct texts earlier calls have met, 0 if this is
    the first; slots_out (s,) int32, s a power of two, comes as zeros to the first call and keeps the code + 1 of a text;
    keys_out (k, 2) uint64, k less than s, takes the letters of each code and, in the last byte, their number; out (m,) of an
    integer type. Returns how many texts are distinct, −1 if they are more than k or one has more than `LONGEST` bytes.
    """
    base = np.uint64(buffer.ctypes.data)
    end = base + np.uint64(buffer.shape[0])
    bits = 0
    while (1 << bits) < slots_out.shape[0]:
        bits += 1
    mask, shift = np.uint64(slots_out.shape[0] - 1), np.uint64(64 - bits)
    for i in range(starts.shape[0]):
        address, length = base + np.uint64(starts[i]), np.int64(lengths[i])
        if length > LONGEST:
            return -1
        # The letters with zeros behind them and the length in the last byte: equal only if the texts are.
        low, high = np.uint64(0), np.uint64(length) << _TOP
        if length >= 8:
            low = load_word(address)
            if length > 8:
                high |= load_short(address + _EIGHT, length - 8, end)
        elif length > 0:
            low = load_short(address, length, end)
        slot = ((low ^ (high * _FACTOR)) * _FACTOR) >> shift
        while True:
            code = slots_out[slot] - 1
            if code < 0:
                if n == keys_out.shape[0]:
                    return -1
                keys_out[n, 0], keys_out[n, 1] = low, high
                code = n
                n += 1
                slots_out[slot] = n
                break
            if keys_out[code, 0] == low and keys_out[code, 1] == high:
                break
            slot = (slot + np.uint64(1)) & mask
        out[i] = code
    return n
