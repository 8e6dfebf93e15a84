"""(Co)variances that the data cannot tell are said to be so, and traits without variance are refused."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import breedeval as be
from breedeval.errors import DataError


@pytest.fixture
def estimate(tmp_path):
    rng = np.random.default_rng(1)
    g = np.arange(60) % 6
    frame = pd.DataFrame({"g": g, "h": g, "one": "all", "record": np.arange(60), "k": rng.integers(0, 5, 60)})
    frame["y"] = (rng.normal(size=6)[g] + rng.normal(size=60)).round(4)
    frame["constant"], frame["single"] = 5, [3.5, *[""] * 59]
    frame.to_csv(tmp_path / "data.csv", index=False)

    def call(formula, trait="y"):
        config = {"records": {"file": "data.csv", "missing": [""], "classes": ["g"]}, "model": {trait: formula}}
        (tmp_path / "model.yaml").write_text(json.dumps(config))
        return be.estimate(tmp_path / "model.yaml", threads=1).record["choices"]["boundary"]

    return call


CASES = [
    ("1 + random(one)", ["one y:one cannot be estimated"]),
    ("g + random(h)", ["h y:h cannot be estimated"]),
    ("1 + random(g) + random(h)", ["g y:g, h y:h cannot be told from each other"]),
    ("1 + random(record)", ["record y:record, residual y cannot be told from each other"]),
]


@pytest.mark.parametrize(("formula", "expected"), CASES)
def test_what_cannot_be_told_is_said(estimate, formula, expected):
    found = [line for line in estimate(formula) if "cannot be" in line]
    assert len(found) == len(expected)
    assert all(line.startswith(start) for line, start in zip(found, expected, strict=True))


@pytest.mark.parametrize("formula", ["1 + random(g)", "1 + random(g) + random(k)", "g", "1 + random(g:k) + random(g)"])
def test_nothing_is_said_of_other_models(estimate, formula):
    assert not [line for line in estimate(formula) if "cannot be" in line]


def test_traits_without_variance_are_refused(estimate):
    with pytest.raises(
        DataError, match=r"constant has the same value \(5\) in all 60 records: there is no variance to estimate"
    ):
        estimate("1 + random(g)", "constant")
    with pytest.raises(DataError, match="single has one record only"):
        estimate("1 + random(g)", "single")
