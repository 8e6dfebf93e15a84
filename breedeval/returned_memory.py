"""Memory for large arrays of which parts can be given back while the rest is in use."""

from __future__ import annotations

import mmap

import numpy as np

from breedeval.arrays import UInt64

#: Memory is given back in pieces of so many bytes, a large page.
_PAGE = 1 << 21
_SMALLEST = 1 << 24


class ReturnedWords:
    """Words of memory whose parts can be given back.

    New memory costs as much time as work in it, and what one part of an array has given back is the first that the system hands
    out again. Elsewhere than on Linux, and for little memory, nothing is given back before the end.

    Parameters
    ----------
    shape
        Rows and columns; the words are not zero.

    Examples
    --------
    >>> memory = ReturnedWords((4, 2))
    >>> memory.words[:] = 1
    >>> memory.give_back(0, 2)
    >>> memory.words[2:].sum()
    np.uint64(4)
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        size = shape[0] * shape[1] * 8
        self._memory: mmap.mmap | None = None
        self.words: UInt64
        if size >= _SMALLEST and hasattr(mmap, "MADV_DONTNEED"):
            self._memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            if hasattr(mmap, "MADV_HUGEPAGE"):
                self._memory.madvise(mmap.MADV_HUGEPAGE)
            self.words = np.frombuffer(self._memory, dtype=np.uint64).reshape(shape)
        else:
            self.words = np.empty(shape, dtype=np.uint64)

    def give_back(self, first: int, end: int) -> None:
        """Rows `first` to `end` are not needed any more."""
        row = self.words.strides[0]
        begin = -(-first * row // _PAGE) * _PAGE
        size = end * row // _PAGE * _PAGE - begin
        if self._memory is not None and size > 0:
            self._memory.madvise(mmap.MADV_DONTNEED, begin, size)
