"""Rows of a few numbers as one vector: the same as numpy on slices, of any length."""

from __future__ import annotations

import numpy as np
import pytest

from breedeval.kernels.compile import compiled
from breedeval.kernels.row_arithmetic import add_products, add_row, fill_row, local_row, prefetch_row, scale_row


@compiled
def by_rows(like, weight, x, p, y, q, out, o):
    row = local_row(like)
    fill_row(like, 2.0, row, 0)
    add_row(like, weight, x, p, row, 0)
    add_products(like, x, p, y, q, row, 0)
    scale_row(like, -3.0, row, 0, out, o)


@pytest.mark.parametrize("n", [1, 3, 4, 16])
def test_equals_numpy_and_leaves_the_rest_alone(n):
    rng = np.random.default_rng(n)
    x, y, out = rng.normal(size=(5, n)), rng.normal(size=3 * n), rng.normal(size=(4, n))
    wanted = out.copy()
    row = 2.0 + 0.7 * x[3]
    wanted[2] = -3.0 * (row + x[3] * y[n : 2 * n])
    by_rows((0,) * n, 0.7, x, 3 * n, y, n, out, 2 * n)
    assert np.array_equal(out, wanted)


@compiled
def ask_for(like, x, p):
    prefetch_row(like, x, p)


def test_asking_for_rows_changes_nothing_and_may_ask_for_any():
    x = np.arange(20.0)
    for place in (0, 4, 19, 10**9):
        ask_for((0,) * 16, x, place)
    assert np.array_equal(x, np.arange(20.0))
