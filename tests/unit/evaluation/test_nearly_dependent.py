"""Fixed effects that the records hardly tell apart: reliabilities keep their digits, and the stop knows what it cannot know."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import breedeval as be
from tests.reference import exact_solution
from tests.reference.relationship import tabular_a


def write(folder, pedigree, records, model, name="run.yaml", **sections):
    pedigree.to_csv(folder / "p.csv", index=False)
    records.to_csv(folder / "r.csv", index=False)
    config = {
        "pedigree": {
            "file": "p.csv",
            "animal": "id",
            "sire": "sire",
            "dam": "dam",
            "unknown": ["0"],
            **sections.pop("ped", {}),
        },
        "records": {"file": "r.csv", "classes": ["herd"], "covariates": ["x"]},
        "model": {"y": model},
        "variances": {"genetic": 1.0, "residual": 3.0},
        **sections,
    }
    (folder / name).write_text(json.dumps(config))
    return folder / name


def population(rng, n=60):
    """Two generations of a flock, with a record or two of each animal."""
    founders = n // 3
    parents = [("0", "0") if i < founders else (f"a{rng.integers(0, 5)}", f"a{rng.integers(5, founders)}") for i in range(n)]
    pedigree = pd.DataFrame([(f"a{i}", *parents[i]) for i in range(n)], columns=["id", "sire", "dam"])
    animal = np.concatenate([np.arange(n), rng.integers(0, n, n // 2)])
    records = pd.DataFrame({"id": [f"a{i}" for i in animal], "herd": rng.choice(["h", "k"], len(animal))})
    records["y"] = rng.normal(10, 2, len(animal)).round(3)
    return pedigree, records, animal


def test_powers_of_a_year_give_what_powers_of_years_since_then_give(tmp_path):
    rng = np.random.default_rng(1)
    pedigree, records, _ = population(rng)
    years = rng.integers(0, 13, len(records))
    found = []
    for base in (0, 2000):
        records["x"] = years + base
        solver = {"method": "direct"}
        path = write(
            tmp_path, pedigree, records, "herd + poly(x, 2) + genetic(id)", solver=solver, accuracy={"method": "exact"}
        )
        found.append(be.evaluate(path).ebv("y"))
    plain, far = found
    np.testing.assert_allclose(far["ebv"], plain["ebv"], atol=1e-9)
    np.testing.assert_allclose(1 - far["reliability"], 1 - plain["reliability"], rtol=1e-8)


def with_strains(rng, noise):
    """The flock from two strains, a covariate that is the share of one of them but for some noise, and the shares."""
    pedigree, records, animal = population(rng)
    pedigree["strain"] = rng.choice(["old", "new"], len(pedigree))
    share = np.zeros(len(pedigree))
    for i, (sire, dam) in enumerate(zip(pedigree["sire"], pedigree["dam"], strict=True)):
        own = float(pedigree["strain"][i] == "new")
        share[i] = np.mean([own if parent == "0" else share[int(parent[1:])] for parent in (sire, dam)])
    records["x"] = share[animal] + noise * rng.normal(size=len(records))
    return pedigree, records, animal, share


def test_reliabilities_beside_groups_that_records_hardly_tell_apart(tmp_path):
    """Against u + Qg with u and g as effects of their own, all with fifty digits."""
    pedigree, records, animal, share = with_strains(np.random.default_rng(3), 1e-4)
    ped = {"groups": {"column": "strain"}}
    path = write(
        tmp_path,
        pedigree,
        records,
        "herd + x + genetic(id)",
        ped=ped,
        solver={"method": "direct"},
        accuracy={"method": "exact"},
    )
    found = be.evaluate(path).ebv("y").set_index("id").loc[pedigree["id"]]
    number = {"0": -1, **{f"a{i}": i for i in range(len(pedigree))}}
    a = tabular_a([number[s] for s in pedigree["sire"]], [number[d] for d in pedigree["dam"]])
    z = np.eye(len(pedigree))[animal]
    x = np.column_stack([records["herd"] == "h", records["herd"] == "k", records["x"], share[animal]]).astype(float)
    w = exact_solution.decimals(np.hstack([x, z]))
    c = exact_solution.multiply(w.T, w)
    c[4:, 4:] += exact_solution.multiply(
        exact_solution.decimals(3 * np.eye(len(a))), exact_solution.inverse(exact_solution.decimals(a))
    )
    inverse = exact_solution.inverse(c)
    pev = 3 * np.diag(inverse)[4:].astype(float)
    np.testing.assert_allclose(1 - found["reliability"], pev / np.diag(a), rtol=1e-7)
    solution = exact_solution.multiply(inverse, exact_solution.multiply(w.T, exact_solution.decimals(records["y"]))).astype(
        float
    )
    ebv = solution[4:] + share * solution[3]
    # which group is zero shifts all alike, and here by very much
    difference = found["ebv"].to_numpy() - ebv
    np.testing.assert_allclose(difference, difference[0], atol=1e-5)


@pytest.mark.parametrize("preconditioner", ["incomplete_cholesky", "block", "diagonal"])
def test_groups_that_records_hardly_tell_apart_widen_the_bound(tmp_path, preconditioner):
    """A covariate is nearly the share of one of two fixed groups: EBVs have almost any variance."""
    pedigree, records, _, _ = with_strains(np.random.default_rng(2), 1e-4)
    model, groups = "herd + x + genetic(id)", {"groups": {"column": "strain"}}
    exact = be.evaluate(write(tmp_path, pedigree, records, model, ped=groups, solver={"method": "direct"}))
    path = write(tmp_path, pedigree, records, model, ped=groups, solver={"method": "pcg", "preconditioner": preconditioner})
    iterative = be.evaluate(path)
    error = np.abs(iterative.ebv("y")["ebv"] - exact.ebv("y")["ebv"]).max()
    assert error <= iterative.solve.final.ebv_error <= 1e-4
