"""Bytes eight at a time, against Python."""

from __future__ import annotations

import numba
import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from breedeval.kernels.utf8 import NOT_UTF8, NUL, find_foreign_bytes
from breedeval.kernels.words import equal_bytes, lowest_bit, lowest_byte, survey, zero_bytes

PIECES = st.sampled_from(
    [b"a", b"\n", b"\0", b'"', "ä".encode(), "€".encode(), "𝛼".encode(), b"\xe4", b"\xed\xa0\x80", b"\xc0\xaf"]
)


@given(st.binary(min_size=8, max_size=8))
@example(b"\x01\x00\x01\x00\x01\x00\x01\x00")
@example(b"\x80" * 8)
def test_the_first_zero_byte_is_found(data):
    marks = zero_bytes(np.frombuffer(data, dtype=np.uint64)[0])
    place = data.find(b"\0")
    assert (int(lowest_byte(np.uint64(marks))) if marks else -1) == place


@numba.njit
def bytes_that_are(text, one, other):
    return equal_bytes(np.uint64(text.ctypes.data), np.uint8(one), np.uint8(other))


@numba.njit
def place_of_lowest(bits):
    return lowest_bit(bits)


@given(st.binary(min_size=64, max_size=64), st.integers(0, 255))
@example(b"\n" * 64, 44)
@example(b" " * 63 + b",", 44)
def test_which_of_64_bytes_are_one_of_two(data, byte):
    bits = int(bytes_that_are(np.frombuffer(data, dtype=np.uint8), byte, 10))
    places = [place for place, here in enumerate(data) if here in (byte, 10)]
    assert bits == sum(1 << place for place in places)
    assert not places or place_of_lowest(np.uint64(bits)) == places[0]


@given(st.binary(max_size=4000))
def test_survey_counts_line_feeds_and_sees_what_is_there(data):
    data = data.ljust(-(-len(data) // 8) * 8, b" ")
    n_line_feeds, nul, high, quote = survey(np.frombuffer(data, dtype=np.uint64))
    assert n_line_feeds == data.count(b"\n")
    assert (nul, high, quote) == (0 in data, not data.isascii(), b'"' in data)


def test_survey_of_line_feeds_alone_does_not_overflow():
    assert survey(np.full(10_000, 0x0A0A0A0A0A0A0A0A, dtype=np.uint64))[0] == 80_000


@given(st.lists(PIECES, max_size=60))
def test_bytes_that_are_no_text_against_the_decoder_of_python(pieces):
    data = b"".join(pieces)
    expected = []
    for number, line in enumerate(data.split(b"\n"), 1):
        good = line.decode("utf-8", "replace")
        # A letter cannot reach over a line end, so lines can be judged alone.
        if "\ufffd" in good or "\0" in good:
            bad = min(place for place in (good.find("\ufffd"), good.find("\0")) if place >= 0)
            expected.append((number, NUL if good[bad] == "\0" else NOT_UTF8))
    place, line, kind = (np.zeros(100, dtype=np.int64) for _ in range(3))
    n = find_foreign_bytes(np.frombuffer(data, dtype=np.uint8), True, place, line, kind)
    assert list(zip(line[:n].tolist(), kind[:n].tolist(), strict=True)) == expected
    assert [data[:at].count(b"\n") + 1 for at in place[:n].tolist()] == line[:n].tolist()
