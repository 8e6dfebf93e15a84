"""Arrays on disk for the time of a run: memory maps of files without a name."""

from __future__ import annotations

import mmap
import shutil
import tempfile
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from breedeval.errors import OutputError


class Scratch:
    """Puts arrays on disk.

    The files have no name, or the system removes it when the process ends: nothing is left of them after Ctrl-C or a kill.
    The same array is written once.

    Parameters
    ----------
    folder
        Where; it needs room for all arrays.

    Examples
    --------
    >>> scratch = Scratch(Path(tempfile.gettempdir()))
    >>> scratch.put(np.arange(3.0)).tolist()
    [0.0, 1.0, 2.0]
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[int, tuple[NDArray[Any], NDArray[Any]]] = {}

    def require(self, n_bytes: int) -> None:
        """Refuse a folder with less room than this.

        Raises
        ------
        OutputError
            Says what is needed, what is there, and what to do.
        """
        free = shutil.disk_usage(self._folder).free
        if free < n_bytes:
            raise OutputError(
                f"Records on disk need about {n_bytes / 1e6:,.0f} MB, and {self._folder} has {free / 1e6:,.0f} MB free. "
                "Make room there, write the results to a larger disk with -o, or set solver: records: memory.",
                path=self._folder,
            )

    def put(self, array: NDArray[Any]) -> NDArray[Any]:
        """Write an array to disk; returns a read-only map of it, in the same shape and type."""
        if array.nbytes == 0:
            return array
        if id(array) not in self._known:
            with self._file() as stream:
                self._write(stream, np.ascontiguousarray(array))
                mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
            if hasattr(mmap, "MADV_SEQUENTIAL"):
                mapped.madvise(mmap.MADV_SEQUENTIAL)
            found: NDArray[Any] = np.frombuffer(mapped, dtype=array.dtype).reshape(array.shape)
            # The array is kept only as long as others may ask for it; see `forget`.
            self._known[id(array)] = array, found
        return self._known[id(array)][1]

    def empty(self, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Return a writable map of zeros, whose room on the disk is taken at once.

        Otherwise a disk that others fill in the meantime would kill the process at the first write that finds no room.
        """
        n_bytes = 8 * int(np.prod(shape))
        if n_bytes == 0:
            return np.zeros(shape)
        with self._file() as stream:
            self._write(stream, np.zeros(n_bytes // 8))
            mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_WRITE)
        return np.frombuffer(mapped, dtype=np.float64).reshape(shape)

    def forget(self) -> None:
        """Let go of the arrays in memory."""
        self._known.clear()

    def _write(self, stream: BinaryIO, array: NDArray[Any]) -> None:
        try:
            stream.write(array.data.cast("B"))
            stream.flush()
        except OSError as error:
            raise OutputError(
                f"Records cannot be written to {self._folder}: {error.strerror or error}. Make room there, write the "
                "results elsewhere with -o, or set solver: records: memory.",
                path=self._folder,
            ) from error

    def _file(self) -> BinaryIO:
        try:
            return cast(BinaryIO, tempfile.TemporaryFile(dir=self._folder))
        except OSError as error:
            raise OutputError(
                f"Records cannot be put on disk in {self._folder}: {error.strerror}. Write the results elsewhere with -o, "
                "or set solver: records: memory.",
                path=self._folder,
            ) from error
