"""Preconditioned conjugate gradients (Hestenes and Stiefel 1952; Strandén and Lidauer 1999 for mixed model equations).

On a consistent singular system, as Henderson's equations with dependent fixed effects are, PCG converges to one of the
solutions.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from breedeval.arrays import Float64, freeze
from breedeval.kernels.vectors import dot, next_direction, step
from breedeval.operators import Preconditioner, SymmetricOperator
from breedeval.solvers.result import Convergence, SolveResult, Status
from breedeval.solvers.stopping import EnergyNorm, StoppingRule

#: Called after each round with the round's number and its criteria.
Monitor = Callable[[int, Convergence], None]

#: How often the iteration may start again from its solution when the true residual turns out larger than the recurrence said.
MAX_RESTARTS = 3
#: A restart that does not reach this part of the previous true criterion is stagnation.
RESTART_GAIN = 0.5
#: p'Cp / p'Mp below this (eigenvalues of M⁻¹C are about one at most): p is a null vector of C, made of rounding errors.
NULL_CURVATURE = 1e-15
#: Taken for the smallest eigenvalue of M⁻¹C where the start is the solution up to rounding error, and no round shows any.
UNSEEN_EIGENVALUE = 1e-6


@dataclass
class _State:
    """What one run of the recurrence leaves behind."""

    x: Float64
    rounds: int
    status: Status
    norm: EnergyNorm
    change: float
    r: Float64
    smallest: float


def pcg(
    operator: SymmetricOperator,
    b: Float64,
    preconditioner: Preconditioner,
    rule: StoppingRule | None = None,
    ebv_scale: float = math.nan,
    start: Float64 | None = None,
    monitor: Monitor | None = None,
) -> SolveResult:
    """Solve C x = b.

    Parameters
    ----------
    operator
        C (N, N), symmetric positive semidefinite; `b` must be in its range.
    b
        (N,) right-hand side.
    preconditioner
        M⁻¹.
    rule
        When to stop.
    ebv_scale
        Largest sqrt(1 + F), which turns the energy norm of the error into a bound for EBVs in genetic SD; NaN if no meaning.
    start
        (N,) first guess; zero by default.
    monitor
        Told every round.

    Returns
    -------
    SolveResult
        Never raises for a numerical outcome: read ``status``. The verdict is from the true residual b − Cx.

    Notes
    -----
    One product with C, one with M⁻¹ and about 80 bytes of vector traffic an equation and round; five vectors of memory.
    """
    rule = rule or StoppingRule()
    began = time.perf_counter()
    history: list[Convergence] = []
    x = np.zeros(len(b)) if start is None else np.array(start, dtype=np.float64)
    b_norm = math.sqrt(dot(b, b)) or 1.0
    state = _State(x, 0, Status.CONVERGED, EnergyNorm(), math.nan, b, math.nan)
    best = math.inf
    for _ in range(1 + MAX_RESTARTS):
        state = _iterate(operator, b, preconditioner, rule, ebv_scale, state, b_norm, history, monitor)
        final = _true_criteria(operator, b, preconditioner, state, ebv_scale, b_norm)
        if state.status is not Status.CONVERGED or final.of(rule.name) <= rule.tolerance:
            break
        if not final.of(rule.name) < RESTART_GAIN * best:
            state.status = Status.STAGNATED
            break
        best = final.of(rule.name)
    else:
        state.status = Status.STAGNATED
    seconds = time.perf_counter() - began
    method = f"PCG with {preconditioner.name} preconditioner"
    return SolveResult(freeze(state.x), state.status, method, state.rounds, final, tuple(history), seconds)


def _iterate(
    operator: SymmetricOperator,
    b: Float64,
    preconditioner: Preconditioner,
    rule: StoppingRule,
    ebv_scale: float,
    state: _State,
    b_norm: float,
    history: list[Convergence],
    monitor: Monitor | None,
) -> _State:
    x, rounds, norm, change = state.x, state.rounds, EnergyNorm(), math.nan
    r = b - operator.multiply(x)
    z = preconditioner.apply(r, np.empty_like(r))
    p, q = z.copy(), np.empty_like(r)
    rz = dot(r, z)
    p_length = rz
    floor = _floor(b, preconditioner, q)
    status = Status.CONVERGED
    while rz > floor:
        if rounds >= rule.max_rounds:
            status = Status.MAX_ROUNDS
            break
        operator.multiply(p, q)
        pq = dot(p, q)
        if not math.isfinite(pq) or pq <= NULL_CURVATURE * p_length:
            status = _negative_or_exhausted(pq, p_length, r, b_norm)
            break
        alpha = rz / pq
        rr = step(alpha, p, q, x, r)
        rounds += 1
        change = _relative_change(alpha, p, x, rule)
        preconditioner.apply(r, z)
        rz_next = dot(r, z)
        beta = rz_next / rz
        norm.add(alpha, rz, beta)
        rz = rz_next
        p_length = rz + beta * beta * p_length
        criteria = _criteria(norm.estimate(rz) * ebv_scale, math.sqrt(rr) / b_norm, change)
        history.append(criteria)
        if monitor is not None:
            monitor(rounds, criteria)
        if criteria.of(rule.name) <= rule.tolerance:
            break
        next_direction(z, beta, p)
    if not math.isfinite(rz):
        status = Status.NOT_FINITE
    elif rz < 0.0 and status is Status.CONVERGED:
        status = Status.NOT_POSITIVE
    smallest = float(np.fmin(state.smallest, norm.smallest_eigenvalue()))
    return _State(x, rounds, status, norm, change, r, smallest)


def _floor(b: Float64, preconditioner: Preconditioner, work: Float64) -> float:
    """The size r'M⁻¹r of a residual that is nothing but rounding error.

    Going on from there does harm where C is singular: what rounding leaves of r outside the range of C never gets smaller, and
    becomes the whole direction.
    """
    return float((4.0 * np.finfo(float).eps) ** 2 * abs(dot(b, preconditioner.apply(b, work))))


def _negative_or_exhausted(pq: float, p_length: float, r: Float64, b_norm: float) -> Status:
    """A direction without curvature is a null vector; with a residual at rounding level it says that nothing is left to do."""
    if not math.isfinite(pq):
        return Status.NOT_FINITE
    exhausted = math.sqrt(dot(r, r)) <= 1e3 * np.finfo(float).eps * b_norm
    null = abs(pq) <= NULL_CURVATURE * p_length
    return Status.CONVERGED if exhausted or null else Status.NOT_POSITIVE


def _relative_change(alpha: float, p: Float64, x: Float64, rule: StoppingRule) -> float:
    """‖x_k − x_(k−1)‖ / ‖x_k‖; two more passes over vectors, so only for the rule that wants it."""
    if rule.name != "solution_change":
        return math.nan
    return abs(alpha) * math.sqrt(dot(p, p) / (dot(x, x) or 1.0))


def _criteria(ebv_error: float, residual: float, change: float) -> Convergence:
    return Convergence(ebv_error, residual, residual * residual, change)


def _true_criteria(
    operator: SymmetricOperator,
    b: Float64,
    preconditioner: Preconditioner,
    state: _State,
    ebv_scale: float,
    b_norm: float,
) -> Convergence:
    """Criteria from the true residual b − Cx.

    ‖x − x*‖²_C = r'C⁻¹r ≤ r'M⁻¹r / λ, λ the smallest eigenvalue of M⁻¹C that PCG has seen. That is far above the truth where λ
    is small. The norm estimated by the recurrence, plus this bound for what the true residual has more than the recurrence's,
    is also above it; the smaller of the two counts.
    """
    r = b - operator.multiply(state.x)
    residual = math.sqrt(dot(r, r)) / b_norm
    z = preconditioner.apply(r, np.empty_like(r))
    rz = dot(r, z)
    if rz == 0.0:
        return _criteria(0.0 * ebv_scale, residual, state.change)
    smallest = state.smallest
    if math.isnan(smallest) and rz <= _floor(b, preconditioner, z):
        smallest = UNSEEN_EIGENVALUE
    if not math.isfinite(rz):
        return _criteria(math.inf, residual, state.change)
    drift = r - state.r
    drift_size = dot(drift, preconditioner.apply(drift, z))
    energy = min(_energy(rz, smallest), state.norm.estimate(rz) + _energy(drift_size, smallest))
    return _criteria(energy * ebv_scale, residual, state.change)


def _energy(size: float, smallest: float) -> float:
    """Bound of sqrt(r'C⁻¹r) from r'M⁻¹r."""
    if not smallest > 0.0 or not size >= 0.0:
        return math.inf
    return math.sqrt(size / smallest)
