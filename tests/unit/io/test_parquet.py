"""Parquet gives what the same table gives as text."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from breedeval.errors import MissingExtraError, RecordsError, TableError
from breedeval.io import parquet_file
from breedeval.io.pedigree_file import read_pedigree_table
from breedeval.io.records_file import read_record_table
from breedeval.io.tables import read_table

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def write(tmp_path):
    def write_file(**columns) -> str:
        path = str(tmp_path / "file.parquet")
        pq.write_table(pa.table(columns), path)
        return path

    return write_file


def test_records_of_every_type(write):
    path = write(
        id=pa.array([1, 2, None], pa.int64()),
        herd=pa.array(["a", None, "b"]).dictionary_encode(),
        milk=pa.array([1.5, None, -999.0]),
        days=pa.array([0, 305, None], pa.int16()),
        fat=pa.array([0.1, 0.2, 0.3], pa.float32()),
    )
    table = read_record_table(path, classes=["id", "herd"], numbers=["milk", "days", "fat"], missing=["-999"])
    assert table.classes["id"].names.to_list() == ["1", "2"]
    assert table.classes["id"].codes.tolist() == [0, 1, -1]
    assert table.classes["herd"].names.to_list() == ["a", "b"]
    assert table.classes["herd"].codes.tolist() == [0, -1, 1]
    np.testing.assert_array_equal(table.numbers["milk"], [1.5, np.nan, np.nan])
    np.testing.assert_array_equal(table.numbers["days"], [0, 305, np.nan])
    np.testing.assert_array_equal(table.numbers["fat"], np.array([0.1, 0.2, 0.3], np.float32).astype(float))
    assert table.source.where([1]).endswith("row 2)")


def test_many_row_groups(tmp_path):
    path = str(tmp_path / "groups.parquet")
    names = [f"NL{i}" for i in range(1000)]
    pq.write_table(pa.table({"id": names, "x": list(range(1000))}), path, row_group_size=37)
    table = read_table(path, ["id", "x"])
    assert [table.ids("id").text(i) for i in range(1000)] == names


def test_pedigree_with_nulls_and_dates(write):
    path = write(
        id=["A", "B", "C"],
        sire=pa.array([None, None, "A"]),
        dam=pa.array([None, "", "B"]),
        birth_date=[dt.date(2010, 1, 31), None, dt.date(2012, 2, 29)],
        year=[2010.0, None, 2012.0],
    )
    table = read_pedigree_table(path, unknown=["0"])
    assert table.names.to_list() == ["A", "B", "C"]
    assert table.sire.tolist() == [-1, -1, 0]
    assert table.dam.tolist() == [-1, -1, 1]
    assert [(form.form, form.column, form.count) for form in table.unknown_forms] == [("", "sire", 2), ("", "dam", 2)]
    assert table.birth_year.tolist() == [2010, -(2**31), 2012]
    assert table.birth_day.tolist() == [14640, -(2**31), 15399]


def test_a_code_for_missing_is_no_birth_year_whatever_its_type(write):
    columns = {"id": ["A", "B", "C"], "sire": ["0"] * 3, "dam": ["0"] * 3}
    for years in ([0, 2010, -9], [0.0, 2010.0, -9.0], ["0", "2010", "-9"]):
        table = read_pedigree_table(write(**columns, year=years), unknown=["0", "-9"])
        assert table.birth_year.tolist() == [-(2**31), 2010, -(2**31)]


def test_time_stamps_are_dates(write):
    path = write(id=["A"], sire=["0"], dam=["0"], dob=[dt.datetime(1969, 12, 31, 23, 59)])
    assert read_pedigree_table(path).birth_day.tolist() == [-1]


def test_names_stored_as_floats_are_refused(write):
    with pytest.raises(TableError, match=r"'id'.*floating-point"):
        read_record_table(write(id=[1.0, 2.0], milk=[1, 2]), classes=["id"], numbers=["milk"])


def test_a_text_and_an_infinity_in_number_columns(write):
    with pytest.raises(RecordsError, match=r"(?s)'x'.*'inf' .row 2.*'y'.*'b' .row 1"):
        read_record_table(write(x=[1.0, np.inf], y=["b", "1"]), classes=[], numbers=["x", "y"])


def test_types_that_are_no_column_of_a_table(write):
    with pytest.raises(TableError, match="list"):
        read_table(write(id=[[1], [2]]), ["id"])


def test_refusals(write, tmp_path):
    path = write(id=["a"])
    with pytest.raises(TableError, match="nearest: 'id'"):
        read_table(path, ["ids"])
    with pytest.raises(TableError, match="Give names, not numbers"):
        read_table(path, [1])
    with pytest.raises(TableError, match="no rows"):
        read_table(write(id=pa.array([], pa.string())), ["id"])
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 and nothing more")
    with pytest.raises(TableError, match="cannot be read as Parquet"):
        read_table(broken, ["id"])
    with pytest.raises(TableError, match="does not exist"):
        read_table(tmp_path / "none.parquet", ["id"])


def test_without_pyarrow_the_message_says_how_to_install_it(write, monkeypatch):
    def refuse(name):
        raise ImportError(name)

    path = write(id=["a"])
    monkeypatch.setattr(parquet_file, "import_module", refuse)
    with pytest.raises(MissingExtraError, match=r"pip install 'breedeval\[arrow\]'"):
        read_table(path, ["id"])
