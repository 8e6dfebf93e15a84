"""Tests that choose a number of threads, and leave it as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numba


@contextmanager
def threads_kept(n: int | None = None) -> Iterator[None]:
    """Use `n` threads, or whatever the test sets; afterwards as many as before."""
    before = numba.get_num_threads()
    if n is not None:
        numba.set_num_threads(n)
    yield
    numba.set_num_threads(before)
