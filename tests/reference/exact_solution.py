"""Linear equations with fifty decimal digits; nothing of breedeval."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np

DIGITS = 50


def decimals(a: np.ndarray) -> np.ndarray:
    """Floating-point numbers as decimal ones, without any rounding."""
    return np.vectorize(Decimal, otypes=[object])(np.asarray(a, dtype=np.float64))


def multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """A B with fifty digits."""
    with localcontext(prec=DIGITS):
        return a @ b


def solve(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """X of A X = B by elimination with pivots of largest size, for A (n, n) and B (n, m)."""
    with localcontext(prec=DIGITS):
        n = len(a)
        whole = np.hstack([a, b])
        for i in range(n):
            pivot = max(range(i, n), key=lambda k: abs(whole[k, i]))
            whole[[i, pivot]] = whole[[pivot, i]]
            whole[i + 1 :] -= np.multiply.outer(whole[i + 1 :, i] / whole[i, i], whole[i])
        for i in reversed(range(n)):
            whole[i, n:] = (whole[i, n:] - whole[i, i + 1 : n] @ whole[i + 1 : n, n:]) / whole[i, i]
        return whole[:, n:]


def inverse(a: np.ndarray) -> np.ndarray:
    """A⁻¹."""
    return solve(a, decimals(np.eye(len(a))))
