"""Ages of parents by path."""

from __future__ import annotations

import numpy as np
import pytest

from breedeval.pedigree.build import build_pedigree
from breedeval.pedigree.generation_interval import generation_interval
from tests.factories import make_pedigree, make_table

ROWS = [
    ("s", None, None),
    ("d", None, None),
    ("son", "s", "d"),
    ("daughter", "s", "d"),
    ("calf", "son", "daughter"),
    ("odd", "son", "daughter"),
]
YEARS = [2000, 2001, 2003, 2005, 2009, 2010]
SEX = ["M", "F", "M", "F", "F", None]


def pedigree_with(years, sex=None):
    return build_pedigree(make_table(ROWS, birth_year=years, sex=SEX if sex is None else sex)).pedigree


def test_by_hand():
    found = generation_interval(pedigree_with(YEARS))
    frame = found.to_frame().set_index(["progeny", "path"])
    # Only son and daughter became parents.
    paths = ["sire to son", "sire to daughter", "dam to son", "dam to daughter"]
    assert frame.loc["parents"].loc[paths, "mean"].tolist() == [3, 5, 2, 4]
    assert found.mean == pytest.approx(3.5)
    assert frame.loc[("parents", "mean of paths"), "mean"] == pytest.approx(3.5)
    # All progeny: the calf is a daughter, the odd one has no sex and counts in "all" alone.
    every = frame.loc["all"]
    assert every.loc[paths, "n"].tolist() == [1, 2, 1, 2]
    assert every.loc["sire to daughter", "mean"] == pytest.approx(5.5)
    assert every.loc["sire to daughter", "sd"] == pytest.approx(np.sqrt(0.5))
    assert (every.loc["all", "n"], every.loc["all", "min"], every.loc["all", "max"]) == (8, 2, 7)


def test_unknown_years_are_left_out_and_impossible_ones_counted():
    found = generation_interval(pedigree_with([2000, None, 1999, 2005, 2009, None]))
    assert found.n_negative == 1  # son before his sire
    assert sorted(found.age.tolist()) == [4, 5, 10]
    assert np.isnan(found.to_frame().set_index(["progeny", "path"]).loc[("parents", "mean of paths"), "mean"])
    assert found.mean == 5.0  # not every path is there: the mean over all pairs of progeny that became parents


def test_without_years():
    found = generation_interval(make_pedigree(ROWS))
    assert np.isnan(found.mean)
    assert found.to_frame()["n"].sum() == 0
