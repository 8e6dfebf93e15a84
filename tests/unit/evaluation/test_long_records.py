"""Records with one trait a line: the same solutions as from one column a trait, and what is said of lines that do not fit."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import breedeval as be
from breedeval.errors import BreedevalError, ConfigError, RecordsError
from tests.random_models import random_frame, random_rows

VARIANCES = {
    "genetic": [[2.0, 0.5, 0.1], [0.5, 1.0, 0.2], [0.1, 0.2, 3.0]],
    "permanent": {"labels": ["y:id", "t:id"], "matrix": [[1.0, 0.2], [0.2, 0.8]]},
    "residual": [[4.0, 1.0, 0.6], [1.0, 3.0, 0.7], [0.6, 0.7, 5.0]],
}
MODEL = {
    "y": "herd + x + genetic(id) + permanent(id)",
    "t": "herd + sex + genetic(id) + permanent(id)",
    "v": "sex + genetic(id)",
}
TRAITS = list(MODEL)


class Notes:
    """An observer that keeps what is said."""

    def __init__(self):
        self.said = []

    def say(self, text):
        self.said.append(text)

    warn = say

    def stage(self, name):
        pass

    def progress(self, *_):
        pass

    def round(self, *_):
        pass


@pytest.fixture
def wide():
    rng = np.random.default_rng(5)
    rows = random_rows(rng, 30)
    frame = random_frame(rng, rows, 90, TRAITS, 0.1)
    frame.insert(0, "day", np.arange(90) // 3)
    frame = frame.drop_duplicates(["id", "day"]).reset_index(drop=True)
    for trait in TRAITS:
        frame[f"w{trait}"] = rng.choice([0.5, 1.0, 2.0, 3.0], len(frame))
    return pd.DataFrame(rows, columns=["id", "sire", "dam"]), frame


def melted(frame, weight=False):
    """One line a value, in another order than the records; lines of missing values are there as well."""
    shared = ["id", "day", "herd", "sex", "x", "weight"]
    parts = []
    for trait in TRAITS:
        part = frame[shared].assign(trait=trait, value=frame[trait])
        parts.append(part.assign(w=frame[f"w{trait}"]) if weight else part)
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def run(tmp_path):
    def evaluate(pedigree, records, section=None, model=MODEL, variances=VARIANCES, observer=None, solver=None):
        pedigree.fillna("0").to_csv(tmp_path / "pedigree.csv", index=False)
        records.to_csv(tmp_path / "records.csv", index=False)
        config = {
            "pedigree": {"file": "pedigree.csv", "animal": "id", "unknown": ["0"]},
            "records": {"file": "records.csv", "classes": ["herd", "sex"], "covariates": ["x"], **(section or {})},
            "model": model,
            "variances": variances,
            "solver": solver or {"method": "direct"},
        }
        path = tmp_path / "farm.yaml"
        path.write_text(json.dumps(config, indent=1))
        return be.evaluate(path, observer=observer)

    return evaluate


LONG = {"long": {"trait": "trait", "value": "value", "record": ["id", "day"]}}


@pytest.mark.parametrize("weight", [None, "weight", "by trait"])
def test_long_and_wide_are_the_same(run, wide, weight):
    pedigree, frame = wide
    in_wide = {None: {}, "weight": {"weight": "weight"}, "by trait": {"weight": {t: f"w{t}" for t in TRAITS}}}[weight]
    in_long = {None: {}, "weight": {"weight": "weight"}, "by trait": {"weight": "w"}}[weight]
    one = run(pedigree, frame, in_wide)
    other = run(pedigree, melted(frame, weight == "by trait"), LONG | in_long)
    # a weight a line is a weight a trait: its root stands on both sides of the inverse, which rounds differently
    tolerance = 1e-12 if weight == "weight" else 0.0
    np.testing.assert_allclose(other.solutions.values, one.solutions.values, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(other.solution_pev, one.solution_pev, rtol=tolerance, atol=tolerance)
    counts = [r.record["counts"]["records"]["used_by_trait"] for r in (one, other)]
    assert counts[0] == counts[1]


def test_order_of_lines_does_not_matter(run, wide):
    pedigree, frame = wide
    lines = melted(frame)
    one = run(pedigree, lines, LONG)
    other = run(pedigree, lines.sample(frac=1, random_state=3), LONG)
    np.testing.assert_allclose(other.solutions.values, one.solutions.values, atol=1e-10)


def test_without_a_key_every_line_is_a_record_of_its_own(run, wide):
    pedigree, frame = wide
    notes = Notes()
    alone = run(pedigree, melted(frame), {"long": {"trait": "trait", "value": "value"}}, observer=notes)
    assert any("each a record of its own: residuals of different traits are independent" in line for line in notes.said)
    independent = VARIANCES | {"residual": np.diag([4.0, 3.0, 5.0]).tolist()}
    np.testing.assert_allclose(alone.solutions.values, run(pedigree, frame, variances=independent).solutions.values, atol=1e-9)


def test_a_key_of_some_lines_only(run, wide):
    """Lines without the whole key stand alone; the other traits of that record too."""
    pedigree, frame = wide
    lines, notes = melted(frame), Notes()
    lines.loc[lines["day"] == 3, "day"] = np.nan
    keyless = int(lines["day"].isna().sum())
    lines["day"] = lines["day"].astype("Int64").astype(object).where(lines["day"].notna(), None)
    run(pedigree, lines, LONG, observer=notes)
    assert any(f"{keyless} lines without id, day: each a record of its own" in line for line in notes.said)


def test_what_one_line_says_holds_for_the_record(run, wide):
    pedigree, frame = wide
    lines = melted(frame)
    lines.loc[lines["trait"] != "v", "sex"] = None  # stated in the lines of one trait only
    np.testing.assert_array_equal(run(pedigree, lines, LONG).solutions.values, run(pedigree, frame).solutions.values)


def test_lines_of_other_traits_are_left_out(run, wide):
    pedigree, frame = wide
    notes = Notes()
    model, variances = {"y": "herd + genetic(id)"}, {"genetic": 2.0, "residual": 4.0}
    one = run(pedigree, melted(frame), LONG, model, variances, observer=notes)
    assert any(f"{2 * len(frame)} lines of other traits left out: 't', 'v'" in line for line in notes.said), notes.said
    np.testing.assert_array_equal(one.solutions.values, run(pedigree, frame, None, model, variances).solutions.values)


def test_all_lines_that_do_not_fit_are_named_together(run, wide):
    pedigree, frame = wide
    lines = melted(frame[frame["y"].notna() & frame["x"].notna()])
    again = lines[lines["trait"] == "y"].head(2)
    lines = pd.concat([lines, again.assign(x=again["x"] + 1)], ignore_index=True)
    with pytest.raises(RecordsError) as caught:
        run(pedigree, lines, LONG)
    last = len(lines)
    assert f"y stands more than once in 2 records (records.csv, lines 2, 3, {last:,} and {last + 1:,})" in fixed(caught)
    assert f"Column x differs between lines of 2 records (records.csv, lines 2, 3, {last:,} and {last + 1:,})" in fixed(caught)
    assert "agree in id, day" in fixed(caught)


def fixed(caught):
    """The message without the folder of the file."""
    return "".join("(" + part.rpartition("/")[2] if "/" in part else part for part in str(caught.value).split("("))


def test_a_trait_without_lines_is_named(run, wide):
    pedigree, frame = wide
    lines = melted(frame)
    lines["trait"] = lines["trait"].replace({"t": "tt"})
    with pytest.raises(RecordsError, match=r"has 't' in column trait\. Did you mean 'tt'\? It holds 'y', 'tt', 'v'"):
        run(pedigree, lines, LONG)


@pytest.mark.parametrize(
    ("section", "messages"),
    [
        ({"long": {"trait": "trait", "values": "v"}}, ["records.long.values: there is no such key. Did you mean 'value'?"]),
        ({"long": {"trait": "trait"}}, ["records.long.value: this key is missing"]),
        ({"long": {"trait": "a", "value": "a"}}, ["the column 'a' stands twice"]),
        ({"long": {"trait": "x", "value": "herd"}}, ["'herd' is declared as a class", "'x' is declared as a covariate"]),
        ({"long": {"trait": "t", "value": "v", "record": ["x"]}}, ["the key of a record is made of names"]),
        ({"weight": {"yy": "w"}}, ["records.weight.yy: 'yy' is no trait of the model. Did you mean 'y'?"]),
        ({"weight": {"y": "herd"}}, ["'herd' is declared as a class; weights are numbers"]),
        ({"weight": {}}, ["records.weight: no trait stands here"]),
        ({"weight": ["w"]}, ["records.weight: a list is not a text"]),
    ],
)
def test_wrong_sections(run, wide, section, messages):
    with pytest.raises(ConfigError) as caught:
        run(*wide, section)
    for message in messages:
        assert message in str(caught.value)


@pytest.mark.parametrize("value", [-1.0, 0.0, np.nan])
def test_weights_of_one_trait(run, wide, value):
    """A weight of zero, or none, leaves out the trait, not the record; a negative one is refused."""
    pedigree, frame = wide
    frame.loc[frame.index[:7], "wt"] = value
    section = {"weight": {"t": "wt"}}
    if value < 0:
        with pytest.raises(BreedevalError, match="7 records with a negative weight in wt"):
            run(pedigree, frame, section)
        return
    without = frame.copy()
    without.loc[without.index[:7], "t"] = np.nan
    one, other = run(pedigree, frame, section), run(pedigree, without.assign(wt=frame["wt"].fillna(1).replace(0, 1)), section)
    np.testing.assert_array_equal(one.solutions.values, other.solutions.values)


def test_weights_of_each_trait_and_an_incomplete_factor(run, wide):
    """The factor has such weights, and gives what the direct solution gives."""
    pedigree, frame = wide
    section = {"weight": {t: f"w{t}" for t in TRAITS}}
    solver = {"method": "pcg", "preconditioner": "incomplete_cholesky", "ebv_error": 1e-9}
    found = run(pedigree, frame, section, solver=solver)
    assert found.solve.method == "PCG with incomplete Cholesky preconditioner"
    for a, b in zip(found.breeding_values, run(pedigree, frame, section).breeding_values, strict=True):
        np.testing.assert_allclose(a.value, b.value, atol=1e-7)
