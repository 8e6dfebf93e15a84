"""Likelihood, gradient and average information on random small models, against dense matrices and finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from breedeval.errors import NotPositiveDefiniteError
from breedeval.relationship.a_inverse import NumeratorInverse
from breedeval.variance.derivatives import gradient_matrices
from breedeval.variance.information import average_information
from breedeval.variance.likelihood import evaluate_point
from breedeval.variance.start import build_parameters, plausible_variances
from breedeval.variance.system import build_system
from tests.random_models import one_trait_model
from tests.several_trait_models import MODELS, several_trait_model, social

CASES = [*[(f"one trait {seed}", lambda seed=seed: one_trait_model(seed)) for seed in range(12)]]
CASES += [(make.__name__, lambda make=make: several_trait_model(make)) for make in (*MODELS, social)]


@pytest.fixture(params=CASES, ids=lambda case: case[0].replace(" ", "_"), scope="module")
def case(request):
    both = request.param[1]()
    model = both.model
    inverse = None if model.pedigree is None else NumeratorInverse(model.pedigree, model.inbreeding)
    relationships = {b.key: inverse for b in model.design.layout.random if b.relationship == "pedigree"}
    system = build_system(model.design, relationships, model.kept, model.order)
    parameters = build_parameters(model.design, plausible_variances(model.design, model.kept), model.variances.residual, {})
    random = [model.variances.random[block.key].matrix for block in model.design.layout.random]
    residual = model.variances.residual
    names = ["all"] if residual.by is None else model.design.residual_names.to_list()
    matrices = (*random, *(residual.matrices[name] for name in names))
    return both, system, parameters, tuple(np.array(matrix) for matrix in matrices)


@pytest.mark.parametrize("likelihood", ["reml", "ml"])
def test_log_likelihood(case, likelihood):
    both, system, _, matrices = case
    place, kept = both.to_dense(), both.model.kept
    columns = [place[equation] for equation in kept if equation < both.dense.n_fixed]
    expected = both.dense.log_likelihood(likelihood, columns)
    assert evaluate_point(system, matrices, likelihood).log_likelihood.value == pytest.approx(expected, abs=1e-8), both.text


def test_a_matrix_that_is_singular_in_its_digits_is_refused(case):
    """So a step of the search that ends there is not taken; residual matrices included, which have no pivots of their own."""
    _, system, _, matrices = case
    for number, matrix in enumerate(matrices):
        if len(matrix) > 1:
            singular = 1e11 * np.ones_like(matrix)
            singular[0, -1] = singular[-1, 0] = 1e11 * (1 + 1e-15)
            with pytest.raises(NotPositiveDefiniteError, match="positive definite"):
                evaluate_point(system, (*matrices[:number], singular, *matrices[number + 1 :]), "reml")


@pytest.mark.parametrize("likelihood", ["reml", "ml"])
def test_gradient(case, likelihood):
    _, system, parameters, matrices = case
    theta = parameters.vector(matrices)
    found = parameters.gradient(gradient_matrices(evaluate_point(system, matrices, likelihood)))
    for place in range(len(theta)):
        step = 1e-5 * max(abs(theta[place]), 0.1)
        values = []
        for sign in (-2, -1, 1, 2):
            moved = theta.copy()
            moved[place] += sign * step
            values.append(evaluate_point(system, parameters.changed(matrices, moved), likelihood).log_likelihood.value)
        difference = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * step)
        assert found[place] == pytest.approx(difference, abs=2e-4, rel=1e-6), parameters.names[place]


def dense_covariance(system, matrices):
    """V on the observed traits, from Z, K and Σ."""
    observed = np.flatnonzero(system.design.observed.ravel())
    t = system.design.n_traits
    w = system.incidence.to_csr().toarray()[observed]
    r = np.zeros((len(system.kind) * t, len(system.kind) * t))
    for i, kind in enumerate(system.kind):
        matrix = matrices[len(system.random) + kind // len(system.patterns)]
        r[i * t : (i + 1) * t, i * t : (i + 1) * t] = matrix / np.outer(system.weight_roots[i], system.weight_roots[i])
    v = r[np.ix_(observed, observed)]
    for one, sigma in zip(system.random, matrices, strict=False):
        k = np.eye(one.block.n_levels) if one.inverse is None else np.linalg.inv(one.inverse.to_csr().toarray())
        z = w[:, one.block.equations]
        v = v + z @ np.kron(k, sigma) @ z.T
    n_fixed = system.rank
    return v, w[:, system.kept[:n_fixed]], system.design.observations.ravel()[observed]


def test_average_information(case):
    _, system, parameters, matrices = case
    v, x, y = dense_covariance(system, matrices)
    inverse = np.linalg.inv(v)
    p = inverse - inverse @ x @ np.linalg.inv(x.T @ inverse @ x) @ x.T @ inverse if x.shape[1] else inverse
    theta = parameters.vector(matrices)
    derivatives = []
    for place in range(len(theta)):
        moved = theta.copy()
        moved[place] += 1.0
        derivatives.append(dense_covariance(system, parameters.changed(matrices, moved))[0] - v)
    py = p @ y
    expected = [[0.5 * py @ a @ p @ b @ py for b in derivatives] for a in derivatives]
    found = average_information(evaluate_point(system, matrices, "reml"), parameters)
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-10 * np.abs(expected).max())
