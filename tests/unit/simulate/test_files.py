"""A population becomes files: whole or not at all, the same bytes with and without pyarrow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from breedeval.errors import OutputError
from breedeval.names import Names
from breedeval.simulate import files
from breedeval.simulate.dairy import DairyPopulation, simulate_dairy

NAMES = ["evaluation.yaml", "pedigree.csv", "records.csv", "true_values.csv"]


@pytest.fixture(scope="module")
def population() -> DairyPopulation:
    return simulate_dairy(np.random.default_rng(4), n_animals=1200, years=8)


def test_the_files_say_what_the_population_is(population: DairyPopulation, tmp_path: Path) -> None:
    files.write_population(population, tmp_path / "herd")
    assert sorted(path.name for path in (tmp_path / "herd").iterdir()) == NAMES
    pedigree, records, truth = (pd.read_csv(tmp_path / "herd" / name, dtype=str) for name in NAMES[1:])
    book, lactations = population.herd_book, population.lactations
    ids = book.ids.to_list()
    assert pedigree["sire"].tolist() == [ids[row] if row >= 0 else "0" for row in book.sire]
    assert pedigree["dam"].tolist() == [ids[row] if row >= 0 else "0" for row in book.dam]
    assert set(pedigree["sex"]) == {"M", "F"}
    assert records["id"].tolist() == [ids[row] for row in lactations.cow]
    assert records["milk"].astype(int).tolist() == lactations.milk.tolist()
    assert (records["herd_year"] == records["herd"] + "-" + pd.Series(lactations.year.astype(str))).all()
    assert np.allclose(truth["breeding_value"].astype(float), book.breeding_value, atol=0.0501)


def test_both_ways_of_writing_give_the_same_bytes(
    population: DairyPopulation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyarrow")
    files.write_population(population, tmp_path / "arrow")
    monkeypatch.setattr(files, "pa", None)
    monkeypatch.setattr(files, "_CHUNK", 500)
    files.write_population(population, tmp_path / "parts")
    for name in NAMES:
        assert (tmp_path / "arrow" / name).read_bytes() == (tmp_path / "parts" / name).read_bytes()


def test_numbers_that_are_missing_and_texts_with_separators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names.of(["plain", 'a "b", c', " blank"])
    columns = {"id": files.quoted_where_needed(names), "x": np.array([0.1 + 0.2, np.nan, 3.0])}
    expected = b'id,x\nplain,0.30000000000000004\n"a ""b"", c",\n" blank",3\n'
    for name in ("arrow", "parts"):
        files.write_columns(columns, tmp_path / name)
        assert (tmp_path / name).read_bytes() == expected
        monkeypatch.setattr(files, "pa", None)


def test_a_folder_with_something_in_it_is_left_alone(population: DairyPopulation, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="not empty"):
        files.write_population(population, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_failure_half_way_leaves_nothing(
    population: DairyPopulation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(population: DairyPopulation) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(DairyPopulation, "evaluation_text", full_disk)
    with pytest.raises(OutputError, match="No space left"):
        files.write_population(population, tmp_path / "herd")
    assert list(tmp_path.iterdir()) == []
