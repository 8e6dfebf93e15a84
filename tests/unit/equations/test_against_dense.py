"""Random small models against matrices written out, and against generalized least squares."""

from __future__ import annotations

import numpy as np
import pytest

from tests.random_models import one_trait_model

SEEDS = range(40)


@pytest.fixture(params=SEEDS, scope="module")
def both(request):
    return one_trait_model(request.param)


def test_equations(both):
    place, c, b = both.to_dense(), *both.dense.equations()
    c, b = c[np.ix_(place, place)], b[place]
    assert len(place) == len(both.dense.keys), both.text
    model, scale = both.model, np.abs(c).max()
    equations = model.equations
    np.testing.assert_allclose(equations.to_csr().toarray(), c, atol=1e-12 * scale, err_msg=both.text)
    np.testing.assert_allclose(equations.multiply(np.eye(len(b))), c, atol=1e-12 * scale)
    np.testing.assert_allclose(equations.right_hand_side, b, atol=1e-12 * np.abs(b).max())
    np.testing.assert_allclose(equations.diagonal(), np.diag(c), rtol=1e-12, atol=1e-12 * scale)
    for block in equations.layout.blocks:
        part = c[block.equations, block.equations].reshape(block.n_levels, block.n_columns, block.n_levels, block.n_columns)
        expected = np.einsum("iaib->iab", part)
        np.testing.assert_allclose(equations.diagonal_blocks(block), expected, atol=1e-12 * scale)


def test_records_used(both):
    account = both.model.design.account
    assert account.n_used == both.dense.n_used
    assert account.n_read == account.n_used + sum(account.dropped.values()) == len(both.frame)


def test_solutions(both):
    model, dense = both.model, both.dense
    place, n_fixed = both.to_dense(), dense.n_fixed
    fit, u, _ = dense.solve_least_squares()
    by_equations, _ = dense.solve_equations()
    np.testing.assert_allclose(by_equations, u, atol=1e-8, err_msg="the two dense ways")
    expected_u = u[place[n_fixed:] - n_fixed]
    results = [
        model.solve_pcg("block"),
        model.solve_pcg("diagonal"),
        model.solve_direct("supernodal"),
        model.solve_direct("cholmod"),
    ]
    fixed = []
    for result in results:
        assert result.status.is_good, result.sentence()
        np.testing.assert_allclose(result.solution[n_fixed:], expected_u, atol=1e-8, err_msg=result.method)
        fixed.append(model.constrained(result.solution)[:n_fixed])
        np.testing.assert_allclose(dense.x[:, place[:n_fixed]] @ fixed[-1], fit, atol=1e-6, err_msg=result.method)
        np.testing.assert_allclose(fixed[-1], fixed[0], rtol=1e-6, atol=1e-5, err_msg=f"{both.text} {result.method}")
        assert (fixed[-1][model.null_space.constrained] == 0).all()


def test_rank(both):
    rank = np.linalg.matrix_rank(both.dense.x) if both.dense.n_fixed else 0
    assert both.model.null_space.dimension == both.dense.n_fixed - rank, both.text


def test_prediction_error_variance(both):
    place, n_fixed = both.to_dense(), both.dense.n_fixed
    _, _, pev = both.dense.solve_least_squares()
    for engine in ("supernodal", "cholmod"):
        np.testing.assert_allclose(both.model.pev(engine)[n_fixed:], pev[place[n_fixed:] - n_fixed], rtol=1e-9, err_msg=engine)
