"""Who is told how a run goes. The evaluation never prints; the command line shows what it hears."""

from __future__ import annotations

from typing import Protocol

from breedeval.solvers.result import Convergence
from breedeval.solvers.stopping import StoppingRule


class Observer(Protocol):
    """Hears of stages, facts and rounds."""

    def stage(self, title: str) -> None:
        """A stage begins."""

    def say(self, line: str) -> None:
        """A fact or a choice that a user should see."""

    def warn(self, line: str) -> None:
        """Something that may be wrong, but does not stop the run."""

    def progress(self, doing: str, share: float) -> None:
        """So much of a part of the stage is done, from 0 to 1."""

    def round(self, rounds: int, criteria: Convergence, rule: StoppingRule) -> None:
        """The solver finished a round."""


class Silence:
    """Hears everything and says nothing: for use as a library."""

    def stage(self, title: str) -> None:
        """Nothing."""

    def say(self, line: str) -> None:
        """Nothing."""

    def warn(self, line: str) -> None:
        """Nothing."""

    def progress(self, doing: str, share: float) -> None:
        """Nothing."""

    def round(self, rounds: int, criteria: Convergence, rule: StoppingRule) -> None:
        """Nothing."""
