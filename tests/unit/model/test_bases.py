"""Bases of curves: against slow twins and scipy, and what holds for any of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import BSpline, CubicSpline

from breedeval.errors import RecordsError
from breedeval.model.bases import b_spline_functions, natural_spline_functions
from breedeval.model.covariates import evaluate_covariable, fit_basis
from breedeval.model.formula import parse_formula
from breedeval.source import Source
from tests.reference.curves import b_splines, natural_spline, spline_values

SOURCE = Source("records.csv", lambda row: row + 2, "line")
DAYS = np.array([5.0, 9, 20, 20, 33, 61.5, 90, 150, 222, 301, 305])
TEXTS = [
    "spline(dim, 2)",
    "spline(dim, 5)",
    "spline(dim, 4, 0, 400)",
    "spline(dim, quantiles(5))",
    "spline(dim, quantiles(4), 0, 400)",
    "spline(dim, knots(5, 60, 90.5, 305))",
    "bspline(dim, 4)",
    "bspline(dim, 7, 5, 400)",
    "bspline(dim, quantiles(6), degree(1))",
    "bspline(dim, knots(0, 60, 305), degree(2))",
]

knots = st.lists(st.integers(-500, 500), min_size=2, max_size=7, unique=True).map(sorted)


def covariable(text):
    (term,) = (t for t in parse_formula("y", text, classes=[], covariates=["dim"]).fixed if t.covariables)
    return term.covariables[0]


def evaluate(text, x):
    return evaluate_covariable(covariable(text), x, np.arange(len(x)), SOURCE)


@pytest.mark.parametrize("text", TEXTS)
def test_against_the_twin(text):
    values, note = evaluate(text, DAYS)
    assert values.shape == (len(DAYS), covariable(text).n_coefficients)
    np.testing.assert_allclose(values, spline_values(text, DAYS.tolist()), atol=1e-12)
    assert note.startswith(f"{text}: ")
    assert "knots at " in note


@given(knots, st.floats(0, 1))
def test_natural_spline_interpolates_like_scipy(places, share):
    x = places[0] + share * (places[-1] - places[0])
    values = np.cos(np.arange(len(places)) * 1.3)
    found = natural_spline_functions(np.array([x]), tuple(map(float, places)))[0]
    assert found @ values == pytest.approx(float(CubicSpline(places, values, bc_type="natural")(x)), abs=1e-10)
    np.testing.assert_allclose(found, natural_spline(x, places), atol=1e-9)
    assert found.sum() == pytest.approx(1)  # a constant is a natural spline


@given(knots, st.integers(1, 5), st.floats(0, 1))
def test_b_splines_like_scipy(places, degree, share):
    x = min(places[0] + share * (places[-1] - places[0]), places[-1])
    found = b_spline_functions(np.array([x]), tuple(map(float, places)), degree)[0]
    padded = [places[0]] * degree + places + [places[-1]] * degree
    wanted = [float(BSpline(padded, row, degree)(x)) for row in np.eye(len(found))]
    np.testing.assert_allclose(found, wanted, atol=1e-12)
    np.testing.assert_allclose(found, b_splines(x, list(map(float, places)), degree), atol=1e-9)
    assert found.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    "text", [*(t for t in TEXTS if "0, 400" not in t and "knots" not in t and "5, 400" not in t), "legendre(dim, 3)"]
)
def test_the_unit_of_the_covariate_does_not_matter(text):
    weeks, days = evaluate(text, DAYS / 7)[0], evaluate(text, DAYS)[0]
    np.testing.assert_allclose(weeks, days, atol=1e-12)


@pytest.mark.parametrize(
    "text", ["legendre(dim, 3)", "spline(dim, 5)", "bspline(dim, quantiles(5))", "center(dim)", "poly(dim, 2)"]
)
def test_a_basis_is_the_same_for_other_values(text):
    basis = fit_basis(covariable(text), DAYS, np.arange(len(DAYS)), SOURCE)
    np.testing.assert_array_equal(basis.evaluate(DAYS[3:5]), basis.evaluate(DAYS)[3:5])


def test_choices_are_told():
    assert evaluate("spline(dim, 3)", DAYS)[1] == (
        "spline(dim, 3): natural cubic spline, 3 knots at 5, 155, 305 (equidistant on the observed range); "
        "each coefficient is the value of the curve at its knot"
    )
    note = evaluate("bspline(dim, quantiles(4), 0, 400, degree(2))", DAYS)[1]
    assert note.endswith("4 B-splines of degree 2, 3 knots at 0, 61.5, 400 (quantiles of the records, ends given)")
    assert "3 knots at 5, 60, 305 (given)" in evaluate("spline(dim, knots(5, 60, 305))", DAYS)[1]


@pytest.mark.parametrize(
    ("text", "values", "message"),
    [
        ("spline(dim, 3)", [7, 7], "every dim is 7; a regression needs at least two values"),
        ("bspline(dim, 4, 5, 305)", [7, 7], "every dim is 7"),
        ("legendre(dim, 0)", [7, 7], "every dim is 7"),
        ("spline(dim, 3, 5, 305)", [4, 20, 310], r"2 values of dim outside 5 to 305 \(records.csv, lines 2 and 4\)"),
        ("spline(dim, knots(5, 60, 305))", [4, 20], "1 value of dim outside 5 to 305"),
        ("spline(dim, quantiles(5))", [5, 5, 5, 5, 90], "5 knots coincide at '5', because many records share a dim"),
    ],
)
def test_values_that_make_a_curve_impossible(text, values, message):
    with pytest.raises(RecordsError, match=message):
        evaluate(text, np.array(values, dtype=float))
