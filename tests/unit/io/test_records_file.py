"""Records: classes as codes, numbers exactly, everything else refused by line."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breedeval.errors import RecordsError, TableError
from breedeval.io.records_file import read_record_table


@pytest.fixture
def write(tmp_path):
    def write_file(text: str) -> str:
        path = tmp_path / "records.csv"
        path.write_text(text)
        return str(path)

    return write_file


def test_classes_and_numbers(write):
    path = write("cow,herd,milk\n0012,A,5000.5\n12,,NA\n0012,NA,0\n")
    table = read_record_table(path, classes=["cow", "herd"], numbers=["milk"])
    assert table.n_rows == 3
    assert table.classes["cow"].names.to_list() == ["0012", "12"]
    assert table.classes["cow"].codes.tolist() == [0, 1, 0]
    assert table.classes["herd"].names.to_list() == ["A"]
    assert table.classes["herd"].codes.tolist() == [0, -1, -1]
    np.testing.assert_array_equal(table.numbers["milk"], [5000.5, np.nan, 0.0])
    assert not table.numbers["milk"].flags.writeable
    assert not table.classes["cow"].codes.flags.writeable


def test_missing_codes_are_those_given(write):
    path = write("herd,milk\n0,0\n-9,-9\nNA,1\n")
    table = read_record_table(path, classes=["herd"], numbers=["milk"], missing=["0", "-9"])
    assert table.classes["herd"].names.to_list() == ["NA"]
    assert table.classes["herd"].codes.tolist() == [-1, -1, 0]
    np.testing.assert_array_equal(table.numbers["milk"], [np.nan, np.nan, 1.0])


def test_nothing_is_missing_if_no_code_is_given(write):
    table = read_record_table(write("herd,milk\n,1\nNA,2\n"), classes=["herd"], numbers=["milk"], missing=[])
    assert table.classes["herd"].names.to_list() == ["", "NA"]


def test_a_column_may_be_class_and_number(write):
    table = read_record_table(write("age\n2\n3\n2\n"), classes=["age"], numbers=["age"])
    assert table.classes["age"].codes.tolist() == [0, 1, 0]
    assert table.numbers["age"].tolist() == [2.0, 3.0, 2.0]


def test_columns_by_number(write):
    table = read_record_table(write("A,1\nB,2\n"), classes=[1], numbers=[2])
    assert table.classes["1"].names.to_list() == ["A", "B"]
    assert table.numbers["2"].tolist() == [1.0, 2.0]


def test_all_number_columns_are_reported_at_once(write):
    rows = "".join(f"x{i},1\n" for i in range(7))
    path = write(f"milk,fat\n1,2\n{rows}3,high\n")
    with pytest.raises(RecordsError) as caught:
        read_record_table(path, classes=[], numbers=["milk", "fat"])
    message = str(caught.value)
    assert "Column 'milk': 7 values are no numbers: 'x0' (line 3), 'x1' (line 4)" in message
    assert "'x4' (line 7) and 2 more" in message
    assert "Column 'fat': 1 value is no number: 'high' (line 10)" in message
    assert path in message
    assert "decimal comma" not in message.lower()
    assert caught.value.facts["columns"] == ("milk", "fat")


@pytest.mark.parametrize("text", ["inf", "-inf", "NaN", "nan", "1e999", "1_0", "12kg"])
def test_texts_that_python_takes_or_nearly_takes_for_numbers(write, text):
    with pytest.raises(RecordsError, match=r"line 2"):
        read_record_table(write(f"milk,x\n{text},1\n"), classes=[], numbers=["milk"])


def test_a_decimal_comma_gets_a_hint(write):
    with pytest.raises(RecordsError, match="Decimal comma"):
        read_record_table(write("cow;milk\n1;12,5\n"), classes=["cow"], numbers=["milk"])


def test_a_missing_column(write):
    with pytest.raises(TableError, match=r"'mlik' .nearest: 'milk'."):
        read_record_table(write("cow,milk\n1,2\n"), classes=["cow"], numbers=["mlik"])


@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=30))
def test_numbers_against_csv_and_float(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("twin") / "numbers.csv"
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([["x"], *([repr(value)] for value in values)])
    read = read_record_table(path, classes=[], numbers=["x"]).numbers["x"]
    assert read.tolist() == values
    assert [math.copysign(1, value) for value in read] == [math.copysign(1, value) for value in values]


def test_a_real_file_against_the_csv_module(refdata):
    path = refdata("merino") / "data.csv"
    with open(path, newline="") as file:
        twin = list(csv.DictReader(file))
    table = read_record_table(path, classes=["animal", "dam"], numbers=["birwt", "woolwt"])
    for name in ("animal", "dam"):
        column = table.classes[name]
        missing = {"", "NA"}
        read = [column.names[code] if code >= 0 else None for code in column.codes]
        assert read == [None if row[name] in missing else row[name] for row in twin]
    for name in ("birwt", "woolwt"):
        expected = [float(row[name]) if row[name] not in {"", "NA"} else np.nan for row in twin]
        np.testing.assert_array_equal(table.numbers[name], expected)
