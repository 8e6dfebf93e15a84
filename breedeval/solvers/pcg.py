"""Preconditioned conjugate gradients (Hestenes and Stiefel 1952; Strandén and Lidauer 1999 for mixed model equations).

On a consistent singular system, as Henderson's equations with dependent fixed effects are, PCG converges to one of the
solutions.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from breedeval.arrays import Float64, freeze
from breedeval.kernels.threads import ThreadChoice, n_threads
from breedeval.kernels.vectors import next_direction, step, step_and_largest
from breedeval.operators import Preconditioner, SymmetricOperator
from breedeval.solvers.dot import dot
from breedeval.solvers.error_estimate import EbvEquations, ErrorEstimate
from breedeval.solvers.observation import MOST_EQUATIONS, Observation
from breedeval.solvers.result import Convergence, SolveResult, Status
from breedeval.solvers.rounding_floor import RoundingFloor
from breedeval.solvers.stopping import GOOD_RESIDUAL, StoppingRule

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
#: Where the true residual and the recurrence's differ by no more than this part of b, Ritz values of observing rounds do
#: not count: near the end rounding errors make some of their own.
ROUNDING_DRIFT = 1e-12
#: With a residual at the level of rounding, an EBV error below this is as good as double precision gives: the smallest
#: eigenvalue puts the bound far above the error.
GOOD_EBV_BOUND = 1e-6


@dataclass
class Recurrence:
    """Everything that PCG carries from one round to the next: from here it goes on to the same bits.

    Parameters
    ----------
    x, r, p
        (N,) solution, residual and next direction.
    rz, p_length
        r'M⁻¹r, and p'Mp as the recurrence has it.
    rounds
        Rounds so far.
    error
        The coefficients, and what they say of the error.
    history
        Criteria of each round.
    observed
        Rounds after these that were only observed.
    """

    x: Float64
    r: Float64
    p: Float64
    rz: float
    p_length: float
    rounds: int
    error: ErrorEstimate
    history: list[Convergence]
    observed: int = 0

    def advance(self, alpha: float, rz: float, largest: float) -> float:
        """Count a round by its step length, r'M⁻¹r after it and the largest change of an EBV; β of the next direction."""
        beta = rz / self.rz
        self.p_length = rz + beta * beta * self.p_length
        self.error.add(alpha, self.rz, beta, self.p_length, largest)
        self.rounds, self.rz = self.rounds + 1, rz
        return beta


#: Called at the end of a round with what PCG needs to go on; it may copy, and returns whether to stop here.
Keeper = Callable[[Recurrence], bool]


@dataclass(frozen=True)
class _Task:
    """What does not change from round to round."""

    operator: SymmetricOperator
    b: Float64
    starts_at_zero: bool
    preconditioner: Preconditioner
    rule: StoppingRule
    ebv_scale: float
    ebv: EbvEquations | None
    b_norm: float
    monitor: Monitor | None
    keeper: Keeper | None
    threads: ThreadChoice

    @property
    def is_limited(self) -> bool:
        """Whether `ebv_scale` limits the error of EBVs; in fixed groups nothing does."""
        return self.ebv is None or self.ebv.constrain is None


@dataclass(frozen=True)
class _Outcome:
    """How one run of the recurrence ended; `error` is what was observed of the error of EBVs, if anything."""

    status: Status
    change: float
    smallest: float
    error: float = math.nan


def pcg(
    operator: SymmetricOperator,
    b: Float64,
    preconditioner: Preconditioner,
    rule: StoppingRule | None = None,
    ebv_scale: float = math.nan,
    start: Float64 | None = None,
    monitor: Monitor | None = None,
    resume: Recurrence | None = None,
    keeper: Keeper | None = None,
    ebv: EbvEquations | None = None,
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
    resume
        Where an interrupted run of the same equations stood, instead of `start`; taken over and changed.
    keeper
        Given the state after every round, to write it down or to interrupt.
    ebv
        Where EBVs stand. Their largest changes make the estimate of their error much tighter than the energy norm alone does.

    Returns
    -------
    SolveResult
        Never raises for a numerical outcome: read ``status``. The verdict is from the true residual b − Cx.

    Notes
    -----
    One product with C, one with M⁻¹ and about 100 bytes of vector traffic an equation and round; five vectors of memory, and
    one or two more near the level of rounding.
    """
    began = time.perf_counter()
    b_norm, threads = math.sqrt(dot(b, b)) or 1.0, ThreadChoice(n_threads())
    rule, at_zero = rule or StoppingRule(), start is None and resume is None
    task = _Task(operator, b, at_zero, preconditioner, rule, ebv_scale, ebv, b_norm, monitor, keeper, threads)
    with threads:
        state = resume or _begin(task, np.zeros(len(b)) if start is None else np.array(start, dtype=np.float64), 0, [])
        state, status, final = _until_true(task, state)
    seconds = time.perf_counter() - began
    method = f"PCG with {preconditioner.name} preconditioner"
    return SolveResult(freeze(state.x), status, method, state.rounds, final, tuple(state.history), seconds, state.observed)


def _until_true(task: _Task, state: Recurrence) -> tuple[Recurrence, Status, Convergence]:
    """Iterate, again from the solution where the true residual is larger than the recurrence said; with the best criteria."""
    name, smallest, n_runs = task.rule.name, math.nan, 0
    best: tuple[Float64, Convergence] | None = None
    while True:
        outcome = _iterate(task, state)
        task.threads.end_rounds()
        smallest = float(np.fmin(smallest, outcome.smallest))
        final = _true_criteria(task, state, outcome, smallest)
        n_runs += 1
        if outcome.status not in (Status.CONVERGED, Status.STAGNATED):
            return state, outcome.status, final
        if final.of(name) <= task.rule.tolerance:
            return state, Status.CONVERGED, final
        gains = best is None or final.of(name) < RESTART_GAIN * best[1].of(name)
        if best is not None and not final.of(name) < best[1].of(name):
            state.x, final = best
        if n_runs > MAX_RESTARTS or not gains:
            return state, _verdict_at_the_end(final, task.rule), final
        best = (state.x.copy(), final)
        state = _begin(task, state.x, state.rounds, state.history)


def _verdict_at_the_end(final: Convergence, rule: StoppingRule) -> Status:
    """Of a solution that misses the tolerance and no longer becomes better."""
    exact = final.residual <= GOOD_RESIDUAL and rule.as_exact_as_double(final, GOOD_EBV_BOUND)
    return Status.ROUNDING_ERROR if exact else Status.STAGNATED


def _begin(task: _Task, x: Float64, rounds: int, history: list[Convergence]) -> Recurrence:
    """First direction from a guess."""
    at_zero = task.starts_at_zero and not rounds
    r = task.b.copy() if at_zero else task.b - task.operator.multiply(x)
    p = task.preconditioner.apply(r, np.empty_like(r))
    rz = dot(r, p)
    return Recurrence(x, r, p, rz, rz, rounds, ErrorEstimate(), history)


def _iterate(task: _Task, state: Recurrence) -> _Outcome:
    """Go on until the rule is met or nothing more can be done; `state` moves along."""
    rule, x, r, p = task.rule, state.x, state.r, state.p
    z, q = np.empty_like(r), np.empty_like(r)
    change, status = math.nan, Status.CONVERGED
    floor = _floor_of(state.rz) if task.starts_at_zero and not state.rounds else _floor(task.b, task.preconditioner, q)
    lowest = min((criteria.residual for criteria in state.history), default=math.inf)
    rounding = RoundingFloor(task.operator, task.b, task.preconditioner, lowest)
    seen: Observation | None = None
    while state.rz > floor:
        if state.rounds >= rule.max_rounds:
            status = Status.MAX_ROUNDS
            break
        task.threads.begin_round()
        task.operator.multiply(p, q)
        pq = dot(p, q)
        if not math.isfinite(pq) or pq <= NULL_CURVATURE * state.p_length:
            status = _negative_or_exhausted(pq, state.p_length, r, task.b_norm)
            break
        alpha = state.rz / pq
        rr, largest = _step(task.ebv, alpha, p, q, x, r)
        change = _relative_change(alpha, p, x, rule)
        task.preconditioner.apply(r, z)
        beta = state.advance(alpha, dot(r, z), largest)
        criteria = _criteria(state.error.conclude(task.ebv_scale, limited=task.is_limited), math.sqrt(rr) / task.b_norm, change)
        met, seen = _take_in(task, state, criteria, seen)
        if met:
            break
        next_direction(z, beta, p)
        task.threads.end_round()
        if seen is None and task.keeper is not None and task.keeper(state):
            status = Status.INTERRUPTED
            break
        if rounding.is_reached(state.rounds, criteria.residual, x, r, state.rz, (q, z)):
            status = Status.STAGNATED
            rounding.restore(x)
            break
    if not math.isfinite(state.rz):
        status = Status.NOT_FINITE
    elif state.rz < 0.0 and status is Status.CONVERGED:
        status = Status.NOT_POSITIVE
    outcome = _Outcome(status, change, state.error.smallest_eigenvalue())
    return outcome if seen is None else _conclude(task, state, outcome, seen)


def _take_in(
    task: _Task, state: Recurrence, criteria: Convergence, seen: Observation | None
) -> tuple[bool, Observation | None]:
    """Whether the rule is met; where that is still being observed, the observation."""
    if seen is not None:
        seen.add(criteria, state.error.latest_decrease)
        if not seen.is_enough(state.x):
            return False, seen
        if seen.error(state.x) <= task.rule.tolerance:
            return True, seen
    for told in [criteria] if seen is None else seen.later:
        _tell(task, state, told)
    if criteria.of(task.rule.name) > task.rule.tolerance:
        return False, None
    if task.rule.name != "ebv_error" or len(state.x) > MOST_EQUATIONS:
        return True, None
    return False, Observation(state.x, state.r, state.rounds, criteria.ebv_error, task.ebv, task.ebv_scale)


def _tell(task: _Task, state: Recurrence, criteria: Convergence) -> None:
    """Keep the criteria of a round and tell of them."""
    state.history.append(criteria)
    if task.monitor is not None:
        task.monitor(len(state.history), criteria)


def _conclude(task: _Task, state: Recurrence, outcome: _Outcome, seen: Observation) -> _Outcome:
    """Go back to the round that was observed if it is as good as was thought; otherwise the later ones count.

    Where rounding error or the number of rounds has ended the observation, it is judged by what was seen until then. Equations
    that prove not to be positive stay so, however good the round seemed.
    """
    error = seen.error(state.x, exact=outcome.status is Status.STAGNATED)
    last = seen.later[-1].residual if seen.later else math.nan
    broken = outcome.status in (Status.NOT_POSITIVE, Status.NOT_FINITE) and not last <= GOOD_RESIDUAL
    if broken or not error <= task.rule.tolerance:
        for told in seen.later:
            _tell(task, state, told)
        return outcome
    np.copyto(state.x, seen.x)
    np.copyto(state.r, seen.r)
    state.rounds, state.observed = seen.rounds, len(seen.later)
    return replace(outcome, status=Status.CONVERGED, error=error)


def _step(ebv: EbvEquations | None, alpha: float, p: Float64, q: Float64, x: Float64, r: Float64) -> tuple[float, float]:
    """One step of x and r in place; returns r'r and the largest change of an EBV in genetic standard deviations, or NaN."""
    if ebv is None:
        return float(step(alpha, p, q, x, r)), math.nan
    rr, largest = step_and_largest(alpha, p, q, x, r, ebv.first, ebv.end, ebv.inverse_sd)
    return float(rr), float(largest)


def _floor(b: Float64, preconditioner: Preconditioner, work: Float64) -> float:
    """The size r'M⁻¹r of a residual that is nothing but rounding error.

    Going on from there does harm where C is singular: what rounding leaves of r outside the range of C never gets smaller, and
    becomes the whole direction.
    """
    return _floor_of(dot(b, preconditioner.apply(b, work)))


def _floor_of(size: float) -> float:
    """The same, from b'M⁻¹b."""
    return float((4.0 * np.finfo(float).eps) ** 2 * abs(size))


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


def _true_criteria(task: _Task, state: Recurrence, outcome: _Outcome, smallest: float) -> Convergence:
    """Criteria from the true residual b − Cx.

    ‖x − x*‖²_C = r'C⁻¹r ≤ r'M⁻¹r / λ, λ the smallest eigenvalue of M⁻¹C that PCG has seen. That is far above the truth where λ
    is small. The error estimated by the recurrence, plus this bound for what the true residual has more than the recurrence's,
    is also above it; the smaller of the two counts. Where rounding error has ended the recurrence it tells of another x, and
    only the bound counts.
    """
    change = outcome.change
    r = task.b - task.operator.multiply(state.x)
    residual = math.sqrt(dot(r, r)) / task.b_norm
    z = task.preconditioner.apply(r, np.empty_like(r))
    rz = dot(r, z)
    if rz == 0.0:
        return _criteria(0.0 * task.ebv_scale, residual, change)
    if math.isnan(smallest) and rz <= _floor(task.b, task.preconditioner, np.empty_like(r)):
        smallest = UNSEEN_EIGENVALUE
    if not math.isfinite(rz):
        return _criteria(math.inf, residual, change)
    bound = _ebv_bound(task, z, rz, smallest)
    if outcome.status is Status.STAGNATED:
        return _criteria(bound, residual, change)
    drift = r - state.r
    if state.observed and math.sqrt(dot(drift, drift)) <= ROUNDING_DRIFT * task.b_norm:
        smallest = state.error.smallest_eigenvalue(without=state.observed)
    task.preconditioner.apply(drift, z)
    known = state.error.ebv_error() if math.isnan(outcome.error) else outcome.error
    estimated = known + _ebv_bound(task, z, dot(drift, z), smallest)
    return _criteria(float(np.fmax(np.fmin(bound, estimated), outcome.error)), residual, change)


def _ebv_bound(task: _Task, z: Float64, rz: float, smallest: float) -> float:
    """Bound of the error of EBVs that belongs to a residual r, from z = M⁻¹r and r'z.

    Combinations that fixed groups and records hardly tell apart are solved exactly by M⁻¹, so that z has their part of the
    error, as far as rounding errors of r let it: they may be as large as itself.
    """
    hardly_known = 0.0 if task.is_limited or task.ebv is None else 2.0 * task.ebv.largest(z)
    return hardly_known + _energy(rz, smallest) * task.ebv_scale


def _energy(size: float, smallest: float) -> float:
    """Bound of sqrt(r'C⁻¹r) from r'M⁻¹r."""
    if not smallest > 0.0 or not size >= 0.0:
        return math.inf
    return math.sqrt(size / smallest)
