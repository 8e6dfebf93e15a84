"""Shows a run to a person: facts as lines, rounds as a progress bar on a terminal."""

from __future__ import annotations

import math
import sys
import time
from types import TracebackType
from typing import Any

from breedeval.cli.time_left import TimeLeft
from breedeval.solvers.result import Convergence
from breedeval.solvers.stopping import StoppingRule

#: Without a terminal, a line of progress at rounds 1, 2, 4, 8, 16, and then when so many seconds have passed since the last.
SECONDS_A_LINE = 10.0
LAST_OF_FIRST_LINES = 16


class Console:
    """The observer of the command line: everything goes to standard error, so that tables stay clean."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._is_terminal = sys.stderr.isatty()
        self._progress: Any = None
        self._task: Any = None
        self._left: TimeLeft | None = None
        self._began = self._last_line = math.nan
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
        self._progress.update(self._task, completed=100.0 * share, rounds=doing, value="", left="")

    def round(self, rounds: int, criteria: Convergence, rule: StoppingRule) -> None:
        """A round of the solver: how far, on a logarithmic scale."""
        if self._quiet:
            return
        value, now = criteria.of(rule.name), time.monotonic()
        if self._left is None:
            self._left, self._began, self._last_line = TimeLeft(rule.tolerance), now, now
        share = self._left.add(now, value)
        if not self._is_terminal:
            first = rounds <= LAST_OF_FIRST_LINES and rounds & (rounds - 1) == 0
            if first or now - self._last_line >= SECONDS_A_LINE:
                self._round_line(rounds, criteria, rule, now)
            return
        if self._progress is None:
            self._begin_progress()
        self._progress.update(
            self._task,
            completed=100.0 * share,
            rounds=f"round {rounds:,}",
            value=_value(criteria, rule),
            left=self._left.words(now),
        )

    def _round_line(self, rounds: int, criteria: Convergence, rule: StoppingRule, now: float) -> None:
        """A line for a log: round, criteria, seconds since the first round, time left."""
        self._last_line = now
        left = "" if self._left is None else self._left.words(now)
        residual = "" if rule.name == "residual" else f"residual {criteria.residual:.1e}, "
        value = _value(criteria, rule)
        self._line(f"  round {rounds:,}: {value}, {residual}{now - self._began:.1f} s{left and ', ' + left}")

    def _begin_progress(self) -> None:
        from rich.console import Console as Terminal
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            TextColumn("  {task.fields[rounds]}"),
            BarColumn(),
            TextColumn("{task.fields[value]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=Terminal(stderr=True),
            transient=True,
        )
        self._progress.start()
        self._task = self._progress.add_task("solve", total=100.0, rounds="", value="", left="")

    def _end_progress(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
            self._doing = ""
        self._left = None

    @staticmethod
    def _line(text: str) -> None:
        print(text, file=sys.stderr, flush=True)


def _value(criteria: Convergence, rule: StoppingRule) -> str:
    """The number that decides; PCG has no estimate of the error in its first rounds."""
    value = criteria.of(rule.name)
    return f"{rule.name} {value:.1e}" if math.isfinite(value) else f"{rule.name} unknown yet"
