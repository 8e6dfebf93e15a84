"""Types of arrays, and the one way they are made read-only."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Int8 = NDArray[np.int8]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
UInt64 = NDArray[np.uint64]
UInt8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]

AnyArray = TypeVar("AnyArray", bound=NDArray[Any])

#: Bytes of a line of the cache.
LINE = 64
#: No row: an unknown parent, a record without a level.
NONE = -1


def freeze(array: AnyArray) -> AnyArray:
    """Return a contiguous, read-only view of `array`; the data are copied only if not contiguous.

    Examples
    --------
    >>> freeze(np.zeros(2)).flags.writeable
    False
    """
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view  # type: ignore[return-value]


def empty_columns(n: int, c: int) -> Float64:
    """Return a new array (n, c) that begins with a line of the cache: rows of 8 or 16 numbers then are one or two lines.

    Examples
    --------
    >>> empty_columns(5, 8).ctypes.data % LINE
    0
    """
    storage = np.empty(n * c + LINE // 8)
    first = -storage.ctypes.data % LINE // 8
    return storage[first : first + n * c].reshape(n, c)


def distinct(values: Int64) -> Int64:
    """The values that occur, ascending: as `numpy.unique`, whose table of values is many times slower for millions.

    Examples
    --------
    >>> distinct(np.array([3, 1, 3])).tolist()
    [1, 3]
    """
    ascending = np.sort(values)
    is_first = np.ones(len(ascending), dtype=np.bool_)
    np.not_equal(ascending[1:], ascending[:-1], out=is_first[1:])
    return ascending[is_first]
