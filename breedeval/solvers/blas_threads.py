"""One thread for BLAS while a factorization calls it: its blocks are too small to be shared.

With its own threads a factorization took several times as long whenever something else ran on the machine, and its last bits
would depend on their number.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from scipy.linalg import cython_blas

#: Names of the pair that sets and tells the number of threads, in the builds of OpenBLAS and MKL that scipy comes with.
_NAMES = (
    ("scipy_openblas_set_num_threads", "scipy_openblas_get_num_threads"),
    ("openblas_set_num_threads", "openblas_get_num_threads"),
    ("MKL_Set_Num_Threads", "MKL_Get_Max_Threads"),
)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let the BLAS of scipy use one thread; where it has no such switch nothing is changed."""
    switch = _switch()
    if switch is None:
        yield
        return
    set_threads, get_threads = switch
    before = get_threads()
    set_threads(1)
    try:
        yield
    finally:
        set_threads(before)


@cache
def _switch() -> tuple[Callable[[int], Any], Callable[[], int]] | None:
    # Looked up through scipy's own module, so that it is the BLAS that scipy is linked with.
    library = ctypes.CDLL(cython_blas.__file__)
    for setter, getter in _NAMES:
        if hasattr(library, setter) and hasattr(library, getter):
            return getattr(library, setter), getattr(library, getter)
    return None
