"""A relationship matrix of the user that is wrong: refused with the value, the level and the line."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from tests.farm import Farm


@pytest.fixture
def related(farm: Farm) -> Farm:
    """The farm with herds that are related by ``k.csv``."""
    farm.change("  classes: [herd]\n", "")
    farm.change("herd + dim + genetic(id)", 'dim + genetic(id) + random(herd, relationship = "K")')
    farm.change("variances:\n", "relationships:\n  K: {file: k.csv}\nvariances:\n  herd: 0.5\n")
    farm.write("k.csv", ",1,2\n1,1,0.5\n2,0.5,1\n")
    return farm


def test_right_file_is_taken(related: Farm) -> None:
    assert related.evaluate().status == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (",1,2\n1,1,nan\n2,nan,1\n", "k.csv: Column '1': 1 value is no number: 'nan' (line 3). Correct them; every element"),
        (",1,2\n1,1,\n2,0.5,1\n", "k.csv: Column '2': 1 value is no number: '' (line 2)."),
        (
            ",1,2\n1,1,0.5\n3,0.5,1\n",
            "rows and columns have different names: '3' only in the first column; '2' only in the header.",
        ),
        (",1,2,3\n1,1,0,0\n2,0,1,0\n4,0,0,1\n", "different names: '4' only in the first column; '3' only in the header."),
    ],
)
def test_table(related: Farm, content: str, message: str) -> None:
    related.write("k.csv", content)
    related.refused(message)


def test_labels_beside_names(related: Farm) -> None:
    related.change("{file: k.csv}", "{file: k.csv, labels: l.txt}")
    related.write("l.txt", "1\n2\n")
    related.refused("k.csv: it has the names of its levels, and labels names them again. Leave out labels.")


def test_blend_above_one(related: Farm) -> None:
    related.change("{file: k.csv}", "{file: k.csv, blend: 2}")
    related.refused("farm.yaml:9: relationships.K.blend: 2 must be below 1.")


def _npz(folder: Path, **arrays: np.ndarray) -> None:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    (folder / "k.npz").write_bytes(stream.getvalue())


def test_numpy_file_that_is_none(related: Farm) -> None:
    related.change("k.csv", "k.npz")
    related.write("k.npz", "hello")
    said = related.refused("k.npz: cannot be read: it is damaged or something else. The ending .npz means a NumPy file")
    assert "pickle" not in said


def test_numpy_file_of_objects(related: Farm) -> None:
    related.change("k.csv", "k.npz")
    _npz(related.folder, matrix=np.eye(2), labels=np.array(["1", "2"], dtype=object))
    assert "pickle" not in related.refused("labels are no Python objects (labels.astype(str))")


def test_complex_numbers(related: Farm) -> None:
    related.change("k.csv", "k.npz")
    _npz(related.folder, matrix=np.eye(2, dtype=complex), labels=np.array(["1", "2"]))
    related.refused("k.npz: its elements are no real numbers.")


@pytest.mark.parametrize(("ending", "form"), [(".h5", "HDF5 with the data sets matrix and labels"), (".mtx", "Matrix Market")])
def test_binary_file_that_is_none(related: Farm, ending: str, form: str) -> None:
    related.change("k.csv", f"k{ending}")
    related.write(f"k{ending}", "hello\n")
    related.refused(f"k{ending}: cannot be read: it is damaged or something else. The ending {ending} means {form}")
