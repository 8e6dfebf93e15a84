"""Both ends of profile intervals where another variance goes to zero on the way, against dense restricted likelihoods."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import chi2

import breedeval as be

LEVEL = float(chi2.ppf(0.95, 1))


def simulated(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two crossed factors of 9 and 7 levels, the second with little variance; 80 records."""
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 9, 80), rng.integers(0, 7, 80)
    return a, b, 5 + rng.normal(0, 1, 9)[a] + rng.normal(0, 0.35, 7)[b] + rng.normal(0, 1, 80)


def dense(a: np.ndarray, b: np.ndarray, y: np.ndarray, theta: np.ndarray) -> float:
    """−2 log restricted likelihood of two variances and the residual, with a mean."""
    v = theta[0] * np.equal.outer(a, a) + theta[1] * np.equal.outer(b, b) + theta[2] * np.eye(len(y))
    inverse = np.linalg.inv(v)
    of_mean = inverse.sum()
    r = y - (inverse.sum(axis=0) @ y) / of_mean
    constant = (len(y) - 1) * np.log(2 * np.pi)
    return float(np.linalg.slogdet(v)[1] + np.log(of_mean) + r @ inverse @ r + constant)


def profile(data: tuple[np.ndarray, ...], kind: str, value: float) -> float:
    """Lowest −2 log-likelihood where the first or second variance, or its share, has a value."""

    def theta(free: np.ndarray) -> np.ndarray:
        if kind == "variance a":
            return np.array([value, free[0], free[1]])
        if kind == "variance b":
            return np.array([free[0], value, free[1]])
        if kind == "share a":  # of the sum of all; the second number is that of the rest which b has
            return free[1] * np.array([value, (1 - value) * free[0], (1 - value) * (1 - free[0])])
        return free[1] * np.array([(1 - value) * free[0], value, (1 - value) * (1 - free[0])])

    share = kind.startswith("share")
    bounds = [(0.0, 0.95 if share else 20.0), (0.1, 20.0)]
    found = [
        minimize(
            lambda x: dense(*data, theta(x)), start, bounds=bounds, method="L-BFGS-B", options={"ftol": 1e-13, "gtol": 1e-8}
        )
        for start in ([0.01, 1.0], [0.3, 2.0])
    ]
    return min(float(one.fun) for one in found)


@pytest.mark.parametrize("seed", range(6))
def test_ends(seed: int, tmp_path) -> None:
    """At an end the likelihood has fallen by ½ χ², or the end is zero and it has fallen by less; every end is found."""
    a, b, y = simulated(seed)
    rows = [f"a{i},b{j},{value!r}" for i, j, value in zip(a, b, y.tolist(), strict=True)]
    (tmp_path / "data.csv").write_text("\n".join(["a,b,y", *rows]) + "\n")
    config = {
        "records": {"file": str(tmp_path / "data.csv")},
        "model": {"y": "1 + random(a) + random(b)"},
        "estimate": {"intervals": "profile"},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    found = be.estimate(tmp_path / "config.json", threads=1)
    lowest = -2.0 * found.fit.log_likelihood
    estimates = [("variance", "a y:a", "variance a"), ("variance", "b y:b", "variance b")]
    estimates += [("ratio", "a y:a", "share a"), ("ratio", "b y:b", "share b")]
    for kind, name, what in estimates:
        one = found.estimate(kind, name)
        assert 0.0 <= one.lower <= one.estimate + 1e-6 < one.upper, (what, one)
        for end in (one.lower, one.upper):
            fall = profile((a, b, y), what, end) - lowest
            if end == 0.0:
                assert fall < LEVEL + 1e-3, (what, one)
            else:
                assert fall == pytest.approx(LEVEL, abs=3e-3), (what, one)
