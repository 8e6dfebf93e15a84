"""Pedigree files: columns, codes for unknown, sex and birth."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from breedeval.errors import PedigreeError, TableError
from breedeval.io import plain_file
from breedeval.io.pedigree_file import read_pedigree, read_pedigree_table
from breedeval.pedigree.build import build_pedigree
from breedeval.pedigree.checks import find_problems
from breedeval.pedigree.table import FEMALE, MALE, SEX_UNKNOWN, YEAR_UNKNOWN


@pytest.fixture(params=["as a whole", "in pieces"], autouse=True)
def reading(request, monkeypatch):
    """Every file is read in both ways, whatever its size."""
    monkeypatch.setattr(plain_file, "_SMALLEST", 0 if request.param == "in pieces" else 1 << 62)
    monkeypatch.setattr(plain_file, "_PIECE", 64)


@pytest.fixture
def write(tmp_path):
    def write_file(text: str, name: str = "herd.csv") -> str:
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write_file


def parents(table) -> list[tuple[str, str | None, str | None]]:
    def name(code):
        return table.names[code] if code >= 0 else None

    return [(name(a), name(s), name(d)) for a, s, d in zip(table.animal, table.sire, table.dam, strict=True)]


def forms(listed) -> list[tuple[str, str, int, int]]:
    return [(form.form, form.column, form.count, form.first_row) for form in listed]


def test_a_small_file(write):
    table = read_pedigree_table(write("animal,sire,dam\nA,0,0\nB,A,0\nC,A,B\n"))
    assert parents(table) == [("A", None, None), ("B", "A", None), ("C", "A", "B")]
    assert table.names.to_list() == ["A", "B", "C"]
    assert forms(table.unknown_forms) == [("0", "sire", 1, 0), ("0", "dam", 2, 0)]
    assert (table.birth_year, table.birth_day, table.sex) == (None, None, None)
    assert table.suspicious_forms == ()
    assert not table.sire.flags.writeable


@pytest.mark.parametrize(
    "header", ["ID,Father,MOTHER", "calf,pat,mum", "Animal.ID,Sire-ID,dam id", "tree,sire,dam", "ind,father_id,mother_id"]
)
def test_usual_names_are_recognized_and_noted(write, header):
    table = read_pedigree_table(write(f"{header}\nA,0,0\nB,A,0\n"))
    assert parents(table)[1] == ("B", "A", None)
    assert f"animal = '{header.split(',')[0]}'" in table.notes[-1]


def test_named_columns_are_taken_without_a_note(write):
    table = read_pedigree_table(write("x,y,z\nB,A,0\n"), animal="x", sire="y", dam="z")
    assert parents(table) == [("B", "A", None)]
    assert table.notes == ()


def test_a_column_has_one_meaning(write):
    path = write("id,animal,sire,dam\n1,B,A,0\n")
    assert parents(read_pedigree_table(path)) == [("B", "A", None)]
    with pytest.raises(TableError, match="one column cannot be several things"):
        read_pedigree_table(path, animal="id", sire="sire", dam="sire")


def test_no_header_by_numbers(write):
    table = read_pedigree_table(write("B A 0\nC A B\n", "herd.ped"), animal=1, sire=2, dam=3)
    assert parents(table) == [("B", "A", None), ("C", "A", "B")]
    assert forms(table.unknown_forms) == [("0", "3", 1, 0)]


def test_one_code_for_unknown_may_be_given_without_a_list(write):
    path = write("animal,sire,dam\n7,-9,5\n8,9,-\n9,-9,-9\n5,-9,-9\n-,-9,-9\n")
    table = read_pedigree_table(path, unknown="-9")
    assert parents(table) == [("7", None, "5"), ("8", "9", "-"), ("9", None, None), ("5", None, None), ("-", None, None)]


def test_a_header_is_no_animal_where_columns_are_chosen_by_number(write):
    path = write("Animal;Sire ID;DAM\nB;A;0\n")
    with pytest.raises(PedigreeError, match=r"'Animal', 'Sire ID', 'DAM' look like the names of columns .*line 1"):
        read_pedigree_table(path, animal=1, sire=2, dam=3)
    assert parents(read_pedigree_table(write("calf;7;0\n"), animal=1, sire=2, dam=3)) == [("calf", "7", None)]


@pytest.mark.parametrize("space", ["\u00a0", "\u200b", "\ufeff\u3000", "\u00a0 \u2003"])
def test_a_parent_that_cannot_be_seen_is_no_animal(write, space):
    table = read_pedigree_table(write(f"animal,sire,dam\nB,A,{space}\nC,A,{space}\n"))
    assert parents(table) == [("B", "A", None), ("C", "A", None)]
    assert forms(table.suspicious_forms) == [(space, "dam", 2, 0)]
    with pytest.raises(PedigreeError, match=re.escape(f"'{ascii(space)[1:-1]}' stands 2 times in column 'dam'")):
        build_pedigree(table)
    assert build_pedigree(table, mend="suspicious_code").pedigree.ids.to_list() == ["A", "B", "C"]


def test_names_with_invisible_ends_are_told(write):
    table = read_pedigree_table(write("animal,sire,dam\nÄ\u00a0,0,0\nB,Ä,0\n\u200bC,B,Ä\u00a0\nMüé,Ж,牛\n"))
    (note,) = [note for note in table.notes if "cannot be seen" in note]
    assert note.startswith("2 names begin or end with")
    assert note.endswith(r"'\xc4\xa0', '\u200bC'.")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "animal,sire,dam,\nB,A,0\nC,B,0\n",
            "one fewer than the header: take a name away, or the separator at",
        ),
        ("animal,sire,dam\nB,A,0,\nC,B,0,\n", "if every row ends with a separator, let the header end with one"),
    ],
)
def test_a_separator_too_many_at_the_end_is_named(write, text, says):
    with pytest.raises(TableError, match=says):
        read_pedigree_table(write(text))


def test_a_sire_pedigree_has_no_dams(write):
    table = read_pedigree_table(write("animal,sire,mgs\nB,A,Z\n"), dam=False)
    assert parents(table) == [("B", "A", None)]
    assert table.names.to_list() == ["B", "A"]


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        ("animal,x,y\nB,A,0\n", {}, r"columns of sire and dam.*'animal', 'x', 'y'.*`sire: ...`.*`dam: ...`"),
        ("animal,sire,y\nB,A,0\n", {}, r"column of dam.*`dam: none`"),
        ("# made by hand\n1,0,0\n", {}, r"cannot be recognized among '# made by hand'"),
        ("animal|sire|dam\nB|A|0\n", {}, r"one field: '\|' separates no fields"),
        ("animal sire dam\nB A 0\n", {}, r"one field.*name it .txt"),
        ("x,sire,dam\nB,A,0\n", {}, r"column of animal.*`animal: ...`"),
        ("1,0,0\n2,1,0\n", {}, r"no header.*`animal: 1`, `sire: 2`, `dam: 3`"),
        ("a,b,c\n2,1,0\n", {"animal": 1, "sire": 2}, r"no number is given for the column of dam"),
        ("a,sire,dam\n2,1,0\n", {"animal": 1, "sire": "sire"}, r"by number.*by name"),
        ("animal,sire,dam\n2,1,0\n", {"sire": "sre"}, r"'sre' .nearest: 'sire'."),
        ("animal,sire,dam\n2,1,0\n", {"sire": True}, r"sire is True"),
    ],
)
def test_columns_that_are_not_found(write, text, options, says):
    with pytest.raises(TableError, match=f"(?s){says}"):
        read_pedigree_table(write(text), **options)


@pytest.mark.parametrize(
    "form",
    [
        "",
        "0",
        "00",
        "000",
        "0000",
        "0000000000",
        "NA",
        "na",
        "N/A",
        "NaN",
        "nan",
        "null",
        "NULL",
        "None",
        ".",
        "-",
        "--",
        "*",
        "?",
        "unknown",
        "UNK",
    ],
)
def test_default_forms_of_unknown(write, form):
    table = read_pedigree_table(write(f"animal,sire,dam\nB,{form},A\n"))
    assert parents(table) == [("B", None, "A")]
    assert forms(table.unknown_forms) == [(form, "sire", 1, 0)]
    assert table.names.to_list() == ["B", "A"]


def test_forms_are_counted_by_column(write):
    table = read_pedigree_table(write("animal,sire,dam\nA,0,\nB,00,0\nC,0,0\n"))
    assert forms(table.unknown_forms) == [("0", "sire", 2, 0), ("00", "sire", 1, 1), ("0", "dam", 2, 1), ("", "dam", 1, 0)]


def test_a_given_list_is_exact_and_the_rest_is_suspicious(write):
    table = read_pedigree_table(write("animal,sire,dam\nA,0,00\nB,na,-5\nC,A,x\nD,,0.0\n"), unknown=["0"])
    assert parents(table) == [("A", None, None), ("B", None, None), ("C", "A", "x"), ("D", None, None)]
    assert forms(table.unknown_forms) == [("0", "sire", 1, 0)]
    assert forms(table.suspicious_forms) == [
        ("na", "sire", 1, 1), ("", "sire", 1, 3), ("00", "dam", 1, 0), ("-5", "dam", 1, 1), ("0.0", "dam", 1, 3),
    ]  # fmt: skip
    assert table.names.to_list() == ["A", "B", "C", "D", "x"]


def test_negative_numbers_are_suspicious_with_the_default_list(write):
    table = read_pedigree_table(write("animal,sire,dam\nA,-5,-x\n"))
    assert forms(table.suspicious_forms) == [("-5", "sire", 1, 0)]
    assert parents(table) == [("A", None, "-x")]


def test_what_looks_unknown_but_has_a_row_is_an_animal(write):
    table = read_pedigree_table(write("animal,sire,dam\n00,0,0\n-5,0,0\nC,00,-5\n"), unknown=["0"])
    assert parents(table)[2] == ("C", "00", "-5")
    assert table.suspicious_forms == ()


def test_an_unknown_code_with_a_row_of_its_own_is_refused(write):
    path = write("animal,sire,dam\n0,A,B\nA,0,0\nNA,0,0\n0,0,0\n")
    with pytest.raises(PedigreeError) as caught:
        read_pedigree_table(path)
    message = str(caught.value)
    assert f"2 rows with the animal '0' ({path}, lines 2 and 5)" in message
    assert f"1 row with the animal 'NA' ({path}, line 4)" in message
    assert "give a list `unknown` without it" in message
    with pytest.raises(PedigreeError, match="take '0' out of `unknown`"):
        read_pedigree_table(path, unknown=["0"])


def test_a_row_without_animal_is_left_to_the_checks(write):
    path = write("animal,sire,dam\nA,0,0\n,A,0\n")
    assert read_pedigree_table(path).animal.tolist() == [0, -1]
    with pytest.raises(PedigreeError, match="line 3"):
        read_pedigree(path)


def test_sex(write):
    values = ["m", "Male", "1", "♂", "F", "female", "2", "♀", "", "0", "x", "x", "y"]
    rows = "".join(f"A{i},0,0,{value}\n" for i, value in enumerate(values))
    table = read_pedigree_table(write(f"animal,sire,dam,sex\n{rows}"))
    assert table.sex.tolist() == [MALE] * 4 + [FEMALE] * 4 + [SEX_UNKNOWN] * 5
    assert "Column 'sex': 3 values taken as unknown sex: 'x' (2), 'y' (1)." in table.notes


def test_birth_years(write):
    table = read_pedigree_table(write("animal,sire,dam,born\nA,0,0,2010\nB,0,0,\nC,0,0,0\nD,0,0,7\nE,0,0,2011.0\nF,0,0,NA\n"))
    assert table.birth_year.tolist() == [2010, YEAR_UNKNOWN, YEAR_UNKNOWN, 7, 2011, YEAR_UNKNOWN]
    assert table.birth_day is None


def test_birth_dates_fill_birth_years(write):
    rows = ["1970-01-02", "20000301", "29.2.2012", "1969-12-31", "", "2001-05-06 00:00:00", "00000000"]
    path = write("animal,sire,dam,dob\n" + "".join(f"A{i},0,0,{row}\n" for i, row in enumerate(rows)))
    table = read_pedigree_table(path)
    assert table.birth_day.tolist() == [1, 11017, 15399, -1, YEAR_UNKNOWN, 11448, YEAR_UNKNOWN]
    assert table.birth_year.tolist() == [1970, 2000, 2012, 1969, YEAR_UNKNOWN, 2001, YEAR_UNKNOWN]


def test_births_after_the_day_of_reading_are_doubted(write):
    tomorrow, today = (date.today() + timedelta(days=days) for days in (1, 0))
    table = read_pedigree_table(write(f"id,sire,dam,dob\nA,0,0,{today}\nB,0,0,{tomorrow}\n"))
    (problem,) = find_problems(table)
    assert (problem.kind.label, problem.animals, problem.rows) == ("birth_year", ("B",), (1,))


def test_a_birth_year_goes_before_the_date(write):
    table = read_pedigree_table(write("animal,sire,dam,year,dob\nA,0,0,1999,\nB,0,0,,2000-01-01\n"))
    assert table.birth_year.tolist() == [1999, 2000]


def test_all_that_cannot_be_read_is_named_at_once(write):
    path = write(
        "animal,sire,dam,year,dob\nA,0,0,199x,2000-13-01\nB,0,0,1999,2000-01-01\n0,0,0,-3,1/2/2000\nD,0,0,2001,2001-01-01\n"
    )
    with pytest.raises(PedigreeError) as caught:
        read_pedigree_table(path)
    message = str(caught.value)
    assert (
        f"column 'year': 2 values are no year (write a whole number such as 2015): '199x', '-3' ({path}, lines 2 and 4)"
        in message
    )
    assert "'2000-13-01', '1/2/2000'" in message
    assert f"1 row whose birth year is not that of the birth date ({path}, line 3)" in message
    assert f"1 row with the animal '0' ({path}, line 4)" in message
    assert "set `birth_year: none`" in message
    assert len(caught.value.facts["problems"]) == 4


def test_recognized_parts_can_be_switched_off(write):
    table = read_pedigree_table(write("animal,sire,dam,year,sex\nA,0,0,spring,1\n"), birth_year=False, sex=False)
    assert (table.birth_year, table.sex) == (None, None)


def test_read_pedigree_places_parents_first(write):
    pedigree = read_pedigree(write("animal,sire,dam\nC,A,B\nA,0,0\n"))
    assert pedigree.n_animals == 3
    child = pedigree.row_of("C")
    assert pedigree.parent_ids(child) == ("A", "B")
    assert max(pedigree.row_of("A"), pedigree.row_of("B")) < child


def test_a_real_file_full_of_errors_is_read(refdata):
    table = read_pedigree_table(refdata("ped_hinterwaelder") / "pedigree_with_errors.csv")
    assert table.n_rows == 10_863
    assert table.birth_year is not None
    assert table.sex is not None
