"""Models and (co)variances that do not fit the records or each other: each fault is named, with its place in the text."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

import breedeval as be
from breedeval.errors import BreedevalError
from tests.farm import Farm


def read(path):
    """A configuration as plain data; written back as JSON, it is YAML still."""
    return YAML(typ="safe").load(path.read_text())


FAULTS = [
    ("mrode_mt_missing", ["genetic", "labels"], ["wwg:animal", "pwg:anmal"], ["'pwg:anmal'", "Did you mean 'pwg:animal'", ":"]),
    ("mrode_mt_missing", ["residual", "labels"], ["wwg", "xwg"], ["variances.residual", "'xwg'", "Needed are wwg, pwg"]),
    ("mrode_mt_missing", ["residual", "labels"], ["wwg", "wwg"], ["stands 2 times", "'pwg' is missing"]),
    ("mrode_mt_equal", ["genetic"], 20, ["one number (20) where 2 effects", "in the order wwg:animal, pwg:animal"]),
    ("mrode_mt_equal", ["genetic"], [[20, 18]], ["a matrix of 1 × 2", "Give a matrix of 2 × 2"]),
    ("mrode_mt_equal", ["residual"], [[40, 12], [11, 30]], ["not symmetric", "(wwg, pwg) is 12", "(pwg, wwg) is 11"]),
    ("mrode_mt_equal", ["genetic"], [[20, 38], [38, 40]], ["not positive definite", "-9.29", "bend: true"]),
    ("mrode_maternal", ["genetic", "labels"], ["bw:calf", "bw:cow"], ["'bw:cow'", "'bw:dam' is missing"]),
    (
        "mrode_random_regression",
        ["genetic"],
        {"labels": ["tdy:cow:1"], "matrix": [[1]]},
        ["'tdy:cow:0', 'tdy:cow:2' are missing"],
    ),
    ("mrode_maternal", ["genetic"], 150, ["in the order bw:calf, bw:dam"]),
    ("mrode_random_regression", ["permanent"], [[1, 0], [0, 1]], ["a matrix of 2 × 2", "tdy:cow:0, tdy:cow:1, tdy:cow:2"]),
    ("blupf90_hetres", ["residual", "matrices"], {"1": 60, "2": 63}, ["no matrix for class '3' of column class"]),
]


@pytest.mark.parametrize(("name", "place", "wrong", "texts"), FAULTS)
def test_covariances_that_do_not_match_the_model(root, refdata, tmp_path, name, place, wrong, texts):
    refdata("gryphon")
    path = tmp_path / "config.yaml"
    config = read(root / "configs" / f"{name}.yaml")
    section = config["variances"]
    for key in place[:-1]:
        section = section[key]
    section[place[-1]] = wrong
    path.write_text(json.dumps(config))
    with pytest.raises(BreedevalError) as caught:
        be.evaluate(path)
    for text in texts:
        assert text in str(caught.value)


def test_a_trait_without_records_is_named_with_its_own_reasons(root, refdata, tmp_path):
    data = pd.read_csv(refdata("mrode_mt_missing") / "data.csv")
    data["pwg"] = np.nan
    data.loc[0, "wwg"] = np.nan
    data.to_csv(tmp_path / "data.csv", index=False)
    config = read(root / "configs" / "mrode_mt_missing.yaml")
    config["records"]["file"] = str(tmp_path / "data.csv")
    path = tmp_path / "config.yaml"
    path.write_text(json.dumps(config, indent=1))
    with pytest.raises(BreedevalError, match=r"used for 'pwg'\. Why records were left out: pwg missing: 6 records\. Check"):
        be.evaluate(path)


def test_a_slope_without_variation_is_refused(root, refdata, tmp_path):
    data = pd.read_csv(refdata("lme4_sleepstudy") / "data.csv")
    data["room"] = 3
    data.to_csv(tmp_path / "data.csv", index=False)
    config = read(root / "configs" / "lme4_sleepstudy.yaml")
    config["records"].update(file=str(tmp_path / "data.csv"), covariates=["days", "room"])
    config["model"] = {"reaction": "days + random(subject, slope(room))"}
    path = tmp_path / "config.yaml"
    path.write_text(json.dumps(config))
    with pytest.raises(BreedevalError, match=r"slope\(room\).*every room is 3"):
        be.evaluate(path)


@pytest.fixture
def farm(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    return Farm(tmp_path, capsys)


#: What is changed in the farm, and what the refusal must say.
REFUSED = [
    ({"  genetic: 0.3\n": ""}, ["farm.yaml:9: variances: 'genetic' is missing", "Formula of milk (farm.yaml:8)"]),
    ({"herd + dim": "herd + log(dim)", ",100\n": ",-1\n"}, ["log(dim): 1 value of dim zero or negative (rec.csv, line 2)"]),
    ({"herd + dim": "herd + legendre(dim, 2, 90, 300)"}, ["outside 90 to 300 (rec.csv, line 4)", "legendre(dim, 2, 90, 300)"]),
    ({"covariates: [dim]": "covariates: [herd, dim]", "classes: [herd]": "classes: []", "d,2,": "d,two,"}, ["'two'", "line 5"]),
    ({"classes: [herd]": "classes: [herd, dim]", "covariates: [dim]": "covariates: []", "+ dim": "+ log(dim)"}, ["log(...)"]),
    (
        {"residual: 0.7": "residual: {by: herd, matrices: {1: 0.7}}"},
        [
            "farm.yaml:11: variances.residual.matrices: no matrix for class '2' of column herd",
            "which 2 records have (rec.csv, lines 4 and 5). There are matrices for '1'. Give one number.",
        ],
    ),
]


@pytest.mark.parametrize(("changes", "messages"), REFUSED)
def test_faults_name_their_place(farm, changes, messages):
    for old, new in changes.items():
        farm.change(old, new, "rec.csv" if old in (farm.folder / "rec.csv").read_text() else "farm.yaml")
    farm.refused(*messages)


#: Terms that the records cannot tell from others: the answer is right, and the user is told.
DOUBTS = [
    ("dim + herd", "herd", {"1": "9", "2": "9"}, "herd has one level, '9', in the records used: it is part of the mean"),
    ("herd + dim", "dim", {}, "dim does not vary in the records used: its regression is part of the mean"),
    ("herd + permanent(other)", "permanent(other)", {}, "permanent(other) has no level with two records"),
    ("herd + random(third)", "random(third)", {}, "random(third) has one level in the records used"),
    ("other + herd", "herd", {}, "herd follows from other: every level of other has one of herd"),
]


@pytest.mark.parametrize(("terms", "pointed", "herds", "message"), DOUBTS)
def test_terms_that_cannot_be_told_from_others(farm, terms, pointed, herds, message):
    rows = [("c", "1", "10.5"), ("d", "1", "11.5"), ("e", "2", "9.5"), ("d", "2", "12.5")]
    lines = [f"{animal},{herds.get(herd, herd)},{milk},100,o{k},t" for k, (animal, herd, milk) in enumerate(rows)]
    farm.write("rec.csv", "\n".join(["id,herd,milk,dim,other,third", *lines]) + "\n")
    farm.change("[herd]", "[herd, other, third]")
    farm.change("herd + dim", terms)
    for kind, key in (("permanent", "permanent"), ("random", "third")):
        if kind in terms:
            farm.change("  residual: 0.7", f"  {key}: 0.2\n  residual: 0.7")
    ended = farm.evaluate()
    assert ended.status == 0, ended.err
    _, found, after = ended.err.partition(message)
    assert found, ended.err
    head, formula, carets = after.splitlines()[1:4]
    assert head.endswith("Formula of milk (farm.yaml:8):")
    assert formula[carets.index("^") : carets.rindex("^") + 1] == pointed


def test_nothing_is_doubted_without_reason(farm):
    ended = farm.evaluate()
    assert "part of the mean" not in ended.err
    assert "follows from" not in ended.err
    assert "told from" not in ended.err
