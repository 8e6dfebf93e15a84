"""Small matrices times a few numbers: the same as numpy, of any shape and precision, and the same bits from either side."""

from __future__ import annotations

import numpy as np
import pytest

from breedeval.kernels.compile import compiled
from breedeval.kernels.small_matrices import prefetch_matrix, subtract_product, subtract_transposed

SHAPES = [(1, 1), (2, 2), (3, 3), (4, 4), (6, 6), (7, 7), (12, 12), (1, 3), (3, 1), (5, 2), (2, 9), (6, 3)]


@compiled
def by_rows(own, partner, value, v, x, j, out, o):
    prefetch_matrix(own, partner, value, v + 10**9)
    subtract_product(own, partner, value, v, x, j, out, o)


@compiled
def by_columns(own, partner, value, v, y, e, out, o):
    subtract_transposed(own, partner, value, v, y, e, out, o)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("w", "k"), SHAPES)
def test_equals_numpy_and_leaves_the_rest_alone(w, k, dtype):
    rng = np.random.default_rng(10 * w + k)
    value, x = rng.normal(size=3 * w * k).astype(dtype), rng.normal(size=w + 4)
    matrix = value[2 * w * k :].reshape(w, k).astype(np.float64)  # the last one: nothing may be read behind it
    out = rng.normal(size=k + 5)
    wanted = out.copy()
    wanted[2 : 2 + k] -= matrix.T @ x[3 : 3 + w]
    by_rows((0,) * k, (0,) * w, value, 2 * w * k, x, 3, out, 2)
    np.testing.assert_allclose(out, wanted, rtol=1e-13, atol=1e-13)
    assert np.array_equal(out[:2], wanted[:2])
    assert np.array_equal(out[2 + k :], wanted[2 + k :])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("w", "k"), SHAPES)
def test_transposed_gives_the_bits_of_the_transpose(w, k, dtype):
    rng = np.random.default_rng(10 * w + k)
    value, y, out = rng.normal(size=(2, w, k)).astype(dtype), rng.normal(size=k + 4), rng.normal(size=w + 5)
    wanted = out.copy()
    by_rows((0,) * w, (0,) * k, np.ascontiguousarray(value[1].T).ravel(), 0, y, 3, wanted, 2)
    by_columns((0,) * k, (0,) * w, value.ravel(), w * k, y, 3, out, 2)
    assert np.array_equal(out, wanted)
    assert not np.array_equal(out[2 : 2 + w], np.zeros(w))
