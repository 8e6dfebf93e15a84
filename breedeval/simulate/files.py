"""A simulated population as files: tables in CSV and an evaluation that is ready to run."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pandas as pd
from numpy.typing import NDArray

from breedeval.errors import OutputError
from breedeval.names import Names
from breedeval.simulate.dairy import Columns, DairyPopulation

if importlib.util.find_spec("pyarrow"):
    import pyarrow as pa
    import pyarrow.csv as pa_csv
else:
    pa = None

_CHUNK = 200_000

_EVALUATION = """\
# A simulated dairy population; its true breeding values are in true_values.csv.
title: Milk of a simulated dairy population, repeatability animal model

pedigree:
  file: pedigree.csv
  animal: id
  sire: sire
  dam: dam
  birth_year: birth_year
  sex: sex
  unknown: ["0"]

records:
  file: records.csv
  classes: [herd_year, lactation]   # names, whatever they look like
  covariates: [dim]                 # numbers

model:
  milk: herd_year + lactation + lactation:dim + genetic(id) + permanent(id)

variances:                          # kg², those of the simulation
  genetic: {genetic:.12g}
  permanent: {permanent:.12g}
  residual: {residual:.12g}
"""


def write_population(population: DairyPopulation, folder: Path) -> None:
    """Write ``pedigree.csv``, ``records.csv``, ``true_values.csv`` and ``evaluation.yaml`` into a new folder, or nothing.

    The files are made in a folder beside it, which gets its name when all are complete.

    Raises
    ------
    OutputError
        If the folder is there and not empty, or cannot be written.
    """
    with _new_folder(folder) as unfinished:
        write_columns(population.pedigree_columns(), unfinished / "pedigree.csv")
        write_columns(population.record_columns(), unfinished / "records.csv")
        write_columns(population.true_value_columns(), unfinished / "true_values.csv")
        (unfinished / "evaluation.yaml").write_text(evaluation_text(population), encoding="utf-8")


def evaluation_text(population: DairyPopulation) -> str:
    """Write the configuration that evaluates the population with the variances it was simulated with."""
    plan = population.plan
    return _EVALUATION.format(genetic=plan.genetic_variance, permanent=plan.permanent_variance, residual=plan.residual_variance)


def write_columns(columns: Columns, path: Path) -> None:
    """Write columns as CSV, a header line first; the texts must be free of commas and quotes.

    The same bytes whether pyarrow is installed (fast) or not (pandas, a part of the rows at a time).
    """
    with path.open("wb") as file:
        file.write((",".join(columns) + "\n").encode())
        if pa is not None:
            _write_with_arrow(columns, file)
        else:
            _write_with_pandas(columns, file)


def _write_with_arrow(columns: Columns, file: IO[bytes]) -> None:
    table = pa.table({name: _arrow_array(values) for name, values in columns.items()})
    pa_csv.write_csv(table, file, pa_csv.WriteOptions(include_header=False, quoting_style="none"))


def _arrow_array(values: Names | NDArray[Any]) -> Any:
    if not isinstance(values, Names):
        return pa.array(values)
    return pa.LargeStringArray.from_buffers(len(values), pa.py_buffer(values.offsets), pa.py_buffer(values.buffer))


def _write_with_pandas(columns: Columns, file: IO[bytes]) -> None:
    n_rows = len(next(iter(columns.values())))
    for first in range(0, n_rows, _CHUNK):
        rows = range(first, min(first + _CHUNK, n_rows))
        part = {name: _part(values, rows) for name, values in columns.items()}
        # 15 digits: what pyarrow writes, and a whole number without a decimal point
        pd.DataFrame(part).to_csv(file, header=False, index=False, float_format="%.15g", lineterminator="\n")


def _part(values: Names | NDArray[Any], rows: range) -> Any:
    return values.take(rows).to_list() if isinstance(values, Names) else values[rows.start : rows.stop]


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to fill, which becomes `folder` if all goes well and vanishes if not."""
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"'{folder}' is a file. Name a folder that is not there yet.", path=str(folder))
    if folder.is_dir() and any(folder.iterdir()):
        raise OutputError(f"The folder '{folder}' is there and not empty. Name another one, or remove it.", path=str(folder))
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
