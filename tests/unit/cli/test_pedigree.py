"""``breedeval pedigree``: what the user sees."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest
from click.testing import CliRunner

from breedeval.cli.pedigree import pedigree
from breedeval.errors import PedigreeError, UnknownNameError

#: Mrode, Linear Models for the Prediction of Animal Breeding Values, table 2.1.
MRODE = "animal,sire,dam\n1,0,0\n2,0,0\n3,1,2\n4,1,0\n5,4,3\n6,5,2\n"


@pytest.fixture
def call(tmp_path):
    def run(text, command, *arguments, **options):
        path = tmp_path / "herd.csv"
        path.write_text(text)
        return CliRunner().invoke(pedigree, [command, str(path), *arguments], **options)

    return run


def test_describe(call):
    result = call(MRODE, "describe", "--format", "json")
    assert result.exit_code == 0, result.stderr
    values = {row["quantity"]: row["value"] for row in json.loads(result.stdout)}
    assert (values["animals"], values["inbred animals"], values["inbreeding, largest"]) == (6, 2, 0.125)
    assert "6 rows, 6 animals, 2 founders" in result.stderr


def test_describe_as_a_table_and_as_parquet(call, tmp_path):
    assert "inbreeding, largest" in call(MRODE, "describe").stdout
    result = call(MRODE, "describe", "--format", "parquet", "-o", str(tmp_path / "out.parquet"))
    assert result.exit_code == 0, result.stderr
    assert pd.read_parquet(tmp_path / "out.parquet").set_index("quantity")["value"]["animals"] == 6


def test_inbreeding_in_the_order_of_the_file(call, tmp_path):
    rows = MRODE.splitlines()
    reversed_file = "\n".join([rows[0], *rows[:0:-1]]) + "\n"
    out = tmp_path / "f.csv"
    result = call(reversed_file, "inbreeding", "--format", "csv", "-o", str(out))
    assert result.exit_code == 0, result.stderr
    assert out.read_text() == "animal,inbreeding\n6,0.125\n5,0.125\n4,0.0\n3,0.0\n2,0.0\n1,0.0\n"


@pytest.mark.parametrize("ending", ["csv", "json", "parquet", "PARQUET"])
def test_a_file_has_the_form_of_its_ending(call, tmp_path, ending):
    out = tmp_path / f"f.{ending}"
    assert call(MRODE, "inbreeding", "-o", str(out)).exit_code == 0
    reader = {"csv": pd.read_csv, "json": pd.read_json, "parquet": pd.read_parquet}[ending.lower()]
    assert reader(out)["inbreeding"].tolist() == [0, 0, 0, 0, 0.125, 0.125]
    assert call(MRODE, "inbreeding", "-o", str(out), "--format", "table").exit_code == 0
    assert out.read_text().startswith("animal  inbreeding\n1           0.0000\n")


@pytest.mark.parametrize("parents", [[], ["--parents"]])
def test_coefficients_relative_to_metafounders_are_not_taken_in_silence(call, tmp_path, parents):
    stored = tmp_path / "gamma.csv"
    options = ["--group-by", "sex", "--gamma-within", "0.6", *parents]
    assert call(MRODE, "inbreeding", *options, "-o", str(stored)).exit_code == 0
    result = call(MRODE, "inbreeding", "--stored", str(stored))
    assert result.exit_code == 0
    assert "1 animal with an unknown parent is inbred by what is stored: '4'" in result.stderr
    assert call(MRODE, "inbreeding", *parents, "-o", str(stored)).exit_code == 0
    assert "by what is stored" not in call(MRODE, "inbreeding", "--stored", str(stored)).stderr


def test_what_is_not_known_is_left_out(call):
    quantities = call(MRODE, "founders", "--format", "json").stdout  # one animal of reference: no two to compare
    assert "founder genome equivalents" in quantities
    assert "mean relationship of two" not in quantities


def test_inbreeding_of_the_most_inbred_and_of_added_parents(call):
    assert call(MRODE, "inbreeding", "--min", "0.1", "--format", "csv").stdout == "animal,inbreeding\n5,0.125\n6,0.125\n"
    with_added = call("animal,sire,dam\nx,s,d\n", "inbreeding", "--format", "csv").stdout
    assert with_added == "animal,inbreeding\nx,0.0\ns,0.0\nd,0.0\n"


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_inbreeding_from_stored_coefficients(call, tmp_path, form):
    old = tmp_path / f"old.{form}"
    first = call("animal,sire,dam\n1,0,0\n2,0,0\n3,1,2\n4,1,0\n", "inbreeding", "--parents", "--format", form, "-o", str(old))
    assert first.exit_code == 0, first.stderr
    result = call(MRODE, "inbreeding", "--stored", str(old), "--format", "csv")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == call(MRODE, "inbreeding", "--format", "csv").stdout
    assert f"{old}: 4 coefficients taken, 2 computed." in result.stderr
    assert "other parents" not in result.stderr


def test_changed_parents_are_named_and_nothing_stored_of_their_descendants_is_taken(call, tmp_path):
    old = tmp_path / "old.csv"
    call(MRODE, "inbreeding", "--parents", "--format", "csv", "-o", str(old))
    assert old.read_text().splitlines()[3:5] == ["3,1,2,0.0", "4,1,,0.0"]
    changed = MRODE.replace("4,1,0", "4,0,0")
    result = call(changed, "inbreeding", "--stored", str(old), "--format", "csv")
    assert result.stdout == call(changed, "inbreeding", "--format", "csv").stdout
    assert "3 coefficients taken, 3 computed." in result.stderr
    assert "1 animal with other parents" in result.stderr
    assert "'4'; 3 stored coefficients not taken" in result.stderr


def test_stored_coefficients_are_taken_as_they_are_without_parents_and_that_is_said(call, tmp_path):
    old = tmp_path / "old.csv"
    old.write_text("animal,inbreeding\n1,0.5\n")
    result = call("animal,sire,dam\n1,0,0\n2,1,1\n", "inbreeding", "--stored", str(old), "--format", "csv")
    assert result.stdout == "animal,inbreeding\n1,0.5\n2,0.75\n"
    assert "holds no parents" in result.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("animal,inbreeding\n1,0\n2,0\n1,0\n", "1 animal with several coefficients of inbreeding: '1' (FILE, lines 2 and 4)"),
        ("animal,inbreeding\n1,0\n,0\n", "1 row without an animal (FILE, line 3)"),
        ("animal,inbreeding\n1,x\n", "FILE: Column 'inbreeding': 1 value is no number: 'x' (line 2)"),
        ("animal,inbreeding\n1,0\n9,0\n", ".csv: '9' (FILE, line 3)"),
        ("animal,inbreeding\n1,0\n2,-0.5\n", "1 coefficient of inbreeding below 0 or above 1: '2: -0.5' (FILE, line 3)"),
        ("animal,inbreeding\n1,1.5\n", "1 coefficient of inbreeding below 0 or above 1: '1: 1.5' (FILE, line 2)"),
        ("animal,f\n1,0\n", "inbreeding"),
    ],
)
def test_stored_coefficients_that_cannot_be_used(call, tmp_path, text, message):
    old = tmp_path / "old.csv"
    old.write_text(text)
    result = call(MRODE, "inbreeding", "--stored", str(old))
    assert result.exit_code != 0
    assert message.replace("FILE", str(old)) in str(result.exception)


def test_animals_of_pairs_that_are_not_there_are_named_together_with_the_file(call):
    result = call(MRODE, "relationship", "3", "99", "98", "99")
    assert re.search(r"2 animals of 4 not in .*\.csv: '99', '98'", str(result.exception))
    result = call(MRODE, "relationship", "3", "99")
    assert re.search(r"'99' is not in .*\.csv, which has 6 animals", str(result.exception))


def test_relationship_of_pairs(call):
    result = call(MRODE, "relationship", "3", "6", "6", "6", "--format", "csv")
    assert result.stdout == "animal,other,relationship\n3,6,0.5625\n6,6,1.125\n"


def test_relationship_needs_pairs_of_known_animals(call):
    assert call(MRODE, "relationship", "3").exit_code == 2
    assert isinstance(call(MRODE, "relationship", "3", "66").exception, UnknownNameError)


def test_check_of_a_clean_file(call):
    result = call(MRODE, "check")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "0 errors, 0 warnings" in result.stderr


def test_check_names_every_problem_and_exits_with_1(call):
    result = call("animal,sire,dam\na,b,0\nb,a,0\nc,0,c\nd,a,a\n", "check", "--format", "json")
    assert result.exit_code == 1
    rows = json.loads(result.stdout)
    assert [(row["kind"], row["severity"]) for row in rows] == [
        ("own_parent", "error"),
        ("loop", "error"),
        ("both_sexes", "warning"),
    ]
    assert (rows[1]["animals"], rows[1]["lines"]) == ("a b", "2 3")
    assert "2 errors, 1 warning" in result.stderr


def test_check_with_warnings_only_exits_with_0(call):
    result = call("animal,sire,dam\nx,p,0\ny,0,p\n", "check")
    assert result.exit_code == 0
    assert "both_sexes" in result.stdout


def test_mend_is_asked_for_and_told(call):
    text = "animal,sire,dam\na,a,0\nb,a,0\n"
    assert isinstance(call(text, "describe").exception, PedigreeError)
    result = call(text, "describe", "--mend", "own_parent")
    assert result.exit_code == 0
    assert "sire of 'a' 'a' → unknown" in result.stderr


def test_columns_by_number_and_by_none(call):
    result = call("1,0,0\n2,0,1\n3,2,2\n", "inbreeding", "--animal", "1", "--sire", "2", "--dam", "3", "--format", "csv")
    assert result.stdout == "animal,inbreeding\n1,0.0\n2,0.0\n3,0.5\n"
    no_dam = call(MRODE, "inbreeding", "--dam", "none", "--format", "csv")
    assert no_dam.exit_code == 0, no_dam.stderr
    assert "0.125" not in no_dam.stdout


def test_unknown_codes_of_the_user(call):
    result = call("animal,sire,dam\nx,nobody,d\n", "inbreeding", "--unknown", "nobody", "--format", "csv")
    assert result.stdout == "animal,inbreeding\nx,0.0\nd,0.0\n"


@pytest.mark.parametrize("command", ["describe", "check", "inbreeding", "relationship"])
def test_help_shows_an_example(command):
    result = CliRunner().invoke(pedigree, [command, "--help"])
    assert f"Example: breedeval pedigree {command} " in " ".join(result.stdout.split())
