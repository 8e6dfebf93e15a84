"""Trajectories: random regressions, covariance functions, what is published of them. Answers of books; what must not matter.

Mrode & Pocrnic (2023), Linear Models for the Prediction of the Genetic Merit of Animals, 4th ed., examples 10.1 and 10.2 and
section 10.4. Columns ``oracle``: generalized least squares on V, without the mixed model equations.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

import breedeval as be
from breedeval.model.bases import Basis
from breedeval.model.contrasts import build_contrast
from breedeval.model.functions import GeneticFunction, Part
from breedeval.model.spec import Covariable, RandomTerm
from breedeval.model.variances import Covariance

LEGENDRE = Covariable("dim", "legendre", 2, 4.0, 310.0)


def expected(folder, quantity, column="oracle"):
    frame = pd.read_csv(folder / "expected.csv", dtype={"level": str})
    frame = frame[frame["quantity"] == quantity]
    assert len(frame), quantity
    return frame.set_index("level")[column].dropna()


def of(run, name, column="function", what="value"):
    (found,) = (v for v in run.breeding_values if (v.trait, v.column) == (name, column))
    return pd.Series(getattr(found, what), index=run.pedigree.ids.to_list())


def compare(found, wanted, atol):
    np.testing.assert_allclose(found.loc[wanted.index].to_numpy(float), wanted.to_numpy(float), atol=atol, rtol=0)


def random_regression(root, folder, model=None, **variances):
    """The configuration of example 10.2 as it ships, with another model or variances if given."""
    config = YAML(typ="safe").load((root / "configs" / "mrode_random_regression.yaml").read_text())
    if model is not None:
        config["model"] = {"tdy": model}
    config["variances"].update(variances)
    path = folder / "config.yaml"
    path.write_text(json.dumps(config))
    return path


def test_published_sum_over_305_days(root, refdata):
    folder = refdata("mrode_random_regression")
    run = be.evaluate(root / "configs" / "mrode_random_regression.yaml")
    compare(of(run, "fat_305"), expected(folder, "ebv_305"), 1e-8)
    compare(of(run, "fat_305"), expected(folder, "ebv_305", "published"), 0.03)
    compare(of(run, "fat_305", what="reliability"), expected(folder, "reliability_305"), 1e-10)
    # the book leaves inbreeding out of the denominator, and prints two decimals
    (values,) = (v for v in run.breeding_values if v.trait == "fat_305")
    without = pd.Series(1 - values.pev / values.variance, index=run.pedigree.ids.to_list())
    compare(without, expected(folder, "reliability_305_ignoring_F", "published"), 0.0051)
    params = pd.read_csv(folder / "params.csv").set_index(["name", "row", "col"])["value"]
    np.testing.assert_allclose(values.contrast.weights, params["t_days_6_310"], rtol=1e-11)
    assert of(run, "fat_106", what="value").size == 8
    (day,) = (v for v in run.breeding_values if v.trait == "fat_106")
    assert day.variance == pytest.approx(expected(folder, "genetic_variance_dim106")["1"], abs=1e-9)


def test_published_sum_of_a_fixed_curve(root, refdata):
    folder = refdata("mrode_fixed_regression")
    run = be.evaluate(root / "configs" / "mrode_fixed_regression.yaml")
    compare(of(run, "fat_305"), expected(folder, "ebv_305"), 1e-8)
    compare(of(run, "fat_305"), expected(folder, "ebv_305", "published"), 5e-4)
    compare(of(run, "fat_305", what="reliability"), expected(folder, "reliability"), 1e-10)


def test_covariance_function(refdata):
    """Section 10.4: covariances at days 90, 160 and 240 as a covariance function on days 90 to 240."""
    folder = refdata("mrode_covariance_function")
    params = pd.read_csv(folder / "params.csv")
    at_days = params["value"].to_numpy().reshape(3, 3)
    covariable = Covariable("dim", "legendre", 2, 90.0, 240.0)
    basis = Basis(covariable, 90.0, 240.0)
    phi = basis.evaluate(np.array([90.0, 160, 240]))
    np.testing.assert_allclose(phi.ravel(), expected(folder, "Phi"), atol=1e-11)
    np.testing.assert_allclose(phi.ravel(), expected(folder, "Phi", "published"), atol=1e-4)
    coefficients = np.linalg.inv(phi) @ at_days @ np.linalg.inv(phi).T
    np.testing.assert_allclose(coefficients.ravel(), expected(folder, "coefficient_matrix"), atol=1e-8)
    term = RandomTerm("genetic", "cow", covariable)
    covariance = Covariance(("milk:cow:0", "milk:cow:1", "milk:cow:2"), coefficients)
    for day in (90, 200):
        function = GeneticFunction("daily", (Part("milk", term, "at", (float(day),)),))
        contrast = build_contrast(function, covariance, {covariable: basis})
        assert contrast.variance == pytest.approx(expected(folder, f"var_{day}")["1"], abs=1e-8)
        assert contrast.variance == pytest.approx(expected(folder, f"var_{day}", "published")["1"], abs=0.01)


MODEL = "htd + legendre(dim, 4, 4, 310) + genetic(cow, {}) + permanent(cow, legendre(dim, 2, 4, 310))"
GENETIC = np.array([[3.297, 0.594, -1.381], [0.594, 0.921, -0.289], [-1.381, -0.289, 1.005]])
FUNCTIONS = ("fat_305", "fat_106", "persistency", "profit")


@pytest.mark.parametrize(
    "text", ["slope(poly(dim, 2))", "bspline(dim, 3, 4, 310, degree(2))", "bspline(dim, knots(4, 310), degree(2))"]
)
def test_another_basis_of_the_same_curves(root, refdata, tmp_path, text):
    """Legendre polynomials, powers of the day, B-splines: with covariances to match, the published values are equal."""
    refdata("mrode_random_regression")
    known = be.evaluate(root / "configs" / "mrode_random_regression.yaml")
    x = np.array([4.0, 100, 310])
    legendre = Basis(LEGENDRE, 4.0, 310.0).evaluate(x)
    if "poly" in text:
        other = np.column_stack([np.ones(3), x, x**2])
    else:
        other = Basis(Covariable("dim", "bspline", 3, pieces=2), 4.0, 310.0, (4.0, 310.0)).evaluate(x)
    change = np.linalg.solve(other, legendre)  # coefficients of the other basis from those of Legendre
    path = random_regression(root, tmp_path, MODEL.format(text), genetic=(change @ GENETIC @ change.T).tolist())
    run = be.evaluate(path)
    for name in FUNCTIONS:
        compare(of(run, name), of(known, name), 1e-6)
        compare(of(run, name, what="reliability"), of(known, name, what="reliability"), 1e-8)


def test_covariances_at_knots_are_those_of_the_curve(root, refdata, tmp_path):
    """A natural spline with 2 knots is a line: its covariance matrix is that of the values at both ends."""
    refdata("mrode_random_regression")
    line = Basis(Covariable("dim", "legendre", 1, 4.0, 310.0), 4.0, 310.0).evaluate(np.array([4.0, 310.0]))
    runs = []
    for text, covariance in (
        ("legendre(dim, 1, 4, 310)", GENETIC[:2, :2]),
        ("spline(dim, 2, 4, 310)", line @ GENETIC[:2, :2] @ line.T),
    ):
        runs.append(be.evaluate(random_regression(root, tmp_path, MODEL.format(text), genetic=covariance.tolist())))
    for name in FUNCTIONS:
        compare(of(runs[0], name), of(runs[1], name), 1e-8)
        compare(of(runs[0], name, what="reliability"), of(runs[1], name, what="reliability"), 1e-10)


@pytest.mark.parametrize("text", ["legendre(dim, 2)", "spline(dim, 4)", "bspline(dim, quantiles(5))"])
def test_days_or_weeks(root, refdata, tmp_path, text):
    """The unit of the covariate changes no EBV, as long as the points of what is published change with it."""
    data = pd.read_csv(refdata("mrode_random_regression") / "data.csv")
    runs = []
    for unit in (1, 7):
        data.assign(dim=data["dim"] / unit).to_csv(tmp_path / "data.csv", index=False)
        model = f"htd + {text} + genetic(cow, {text}) + permanent(cow, {text})"
        k = {"legendre(dim, 2)": 3, "spline(dim, 4)": 4}.get(text, 5)
        path = random_regression(
            root, tmp_path, model, genetic=np.eye(k).tolist(), permanent=(2 * np.eye(k)).tolist(), residual=3.71
        )
        config = json.loads(path.read_text())
        config["records"]["file"] = str(tmp_path / "data.csv")
        config["publish"] = {"total": {"sum": {"from": 10 / unit, "to": 300 / unit, "step": 1 / unit}}}
        del config["index"]
        path.write_text(json.dumps(config))
        runs.append(be.evaluate(path))
    compare(of(runs[0], "total"), of(runs[1], "total"), 1e-8)
    compare(of(runs[0], "total", what="reliability"), of(runs[1], "total", what="reliability"), 1e-10)


def test_residual_variance_by_days_in_milk(root, refdata, tmp_path):
    """Intervals of the day are the same as classes made of it by hand."""
    data = pd.read_csv(refdata("mrode_random_regression") / "data.csv")
    data["section"] = np.select([data["dim"] <= 38, data["dim"] <= 200], ["a", "b"], "c")
    data.to_csv(tmp_path / "data.csv", index=False)
    runs = []
    for residual in (
        {"by": "dim", "up_to": [38, 200], "matrices": [5.0, 3.5, 2.5]},
        {"by": "section", "matrices": {"c": 2.5, "a": 5.0, "b": 3.5}},
        3.71,
    ):
        path = random_regression(root, tmp_path, residual=residual)
        config = json.loads(path.read_text())
        config["records"]["file"] = str(tmp_path / "data.csv")
        path.write_text(json.dumps(config))
        runs.append(be.evaluate(path, results=tmp_path / "out.h5" if len(runs) == 0 else None))
    for what in ("value", "reliability"):
        np.testing.assert_array_equal(of(runs[0], "fat_305", what=what), of(runs[1], "fat_305", what=what))
    assert np.abs(of(runs[0], "fat_305") - of(runs[2], "fat_305")).max() > 0.1
    with be.open_results(tmp_path / "out.h5") as results:
        group = results._file["variances/residual"]
        assert group.attrs["by"] == "dim"
        assert group.attrs["up_to"].tolist() == [38, 200]
        assert group["above 38 up to 200/matrix"][()].tolist() == [[3.5]]


def test_splines_as_they_ship(root, refdata):
    refdata("mrode_random_regression")
    path = root / "configs" / "mrode_test_day_splines.yaml"
    run = be.evaluate(path)
    compare(of(run, "day_157"), of(run, "tdy", "cow:1"), 1e-14)
    notes = "\n".join(run.record["choices"]["notes"])
    assert (
        "spline(dim, 5, 4, 310): natural cubic spline, 5 knots at 4, 80.5, 157, 233.5, 310 (equidistant on the given" in notes
    )
    assert "3 knots at 4, 157, 310 (given)" in notes


def test_rank_and_index(root, refdata):
    refdata("mrode_random_regression")
    run = be.evaluate(root / "configs" / "mrode_random_regression.yaml")
    assert be.rank(run, trait="fat_305", top=1)["id"].tolist() == ["7"]
    pd.testing.assert_frame_equal(run.ebv(), run.ebv("tdy", "cow:0"))  # the only trait
    merit = of(run, "fat_305") + 10 * of(run, "persistency")
    assert be.rank(run, index={"fat_305": 1.0, "persistency": 10})["id"].tolist() == merit.sort_values()[::-1].index.tolist()
