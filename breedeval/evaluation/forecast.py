"""What the rest of a run will need, said before the solution begins: memory and time."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np

from breedeval.equations.triangle import FactorBytes, predict_factor_bytes
from breedeval.errors import MemoryShortError
from breedeval.evaluation.observer import Observer
from breedeval.evaluation.plan import BYTES_PER_ELEMENT
from breedeval.evaluation.problem import Problem
from breedeval.results.memory import available_memory_mib, resident_memory_mib
from breedeval.results.provenance import peak_memory_mib
from breedeval.solvers.head_start import head_start_bytes

#: Vectors of all equations that PCG keeps (x, r, p, z, q), its guess and a product's work.
PCG_VECTORS = 7
#: Vectors of all equations while results are collected and written: solutions, constraints, EBVs, their forms in the file.
RESULT_VECTORS = 6
#: Bytes that laying out a factor takes for each stored element of the equations: places, rows and columns of both triangles.
LAYOUT_BYTES = 25
#: What compiled loops, thread stacks and pages of libraries take when the solution first needs them, in MiB.
LIBRARIES_MIB = 12.0
#: Seconds of an incomplete factor's set-up and of one solution with it, in products with C.
SET_UP_PRODUCTS, APPLY_PRODUCTS = 60.0, 3.0
#: Rounds that PCG takes to the default rule, by preconditioner: seen on simulated populations of all sizes.
USUAL_ROUNDS = {"incomplete_cholesky": 27.0, "block": 280.0, "diagonal": 350.0}
#: Operations a second of a factorization; its inverse costs so many factorizations.
FACTOR_SPEED, INVERSE_COST = 3e9, 3.0
#: Largest share of the available memory that a run may be predicted to take.
MOST_OF_AVAILABLE = 1.0


@dataclass(frozen=True)
class Forecast:
    """Needs of a run from here on.

    Parameters
    ----------
    now_mib, peak_mib
        Resident memory now, and the largest so far.
    more_mib
        What solving and writing will take on top of what is resident now.
    seconds
        Solution and reliabilities; NaN if it was not asked for.
    """

    now_mib: float
    peak_mib: float
    more_mib: float
    seconds: float

    @property
    def highest_mib(self) -> float:
        """Largest resident memory of the whole run: reading and setting up count too."""
        return max(self.peak_mib, self.now_mib + self.more_mib)


def forecast(problem: Problem, *, timed: bool = False, starts: bool = False) -> Forecast:
    """Predict memory, and time if asked, of solving a problem that was set up; `starts` from older results, or from nothing."""
    more = max(_solution_bytes(problem, starts=starts), 8 * RESULT_VECTORS * problem.equations.order) / 2**20 + LIBRARIES_MIB
    seconds = _solution_seconds(problem) if timed else math.nan
    return Forecast(resident_memory_mib(), peak_memory_mib(), more, seconds)


def refuse_short_memory(needs: Forecast, problem: Problem, observer: Observer) -> None:
    """Refuse a solution that the memory at hand cannot hold, before it begins.

    Raises
    ------
    MemoryShortError
        Says what is needed, what is there, and what to do. Nothing is checked where the system does not say what it has.
    """
    available = available_memory_mib()
    if available is None:
        return
    observer.say(f"memory: about {needs.highest_mib:,.0f} MiB in all, {needs.more_mib:,.0f} more; {available:,.0f} available")
    if needs.more_mib <= MOST_OF_AVAILABLE * available:
        return
    raise MemoryShortError(
        f"The solution needs about {needs.more_mib:,.0f} MiB more memory, and {available:,.0f} MiB are available "
        f"({needs.now_mib:,.0f} are in use by this run). {_remedy(problem)}",
        needed_mib=needs.more_mib,
        available_mib=available,
    )


def _remedy(problem: Problem) -> str:
    """What to do, by what takes the memory."""
    plan, steps = problem.plan, []
    if plan.needs_factor:
        steps.append("set solver: method: pcg and accuracy: method: none, which need no factor")
    elif plan.preconditioner == "incomplete_cholesky":
        steps.append("set solver: preconditioner: block, which takes more rounds and less memory")
    steps.append("free memory or use a machine with more")
    text = ", or ".join(steps)
    return f"{text[0].upper()}{text[1:]}."


def _solution_bytes(problem: Problem, *, starts: bool) -> float:
    """Bytes on top of the equations."""
    plan = problem.plan
    n_bytes = 0.0
    if plan.needs_factor and problem.matrix is not None:
        elements = problem.size.elements if problem.size is not None else 0
        n_bytes += LAYOUT_BYTES * problem.matrix.nnz + BYTES_PER_ELEMENT * elements
    if plan.solver == "pcg":
        preconditioner, corrected = _preconditioner_bytes(problem), _corrected_bytes(problem)
        n_bytes += corrected + max(preconditioner.making, preconditioner.kept + _vector_bytes(problem, starts=starts))
    return n_bytes


def _vector_bytes(problem: Problem, *, starts: bool) -> float:
    """Vectors of PCG, with the slow directions that it keeps after a start, or the head start before if that takes more."""
    order, genetic = problem.equations.order, problem.equations.layout.genetic
    if not starts or genetic is None or problem.plan.preconditioner != "incomplete_cholesky":
        return 8.0 * PCG_VECTORS * order
    n_slow = genetic.n_columns
    return float(max(8 * (PCG_VECTORS + 3 * n_slow) * order, head_start_bytes(order, n_slow)))


def _preconditioner_bytes(problem: Problem) -> FactorBytes:
    equations = problem.equations
    if problem.plan.preconditioner == "incomplete_cholesky":
        return predict_factor_bytes(equations)
    if problem.plan.preconditioner == "block":
        elements = sum(block.n_equations * block.n_columns for block in equations.layout.blocks)
        return FactorBytes(16 * elements, 8 * elements)
    return FactorBytes(8 * equations.order, 8 * equations.order)


def _corrected_bytes(problem: Problem) -> float:
    """Directions that are solved exactly beside the preconditioner: these, side by side and apart, and what C makes of them."""
    n = problem.dependencies.null_space.nearly.shape[1] + problem.dependencies.shifts.shape[1]
    return 24.0 * float(n * problem.equations.order)


def _solution_seconds(problem: Problem) -> float:
    """Time to solve, from that of a product with C on this machine now."""
    plan, seconds = problem.plan, 0.0
    if plan.needs_factor and problem.size is not None:
        inverse = INVERSE_COST if plan.accuracy == "exact" else 0.0
        seconds += (1.0 + inverse) * problem.size.operations / FACTOR_SPEED
    if plan.solver == "pcg":
        product = _seconds_of_a_product(problem)
        incomplete = plan.preconditioner == "incomplete_cholesky"
        rounds = USUAL_ROUNDS[plan.preconditioner]
        seconds += product * (
            rounds * (1.0 + (APPLY_PRODUCTS if incomplete else 0.3)) + (SET_UP_PRODUCTS if incomplete else 2.0)
        )
    return seconds


def _seconds_of_a_product(problem: Problem) -> float:
    x = np.ones(problem.equations.order)
    out = np.empty_like(x)
    problem.equations.multiply(x, out)
    began = time.perf_counter()
    for _ in range(3):
        problem.equations.multiply(x, out)
    return (time.perf_counter() - began) / 3
