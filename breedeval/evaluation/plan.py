"""How to solve and how to get reliabilities: chosen from the size of the equations, and said aloud."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from scipy.sparse import csc_array

from breedeval.arrays import Int64
from breedeval.errors import count_of
from breedeval.evaluation.config_sections import AccuracySection, SolverSection
from breedeval.solvers.elimination_order import FactorSize, better_order

#: Above so many equations the explicit matrix is not even formed to look at it.
MAX_EQUATIONS = 400_000
#: Largest factor (elements of L) that is made without being asked for; see `BYTES_PER_ELEMENT`.
MAX_ELEMENTS = 100_000_000
#: Most multiplications for a factor that is made without being asked for: a minute or two with the inverse.
MAX_OPERATIONS = 5e11
#: From so many equations on an incomplete Cholesky factor is worth its set-up.
WORTH_INCOMPLETE = 2_000
#: Memory an element of L takes in all: its value and that of the inverse, and some zeros that dense blocks hold.
BYTES_PER_ELEMENT = 20

Preconditioning = Literal["incomplete_cholesky", "block", "diagonal"]


@dataclass(frozen=True)
class Plan:
    """What will be done.

    Parameters
    ----------
    solver
        ``pcg`` or ``direct``.
    preconditioner
        Of PCG.
    accuracy
        ``exact`` or ``none``.
    reasons
        Why, in sentences.
    """

    solver: Literal["pcg", "direct"]
    preconditioner: Preconditioning
    accuracy: Literal["exact", "none"]
    reasons: tuple[str, ...]

    @property
    def needs_factor(self) -> bool:
        """Whether the explicit equations are factorized."""
        return self.solver == "direct" or self.accuracy == "exact"


def may_factorize(solver: SolverSection, accuracy: AccuracySection, n_equations: int) -> bool:
    """Whether the factor's size is worth looking at."""
    if solver.method == "direct" or accuracy.method == "exact":
        return True
    wanted = solver.method == "auto" or accuracy.method == "auto"
    return wanted and n_equations <= MAX_EQUATIONS


def choose_plan(
    solver: SolverSection, accuracy: AccuracySection, n_equations: int, size: FactorSize | None, has_genetic: bool
) -> Plan:
    """Choose solver and accuracy.

    Parameters
    ----------
    size
        Predicted size of the factor; None if it was not looked at because there are too many equations.
    """
    fits = size is not None and 0 <= size.elements <= MAX_ELEMENTS and size.operations <= MAX_OPERATIONS
    why = _describe(n_equations, size, fits)
    wants_exact = accuracy.method == "exact" or (accuracy.method == "auto" and fits and has_genetic)
    chosen = "direct" if solver.method == "direct" or (solver.method == "auto" and fits) else "pcg"
    reasons = [f"solver: {chosen} ({'as configured' if solver.method != 'auto' else 'auto: ' + why})"]
    if chosen == "direct" and solver.preconditioner != "auto":
        reasons.append(f"preconditioner: {solver.preconditioner} is not used, a direct solution needs none")
    if has_genetic or accuracy.method == "exact":
        method = "exact" if wants_exact else "none"
        given = "as configured" if accuracy.method != "auto" else "auto: " + why
        reasons.append(f"reliabilities: {method} ({given})")
    return Plan(
        "direct" if chosen == "direct" else "pcg",
        planned_preconditioner(solver, n_equations),
        "exact" if wants_exact else "none",
        tuple(reasons),
    )


def without_factor(plan: Plan, failed: str) -> Plan:
    """The plan to go on with where the factorization `failed`, which says why: PCG, no reliabilities."""
    reasons = [f"solver: pcg with the {plan.preconditioner} preconditioner ({failed})"]
    reasons += [reason for reason in plan.reasons if not reason.startswith(("solver:", "preconditioner:", "reliabilities:"))]
    if plan.accuracy == "exact":
        reasons.append("reliabilities: none (there is no factor)")
    return replace(plan, solver="pcg", accuracy="none", reasons=tuple(reasons))


def planned_preconditioner(solver: SolverSection, n_equations: int) -> Preconditioning:
    """As configured, or by the size."""
    if solver.preconditioner != "auto":
        return solver.preconditioner
    return "incomplete_cholesky" if n_equations >= WORTH_INCOMPLETE else "block"


def choose_order(matrix: csc_array, order: Int64, *, limited: bool) -> tuple[Int64, FactorSize, str]:
    """Elimination order of the kept equations, the size of its factor, and a sentence on the choice.

    Counting gives up at the limit unless the user asked for the factor.
    """
    chosen, size, is_given = better_order(matrix, order, MAX_ELEMENTS if limited else 2**62)
    name = "the pedigree and the blocks of equations" if is_given else "minimum degree"
    return chosen, size, f"elimination order: by {name}, which makes the smaller factor"


def _describe(n_equations: int, size: FactorSize | None, fits: bool) -> str:
    if size is None:
        return f"{count_of(n_equations, 'equation')}, too many to factorize"
    if size.elements < 0:
        return f"a factor of more than {MAX_ELEMENTS:,} elements"
    text = f"a factor of some {size.elements:,} elements, {size.elements * BYTES_PER_ELEMENT / 1e9:.2g} GB"
    return text + (" fits" if fits else " is too large")
