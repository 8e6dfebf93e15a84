"""The results file through plain h5py: everything that docs/results_file.md says MUST be there is, with its type and shape."""

from __future__ import annotations

import json
import re
from pathlib import Path

import h5py
import numpy as np
import pytest

from breedeval.results import schema
from tests.farm import Farm

PAGE = Path(__file__).resolve().parents[2] / "docs" / "results_file.md"
#: Datasets (n,) of /animals and their types, from the page.
ANIMALS = {
    "sire": "int32",
    "dam": "int32",
    "inbreeding": "float64",
    "sex": "int8",
    "birth_year": "int32",
    "n_records": "int32",
    "n_progeny": "int32",
}


@pytest.fixture
def file(farm: Farm):
    farm.write("ped.csv", (farm.folder / "ped.csv").read_text().replace("c,", "Kühe/1,"))
    farm.write("rec.csv", (farm.folder / "rec.csv").read_text().replace("c,", "Kühe/1,").replace("milk", "fat%/dl"))
    farm.change("milk: herd + dim + genetic(id)", '"fat%/dl": herd + dim + genetic(id) + permanent(id)')
    farm.change("genetic: 0.3", "genetic: 0.3\n  permanent: 0.1")
    assert farm.evaluate("-q").status == 0
    with h5py.File("out.h5") as opened:
        yield opened


def test_root(file: h5py.File) -> None:
    assert file.attrs["format"] == "breedeval-results"
    assert re.fullmatch(r"\d+\.\d+", file.attrs["format_version"])
    assert file.attrs["title"] == "Farm"
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", file.attrs["breedeval_version"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", file.attrs["created"])
    assert set(file) == {"animals", "ebv", "effects", "variances", "solver", "run"}


def test_animals(file: h5py.File) -> None:
    group = file["animals"]
    assert set(group) == {"id", *ANIMALS}
    for name, kind in ANIMALS.items():
        assert (group[name].dtype, group[name].shape) == (np.dtype(kind), (5,)), name
        assert group[name].attrs["meaning"]
    ids = group["id"].asstr()[:].tolist()
    assert sorted(ids) == ["Kühe/1", "a", "b", "d", "e"]
    row = {name: i for i, name in enumerate(ids)}
    assert group["sire"][row["e"]] == row["Kühe/1"]
    assert group["dam"][row["e"]] == -1
    assert all(group["sire"][i] < i and group["dam"][i] < i for i in range(5)), "parents stand before progeny"
    assert group["sex"][row["a"]] == 1
    assert group["sex"][row["b"]] == 2
    assert group["birth_year"][row["e"]] == 2006
    assert group["n_records"][row["d"]] == 2
    assert group["n_progeny"][row["a"]] == 2


def test_breeding_values(file: h5py.File) -> None:
    assert list(file["ebv"]) == ["fat%25%2Fdl"]
    group = file["ebv/fat%25%2Fdl/id"]
    assert set(group) == {"value", "reliability", "pev"}
    for name in group:
        assert (group[name].dtype, group[name].shape) == (np.float64, (5,))
    np.testing.assert_allclose(group["reliability"][:], 1 - group["pev"][:] / (0.3 * (1 + file["animals/inbreeding"][:])))
    assert group.attrs["base_offset"] == 0
    assert group.attrs["genetic_variance"] == 0.3
    assert "founders" in group.attrs["base"]
    assert group.attrs["unit"] == "units of fat%/dl"


def test_effects(file: h5py.File) -> None:
    assert list(file["effects"]) == ["intercept", "herd", "dim", "permanent(id)"]
    for name, levels in {"herd": ["1", "2"], "permanent(id)": ["Kühe/1", "d", "e"]}.items():
        group = file["effects"][name]
        assert sorted(group["level"].asstr()[:]) == levels
        for dataset, kind in {"solution": float, "constrained": bool, "pev": float}.items():
            assert (group[dataset].dtype, group[dataset].shape) == (np.dtype(kind), (len(levels), 1))
        assert len(group.attrs["columns"]) == 1
        assert isinstance(group.attrs["estimable"], str)
    assert file["effects/herd"].attrs["kind"] == "fixed"
    assert file["effects/permanent(id)"].attrs["kind"] == "random"
    assert file["effects/herd/constrained"][:].sum() + file["effects/intercept/constrained"][:].sum() == 1


def test_variances(file: h5py.File) -> None:
    assert set(file["variances"]) == {"genetic", "permanent", "residual"}
    for name, value in {"genetic": 0.3, "permanent": 0.1, "residual": 0.7}.items():
        assert file["variances"][name]["matrix"][:].tolist() == [[value]]
    assert file["variances/genetic/labels"].asstr()[:].tolist() == ["fat%/dl:id"]
    assert file["variances/residual/labels"].asstr()[:].tolist() == ["fat%/dl"]


def test_solver(file: h5py.File) -> None:
    attributes = file["solver"].attrs
    assert set(attributes) == {"status", "method", "rounds", "relative_residual", "ebv_error", "sentence", "seconds"}
    assert attributes["status"] == "converged"
    assert attributes["relative_residual"] < 1e-10
    history = file["solver/history"]
    assert (history.dtype, history.shape[1]) == (np.float64, 4)
    assert list(history.attrs["columns"]) == ["ebv_error", "residual", "residual_squared", "solution_change"]


def test_run(file: h5py.File, farm: Farm) -> None:
    assert file["run/config"].asstr()[()] == (farm.folder / "farm.yaml").read_text()
    record = json.loads(file["run/record"].asstr()[()])
    assert set(record) == {"versions", "machine", "inputs", "counts", "choices", "stages"}
    assert record["inputs"]["records"]["bytes"] == (farm.folder / "rec.csv").stat().st_size
    assert len(record["inputs"]["pedigree"]["sha256"]) == 64
    assert record["counts"]["records"]["used"] == 4
    assert all(stage["seconds"] >= 0 and stage["peak_mib"] > 0 for stage in record["stages"])


def test_history_of_rounds(farm: Farm) -> None:
    farm.change("title: Farm", "solver: {method: pcg}\naccuracy: {method: none}")
    assert farm.evaluate("-q").status == 0
    with h5py.File("out.h5") as file:
        assert "reliability" not in file["ebv/milk/id"]
        assert "pev" not in file["effects/herd"]
        assert file["solver"].attrs["rounds"] > 0
        assert len(file["solver/history"]) > 0


def test_residual_classes(farm: Farm) -> None:
    farm.change("residual: 0.7", "residual: {by: herd, matrices: {'1': 0.7, '2': 0.5}}")
    assert farm.evaluate("-q").status == 0
    with h5py.File("out.h5") as file:
        group = file["variances/residual"]
        assert group.attrs["by"] == "herd"
        assert {name: group[name]["matrix"][0, 0] for name in group if name != "labels"} == {"1": 0.7, "2": 0.5}


def test_the_page_names_everything_in_the_file(file: h5py.File) -> None:
    text = PAGE.read_text()
    names: set[str] = {*file.attrs, *file["animals"], *file["solver"].attrs, "history", "config", "record"}
    for place in ("ebv/fat%25%2Fdl/id", "effects/herd"):
        names |= {*file[place], *file[place].attrs}
    missing = {name for name in names if f"`{name}`" not in text}
    assert not missing
    assert f"version {schema.FORMAT_VERSION}" in text
