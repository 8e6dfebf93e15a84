"""Direct solution with a sparse factor, refined and judged by the true residual."""

from __future__ import annotations

import math
import time

import numpy as np

from breedeval.arrays import Float64, Int64, freeze
from breedeval.operators import SymmetricOperator
from breedeval.solvers.factor import Factor
from breedeval.solvers.result import Convergence, SolveResult, Status
from breedeval.solvers.stopping import StoppingRule

#: Steps of iterative refinement at most; each costs a product and two triangular solves.
MAX_REFINEMENTS = 3


def solve_direct(
    operator: SymmetricOperator,
    b: Float64,
    factor: Factor,
    kept: Int64,
    rule: StoppingRule | None = None,
    ebv_scale: float = math.nan,
) -> SolveResult:
    """Solve C x = b where the factor is that of C on the `kept` equations; the others are zero.

    Parameters
    ----------
    operator, b
        C (N, N) and b (N,).
    factor
        Factorization of C[kept][:, kept].
    kept
        (k,) equations that are not constrained to zero.
    rule
        Its tolerance is the verdict's; refinement goes on to rounding error in any case.
    ebv_scale
        Largest sqrt(1 + F); see `breedeval.solvers.pcg.pcg`.
    """
    rule = rule or StoppingRule()
    began = time.perf_counter()
    x = np.zeros(len(b))
    b_norm = float(np.linalg.norm(b)) or 1.0
    best = math.inf
    for _ in range(1 + MAX_REFINEMENTS):
        r = b - operator.multiply(x)
        size = float(np.linalg.norm(r)) / b_norm
        if not size < 0.5 * best:
            break
        best = size
        x[kept] += factor.solve(r[kept])
    final = _criteria(operator, b, factor, kept, x, b_norm, ebv_scale)
    seconds = time.perf_counter() - began
    return SolveResult(freeze(x), _verdict(final, rule), f"direct ({factor.engine})", 0, final, (), seconds)


def _verdict(final: Convergence, rule: StoppingRule) -> Status:
    """Whether the rule is met, and if not, whether the solution is as good as double precision allows."""
    if not math.isfinite(final.residual):
        return Status.NOT_FINITE
    if final.of(rule.name) <= rule.tolerance:
        return Status.CONVERGED
    return Status.ROUNDING_ERROR if rule.as_exact_as_double(final) else Status.STAGNATED


def _criteria(
    operator: SymmetricOperator,
    b: Float64,
    factor: Factor,
    kept: Int64,
    x: Float64,
    b_norm: float,
    ebv_scale: float,
) -> Convergence:
    r = b - operator.multiply(x)
    residual = float(np.linalg.norm(r)) / b_norm
    energy = math.sqrt(max(float(r[kept] @ factor.solve(r[kept])), 0.0))
    return Convergence(energy * ebv_scale, residual, residual * residual, math.nan)
