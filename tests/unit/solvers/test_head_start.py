"""What is done with a first guess before conjugate gradients begin."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from breedeval.solvers.head_start import SWEEPS, head_start, head_start_bytes
from breedeval.solvers.pcg import pcg
from breedeval.solvers.preconditioners import DiagonalPreconditioner
from breedeval.solvers.stopping import StoppingRule
from tests.random_models import one_trait_model


@pytest.fixture(scope="module")
def system():
    """Equations, a preconditioner that is far from exact, a solution, a guess and two directions."""
    equations = one_trait_model(11).model.equations
    rng = np.random.default_rng(3)
    inner = DiagonalPreconditioner.of(equations.diagonal())
    solution, guess, *slow = rng.normal(size=(4, equations.order))
    return equations, inner, solution, guess, np.column_stack(slow)


def energy(equations, x, solution):
    return float((x - solution) @ equations.multiply(x - solution))


def test_guess_is_at_least_as_near_as_after_so_many_rounds(system):
    equations, inner, solution, guess, slow = system
    b = equations.multiply(solution)
    better, _ = head_start(equations, b, inner, guess, slow)
    rounds = pcg(equations, b, inner, StoppingRule("residual_squared", 0.0, SWEEPS), start=guess)
    assert rounds.rounds == SWEEPS
    assert energy(equations, better, solution) <= energy(equations, rounds.solution, solution) * (1 + 1e-9)
    assert energy(equations, better, solution) < 0.5 * energy(equations, guess, solution)


def test_nothing_of_the_error_is_left_in_the_slow_directions(system):
    equations, inner, solution, guess, slow = system
    b = equations.multiply(solution)
    better, balanced = head_start(equations, b, inner, guess, slow)
    assert balanced.space.n == 2
    for v in balanced.space.vectors:
        assert abs(v @ (b - equations.multiply(better))) <= 1e-9 * np.sqrt(v @ equations.multiply(v)) * np.linalg.norm(b)


def test_the_solution_stays_what_it_is(system):
    equations, inner, solution, _, slow = system
    better, balanced = head_start(equations, equations.multiply(solution), inner, solution, slow)
    np.testing.assert_allclose(better, solution, atol=1e-9)
    assert "2 slow directions" in balanced.name


def test_directions_that_the_equations_do_not_see_are_left_out(system):
    equations, inner, solution, guess, slow = system
    b = equations.multiply(solution)
    with_zero = np.column_stack([slow[:, :1], np.zeros(equations.order)])
    better, balanced = head_start(equations, b, inner, guess, with_zero)
    assert balanced.space.n == 1
    alone, _ = head_start(equations, b, inner, guess, slow[:, :1])
    np.testing.assert_allclose(better, alone, rtol=1e-9, atol=1e-12)


def test_no_direction_is_slow_to_an_exact_preconditioner(system):
    """What it leaves of them is rounding error, whose inverse would be the whole of the next steps."""
    equations, _, solution, guess, slow = system
    b = equations.multiply(solution)
    better, balanced = head_start(
        equations, b, Exact(np.linalg.pinv(equations.to_csr().toarray(), hermitian=True)), guess, slow
    )
    assert balanced.space.n == 0
    assert energy(equations, better, solution) < 1e-12 * energy(equations, guess, solution)


class Exact:
    """An inverse as a preconditioner."""

    name = "exact"

    def __init__(self, inverse):
        self.inverse = inverse

    def apply(self, r, out):
        out[:] = self.inverse @ r
        return out


class Scaled:
    """A diagonal matrix that needs no memory for its products."""

    def __init__(self, order):
        self.order = order

    def multiply(self, x, out):
        np.multiply(x, 0.5, out=out)

    def diagonal(self):
        return np.full(self.order, 0.5)

    def apply(self, r, out):
        np.multiply(r, 1.5, out=out)
        return out


@pytest.mark.parametrize("n_slow", [1, 2, 5])
def test_memory_that_is_foreseen(n_slow):
    matrix, rng = Scaled(20_000), np.random.default_rng(1)
    start, slow = rng.normal(size=20_000), rng.normal(size=(20_000, n_slow))
    tracemalloc.start()
    try:
        head_start(matrix, np.ones(20_000), matrix, start, slow)
        _, highest = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert highest + start.nbytes + slow.nbytes == pytest.approx(head_start_bytes(20_000, n_slow), rel=0.1)
