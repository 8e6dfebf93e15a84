"""The table ``explicit`` of scripts/bench/solve: against the conjugate gradients of scipy, to the same true error."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from scipy.sparse import block_diag, csr_array, diags_array, eye_array
from scipy.sparse.linalg import cg
from solve_cases import CASES, genetic_sd, make_equations
from solve_rounds import TrueError, count_rounds, count_rounds_of_scipy

import breedeval as be
from breedeval.equations.mme import MixedModelEquations
from breedeval.equations.triangle import assemble_lower_triangle
from breedeval.solvers.incomplete_cholesky import IncompleteCholesky
from breedeval.solvers.pcg import pcg
from breedeval.solvers.stopping import StoppingRule

#: Each set-up and each solve is timed so often, and the least counts; those that take longer than so many seconds only once.
TIMES, LONG = 3, 10.0


def explicit(options: argparse.Namespace) -> None:
    """Against scipy's conjugate gradients with the diagonal on the explicit matrix, to the same true error of EBVs."""
    equations, variances = make_equations(CASES["repeatability"], options.animals or 100_000, options.seed)
    b = equations.right_hand_side
    print(
        f"repeatability, {equations.order:,} equations, {numba.get_num_threads()} threads, error {options.error:g} genetic SD"
    )
    factor = set_up(equations)
    truth = pcg(equations, b, factor, StoppingRule("residual_squared", 1e-26, 500)).solution

    def watch() -> TrueError:
        return TrueError(equations, truth, genetic_sd(variances), options.error)

    of_ours = watch()
    count_rounds(equations, factor, of_ours)
    del factor
    rule = StoppingRule("residual_squared", 0.0, of_ours.met)
    ours = timed(lambda: set_up(equations)), timed(lambda made: pcg(equations, b, made, rule), set_up(equations))
    of_scipy, scipys = run_scipy(equations, watch())
    for name, counted, (first, second) in (("ours", of_ours, ours), ("scipy", of_scipy, scipys)):
        print(
            f"{name:5}  {counted.met:4} rounds, error {counted.error:.1e} genetic SD; set-up {first[0]:.2f} s "
            f"(CPU {first[1]:.2f}), rounds {second[0]:.2f} s (CPU {second[1]:.2f}), together {first[0] + second[0]:.2f} s"
        )
    together = ours[0][0] + ours[1][0]
    print(f"scipy takes {(scipys[0][0] + scipys[1][0]) / together:.1f} times as long, set-up of both included")
    print(f"its rounds alone take {scipys[1][0] / together:.1f} times as long as our set-up and rounds together")


def set_up(equations: MixedModelEquations) -> IncompleteCholesky:
    return IncompleteCholesky.of(assemble_lower_triangle(equations))


def timed(work: Callable[..., Any], *arguments: Any) -> tuple[float, float]:
    """Least wall-clock seconds of several times, and the least CPU seconds."""
    found: list[tuple[float, float]] = []
    while len(found) < TIMES and not any(wall > LONG for wall, _ in found):
        wall, cpu = time.perf_counter(), time.process_time()
        made = work(*arguments)
        found.append((time.perf_counter() - wall, time.process_time() - cpu))
        del made
    return min(wall for wall, _ in found), min(cpu for _, cpu in found)


def run_scipy(equations: MixedModelEquations, watch: TrueError) -> tuple[TrueError, tuple[tuple[float, float], ...]]:
    """Rounds that scipy needs, and its seconds (wall clock, CPU) of set-up and of so many rounds."""
    b, (matrix, inverse) = equations.right_hand_side, set_up_scipy(equations)
    x = np.random.default_rng(1).normal(size=len(b))
    ours = equations.multiply(x)
    if not np.allclose(matrix @ x, ours, rtol=1e-9, atol=1e-9 * float(np.abs(ours).max())):
        raise SystemExit("the explicit matrix is another one")
    count_rounds_of_scipy(matrix, b, inverse, watch)
    rounds = timed(lambda: cg(matrix, b, rtol=0.0, maxiter=watch.met, M=inverse))
    return watch, (timed(lambda: set_up_scipy(equations)), rounds)


def set_up_scipy(equations: MixedModelEquations) -> tuple[csr_array, Any]:
    """The matrix of a model of one trait and the inverse of its diagonal, as a user of scipy makes them.

    Given are the level of each record in each effect, parents, and Mendelian variances, as to our own set-up.
    """
    w, precision = equations.incidence, float(equations.residual.inverses[0, 0, 0])
    n_records, n_terms = w.first.shape
    values = np.ones((n_records, n_terms))
    for term, slots in enumerate(w.by_term):
        if slots.covariate[0] >= 0:
            values[:, term] = w.covariates[:, slots.covariate[0]]
    pointer = np.arange(0, n_records * n_terms + 1, n_terms, dtype=np.int32)
    design = csr_array((values.ravel(), w.first.ravel(), pointer), shape=(n_records, equations.order))
    data = precision * (design.T @ design)
    blocks = [csr_array((block.n_equations, block.n_equations)) for block in equations.layout.fixed]
    for penalty in equations.penalties:
        inverse = penalty.relationship_inverse
        related = a_inverse(inverse) if isinstance(inverse, be.NumeratorInverse) else eye_array(penalty.block.n_levels)
        blocks.append(float(penalty.covariance_inverse[0, 0]) * related)
    matrix = csr_array(data + block_diag(blocks, format="csr"))
    return matrix, diags_array(1.0 / matrix.diagonal())


def a_inverse(inverse: be.NumeratorInverse) -> csr_array:
    """(I − P)' D⁻¹ (I − P) by products of sparse matrices (Henderson 1976)."""
    n = len(inverse.sire)
    rows, parents = np.tile(np.arange(n), 2), np.concatenate([inverse.sire, inverse.dam])
    known = parents >= 0
    halves = csr_array((np.full(known.sum(), -0.5), (rows[known], parents[known])), shape=(n, n))
    mendelian = csr_array(halves + eye_array(n))
    return csr_array(mendelian.T @ diags_array(inverse.precision) @ mendelian)
