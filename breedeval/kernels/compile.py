"""The one place that says how loops are compiled.

Compiled code is cached on disk beside the source, or in the user's cache folder where that is read-only.
No fast-math: sums keep the order that the source gives them, so every run gives the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])

#: Of what numba can spread over threads, only loops that say so: of each array filled with zeros, and of each sum of two small
#: ones, it would make another loop, and compile it for threads.
_PRANGE_ALONE = {
    "prange": True,
    "comprehension": False,
    "fusion": False,
    "inplace_binop": False,
    "numpy": False,
    "reduction": False,
    "setitem": False,
    "stencil": False,
}


def compiled(function: Function) -> Function:
    """Compile `function` for one thread, without the interpreter lock."""
    return cast(Function, numba.njit(cache=True, nogil=True)(function))


def compiled_parallel(function: Function) -> Function:
    """Compile `function` with ``numba.prange`` loops over threads. Each index writes only its own output."""
    options: Any = dict(_PRANGE_ALONE)  # numba empties it
    return cast(Function, numba.njit(cache=True, nogil=True, parallel=options)(function))


def inlined(function: Function) -> Function:
    """Compile `function` as a part of the loops that call it.

    For the innermost steps on arrays: a call of its own would cost more by the counting of references than by its work.
    """
    return cast(Function, numba.njit(cache=True, nogil=True, inline="always")(function))
