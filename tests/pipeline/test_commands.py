"""The commands on a small farm: what they print, in which form, and with which exit status."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import h5py
import pandas as pd
import pytest

from breedeval.cli.main import run
from breedeval.errors import TableError
from tests.farm import RECORDS, Farm

COLUMNS = ["rank", "id", "ebv", "reliability", "sex", "birth_year", "inbreeding", "n_records", "n_progeny"]


@pytest.fixture
def evaluated(farm: Farm) -> Farm:
    """The farm with results in ``out.h5``."""
    ended = farm.evaluate("-q")
    assert (ended.status, ended.out, ended.err) == (0, "", "")
    return farm


# --- rank and show ----------------------------------------------------------------------------------------------------


def test_forms_of_a_ranking_agree(evaluated: Farm) -> None:
    csv = pd.read_csv(io.StringIO(evaluated.call("rank", "out.h5", "--format", "csv").out))
    assert list(csv.columns) == COLUMNS
    assert csv["rank"].tolist() == [1, 2, 3, 4, 5]
    assert csv["ebv"].is_monotonic_decreasing
    from_json = pd.DataFrame(json.loads(evaluated.call("rank", "out.h5", "--format", "json").out))
    pd.testing.assert_frame_equal(from_json, csv, check_exact=False, rtol=1e-12, check_dtype=False)
    lines = evaluated.call("rank", "out.h5").out.splitlines()
    assert lines[0].split() == COLUMNS
    assert [line.split()[1] for line in lines[1:]] == csv["id"].tolist()


@pytest.mark.parametrize(("form", "read"), [("csv", pd.read_csv), ("json", pd.read_json), ("parquet", pd.read_parquet)])
def test_a_table_goes_to_a_file(evaluated: Farm, form: str, read) -> None:
    ended = evaluated.call("rank", "out.h5", "--format", form, "-o", f"table.{form}")
    assert (ended.status, ended.out, ended.err) == (0, "", "")
    assert read(f"table.{form}")["id"].tolist()[0] == "d"


def test_choice_of_animals(evaluated: Farm) -> None:
    def ids(*options: str) -> list[str]:
        ended = evaluated.call("rank", "out.h5", "--format", "csv", *options)
        assert ended.status == 0, ended.err
        return [line.split(",")[1] for line in ended.out.splitlines()[1:]]

    everyone = ids()
    assert sorted(everyone) == ["a", "b", "c", "d", "e"]
    assert ids("--top", "2") == everyone[:2]
    assert sorted(ids("--sex", "M")) == ["a", "c"]
    assert sorted(ids("--born", "2003:2004")) == ["c", "d"]
    assert sorted(ids("--born", "2004:")) == ["d", "e"]
    assert sorted(ids("--born", ":2001")) == ["a", "b"]
    assert ids("--born", "2006") == ["e"]
    assert ids("--born", "1950:1960") == []
    assert ids("--min-reliability", "1") == []


def test_index_ranks_by_the_weighted_sum(farm: Farm) -> None:
    farm.change("title: Farm", "index: {merit: {milk: -2}}")
    assert farm.evaluate("-q").status == 0
    by_trait = pd.read_csv(io.StringIO(farm.call("rank", "out.h5", "--format", "csv").out)).set_index("id")
    by_index = pd.read_csv(io.StringIO(farm.call("rank", "out.h5", "--index", "merit", "--format", "csv").out)).set_index("id")
    pd.testing.assert_series_equal(by_index["index"].sort_index(), -2 * by_trait["ebv"].sort_index(), check_names=False)
    assert by_index.index[0] == by_trait.index[-1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rank", "out.h5", "--trait", "mlk"], "No breeding values for trait 'mlk'. Did you mean 'milk'? There are: 'milk'."),
        (["rank", "out.h5", "--column", "dam"], "No breeding values 'dam' for trait 'milk'. There are: 'id'."),
        (["rank", "out.h5", "--index", "merit"], "has no index 'merit'. It declared none; add a section index"),
        (["show", "out.h5", "zz", "a", "yy"], "2 animals not in these results: 'zz', 'yy'. Ids are as in the pedigree file."),
        (["rank", "nothing.h5"], "There is no file nothing.h5. Run 'breedeval evaluate CONFIG -o nothing.h5'"),
        (["show", "nothing.h5"], "There is no file nothing.h5"),
        (["rank", "."], ". is a folder. Give the name of a results file."),
        (["rank", "rec.csv"], "rec.csv cannot be read as HDF5: it is damaged or something else. Give a file"),
        (["rank", "out.h5", "-o", "nowhere/table.csv"], "is not there. Make it, or choose another with -o"),
        (["check", "nothing.yaml"], "nothing.yaml: there is no such file"),
        (["pedigree", "check", "nothing.csv"], "nothing.csv does not exist"),
    ],
)
def test_something_that_is_not_there(evaluated: Farm, arguments: list[str], message: str) -> None:
    ended = evaluated.call(*arguments)
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith("Error: ")
    assert message in ended.err


def test_choice_by_what_the_run_does_not_know(farm: Farm) -> None:
    farm.change(", birth_year: born, sex: sex", "")
    farm.change("born,sex", "year_x,sex_x", "ped.csv")
    farm.change("title: Farm", "accuracy: {method: none}")
    assert farm.evaluate("-q").status == 0
    for options, message in (
        (["--born", "2003:"], "There are no birth years to choose by"),
        (["--min-reliability", "0.5"], "There are no reliabilities to choose by. Evaluate with accuracy: {method: exact}."),
    ):
        ended = farm.call("rank", "out.h5", *options)
        assert (ended.status, message in ended.err) == (1, True), ended.err


def spoil(name: str, how) -> str:
    shutil.copy("out.h5", name)
    with h5py.File(name, "a") as file:
        how(file)
    return name


@pytest.mark.parametrize("command", ["rank", "show"])
def test_file_that_is_no_results_file(evaluated: Farm, command: str) -> None:
    with h5py.File("other.h5", "w") as file:
        file["x"] = 1
    Path("cut.h5").write_bytes(Path("out.h5").read_bytes()[:9000])
    cases = {
        "other.h5": "is HDF5, but not a results file of breedeval",
        "cut.h5": "cannot be read as HDF5: it is damaged",
        spoil("later.h5", lambda file: file.attrs.update({"format_version": "2.0"})): "has format version 2.0; this breedeval",
        spoil("nameless.h5", lambda file: file.attrs.__delitem__("format_version")): "has format version None",
        spoil("poor.h5", lambda file: file.__delitem__("animals/id")): "is not complete: it lacks 'animals/id'",
    }
    for name, message in cases.items():
        ended = evaluated.call(command, name)
        assert (ended.status, name in ended.err, message in ended.err) == (1, True, True), ended.err


def test_later_small_version_is_read(evaluated: Farm) -> None:
    name = spoil("minor.h5", lambda file: file.attrs.update({"format_version": "1.7"}))
    assert evaluated.call("rank", name).status == 0


def test_show_tells_the_run_and_animals(evaluated: Farm) -> None:
    said = evaluated.call("show", "out.h5").out
    for part in ("Farm", "rec.csv", "records: 4 read, 4 used", "equations: 9", "milk (id), base: founders"):
        assert part in said
    table = pd.read_csv(io.StringIO(evaluated.call("show", "out.h5", "d", "a", "--format", "csv").out))
    assert table["id"].tolist() == ["d", "a"]
    assert table[["sire", "dam", "n_records"]].iloc[0].tolist() == ["a", "b", 2]


def test_a_table_is_never_written_over_what_is_read(evaluated: Farm) -> None:
    before = Path("out.h5").read_bytes()
    ended = evaluated.call("rank", "out.h5", "--format", "csv", "-o", "./out.h5")
    assert (ended.status, "is the file that is read" in ended.err) == (2, True)
    assert Path("out.h5").read_bytes() == before


# --- check, evaluate --------------------------------------------------------------------------------------------------


def test_check_predicts_and_writes_nothing(farm: Farm) -> None:
    before = sorted(farm.folder.iterdir())
    ended = farm.call("check", "farm.yaml")
    assert ended.status == 0
    assert ended.out.splitlines()[:2] == ["Farm: no problem found", "5 animals, 4 records used, 9 equations"]
    assert sorted(farm.folder.iterdir()) == before


def test_results_stand_here_under_the_name_of_the_configuration(farm: Farm) -> None:
    assert farm.call("evaluate", "farm.yaml").status == 0
    assert (farm.folder / "farm.h5").exists()


def test_dropped_records_are_told(farm: Farm) -> None:
    farm.write("rec.csv", RECORDS + "c,,12,90\nd,2,NA,90\n")
    assert "1 record dropped: herd missing" in (said := farm.evaluate().err)
    assert "1 record dropped: milk missing" in said


# --- wrong usage ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rnak"], "No such command 'rnak'. Did you mean 'rank'?"),
        (["rank", "--tpo", "3"], "No such option"),
        (["rank"], "Missing argument 'RESULTS'"),
        (["evaluate"], "Missing argument 'CONFIG'"),
        (["evaluate", "farm.yaml", "x"], "unexpected extra argument"),
        (["evaluate", "farm.yaml", "--threads", "0"], "--threads"),
        (["rank", "out.h5", "--born", "x"], "'x' is not a range of years. Write 2015:2018, 2015: or :2018."),
        (["rank", "out.h5", "--born", "1:2:3"], "is not a range of years"),
        (["rank", "out.h5", "--born", ":"], "':' names no year"),
        (["rank", "out.h5", "--born", "2010:2000"], "2010 is after 2000. Write the earlier year first."),
        (["rank", "out.h5", "--min-reliability", "2"], "--min-reliability"),
        (["rank", "out.h5", "--top", "0"], "--top"),
        (["rank", "out.h5", "--sex", "X"], "--sex"),
        (["rank", "out.h5", "--format", "xml"], "--format"),
        (["rank", "out.h5", "--trait", "milk", "--index", "i"], "Rank by --trait or by --index, not by both."),
    ],
)
def test_wrong_usage(farm: Farm, arguments: list[str], message: str) -> None:
    ended = farm.call(*arguments)
    assert (ended.status, ended.out) == (2, "")
    assert message in ended.err
    assert "Try 'breedeval" in ended.err


@pytest.mark.parametrize("command", ["check", "evaluate", "rank", "show", "simulate", "schema", "warmup"])
def test_help_of_every_command(farm: Farm, command: str) -> None:
    ended = farm.call(command, "--help")
    assert (ended.status, ended.err) == (0, "")
    assert f"breedeval {command}" in ended.out


def test_traceback_is_shown_when_asked_for(farm: Farm) -> None:
    (farm.folder / "rec.csv").unlink()
    with pytest.raises(TableError):
        run(["--debug", "check", "farm.yaml"])
