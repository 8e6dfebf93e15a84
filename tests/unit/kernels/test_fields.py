"""Rows and fields against Python's csv module, numbers against float()."""

from __future__ import annotations

import csv
import io
import math
import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from breedeval.kernels.fields import LONG_NUMBER, MISSING, NOT_A_NUMBER, NUMBER, WHITE_SPACE, cut_rows, read_numbers
from breedeval.names import Names

FIELD = st.text(alphabet='ab0 ,;"\n\té', max_size=6)
PLAIN_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def cut(text: str, n_fields: int, separator: int = ord(",")) -> tuple[list[list[str]], list[int], tuple]:
    """Rows, their lines, and what `cut_rows` returns."""
    buffer = np.frombuffer(bytearray(text.encode()), dtype=np.uint8)
    capacity = text.count("\n") + 1
    starts = np.zeros((n_fields, capacity), dtype=np.int64)
    lengths = np.zeros((n_fields, capacity), dtype=np.int32)
    lines = np.zeros(capacity, dtype=np.int32)
    slots = np.arange(n_fields, dtype=np.int32)
    ragged, stray = np.zeros((5, 2), dtype=np.int64), np.zeros(5, dtype=np.int64)
    found = cut_rows(buffer, 0, 1, separator, slots, starts, lengths, lines, ragged, stray)
    rows = [
        [buffer[starts[j, i] : starts[j, i] + lengths[j, i]].tobytes().decode() for j in range(n_fields)]
        for i in range(found[0])
    ]
    return rows, lines[: found[0]].tolist(), found


def numbers(texts: list[str], missing: tuple[str, ...] = ()) -> tuple[np.ndarray, list[int]]:
    names, codes = Names.of(texts), Names.of(missing)
    values, kinds = np.empty(len(texts)), np.empty(len(texts), dtype=np.int8)
    read_numbers(names.buffer, names.offsets[:-1], names.lengths, codes.buffer, codes.offsets, values, kinds)
    return values, kinds.tolist()


@given(
    st.lists(st.tuples(FIELD, FIELD, FIELD), max_size=8),
    st.sampled_from(",;\t"),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_rows_that_csv_writes(rows, separator, line_end, quote_all):
    # The csv module is the twin; breedeval also strips blanks around the text.
    written = io.StringIO(newline="")
    writer = csv.writer(
        written, delimiter=separator, lineterminator=line_end, quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    )
    rows = [[field.strip() for field in row] for row in rows]
    writer.writerows(rows)
    assert list(csv.reader(io.StringIO(written.getvalue(), newline=""), delimiter=separator)) == rows
    cut_out, _, found = cut(written.getvalue(), 3, ord(separator))
    assert cut_out == rows
    assert found[3:7] == (0, 0, 0, 0)
    assert found[7] == max((len(field.encode()) for row in rows for field in row), default=0)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("n_fields", [1, 2, 5])
@pytest.mark.parametrize("odd", [0.0, 0.02, 0.5])
def test_long_texts_against_split(separator, line_end, n_fields, odd):
    # Long enough for the way that looks at 64 bytes at a time; odd rows are blank, ragged, or have blanks around fields.
    rng = np.random.default_rng(8)
    rows = [["x" * int(length) for length in rng.choice([0, 1, 4, 11, 63, 64, 200], size=n_fields)] for _ in range(300)]
    for row in rows:
        if rng.random() < odd:
            change = rng.integers(4)
            row[:] = [[], [*row, "more"], row[1:], [f" {field} " for field in row]][change]
    text = "".join(separator.join(row) + line_end for row in rows).rstrip("\r\n")
    expected = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip(" \r" if separator == "\t" else " \t\r"):
            expected.append((number, [field.strip() for field in line.split(separator)]))
    found_rows, lines, found = cut(text, n_fields, ord(separator))
    assert lines == [number for number, _ in expected]
    assert found[3] == sum(len(fields) != n_fields for _, fields in expected)
    for fields, (_, right) in zip(found_rows, expected, strict=True):
        assert len(right) != n_fields or fields == right


def test_blanks_blank_lines_and_line_numbers():
    rows, lines, _ = cut('\n  a , b\t\n \r\n"c\nd" ,e\nf,\n\n', 2)
    assert rows == [["a", "b"], ["c\nd", "e"], ["f", ""]]
    assert lines == [2, 4, 6]


def test_white_space_separates_in_runs():
    rows, _, found = cut('  a  b\tc \r\n\n"x y"\t 2 3', 3, WHITE_SPACE)
    assert rows == [["a", "b", "c"], ["x y", "2", "3"]]
    assert found[3] == 0


def test_only_wanted_columns_are_written():
    buffer = np.frombuffer(bytearray(b"1,2,3\n4,5,6\n"), dtype=np.uint8)
    starts, lengths = np.zeros((1, 2), dtype=np.int64), np.zeros((1, 2), dtype=np.int32)
    slots = np.array([-1, -1, 0], dtype=np.int32)
    cut_rows(buffer, 0, 1, 44, slots, starts, lengths, np.zeros(0, np.int32), np.zeros((5, 2), np.int64), np.zeros(5, np.int64))
    assert starts.tolist() == [[4, 10]]
    assert lengths.tolist() == [[1, 1]]


def test_faults_are_counted():
    _, _, found = cut('a,b\nc\nd,e,f\ng\n"x"y,z\n', 2)
    n_ragged, n_like_first, n_stray, unclosed = found[3:7]
    assert (n_ragged, n_like_first, n_stray, unclosed) == (3, 2, 1, 0)
    assert cut('a,b\nc,"d\n\n', 2)[2][6] == 2


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(5e-324)
@example(1.7976931348623157e308)
@example(-0.0)
def test_every_float_is_read_as_float_reads_it(value):
    for text in (repr(value), f"{value:.10g}", f"{value:.3f}", f"{value:E}"):
        (got,), (kind,) = numbers([text])
        if kind == NUMBER:
            assert math.copysign(1, got) == math.copysign(1, float(text))
            assert got == float(text)
        else:
            assert kind == LONG_NUMBER


@given(st.from_regex(r"[+-]?[0-9]{0,20}\.?[0-9]{0,20}([eE][+-]?[0-9]{0,4})?", fullmatch=True))
@example("9007199254740993")
@example("9007199254740992e22")
@example("1e23")
@example("0e999999999999999999999")
@example(".")
@example("+")
@example("1e")
@example("000000000000000000000001")
def test_decimal_texts_are_read_as_float_reads_them(text):
    (got,), (kind,) = numbers([text])
    if not PLAIN_NUMBER.fullmatch(text):
        assert kind == NOT_A_NUMBER
    elif kind == NUMBER:
        assert got == float(text)
    else:
        assert kind == LONG_NUMBER
        assert np.isnan(got)


@pytest.mark.parametrize("text", ["1", "0.5", "-12.25", "999999999999999", "1e22", "1.5e-10", "007", "+3.", ".5"])
def test_usual_numbers_take_the_short_way(text):
    assert numbers([text])[1] == [NUMBER]
    assert numbers([text])[0][0] == float(text)


@pytest.mark.parametrize(
    "text", ["", "x", "1,5", "inf", "nan", "NaN", "Infinity", "1_000", "0x1p3", "1e", "1e+", "--1", "1.2.3", "1 2", "١"]
)
def test_what_is_no_number(text):
    assert numbers([text])[1] == [NOT_A_NUMBER]


def test_missing_codes_are_compared_by_bytes():
    values, kinds = numbers(["-999", "-999.0", "", "NA", "na", "0"], ("-999", "", "NA"))
    assert kinds == [MISSING, NUMBER, MISSING, MISSING, NOT_A_NUMBER, NUMBER]
    np.testing.assert_array_equal(values, [np.nan, -999.0, np.nan, np.nan, np.nan, 0.0])
