"""Coefficients of inbreeding of an earlier run in an evaluation: the same numbers as without them."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

import breedeval as be
from breedeval.cli.main import main
from breedeval.errors import ConfigError, OutputError, ResultsError, TableError
from breedeval.evaluation.observer import Observer

OLD = """id,sire,dam,year
a,,,2000
b,,,2000
c,a,b,2002
d,a,b,2002
e,c,d,2004
f,c,e,2006
g,e,d,2006
"""
NEW = OLD + "h,f,g,2008\ni,f,e,2008\n"


class Listening(Observer):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)

    def warn(self, text: str) -> None:
        self.lines.append(text)


def run(
    folder: Path, pedigree: str, keys: str = "", name: str = "run", animal: str = "id"
) -> tuple[be.EvaluationResults, list[str]]:
    (folder / "pedigree.csv").write_text(pedigree)
    ids = [line.split(",")[0] for line in pedigree.split()[1:]]
    (folder / "records.csv").write_text("id,y\n" + "".join(f"{animal},{i % 3 + 0.5}\n" for i, animal in enumerate(ids)))
    config = folder / f"{name}.yaml"
    config.write_text(
        f"pedigree: {{file: pedigree.csv, animal: id, sire: sire, dam: dam, birth_year: year{keys}}}\n"
        f"records: {{file: records.csv}}\nmodel: {{y: genetic({animal})}}\nvariances: {{genetic: 1.5, residual: 2.0}}\n"
    )
    observer = Listening()
    return be.evaluate(config, folder / f"{name}.h5", observer=observer), observer.lines


def same(one: be.EvaluationResults, other: be.EvaluationResults) -> None:
    np.testing.assert_array_equal(one.inbreeding, other.inbreeding)
    np.testing.assert_array_equal(one.ebv()["ebv"], other.ebv()["ebv"])
    assert one.inbreeding.max() > 0.3


def test_new_animals_are_computed_and_the_others_taken(tmp_path: Path) -> None:
    run(tmp_path, OLD, name="old")
    found, lines = run(tmp_path, NEW, ", stored_inbreeding: old.h5")
    same(found, run(tmp_path, NEW, name="full")[0])
    assert f"inbreeding: 7 coefficients taken from {tmp_path / 'old.h5'}, 2 computed" in lines
    assert found.record["counts"]["stored_inbreeding"]["n_taken"] == 7
    assert found.record["inputs"]["stored inbreeding"]["file"].endswith("old.h5")


def test_what_is_taken_is_used(tmp_path: Path) -> None:
    run(tmp_path, OLD, name="old")
    with h5py.File(tmp_path / "old.h5", "r+") as file:
        file["animals/inbreeding"][:] = 0.125
    found, _ = run(tmp_path, NEW, ", stored_inbreeding: old.h5")
    assert set(found.inbreeding[:7]) == {0.125}


def test_changed_parents_and_their_descendants_are_computed(tmp_path: Path) -> None:
    run(tmp_path, OLD, name="old")
    changed = NEW.replace("e,c,d", "e,a,d")
    found, lines = run(tmp_path, changed, ", stored_inbreeding: old.h5")
    same(found, run(tmp_path, changed, name="full")[0])
    assert f"inbreeding: 4 coefficients taken from {tmp_path / 'old.h5'}, 5 computed" in lines
    assert any("1 animal with other parents" in line and "'e'; 3 stored coefficients not taken" in line for line in lines)


def test_animals_that_have_gone(tmp_path: Path) -> None:
    run(tmp_path, OLD, name="old")
    without = NEW.replace("b,,,2000\n", "").replace("a,b,", "a,,")
    found, lines = run(tmp_path, without, ", stored_inbreeding: old.h5")
    full = run(tmp_path, without, name="full")[0]
    np.testing.assert_array_equal(found.inbreeding, full.inbreeding)
    assert any("1 animal of" in line and "not in the pedigree any more" in line for line in lines)
    assert f"inbreeding: 1 coefficient taken from {tmp_path / 'old.h5'}, 7 computed" in lines


@pytest.mark.parametrize("option", [["--parents"], []])
def test_a_table_of_the_command(tmp_path: Path, option: list[str]) -> None:
    (tmp_path / "old.csv").write_text(OLD)
    table = str(tmp_path / "inbreeding.csv")
    main(["pedigree", "inbreeding", str(tmp_path / "old.csv"), *option, "--format", "csv", "-o", table], standalone_mode=False)
    found, lines = run(tmp_path, NEW, ", stored_inbreeding: inbreeding.csv")
    same(found, run(tmp_path, NEW, name="full")[0])
    assert any("7 coefficients taken" in line for line in lines)
    assert any("holds no parents" in line for line in lines) == (not option)


def test_coefficients_of_another_kind_are_refused(tmp_path: Path) -> None:
    run(tmp_path, OLD, ", inbreeding: false", name="none")
    with pytest.raises(ResultsError, match="an evaluation without inbreeding"):
        run(tmp_path, NEW, ", stored_inbreeding: none.h5")
    groups = ", groups: {by: [birth_year], min_size: 1, gamma: {within: 0.5}}"
    run(tmp_path, OLD, groups, name="related")
    with pytest.raises(ResultsError, match="unknown parents are metafounders there, and unrelated here"):
        run(tmp_path, NEW, ", stored_inbreeding: related.h5")
    with pytest.raises(TableError, match=r"absent\.csv"):
        run(tmp_path, NEW, ", stored_inbreeding: absent.csv")
    for keys, words in (
        (", inbreeding: false", "does not go with inbreeding: false"),
        (groups, "remove it, or inbred and gamma"),
    ):
        with pytest.raises(ConfigError, match=words):
            run(tmp_path, NEW, f", stored_inbreeding: none.h5{keys}")


def test_sires_and_maternal_grandsires_have_coefficients_of_their_own(tmp_path: Path) -> None:
    run(tmp_path, OLD, name="males", animal="sire_mgs(id)")
    with pytest.raises(ResultsError, match="unknown parents are granddams unrelated there"):
        run(tmp_path, NEW, ", stored_inbreeding: males.h5")
    run(tmp_path, OLD, name="animals")
    with pytest.raises(ConfigError, match="does not go with a model of sires and maternal grandsires"):
        run(tmp_path, NEW, ", stored_inbreeding: animals.h5", animal="sire_mgs(id)")


def test_fixed_groups_leave_coefficients_as_they_are(tmp_path: Path) -> None:
    groups = ", groups: {by: [birth_year], min_size: 1}"
    run(tmp_path, OLD, groups, name="old")
    found, lines = run(tmp_path, NEW, f"{groups}, stored_inbreeding: old.h5")
    same(found, run(tmp_path, NEW, groups, name="full")[0])
    assert any("7 coefficients taken" in line for line in lines)


def test_the_file_is_not_written_over(tmp_path: Path) -> None:
    run(tmp_path, OLD)
    with pytest.raises(OutputError, match="a file that this run reads"):
        run(tmp_path, NEW, ", stored_inbreeding: run.h5")


def test_a_check_reads_the_file_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path, OLD, name="old")
    run(tmp_path, NEW, ", stored_inbreeding: old.h5")
    main(["check", str(tmp_path / "run.yaml")], standalone_mode=False)
    assert "no problem found" in capsys.readouterr().out
    (tmp_path / "old.h5").unlink()
    with pytest.raises(TableError, match=r"old\.h5"):
        main(["check", str(tmp_path / "run.yaml")], standalone_mode=False)
