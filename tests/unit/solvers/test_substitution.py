"""Nearly dependent fixed covariates: solutions and variances keep their digits."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csc_array

from breedeval.solvers.factorization import factorize
from breedeval.solvers.substitution import substitute
from tests.random_models import pair, random_frame, random_rows
from tests.reference import exact_solution

MODELS = {
    "square far from zero": (1000.0, [([], ["poly(x, 2)"])]),
    "cube far from zero": (100.0, [([], ["poly(x, 3)"])]),
    "square within herds, sexes beside": (1000.0, [(["sex"], []), (["herd"], ["poly(x, 2)"])]),
    "square within sexes, herds beside": (1000.0, [(["sex"], ["poly(x, 2)"]), (["herd"], [])]),
    "square within sexes, line of all": (300.0, [([], ["x"]), (["sex"], ["poly(x, 2)"])]),
}


def random_model(shift, fixed, seed=3):
    rng = np.random.default_rng(seed)
    rows = random_rows(rng, 18)
    frame = random_frame(rng, rows, 50, ["y"], 0.0)
    frame["x"] += shift
    terms = {"y": {"fixed": [([], []), *fixed], "random": [("genetic", "id", None, None)]}}
    return pair(rows, frame, terms, {"genetic": (["y:id"], [[1.3]])}, {"all": [[1.7]]})


def with_fifty_digits(both):
    """Solution and diagonal of C⁻¹ of the kept equations, in the order of the model, from the dense twin's matrices."""
    dense, place = both.dense, both.to_dense()
    w = exact_solution.decimals(np.hstack([dense.x, dense.z])[:, place[both.model.kept]])
    r_inverse = exact_solution.inverse(exact_solution.decimals(dense.r))
    left = exact_solution.multiply(w.T, r_inverse)
    c = exact_solution.multiply(left, w)
    random = place[both.model.kept] - dense.n_fixed
    is_random = np.flatnonzero(random >= 0)
    penalty = exact_solution.inverse(exact_solution.decimals(dense.g))[np.ix_(random[is_random], random[is_random])]
    c[np.ix_(is_random, is_random)] += penalty
    b = exact_solution.multiply(left, exact_solution.decimals(dense.y))
    found = exact_solution.inverse(c)
    return exact_solution.multiply(found, b).astype(float), np.diag(found).astype(float)


@pytest.mark.parametrize("name", MODELS)
def test_solutions_and_variances_keep_their_digits(name):
    both = random_model(*MODELS[name])
    model = both.model
    assert model.null_space.nearly.shape[1], "the model is not what the test is about"
    wanted, variance = with_fifty_digits(both)
    found = model.solve_direct()
    assert found.status.is_good
    fixed = model.kept < sum(block.n_equations for block in model.design.layout.fixed)
    pev = model.pev()[model.kept]
    np.testing.assert_allclose(pev[~fixed], variance[~fixed], rtol=1e-8)
    np.testing.assert_allclose(found.solution[model.kept][~fixed], wanted[~fixed], atol=1e-8)
    np.testing.assert_allclose(pev[fixed], variance[fixed], rtol=1e-7)
    np.testing.assert_allclose(found.solution[model.kept][fixed], wanted[fixed], atol=1e-8 * np.sqrt(variance[fixed]).max())
    assert not found.solution[model.null_space.constrained].any()


def test_elements_of_the_inverse_are_those_of_the_original():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(40, 6))
    x[:, 2] = x[:, 0] + x[:, 1] + 1e-3 * x[:, 2]
    x[:, 4] = x[:, 0] - x[:, 3] + 1e-3 * x[:, 4]
    c = x.T @ x
    near = np.array([[1.0, 1, -1, 0, 0, 0], [1.0, 0, 0, -1, -1, 0]]).T
    matrix, substitution = substitute(csc_array(c), near, np.arange(5), lambda v: x.T @ (x @ v))
    assert 5 not in substitution.columns
    change = np.eye(6)
    change[:, substitution.columns] = substitution.vectors
    np.testing.assert_allclose(matrix.toarray(), change.T @ c @ change, atol=1e-9)
    scale = 1.0 / np.sqrt(matrix.diagonal())
    assert np.linalg.cond(matrix.toarray() * np.outer(scale, scale)) < 100 < np.linalg.cond(c)
    factor = substitution.factorization(factorize(matrix))
    inverse = np.linalg.inv(c)
    b = rng.normal(size=(6, 2))
    np.testing.assert_allclose(factor.solve(b), inverse @ b, rtol=1e-7)
    np.testing.assert_allclose(factor.solve(b[:, 0]), inverse @ b[:, 0], rtol=1e-7)
    selected = factor.inverse_on_pattern()
    np.testing.assert_allclose(selected.diagonal, np.diag(inverse), rtol=1e-7)
    row, column = np.divmod(np.arange(36), 6)
    np.testing.assert_allclose(selected.elements(row, column), inverse.ravel(), rtol=1e-6, atol=1e-9)


def test_combinations_that_the_candidates_cannot_tell_apart_are_taken_once():
    x = np.column_stack([np.ones(9), 100.0 + np.arange(9), np.arange(9) ** 2])
    near = np.array([[-104.0, 1, 0], [-208.0, 2, 0]]).T
    matrix, substitution = substitute(csc_array(x.T @ x), near, np.arange(2), lambda v: x.T @ (x @ v))
    assert len(substitution.columns) == 1
    np.testing.assert_allclose(
        substitution.factorization(factorize(matrix)).solve(x.T @ x @ np.array([3.0, 2.0, 1.0])), [3.0, 2.0, 1.0], rtol=1e-9
    )
