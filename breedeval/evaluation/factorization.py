"""The factor of a run, and how it goes on where there is none."""

from __future__ import annotations

from dataclasses import replace

from breedeval.errors import NotPositiveDefiniteError
from breedeval.evaluation.config import EvaluationConfig
from breedeval.evaluation.observer import Observer
from breedeval.evaluation.plan import without_factor
from breedeval.evaluation.problem import Problem
from breedeval.model.places import show_in
from breedeval.results.provenance import StageClock
from breedeval.solvers.factor import Factor
from breedeval.solvers.factorization import factorize


def factor_of(problem: Problem) -> Factor:
    """Factor of C on the kept equations.

    Raises
    ------
    NotPositiveDefiniteError
        If a pivot is not positive. Fact ``row``: which of the kept equations.
    """
    if problem.matrix is None:
        raise AssertionError("the equations are not explicit")
    factor = factorize(problem.matrix, problem.order)
    return factor if problem.substitution is None else problem.substitution.factorization(factor)


def factorize_as_planned(
    config: EvaluationConfig, problem: Problem, clock: StageClock, observer: Observer
) -> tuple[Problem, Factor | None]:
    """Factorize the equations if the plan wants it; where that fails and the user left the choice, plan without a factor.

    Returns
    -------
    problem, factor
        The problem, with another plan where the factorization failed; None without a factor.

    Raises
    ------
    NotPositiveDefiniteError
        If a pivot is not positive and the configuration asks for a direct solution or for exact reliabilities: naming the
        equation, and the place of its term in the formula.
    """
    if not problem.plan.needs_factor or problem.matrix is None:
        return problem, None
    observer.stage("factorizing")
    try:
        with clock.stage("factorization"):
            return problem, factor_of(problem)
    except NotPositiveDefiniteError as error:
        row = int(error.facts["row"])
        layout, equation = problem.equations.layout, int(problem.kept[row])
        label = layout.labels([equation])[0]
        failed = f"the factorization failed: the pivot of {label} is not positive"
        if config.solver.method == "direct" or config.accuracy.method == "exact":
            raise NotPositiveDefiniteError(
                f"The equations cannot be solved as configured: {failed}. Other effects of the model nearly determine this "
                "one, or a (co)variance matrix is hardly positive definite. Center covariates that are far from zero, take "
                "legendre() in place of powers, take fewer coefficients, or take the term out; or leave the choice to the "
                f"program (solver: method: auto), which then iterates.{show_in(config.spec, layout.owner(equation).name)}",
                row=row,
                equation=label,
            ) from error
        plan = without_factor(problem.plan, failed)
        observer.warn("; ".join(plan.reasons))
        return replace(problem, plan=plan), None
