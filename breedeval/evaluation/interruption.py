"""Ctrl-C, and the end of a job's time, heard without losing what was found."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from breedeval.evaluation.observer import Observer


class Interruption:
    """Whether the user wants to stop; `signal` is the number of the signal that said so, or None.

    Parameters
    ----------
    observer
        Told when it is heard.
    then
        What is done then, to be told.
    """

    def __init__(self, observer: Observer, then: str) -> None:
        self._observer, self._then = observer, then
        self.signal: int | None = None

    @property
    def is_heard(self) -> bool:
        """Whether a signal has come."""
        return self.signal is not None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear SIGINT and SIGTERM instead of ending at once; a second one ends at once. Only the main thread can listen."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._hear) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        if self.is_heard:
            raise KeyboardInterrupt
        self.signal = number
        self._observer.warn(f"interrupted: {self._then} (again to stop at once)")
