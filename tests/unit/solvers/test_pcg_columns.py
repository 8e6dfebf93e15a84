"""Several right-hand sides at once: each column as if it were alone."""

from __future__ import annotations

import numpy as np
import pytest

from breedeval.solvers.pcg import pcg
from breedeval.solvers.pcg_columns import pcg_columns
from breedeval.solvers.preconditioners import BlockPreconditioner
from breedeval.solvers.stopping import StoppingRule
from tests.random_models import one_trait_model


@pytest.fixture(scope="module")
def system():
    """Equations of a small model, a preconditioner and right-hand sides in their range, of very different size."""
    equations = one_trait_model(7).model.equations
    preconditioner = BlockPreconditioner.of([equations.diagonal_blocks(block) for block in equations.layout.blocks])
    x = np.random.default_rng(1).normal(size=(equations.order, 6)) * np.array([1.0, 1e-6, 1e6, 1.0, 0.0, 1.0])
    b = equations.multiply(x)
    b[:, 3] = 0.0
    b[:, 5] = equations.multiply(np.ones(equations.order))
    return equations, preconditioner, b


def test_columns_are_solved_as_if_alone(system):
    equations, preconditioner, b = system
    found = pcg_columns(equations, b, preconditioner, tolerance=1e-10)
    assert found.converged.all()
    for j in (0, 1, 2, 5):
        alone = pcg(equations, np.ascontiguousarray(b[:, j]), preconditioner, StoppingRule("residual", 1e-10))
        assert abs(int(found.rounds[j]) - alone.rounds) <= 1  # sums of a column have another order than those of a vector
        np.testing.assert_allclose(found.solution[:, j], alone.solution, rtol=0, atol=1e-7 * np.abs(alone.solution).max())


def test_column_of_zeros_is_done_at_once(system):
    equations, preconditioner, b = system
    found = pcg_columns(equations, b, preconditioner)
    assert (found.rounds[3], found.rounds[4]) == (0, 0)
    assert not found.solution[:, [3, 4]].any()


def test_true_residual_is_reported(system):
    equations, preconditioner, b = system
    found = pcg_columns(equations, b, preconditioner, tolerance=1e-3)
    size = np.linalg.norm(b, axis=0)
    size[size == 0.0] = 1.0
    np.testing.assert_allclose(
        found.residual, np.linalg.norm(b - equations.multiply(found.solution), axis=0) / size, rtol=1e-12
    )


def test_start_from_the_solution(system):
    equations, preconditioner, b = system
    exact = pcg_columns(equations, b, preconditioner, tolerance=1e-12)
    assert pcg_columns(equations, b, preconditioner, tolerance=1e-9, start=exact.solution).rounds.max() == 0


def test_too_few_rounds_are_told(system):
    equations, preconditioner, b = system
    found = pcg_columns(equations, b, preconditioner, tolerance=1e-10, max_rounds=2)
    assert found.rounds.max() == 2
    assert not found.converged[[0, 1, 2]].any()


def test_more_columns_than_a_loop_is_compiled_for(system):
    """21 columns are taken as 16 and 5, with the results of each alone."""
    equations, preconditioner, _ = system
    b = equations.multiply(np.random.default_rng(3).normal(size=(equations.order, 21)))
    found = pcg_columns(equations, b, preconditioner, tolerance=1e-10)
    assert found.converged.all()
    assert found.solution.shape == b.shape
    for j in (0, 15, 16, 20):
        alone = pcg(equations, np.ascontiguousarray(b[:, j]), preconditioner, StoppingRule("residual", 1e-10))
        assert abs(int(found.rounds[j]) - alone.rounds) <= 1
        np.testing.assert_allclose(found.solution[:, j], alone.solution, rtol=0, atol=1e-7 * np.abs(alone.solution).max())
