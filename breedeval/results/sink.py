"""A file that HDF5 can write to without ever seeing an error."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType


class Sink:
    """A file for the driver ``fileobj`` of h5py that keeps the first error to itself until it is closed.

    The HDF5 library does not survive a write that fails: it leaves objects that cannot be closed, prints about each of them and
    can crash the process. Behind this file it believes that all went well; the error is raised when the block ends.

    Parameters
    ----------
    path
        File to write.

    Raises
    ------
    OSError
        At the end of the ``with`` block, the first error of any write.

    Examples
    --------
    >>> import h5py, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Sink(Path(folder, "a.h5")) as sink, h5py.File(sink, "w") as file:
    ...         file["x"] = [1, 2]
    ...     with h5py.File(Path(folder, "a.h5")) as file:
    ...         file["x"][()].tolist()
    [1, 2]
    """

    def __init__(self, path: Path) -> None:
        # Without a buffer of our own an error comes with the write that caused it.
        self._file = path.open("w+b", buffering=0)
        self._error: OSError | None = None

    def __enter__(self) -> Sink:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        try:
            os.fsync(self._file.fileno())
        except OSError as late:
            self._error = self._error or late
        self._file.close()
        if self._error is not None and error is None:
            raise self._error

    def write(self, data: bytes | memoryview) -> int:
        """Write all of `data`, or remember why not."""
        view = memoryview(data).cast("B")
        done = 0
        try:
            while self._error is None and done < len(view):
                done += self._file.write(view[done:])
        except OSError as error:
            self._error = error
        return len(view)

    def read(self, size: int = -1) -> bytes:
        """Read at most `size` bytes; h5py knows a file by this method."""
        return self._file.read(size) or b""

    def readinto(self, out: memoryview) -> int:
        """Read as far as there is something; zeros for what could not be written."""
        view = memoryview(out).cast("B")
        done = 0
        while part := self._file.readinto(view[done:]):
            done += part
        view[done:] = bytes(len(view) - done)
        return len(view)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a place."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Give the place."""
        return self._file.tell()

    def truncate(self, size: int) -> int:
        """Set the length of the file, or remember why not."""
        try:
            if self._error is None:
                self._file.truncate(size)
        except OSError as error:
            self._error = error
        return size

    def flush(self) -> None:
        """Do nothing: there is no buffer."""
