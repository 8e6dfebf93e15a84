"""Traits of very different size in one run: the same rounds and the same answers as in usual units, given in the user's."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import breedeval as be
from tests.random_models import random_frame, random_rows

MODEL = {
    "y": "herd + x + genetic(id) + permanent(id)",
    "t": "herd + sex + genetic(id)",
    "v": "sex + genetic(id) + permanent(id)",
}
GENETIC = np.array([[2.0, 0.5, 0.1], [0.5, 1.0, 0.2], [0.1, 0.2, 3.0]])
PERMANENT = np.array([[1.0, 0.2], [0.2, 0.8]])
RESIDUAL = np.array([[4.0, 1.0, 0.6], [1.0, 3.0, 0.7], [0.6, 0.7, 5.0]])
RULES = {"ebv_error": 1e-9, "residual": 1e-10, "residual_squared": 1e-20, "solution_change": 1e-10}


@pytest.fixture(scope="module")
def records():
    rng = np.random.default_rng(12)
    rows = random_rows(rng, 60)
    return pd.DataFrame(rows, columns=["id", "sire", "dam"]), random_frame(rng, rows, 200, list(MODEL), 0.1)


@pytest.fixture
def run(records, tmp_path):
    def evaluate(units, solver, **keywords):
        pedigree, frame = records
        units = np.array(units)
        pedigree.fillna("0").to_csv(tmp_path / "pedigree.csv", index=False)
        frame.assign(**{t: frame[t] * u for t, u in zip(MODEL, units, strict=True)}).to_csv(tmp_path / "r.csv", index=False)
        two = units[[0, 2]]
        config = {
            "pedigree": {"file": "pedigree.csv", "animal": "id", "unknown": ["0"]},
            "records": {"file": "r.csv", "classes": ["herd", "sex"], "covariates": ["x"]},
            "model": MODEL,
            "variances": {
                "genetic": (GENETIC * np.outer(units, units)).tolist(),
                "permanent": (PERMANENT * np.outer(two, two)).tolist(),
                "residual": (RESIDUAL * np.outer(units, units)).tolist(),
            },
            "solver": {"threads": 1, **solver},
            "publish": {"y alone": {"trait": "y"}},
        }
        path = tmp_path / "units.yaml"
        path.write_text(json.dumps(config))
        return be.evaluate(path, **keywords)

    return evaluate


def same(one, other, units, tolerance):
    for trait, column in ((t, c) for t in MODEL for c in one.columns(t)):
        u = units[list(MODEL).index(trait)]
        for a, b in zip(one.breeding_values, other.breeding_values, strict=True):
            if (a.trait, a.column) == (trait, column):
                np.testing.assert_allclose(b.value / u, a.value, rtol=0, atol=tolerance * np.sqrt(a.variance))
                if a.reliability is not None:
                    np.testing.assert_allclose(b.reliability, a.reliability, atol=1e-9)
                    np.testing.assert_allclose(b.pev / u**2, a.pev, rtol=1e-8)
    for effect in ("herd", "sex", "intercept"):
        for trait in one.effect(effect).columns.intersection(list(MODEL)):
            u = units[list(MODEL).index(trait)]
            np.testing.assert_allclose(other.effect(effect)[trait] / u, one.effect(effect)[trait], atol=1e-6)


@pytest.mark.parametrize("units", [(1e6, 1.0, 1e-6), (1e-6, 1e6, 1e3)], ids=["large, usual, small", "small, large, larger"])
@pytest.mark.parametrize("preconditioner", ["auto", "incomplete_cholesky", "block", "diagonal"])
@pytest.mark.parametrize("rule", RULES)
def test_units_do_not_change_the_way(run, units, preconditioner, rule):
    solver = {"method": "pcg", "preconditioner": preconditioner}
    solver |= {"ebv_error": RULES[rule]} if rule == "ebv_error" else {"stop": rule, "tolerance": RULES[rule]}
    usual, other = run((1.0, 1.0, 1.0), solver), run(units, solver)
    assert abs(other.solve.rounds - usual.solve.rounds) <= 1, (usual.solve.sentence(), other.solve.sentence())
    same(usual, other, units, 1e-7)


def test_units_of_a_direct_solution(run):
    units = (1e6, 1.0, 1e-6)
    found = {(one.trait, one.column): one for one in run(units, {"method": "direct"}).breeding_values}
    published, itself = next(one for (trait, _), one in found.items() if trait == "y alone"), found["y", "id"]
    np.testing.assert_allclose(published.pev, itself.pev, rtol=1e-12)
    np.testing.assert_allclose(published.value, itself.value, rtol=1e-12)
    same(run((1.0, 1.0, 1.0), {"method": "direct"}), run(units, {"method": "direct"}), units, 1e-9)


def test_units_that_are_powers_of_two_change_no_digit(run):
    units = (2.0**20, 1.0, 2.0**-20)
    one, other = (run(u, {"method": "pcg", "ebv_error": 1e-8}) for u in ((1.0, 1.0, 1.0), units))
    for a, b, u in zip(one.breeding_values, other.breeding_values, (*units, units[0]), strict=True):
        np.testing.assert_array_equal(b.value, a.value * u)


def test_a_restart_takes_old_solutions_in_the_units_of_the_user(run, tmp_path):
    units, solver, old = (1e6, 1.0, 1e-6), {"method": "pcg", "ebv_error": 1e-8}, tmp_path / "old.h5"
    first = run(units, solver, results=old)
    again = run(units, solver, start=old)
    assert again.solve.rounds < first.solve.rounds / 2
