"""Text files as tables: formats that are read, and files that are refused."""

from __future__ import annotations

import gzip
import os
import re

import pytest

from breedeval.errors import BreedevalError, TableError
from breedeval.io.tables import open_table, read_table

PLAIN = b"id,milk\nNL1,10\nNL2,20\n"


@pytest.fixture
def write(tmp_path):
    """Writes bytes to a file; returns its name."""

    def write_file(data: bytes, name: str = "file.csv") -> str:
        path = tmp_path / name
        path.write_bytes(data)
        return str(path)

    return write_file


def rows(path: str, columns=("id", "milk"), **options) -> list[tuple[str, ...]]:
    table = read_table(path, list(columns), **options)
    return [tuple(table.ids(key).text(row) for key in columns) for row in range(table.n_rows)]


def refused(path: str, columns=("id", "milk"), **options) -> TableError:
    with pytest.raises(TableError) as caught:
        read_table(path, list(columns), **options)
    assert path in str(caught.value)
    assert caught.value.facts["path"] == path
    return caught.value


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", PLAIN),
        ("a.csv", PLAIN.replace(b",", b";")),
        ("a.csv", PLAIN.replace(b",", b"\t")),
        ("a.tsv", PLAIN.replace(b",", b"\t")),
        ("a.tab", PLAIN.replace(b",", b"\t")),
        ("a.txt", PLAIN),
        ("a.dat", PLAIN.replace(b",", b"\t")),
        ("a.txt", PLAIN.replace(b",", b";")),
        ("a.txt", PLAIN.replace(b",", b"   ")),
        ("a", b"  id milk\n NL1  10\n NL2 \t 20 \n"),
        ("a.csv", b"\xef\xbb\xbf" + PLAIN),
        ("a.csv", PLAIN.replace(b"\n", b"\r\n")),
        ("a.csv", PLAIN.replace(b"\n", b"\r")),
        ("a.csv", PLAIN[:-1]),
        ("a.csv", b'"id","milk"\n"NL1","10"\n"NL2" , 20\n'),
        ("a.csv", b"\n id , milk \n\nNL1\t,10\n   \nNL2, 20\n\n"),
        ("a.csv.gz", gzip.compress(PLAIN, mtime=0)),
        ("a.tsv.gz", gzip.compress(PLAIN.replace(b",", b"\t"), mtime=0)),
        ("A.CSV", PLAIN),
    ],
)
def test_every_format_gives_the_same_rows(write, name, data):
    assert rows(write(data, name)) == [("NL1", "10"), ("NL2", "20")]


def test_columns_in_any_order_and_twice(write):
    assert rows(write(b"a,b,c\n1,2,3\n"), ("c", "a")) == [("3", "1")]


def test_a_file_without_header_by_numbers(write):
    path = write(b"NL1,,10\nNL2,x,20\n")
    table = read_table(path, [1, 3])
    assert [table.ids(3).text(i) for i in range(2)] == ["10", "20"]
    assert table.source.where([1]) == f"({path}, line 2)"


def test_semicolons_decide_where_a_comma_may_be_decimal(write):
    assert rows(write(b"NL1;2,5\nNL2;3,5\n"), (1, 2)) == [("NL1", "2,5"), ("NL2", "3,5")]


def test_quotes_hold_separators_quotes_and_line_ends(write):
    path = write(b'id,"the ""milk"""\n"a,b",1\n"say ""hi""","2\n3"\nc,4\n')
    table = read_table(path, ["id", 'the "milk"'])
    assert [table.ids("id").text(i) for i in range(3)] == ["a,b", 'say "hi"', "c"]
    assert [table.source.line_of_row(i) for i in range(3)] == [2, 3, 5]


def test_line_numbers_count_blank_lines(write):
    table = read_table(write(b"\nid\na\n\n\nb\n"), ["id"])
    assert [table.source.line_of_row(i) for i in range(2)] == [3, 6]


def test_a_name_keeps_its_zeros_and_its_letters(write):
    assert rows(write("id,milk\n0012,Käthe\n".encode())) == [("0012", "Käthe")]
    assert rows(write("id,milk\n1,Käthe\n".encode("latin-1")), encoding="latin-1") == [("1", "Käthe")]
    assert rows(write("id,milk\n1,5 €\n".encode("cp1252")), encoding="cp1252") == [("1", "5 €")]
    assert rows(write("id,milk\n1,Käthe\n".encode("utf-16")), encoding="utf-16") == [("1", "Käthe")]
    assert rows(write("\ufeffid,milk\n1,Käthe\n".encode("utf-16-le")), encoding="utf-16-le") == [("1", "Käthe")]


def test_an_optional_column_may_be_absent(write):
    table = read_table(write(PLAIN), ["id"], optional=["milk", "fat"])
    assert set(table.columns) == {"id", "milk"}


def test_notes_say_what_was_assumed(write):
    assert open_table(write(PLAIN)).notes == ()
    assert "no line end" in open_table(write(PLAIN[:-1])).notes[0]
    assert "white space" in open_table(write(PLAIN.replace(b",", b" "), "a.txt")).notes[0]
    assert "semicolons" in open_table(write(PLAIN.replace(b",", b";"))).notes[0]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "is empty|blank lines only"),
        (b"\n \n\r\n", "blank lines only"),
        (b"id,milk\n", "header and no rows"),
        (b"id,milk", "header and no rows"),
        (b"id,milk\n1\n2,3\n4,5,6\n", r"2 rows have not 2 fields.*line 2: 1, line 4: 3"),
        (b"id,milk\n1,2\n3", "line 3: 1.*may be cut"),
        (b"id,milk\nx,1,2\ny,1,2\n", "row names"),
        (b'id,milk\n1,2\n3,"4\n5,6\n', "line 3: a quote is opened"),
        (b'id,"milk\n1,2\n', "line 1: a quote is opened"),
        (b'id,milk\n"a"b,2\n', "1 field goes on behind a closing quote .line 2."),
        (b"id,milk\n1,2\nK\xe4the,3\n", "line 3: byte 0xe4 is not utf-8.*encoding: latin-1"),
        (b"\xff\xfei\0d\0", "UTF-16"),
        (b"id,milk\n1,2\n\0,3\n", "line 3: a NUL byte"),
        (gzip.compress(PLAIN, mtime=0), "ending .gz"),
        (b"PK\x03\x04xxxx", "spreadsheet"),
        (b"PAR1xxxx", "ending .parquet"),
    ],
)
def test_files_that_are_refused(write, data, says):
    assert re.search(says, str(refused(write(data))), re.DOTALL)


def test_five_of_many_faulty_rows_are_named(write):
    error = refused(write(b"id,milk\n" + b"1\n" * 2000 + b"1,2\n"))
    assert "2,000 rows have not 2 fields" in str(error)
    assert "line 6: 1 and 1,995 more" in str(error)
    assert error.facts["lines"] == tuple(range(2, 2002))


def test_ragged_white_space_says_how_fields_are_cut(write):
    assert "separated by white space" in str(refused(write(b"id milk\n1 2\n3\n4 5\n", "a.txt")))


def test_bytes_beyond_the_first_part_are_found(write, monkeypatch):
    monkeypatch.setattr("breedeval.io.text_bytes._PART", 7)
    # A letter of two bytes lies on the border of every kind of part.
    good = "id,milk\n" + "Kä,1\n" * 20
    assert rows(write(good.encode()))[19] == ("Kä", "1")
    assert "line 22: byte 0xff" in str(refused(write(good.encode() + b"\xff,1\n")))
    assert "line 22: byte 0xc3" in str(refused(write(good.encode() + b"\xc3")))


def test_missing_and_repeated_columns_are_named_together(write):
    error = refused(write(b"id,Milk,fat,fat\n1,2,3,4\n"), ("id", "milk", "fat", "protein"))
    assert "'milk' (nearest: 'Milk')" in str(error)
    assert "'protein'" in str(error)
    assert "Column fat (columns 3, 4) stands more than once" in str(error)
    assert "The columns are: id, Milk, fat, fat" in str(error)


def test_a_repeated_column_that_nobody_wants_is_no_trouble(write):
    assert rows(write(b"id,x,x,milk\n1,,,2\n")) == [("1", "2")]


def test_numbers_of_columns(write):
    assert "no column 3" in str(refused(write(PLAIN), (1, 3)))
    assert "no column 0" in str(refused(write(PLAIN), (0,)))
    assert "by number (2) and by name (id)" in str(refused(write(PLAIN), ("id", 2)))


def test_an_encoding_that_does_not_exist(write):
    assert "not an encoding" in str(refused(write(PLAIN), encoding="klingon"))
    assert "not an encoding" in str(refused(write(PLAIN), encoding="hex"))


def test_what_is_not_there_or_no_file(tmp_path, write):
    assert "does not exist" in str(refused(str(tmp_path / "nothing.csv")))
    assert "folder" in str(refused(str(tmp_path / "no" / "file.csv")))
    assert "is a folder" in str(refused(str(tmp_path)))


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(write):
    path = write(PLAIN)
    os.chmod(path, 0)
    assert "may not be read" in str(refused(path))


def test_a_file_without_permission_says_so(write, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "may not be read" in str(refused(write(PLAIN)))


def test_broken_gz(write):
    packed = gzip.compress(PLAIN * 1000)
    assert "cut short" in str(refused(write(packed[:-20], "a.csv.gz")))
    assert "not compressed" in str(refused(write(PLAIN, "a.csv.gz")))
    damaged = bytearray(packed)
    damaged[30] ^= 0xFF
    assert "damaged" in str(refused(write(bytes(damaged), "a.csv.gz")))
    assert "is empty" in str(refused(write(gzip.compress(b""), "a.csv.gz")))


def test_errors_are_also_value_errors(write):
    assert isinstance(refused(write(b"")), ValueError)
    assert isinstance(refused(write(b"")), BreedevalError)
