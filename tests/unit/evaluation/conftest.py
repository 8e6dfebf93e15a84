"""A small population with records of lines in herds, evaluated by any model."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import breedeval as be
from tests.random_models import random_rows
from tests.relation_models import LINES


@pytest.fixture(scope="module")
def data():
    """Records of lines in herds, pedigree of animals with inbreeding; two traits, one with gaps."""
    rng = np.random.default_rng(7)
    rows = [*random_rows(rng, 40), ("daughter", "a0", "a1"), ("inbred", "a0", "daughter")]
    m = 70
    picked = [rows[i] for i in rng.integers(4, 42, m - 1)] + rows[-1:]
    frame = pd.DataFrame(
        {
            "id": [row[0] for row in picked],
            "dam": [row[2] or "a1" for row in picked],
            "line": rng.choice(LINES[:7], m),
            "herd": [f"h{k}" for k in rng.integers(1, 4, m)],
            "year": [f"{k}" for k in rng.integers(2001, 2004, m)],
            "x": rng.uniform(0, 10, m).round(2),
            "z": rng.normal(size=m).round(3),
            "y": rng.normal(10, 3, m).round(3),
            "t": rng.normal(5, 2, m).round(3),
        }
    )
    frame.loc[rng.random(m) < 0.2, "t"] = np.nan
    pedigree = pd.DataFrame(rows, columns=["id", "sire", "dam"]).fillna("0")
    a = rng.normal(size=(9, 12))
    return frame, pedigree, a @ a.T / 12


@pytest.fixture
def run(tmp_path, data):
    """Evaluate a model of these records."""

    def evaluate(model, variances, *, pedigree=False, groups=None, folder=tmp_path, **sections):
        frame, animals, _ = data
        frame.to_csv(folder / "records.csv", index=False)
        config = {
            "records": {"file": "records.csv", "covariates": ["x", "z"], "classes": ["herd"]},
            "model": model if isinstance(model, dict) else {"y": model},
            "variances": variances,
            "accuracy": {"method": "exact"},
            **sections,
        }
        if pedigree is not False:
            (animals if pedigree is True else pedigree).to_csv(folder / "pedigree.csv", index=False)
            config["pedigree"] = {"file": "pedigree.csv", "animal": "id", "sire": "sire", "dam": "dam"}
            config["pedigree"] |= {"groups": groups} if groups else {"unknown": ["0"]}
        (folder / "run.yaml").write_text(json.dumps(config))
        return be.evaluate(folder / "run.yaml", folder / "run.h5")

    return evaluate
