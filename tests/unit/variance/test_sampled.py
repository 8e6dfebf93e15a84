"""The score by sampling against the exact one, on random small models of every kind; the same seed, the same answer."""

from __future__ import annotations

import numpy as np
import pytest

from breedeval.operators import SymmetricOperator
from breedeval.relationship.a_inverse import NumeratorInverse
from breedeval.solvers.preconditioners import DiagonalPreconditioner
from breedeval.variance.derivatives import gradient_matrices
from breedeval.variance.information import average_information
from breedeval.variance.likelihood import evaluate_point
from breedeval.variance.sampled_model import ModelSampler
from breedeval.variance.sampled_score import regress_on_controls
from breedeval.variance.start import build_parameters, plausible_variances
from breedeval.variance.system import build_system
from tests.unit.variance.test_likelihood import CASES

N_SAMPLES = 50
#: Every third model of one trait, every model of several.
CHOSEN = [*CASES[:12:3], *CASES[12:]]


def sampler_of(both, seed):
    model = both.model
    inverse = None if model.pedigree is None else NumeratorInverse(model.pedigree, model.inbreeding)
    relationships: dict[str, SymmetricOperator] = {
        b.key: inverse for b in model.design.layout.random if b.relationship == "pedigree"
    }
    system = build_system(model.design, relationships, model.kept, model.order)
    residual = model.variances.residual
    parameters = build_parameters(model.design, plausible_variances(model.design, model.kept), residual, {})
    random = [model.variances.random[block.key].matrix for block in model.design.layout.random]
    names = ["all"] if residual.by is None else model.design.residual_names.to_list()
    matrices = (*random, *(residual.matrices[name] for name in names))
    sampler = ModelSampler(system, parameters, lambda e: DiagonalPreconditioner.of(e.diagonal()), seed)
    return sampler, system, parameters, tuple(np.array(matrix) for matrix in matrices)


@pytest.mark.parametrize("case", CHOSEN, ids=lambda case: case[0].replace(" ", "_"))
def test_score_and_information(case):
    """The sampled score is within six of its own Monte Carlo errors of the exact one, and these are of the right size."""
    both = case[1]()
    sampler, system, parameters, matrices = sampler_of(both, 7)
    found = sampler.evaluate(matrices, N_SAMPLES, 1e-9)
    exact = evaluate_point(system, matrices, "reml")
    gradient = parameters.gradient(gradient_matrices(exact))
    error = np.sqrt(np.diag(found.score.noise))
    known = error > 1e-9 * error.max()
    assert known.any()
    assert (np.abs(found.score.gradient - gradient)[known] < 6.0 * error[known]).all(), both.text
    np.testing.assert_allclose(found.score.gradient[~known], gradient[~known], atol=1e-6)
    information = average_information(exact, parameters)
    size = np.abs(np.diag(information)).max()
    np.testing.assert_allclose(average_information(found, parameters), information, atol=2e-2 * size)


def test_same_seed_same_answer():
    both = CASES[0][1]()
    first, other, third = (sampler_of(both, seed) for seed in (1, 1, 2))
    one = first[0].evaluate(first[3], 12, 1e-8).score.gradient
    assert (one == other[0].evaluate(first[3], 12, 1e-8).score.gradient).all()
    assert (one != third[0].evaluate(first[3], 12, 1e-8).score.gradient).any()


def test_controls_take_noise_away():
    """A variable that is a control plus little noise of its own is known to that little; its error is stated honestly."""
    rng = np.random.default_rng(3)
    misses = []
    for _ in range(200):
        control = rng.standard_normal((40, 1))
        own = 2.0 + 3.0 * control + 0.1 * rng.standard_normal((40, 1))
        mean, noise = regress_on_controls(own, [control])
        misses.append((mean[0] - 2.0) / np.sqrt(noise[0, 0]))
        assert np.sqrt(noise[0, 0]) < 0.03
    assert 0.85 < np.std(misses) < 1.2
