"""Finding bytes that are no text."""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled
from breedeval.kernels.plain_rows import LINE_FEED
from breedeval.kernels.words import HIGHS, load_word

#: Kinds of faults.
NOT_UTF8, NUL = 1, 2
_NO_ZEROS = np.uint64(0x0101010101010101)


@compiled
def _length_at(text, at):
    """Bytes of the letter at ``at`` (2 to 4), 0 if they are no UTF-8 (table 3-7 of the Unicode standard)."""
    n = text.shape[0]
    first = text[at]
    if 0xC2 <= first <= 0xDF:
        length, low, high = 2, 0x80, 0xBF
    elif 0xE0 <= first <= 0xEF:
        length = 3
        low = 0xA0 if first == 0xE0 else 0x80
        high = 0x9F if first == 0xED else 0xBF
    elif 0xF0 <= first <= 0xF4:
        length = 4
        low = 0x90 if first == 0xF0 else 0x80
        high = 0x8F if first == 0xF4 else 0xBF
    else:
        return 0
    if at + length > n or text[at + 1] < low or text[at + 1] > high:
        return 0
    for j in range(at + 2, at + length):
        if text[j] < 0x80 or text[j] > 0xBF:
            return 0
    return length


@compiled
def find_foreign_bytes(text, check_utf8, place_out, line_out, kind_out):
    """Find bytes of text (b,) uint8 that are NUL or, if asked for, no UTF-8, with their lines; one a line, the first.

    The first of them are written to the three (k,) int64 arrays. Returns how many lines have one.
    """
    base = np.uint64(text.ctypes.data)
    n = text.shape[0]
    found, line, last_line, at = 0, 1, 0, 0
    while at < n:
        if at + 8 <= n:
            word = load_word(base + np.uint64(at))
            line_feeds = word ^ np.uint64(0x0A0A0A0A0A0A0A0A)
            if ((word | (word - _NO_ZEROS) | ((line_feeds - _NO_ZEROS) & ~line_feeds)) & HIGHS) == 0:
                at += 8  # ASCII, neither a NUL nor a line feed
                continue
        byte = text[at]
        length = 1
        kind = 0
        if byte == 0:
            kind = NUL
        elif byte >= 0x80 and check_utf8:
            length = _length_at(text, at)
            if length == 0:
                kind, length = NOT_UTF8, 1
        if kind != 0 and line != last_line:
            if found < place_out.shape[0]:
                place_out[found], line_out[found], kind_out[found] = at, line, kind
            found += 1
            last_line = line
        line += byte == LINE_FEED
        at += length
    return found
