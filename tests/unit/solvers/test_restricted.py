"""One analysis for factors on any rows and columns."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csc_array

from breedeval.errors import NotPositiveDefiniteError
from breedeval.solvers.restricted import RestrictedMatrix


def test_factors_are_those_of_the_rows_and_columns_that_are_kept():
    rng = np.random.default_rng(1)
    root = rng.normal(size=(12, 12)) * (rng.random((12, 12)) < 0.3)
    matrix = root @ root.T + np.diag(rng.random(12))
    restricted = RestrictedMatrix.of(csc_array(matrix))
    for _ in range(5):
        kept = rng.random(12) < 0.6
        part = matrix[np.ix_(kept, kept)] + 0.5 * np.eye(kept.sum())
        factor, b = restricted.factorize(kept, 0.5), rng.normal(size=12) * kept
        np.testing.assert_allclose(factor.solve(b)[kept], np.linalg.solve(part, b[kept]), rtol=1e-10)
        assert not factor.solve(b)[~kept].any()
        assert np.log(factor.pivots()).sum() == pytest.approx(np.linalg.slogdet(part)[1])
        np.testing.assert_array_equal(factor.pivots()[~kept], 1.0)


def test_a_diagonal_without_elements_is_there():
    restricted = RestrictedMatrix.of(csc_array(np.diag([2.0, 0.0])))
    assert restricted.factorize(np.ones(2, dtype=bool), 1e-3).pivots() == pytest.approx([2.001, 1e-3])
    with pytest.raises(NotPositiveDefiniteError):
        restricted.factorize(np.ones(2, dtype=bool))
