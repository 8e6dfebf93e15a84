"""Rounds of conjugate gradients to a true error of EBVs, which is known beforehand."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.linalg import LinearOperator, cg

from breedeval.equations.mme import MixedModelEquations
from breedeval.kernels.vectors import dot, next_direction, step
from breedeval.operators import Preconditioner

#: Rounds at most.
MOST_ROUNDS = 3_000


@dataclass
class TrueError:
    """Watches the largest true error of an EBV until it is met and does not come back.

    Parameters
    ----------
    equations
        Whose solutions are watched.
    truth, scale
        The solution, and the genetic SD of each column of the genetic block.
    wanted
        Largest error, in genetic SD.
    """

    equations: MixedModelEquations
    truth: np.ndarray
    scale: np.ndarray
    wanted: float
    rounds: int = 0
    met: int = 0
    error: float = field(default=np.inf)

    def of(self, x: np.ndarray) -> float:
        """Largest error of an EBV in genetic SD."""
        genetic = self.equations.layout.genetic
        assert genetic is not None
        return float((np.abs(genetic.view(x) - genetic.view(self.truth)) / self.scale).max())

    def is_over(self, x: np.ndarray) -> bool:
        """Whether the round that ended with x is far enough below what is wanted to stop counting."""
        self.rounds += 1
        error = self.of(x)
        if error > self.wanted:
            self.met = 0
        elif not self.met:
            self.met, self.error = self.rounds, error
        return bool(self.met) and error < self.wanted / 3


def count_rounds(equations: MixedModelEquations, preconditioner: Preconditioner, watch: TrueError) -> int:
    """Let `watch` count the rounds of our loops; returns those to a relative residual² of 1e-12."""
    b = equations.right_hand_side
    x, r = np.zeros_like(b), b.copy()
    z = preconditioner.apply(r, np.empty_like(r))
    p, q, rz, classic = z.copy(), np.empty_like(r), dot(r, z), 0
    while watch.rounds < MOST_ROUNDS:
        equations.multiply(p, q)
        alpha = rz / dot(p, q)
        step(alpha, p, q, x, r)
        is_over = watch.is_over(x)
        if not classic and dot(r, r) <= 1e-12 * dot(b, b):
            classic = watch.rounds
        if classic and is_over:
            break
        preconditioner.apply(r, z)
        before, rz = rz, dot(r, z)
        next_direction(z, rz / before, p)
    return classic


class _EnoughRoundsError(Exception):
    """Ends the conjugate gradients of scipy."""


def count_rounds_of_scipy(matrix: csr_array, b: np.ndarray, preconditioner: LinearOperator, watch: TrueError) -> None:
    """Let `watch` count the rounds of ``scipy.sparse.linalg.cg``."""

    def after_round(x: np.ndarray) -> None:
        if watch.is_over(x):
            raise _EnoughRoundsError

    try:
        cg(matrix, b, rtol=0.0, maxiter=MOST_ROUNDS, M=preconditioner, callback=after_round)
    except _EnoughRoundsError:
        return
