"""Reading the results file."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np
import pandas as pd

from breedeval.arrays import Float64, Int32, freeze
from breedeval.errors import ResultsError, UnknownNameError, name_some
from breedeval.names import Names
from breedeval.results import schema
from breedeval.results.content import SEX_NAMES, choose_column, choose_trait, ebv_frame
from breedeval.results.new_file import read_record
from breedeval.version import __version__


class ResultsFile:
    """A results file, read as asked; use it in ``with`` or call :meth:`close`.

    Raises
    ------
    ResultsError
        If the file is not there, not HDF5, of another format or of a later version.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.exists():
            raise ResultsError(f"There is no file {path}. Run 'breedeval evaluate CONFIG -o {path}' to make it.")
        if self.path.is_dir():
            raise ResultsError(f"{path} is a folder. Give the name of a results file.")
        try:
            self._file = h5py.File(self.path, "r")
        except OSError as error:
            raise ResultsError(
                f"{path} cannot be read as HDF5: it is damaged or something else. Give a file that 'breedeval evaluate' wrote."
            ) from error
        self._check_format()

    def _check_format(self) -> None:
        found = self._file.attrs.get("format")
        if found == schema.ESTIMATES_FORMAT:
            self.close()
            raise ResultsError(
                f"{self.path} holds estimates of (co)variances, no breeding values. 'breedeval show {self.path}' prints them; "
                f"with 'variances: {{file: {self.path.name}}}' in a configuration, 'breedeval evaluate' gives breeding values."
            )
        if found != schema.FORMAT:
            self.close()
            raise ResultsError(
                f"{self.path} is HDF5, but not a results file of breedeval (format: {found}). "
                "Give a file that 'breedeval evaluate' wrote."
            )
        version = str(self._file.attrs.get("format_version"))
        if not schema.is_readable(version, schema.FORMAT_VERSION):
            self.close()
            raise ResultsError(
                f"{self.path} has format version {version}; this breedeval {__version__} reads {schema.FORMAT_VERSION}. "
                "Read it with the version of breedeval that wrote it, or evaluate again."
            )
        absent = [place for place in schema.NEEDED if place not in self._file]
        if absent:
            self.close()
            raise ResultsError(f"{self.path} is not complete: it lacks {name_some(absent)}. Evaluate again.")

    def __enter__(self) -> ResultsFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    @property
    def title(self) -> str:
        """Title of the configuration."""
        return str(self._file.attrs["title"])

    @property
    def created(self) -> str:
        """When the evaluation was completed, UTC."""
        return str(self._file.attrs["created"])

    @property
    def breedeval_version(self) -> str:
        """The version that wrote the file."""
        return str(self._file.attrs["breedeval_version"])

    @property
    def traits(self) -> tuple[str, ...]:
        """Traits with breeding values, and published functions behind them."""
        return tuple(schema.name_of_group(name) for name in self._file[schema.EBV])

    def columns(self, trait: str) -> tuple[str, ...]:
        """Columns (direct, maternal, coefficients) with breeding values for a trait."""
        group = self._file[schema.EBV][schema.group_name(trait)]
        return tuple(schema.name_of_group(name) for name in group)

    @property
    def record(self) -> dict[str, Any]:
        """The run record: versions, inputs, counts, choices, stages."""
        return read_record(self._file)

    @property
    def config_text(self) -> str:
        """The configuration as it was written."""
        return str(self._file[f"{schema.RUN}/config"].asstr()[()])

    @property
    def solver(self) -> dict[str, Any]:
        """How the solver ended."""
        return {name: _plain(value) for name, value in self._file[schema.SOLVER].attrs.items()}

    @property
    def history(self) -> pd.DataFrame:
        """The criteria round by round."""
        data = self._file[f"{schema.SOLVER}/history"]
        return pd.DataFrame(data[()], columns=list(data.attrs["columns"]))

    def ids(self) -> list[str]:
        """Names of the animals, in the order of every array of the file."""
        return _texts(self._file[f"{schema.ANIMALS}/id"])

    def names(self) -> Names:
        """Names of the animals without a Python string for each: for millions of them."""
        return _names(self._file[f"{schema.ANIMALS}/id"])

    def inbreeding(self) -> tuple[Names, Float64, Int32, Int32]:
        """Names of the animals, coefficients of inbreeding, and rows of the parents (−1 unknown), each (n,)."""
        group = self._file[schema.ANIMALS]
        values: list[Any] = [freeze(group[name][()]) for name in ("inbreeding", "sire", "dam")]
        return self.names(), values[0], values[1], values[2]

    def animals(self) -> pd.DataFrame:
        """One row an animal: id, sire, dam (missing if unknown), inbreeding, sex, birth_year, n_records, n_progeny."""
        group = self._file[schema.ANIMALS]
        ids = self.ids()
        names = [*ids, None]
        return pd.DataFrame(
            {
                "id": ids,
                "sire": [names[row] for row in group["sire"][()]],
                "dam": [names[row] for row in group["dam"][()]],
                "inbreeding": group["inbreeding"][()],
                "sex": [SEX_NAMES[sex] for sex in group["sex"][()]],
                "birth_year": group["birth_year"][()],
                "n_records": group["n_records"][()],
                "n_progeny": group["n_progeny"][()],
            }
        )

    def ebv(self, trait: str | None = None, column: str | None = None) -> pd.DataFrame:
        """One row an animal: id, ebv, reliability (if computed).

        Parameters
        ----------
        trait
            A trait or a published function; may be left out when there is one trait.
        column
            Which genetic effect; the first by default.
        """
        trait = choose_trait(self, trait)
        group = self._ebv_group(trait, choose_column(self, trait, column))
        reliability: Float64 | None = group["reliability"][()] if "reliability" in group else None
        return ebv_frame(self.ids(), group["value"][()], reliability)

    def base(self, trait: str, column: str | None = None) -> str:
        """What an EBV of zero means."""
        return str(self._ebv_group(trait, choose_column(self, trait, column)).attrs["base"])

    def solution_of_animals(self, trait: str, column: str) -> Float64:
        """(n,) solutions of a genetic effect, before the base was taken off."""
        group = self._ebv_group(trait, column)
        values: Float64 = group["value"][()] + float(group.attrs["base_offset"])
        return values

    def solutions(self, name: str) -> tuple[Names, tuple[str, ...], Float64]:
        """Levels, columns and solutions (levels × columns) of one effect."""
        group = self._file[schema.EFFECTS][schema.group_name(name)]
        return _names(group["level"]), tuple(str(column) for column in group.attrs["columns"]), group["solution"][()]

    def definition(self, trait: str, column: str | None = None) -> str:
        """What a published function is, in words; empty for breeding values of a trait."""
        return str(self._ebv_group(trait, choose_column(self, trait, column)).attrs.get("definition", ""))

    @property
    def effects(self) -> tuple[str, ...]:
        """Names of the effects other than the breeding values."""
        return tuple(schema.name_of_group(name) for name in self._file[schema.EFFECTS])

    def effect(self, name: str) -> pd.DataFrame:
        """Solutions of one effect: level, one column a column of the effect, constrained."""
        if name not in self.effects:
            raise UnknownNameError(f"No effect '{name}'. There are: {name_some(self.effects, 50)}.", name=name, nearest=[])
        group = self._file[schema.EFFECTS][schema.group_name(name)]
        frame = pd.DataFrame(group["solution"][()], columns=list(group.attrs["columns"]))
        frame.insert(0, "level", _texts(group["level"]))
        frame["constrained"] = group["constrained"][()].any(axis=1)
        return frame

    def estimability(self) -> dict[str, str]:
        """What is estimable, by fixed effect."""
        group = self._file[schema.EFFECTS]
        return {name: str(group[schema.group_name(name)].attrs["estimable"]) for name in self.effects}

    def _ebv_group(self, trait: str, column: str) -> h5py.Group:
        return self._file[schema.EBV][schema.group_name(trait)][schema.group_name(column)]


def open_results(path: str | Path) -> ResultsFile:
    """Open a results file.

    Examples
    --------
    >>> import breedeval as be, tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "gain.h5"
    >>> run = be.evaluate("configs/mrode_animal.yaml", results=path)
    >>> with be.open_results(path) as results:
    ...     print(results.ebv("gain").query("id == '6'").round(3).to_string(index=False))
    id   ebv  reliability
     6 0.177        0.115
    """
    return ResultsFile(path)


def _texts(dataset: h5py.Dataset) -> list[str]:
    return [item.decode() for item in dataset[()].tolist()]


def _names(dataset: h5py.Dataset) -> Names:
    raw = dataset[()]
    texts = np.frombuffer(raw.tobytes(), dtype=np.uint8).reshape(len(raw), raw.dtype.itemsize)
    lengths = raw.dtype.itemsize - np.argmax(texts[:, ::-1] != 0, axis=1)
    lengths[~texts.any(axis=1)] = 0
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Names(freeze(texts[np.arange(raw.dtype.itemsize) < lengths[:, None]]), freeze(offsets))


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
