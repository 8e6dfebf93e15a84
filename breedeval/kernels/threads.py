"""Work shared by threads: compiled loops over parts of arrays, which hold no interpreter lock.

The number of threads is that of numba. Whoever cuts work into parts sees to it that the result does not depend on their number.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import numba

Part = TypeVar("Part")
Result = TypeVar("Result")

#: A number of threads is judged by the fastest of so many rounds; the others are tried again after so many.
JUDGED_BY, TRIED_AGAIN = 3, 16


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


class ThreadChoice:
    """How many threads work that comes in rounds is given: whatever has been fastest of late, by the wall clock.

    Threads wait for each other several times a round, so one whose core is busy with something else holds up all of them, and
    fewer are faster. All, one less, and a single one are tried in turn.

    Parameters
    ----------
    most
        All.
    clock
        Seconds.

    Examples
    --------
    >>> with ThreadChoice(n_threads()) as choice:
    ...     choice.begin_round()
    ...     choice.end_round()
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.perf_counter) -> None:
        self._counts = tuple(sorted({most, max(1, most - 1), 1}, reverse=True))
        self._clock = clock
        self._seconds: dict[int, deque[float]] = {count: deque(maxlen=JUDGED_BY) for count in self._counts}
        self._last = dict.fromkeys(self._counts, 0)
        self._n, self._now, self._before, self._began = 0, most, most, 0.0

    def threads(self) -> int:
        """Threads of the next round."""
        if self._n < 2:
            return self._counts[0]  # the first round may have to compile loops, or meet memory for the first time
        for count in self._counts:
            if not self._seconds[count] or self._n - self._last[count] >= TRIED_AGAIN:
                return count
        return min(self._counts, key=lambda count: min(self._seconds[count]))

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
            self._last[self._now] = self._n
            self._seconds[self._now].append(self._clock() - self._began)

    def __enter__(self) -> ThreadChoice:
        self._before = n_threads()
        return self

    def __exit__(self, *_: object) -> None:
        numba.set_num_threads(self._before)
