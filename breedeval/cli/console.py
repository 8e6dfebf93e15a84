"""Shows a run to a person: facts as lines, rounds as a progress bar on a terminal."""

from __future__ import annotations

import math
import sys
from types import TracebackType
from typing import Any

from breedeval.solvers.result import Convergence
from breedeval.solvers.stopping import StoppingRule

#: Without a terminal, a line of progress at rounds 1, 2, 4 ... and then every so many.
ROUNDS_A_LINE = 100


class Console:
    """The observer of the command line: everything goes to standard error, so that tables stay clean."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._is_terminal = sys.stderr.isatty()
        self._progress: Any = None
        self._task: Any = None
        self._first = math.nan
        self._doing = ""

    def __enter__(self) -> Console:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._end_progress()

    def stage(self, title: str) -> None:
        """A stage begins."""
        self._end_progress()
        if not self._quiet and self._is_terminal:
            self._line(f"• {title} …")

    def say(self, line: str) -> None:
        """A fact."""
        self._end_progress()
        if not self._quiet:
            self._line(f"  {line}")

    def warn(self, line: str) -> None:
        """Shown even when quiet."""
        self._end_progress()
        self._line(f"Warning: {line}")

    def progress(self, doing: str, share: float) -> None:
        """A bar on a terminal for work that takes more than a moment; nothing elsewhere."""
        if self._quiet or not self._is_terminal:
            return
        if self._progress is None or self._doing != doing:
            self._end_progress()
            self._begin_progress()
            self._doing = doing
        self._progress.update(self._task, completed=100.0 * share, rounds=doing, value="")

    def round(self, rounds: int, criteria: Convergence, rule: StoppingRule) -> None:
        """A round of the solver: how far, on a logarithmic scale."""
        if self._quiet:
            return
        value = criteria.of(rule.name)
        if not self._is_terminal:
            if rounds % ROUNDS_A_LINE == 0 or (rounds < ROUNDS_A_LINE and rounds & (rounds - 1) == 0):
                self._line(f"  round {rounds:,}: {rule.name} {value:.1e}, residual {criteria.residual:.1e}")
            return
        if self._progress is None:
            self._begin_progress()
        if math.isfinite(value) and math.isnan(self._first):
            self._first = value
        self._progress.update(
            self._task,
            completed=100.0 * self._fraction(value, rule.tolerance),
            rounds=f"round {rounds:,}",
            value=f"{rule.name} {value:.1e}",
        )

    def _fraction(self, value: float, tolerance: float) -> float:
        if not math.isfinite(value) or math.isnan(self._first) or value <= 0 or self._first <= tolerance:
            return 0.0
        return min(1.0, max(0.0, math.log(self._first / value) / math.log(self._first / tolerance)))

    def _begin_progress(self) -> None:
        from rich.console import Console as Terminal
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("  {task.fields[rounds]}"),
            BarColumn(),
            TextColumn("{task.fields[value]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Terminal(stderr=True),
            transient=True,
        )
        self._progress.start()
        self._task = self._progress.add_task("solve", total=100.0, rounds="", value="")

    def _end_progress(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
            self._first = math.nan
            self._doing = ""

    @staticmethod
    def _line(text: str) -> None:
        print(text, file=sys.stderr, flush=True)
