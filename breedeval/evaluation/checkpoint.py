"""Long runs survive: the state of the solver is written down every few minutes, and when a user interrupts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from breedeval.arrays import Float64
from breedeval.errors import InterruptedRunError, OutputError
from breedeval.evaluation.interruption import Interruption
from breedeval.evaluation.observer import Observer
from breedeval.operators import Preconditioner, SymmetricOperator
from breedeval.results.atomic import check_writable
from breedeval.results.checkpoint import checkpoint_bytes, fingerprint, read_checkpoint, write_checkpoint
from breedeval.solvers.pcg import Recurrence
from breedeval.solvers.result import SolveResult, Status


@dataclass
class Checkpoints:
    """Writes the solver's state to `path` every `minutes`; without a path does nothing.

    Parameters
    ----------
    path
        File, or None.
    of
        Fingerprint of the equations.
    minutes
        Time between two checkpoints.
    observer
        Told of trouble.
    """

    path: Path | None
    of: str
    minutes: float
    observer: Observer
    _written: float = 0.0
    _trouble: str = ""
    _interruption: Interruption = field(init=False)

    def __post_init__(self) -> None:
        self._interruption = Interruption(self.observer, "writing a checkpoint after this round")

    @classmethod
    def of_equations(
        cls,
        path: Path | None,
        minutes: float,
        equations: SymmetricOperator,
        b: Float64,
        preconditioner: Preconditioner,
        observer: Observer,
    ) -> Checkpoints:
        """Prepare checkpoints of the solution of C x = b; sees to it that there is room for one."""
        if path is None:
            return cls(None, "", minutes, observer)
        check_writable(path, checkpoint_bytes(len(b)), what="checkpoint", option="--checkpoint")
        observer.say(f"checkpoint: every {minutes:g} minutes to {path}, {checkpoint_bytes(len(b)) / 1e6:,.0f} MB")
        return cls(path, fingerprint(equations, b, preconditioner.name), minutes, observer)

    def resume(self) -> Recurrence | None:
        """Give the state to go on from, if there is a checkpoint."""
        if self.path is None or not self.path.exists():
            return None
        state = read_checkpoint(self.path, self.of)
        self.observer.say(f"checkpoint: going on from round {state.rounds:,} of {self.path}")
        return state

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Let Ctrl-C, or the end of a job's time, end the solution after its round; a second one ends it at once."""
        self._written = time.monotonic()
        with nullcontext() if self.path is None else self._interruption.listening():
            yield

    def keep(self, state: Recurrence) -> bool:
        """Write the state down if it is time; returns whether the user wants to stop."""
        due = time.monotonic() - self._written >= 60.0 * self.minutes
        if self.path is not None and (due or self._interruption.is_heard):
            self._write(state)
        return self._interruption.is_heard

    def refuse_unfinished(self, result: SolveResult) -> None:
        """Say that the user stopped the solution before it was done, and end the run.

        Raises
        ------
        InterruptedRunError
            If that is so; with the number of the signal.
        """
        if result.status is Status.INTERRUPTED:
            self.observer.say(f"solution: {result.sentence()}")
            raise InterruptedRunError(f"The solution was interrupted. {self._how_to_go_on()}", signal=self._interruption.signal)

    def remove(self) -> None:
        """Remove the checkpoint of a run that is done."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def _how_to_go_on(self) -> str:
        """What the same command will do, by whether this round was written down."""
        if not self._trouble:
            return "Give the same command again to go on from the checkpoint."
        older = self.path is not None and self.path.exists()
        then = "goes on from the checkpoint before" if older else "begins anew, as there is no checkpoint"
        return f"{self._trouble} The same command {then}."

    def _write(self, state: Recurrence) -> None:
        if self.path is None:
            return
        self._trouble = ""
        try:
            write_checkpoint(self.path, state, self.of)
        except OutputError as error:
            self._trouble = error.message
            end = "" if self._interruption.is_heard else " The run goes on."
            self.observer.warn(f"no checkpoint at round {state.rounds:,}: {error.message}{end}")
        self._written = time.monotonic()
