"""Reading what an estimation wrote, for people: the table and how the estimation ended."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import pandas as pd

from breedeval.errors import ResultsError
from breedeval.results import schema
from breedeval.results.new_file import read_record


@dataclass(frozen=True)
class StoredEstimates:
    """What a person wants to know of a file of estimates.

    Parameters
    ----------
    title, created, breedeval_version
        Of the configuration; time of completion, UTC; the version that wrote the file.
    likelihood, sentence, rounds
        ``reml`` or ``ml``; how the search ended, in words; number of rounds.
    record
        The run record.
    table
        As `breedeval.results.estimates.EstimationResults.table` gave it.
    """

    title: str
    created: str
    breedeval_version: str
    likelihood: str
    sentence: str
    rounds: int
    record: dict[str, Any]
    table: pd.DataFrame


def holds_estimates(path: Path) -> bool:
    """Whether a file is one of estimates; False for whatever else it is, or if it is not there."""
    try:
        with h5py.File(path, "r") as file:
            return bool(file.attrs.get("format") == schema.ESTIMATES_FORMAT)
    except OSError:
        return False


def read_estimates(path: Path) -> StoredEstimates:
    """Read a file of estimates.

    Raises
    ------
    ResultsError
        If the file lacks a part, or a later version wrote it.
    """
    with h5py.File(path, "r") as file:
        version = str(file.attrs.get("format_version"))
        if not schema.is_readable(version, schema.ESTIMATES_VERSION):
            raise ResultsError(
                f"{path} has format version {version}; this breedeval reads {schema.ESTIMATES_VERSION}. Estimate again."
            )
        try:
            return _estimates(file)
        except KeyError as error:
            raise ResultsError(f"{path} is not complete: {error.args[0]}. Estimate again.") from error


def _estimates(file: h5py.File) -> StoredEstimates:
    group = file[schema.ESTIMATION]
    table = group["table"]
    columns = {
        name: table[name].asstr()[:] if name in schema.ESTIMATE_TEXTS else table[name][:] for name in schema.ESTIMATE_COLUMNS
    }
    return StoredEstimates(
        title=str(file.attrs["title"]),
        created=str(file.attrs["created"]),
        breedeval_version=str(file.attrs["breedeval_version"]),
        likelihood=str(group.attrs["likelihood"]),
        sentence=str(group.attrs["sentence"]),
        rounds=int(group.attrs["rounds"]),
        record=read_record(file),
        table=pd.DataFrame(columns),
    )
