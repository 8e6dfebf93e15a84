"""Every way a file can be bad: refused with the animal, the file and the line, and nothing is left."""

from __future__ import annotations

import gzip
import os

import pytest

from breedeval.results.store import open_results
from tests.farm import PEDIGREE, RECORDS, Farm


def pedigree(*rows: str, header: str = "id,sire,dam,born,sex") -> str:
    return "\n".join([header, *rows]) + "\n"


# --- what the pedigree says ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "messages"),
    [
        pytest.param(
            ["a,c,0,,", "b,0,0,,", "c,d,b,,", "d,a,b,,", "e,c,0,,"],
            ["'a' → 'c' → 'd' → 'a'", "(ped.csv, lines 2, 4 and 5)", "Remove one of the parents on this path"],
            id="loop",
        ),
        pytest.param(
            ["a,0,0,,", "b,0,0,,", "c,a,b,,", "d,a,b,,", "e,c,0,,", "c,a,0,,"],
            ["'c' has the parents 'a' × 'b' or 'a' × unknown (ped.csv, lines 4 and 7)", "Keep one"],
            id="duplicate",
        ),
        pytest.param(
            ["a,0,0,,", "b,0,0,,", "c,a,b,,", "d,d,b,,", "e,c,0,,"],
            ["'d' is its own sire (ped.csv, line 5)", "Correct that parent"],
            id="own parent",
        ),
        pytest.param(
            ["a,00,0,,", "b,0,0,,", "c,a,b,,", "d,a,b,,", "e,c,00,,"],
            ["'00' stands 1 time in column 'sire'", "(ped.csv, line 2)", "'00' stands 1 time in column 'dam'", "line 6"],
            id="00",
        ),
        pytest.param(
            ["a,-1,-2,,", "b,0,0,,", "c,a,b,,", "d,a,b,,", "e,c,-1,,"],
            ["'-1' stands 1 time in column 'sire'", "'-2'", "unknown-parent group"],
            id="negative parents",
        ),
        pytest.param(["a,0,0,,", ",0,0,,", "c,a,b,,"], ["1 row without an animal", "(ped.csv, line 3)"], id="nameless"),
        pytest.param(
            ["a,0,0,x,", "b,0,0,2003.5,", "c,a,b,,"],
            ["column 'born': 2 values are no year", "'x', '2003.5' (ped.csv, lines 2 and 3)"],
            id="text as birth year",
        ),
    ],
)
def test_impossible_pedigree(farm: Farm, rows: list[str], messages: list[str]) -> None:
    farm.write("ped.csv", pedigree(*rows))
    farm.refused(*messages)


def test_all_problems_of_a_pedigree_are_named_at_once(farm: Farm) -> None:
    farm.write("ped.csv", pedigree("a,c,0,,", "b,b,0,,", "c,a,b,,", "d,00,b,,", "e,c,0,,", "e,a,0,,"))
    farm.refused("1 animal that is its own parent", "1 loop", "1 animal listed with different parents", "1 text that looks")


def test_double_zero_is_an_unknown_parent_where_no_codes_are_listed(farm: Farm) -> None:
    farm.change(', unknown: ["0"]', "")
    farm.write("ped.csv", PEDIGREE.replace("e,c,0", "e,c,00"))
    ended = farm.evaluate()
    assert ended.status == 0, ended.err
    assert "'00' 1 times in column 'dam'" in ended.err or "'00' 1 time in column 'dam'" in ended.err


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param(
            "e,c,0,2006,F", "e,c,a,2006,", "'a' is used as a sire and as a dam (ped.csv, lines 4 and 6)", id="both sexes"
        ),
        pytest.param("a,0,0,2001", "a,0,0,2005", "'a', sire of 'c', is born 2005, after its progeny 2003", id="birth order"),
        pytest.param("a,0,0,2001,M", "a,0,0,2001,F", "'a'", id="sex"),
    ],
)
def test_doubtful_pedigree_is_warned_of_even_when_quiet(farm: Farm, old: str, new: str, message: str) -> None:
    farm.change(old, new, "ped.csv")
    ended = farm.evaluate("-q")
    assert ended.status == 0
    assert ended.err.startswith("Warning: pedigree: ")
    assert message in ended.err


# --- files that are no tables -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ped.csv", "rec.csv"])
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        pytest.param(lambda data: b"", "is empty", id="empty"),
        pytest.param(lambda data: b"\n\n\n", "blank lines only", id="blank"),
        pytest.param(lambda data: data[: data.index(b"\n") + 1], "has a header and no rows", id="header only"),
        pytest.param(lambda data: data[: data.rindex(b",")], "The last line is short: the file may be cut", id="cut"),
        pytest.param(lambda data: data.decode().encode("utf-16"), "is written in UTF-16", id="utf-16"),
        pytest.param(lambda data: data.replace(b",a,", b",\0,").replace(b"11.5", b"1\0.5"), "a NUL byte", id="NUL"),
        pytest.param(lambda data: gzip.compress(data), "give its name the ending .gz", id="gzip without its ending"),
        pytest.param(lambda data: data.replace(b"c,", b'"c,', 1), "a quote is opened and never closed", id="open quote"),
    ],
)
def test_spoiled_file(farm: Farm, name: str, spoil, message: str) -> None:
    farm.write(name, spoil((farm.folder / name).read_bytes()))
    assert name in farm.refused(message)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(lambda data: gzip.compress(data)[:-30], "is cut short or damaged", id="cut"),
        pytest.param(lambda data: gzip.compress(data[: data.rindex(b",")]), "the file may be cut", id="cut before packing"),
        pytest.param(lambda data: data, "is not compressed with gzip", id="not packed"),
    ],
)
def test_spoiled_gzip(farm: Farm, make, message: str) -> None:
    farm.change("rec.csv", "rec.csv.gz")
    farm.write("rec.csv.gz", make(RECORDS.encode()))
    farm.refused("rec.csv.gz", message)


def test_a_file_that_ends_in_the_middle_of_its_last_value_is_told_of(farm: Farm) -> None:
    farm.write("rec.csv", RECORDS.removesuffix("0\n"))
    assert "The last line has no line end: make sure that the file was not cut" in farm.evaluate().err


def test_file_that_is_not_there_and_folder(farm: Farm) -> None:
    os.remove("rec.csv")
    farm.refused("rec.csv does not exist", "the current folder is")
    os.mkdir("rec.csv")
    farm.refused("rec.csv is a folder")


def test_latin_1_is_refused_with_the_line_and_works_when_declared(farm: Farm) -> None:
    for name in ("ped.csv", "rec.csv"):
        text = (farm.folder / name).read_text().replace("c,", "Schäfer,")
        farm.write(name, text.encode("latin-1"))
    farm.refused("rec.csv, line", " 2", "byte 0xe4 is not utf-8", "Set `encoding: latin-1`")
    farm.change("covariates: [dim]", "covariates: [dim]\n  encoding: latin-1")
    farm.refused("ped.csv, line", " 4", "byte 0xe4 is not utf-8")
    farm.change('unknown: ["0"]', 'unknown: ["0"], encoding: latin-1')
    assert farm.evaluate("-q").status == 0
    rows = farm.call("rank", "out.h5", "--format", "csv").out.splitlines()
    assert sum(row.split(",")[1] == "Schäfer" for row in rows) == 1
    assert "Schäfer,a,b," in farm.call("show", "out.h5", "Schäfer", "--format", "csv").out


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda text: text.replace("\n", "\r\n").encode(), id="Windows line ends"),
        pytest.param(lambda text: text.encode("utf-8-sig"), id="byte-order mark"),
        pytest.param(lambda text: text.replace(",", ";").encode(), id="semicolons"),
        pytest.param(lambda text: text.replace("\n", "\n\n\n").encode(), id="blank lines"),
        pytest.param(lambda text: text.replace("\nd,", '\n"d",').encode(), id="quotes"),
        pytest.param(lambda text: text.removesuffix("\n").encode(), id="no last line end"),
    ],
)
def test_harmless_peculiarities_change_nothing(farm: Farm, spoil) -> None:
    assert farm.evaluate("-q").status == 0
    with open_results("out.h5") as results:
        expected = results.ebv("milk")
    farm.write("ped.csv", spoil(PEDIGREE))
    farm.write("rec.csv", spoil(RECORDS))
    assert farm.evaluate("-q").status == 0
    with open_results("out.h5") as results:
        assert results.ebv("milk").equals(expected)


def test_configuration_with_windows_line_ends_and_mark(farm: Farm) -> None:
    text = (farm.folder / "farm.yaml").read_text()
    farm.write("farm.yaml", text.replace("\n", "\r\n").encode("utf-8-sig"))
    assert farm.evaluate("-q").status == 0


def test_quoted_field_with_a_comma_is_one_field(farm: Farm) -> None:
    farm.write("rec.csv", RECORDS.replace(",1,", ',"1, north",'))
    assert farm.evaluate("-q").status == 0
    with open_results("out.h5") as results:
        assert set(results.effect("herd")["level"]) == {"1, north", "2"}


# --- what the records say -----------------------------------------------------------------------------------------------------


def test_text_in_columns_of_numbers(farm: Farm) -> None:
    farm.write("rec.csv", RECORDS.replace("11.5", "many").replace("80", "x80"))
    farm.refused("Column 'milk': 1 value is no number: 'many' (line 3)", "Column 'dim': 1 value is no number: 'x80' (line 4)")


def test_decimal_commas(farm: Farm) -> None:
    farm.write("rec.csv", RECORDS.replace(",", ";").replace(".", ","))
    farm.refused("Column 'milk': 4 values are no numbers: '10,5' (line 2)", "Decimal commas: write a point")


def test_infinity_and_nan_are_no_numbers(farm: Farm) -> None:
    farm.write("rec.csv", RECORDS.replace("11.5", "inf").replace("9.5", "nan"))
    farm.refused("2 values are no numbers: 'inf' (line 3), 'nan' (line 4)")


def test_trait_that_is_missing_throughout(farm: Farm) -> None:
    farm.write("rec.csv", "id,herd,milk,dim\nc,1,NA,100\nd,1,,120\n")
    farm.refused("No record of rec.csv can be used for 'milk'", "milk missing: 2 records", "records: missing")


def test_columns_that_are_not_in_the_file(farm: Farm) -> None:
    farm.change("milk: herd", "milc: herd")
    farm.refused("rec.csv: There is no column 'milc' (nearest: 'milk')", "The columns are: id, herd, milk, dim")
    farm.change("milc: herd", "milk: herd")
    farm.change("sire: sire", "sire: sir")
    farm.refused("ped.csv: There is no column 'sir' (nearest: 'sire')")


def test_column_that_stands_twice(farm: Farm) -> None:
    farm.change("id,herd,milk,dim", "id,milk,milk,dim", "rec.csv")
    farm.refused("milk (columns 2, 3) stands more than once", "There is no column 'herd'")


UNKNOWN_ANIMALS = "zz,1,3,4\nyy,2,4,1\nzz,1,5,6\n"


def test_animal_with_records_and_without_a_row_in_the_pedigree(farm: Farm) -> None:
    farm.write("rec.csv", RECORDS + UNKNOWN_ANIMALS)
    farm.refused(
        "2 animals in column id with 3 records not in the pedigree ped.csv: 'zz', 'yy' (rec.csv, lines 6, 7 and 8)",
        "unknown_animals to 'add'",
        "'drop'",
    )


def test_an_animal_whose_name_looks_like_unknown_is_one_if_the_pedigree_says_so(farm: Farm) -> None:
    farm.write("ped.csv", (farm.folder / "ped.csv").read_text().replace("e,c,0", "NA,c,0"))
    farm.write("rec.csv", RECORDS.replace("e,2,", "NA,2,"))
    farm.change("covariates: [dim]", 'covariates: [dim]\n  missing: [""]')
    ended = farm.evaluate()
    assert (ended.status, "4 records read, 4 used" in ended.err) == (0, True)


@pytest.mark.parametrize("policy", ["refuse", "add", "drop"])
def test_a_dam_written_as_unknown_in_the_records_never_becomes_a_common_animal(farm: Farm, policy: str) -> None:
    farm.write("rec.csv", "id,dam,herd,milk,dim\nc,b,1,10.5,100\nd,0,1,11.5,120\ne,0,2,9.5,80\nd,b,2,12.5,90\n")
    farm.change("milk: herd + dim + genetic(id)", "milk: herd + dim + genetic(id) + permanent(dam)")
    farm.change("genetic: 0.3", "genetic: 0.3\n  permanent: 0.1")
    farm.change("covariates: [dim]", f"covariates: [dim]\n  unknown_animals: {policy}")
    farm.refused("'0' stands in column dam of 2 records (rec.csv, lines 3 and 4)", "records: missing")
    farm.change("covariates: [dim]", 'covariates: [dim]\n  missing: ["", "0"]')
    ended = farm.call("evaluate", "farm.yaml", "-o", "out.h5")
    assert (ended.status, "2 records dropped: dam missing" in ended.err) == (0, True)


def test_such_animals_can_be_added(farm: Farm) -> None:
    farm.write("rec.csv", RECORDS + UNKNOWN_ANIMALS)
    farm.change("covariates: [dim]", "covariates: [dim]\n  unknown_animals: add")
    ended = farm.evaluate("-q")
    assert (ended.status, "2 animals of column id added with unknown parents" in ended.err) == (0, True)
    with open_results("out.h5") as results:
        assert set(results.ids()) == {"a", "b", "c", "d", "e", "zz", "yy"}
        assert results.record["counts"]["records"]["used"] == 7


def test_records_of_such_animals_can_be_dropped(farm: Farm) -> None:
    farm.write("rec.csv", RECORDS + UNKNOWN_ANIMALS)
    farm.change("covariates: [dim]", "covariates: [dim]\n  unknown_animals: drop")
    ended = farm.evaluate()
    assert (ended.status, "3 records dropped: id not in the pedigree" in ended.err) == (0, True)
    with open_results("out.h5") as results:
        assert set(results.ids()) == {"a", "b", "c", "d", "e"}
        assert results.record["counts"]["records"] == {
            "read": 7,
            "used": 4,
            "used_by_trait": {"milk": 4},
            "dropped": {"id not in the pedigree": 3},
        }


# --- the configuration --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "messages"),
    [
        (
            "herd + dim",
            "legendre(herd, 2)",
            ["farm.yaml:8", "'herd' is declared as a class, legendre(...) needs a covariate", "^^^^"],
        ),
        ("+ dim", "+ random(dim)", ["'dim' is declared as a covariate, random(...) needs a class"]),
        ("+ dim", "+ random(milk)", ["'milk' is the trait itself"]),
        ("classes: [herd]", "classes: [herd, dim]", ["farm.yaml:6: records.covariates: 'dim' is declared as a class and"]),
        ("herd + dim", "hred + dim", ["'hred' is declared neither", "Did you mean 'herd'?", "    ^^^^"]),
        ("herd + dim", "herd + + dim", ["A term is missing here", "           ^"]),
        ("herd + dim + genetic(id)", "herd + (dim + genetic(id)", ["This bracket is not closed"]),
        ("genetic: 0.3", "genetic: 0", ["farm.yaml:10: variances.genetic: a variance must be positive"]),
        ("genetic: 0.3", "genetic: -0.3", ["milk:id (-0.3)"]),
        ("genetic: 0.3", "genetic: high", ["'high' where a number is needed"]),
        ("genetic: 0.3", "genetic: [[1, 0], [0, 1]]", ["a matrix of 2 × 2. Give one number"]),
        ("  genetic: 0.3\n", "", ["'genetic' is missing: the variance of genetic(id)"]),
        ("genetic: 0.3", "genetik: 0.3", ["farm.yaml:10: variances.genetik", "Did you mean 'genetic'?"]),
        ("  residual: 0.7\n", "", ["'residual' is missing"]),
        ("residual: 0.7", "residual: {by: herd, matrices: {'1': 0.7}}", ["no matrix for class '2' of column herd"]),
        ("residual: 0.7", "residual: {by: kind, matrices: {'1': 0.7}}", ["There is no column 'kind'"]),
        ("classes:", "clases:", ["farm.yaml:5: records.clases: there is no such key. Did you mean 'classes'?"]),
        ("classes: [herd]", "classes: {herd: 1}", ["farm.yaml:5: records.classes: a mapping cannot stand here"]),
        ("title: Farm", "title: Farm\ntitle: Herd", ["farm.yaml:2: the key 'title' stands twice, first in line 1"]),
        ("title: Farm", "title: [Farm", ["farm.yaml:2: this is not YAML"]),
        ("  file: rec.csv", "\tfile: rec.csv", ["farm.yaml:4: this is not YAML: a tab stands where spaces are needed"]),
        ("file: rec.csv", "file: ${NO_SUCH_FOLDER}/rec.csv", ["variable NO_SUCH_FOLDER is not set", "export NO_SUCH_FOLDER="]),
        ("{file: ped.csv", "{file: ${HERDS}/ped.csv", ["farm.yaml:2: this is not YAML", "must stand in quotes"]),
        ("model:\n  milk: herd + dim +", "model: {milk: legendre(dim, 2) +", ["not YAML"]),
        (
            "model:\n  milk: herd + dim + genetic(id)",
            "model: {milk: herd + legendre(dim, 2) + genetic(id)}",
            ["Within { }, a formula with a comma must stand in quotes"],
        ),
        (
            "title: Farm",
            "base: {animals: {birth_year: [1990, 1991]}}",
            ["farm.yaml:1: base.animals: no animal of the pedigree is among 'animals born 1990 to 1991'"],
        ),
        ("title: Farm", "solver: {method: magic, max_rounds: 0}", ["2 problems", "'magic' is none of", "0 must be at least 1"]),
    ],
)
def test_wrong_configuration(farm: Farm, old: str, new: str, messages: list[str]) -> None:
    farm.change(old, new)
    farm.refused(*messages)


def test_matrix_that_is_not_positive_definite(farm: Farm) -> None:
    farm.change("herd + dim +", "random(herd, slope(dim)) +")
    farm.change("genetic: 0.3", "genetic: 0.3\n  herd: [[1, 2], [2, 1]]")
    farm.refused(
        "farm.yaml:11: variances.herd: the matrix is not positive definite: its smallest eigenvalue is -1", "bend: true"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "farm.yaml: the configuration is empty. It needs the sections"),
        (b"# nothing\n", "the configuration is empty"),
        (b"just text\n", "the configuration has no sections"),
        ("title: Kühe\n".encode("latin-1"), "farm.yaml:1: byte 0xfc is not UTF-8"),
        (b"\x89PNG\r\n\x1a\n", "is not UTF-8"),
    ],
)
def test_file_that_is_no_configuration(farm: Farm, content: bytes, message: str) -> None:
    farm.write("farm.yaml", content)
    farm.refused(message)


def test_configuration_that_is_not_there_or_a_folder(farm: Farm) -> None:
    os.remove("farm.yaml")
    farm.refused("farm.yaml: there is no such file")
    os.mkdir("farm.yaml")
    farm.refused("farm.yaml: cannot be read (Is a directory)")


def test_several_problems_of_a_configuration_stand_together_in_the_order_of_lines(farm: Farm) -> None:
    farm.change("residual: 0.7", "residual: 0")
    farm.change("herd + dim", "hred + dim")
    farm.change("title: Farm", "titel: Farm")
    lines = farm.refused("farm.yaml: 2 problems.").splitlines()
    assert [line.split(" ")[0] for line in lines[1:3]] == ["farm.yaml:1:", "farm.yaml:8:"]


@pytest.mark.parametrize("command", ["check", "evaluate"])
def test_note_of_a_configuration_is_a_warning(farm: Farm, command: str) -> None:
    farm.change("title: Farm", "index: {merit: {milc: 1}}")
    ended = farm.call(command, "farm.yaml")
    assert ended.status == 0
    assert "Warning: The index merit weights 'milc', which is no trait of this model. Did you mean 'milk'?" in ended.err
