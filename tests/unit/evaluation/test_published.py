"""Functions of breeding values: what is refused, and that values and reliabilities are those of a model transformed by hand."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import wishart

import breedeval as be
from breedeval.errors import ConfigError
from breedeval.evaluation.config import read_config
from breedeval.evaluation.observer import Silence
from tests.random_models import random_frame, random_rows, relationship
from tests.reference.mixed_model import dense_model, legendre_values

GENETIC = wishart.rvs(8, np.eye(3), random_state=3)
MODEL = {"y": "sex + legendre(x, 2, 0, 12) + genetic(id, legendre(x, 2, 0, 12)) + permanent(id)"}
VARIANCES = {"genetic": GENETIC.tolist(), "permanent": 0.8, "residual": 1.5}


def write(folder, model, variances, publish, frame=None, rows=None, **sections):
    """A configuration and, with a frame, the files it names."""
    if frame is not None:
        frame.to_csv(folder / "records.csv", index=False)
        pd.DataFrame(rows, columns=["animal", "sire", "dam"]).to_csv(folder / "pedigree.csv", index=False)
    config = {
        "pedigree": {"file": "pedigree.csv", "animal": "animal", "sire": "sire", "dam": "dam"},
        "records": {"file": "records.csv", "classes": ["sex", "herd", "litter", "kind"], "covariates": ["x", "w"]},
        "model": model,
        "variances": variances,
        "publish": publish,
        **sections,
    }
    path = folder / "farm.yaml"
    path.write_text(json.dumps(config))
    return path


def population(seed, n=25, m=80, traits=("y",), missing=0.05):
    rng = np.random.default_rng(seed)
    rows = random_rows(rng, n)
    return rows, random_frame(rng, rows, m, list(traits), missing)


def of(run, name, column="function"):
    (found,) = (v for v in run.breeding_values if (v.trait, v.column) == (name, column))
    return found


def days(*points):
    return np.array([legendre_values(point, 2, 0, 12) for point in points])


CASES = {
    "sum": ({"sum": {"from": 1, "to": 9}}, days(*range(1, 10)).sum(axis=0)),
    "average": ({"average": {"from": 0, "to": 12, "step": 0.5}}, days(*np.arange(0, 12.1, 0.5)).mean(axis=0)),
    "at": ({"at": 3.25}, days(3.25)[0]),
    "coefficient": ({"coefficient": 1}, np.array([0.0, 1, 0])),
    "difference": ({"difference": [{"at": 12}, {"average": {"from": 1, "to": 2}}]}, days(12)[0] - days(1, 2).mean(axis=0)),
    "weights": ({"weights": {"sum": 2.0, "y:id:2": -3}}, 2 * days(*range(1, 10)).sum(axis=0) - [0, 0, 3]),
}


@pytest.mark.parametrize("method", ["direct", "pcg"])
def test_the_model_transformed_by_hand(tmp_path, method):
    """Coefficients replaced by T times them, the first of which is the function; dense inverse of Henderson's equations."""
    rows, frame = population(1)
    publish = {name: written for name, (written, _) in CASES.items()}
    solver = {"method": method, **({"stop": "residual", "tolerance": 1e-13} if method == "pcg" else {})}
    path = write(tmp_path, MODEL, VARIANCES, publish, frame, rows, solver=solver, accuracy={"method": "exact"})
    run = be.evaluate(path)
    ids, a = run.pedigree.ids.to_list(), relationship(run.pedigree)
    spec = {
        "y": {
            "fixed": [([], []), (["sex"], []), ([], ["legendre(x, 2, 0, 12)"])],
            "random": [("genetic", "id", "legendre(x, 2, 0, 12)", None), ("permanent", "id", None, None)],
        }
    }
    labels = ["y:id:0", "y:id:1", "y:id:2"]
    covariances = {"genetic": (labels, GENETIC.tolist()), "permanent(id)": (["y:id"], [[0.8]])}
    dense = dense_model(frame, spec, covariances, {"all": [[1.5]]}, ids, a)
    n_u = 3 * len(ids)
    for name, (_, k) in CASES.items():
        t = np.vstack([k, np.eye(3)[[0, 1] if k[2] else [0, 2]]])
        big = np.kron(np.eye(len(ids)), t)
        z, g = dense.z.copy(), dense.g.copy()
        z[:, :n_u] = z[:, :n_u] @ np.linalg.inv(big)
        g[:n_u, :n_u] = big @ g[:n_u, :n_u] @ big.T
        w = np.hstack([dense.x, z])
        c = w.T @ np.linalg.inv(dense.r) @ w
        p = dense.n_fixed
        c[p:, p:] += np.linalg.inv(g)
        inverse = np.linalg.pinv(c, rcond=1e-12, hermitian=True)
        first = slice(p, p + n_u, 3)
        value, pev = (inverse @ w.T @ np.linalg.inv(dense.r) @ dense.y)[first], np.diag(inverse)[first]
        found, scale = of(run, name), np.sqrt(k @ GENETIC @ k)
        assert found.variance == pytest.approx(k @ GENETIC @ k, rel=1e-12)
        np.testing.assert_allclose(found.value, value, atol=1e-8 * scale)
        np.testing.assert_allclose(found.pev, pev, rtol=1e-7)
        np.testing.assert_allclose(found.reliability, 1 - pev / (np.diag(a) * (k @ GENETIC @ k)), atol=1e-8)
    # what the model has anyway
    np.testing.assert_allclose(of(run, "coefficient").pev, of(run, "y", "id:1").pev, rtol=1e-12)


@pytest.mark.parametrize("groups", [None, {"column": "origin"}, {"column": "origin", "effect": "random", "variance": 0.7}])
def test_a_sum_of_traits_is_the_trait_of_sums(tmp_path, groups):
    """Two traits recorded together: the function y + t, and a model of (y + t, t) with (co)variances to match."""
    rows, frame = population(2, traits=("y", "t"), missing=0.0)
    frame["s"] = frame["y"] + 2 * frame["t"]
    to = np.array([[1.0, 2], [0, 1]])
    g, r = np.array([[1.0, 0.4], [0.4, 0.8]]), np.array([[2.0, -0.3], [-0.3, 1.1]])
    sections = {} if groups is None else {"pedigree": {**pedigree_with_groups(tmp_path, rows), "groups": groups}}
    terms = "herd + x + genetic(id)"
    runs = []
    for traits, genetic, residual, publish in (
        (("y", "t"), g, r, {"both": {"weights": {"y": 1, "t": 2}}, "again": {"weights": {"y:id": 1, "t:id": 2}}}),
        (("s", "t"), to @ g @ to.T, to @ r @ to.T, {}),
    ):
        variances = {"genetic": genetic.tolist(), "residual": residual.tolist()}
        path = write(tmp_path, dict.fromkeys(traits, terms), variances, publish, frame, rows, **sections)
        runs.append(be.evaluate(path))
    published, direct = of(runs[0], "both"), of(runs[1], "s", "id")
    for what in ("value", "pev", "reliability"):
        np.testing.assert_allclose(getattr(published, what), getattr(direct, what), atol=1e-8)
        np.testing.assert_array_equal(getattr(published, what), getattr(of(runs[0], "again"), what))


def pedigree_with_groups(folder, rows):
    data = [(*row, None if row[1] and row[2] else "north" if i % 3 else "south") for i, row in enumerate(rows)]
    pd.DataFrame(data, columns=["animal", "sire", "dam", "origin"]).to_csv(folder / "grouped.csv", index=False)
    return {"file": "grouped.csv", "animal": "animal", "sire": "sire", "dam": "dam"}


def test_traits_without_covariance(tmp_path):
    """Two traits on different lines that share a fixed effect only through nothing: the elements of C⁻¹ must still be there."""
    rows, frame = population(4, traits=("y", "t"), missing=0.0)
    frame.loc[::2, "y"], frame.loc[1::2, "t"] = np.nan, np.nan
    model = {"y": "herd + genetic(id) + random(litter)", "t": "herd + genetic(id) + random(litter)"}
    covariance = {"labels": ["y:litter", "t:litter"], "matrix": [[1.0, 0.6], [0.6, 1.0]]}
    variances = {"genetic": [[1.2, 0], [0, 0.5]], "litter": covariance, "residual": [[2.0, 0], [0, 1.0]]}
    path = write(tmp_path, model, variances, {"sum": {"weights": {"y": 1, "t": 1}}}, frame, rows)
    run = be.evaluate(path)
    ids, a = run.pedigree.ids.to_list(), relationship(run.pedigree)
    terms = {"fixed": [([], []), (["herd"], [])], "random": [("genetic", "id", None, None), ("random", "litter", None, None)]}
    covariances = {
        "genetic": (["y:id", "t:id"], [[1.2, 0], [0, 0.5]]),
        "random(litter)": (covariance["labels"], covariance["matrix"]),
    }
    dense = dense_model(frame, {"y": terms, "t": terms}, covariances, {"all": [[2.0, 0], [0, 1.0]]}, ids, a)
    c, _ = dense.equations()
    inverse = np.linalg.pinv(c, rcond=1e-12, hermitian=True)[dense.n_fixed :, dense.n_fixed :]
    k = np.kron(np.eye(len(ids)), [[1.0], [1.0]])
    block = inverse[: 2 * len(ids), : 2 * len(ids)]
    assert np.abs(np.diag(block, 1)[::2]).max() > 1e-4  # else the test shows nothing
    np.testing.assert_allclose(of(run, "sum").pev, np.diag(k.T @ block @ k), rtol=1e-8)


def test_total_maternal_merit_and_base(tmp_path):
    rows, frame = population(5)
    model = {"y": "herd + genetic(id) + genetic(dam)"}
    variances = {"genetic": [[2.0, -0.5], [-0.5, 1.0]], "residual": 2.0}
    path = write(tmp_path, model, variances, {"maternal": {"weights": {"y:dam": 1, "y:id": 0.5}, "unit": "kg"}}, frame, rows)
    run = be.evaluate(path)
    direct, maternal = run.ebv("y", "id")["ebv"], run.ebv("y", "dam")["ebv"]
    np.testing.assert_allclose(run.ebv("maternal")["ebv"], maternal + direct / 2, atol=1e-12)
    assert of(run, "maternal").variance == pytest.approx(1.0 + 0.25 * 2 - 0.5)
    assert of(run, "maternal").unit == "kg"
    assert run.traits == ("y", "maternal")


CURVE = {"milk": "herd + genetic(id, legendre(dim, 2, 5, 305))", "fat": "herd + genetic(id) + genetic(dam)"}


@pytest.mark.parametrize(
    ("publish", "message"),
    [
        ({"trait": "milk"}, "has 3 coefficients. Write sum, average, at or coefficient."),
        ({"trait": "milc", "at": 60}, "'milc' is no trait of this model. Did you mean 'milk'?"),
        ({"at": 60}, "the trait is missing. Write trait: with one of 'milk', 'fat'"),
        ({"trait": "milk", "column": "dam", "at": 60}, "milk has no genetic effect of 'dam'. There are: 'id'."),
        ({"trait": "fat", "at": 60}, "fat has several genetic effects. Write column: with one of 'id', 'dam'."),
        ({"trait": "fat", "column": "id", "sum": {"from": 1, "to": 2}}, "is no regression, it is the same everywhere"),
        ({"trait": "milk", "coefficient": 3}, "has no coefficient 3. They are 0 to 2."),
        ({"trait": "milk", "at": 60, "coefficient": 1}, "at and coefficient stand together. Keep one of them."),
        ({"trait": "milk", "sum": {"from": 9, "to": 5}}, "from 9 is above to 5. Write the smaller number first."),
        ({"trait": "milk", "sum": {"from": 5, "to": 305, "step": 7}}, "no whole number of steps of 7"),
        ({"trait": "milk", "sum": [5, 305]}, "write {from: 5, to: 305}"),
        ({"trait": "milk", "sum": {"from": 5}}, "publish.name.sum.to: this key is missing. Add it."),
        ({"trait": "milk", "summ": {"from": 5, "to": 6}}, "there is no such key. Did you mean 'sum'?"),
        ({"weights": {"milk_305": 1}}, "'milk_305' is no function above and no genetic effect."),
        ({"weights": {"milk": 1}}, "'milk' is no function above and no genetic effect. Did you mean"),
        ({"weights": {"name": 1}}, "'name' stands below or is not right itself."),
        ({"weights": {"fat:id": 1}, "trait": "fat"}, "with weights, traits and columns are named there"),
        ({"weights": {}}, "nothing stands here."),
        ({"trait": "milk", "difference": [{"at": 5}]}, "difference: 1 value stands here; 2 are needed."),
        ({"trait": "milk", "difference": [{"at": 5}] * 3}, "difference: 3 values stand here; 2 are needed."),
        ({"trait": "milk", "difference": [{"at": 5}, {"att": 6}]}, "name.difference.1.att: there is no such key. Did you mean"),
        ({"trait": "milk", "sum": {"from": 5, "too": 6}}, "Known are from, to, step."),
    ],
)
def test_what_cannot_be_published(tmp_path, publish, message):
    variances = {"genetic": np.eye(5).tolist(), "residual": [[1, 0], [0, 1]]}
    path = write(tmp_path, CURVE, variances, {"name": publish})
    config = json.loads(path.read_text())
    config["records"] = {"file": "r.csv", "classes": ["herd"], "covariates": ["dim"]}
    path.write_text(json.dumps(config, indent=1))
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    assert message in str(caught.value)
    assert "publish.name" in str(caught.value)


def test_names_of_traits_are_taken(tmp_path):
    path = write(tmp_path, MODEL, VARIANCES, {"y": {"at": 3}})
    with pytest.raises(ConfigError, match=r"publish\.y: this is the name of a trait"):
        read_config(path)


def test_without_a_genetic_effect(tmp_path):
    path = write(tmp_path, {"y": "herd + random(litter)"}, {"litter": 1, "residual": 1}, {"a": {"at": 3}})
    with pytest.raises(ConfigError, match="there is no genetic effect to make a function of"):
        read_config(path)


def test_what_the_data_make_impossible(tmp_path):
    rows, frame = population(6)
    frame["x"] = frame["x"].clip(2, 10)
    model = {"y": "sex + genetic(id, legendre(x, 2))"}
    publish = {
        "early": {"at": 1},
        "nothing": {"difference": [{"at": 5}, {"average": {"from": 5, "to": 5}}]},
        "fine": {"at": 5},
    }
    path = write(tmp_path, model, {"genetic": GENETIC.tolist(), "residual": 1}, publish, frame, rows)
    with pytest.raises(ConfigError) as caught:
        be.evaluate(path)
    first, second = str(caught.value).splitlines()
    assert "publish.early: y (id) at x 1: x 1 is outside 2 to 10, the observed range of legendre(x, 2)" in first
    assert "publish.nothing: " in second
    assert "is zero for every animal" in second


def test_a_slope_beyond_the_records_is_told(tmp_path):
    rows, frame = population(8)
    model, variances = {"y": "sex + genetic(id, slope(x))"}, {"genetic": [[2, 0.1], [0.1, 0.3]], "residual": 1}
    heard = []

    class Listener(Silence):
        def warn(self, line):
            heard.append(line)

    run = be.evaluate(
        write(tmp_path, model, variances, {"late": {"at": 30}, "fine": {"at": 6}}, frame, rows), observer=Listener()
    )
    low, high = frame["x"].min(), frame["x"].max()
    assert heard == [f"publish: late: y (id) at x 30 goes beyond the values observed, {low:g} to {high:g}"]
    slope = run.ebv("y", "id:0")["ebv"] + 30 * run.ebv("y", "id:1")["ebv"]
    np.testing.assert_allclose(run.ebv("late")["ebv"], slope, atol=1e-12)


def test_results_file_ranking_and_index(tmp_path, capsys):
    rows, frame = population(7)
    publish = {"total": {"sum": {"from": 1, "to": 9}, "unit": "kg"}, "rise": {"difference": [{"at": 9}, {"at": 1}]}}
    path = write(tmp_path, MODEL, VARIANCES, publish, frame, rows, index={"merit": {"total": 1.0, "rise": -2}})
    run = be.evaluate(path, results=tmp_path / "out.h5")
    with be.open_results(tmp_path / "out.h5") as results:
        assert results.traits == ("y", "total", "rise")
        pd.testing.assert_frame_equal(results.ebv("total"), run.ebv("total"))
        assert results.definition("total") == "sum of y (id) over x 1 to 9 by 1 (9 values)"
        assert results.definition("y", "id:0") == ""
        group = results._file["ebv/total/function"]
        columns = np.column_stack([results.ebv("y", label.partition(":")[2])["ebv"] for label in group.attrs["labels"]])
        np.testing.assert_allclose(columns @ group.attrs["weights"], group["value"], atol=1e-12)
        assert group.attrs["unit"] == "kg"
        ranked = be.rank(results, index={"total": 1.0, "rise": -2})
        merit = run.ebv("total")["ebv"] - 2 * run.ebv("rise")["ebv"]
        assert ranked["id"].iloc[0] == run.ebv("total")["id"][merit.idxmax()]
        best = be.rank(results, trait="rise", top=1)
        assert best["ebv"].iloc[0] == run.ebv("rise")["ebv"].max()
