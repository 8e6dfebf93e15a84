"""Several traits, maternal effects, random regressions and slopes: the same equations, with more columns."""

from __future__ import annotations

import numpy as np
import pytest

from tests.random_models import pair, random_frame, random_rows

ONE = [([], []), (["herd"], []), ([], ["x"])]
TWO = [([], []), (["sex"], []), (["herd"], ["x"])]
THREE = [(["herd", "sex"], []), ([], ["legendre(x, 2)"])]
ANIMAL = ("genetic", "id", None, None)
DAM = ("genetic", "dam", None, None)


def positive(rng, k):
    a = rng.normal(size=(k, k))
    return (a @ a.T + 0.3 * k * np.eye(k)).tolist()


def two_traits(rng, rows, frame):
    """Different fixed effects, one trait without permanent environment, missing records, weights."""
    traits = {"y": {"fixed": ONE, "random": [ANIMAL, ("permanent", "id", None, None)]}, "t": {"fixed": TWO, "random": [ANIMAL]}}
    covariances = {"genetic": (["y:id", "t:id"], positive(rng, 2)), "permanent(id)": (["y:id"], [[1.3]])}
    return pair(rows, frame, traits, covariances, {"all": positive(rng, 2)}, "weight")


def three_traits(rng, rows, frame):
    """Classes of residual covariance, a common litter."""
    fixed = dict(zip("ytv", [ONE, TWO, THREE], strict=True))
    traits = {t: {"fixed": f, "random": [ANIMAL, ("random", "litter", None, None)]} for t, f in fixed.items()}
    covariances = {
        "genetic": ([f"{t}:id" for t in "ytv"], positive(rng, 3)),
        "random(litter)": ([f"{t}:litter" for t in "ytv"], positive(rng, 3)),
    }
    return pair(rows, frame, traits, covariances, {"small": positive(rng, 3), "large": positive(rng, 3)}, None, "kind")


def maternal(rng, rows, frame):
    """Direct and maternal effects, correlated."""
    traits = {"y": {"fixed": ONE, "random": [ANIMAL, DAM, ("permanent", "dam", None, None)]}}
    covariances = {"genetic": (["y:id", "y:dam"], [[2.0, -0.5], [-0.5, 1.0]]), "permanent(dam)": (["y:dam"], [[0.7]])}
    return pair(rows, frame, traits, covariances, {"all": [[2.0]]})


def maternal_for_one_of_two(rng, rows, frame):
    """Only one of two traits has a maternal effect."""
    traits = {"y": {"fixed": ONE, "random": [ANIMAL, DAM]}, "t": {"fixed": TWO, "random": [ANIMAL]}}
    return pair(rows, frame, traits, {"genetic": (["y:id", "t:id", "y:dam"], positive(rng, 3))}, {"all": positive(rng, 2)})


def random_regression(rng, rows, frame):
    """Legendre polynomials of different order for two effects, and a fixed curve."""
    random = [("genetic", "id", "legendre(x, 2)", None), ("permanent", "id", "legendre(x, 1)", None)]
    covariances = {
        "genetic": ([f"y:id:{k}" for k in range(3)], positive(rng, 3)),
        "permanent(id)": ([f"y:id:{k}" for k in range(2)], positive(rng, 2)),
    }
    return pair(
        rows, frame, {"y": {"fixed": [*ONE, ([], ["legendre(x, 2)"])], "random": random}}, covariances, {"all": [[2.0]]}
    )


def random_regression_of_two_traits(rng, rows, frame):
    """Coefficients of two traits in one block."""
    traits = {t: {"fixed": ONE, "random": [("genetic", "id", "legendre(x, 1, 0, 12)", None)]} for t in "yt"}
    labels = ["y:id:0", "t:id:0", "y:id:1", "t:id:1"]
    return pair(rows, frame, traits, {"genetic": (labels, positive(rng, 4))}, {"all": positive(rng, 2)})


def slope(rng, rows, frame):
    """Random intercepts and slopes of herds."""
    traits = {"y": {"fixed": TWO, "random": [ANIMAL, ("random", "herd", None, "x")]}}
    covariances = {"genetic": (["y:id"], [[1.0]]), "random(herd)": (["y:herd:0", "y:herd:1"], [[1.0, 0.1], [0.1, 0.2]])}
    return pair(rows, frame, traits, covariances, {"all": [[2.0]]})


def splines(rng, rows, frame):
    """Splines for the animal, its permanent environment and the herd; a fixed spline in classes."""
    random = [
        ("genetic", "id", "spline(x, 3, 0, 12)", None),
        ("permanent", "id", "bspline(x, 4, degree(2))", None),
        ("random", "herd", "spline(x, quantiles(4))", None),
    ]
    covariances = {
        "genetic": ([f"y:id:{k}" for k in range(3)], positive(rng, 3)),
        "permanent(id)": ([f"y:id:{k}" for k in range(4)], positive(rng, 4)),
        "random(herd)": ([f"y:herd:{k}" for k in range(4)], positive(rng, 4)),
    }
    fixed = [*ONE, (["sex"], ["spline(x, knots(0, 3, 6, 12))"])]
    return pair(rows, frame, {"y": {"fixed": fixed, "random": random}}, covariances, {"all": [[2.0]]})


def quadratic_slope(rng, rows, frame):
    """A polynomial of each herd: intercept, slope and square; a fixed one of a product in combined classes."""
    fixed = [([], []), (["herd", "sex"], ["x", "center(w)"])]
    random = [ANIMAL, ("random", "herd", None, "poly(x, 2)")]
    covariances = {
        "genetic": (["y:id"], [[1.0]]),
        "random(herd)": ([f"y:herd:{k}" for k in range(3)], np.diag([1.0, 0.1, 0.01]).tolist()),
    }
    return pair(rows, frame, {"y": {"fixed": fixed, "random": random}}, covariances, {"all": [[2.0]]})


MODELS = [
    two_traits,
    three_traits,
    maternal,
    maternal_for_one_of_two,
    random_regression,
    random_regression_of_two_traits,
    slope,
    splines,
    quadratic_slope,
]


@pytest.fixture(params=MODELS, ids=lambda make: make.__name__, scope="module")
def both(request):
    rng = np.random.default_rng(MODELS.index(request.param))
    rows = random_rows(rng, 20)
    return request.param(rng, rows, random_frame(rng, rows, 60, ["y", "t", "v"], 0.1))


def test_equations(both):
    place, c, b = both.to_dense(), *both.dense.equations()
    c, b, equations = c[np.ix_(place, place)], b[place], both.model.equations
    scale = np.abs(c).max()
    np.testing.assert_allclose(equations.to_csr().toarray(), c, atol=1e-12 * scale)
    np.testing.assert_allclose(equations.multiply(np.eye(len(b))), c, atol=1e-12 * scale)
    np.testing.assert_allclose(equations.right_hand_side, b, atol=1e-12 * np.abs(b).max())
    for block in equations.layout.blocks:
        part = c[block.equations, block.equations].reshape(block.n_levels, block.n_columns, block.n_levels, block.n_columns)
        whole, found = np.einsum("iaib->iab", part), equations.diagonal_blocks(block)
        if block.relationship == "pedigree":  # products of two terms that meet in one level may be left out
            np.testing.assert_allclose(np.einsum("iaa->ia", found), np.einsum("iaa->ia", whole), atol=1e-12 * scale)
        else:
            np.testing.assert_allclose(found, whole, atol=1e-12 * scale)


def test_solutions(both):
    model, n_fixed, place = both.model, both.dense.n_fixed, both.to_dense()
    _, u, pev = both.dense.solve_least_squares()
    wanted = place[n_fixed:] - n_fixed
    for result in (model.solve_pcg("block"), model.solve_pcg("diagonal"), model.solve_direct("supernodal")):
        assert result.status.is_good, result.sentence()
        np.testing.assert_allclose(result.solution[n_fixed:], u[wanted], atol=1e-8)
    np.testing.assert_allclose(model.pev("supernodal")[n_fixed:], pev[wanted], rtol=1e-9)
    assert model.null_space.dimension == n_fixed - np.linalg.matrix_rank(both.dense.x)


def test_uncorrelated_traits_are_two_models():
    rng = np.random.default_rng(8)
    rows = random_rows(rng, 25)
    frame = random_frame(rng, rows, 70, ["y", "t"], 0.0)
    models = {"y": {"fixed": ONE, "random": [ANIMAL]}, "t": {"fixed": TWO, "random": [ANIMAL]}}
    genetic, residual = {"y": 1.2, "t": 0.4}, {"y": 2.0, "t": 0.9}
    labels = ["y:id", "t:id"]
    joint = pair(
        rows, frame, models, {"genetic": (labels, np.diag([1.2, 0.4]).tolist())}, {"all": np.diag([2.0, 0.9]).tolist()}
    )
    together = joint.model.design.layout.genetic.view(joint.model.solve_direct("supernodal").solution)
    for j, t in enumerate("yt"):
        single = pair(rows, frame, {t: models[t]}, {"genetic": ([f"{t}:id"], [[genetic[t]]])}, {"all": [[residual[t]]]})
        alone = single.model.design.layout.genetic.view(single.model.solve_direct("supernodal").solution)
        np.testing.assert_allclose(together[:, j], alone[:, 0], atol=1e-10)
