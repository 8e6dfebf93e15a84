"""Splines the slow way, a value at a time; nothing of breedeval."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np


def natural_spline(x: float, knots: Sequence[float]) -> list[float]:
    """Value at x of the natural cubic splines that are one at one knot and zero at the others.

    From values g and second derivatives γ at the knots, with Q'g = Rγ: Green & Silverman (1994), sections 2.1 to 2.3.
    """
    t, k = list(knots), len(knots)
    h = [b - a for a, b in pairwise(t)]
    q, r = np.zeros((k, k - 2)), np.zeros((k - 2, k - 2))
    for j in range(k - 2):
        q[j, j], q[j + 1, j], q[j + 2, j] = 1 / h[j], -1 / h[j] - 1 / h[j + 1], 1 / h[j + 1]
        r[j, j] = (h[j] + h[j + 1]) / 3
        if j + 1 < k - 2:
            r[j, j + 1] = r[j + 1, j] = h[j + 1] / 6
    gamma = np.zeros((k, k))
    if k > 2:
        gamma[1:-1] = np.linalg.solve(r, q.T)
    i = min(max(sum(x >= knot for knot in t) - 1, 0), k - 2)
    g, left, right = np.eye(k), x - t[i], t[i + 1] - x
    value = (left * g[i + 1] + right * g[i]) / h[i]
    value -= left * right / 6 * ((1 + left / h[i]) * gamma[i + 1] + (1 + right / h[i]) * gamma[i])
    return value.tolist()


def b_splines(x: float, knots: Sequence[float], degree: int) -> list[float]:
    """Value at x of the B-splines on knots with repeated ends, by the recursion of Cox and de Boor."""
    t = [knots[0]] * degree + list(knots) + [knots[-1]] * degree

    def value(i: int, d: int) -> float:
        if d == 0:
            last = x == t[-1] and t[i] < t[i + 1] == t[-1]
            return float(t[i] <= x < t[i + 1] or last)
        left = 0.0 if t[i + d] == t[i] else (x - t[i]) / (t[i + d] - t[i]) * value(i, d - 1)
        right = 0.0 if t[i + d + 1] == t[i + 1] else (t[i + d + 1] - x) / (t[i + d + 1] - t[i + 1]) * value(i + 1, d - 1)
        return left + right

    return [value(i, degree) for i in range(len(t) - degree - 1)]


def spline_values(text: str, values: Sequence[float]) -> list[list[float]]:
    """Columns of ``spline(x, 5)``, ``bspline(x, 6, 0, 12, degree(2))``, ``spline(x, knots(0, 4, 12))`` and the like."""
    natural = text.startswith("spline")
    degree = 3
    if found := re.search(r", degree\((\d+)\)", text):
        degree, text = int(found[1]), text.replace(found[0], "")
    low, high = min(values), max(values)
    if found := re.search(r"knots\(([^)]*)\)", text):
        knots = [float(part) for part in found[1].split(",")]
    else:
        quantiles = "quantiles" in text
        numbers = [float(part) for part in re.sub(r"quantiles|[()]", "", text.partition(",")[2]).split(",")]
        if len(numbers) == 3:
            low, high = numbers[1:]
        n = int(numbers[0]) if natural else int(numbers[0]) - degree + 1
        knots = [low + (high - low) * j / (n - 1) for j in range(n)]
        if quantiles:
            knots[1:-1] = [float(np.quantile(values, j / (n - 1))) for j in range(1, n - 1)]
        knots[-1] = high
    return [natural_spline(v, knots) if natural else b_splines(v, knots, degree) for v in values]
