"""``breedeval pedigree``: the commands that describe and divide a pedigree."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from click.testing import CliRunner

from breedeval.cli.pedigree import pedigree
from breedeval.errors import PedigreeError, UnknownNameError

HERD = """id,sire,dam,sex,year
s,0,0,M,2000
t,0,0,M,2001
d,0,0,F,2000
e,s,d,F,2003
f,s,d,M,2004
g,f,e,F,2007
h,t,e,M,2008
i,f,g,F,2010
j,h,0,F,2010
"""


@pytest.fixture
def call(tmp_path):
    path = tmp_path / "herd.csv"
    path.write_text(HERD)

    def run(command, *arguments):
        return CliRunner().invoke(pedigree, [command, str(path), "--birth-year", "year", "--format", "json", *arguments])

    return run


def rows(result):
    assert result.exit_code == 0, (result.stderr, result.exception)
    return json.loads(result.stdout)


def test_describe_tells_every_part(call):
    values = {row["quantity"]: row["value"] for row in rows(call("describe"))}
    assert values["animals"] == 9
    assert values["reference population (animals)"] == 2
    assert values["generation interval (years)"] == pytest.approx((4 + 5 + 3.5 + 3.5) / 4, abs=1)
    assert {"effective number of founders", "effective number of ancestors", "effective size, from birth years"} <= set(values)
    all_of_them = {row["quantity"]: row["value"] for row in rows(call("describe", "--reference", "all"))}
    assert all_of_them["reference population (animals)"] == 9


def test_completeness(call):
    assert [row["generation"] for row in rows(call("completeness", "--depth", "3"))] == [1, 2, 3]
    assert rows(call("completeness", "--by", "path"))[0] == {"ancestor": "sire", "n": 6, "known": pytest.approx(6 / 9)}
    assert [row["birth_year"] for row in rows(call("completeness", "--by", "year", "--width", "5"))] == [2000, 2005, 2010]
    animals = {row["animal"]: row for row in rows(call("completeness", "--by", "animal", "--depth", "2"))}
    assert animals["g"] == {"animal": "g", "equivalent": 2.0, "complete": 2, "longest": 2, "index": 1.0}


def test_founders(call):
    values = {row["quantity"]: row["value"] for row in rows(call("founders"))}
    assert (values["reference population (animals)"], values["unknown parents among them"]) == (2, 1)
    assert values["effective number of ancestors"] <= values["effective number of founders"]
    # i: s and d a half each; j: t ¼, s and d ⅛ each, and its unknown dam ½.
    listed = rows(call("founders", "--list", "founders", "--top", "2"))
    assert [(row["founder"], row["contribution"]) for row in listed] == [("s", 0.3125), ("d", 0.3125)]
    assert len(rows(call("founders", "--list", "ancestors", "--top", "1"))) == 1


def test_generations_say_what_was_left_out(tmp_path):
    path = tmp_path / "herd.csv"
    path.write_text(HERD.replace("s,0,0,M,2000", "s,0,0,M,2020"))
    result = CliRunner().invoke(pedigree, ["generations", str(path), "--birth-year", "year", "--format", "csv"])
    assert result.exit_code == 0, result.stderr
    assert "2 pairs left out" in result.stderr
    assert result.stdout.startswith("progeny,path,n,mean,sd,min,max\n")


def test_trend_with_a_picture(call, tmp_path):
    pytest.importorskip("matplotlib")
    found = rows(call("trend", "--width", "5", "--plot", str(tmp_path / "trend.svg")))
    assert [row["n"] for row in found] == [5, 2, 2]
    assert (tmp_path / "trend.svg").read_text().startswith("<?xml")
    wrong = call("trend", "--plot", str(tmp_path / "trend.pdf"))
    assert (wrong.exit_code, "neither with .svg nor with .png" in wrong.stderr) == (2, True)


def test_a_picture_without_birth_years_is_refused(tmp_path):
    path = tmp_path / "herd.csv"
    path.write_text("id,sire,dam\na,0,0\nb,a,0\n")
    result = CliRunner().invoke(pedigree, ["trend", str(path), "--plot", str(tmp_path / "trend.svg")])
    assert isinstance(result.exception, PedigreeError)
    assert not (tmp_path / "trend.svg").exists()


def test_inbreeding_rate(call):
    methods = rows(call("inbreeding-rate", "--interval", "4"))
    assert [row["method"] for row in methods] == ["ln(1 − F) on birth year", "mean of individual increases"]
    assert methods[0]["n"] == 9
    years = rows(call("inbreeding-rate", "--by-year", "--width", "5"))
    assert [row["used"] for row in years] == [0, 2, 2]


def test_families(call):
    assert {row["family"]: row["families"] for row in rows(call("families"))} == {"sire": 4, "dam": 3, "full_sibs": 4}
    assert rows(call("families", "--sizes", "sire")) == [
        {"size": "1", "families": 2, "progeny": 2, "share": pytest.approx(1 / 3)},
        {"size": "2", "families": 2, "progeny": 4, "share": pytest.approx(2 / 3)},
    ]
    assert rows(call("families", "--largest", "dam", "--top", "1"))[0]["progeny"] == 2
    assert call("families", "--largest", "dam", "--sizes", "dam").exit_code == 2


def test_extract_gives_a_file_that_can_be_read_again(call, tmp_path):
    out = tmp_path / "part.csv"
    assert {row["animal"] for row in rows(call("extract", "--id", "e", "--descendants", "1"))} == set("stdefgh")
    result = call("extract", "--id", "h", "--ancestors", "1", "--format", "csv", "-o", str(out))
    assert "3 animals extracted" in result.stderr
    again = CliRunner().invoke(pedigree, ["describe", str(out), "--format", "json"])
    assert {row["quantity"]: row["value"] for row in rows(again)}["animals"] == 3
    assert pd.read_csv(out).columns.tolist() == ["animal", "sire", "dam", "sex", "birth_year"]


@pytest.mark.parametrize("command", ["prune", "extract"])
def test_ids_that_are_not_there_are_named_with_their_lines(call, tmp_path, command):
    ids = tmp_path / "ids.txt"
    ids.write_text("i\nx1\n\n x2 \nx1\n")
    message = str(call(command, "--ids", str(ids), "--id", "x3").exception)
    assert "not in" in message
    assert "herd.csv: 'x3', 'x1', 'x2'" in message
    assert message.endswith(f"Asked for in {ids}, lines 2, 4 and 5.")
    assert "Asked for" not in str(call(command, "--id", "x3").exception)


def test_prune_and_files_of_ids(call, tmp_path):
    ids = tmp_path / "ids.txt"
    ids.write_text("i\n\nj\n")
    result = call("prune", "--ids", str(ids))
    # t has one progeny and goes; everybody else connects i and j.
    assert {row["animal"] for row in rows(result)} == set("sdefghij")
    assert "8 animals left of 9" in result.stderr


def test_animals_must_be_named_and_be_there(call):
    assert call("extract").exit_code == 2
    assert call("extract", "--id", "e", "--ancestors", "some").exit_code == 2
    assert isinstance(call("prune", "--id", "nobody").exception, UnknownNameError)


def test_average_relationship(call):
    by_sex = rows(call("average-relationship", "--by", "sex"))
    assert [row["n"] for row in by_sex] == [4, 5]
    assert by_sex[0]["F"] == by_sex[1]["M"]
    years = rows(call("average-relationship", "--width", "5"))
    assert [row["birth_year"] for row in years] == ["2000", "2005", "2010"]


def test_help_of_every_command_has_an_example():
    for name in pedigree.commands:
        result = CliRunner().invoke(pedigree, [name, "--help"])
        assert f"Example: breedeval pedigree {name}" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("trend", "--width", "0"),
        ("completeness", "--depth", "0"),
        ("founders", "--years", "0"),
        ("founders", "--tolerance", "-1"),
        ("families", "--largest", "sire", "--top", "0"),
        ("inbreeding-rate", "--interval", "0"),
    ],
)
def test_a_number_that_means_nothing_is_wrong_usage(call, arguments):
    result = call(*arguments)
    assert result.exit_code == 2
    assert f"Invalid value for '{arguments[-2]}'" in result.stderr


@pytest.mark.parametrize(
    "command", ["trend", "generations", "inbreeding-rate", "average-relationship", "completeness --by year"]
)
def test_tables_by_birth_year_say_where_none_is_known(call, command):
    result = call(*command.split(), "--birth-year", "none")
    assert "no birth year is known. Name its column" in result.stderr
    assert "no birth year" not in call(*command.split()).stderr


def test_ids_of_a_spreadsheet_are_read(call, tmp_path):
    (tmp_path / "ids.txt").write_bytes(b"\xef\xbb\xbfe\r\n\r\nf \r\n")
    assert [row["animal"] for row in rows(call("extract", "--ids", str(tmp_path / "ids.txt"), "--ancestors", "none"))] == [
        "e",
        "f",
    ]
    (tmp_path / "ids.txt").write_bytes("k\xfch\n".encode("latin-1"))
    result = call("extract", "--ids", str(tmp_path / "ids.txt"))
    assert result.exit_code == 2
    assert "is not UTF-8" in result.stderr


@pytest.mark.parametrize(
    ("command", "option", "beyond", "at"),
    [
        ("describe", "--years", "0", "1"),
        ("founders", "--years", "0", "1"),
        ("founders", "--top", "0", "1"),
        ("founders", "--tolerance", "-0.001", "0"),
        ("completeness", "--depth", "0", "1"),
        ("completeness", "--width", "0", "1"),
        ("trend", "--width", "0", "1"),
        ("inbreeding-rate", "--width", "0", "1"),
        ("inbreeding-rate", "--years", "0", "1"),
        ("inbreeding-rate", "--interval", "0", "0.5"),
        ("families", "--top", "0", "1"),
        ("average-relationship", "--width", "0", "1"),
        ("extract", "--ancestors", "-1", "0"),
        ("extract", "--descendants", "-1", "0"),
    ],
)
def test_bounds_of_options(call, command, option, beyond, at):
    animal = ["--id", "i"] if command == "extract" else []
    result = call(command, *animal, option, beyond)
    assert result.exit_code == 2
    assert option in result.stderr
    assert call(command, *animal, option, at).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("inbreeding-rate --width 5", "--width changes nothing here: it is for --by-year."),
        ("inbreeding-rate --by-year --interval 4", "--interval changes nothing here"),
        ("inbreeding-rate --by-year --years 2", "--years changes nothing here"),
        ("completeness --width 5", "--width changes nothing here: it is for --by year."),
        ("completeness --by path --depth 3", "--depth changes nothing here"),
        ("families --sizes sire --top 3", "--top changes nothing here: it is for --largest."),
        ("founders --top 3", "--top changes nothing here: it is for --list."),
        ("founders --list founders --tolerance 0.1", "--tolerance changes nothing here: it is for ancestors."),
        ("founders --reference all --years 3", "--years changes nothing here"),
        ("average-relationship --by sex --width 5", "--width changes nothing here"),
    ],
)
def test_an_option_that_changes_nothing_is_told(arguments, says):
    command, *options = arguments.split()
    result = CliRunner().invoke(pedigree, [command, "pedigrees/mrode_table_2_1.csv", *options])
    assert result.exit_code == 0, result.stderr
    assert says in result.stderr
