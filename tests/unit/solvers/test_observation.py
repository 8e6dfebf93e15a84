"""Rounds that only observe: slow directions that the estimate does not know of, and an error that is told sharply."""

from __future__ import annotations

import numpy as np
import pytest

from breedeval.solvers import pcg as pcg_module
from breedeval.solvers.error_estimate import EbvEquations
from breedeval.solvers.observation import Observation
from breedeval.solvers.pcg import pcg
from breedeval.solvers.preconditioners import DiagonalPreconditioner
from breedeval.solvers.result import Convergence, Status
from breedeval.solvers.stopping import StoppingRule
from tests.dense_operator import DenseOperator, matrix_of_spectrum

#: A few very slow directions beside all others, which hide them from conjugate gradients until these are done.
HIDDEN = {
    "one beside a cluster": np.concatenate([[1e-4], np.linspace(0.9, 1.1, 99)]),
    "three beside a cluster": np.concatenate([[1e-5, 3e-5, 1e-4], np.linspace(0.9, 1.1, 97)]),
    "one beside a wide range": np.concatenate([[1e-5], np.linspace(0.3, 2.0, 119)]),
    "two beside a wide range": np.concatenate([[1e-5, 1e-4], np.linspace(0.3, 2.0, 78)]),
}


class System:
    """C with eigenvalues that are known, all of its equations EBVs, and its solution, the same amount of each eigenvector."""

    def __init__(self, values, seed=1):
        matrix = matrix_of_spectrum(values, seed)
        self.operator = DenseOperator(matrix)
        self.preconditioner = DiagonalPreconditioner.of(np.diag(matrix))
        parts = np.random.default_rng(seed).choice([-1.0, 1.0], len(values))
        self.x = matrix_of_spectrum(values, seed, parts)
        self.b = matrix @ self.x
        # the largest PEV, the largest diagonal element of C⁻¹, is one genetic variance
        sd = np.sqrt(np.diag(matrix_of_spectrum(1.0 / np.asarray(values), seed)).max())
        self.ebv = EbvEquations(0, len(values), np.array([1.0 / sd]))

    def solve(self, rule=None, **more):
        return pcg(self.operator, self.b, self.preconditioner, rule, 1.0, ebv=self.ebv, **more)

    def error(self, result):
        return self.ebv.largest(result.solution - self.x)


@pytest.fixture
def unobserved(monkeypatch):
    monkeypatch.setattr(pcg_module, "MOST_EQUATIONS", 0)


@pytest.mark.parametrize("name", HIDDEN)
def test_hidden_directions_deceive_the_estimate_of_a_round(name, unobserved):
    system = System(HIDDEN[name])
    result = system.solve()
    assert result.status is Status.CONVERGED
    assert system.error(result) > 2 * result.final.ebv_error
    assert system.error(result) > 1e-4


@pytest.mark.parametrize("tolerance", [1e-4, 1e-6])
@pytest.mark.parametrize("name", HIDDEN)
def test_rounds_that_observe_find_hidden_directions(name, tolerance):
    for seed in range(5):
        system = System(HIDDEN[name], seed)
        result = system.solve(StoppingRule(tolerance=tolerance))
        error = system.error(result)
        assert result.status is Status.CONVERGED
        assert error <= tolerance
        if error > 1e-9:  # below is rounding error, at this condition
            assert error <= result.final.ebv_error <= 30 * error


def test_solution_is_that_of_the_round_which_met_the_rule(monkeypatch):
    system = System(np.geomspace(0.05, 2, 80))
    heard, kept = [], []
    observed = system.solve(
        monitor=lambda rounds, criteria: heard.append(criteria), keeper=lambda state: bool(kept.append(state.rounds))
    )
    monkeypatch.setattr(pcg_module, "MOST_EQUATIONS", 0)
    plain = system.solve()
    np.testing.assert_array_equal(observed.solution, plain.solution)
    assert observed.rounds == plain.rounds == len(heard) == len(observed.history)
    assert observed.history == plain.history == tuple(heard)
    assert kept == list(range(1, plain.rounds)), "no checkpoint is written of an observation"
    assert observed.observed >= plain.rounds
    assert "to see its error" in observed.sentence()
    assert plain.observed == 0
    error = system.error(plain)
    assert error <= observed.final.ebv_error < 3 * error < plain.final.ebv_error


def test_other_rules_are_not_observed():
    assert System(np.geomspace(0.05, 2, 80)).solve(StoppingRule("residual", 1e-8)).observed == 0


def test_observation_ends_with_the_rounds():
    system = System(np.geomspace(0.05, 2, 80))
    free = system.solve()
    for more in (0, 1, 3):
        result = system.solve(StoppingRule(max_rounds=free.rounds + more))
        assert result.status is Status.CONVERGED
        assert (result.rounds, result.observed) == (free.rounds, more)
        assert system.error(result) <= result.final.ebv_error


def test_energy_norm_is_observed_where_ebvs_are_not_told_apart():
    system = System(HIDDEN["one beside a cluster"])
    result = pcg(system.operator, system.b, system.preconditioner, StoppingRule(), 1.0)
    error = result.solution - system.x
    energy = float(np.sqrt(error @ system.operator.matrix @ error))
    assert result.status is Status.CONVERGED
    assert energy <= result.final.ebv_error <= 3 * energy


def test_solution_that_is_exact_needs_no_later_estimate():
    """A system of two eigenvalues is solved in two rounds."""
    system = System([0.5] * 20 + [2.0] * 20)
    result = system.solve(StoppingRule(tolerance=1e-3))
    assert result.status is Status.CONVERGED
    assert system.error(result) <= max(result.final.ebv_error, 1e-13)


def test_change_is_that_after_the_constraints():
    """Of two groups one is set to zero, which moves the animals as well."""
    ebv = EbvEquations(0, 2, np.array([2.0]), lambda solution: solution - solution[2])
    seen = Observation(np.zeros(3), np.zeros(3), 1, 0.5, ebv, 1.0)
    assert seen.error(np.zeros(3)) == 0.5
    seen.add(Convergence(0.25, 0.0, 0.0, np.nan), 1.0)
    assert seen.error(np.array([1.0, 2.0, 5.0])) == 2.0 * 8.0 + 0.25
    assert seen.error(np.array([1.0, 2.0, 5.0]), exact=True) == 16.0


@pytest.mark.parametrize("part", [1e-5, 1e-7, 1e-9])
def test_equations_that_prove_not_positive_while_observed_are_not_called_solved(part):
    values = np.linspace(1.0, 2.0, 60)
    values[0] = -0.5
    matrix, identity = matrix_of_spectrum(values, 1), np.ones(60)
    # So little of the negative direction is in the right-hand side that the rule is met before any round finds it.
    x = matrix_of_spectrum(np.append(part, identity[1:]), 1) @ identity
    rule, ebv = StoppingRule(tolerance=1e-3), EbvEquations(0, 60, np.ones(1))
    result = pcg(DenseOperator(matrix), matrix @ x, DiagonalPreconditioner.of(identity), rule, 1.0, ebv=ebv)
    assert result.status is Status.NOT_POSITIVE
    assert min(criteria.ebv_error for criteria in result.history[:-1]) <= rule.tolerance
