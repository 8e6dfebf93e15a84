"""The preconditioner of a run: as planned, or the next best one, and said aloud."""

from __future__ import annotations

import time

from breedeval.arrays import Float64
from breedeval.equations.mme import MixedModelEquations
from breedeval.equations.triangle import assemble_lower_triangle
from breedeval.errors import count_of
from breedeval.evaluation.observer import Observer
from breedeval.evaluation.plan import Preconditioning
from breedeval.kernels.columns import MOST_NUMBERS
from breedeval.operators import Preconditioner
from breedeval.solvers.incomplete_cholesky import IncompleteCholesky
from breedeval.solvers.preconditioners import BlockPreconditioner, CorrectedPreconditioner, DiagonalPreconditioner

#: Shares by which the diagonal is raised in turn when a pivot fails.
SHIFTS = (0.0, 0.001, 0.01, 0.1)
#: Pen mates a record, on average, whose links an incomplete factor is made for: each links all animals of a pen.
MOST_MATES = 50.0


def build_preconditioner(
    kind: Preconditioning, equations: MixedModelEquations, nearly: Float64, observer: Observer
) -> Preconditioner:
    """Build the preconditioner that was planned.

    Parameters
    ----------
    kind
        What was planned. An incomplete Cholesky factor with a failing pivot is tried again with a raised diagonal; trait blocks
        take its place if that does not help.
    nearly
        (N, c) combinations of equations that the records hardly tell apart; treated exactly.
    """
    found: Preconditioner | None = None
    if kind == "incomplete_cholesky":
        found = factorize_incompletely(equations, observer)
    elif kind == "diagonal":
        found = DiagonalPreconditioner.of(equations.diagonal())
    if found is None:
        found = BlockPreconditioner.of([equations.diagonal_blocks(block) for block in equations.layout.blocks])
    return CorrectedPreconditioner.of(found, equations, nearly) if nearly.shape[1] else found


def factorize_incompletely(equations: MixedModelEquations, observer: Observer) -> IncompleteCholesky | None:
    """Assemble and factorize, with a larger diagonal each time that a pivot fails; None if it fails to the end."""
    too_much = _too_much_for_triangle(equations)
    if too_much is not None:
        observer.warn(f"incomplete Cholesky: {too_much}; the block preconditioner takes its place")
        return None
    for shift in SHIFTS:
        began = time.perf_counter()
        triangle = assemble_lower_triangle(equations)
        seconds = time.perf_counter() - began
        factor = IncompleteCholesky.of(triangle, shift)
        if factor.n_failed == 0:
            for effect in triangle.left_out:
                observer.say(
                    f"incomplete Cholesky: {effect} has too many links between its levels; its diagonal blocks are used"
                )
            observer.say(_describe(factor, seconds, shift))
            return factor
        observer.warn(
            f"incomplete Cholesky: {count_of(factor.n_failed, 'pivot')} failed"
            + (f" with the diagonal raised by {shift:.1%}" if shift else "")
        )
    observer.warn("incomplete Cholesky: given up; the block preconditioner takes its place")
    return None


def _too_much_for_triangle(equations: MixedModelEquations) -> str | None:
    """What would link so many levels that a factor costs more than it saves; None if nothing does."""
    widest = max(block.n_columns for block in equations.layout.blocks)
    if widest > MOST_NUMBERS:
        return f"{widest} effects of a level are too many for its loops"
    incidence = equations.incidence
    for part in incidence.ragged:
        mates = len(part.first) / max(incidence.n_records, 1)
        if mates > MOST_MATES:
            return f"{mates:,.0f} pen mates a record link too many animals"
    return None


def _describe(factor: IncompleteCholesky, seconds: float, shift: float) -> str:
    text = (
        f"incomplete Cholesky: {count_of(factor.n_elements, 'coefficient')}, {factor.n_bytes / 1e6:,.0f} MB, "
        f"gathered in {seconds:.1f} s, factorized in {factor.seconds:.1f} s"
    )
    if len(factor.dense_equations):
        text += f", the last {count_of(len(factor.dense_equations), 'equation')} exactly"
    return text + (f", diagonal raised by {shift:.1%}" if shift else "")
