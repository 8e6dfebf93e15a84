"""A simulated population as files: tables in CSV and an evaluation that is ready to run."""

from __future__ import annotations

import importlib.util
import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from breedeval.errors import OutputError
from breedeval.names import Names
from breedeval.simulate.population import Columns

if importlib.util.find_spec("pyarrow"):
    import pyarrow as pa
    import pyarrow.csv as pa_csv
else:
    pa = None

_CHUNK = 200_000


class Population(Protocol):
    """What can be written: three tables and a configuration."""

    def pedigree_columns(self) -> Columns:
        """Columns of ``pedigree.csv``."""
        ...

    def record_columns(self) -> Columns:
        """Columns of ``records.csv``."""
        ...

    def true_value_columns(self) -> Columns:
        """Columns of ``true_values.csv``."""
        ...

    def evaluation_text(self) -> str:
        """Text of ``evaluation.yaml``."""
        ...


def write_population(population: Population, folder: Path) -> None:
    """Write ``pedigree.csv``, ``records.csv``, ``true_values.csv`` and ``evaluation.yaml`` into a new folder, or nothing.

    The files are made in a folder beside it, which gets its name when all are complete.

    Raises
    ------
    OutputError
        If the folder is there and not empty, or cannot be written.
    """
    with new_folder(folder) as unfinished:
        write_columns(population.pedigree_columns(), unfinished / "pedigree.csv")
        write_columns(population.record_columns(), unfinished / "records.csv")
        write_columns(population.true_value_columns(), unfinished / "true_values.csv")
        (unfinished / "evaluation.yaml").write_text(population.evaluation_text(), encoding="utf-8")


def write_columns(columns: Columns, path: Path) -> None:
    """Write columns as CSV, a header line first; NaN is an empty field.

    The texts must be free of commas and quotes, or quoted already (`quoted_where_needed`).

    The same bytes whether pyarrow is installed (fast) or not (a part of the rows at a time).
    """
    with path.open("wb") as file:
        file.write((",".join(columns) + "\n").encode())
        if pa is None or any(_has_quotes(values) for values in columns.values()):
            _write_by_parts(columns, file)
        else:
            _write_with_arrow(columns, file)


def quoted_where_needed(names: Names) -> Names:
    """Put texts with separators, quotes, line ends or blanks at an end into quotes."""
    if not np.isin(names.buffer, np.frombuffer(b',;\t" \r\n', dtype=np.uint8)).any():
        return names
    return Names.of(_quoted(text) for text in names)


def _quoted(text: str) -> str:
    needed = text != text.strip() or any(character in text for character in ',;\t"\r\n')
    return '"' + text.replace('"', '""') + '"' if needed else text


def _write_with_arrow(columns: Columns, file: IO[bytes]) -> None:
    table = pa.table({name: _arrow_array(values) for name, values in columns.items()})
    pa_csv.write_csv(table, file, pa_csv.WriteOptions(include_header=False, quoting_style="none"))


def _arrow_array(values: Names | NDArray[Any]) -> Any:
    if not isinstance(values, Names):
        return pa.array(values, from_pandas=True)  # NaN is missing: an empty field
    return pa.LargeStringArray.from_buffers(len(values), pa.py_buffer(values.offsets), pa.py_buffer(values.buffer))


def _has_quotes(values: Names | NDArray[Any]) -> bool:
    return isinstance(values, Names) and bool((values.buffer == ord('"')).any())


def _write_by_parts(columns: Columns, file: IO[bytes]) -> None:
    n_rows = len(next(iter(columns.values())))
    for first in range(0, n_rows, _CHUNK):
        rows = range(first, min(first + _CHUNK, n_rows))
        fields = [_fields(values, rows) for values in columns.values()]
        file.write("".join(f"{','.join(row)}\n" for row in zip(*fields, strict=True)).encode())


def _shortest(value: float) -> str:
    """As pyarrow writes it: the fewest digits that say it exactly, and a whole number without a decimal point."""
    if math.isnan(value):
        return ""
    text = f"{value:.15g}"
    return text if float(text) == value else repr(value)


def _fields(values: Names | NDArray[Any], rows: range) -> list[str]:
    if isinstance(values, Names):
        return values.take(rows).to_list()
    part = values[rows.start : rows.stop]
    return [_shortest(value) for value in part.tolist()] if part.dtype.kind == "f" else [str(value) for value in part.tolist()]


def require_new(folder: Path) -> None:
    """Refuse a folder that has something in it: before the work that it is to hold.

    Raises
    ------
    OutputError
        If the folder is there and not empty, or is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"'{folder}' is a file. Name a folder that is not there yet.", path=str(folder))
    if folder.is_dir() and any(folder.iterdir()):
        raise OutputError(f"The folder '{folder}' is there and not empty. Name another one, or remove it.", path=str(folder))


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to fill, which becomes `folder` if all goes well and vanishes if not."""
    require_new(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".unfinished", dir=folder.parent))
    except OSError as error:
        raise OutputError(f"The folder '{folder}' cannot be made: {error.strerror}.", path=str(folder)) from error
    try:
        yield unfinished
        unfinished.chmod(0o777 & ~_umask())
        os.replace(unfinished, folder)
    except OSError as error:
        raise OutputError(f"'{folder}' could not be written: {error.strerror}. Nothing was left.", path=str(folder)) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
