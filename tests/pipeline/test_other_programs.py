"""Every model on the pages for users of other programs can be estimated.

A block of YAML on such a page stands for the first block of its page with its own sections in their place; a formula in the
last column of a table for that block with this model. The data are small and drawn anew.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

import breedeval as be
from breedeval.evaluation.config import read_config

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs").glob("for_*_users.md"))
BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"`([a-z]: [^`]*)` \|$", re.MULTILINE)
N_PARENTS, N_ANIMALS = 30, 120


def sections(page: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The first block of a page, and everything else that it shows."""
    text = page.read_text(encoding="utf-8")
    blocks = [YAML(typ="safe").load(block) for block in BLOCK.findall(text)]
    rows = [{"model": dict([formula.split(": ", 1)])} for formula in ROW.findall(text)]
    return blocks[0], blocks + rows


def merged(first: dict[str, Any], shown: dict[str, Any]) -> dict[str, Any]:
    found = dict(first)
    found.pop("variances", None)
    for section, value in shown.items():
        keeps = section in ("records", "pedigree") and section in first
        found[section] = {**first[section], **value} if keeps else value
    return found


CASES = [
    pytest.param(merged(first, shown), id=f"{page.stem}-{number}")
    for page in PAGES
    for first, all_shown in [sections(page)]
    for number, shown in enumerate(all_shown)
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Animals of sires and dams with two records each, and every column that the pages name."""
    home = tmp_path_factory.mktemp("models")
    rng = np.random.default_rng(5)
    animals = [f"a{k}" for k in range(N_ANIMALS)]
    parents = [f"p{k}" for k in range(N_PARENTS)]
    sire = rng.integers(0, 10, N_ANIMALS)
    dam = rng.integers(10, N_PARENTS, N_ANIMALS)
    value = rng.normal(size=N_PARENTS)
    own = 0.5 * (value[sire] + value[dam]) + rng.normal(0, 0.7, N_ANIMALS)
    pedigree = pd.DataFrame({"animal": parents, "sire": "0", "dam": "0"})
    progeny = pd.DataFrame({"animal": animals, "sire": [parents[k] for k in sire], "dam": [parents[k] for k in dam]})
    pedigree["origin"], progeny["origin"] = ["old" if k % 2 else "new" for k in range(N_PARENTS)], ""
    pd.concat([pedigree, progeny]).to_csv(home / "pedigree.csv", index=False)
    rows = np.repeat(np.arange(N_ANIMALS), 2)
    n = len(rows)
    frame = pd.DataFrame({"animal": [animals[k] for k in rows], "dam": [parents[k] for k in dam[rows]]})
    levels = {"f": 3, "sex": 2, "g": 12, "h": 8, "herd": 4, "year": 3, "batch": 6, "cask": 3, "kind": 2, "line": 8}
    codes = {name: rng.integers(0, size, n) for name, size in levels.items()}
    for name, code in codes.items():
        frame[name] = [f"{name}{k}" for k in code]
    frame["x"], frame["t"] = rng.normal(size=n).round(3), rng.integers(5, 305, n)
    frame["w"] = rng.uniform(0.5, 2, n).round(2)
    effects = [rng.normal(0, 0.7, size)[codes[name]] for name, size in levels.items()]
    slope, curve = rng.normal(0, 0.5, (12, 2)), rng.normal(0, 0.5, N_ANIMALS)[rows]
    common = own[rows] + sum(effects) + slope[codes["g"], 0] * frame["x"] + slope[codes["g"], 1] * frame["t"] / 100
    frame["y"] = (common + 0.7 * value[dam[rows]] + curve * frame["t"] / 150 + rng.normal(0, 1, n)).round(4)
    frame["z"] = (0.5 * common + rng.normal(0, 1, n)).round(4).where(rng.random(n) < 0.8)
    frame.to_csv(home / "data.csv", index=False)
    line = [f"line{k}" for k in range(8)]
    pd.DataFrame(0.3 + 0.7 * np.eye(8), index=line, columns=line).to_csv(home / "k.csv")
    return home


@pytest.mark.parametrize("config", CASES)
def test_what_the_page_shows_can_be_estimated(config: dict[str, Any], folder: Path) -> None:
    path = folder / "model.yaml"
    path.write_text(json.dumps(config), encoding="utf-8")
    found = be.estimate(read_config(path, for_estimation=True), threads=1)
    assert found.converged, found.maximum.ending.sentence
    table = found.table()
    assert np.isfinite(table.loc[table["kind"].isin(["variance", "covariance", "function"]), "estimate"]).all()
    for name in config.get("estimate", {}).get("functions", {}):
        assert found.estimate("function", name)


def test_the_pages_show_models() -> None:
    assert [page.stem for page in PAGES] == ["for_asreml_users", "for_blupf90_users", "for_lme4_users"]
    assert len(CASES) > 50
