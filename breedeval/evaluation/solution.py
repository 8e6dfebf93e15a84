"""Second half of a run: equations, their solution, reliabilities."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array

from breedeval.accuracy.exact import prediction_error_variance
from breedeval.arrays import Float64, Int32, Int64
from breedeval.equations.estimability import Estimability, describe_estimability, preferred_constraints
from breedeval.equations.mme import MixedModelEquations, build_equations
from breedeval.equations.ordering import elimination_order
from breedeval.equations.solutions import Solutions
from breedeval.errors import NotConvergedError, count_of
from breedeval.evaluation.config import EvaluationConfig
from breedeval.evaluation.inputs import Inputs
from breedeval.evaluation.observer import Observer
from breedeval.evaluation.plan import Plan, choose_plan, may_factorize, predict_factor
from breedeval.results.provenance import StageClock
from breedeval.solvers.direct import solve_direct
from breedeval.solvers.factorization import Factorization, factorize
from breedeval.solvers.null_space import NullSpace, find_null_space
from breedeval.solvers.pcg import pcg
from breedeval.solvers.preconditioners import BlockPreconditioner, DiagonalPreconditioner
from breedeval.solvers.result import Convergence, SolveResult
from breedeval.solvers.stopping import StoppingRule


@dataclass(frozen=True)
class Problem:
    """The equations, ready to be solved.

    Parameters
    ----------
    equations
        C and b.
    null_space, estimability
        Dependent fixed effects, and what that means for a user.
    kept
        (k,) equations that are not constrained to zero.
    matrix, order
        Explicit C on the kept equations and its elimination order; None where it is too large to be factorized.
    n_elements
        Predicted elements of the factor; −1 if not known.
    plan
        How to go on.
    ebv_scale
        Largest sqrt(1 + F).
    """

    equations: MixedModelEquations
    null_space: NullSpace
    estimability: tuple[Estimability, ...]
    kept: Int64
    matrix: csc_array | None
    order: Int64 | None
    n_elements: int
    plan: Plan
    ebv_scale: float


@dataclass(frozen=True)
class Solved:
    """Solutions of all effects, how they were reached, and their PEV (N,) or None."""

    solutions: Solutions
    solve: SolveResult
    pev: Float64 | None


def set_up(config: EvaluationConfig, inputs: Inputs, clock: StageClock, observer: Observer) -> Problem:
    """Build the equations, find dependent fixed effects, and choose how to solve."""
    observer.stage("setting up the equations")
    with clock.stage("equations"):
        equations = build_equations(inputs.design, inputs.variances, inputs.a_inverse)
    observer.say(_size_line(equations))
    with clock.stage("dependencies"):
        null_space = _null_space(equations, inputs)
        estimability = describe_estimability(equations.layout, null_space.constrained, null_space.basis)
    if null_space.dimension:
        observer.say(f"fixed effects: {count_of(null_space.dimension, 'dependency', 'dependencies')}")
    for effect in estimability:
        observer.say(f"fixed effects: {effect.sentence()}")
    kept = np.setdiff1d(np.arange(equations.order), null_space.constrained)
    matrix, order, size = None, None, None
    if may_factorize(config.solver, config.accuracy, equations.order):
        with clock.stage("explicit equations"):
            matrix = csc_array(equations.to_csr()[kept][:, kept])
            order = _kept_order(equations, inputs, kept)
            size = predict_factor(matrix, order, limited="auto" in (config.solver.method, config.accuracy.method))
    has_genetic = equations.layout.genetic is not None
    plan = choose_plan(config.solver, config.accuracy, equations.order, size, has_genetic)
    for reason in plan.reasons:
        observer.say(reason)
    scale = math.nan if inputs.inbreeding is None else math.sqrt(1.0 + float(inputs.inbreeding.coefficients.max(initial=0.0)))
    n_elements = -1 if size is None else size.elements
    return Problem(equations, null_space, estimability, kept, matrix, order, n_elements, plan, scale)


def solve(config: EvaluationConfig, problem: Problem, clock: StageClock, observer: Observer) -> Solved:
    """Solve the equations and compute PEV as planned.

    Raises
    ------
    NotConvergedError
        The one place that decides that a solution is not good enough.
    """
    factor: Factorization | None = None
    if problem.plan.needs_factor and problem.matrix is not None:
        observer.stage("factorizing")
        with clock.stage("factorization"):
            factor = factorize(problem.matrix, problem.order)
    rule = stopping_rule(config, has_genetic=not math.isnan(problem.ebv_scale))
    observer.stage("solving")
    with clock.stage("solution"):
        result = _solve(problem, factor, rule, observer)
    observer.say(f"solution: {result.sentence()}")
    if not result.status.is_good:
        raise NotConvergedError(f"The equations are not solved well enough. {result.sentence()} Nothing was written.")
    pev = None
    if factor is not None and problem.plan.accuracy == "exact":
        observer.stage("computing reliabilities")
        with clock.stage("reliabilities"):
            pev = prediction_error_variance(factor.lower_factor(), problem.kept, problem.equations.order)
    values = _constrained_solution(problem, result.solution)
    return Solved(Solutions.of(problem.equations.layout, values, problem.null_space.constrained), result, pev)


def stopping_rule(config: EvaluationConfig, *, has_genetic: bool) -> StoppingRule:
    """The rule of the configuration; without a genetic effect there is no EBV, and the residual takes its place."""
    section = config.solver
    if section.stop == "ebv_error" and not has_genetic:
        return StoppingRule("residual", 1e-9, section.max_rounds)
    return StoppingRule(section.stop, section.stop_tolerance, section.max_rounds)


def _solve(problem: Problem, factor: Factorization | None, rule: StoppingRule, observer: Observer) -> SolveResult:
    equations = problem.equations
    if problem.plan.solver == "direct" and factor is not None:
        return solve_direct(equations, equations.right_hand_side, factor, problem.kept, rule, problem.ebv_scale)
    observer.say(f"solver: {problem.plan.preconditioner} preconditioner, {rule.sentence()}")
    preconditioner: BlockPreconditioner | DiagonalPreconditioner
    if problem.plan.preconditioner == "block":
        preconditioner = BlockPreconditioner.of([equations.diagonal_blocks(b) for b in equations.layout.blocks])
    else:
        preconditioner = DiagonalPreconditioner.of(equations.diagonal())

    def monitor(rounds: int, criteria: Convergence) -> None:
        observer.round(rounds, criteria, rule)

    return pcg(equations, equations.right_hand_side, preconditioner, rule, problem.ebv_scale, monitor=monitor)


def _constrained_solution(problem: Problem, solution: Float64) -> Float64:
    """Of all solutions with the same fit, the one with the constrained levels at zero: the same from every solver."""
    n_fixed = sum(block.n_equations for block in problem.equations.layout.fixed)
    moved = solution.copy()
    moved[:n_fixed] = problem.null_space.to_constraints(solution[:n_fixed])
    return moved


def _null_space(equations: MixedModelEquations, inputs: Inputs) -> NullSpace:
    n_fixed = sum(block.n_equations for block in equations.layout.fixed)
    observed = inputs.design.observed.ravel()
    x = equations.incidence.fixed_csr(n_fixed)[np.flatnonzero(observed)]
    return find_null_space(x, preferred_constraints(equations.layout))


def _kept_order(equations: MixedModelEquations, inputs: Inputs, kept: Int64) -> Int64:
    """Elimination order of the kept equations, as rows of the kept matrix."""
    none: Int32 = np.empty(0, dtype=np.int32)
    sire, dam = (none, none) if inputs.built is None else (inputs.built.pedigree.sire, inputs.built.pedigree.dam)
    order = elimination_order(equations.layout, sire, dam)
    new_row = np.full(equations.order, -1, dtype=np.int64)
    new_row[kept] = np.arange(len(kept))
    return new_row[order][new_row[order] >= 0]


def _size_line(equations: MixedModelEquations) -> str:
    parts = ", ".join(
        f"{b.name} {b.n_levels:,}" + (f" × {b.n_columns}" if b.n_columns > 1 else "") for b in equations.layout.blocks
    )
    return f"equations: {equations.order:,} ({parts})"
