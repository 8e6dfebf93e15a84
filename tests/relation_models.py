"""Helpers of tests with related levels: BLUP by least squares on matrices written out, and a matrix on file."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from tests.reference.mixed_model import DenseModel

LINES = [f"L{k}" for k in range(9)]
#: Ways to solve, as they stand in a configuration.
SOLVERS = {
    "direct": {"method": "direct"},
    "pcg": {"method": "pcg", "preconditioner": "block"},
    "incomplete_cholesky": {"method": "pcg", "preconditioner": "incomplete_cholesky"},
}
TERM = 'random(line, relationship = "K")'


def one_of(values, levels=None):
    """Matrix of ones: a row a record, a column a level."""
    levels = sorted(set(values)) if levels is None else levels
    return np.array([[float(value == level) for level in levels] for value in values])


def blup(frame, x, parts, residual=2.0, trait="y"):
    """BLUP and PEV of each part (Z, G) of a one-trait model."""
    z = np.hstack([part for part, _ in parts])
    g = np.zeros((z.shape[1], z.shape[1]))
    ends = np.cumsum([0, *(part.shape[1] for part, _ in parts)])
    for (start, stop), (_, covariance) in zip(pairwise(ends), parts, strict=True):
        g[start:stop, start:stop] = covariance
    o = len(frame)
    _, u, pev = DenseModel(x, z, g, residual * np.eye(o), frame[trait].to_numpy(), [], o).solve_least_squares()
    return [(u[start:stop], pev[start:stop]) for start, stop in pairwise(ends)]


def by_level(run, name, column=0):
    frame = run.effect(name).set_index("level")
    return frame.iloc[:, column]


def reliability(run, name):
    return run.effect_reliability[name]


def write_square(folder, k):
    pd.DataFrame(k, index=LINES, columns=LINES).to_csv(folder / "k.csv")
    return {"file": "k.csv"}
