"""Second half of a run, second step: the solution of the equations, reliabilities."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from breedeval.accuracy.exact import contrast_variance, prediction_error_variance
from breedeval.accuracy.groups import deviation_pev
from breedeval.arrays import Float64
from breedeval.equations.solutions import Solutions
from breedeval.errors import NotConvergedError, count_of
from breedeval.evaluation.checkpoint import Checkpoints
from breedeval.evaluation.config import EvaluationConfig
from breedeval.evaluation.observer import Observer
from breedeval.evaluation.plan import Preconditioning
from breedeval.evaluation.preconditioning import build_preconditioner
from breedeval.evaluation.problem import Problem
from breedeval.operators import Preconditioner
from breedeval.relationship.metafounders import group_shares
from breedeval.results.provenance import StageClock
from breedeval.solvers.direct import solve_direct
from breedeval.solvers.factor import Factor, SelectedInverse
from breedeval.solvers.head_start import SWEEPS, head_start
from breedeval.solvers.pcg import pcg
from breedeval.solvers.result import Convergence, SolveResult
from breedeval.solvers.stopping import StoppingRule


@dataclass(frozen=True)
class Solved:
    """Solutions of all effects, how they were reached, their PEV (N,) or None, and PEV (q, n) of the published functions."""

    solutions: Solutions
    solve: SolveResult
    pev: Float64 | None
    contrast_pev: Float64 | None


@dataclass(frozen=True)
class LongRun:
    """What a long iterative solution begins from, and where it writes its checkpoints.

    Parameters
    ----------
    start
        (N,) first guess, or None.
    checkpoint
        File, or None.
    slow
        (N, c) directions that PCG would find last, or None.
    """

    start: Float64 | None = None
    checkpoint: Path | None = None
    slow: Float64 | None = None


def solve(
    config: EvaluationConfig,
    problem: Problem,
    factor: Factor | None,
    clock: StageClock,
    observer: Observer,
    long_run: LongRun | None = None,
) -> Solved:
    """Solve the equations and compute PEV as planned, with a factor from `breedeval.evaluation.factorization` if there is one.

    Raises
    ------
    NotConvergedError
        The one place that decides that a solution is not good enough.
    InterruptedRunError
        If the user stopped the solver; the checkpoint is written.
    """
    rule = stopping_rule(config, has_genetic=not math.isnan(problem.ebv_scale))
    preconditioner: Preconditioner | None = None
    if problem.plan.solver == "pcg":
        observer.say(f"solver: {_words(problem.plan.preconditioner)} preconditioner, {rule.sentence()}")
        observer.stage("setting up the preconditioner")
        with clock.stage("preconditioner"):
            nearly = problem.dependencies.nearly(problem.equations.order)
            preconditioner = build_preconditioner(problem.plan.preconditioner, problem.equations, nearly, observer)
            if long_run is not None:
                long_run, preconditioner = _with_head_start(problem, preconditioner, long_run, observer)
    observer.stage("solving")
    with clock.stage("solution"):
        result = _solve(config, problem, factor, preconditioner, rule, observer, long_run or LongRun())
    observer.say(f"solution: {result.sentence()}")
    if not result.status.is_good:
        raise NotConvergedError(f"The equations are not solved well enough. {result.sentence()} Nothing was written.")
    pev = contrast_pev = None
    if factor is not None and problem.plan.accuracy == "exact":
        observer.stage("computing reliabilities")
        with clock.stage("reliabilities"):
            inverse = factor.inverse_on_pattern()
            pev = _pev(problem, factor, inverse) * problem.units**2
            contrast_pev = _contrast_pev(problem, factor, inverse)
    values = problem.dependencies.to_constraints(result.solution) * problem.units
    return Solved(Solutions.of(problem.equations.layout, values, problem.dependencies.constrained), result, pev, contrast_pev)


def _with_head_start(
    problem: Problem, preconditioner: Preconditioner, long_run: LongRun, observer: Observer
) -> tuple[LongRun, Preconditioner]:
    """A better first guess, and a preconditioner that is not slow in the directions that a first guess leaves."""
    if long_run.start is None or long_run.slow is None or not long_run.slow.shape[1]:
        return long_run, preconditioner
    equations = problem.equations
    guess = (long_run.start, long_run.slow)
    start, balanced = head_start(equations, equations.right_hand_side, preconditioner, *guess)
    if not balanced.space.n:
        observer.say(f"start: brought forward by {SWEEPS} steps before the first round; no direction is slow")
        return replace(long_run, start=start), preconditioner
    directions = count_of(balanced.space.n, "slow direction")
    observer.say(f"start: brought forward by {SWEEPS} steps before the first round, together with {directions}")
    return replace(long_run, start=start), balanced


def _pev(problem: Problem, factor: Factor, inverse: SelectedInverse) -> Float64:
    """PEV of every equation; of animals in fixed groups, that of the deviation from the groups."""
    pev = prediction_error_variance(inverse, problem.kept, problem.equations.order)
    genetic, pedigree = problem.dependencies.genetic, problem.dependencies.pedigree
    if genetic is None or pedigree is None:
        return pev
    shares, n = group_shares(pedigree), pedigree.n_animals
    number = genetic.view(np.arange(problem.equations.order))
    for j in range(genetic.n_columns):
        animals, groups = number[:n, [j]], number[n:, [j]]
        pev[animals[:, 0]] = deviation_pev(factor, problem.kept, animals, groups, np.ones(1), shares, pev[animals[:, 0]])
    return pev


def _contrast_pev(problem: Problem, factor: Factor, inverse: SelectedInverse) -> Float64 | None:
    """PEV (q, n) of the published functions; in fixed groups, that of the deviation from the groups."""
    equations = problem.animal_equations
    if equations is None or not len(problem.contrasts):
        return None
    pev = contrast_variance(inverse, np.searchsorted(problem.kept, equations), problem.contrasts)
    genetic, pedigree = problem.dependencies.genetic, problem.dependencies.pedigree
    if genetic is None or pedigree is None:
        return pev
    groups = genetic.view(np.arange(problem.equations.order))[pedigree.n_animals :]
    shares = group_shares(pedigree)
    for j, weights in enumerate(problem.contrasts):
        pev[j] = deviation_pev(factor, problem.kept, equations, groups, weights, shares, pev[j])
    return pev


def stopping_rule(config: EvaluationConfig, *, has_genetic: bool) -> StoppingRule:
    """The rule of the configuration; without a genetic effect there is no EBV, and the residual takes its place."""
    section = config.solver
    if section.stop == "ebv_error" and not has_genetic:
        return StoppingRule("residual", 1e-9, section.max_rounds)
    return StoppingRule(section.stop, section.stop_tolerance, section.max_rounds)


def _solve(
    config: EvaluationConfig,
    problem: Problem,
    factor: Factor | None,
    preconditioner: Preconditioner | None,
    rule: StoppingRule,
    observer: Observer,
    long_run: LongRun,
) -> SolveResult:
    equations = problem.equations
    b = equations.right_hand_side
    if preconditioner is None:
        if factor is None:
            raise AssertionError("a direct solution without a factor")
        return solve_direct(equations, b, factor, problem.kept, rule, problem.ebv_scale)
    minutes = config.solver.checkpoint_minutes
    checkpoints = Checkpoints.of_equations(long_run.checkpoint, minutes, equations, b, preconditioner, observer)
    resume = checkpoints.resume()

    def monitor(rounds: int, criteria: Convergence) -> None:
        observer.round(rounds, criteria, rule)

    with checkpoints.listening():
        begin = (long_run.start, monitor, resume, checkpoints.keep)
        result = pcg(equations, b, preconditioner, rule, problem.ebv_scale, *begin, ebv=problem.ebv)
    checkpoints.refuse_unfinished(result)
    if result.status.is_good:
        checkpoints.remove()
    return result


def _words(preconditioning: Preconditioning) -> str:
    return {"incomplete_cholesky": "incomplete Cholesky"}.get(preconditioning, preconditioning)
