"""Models with several columns a block: several traits, maternal effects, random regressions, slopes."""

from __future__ import annotations

import numpy as np

from tests.random_models import RandomModel, pair, random_frame, random_rows

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


def social(rng, rows, frame):
    """Effects of pen mates, diluted in one trait; weights of one trait. Not among `MODELS`: no triangle is gathered of it."""
    traits = {
        "y": {"fixed": ONE, "random": [ANIMAL, ("social", "id", "pen", 0.0)]},
        "t": {"fixed": TWO, "random": [ANIMAL, ("social", "id", "pen", 0.5)]},
    }
    labels = ["y:id", "t:id", "y:social", "t:social"]
    return pair(rows, frame, traits, {"genetic": (labels, positive(rng, 4))}, {"all": positive(rng, 2)}, {"t": "weight"})


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


def several_trait_model(make) -> RandomModel:
    """One of `MODELS`, or `social`, on random animals and records."""
    rng = np.random.default_rng([*MODELS, social].index(make))
    rows = random_rows(rng, 20)
    return make(rng, rows, random_frame(rng, rows, 60, ["y", "t", "v"], 0.1))
