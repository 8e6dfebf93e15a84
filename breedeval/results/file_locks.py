"""Which files are in use: a process that writes one holds a lock on it, which ends with the process, however it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform != "win32":  # where nothing is locked, and so nothing removed
    import fcntl

#: How often a file is made again that another process has removed before it was locked.
TRIES = 10


@contextmanager
def in_use(path: Path) -> Iterator[None]:
    """Make an empty file that this process is known to use until the block ends; it must not be replaced in there."""
    descriptor = _made_and_locked(path)
    try:
        yield
    finally:
        os.close(descriptor)


def remove_unused(path: Path) -> int | None:
    """Remove a file that no process uses; returns its bytes, or None if it stays."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return None
    try:
        if not _lock(descriptor):
            return None
        size = os.fstat(descriptor).st_size
        path.unlink()
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return size


def _made_and_locked(path: Path) -> int:
    """A descriptor of the file; made again where another process has removed it before it was locked.

    Not without end: there are file systems that give a file another number each time they are asked.
    """
    for _ in range(TRIES):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        _lock(descriptor)
        if _is_file(descriptor, path):
            return descriptor
        os.close(descriptor)
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)


def _is_file(descriptor: int, path: Path) -> bool:
    """Whether the open file is the one that stands under this name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _lock(descriptor: int) -> bool:
    """Whether the file could be locked, which it cannot be while another process holds it."""
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
