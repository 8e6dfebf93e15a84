"""Work shared by threads: compiled loops over parts of arrays, which hold no interpreter lock.

The number of threads is that of numba. Whoever cuts work into parts sees to it that the result does not depend on their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import numba

Part = TypeVar("Part")
Result = TypeVar("Result")


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
    n_parts = max(1, min(parts_a_thread * n_threads(), n // smallest))
    ends = [n * part // n_parts for part in range(n_parts + 1)]
    return list(pairwise(ends))
