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

import numpy as np
from scipy.linalg import cython_blas
from scipy.linalg.blas import dgemm

from breedeval.arrays import Float64

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


def cross_product(a: Float64, b: Float64) -> Float64:
    """A'B (k, l) for long A (n, k) and B (n, l), by one thread: to wake others takes longer than the product.

    Examples
    --------
    >>> cross_product(np.array([[1.0], [2.0]]), np.array([[3.0], [4.0]])).tolist()
    [[11.0]]
    """
    if not a.size or not b.size:
        return np.zeros((a.shape[1], b.shape[1]))
    with one_blas_thread():
        return np.asarray(dgemm(1.0, b.T, a.T, trans_b=True).T)


@cache
def _switch() -> tuple[Callable[[int], Any], Callable[[], int]] | None:
    # Looked up through scipy's own module, so that it is the BLAS that scipy is linked with.
    library = ctypes.CDLL(cython_blas.__file__)
    for setter, getter in _NAMES:
        if hasattr(library, setter) and hasattr(library, getter):
            return getattr(library, setter), getattr(library, getter)
    return None
