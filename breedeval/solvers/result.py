"""How a solution ended: the answer says in words why it stopped and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from breedeval.arrays import Float64
from breedeval.errors import count_of


class Status(Enum):
    """Why a solver stopped. Each member carries its cause and the remedy."""

    CONVERGED = ("converged", "the stopping rule is met by the true residual", "")
    ROUNDING_ERROR = (
        "rounding_error",
        "solved to rounding error, the most that double precision gives; the tolerance asked is smaller or does not apply",
        "",
    )
    MAX_ROUNDS = (
        "max_rounds",
        "the largest number of rounds was reached",
        "Raise solver: max_rounds, or loosen the tolerance.",
    )
    STAGNATED = (
        "stagnated",
        "the true residual no longer falls: rounding error is larger than the tolerance",
        "Loosen the tolerance; look for (co)variances or covariates of very different size, and center covariates.",
    )
    NOT_POSITIVE = (
        "not_positive",
        "a direction of negative curvature was met: the equations are not positive semidefinite",
        "Check that every (co)variance matrix is positive definite and every weight positive.",
    )
    INTERRUPTED = ("interrupted", "the run was interrupted", "Start it again with the same checkpoint to go on.")
    NOT_FINITE = ("not_finite", "a value that is not finite appeared", "Check records and covariates for extreme values.")

    def __init__(self, code: str, cause: str, remedy: str) -> None:
        self.code = code
        self.cause = cause
        self.remedy = remedy

    @property
    def is_good(self) -> bool:
        """Whether the solution may be used."""
        return self in (Status.CONVERGED, Status.ROUNDING_ERROR)


@dataclass(frozen=True)
class Convergence:
    """Every number by which programs of the field judge a solution, under its name.

    Parameters
    ----------
    ebv_error
        Upper estimate of the largest error of an EBV in genetic standard deviations; see `breedeval.solvers.error_estimate`.
        NaN where it cannot be had.
    residual
        ‖r‖ / ‖b‖ (MiX99's Cr).
    residual_squared
        ‖r‖² / ‖b‖² (BLUPF90's criterion).
    solution_change
        ‖x_k − x_(k−1)‖ / ‖x_k‖ of the last round; NaN for a direct solution.
    """

    ebv_error: float
    residual: float
    residual_squared: float
    solution_change: float

    def of(self, name: str) -> float:
        """The number of one rule."""
        return float(getattr(self, name))


@dataclass(frozen=True)
class SolveResult:
    """A solution and its verdict.

    Parameters
    ----------
    solution
        (N,) x.
    status
        Why the solver stopped.
    method
        Name of the solver and preconditioner, or of the factorization.
    rounds
        Rounds of an iterative solver; 0 for a direct solution.
    final
        The criteria at the end, all from the true residual b − Cx.
    history
        The criteria round by round, from the recurrence; empty for a direct solution.
    seconds
        Wall-clock time.
    observed
        Rounds after the last one that were run only to see how far its solution still was from where it went.
    """

    solution: Float64
    status: Status
    method: str
    rounds: int
    final: Convergence
    history: tuple[Convergence, ...]
    seconds: float
    observed: int = 0

    def sentence(self) -> str:
        """The verdict in words."""
        text = f"{self.method}: {self.status.code}, {self.status.cause}"
        if self.rounds:
            text += f"; {count_of(self.rounds, 'round')}" + (
                f", and {self.observed:,} to see its error" if self.observed else ""
            )
        text += f"; true relative residual {self.final.residual:.1e}"
        if self.final.ebv_error == self.final.ebv_error:
            text += f", estimated EBV error {self.final.ebv_error:.1e} genetic SD"
        return text + (f". {self.status.remedy}" if self.status.remedy else ".")
