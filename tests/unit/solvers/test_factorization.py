"""Both engines against dense algebra."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csc_array

from breedeval.errors import NotPositiveDefiniteError
from breedeval.solvers.direct import solve_direct
from breedeval.solvers.factorization import analyze, factorize
from breedeval.solvers.result import Status
from breedeval.solvers.stopping import StoppingRule
from tests.unit.solvers.test_pcg import Matrix

ENGINES = ["supernodal", "cholmod"]


@pytest.fixture(params=ENGINES)
def engine(request):
    if request.param == "cholmod":
        pytest.importorskip("cvxopt")
    return request.param


def sparse_positive(n, density, seed):
    rng = np.random.default_rng(seed)
    a = np.where(rng.random((n, n)) < density, rng.normal(size=(n, n)), 0.0)
    return a @ a.T + np.diag(rng.uniform(0.5, 2, n))


@pytest.mark.parametrize("seed", range(12))
def test_solution_determinant_inverse(engine, seed):
    n = [1, 2, 7, 30, 80, 150][seed % 6]
    a = sparse_positive(n, [0.02, 0.1][seed % 2], seed)
    order = np.random.default_rng(seed).permutation(n)
    factor = factorize(csc_array(a), order, engine)
    b = np.arange(1.0, n + 1)
    np.testing.assert_allclose(factor.solve(b), np.linalg.solve(a, b), rtol=1e-8, atol=1e-10)
    assert factor.log_determinant() == pytest.approx(np.linalg.slogdet(a)[1], rel=1e-10, abs=1e-10)
    np.testing.assert_allclose(factor.inverse_diagonal(), np.diag(np.linalg.inv(a)), rtol=1e-8)


@pytest.mark.parametrize("n", [1, 2, 40, 120])
def test_one_analysis_many_values_and_the_inverse_on_the_pattern(engine, n):
    a = csc_array(sparse_positive(n, 0.05, n))
    analysis = analyze(a, np.random.default_rng(n).permutation(n), engine)
    column = np.repeat(np.arange(n), np.diff(a.indptr))
    for scale in (1.0, 3.0):
        values = a.data * np.where(a.indices == column, scale, 1.0)
        again = csc_array((values, a.indices, a.indptr), shape=a.shape).toarray()
        factor = analysis.factorize(values)
        np.testing.assert_allclose(factor.solve(np.ones(n)), np.linalg.solve(again, np.ones(n)), rtol=1e-8)
        expected = np.linalg.inv(again)[a.indices, column]
        np.testing.assert_allclose(factor.selected_inverse(), expected, rtol=1e-9, atol=1e-11)


def test_lower_factor_gives_the_matrix_back(engine):
    a = sparse_positive(40, 0.08, 5)
    factor = factorize(csc_array(a), np.arange(40)[::-1], engine).lower_factor()
    lower = csc_array((factor.lower, factor.row, factor.pointer), shape=a.shape).toarray() + np.eye(40)
    p = factor.permutation
    np.testing.assert_allclose((lower * factor.pivot) @ lower.T, a[np.ix_(p, p)], atol=1e-10)


def test_inverse_survives_exact_cancellation(engine):
    """L has a zero where its pattern has an element: it must stay in the pattern."""
    a = np.array([[2.0, 1, 1, 0], [1, 2, 0.5, 1], [1, 0.5, 2, 1], [0, 1, 1, 4]])
    assert a[2, 1] - a[2, 0] * a[1, 0] / a[0, 0] == 0
    factor = factorize(csc_array(a), np.arange(4), engine)
    np.testing.assert_allclose(factor.inverse_diagonal(), np.diag(np.linalg.inv(a)), rtol=1e-12)


def test_not_positive_definite_is_refused_with_its_row(engine):
    a = np.diag([1.0, 2.0, -3.0, 4.0])
    with pytest.raises(NotPositiveDefiniteError) as error:
        factorize(csc_array(a), np.array([3, 2, 1, 0]), engine)
    assert error.value.facts["row"] == 2


def test_direct_solution_and_its_verdict(engine):
    a = sparse_positive(50, 0.1, 9)
    b = np.random.default_rng(1).normal(size=50)
    kept = np.arange(3, 50)
    factor = factorize(csc_array(a[np.ix_(kept, kept)]), np.arange(47), engine)
    b[:3] = a[:3] @ np.concatenate([np.zeros(3), np.linalg.solve(a[np.ix_(kept, kept)], b[kept])])
    for name in ("ebv_error", "residual", "residual_squared", "solution_change"):
        result = solve_direct(Matrix(a), b, factor, kept, StoppingRule(name, 1e-9), 1.0)
        # a direct solution has no last round, so a change of it says nothing
        expected = Status.ROUNDING_ERROR if name == "solution_change" else Status.CONVERGED
        assert result.status is expected
        np.testing.assert_allclose(a @ result.solution, b, atol=1e-11)
    beyond = solve_direct(Matrix(a), b, factor, kept, StoppingRule("residual", 1e-30), 1.0)
    assert (beyond.status, beyond.status.is_good) == (Status.ROUNDING_ERROR, True)
    assert "does not apply" in beyond.sentence()
    wrong = b + 1.0  # not in the range of what is kept
    assert solve_direct(Matrix(a), wrong, factor, kept, StoppingRule("residual", 1e-9), 1.0).status is Status.STAGNATED
    assert solve_direct(Matrix(a), b * np.nan, factor, kept, StoppingRule("residual", 1e-9), 1.0).status is Status.NOT_FINITE
