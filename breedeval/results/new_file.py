"""What every file of results has: its format, what it is of, the configuration and the run record."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import h5py

from breedeval.errors import OutputError
from breedeval.results import schema
from breedeval.results.atomic import check_writable, written_whole
from breedeval.results.sink import Sink
from breedeval.version import __version__


class _Results(Protocol):
    @property
    def title(self) -> str: ...
    @property
    def created(self) -> str: ...
    @property
    def config_text(self) -> str: ...
    @property
    def record(self) -> Mapping[str, Any]: ...


def check_results_place(path: Path, n_bytes: int = 0, what: str = "results") -> None:
    """Refuse, before hours of work, a place that cannot take results, or holds a file that is somebody else's.

    Results and estimates are replaced by new ones; any other file is not.

    Raises
    ------
    OutputError
        If the place cannot take the file (see `check_writable`), or a file is there that breedeval did not write.
    """
    check_writable(path, n_bytes, what)
    if path.exists() and path.stat().st_size and not _is_ours(path):
        raise OutputError(
            f"{path} is there already and is neither results nor estimates of breedeval, so it is not replaced. "
            "Choose another name with -o, or remove it.",
            path=path,
        )


def _is_ours(path: Path) -> bool:
    try:
        with h5py.File(path, "r") as file:
            return file.attrs.get("format") in (schema.FORMAT, schema.ESTIMATES_FORMAT)
    except OSError:
        return False


@contextmanager
def new_file(path: Path, file_format: str, version: str, results: _Results) -> Iterator[h5py.File]:
    """Give a file to write results to, whole or not at all; the run is written last.

    Raises
    ------
    OutputError
        If the file cannot be written; what stood under `path` is then untouched.
    """
    with written_whole(path) as temporary, Sink(temporary) as sink, h5py.File(sink, "w", track_order=True) as file:
        file.attrs.update(
            {
                "format": file_format,
                "format_version": version,
                "title": results.title,
                "breedeval_version": __version__,
                "created": results.created,
            }
        )
        yield file
        run = file.create_group(schema.RUN)
        run["config"] = results.config_text
        run["record"] = json.dumps(results.record, indent=1, default=str)


def read_record(file: h5py.File) -> dict[str, Any]:
    """Return the run record of a file that `new_file` made."""
    found: dict[str, Any] = json.loads(file[f"{schema.RUN}/record"].asstr()[()])
    return found
