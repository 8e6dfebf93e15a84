"""Cutting rows in which nothing has to be thought about: no quotes, no blanks around fields, as many fields as expected.

The ends of fields are found 64 bytes at a time, as the bits of a number; a processor with vectors compares so many bytes in a
few steps. (Langdale and Lemire 2019, VLDB Journal 28:941, cut JSON that way.)
"""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled
from breedeval.kernels.words import equal_bytes, load_byte, lowest_bit

LINE_FEED, RETURN, SPACE, QUOTE = 10, 13, 32, 34
_BLOCK = 64
_ONE = np.uint64(1)


@compiled
def _is_plain(base, start, end):
    """Whether a field that is not empty neither begins with a blank or a quote nor ends with a blank."""
    first, last = load_byte(base + np.uint64(start)), load_byte(base + np.uint64(end - 1))
    return (first > SPACE) & (first != QUOTE) & (last > SPACE)


@compiled
def cut_plain_rows(base, at, n, line, separator, slots, row, starts_out, lengths_out, lines_out, longest):
    """Cut rows from `at` on as long as each is plain; the text is n bytes of memory from address base on.

    ``line`` is the number of the line at `at`, ``row`` that of the first row; a carriage return before the line feed does not
    belong to the field. The outputs are as of `breedeval.kernels.fields.cut_rows`. Returns the next row, where it begins, the
    number of its line, and the length of the longest field taken.
    """
    n_fields = slots.shape[0]
    block = at
    if n_fields == 0 or block + _BLOCK > n:
        return row, at, line, longest
    ends = equal_bytes(base + np.uint64(block), np.uint8(separator), np.uint8(LINE_FEED))
    while row < starts_out.shape[1]:
        start = at
        for field in range(n_fields):
            while ends == 0:
                block += _BLOCK
                if block + _BLOCK > n:
                    return row, at, line, longest
                ends = equal_bytes(base + np.uint64(block), np.uint8(separator), np.uint8(LINE_FEED))
            found = block + lowest_bit(ends)
            ends &= ends - _ONE
            end = found
            is_last = load_byte(base + np.uint64(found)) == LINE_FEED
            if is_last and end > start and load_byte(base + np.uint64(end - 1)) == RETURN:
                end -= 1
            if is_last != (field == n_fields - 1) or (end > start and not _is_plain(base, start, end)):
                return row, at, line, longest
            if slots[field] >= 0:
                slot = np.uint64(slots[field])
                starts_out[slot, row] = start
                lengths_out[slot, row] = end - start
                longest = max(longest, end - start)
            start = found + 1
        if n_fields == 1 and end == at:
            return row, at, line, longest  # a blank line is no row
        lines_out[row] = line
        at = start
        line += 1
        row += 1
    return row, at, line, longest
