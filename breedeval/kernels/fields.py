"""Cutting delimited text into fields, and turning fields into numbers.

A file is one buffer of bytes. A field is a start and a length in it, so nothing is copied and no object is made for a row.
"""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled
from breedeval.kernels.plain_rows import LINE_FEED, QUOTE, RETURN, SPACE, cut_plain_rows
from breedeval.kernels.words import HIGHS, ONES, load_byte, load_word, lowest_byte, zero_bytes

#: Stands for "runs of blanks and tabs" where a separator is asked for.
WHITE_SPACE = 0
TAB = 9
#: What a field turned out to be.
NUMBER, MISSING, LONG_NUMBER, NOT_A_NUMBER = 0, 1, 2, 3

_GOOD, _STRAY, _UNCLOSED = 0, 1, 2
_LINE_FEEDS = ONES * np.uint64(LINE_FEED)
_ABOVE_BLANKS = ONES * np.uint64(SPACE + 1)
_PLUS, _MINUS, _POINT, _ZERO, _NINE, _E, _SMALL_E = 43, 45, 46, 48, 57, 69, 101
_POWERS = 10.0 ** np.arange(23)
_EXACT = 2**53
_MOST_DIGITS = 18
_LARGEST_EXPONENT = 100_000


@compiled
def count_line_ends(buffer):
    """Count the line feeds of buffer (b,) uint8."""
    n = 0
    for i in range(buffer.shape[0]):
        n += buffer[i] == LINE_FEED
    return n


@compiled
def _after_blanks(text, at, separator):
    while at < text.shape[0]:
        byte = text[np.uint64(at)]
        if byte == SPACE or byte == RETURN or (byte == TAB and separator != TAB):  # noqa: SIM109
            at += 1
        else:
            break
    return at


@compiled
def _ends_field(byte, separator):
    if byte == LINE_FEED or byte == separator:  # noqa: SIM109  compiled as comparisons
        return True
    return separator == WHITE_SPACE and (byte == SPACE or byte == TAB or byte == RETURN)  # noqa: SIM109


@compiled
def _find_end(base, at, n, separator):
    """Place of the first byte from at on that ends a field; eight bytes at a time while there are eight.

    The text is n bytes of memory from address base on.
    """
    separators = ONES * np.uint64(separator)
    while at + 8 <= n:
        word = load_word(base + np.uint64(at))
        if separator == WHITE_SPACE:
            marks = (word - _ABOVE_BLANKS) & ~word & HIGHS  # bytes up to the blank
        else:
            marks = zero_bytes(word ^ separators) | zero_bytes(word ^ _LINE_FEEDS)
        if marks != 0:
            at += lowest_byte(marks)
            if _ends_field(load_byte(base + np.uint64(at)), separator):
                return at
            at += 1  # another control character
        else:
            at += 8
    while at < n and not _ends_field(load_byte(base + np.uint64(at)), separator):
        at += 1
    return at


@compiled
def _unquote(text_out, at):
    """Shorten doubled quotes in place; returns (end of the text, place behind the closing quote or −1, line feeds inside)."""
    end = at
    line_feeds = 0
    while at < text_out.shape[0]:
        byte = text_out[at]
        if byte == QUOTE:
            if at + 1 < text_out.shape[0] and text_out[at + 1] == QUOTE:
                at += 1
            else:
                return end, at + 1, line_feeds
        line_feeds += byte == LINE_FEED
        if end != at:
            text_out[end] = byte
        end += 1
        at += 1
    return end, -1, line_feeds


@compiled
def _find_plain(base, at, n, separator):
    """Place of what ends a field without quotes and without blanks at its ends, else −1; see `_find_end`."""
    if at >= n:
        return -1
    first = load_byte(base + np.uint64(at))
    if first <= SPACE or first == QUOTE:
        return -1
    end = _find_end(base, at, n, separator)
    if end > at and load_byte(base + np.uint64(end - 1)) <= SPACE:
        return -1
    return end


@compiled
def _cut_field(text_out, at, separator):
    """Cut one field; returns (start, end, place of what ends it, line feeds inside, state)."""
    n = text_out.shape[0]
    at = _after_blanks(text_out, at, separator)
    start, line_feeds, state = at, 0, _GOOD
    if at < n and text_out[at] == QUOTE:
        start += 1
        end, at, line_feeds = _unquote(text_out, start)
        if at < 0:
            return start, end, n, line_feeds, _UNCLOSED
        if separator != WHITE_SPACE:
            at = _after_blanks(text_out, at, separator)
        if at < n and not _ends_field(text_out[at], separator):
            state = _STRAY
        at = _find_end(np.uint64(text_out.ctypes.data), at, n, separator)
        while start < end and (text_out[start] == SPACE or text_out[start] == TAB):
            start += 1
    else:
        at = _find_end(np.uint64(text_out.ctypes.data), at, n, separator)
        end = at
    while end > start and (text_out[end - 1] == SPACE or text_out[end - 1] == TAB or text_out[end - 1] == RETURN):
        end -= 1
    return start, end, at, line_feeds, state


@compiled
def cut_rows(text_out, at, line, separator, slots, starts_out, lengths_out, lines_out, ragged_out, stray_out):
    """Cut text into rows and fields by RFC 4180; blanks around fields and blank lines are left out.

    text_out (b,) uint8, changed only where quotes are doubled; at, line: where to begin and the number of that line; slots (f,)
    int32: which row of starts_out (w, cap) and lengths_out (w, cap) takes field j, −1 none; lines_out (cap,) int32:
    line of each row; ragged_out (k, 2) int64: the first rows that have not f fields, as (line, fields); stray_out (k,)
    int64: lines with text behind a closing quote. At most cap rows are cut.

    Returns (rows, end, line at the end, number of ragged rows, number of them with as many fields as the first, number of stray
    texts, line of a quote that is never closed or 0, length of the longest field taken). Fields that are longer than the type
    of lengths_out can say must be cut again.
    """
    n, n_fields = text_out.shape[0], slots.shape[0]
    base = np.uint64(text_out.ctypes.data)
    row, n_ragged, n_like_first, n_stray, longest = 0, 0, 0, 0, 0
    while row < starts_out.shape[1]:
        if separator != WHITE_SPACE:
            row, at, line, longest = cut_plain_rows(
                base, at, n, line, separator, slots, row, starts_out, lengths_out, lines_out, longest
            )
            if row == starts_out.shape[1]:
                break
        at = _after_blanks(text_out, at, separator)
        if at >= n:
            break
        if text_out[at] == LINE_FEED:
            at += 1
            line += 1
            continue
        first_line, field = line, 0
        while True:
            start = at
            at = _find_plain(base, at, n, separator)
            end = at
            if at < 0:
                start, end, at, line_feeds, state = _cut_field(text_out, start, separator)
                if state == _UNCLOSED:
                    return row, at, line, n_ragged, n_like_first, n_stray, line, longest
                if state == _STRAY:
                    if n_stray < stray_out.shape[0]:
                        stray_out[n_stray] = line
                    n_stray += 1
                line += line_feeds
            if field < n_fields and slots[field] >= 0:
                starts_out[slots[field], row] = start
                lengths_out[slots[field], row] = end - start
                longest = max(longest, end - start)
            field += 1
            if separator == WHITE_SPACE:
                at = _after_blanks(text_out, at, separator)
                if at >= n or text_out[at] == LINE_FEED:
                    break
            elif at < n and text_out[at] == separator:
                at += 1
            else:
                break
        at += 1
        line += 1
        lines_out[row] = first_line
        if field != n_fields:
            if n_ragged < ragged_out.shape[0]:
                ragged_out[n_ragged, 0] = first_line
                ragged_out[n_ragged, 1] = field
            n_ragged += 1
            n_like_first += field == ragged_out[0, 1]
        row += 1
    return row, at, line, n_ragged, n_like_first, n_stray, 0, longest


@compiled
def _is_among(buffer, start, length, known, offsets):
    for k in range(offsets.shape[0] - 1):
        if offsets[k + 1] - offsets[k] == length:
            same = True
            for j in range(length):
                if buffer[start + j] != known[offsets[k] + j]:
                    same = False
                    break
            if same:
                return True
    return False


@compiled
def _read_exponent(buffer, at, end):
    """Read ``[+-]digits`` up to end; returns (value, whether it is well formed)."""
    negative = at < end and buffer[at] == _MINUS
    if at < end and (buffer[at] == _PLUS or buffer[at] == _MINUS):
        at += 1
    if at >= end:
        return 0, False
    value = 0
    for j in range(at, end):
        if buffer[j] < _ZERO or buffer[j] > _NINE:
            return 0, False
        value = min(10 * value + np.int64(buffer[j] - _ZERO), _LARGEST_EXPONENT)
    return (-value if negative else value), True


@compiled
def _read_number(buffer, start, end):
    """Read a decimal number; returns (value, NUMBER, LONG_NUMBER or NOT_A_NUMBER)."""
    at = start
    negative = at < end and buffer[at] == _MINUS
    if at < end and (buffer[at] == _PLUS or buffer[at] == _MINUS):
        at += 1
    mantissa, exponent = np.int64(0), np.int64(0)
    n_digits, n_significant, behind_point = 0, 0, False
    while at < end:
        byte = buffer[at]
        if byte == _POINT and not behind_point:
            behind_point = True
        elif _ZERO <= byte <= _NINE:
            n_digits += 1
            exponent -= behind_point
            if n_significant > 0 or byte != _ZERO:
                n_significant += 1
                if n_significant <= _MOST_DIGITS:
                    mantissa = 10 * mantissa + np.int64(byte - _ZERO)
        else:
            break
        at += 1
    if n_digits == 0:
        return 0.0, NOT_A_NUMBER
    if at < end:
        if buffer[at] != _E and buffer[at] != _SMALL_E:
            return 0.0, NOT_A_NUMBER
        power, good = _read_exponent(buffer, at + 1, end)
        if not good:
            return 0.0, NOT_A_NUMBER
        exponent += power
    if n_significant == 0:
        return (-0.0 if negative else 0.0), NUMBER
    if n_significant > _MOST_DIGITS or mantissa > _EXACT or exponent < -22 or exponent > 22:
        return 0.0, LONG_NUMBER
    value = np.float64(mantissa)
    value = value / _POWERS[-exponent] if exponent < 0 else value * _POWERS[exponent]
    return (-value if negative else value), NUMBER


@compiled
def read_numbers(buffer, starts, lengths, missing, missing_offsets, out, kind_out):
    """Turn fields into float64, correctly rounded; NaN where missing or not read here.

    A mantissa up to 2^53 and a power of ten up to 10^22 are exact in float64, so one multiplication or division rounds once
    (Clinger, 1990, How to read floating point numbers accurately). Longer numbers are marked LONG_NUMBER for the caller.

    buffer (b,) uint8; starts (m,) int64; lengths (m,) int32; missing, missing_offsets: texts that mean "missing"; out (m,)
    float64; kind_out (m,) int8: NUMBER, MISSING, LONG_NUMBER or NOT_A_NUMBER. Returns how many are of the last two kinds.
    """
    n_left = 0
    for i in range(starts.shape[0]):
        out[i] = np.nan
        if _is_among(buffer, starts[i], lengths[i], missing, missing_offsets):
            kind_out[i] = MISSING
            continue
        value, kind = _read_number(buffer, starts[i], starts[i] + lengths[i])
        kind_out[i] = kind
        if kind == NUMBER:
            out[i] = value
        else:
            n_left += 1
    return n_left
