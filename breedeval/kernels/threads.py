"""Work shared by threads: compiled loops over parts of arrays, which hold no interpreter lock.

The number of threads is that of numba. Whoever cuts work into parts sees to it that the result does not depend on their number.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import numba

Part = TypeVar("Part")
Result = TypeVar("Result")

#: A number of threads is judged by the fastest of so many rounds; the others are tried again after so many.
JUDGED_BY, TRIED_AGAIN = 3, 32
#: More threads than cores are idle at first are tried after so many rounds; so many looks tell how many are idle.
TRIED_LATE, LOOKS = 8, 3
_LOAD = Path("/proc/loadavg")


def n_threads() -> int:
    """Threads that parallel loops of the calling thread use."""
    return int(numba.get_num_threads())


def map_parts(function: Callable[[Part], Result], parts: list[Part]) -> Iterator[Result]:
    """Give the results of `function` in the order of the parts, which several threads work on at a time.

    Examples
    --------
    >>> list(map_parts(abs, [-1, -2]))
    [1, 2]
    """
    threads = min(n_threads(), len(parts))
    if threads <= 1:
        yield from map(function, parts)
        return
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(function, parts)


def cut_range(n: int, smallest: int, parts_a_thread: int = 1) -> list[tuple[int, int]]:
    """Cut 0 to n into (first, end) for the threads, none smaller than `smallest` unless it is the only one.

    Examples
    --------
    >>> cut_range(5, smallest=100)
    [(0, 5)]
    """
    return cut_evenly(n, max(1, min(parts_a_thread * n_threads(), n // smallest)))


def cut_evenly(n: int, n_parts: int) -> list[tuple[int, int]]:
    """Cut 0 to n into so many parts (first, end).

    Examples
    --------
    >>> cut_evenly(5, 2)
    [(0, 2), (2, 5)]
    """
    ends = [n * part // n_parts for part in range(n_parts + 1)]
    return list(pairwise(ends))


def free_cores() -> int | None:
    """Cores of the machine that nobody else works on at this moment, that of the caller included; None where it is not told.

    Linux tells how many threads are running or ready to run, of which the caller is one.
    """
    try:
        running = int(_LOAD.read_text().split()[3].split("/")[0])
    except (OSError, ValueError, IndexError):
        return None
    return None if running < 1 else max(1, (os.cpu_count() or 1) - (running - 1))


class ThreadChoice:
    """How many threads work that comes in rounds is given: whatever has been fastest of late, by the wall clock.

    Threads wait for each other several times a round, so one whose core is busy with something else holds up all of them, and
    fewer are faster. All, one less, and a single one are tried in turn; where too few cores are idle, the fewer ones first, and
    for what comes before and after the rounds, too.

    Parameters
    ----------
    most
        All.
    clock
        Seconds.
    free
        Cores that are idle now, or None if that is not known.

    Examples
    --------
    >>> with ThreadChoice(n_threads()) as choice:
    ...     choice.begin_round()
    ...     choice.end_round()
    """

    def __init__(
        self, most: int, clock: Callable[[], float] = time.perf_counter, free: Callable[[], int | None] = free_cores
    ) -> None:
        self._counts = tuple(sorted({most, max(1, most - 1), 1}, reverse=True))
        self._clock = clock
        self._first = self._that_find_cores(free) if len(self._counts) > 1 else most
        self._seconds: dict[int, deque[float]] = {count: deque(maxlen=JUDGED_BY) for count in self._counts}
        self._next = {count: TRIED_LATE if count > self._first else 0 for count in self._counts}
        self._n, self._now, self._before, self._began = 0, self._first, most, 0.0

    def _that_find_cores(self, free: Callable[[], int | None]) -> int:
        """The largest number of threads with a core for each; what runs for a moment only is not seen at every look."""
        looks = [cores for cores in (free() for _ in range(LOOKS)) if cores is not None]
        return next(count for count in self._counts if count == 1 or not looks or count <= max(looks))

    def threads(self) -> int:
        """Threads of the next round."""
        if self._n < 2:
            return self._first  # the first round may have to compile loops, or meet memory for the first time
        due = [count for count in self._counts if count != self._now and self._n >= self._next[count]]
        return due[0] if due else self.fastest

    @property
    def fastest(self) -> int:
        """The number of threads that has been fastest of late."""
        tried = [count for count in self._counts if self._seconds[count]]
        return min(tried, key=lambda count: min(self._seconds[count]), default=self._first)

    def begin_round(self) -> None:
        """Set the number of threads."""
        if len(self._counts) > 1:
            self._now = self.threads()
            numba.set_num_threads(self._now)
            self._began = self._clock()

    def end_round(self) -> None:
        """Measure the round that has begun."""
        if len(self._counts) > 1:
            self._n += 1
            self._seconds[self._now].append(self._clock() - self._began)
            self._next[self._now] = self._n + TRIED_AGAIN

    def end_rounds(self) -> None:
        """Set what has been fastest, for what is done once after the rounds."""
        if len(self._counts) > 1:
            self._now = self.fastest
            numba.set_num_threads(self._now)

    def __enter__(self) -> ThreadChoice:
        self._before = n_threads()
        if len(self._counts) > 1:
            numba.set_num_threads(self._first)
        return self

    def __exit__(self, *_: object) -> None:
        numba.set_num_threads(self._before)
