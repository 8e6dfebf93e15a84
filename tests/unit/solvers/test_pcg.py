"""PCG: every status reached on purpose, every stopping rule, singular equations."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.sparse import csr_array

from breedeval.kernels.vectors import step_and_largest
from breedeval.solvers.error_estimate import EbvEquations, ErrorEstimate
from breedeval.solvers.pcg import pcg
from breedeval.solvers.preconditioners import CorrectedPreconditioner, DiagonalPreconditioner
from breedeval.solvers.result import Status
from breedeval.solvers.stopping import RULES, StoppingRule


@dataclass
class Matrix:
    """A dense matrix as an operator, perhaps with an error of its own."""

    a: np.ndarray
    noise: float = 0.0

    @property
    def order(self):
        return len(self.a)

    def multiply(self, x, out=None):
        product = self.a @ x
        if self.noise:
            product = product + self.noise * np.linalg.norm(product) * np.cos(1e6 * product)
        if out is None:
            return product
        out[...] = product
        return out

    def diagonal(self):
        return np.diag(self.a).copy()

    def to_csr(self):
        return csr_array(self.a)


def spectrum(values, seed=1):
    """A matrix with given eigenvalues."""
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(values), len(values))))
    return (q * np.asarray(values)) @ q.T


def solve(a, b, rule=None, **more):
    operator = a if isinstance(a, Matrix) else Matrix(a)
    return pcg(operator, b, DiagonalPreconditioner.of(operator.diagonal()), rule, ebv_scale=1.0, **more)


@pytest.fixture
def system():
    a = spectrum(np.linspace(0.5, 8, 60))
    x = np.random.default_rng(2).normal(size=60)
    return a, a @ x, x


@pytest.mark.parametrize("name", RULES)
def test_every_rule_is_met(system, name):
    a, b, x = system
    result = solve(a, b, StoppingRule(name, 1e-6))
    assert result.status is Status.CONVERGED
    assert result.final.of(name) <= 1e-6
    error = result.solution - x
    assert math.sqrt(error @ a @ error) <= result.final.ebv_error * (1 + 1e-6)
    assert result.final.residual == pytest.approx(np.linalg.norm(b - a @ result.solution) / np.linalg.norm(b), rel=1e-6)
    assert result.final.residual_squared == pytest.approx(result.final.residual**2)
    assert len(result.history) == result.rounds > 0
    assert solve(a, b, StoppingRule(name, 1e-3)).rounds < result.rounds


def test_rounds_run_out(system):
    a, b, _ = system
    result = solve(a, b, StoppingRule("residual", 1e-12, max_rounds=5))
    assert result.status is Status.MAX_ROUNDS
    assert result.rounds == 5
    assert not result.status.is_good
    assert "max_rounds" in result.sentence()


def test_negative_curvature():
    result = solve(spectrum([-3.0, 1.0, 2.0, 4.0]) + 3.5 * np.diag([1, 1, 1, 0.0]), np.ones(4))
    assert result.status is Status.NOT_POSITIVE


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_not_finite(system, value):
    a, b, _ = system
    b = b.copy()
    b[3] = value
    assert solve(a, b).status is Status.NOT_FINITE


def test_stagnates_when_products_are_rough(system):
    a, b, _ = system
    result = solve(Matrix(a, noise=1e-5), b, StoppingRule("residual", 1e-9))
    assert result.status is Status.STAGNATED
    assert result.final.residual > 1e-9


def test_verdict_is_from_the_true_residual(system):
    """A recurrence that believes in convergence does not decide."""
    a, b, _ = system
    result = solve(Matrix(a, noise=1e-5), b, StoppingRule("residual", 1e-9))
    assert min(c.residual for c in result.history) < result.final.residual


@pytest.mark.parametrize(
    "rule", [StoppingRule("ebv_error", 1e-14), StoppingRule("residual", 1e-17)], ids=lambda rule: rule.name
)
@pytest.mark.parametrize("noise", [1e-15, 1e-14])
def test_stops_at_the_level_of_rounding_and_keeps_the_best(rule, noise):
    """Beyond it, what rounding leaves outside the range of singular equations would grow by ten million times."""
    a = spectrum([0.0] * 5 + list(np.geomspace(0.01, 2, 95)))
    b = a @ np.random.default_rng(3).normal(size=100)
    result = solve(Matrix(a, noise), b, rule)
    assert result.status is Status.ROUNDING_ERROR
    assert result.status.is_good
    true = np.linalg.norm(b - a @ result.solution) / np.linalg.norm(b)
    assert true < 30 * noise
    assert result.final.residual < 30 * noise
    assert 30 * noise < max(criteria.residual for criteria in result.history[-20:])


def test_usual_tolerances_cost_nothing_more(system):
    a, b, _ = system
    operator, n_products = Matrix(a), []
    multiply = operator.multiply
    operator.multiply = lambda x, out=None: n_products.append(1) or multiply(x, out)
    result = solve(operator, b, StoppingRule("residual", 1e-9))
    assert result.status is Status.CONVERGED
    assert len(n_products) == result.rounds + 1, "a product a round, and one for the verdict"


def test_nothing_to_solve(system):
    a, b, _ = system
    result = solve(a, np.zeros(len(b)))
    assert result.status is Status.CONVERGED
    assert result.rounds == 0
    assert not result.solution.any()


def test_singular_equations_do_not_diverge_beyond_convergence():
    a = spectrum([0.0] * 5 + list(np.linspace(0.01, 2, 45)))
    x = np.random.default_rng(3).normal(size=50)
    for tolerance in (1e-6, 1e-12, 0.0):
        result = solve(a, a @ x, StoppingRule("residual", tolerance, max_rounds=2000))
        assert result.status is (Status.ROUNDING_ERROR if tolerance == 0.0 else Status.CONVERGED)
        np.testing.assert_allclose(a @ result.solution, a @ x, atol=1e-5 if tolerance == 1e-6 else 1e-12)


def test_monitor_hears_every_round(system):
    a, b, _ = system
    heard = []
    result = solve(a, b, monitor=lambda rounds, criteria: heard.append((rounds, criteria)))
    assert [rounds for rounds, _ in heard] == list(range(1, result.rounds + 1))
    assert tuple(criteria for _, criteria in heard) == result.history


def test_start_from_the_solution(system):
    a, b, x = system
    assert solve(a, b, start=x).rounds <= 1
    assert solve(a, b, start=x).status is Status.CONVERGED


def test_smallest_eigenvalue_of_the_preconditioned_matrix():
    a = spectrum(np.linspace(0.2, 3, 12))
    root = np.sqrt(np.diag(a))
    true = np.linalg.eigvalsh(a / np.outer(root, root))[0]
    estimate = ErrorEstimate()
    r = np.random.default_rng(4).normal(size=12)
    m = np.diag(a)
    p = z = r / m
    for _ in range(12):
        rz = r @ z
        alpha = rz / (p @ a @ p)
        r = r - alpha * (a @ p)
        z = r / m
        beta = (r @ z) / rz
        p_length = r @ z + beta**2 * (p @ (m * p))
        estimate.add(alpha, rz, beta, p_length)
        p = z + beta * p
    assert estimate.smallest_eigenvalue() == pytest.approx(true, rel=1e-8)


def test_estimate_is_above_the_error_of_slow_systems():
    for seed in range(5):
        a = spectrum(np.geomspace(1e-4, 1, 120), seed)
        b = a @ np.random.default_rng(seed).normal(size=120)
        result = solve(a, b, StoppingRule("ebv_error", 1e-3))
        error = result.solution - np.linalg.solve(a, b)
        assert result.status is Status.CONVERGED
        assert math.sqrt(error @ a @ error) <= 1e-3


def test_correction_shows_a_direction_that_rounds_alone_do_not():
    """A covariate of mean 1e4 beside the overall mean: PCG alone stops while its regression is still wrong."""
    rng = np.random.default_rng(5)
    x = np.column_stack([np.ones(400), 1e4 + rng.normal(size=400), rng.normal(size=(400, 40))])
    a = x.T @ x + np.diag([0.0] * 2 + [5.0] * 40)
    # Exactly: the same fit with the covariate centered.
    centered = x.copy()
    centered[:, 1] -= 1e4
    y = 3 * centered[:, 1] + x[:, 2:] @ rng.normal(size=40) + rng.normal(size=400)
    c = centered.T @ centered + np.diag([0.0] * 2 + [5.0] * 40)
    true = np.linalg.solve(c, centered.T @ y)
    near = np.zeros((42, 1))
    near[:2, 0] = [-1e4, 1.0]
    operator = Matrix(a)
    preconditioner = CorrectedPreconditioner.of(DiagonalPreconditioner.of(operator.diagonal()), operator, near)
    result = pcg(operator, x.T @ y, preconditioner, StoppingRule("ebv_error", 1e-3), 1.0)
    assert result.status is Status.CONVERGED
    np.testing.assert_allclose(result.solution[1:], true[1:], atol=1e-3)


@pytest.mark.parametrize(
    "values",
    [
        np.geomspace(1e-4, 1, 200),
        np.linspace(1e-3, 1, 150),
        np.concatenate([np.linspace(0.9, 1.1, 60), 1e-2 * np.linspace(0.9, 1.1, 40)]),
        np.concatenate([[1e-3], np.linspace(0.1, 1, 150)]),
    ],
    ids=["slow", "even", "clusters", "one alone"],
)
def test_estimate_is_above_the_error_of_hard_spectra(values):
    for seed in range(3):
        a = spectrum(values, seed)
        b = a @ np.random.default_rng(seed).normal(size=len(values))
        for tolerance in (1e-4, 1e-6):
            result = solve(a, b, StoppingRule("ebv_error", tolerance))
            error = result.solution - np.linalg.solve(a, b)
            assert result.status is Status.CONVERGED
            assert math.sqrt(error @ a @ error) <= result.final.ebv_error


def test_estimate_holds_from_a_start_near_the_solution(system):
    """A warm start gives PCG few rounds to learn from."""
    a, b, x = system
    rng = np.random.default_rng(6)
    for size in (1e-2, 1e-4, 1e-7, 1e-10):
        result = solve(a, b, StoppingRule("ebv_error", 1e-5), start=x + size * rng.normal(size=len(x)))
        error = result.solution - x
        assert result.status is Status.CONVERGED
        assert math.sqrt(error @ a @ error) <= result.final.ebv_error + 1e-13


def test_estimate_of_ebvs_is_between_the_largest_error_and_the_energy_norm():
    rng = np.random.default_rng(7)
    n, k = 300, 2
    a = spectrum(np.geomspace(0.05, 2, n))
    x = rng.normal(size=n)
    sd = np.array([0.5, 2.0])
    ebv = EbvEquations(50, 250, 1.0 / sd)
    scale = 1.0 / (math.sqrt(0.05) * sd.min())  # sqrt of the largest diagonal element of C⁻¹, in genetic SD
    diagonal = DiagonalPreconditioner.of(np.diag(a))
    for tolerance in (1e-3, 1e-5, 1e-7):
        rule = StoppingRule("ebv_error", tolerance)
        result, plain = (pcg(Matrix(a), a @ x, diagonal, rule, scale, ebv=where) for where in (ebv, None))
        error = np.abs((result.solution - x)[50:250].reshape(-1, k) / sd).max()
        assert error <= result.final.ebv_error <= 30 * error
        assert result.rounds < plain.rounds


def test_largest_change_is_that_of_the_step():
    rng = np.random.default_rng(8)
    for n, first, end, k in ((10, 0, 10, 1), (10, 3, 9, 3), (200_000, 70_001, 180_001, 4), (200_000, 0, 3, 3), (5, 5, 5, 2)):
        x, r, p, q, weight = (rng.normal(size=size) for size in (n, n, n, n, k))
        weight = np.abs(weight)
        twin_x, twin_r = x - 0.3 * p, r + 0.3 * q
        rr, largest = step_and_largest(-0.3, p, q, x, r, first, end, weight)
        np.testing.assert_allclose(x, twin_x, rtol=1e-14, atol=1e-15)
        assert rr == pytest.approx(twin_r @ twin_r, rel=1e-12)
        changes = 0.3 * np.abs(p[first:end].reshape(-1, k)) * weight
        assert largest == pytest.approx(changes.max(initial=0.0), rel=1e-14)


def test_sentence_says_estimated(system):
    a, b, _ = system
    assert "estimated EBV error" in solve(a, b).sentence()
