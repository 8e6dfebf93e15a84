"""Dependent columns, and those that are only nearly dependent."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from breedeval.solvers import null_space
from breedeval.solvers.null_space import find_null_space
from breedeval.solvers.restricted import RestrictedMatrix

NONE = np.empty(0, dtype=np.int64)


def classes(*codes):
    """Indicator columns of several classifications."""
    return np.hstack([(np.asarray(c)[:, None] == np.unique(c)).astype(float) for c in codes])


def check(x, dimension, preferred=NONE):
    found = find_null_space(csr_array(x), preferred)
    assert found.dimension == dimension
    assert found.basis.shape == (x.shape[1], dimension)
    np.testing.assert_allclose(x @ found.basis, 0, atol=1e-6 * max(1.0, np.abs(x).max()))
    kept = np.setdiff1d(np.arange(x.shape[1]), found.constrained)
    scaled = x[:, kept] / np.linalg.norm(x[:, kept], axis=0)
    assert np.linalg.matrix_rank(scaled, tol=1e-8) == len(kept)
    coefficients = np.random.default_rng(1).normal(size=x.shape[1])
    moved = found.to_constraints(coefficients)
    assert (moved[found.constrained] == 0).all()
    np.testing.assert_allclose(x @ moved, x @ coefficients, atol=1e-7 * max(1.0, np.abs(x).max()))
    return found


def test_full_rank():
    assert check(np.random.default_rng(1).normal(size=(30, 5)), 0).constrained.size == 0


def test_no_columns():
    assert find_null_space(csr_array((5, 0)), NONE).dimension == 0


def test_two_classifications_and_a_mean():
    rng = np.random.default_rng(2)
    x = np.hstack([np.ones((60, 1)), classes(rng.integers(0, 4, 60), rng.integers(0, 3, 60))])
    assert check(x, 2, np.array([5, 1])).constrained.tolist() == [1, 5]


def test_preferred_columns_are_taken_in_their_order():
    x = np.hstack([np.ones((6, 1)), classes([1, 1, 2, 2, 3, 3])])
    assert check(x, 1, np.array([3, 1])).constrained.tolist() == [3]


def test_disconnected_design():
    """Two parts of a cross-classification that share no level: two dependencies."""
    x = classes([1, 1, 2, 2, 3, 3, 4, 4], [1, 2, 1, 2, 3, 4, 3, 4])
    check(x, 2)


def test_empty_column():
    x = np.random.default_rng(3).normal(size=(20, 3))
    x[:, 1] = 0
    assert check(x, 1).constrained.tolist() == [1]


def test_copies_of_a_column():
    x = np.random.default_rng(4).normal(size=(20, 3))
    check(np.hstack([x, x[:, :2], 3 * x[:, :1]]), 3)


@pytest.mark.parametrize("mean", [2000.0, 1e5])
def test_year_and_its_square_are_not_dependent(mean):
    year = mean + np.arange(10.0).repeat(3)
    found = check(np.column_stack([np.ones(30), year, year**2])[:, : 3 if mean < 1e4 else 2], 0)
    assert found.nearly.shape[1] >= 1


def test_copy_of_a_nearly_dependent_column():
    """Both are nearly a multiple of the mean; only their difference is nothing."""
    day = 1e6 + np.random.default_rng(5).normal(size=50)
    check(np.column_stack([np.ones(50), day, day]), 1)


def test_covariate_of_large_values_that_is_constant():
    x = np.column_stack([np.ones(20), np.full(20, 1e9), np.random.default_rng(6).normal(size=20)])
    assert check(x, 1, np.array([1])).constrained.tolist() == [1]


def test_regressions_within_classes_and_overall():
    rng = np.random.default_rng(7)
    group, day = classes(rng.integers(0, 3, 50)), rng.normal(size=(50, 1))
    check(np.hstack([np.ones((50, 1)), group, day, group * day]), 2)


def test_a_sound_candidate_does_not_hide_a_dependency(monkeypatch):
    """A column that depends on nothing is looked at together with two that do."""
    rng = np.random.default_rng(13)
    x = rng.normal(size=(50, 6))
    x[:, 4], x[:, 5] = x[:, 0] - 2 * x[:, 1], x[:, 1] + 0.3 * x[:, 2]
    monkeypatch.setattr(null_space, "_small_pivots", lambda scaled: (np.array([5, 3, 4]), NONE))
    monkeypatch.setattr(null_space, "CHUNK", 7)
    check(x, 2)


def test_a_preferred_column_that_nearly_follows_from_others_is_passed_over():
    """Coefficients 0 and 1 at zero leave hardly anything of the third dependency for coefficient 2."""
    rng = np.random.default_rng(11)
    null, _ = np.linalg.qr(np.vstack([[1, 0, 0], [0, 1, 0], [1, 1, 1e-4], rng.normal(size=(4, 3))]))
    x = rng.normal(size=(40, 7)) @ (np.eye(7) - null @ null.T)
    found = check(x, 3, np.array([0, 1, 2, 4]))
    assert found.constrained.tolist() == [0, 1, 4]
    kept = x[:, np.setdiff1d(np.arange(7), found.constrained)]
    assert np.linalg.cond(kept / np.linalg.norm(kept, axis=0)) < 100


def test_rounding_errors_of_sums_do_not_stop_the_search(monkeypatch):
    """A cross-product whose smallest eigenvalue rounding made negative by more than the first shift."""
    x = csr_array(np.kron(np.eye(3), np.ones((4, 1))))
    x = csr_array(np.hstack([np.ones((12, 1)), x.toarray()]))

    whole = RestrictedMatrix.factorize
    monkeypatch.setattr(
        RestrictedMatrix, "factorize", lambda self, kept, shift=0.0: whole(self, kept, shift - 5e-12 * kept.all())
    )
    found = find_null_space(x, np.array([1]))
    assert (found.dimension, found.constrained.tolist()) == (1, [1])


def test_columns_that_follow_from_others_row_by_row_are_in_the_null_vectors():
    """A column of one row each is left when the rows before are gone: only the first two are left, which are equal."""
    x = np.zeros((7, 8))
    x[0, :2], x[1, :2] = 1.0, 2.0
    for i in range(2, 7):
        x[i, :i], x[i, i + 1] = 1.0, 0.5 * i
    x[2, 2] = 3.0
    found = check(x, 2)
    assert found.constrained[0] == 0


def test_an_element_that_is_small_beside_its_column_takes_nothing_away():
    """Rounding errors of a column that is nothing but the sum of two others."""
    x = np.hstack([classes([0, 0, 1, 1]), np.ones((4, 1))])
    x = np.vstack([x, [0.0, 0.0, 1e-15]])
    check(x, 1)
