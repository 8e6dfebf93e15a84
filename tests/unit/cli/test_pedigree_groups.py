"""``breedeval pedigree groups``, and groups in the other commands: values counted and computed by hand."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

from breedeval.cli.pedigree import pedigree

# Two founders of 2000, one of 2004 with a known sire; x inbred if founders of one group are related.
HERD = """id,sire,dam,sex,year,origin,so,do
s,0,0,M,2000,A,A,B
d,0,0,F,2000,A,A,B
e,s,0,F,2004,B,,B
x,s,d,F,2006,,,
y,s,e,M,2008,,,
"""
CODED = """id,sire,dam
s,-1,-2
d,-1,-2
e,s,-2
x,s,d
"""
RECORDS = """cow,milk
d,1
x,2
x,3
y,4
zz,5
,6
"""


@pytest.fixture
def call(tmp_path):
    for name, text in (("herd.csv", HERD), ("coded.csv", CODED), ("records.csv", RECORDS)):
        (tmp_path / name).write_text(text)

    def run(*arguments, command="groups", file="herd.csv"):
        texts = [argument.replace("FOLDER", str(tmp_path)) for argument in arguments]
        return CliRunner().invoke(pedigree, [command, str(tmp_path / file), "--format", "json", *texts])

    return run


def rows(result):
    assert result.exit_code == 0, (result.stderr, result.exception)
    return json.loads(result.stdout)


def sizes(result):
    return {row["group"]: (row["sires"], row["dams"], row["progeny"]) for row in rows(result)}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--group-by", "sex", "--min-size", "1"], {"sires": (2, 0, 2), "dams": (0, 3, 3)}),
        (["--group-by", "birth_year", "--min-size", "1"], {"2000": (2, 2, 2), "2004": (0, 1, 1)}),
        (["--group-by", "birth_year", "--min-size", "2"], {"2000-2004": (2, 3, 3)}),
        (
            ["--group-by", "birth_year", "--group-by", "sex", "--min-size", "1"],
            {"sires 2000": (2, 0, 2), "dams 2000": (0, 2, 2), "dams 2004": (0, 1, 1)},
        ),
        (
            ["--group-by", "path"],
            {
                "sires of males": (1, 0, 1),
                "sires of females": (1, 0, 1),
                "dams of males": (0, 1, 1),
                "dams of females": (0, 2, 2),
            },
        ),
        (["--group-column", "origin"], {"A": (2, 2, 2), "B": (0, 1, 1)}),
        (["--sire-group", "so", "--dam-group", "do"], {"A": (2, 0, 2), "B": (0, 3, 3)}),
        (["--group-code", "0"], {"0": (2, 3, 3)}),
    ],
)
def test_sizes_of_groups_from_everywhere(call, arguments, expected):
    assert sizes(call("--birth-year", "year", *arguments)) == expected


def test_sizes_of_groups_by_codes(call):
    assert sizes(call("--group-code", "negative", file="coded.csv")) == {"-1": (2, 0, 2), "-2": (0, 3, 3)}
    assert sizes(call("--group-code", "-2", "--group-code", "-1", file="coded.csv")) == {"-1": (2, 0, 2), "-2": (0, 3, 3)}


def test_a_file_without_header_has_columns_by_number(call, tmp_path):
    (tmp_path / "bare.csv").write_text("\n".join(HERD.splitlines()[1:]) + "\n")
    columns = ["--animal", "1", "--sire", "2", "--dam", "3", "--birth-year", "none", "--group-column", "6"]
    assert sizes(call(*columns, file="bare.csv")) == {"A": (2, 2, 2), "B": (0, 1, 1)}


def test_birth_years_and_records(call):
    result = call(
        "--group-column", "origin", "--birth-year", "year", "--records", "FOLDER/records.csv", "--record-animal", "cow"
    )
    a, b = rows(result)
    assert (a["first_year"], a["last_year"], b["first_year"], b["last_year"]) == (2000, 2000, 2004, 2004)
    assert (a["records"], b["records"]) == (1, 0)
    # d and x are all A; y has its dam's half from its grandsire s and half from an unknown dam of B.
    assert (a["record_equivalents"], b["record_equivalents"]) == (1 + 2 + 0.75, 0.25)
    assert "2 records of no animal of the pedigree, not counted" in result.stderr


def test_metafounders_and_what_they_do_to_inbreeding(call):
    result = call("--group-column", "origin", "--gamma-within", "0.4", "--gamma-between", "0.1", "--birth-year", "year")
    a, b = rows(result)
    assert (a["gamma"], b["gamma"]) == (0.4, 0.4)
    # Progeny of a metafounder with itself: F = γ/2. e: half of the relationship of s, all of A, with B.
    assert a["progeny_inbreeding"] == pytest.approx(0.2)
    assert b["progeny_inbreeding"] == pytest.approx(0.05)
    # x: s and d, both of A, are related by γ; y: half of a(s, e) = ½ (1.2 + 0.1).
    mean = (0.2 + 0.2 + 0.05 + 0.2 + 0.325) / 5
    assert f"Mean inbreeding {mean:.4f} with these groups, {0.25 / 5:.4f} with unrelated unknown parents." in result.stderr
    assert "to be divided by 0.9500" in result.stderr  # 1 + 0.4 / 2 − (0.4 + 0.1) / 2


def test_gamma_of_a_population_that_drifts(call):
    shown = rows(
        call(
            *[
                "--group-by",
                "birth_year",
                "--min-size",
                "1",
                "--birth-year",
                "year",
                "--gamma",
                "--gamma-rate",
                "0.01",
                "--gamma-start",
                "0.1",
            ]
        )
    )
    assert [row["group"] for row in shown] == ["2000", "2004"]
    assert [[row["2000"], row["2004"]] for row in shown] == [
        [pytest.approx(0.1, abs=1e-5), 0.1],
        [0.1, pytest.approx(0.18, abs=1e-5)],  # 0.1 + 2 × 0.01 × 4
    ]


def test_inbreeding_with_metafounders(call):
    metafounders = ["--group-column", "origin", "--gamma-within", "0.4", "--gamma-between", "0.1"]
    found = {row["animal"]: row["inbreeding"] for row in rows(call(*metafounders, command="inbreeding"))}
    assert found == pytest.approx({"s": 0.2, "d": 0.2, "e": 0.05, "x": 0.2, "y": 0.325})
    plain = {row["animal"]: row["inbreeding"] for row in rows(call("--group-column", "origin", command="inbreeding"))}
    assert plain == {"s": 0, "d": 0, "e": 0, "x": 0, "y": 0.25}
    with_parents = rows(call(*metafounders, "--parents", command="inbreeding"))
    assert [(row["sire"], row["dam"]) for row in with_parents][:3] == [("", ""), ("", ""), ("s", "")]


def test_average_relationship_with_metafounders(call):
    metafounders = ["--by", "birth_year", "--birth-year", "year", "--group-column", "origin", "--gamma-within", "0.4"]
    first = rows(call(*metafounders, command="average-relationship"))[0]
    assert first["different"] == pytest.approx(0.4)  # s and d
    assert first["2000"] == pytest.approx((2 * 1.2 + 2 * 0.4) / 4)
    assert rows(call("--birth-year", "year", command="average-relationship"))[0]["different"] == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "--group-by, --group-column, --group-code"),
        (["--gamma-within", "0.4"], "one of --group-by"),
        (["--group-by", "sex", "--group-column", "origin"], "one of --group-by"),
        (["--sire-group", "so"], "--sire-group and --dam-group go together"),
        (["--group-by", "sex", "--gamma-rate", "0.1"], "--gamma-rate needs --group-by birth_year"),
        (["--group-by", "sex", "--inbred"], "--inbred needs --group-by birth_year"),
        (["--group-by", "sex", "--gamma-start", "0.1"], "--gamma-start goes with"),
        (["--group-by", "sex", "--gamma-between", "0.1"], "--gamma-between with"),
        (["--group-by", "birth_year", "--gamma-rate", "0.1", "--gamma-between", "0.1"], "--gamma-between with"),
        (
            ["--group-by", "birth_year", "--gamma-rate", "0.1", "--gamma-within", "0.1"],
            "one of --gamma-within and --gamma-rate",
        ),
        (["--group-column", "origin", "--min-size", "3"], "--min-size is for groups by a rule"),
        (["--group-column", "origin", "--gamma"], "--gamma is for metafounders"),
        (["--group-column", "origin", "--records", "r.csv"], "--records and --record-animal go together"),
        (["--group-by", "sex", "--min-size", "0"], "--min-size"),
        (["--group-by", "sex", "--gamma-within", "0"], "--gamma-within"),
        (["--group-by", "birth_year", "--gamma-rate", "0"], "--gamma-rate"),
        (["--group-by", "birth_year", "--gamma-rate", "0.1", "--gamma-start", "0"], "--gamma-start"),
    ],
)
def test_what_does_not_go_together_is_wrong_usage(call, arguments, says):
    result = call(*arguments)
    assert result.exit_code == 2
    assert says in " ".join(result.stderr.split())


def test_unknown_parents_without_a_group_are_named_with_their_lines(call, tmp_path):
    (tmp_path / "bare.csv").write_text("id,sire,dam,g\na,0,0,A\nb,a,0,\nc,0,b,\nc,0,b,\nd,e,b,\n")
    message = str(call("--group-column", "g", file="bare.csv").exception)
    assert re.search(r"3 animals .* no group: 'e', 'b', 'c' \(.*bare\.csv, lines 3 and 4\)", message)
    (tmp_path / "added.csv").write_text("id,sire,dam,g\na,e,f,A\n")
    message = str(call("--group-column", "g", file="added.csv").exception)
    assert "'e', 'f'" in message
    assert "added.csv, without a row of their own)" in message


def test_stored_coefficients_do_not_go_with_groups(call):
    result = call("--group-column", "origin", "--stored", "f.csv", command="inbreeding")
    assert result.exit_code == 2
    assert "--stored is for unknown parents that are unrelated" in result.stderr
