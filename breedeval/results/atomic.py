"""A file appears under its final name complete, or not at all."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from breedeval.errors import OutputError
from breedeval.results.file_locks import in_use, remove_unused


def check_writable(path: Path, n_bytes: int = 0, what: str = "results", option: str = "-o") -> None:
    """Refuse, before hours of work, a place that cannot take the file.

    Parameters
    ----------
    path
        The file.
    n_bytes
        Room it needs.
    what, option
        What it holds, and the option of the command line that names it, for messages.

    Raises
    ------
    OutputError
        If the folder is not there or not writable, the name is a folder, or less than `n_bytes` are free.
    """
    folder = path.resolve().parent
    if not folder.is_dir():
        raise OutputError(
            f"The folder {folder} for the {what} {path.name} is not there. Make it, or choose another with {option}.", path=path
        )
    if path.is_dir():
        raise OutputError(f"{path} is a folder. Give the name of a file with {option}.", path=path)
    if path.exists() and not path.is_file():
        raise OutputError(
            f"{path} is no ordinary file, which could be replaced. Give the name of a file with {option}.", path=path
        )
    probe = _temporary(path)
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise OutputError(
            f"{what.capitalize()} cannot be written to {folder}: {error.strerror}. Choose another place with {option}.",
            path=path,
        ) from error
    free = shutil.disk_usage(folder).free
    if free < n_bytes:
        verb = "need" if what.endswith("s") else "needs"
        raise OutputError(
            f"The {what} {verb} about {megabytes(n_bytes)}, and {folder} has {megabytes(free)} free. "
            f"Make room, or choose another place with {option}.",
            path=path,
        )


def megabytes(n_bytes: int) -> str:
    """A size of memory or a file in words, with a digit that tells something.

    Examples
    --------
    >>> megabytes(2_345_678_901), megabytes(345_678), megabytes(0)
    ('2,346 MB', '0.35 MB', '0 MB')
    """
    return f"{n_bytes / 1e6:,.0f} MB" if n_bytes >= 9.5e6 or not n_bytes else f"{n_bytes / 1e6:.2g} MB"


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; when the block ends well, the file is flushed to disk and takes the final name.

    Whatever ends the block otherwise (an error, Ctrl-C), the temporary file is removed and a file already at `path` stays as it
    was. A process killed outright leaves at most a hidden ``.name.xxxx.partial``; see `remove_leftovers`.
    """
    temporary = _temporary(path)
    try:
        with in_use(temporary):
            yield temporary
            with temporary.open("rb") as stream:
                os.fsync(stream.fileno())
            temporary.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path} could not be written: {_cause(error)}. What was there before is untouched.", path=path
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def remove_leftovers(path: Path) -> tuple[int, int]:
    """Remove unfinished files of `path` whose processes are dead; returns how many, and their bytes.

    A file that a living process writes is locked by it and stays, and so does everything where files cannot be locked.
    """
    name = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{8}}\.partial")
    removed = [
        size
        for file in path.resolve().parent.iterdir()
        if name.fullmatch(file.name) and (size := remove_unused(file)) is not None
    ]
    return len(removed), sum(removed)


def _cause(error: OSError) -> str:
    """What went wrong in a few words; HDF5 buries the number of the error in a paragraph."""
    if error.strerror and "\n" not in error.strerror and "errno =" not in error.strerror:
        return error.strerror
    number = re.search(r"errno = (\d+)", str(error))
    return os.strerror(int(number[1])) if number else str(error).splitlines()[0]


def _temporary(path: Path) -> Path:
    return path.resolve().parent / f".{path.name}.{uuid.uuid4().hex[:8]}.partial"
