"""Large arrays that are handed out again once nobody holds them.

New memory has to be brought in page by page when it is first touched, which can cost as much as the work that is done in it.
"""

from __future__ import annotations

import weakref

import numpy as np

from breedeval.arrays import Float64


class Buffers:
    """Arrays of one length, whose contents mean nothing when they are handed out.

    Parameters
    ----------
    length
        Of each array.

    Examples
    --------
    >>> buffers = Buffers(3)
    >>> first = buffers.take()
    >>> place = first.ctypes.data
    >>> buffers.take().ctypes.data == place  # the first is held
    False
    >>> part = first[1:]
    >>> del first  # a part of it is still held
    >>> place in (buffers.take().ctypes.data, buffers.take().ctypes.data)
    False
    >>> del part
    >>> place in (buffers.take().ctypes.data, buffers.take().ctypes.data)
    True
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._free: list[Float64] = []

    def take(self) -> Float64:
        """An array that nobody else holds, neither whole nor in parts."""
        storage = self._free.pop() if self._free else np.empty(self._length)
        # Parts of an array that lies over a memoryview keep this very array alive, and not only its memory.
        handed = np.frombuffer(storage.data, dtype=np.float64) if self._length else storage
        if self._length:
            weakref.finalize(handed, self._free.append, storage).atexit = False
        return handed
