"""Writing and reading the results file."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np
import pandas as pd

from breedeval.arrays import NONE, Float64, Int32, freeze
from breedeval.errors import ResultsError, UnknownNameError, name_some
from breedeval.model.layout import EquationBlock
from breedeval.names import Names
from breedeval.results import schema
from breedeval.results.atomic import written_whole
from breedeval.results.content import (
    SEX_NAMES,
    EvaluationResults,
    choose_column,
    choose_trait,
    ebv_frame,
    stored_years,
)
from breedeval.results.sink import Sink
from breedeval.results.variance_terms import write_residual_terms, write_terms
from breedeval.version import __version__


def write_results(path: Path, results: EvaluationResults) -> None:
    """Write an evaluation to one HDF5 file, whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written; what stood under `path` is then untouched.
    """
    with written_whole(path) as temporary, Sink(temporary) as sink, h5py.File(sink, "w", track_order=True) as file:
        file.attrs.update(
            {
                "format": schema.FORMAT,
                "format_version": schema.FORMAT_VERSION,
                "title": results.title,
                "breedeval_version": __version__,
                "created": results.created,
            }
        )
        _write_animals(file.create_group(schema.ANIMALS), results)
        _write_ebv(file.create_group(schema.EBV, track_order=True), results)
        _write_effects(file.create_group(schema.EFFECTS, track_order=True), results)
        _write_variances(file.create_group(schema.VARIANCES), results)
        _write_solver(file.create_group(schema.SOLVER), results)
        run = file.create_group(schema.RUN)
        run["config"] = results.config_text
        run["record"] = json.dumps(results.record, indent=1, default=str)


def _write_names(group: h5py.Group, dataset: str, names: Names) -> None:
    length = max(int(names.lengths.max(initial=0)), 1)
    texts = np.zeros((len(names), length), dtype=np.uint8)
    used = np.arange(length) < names.lengths[:, None]
    texts[used] = names.buffer
    wasteful = length * len(names) > 3 * len(names.buffer) + 10_000
    options = {"compression": "gzip", "compression_opts": 1} if wasteful and len(names) else {}
    group.create_dataset(dataset, data=texts.view(h5py.string_dtype("utf-8", length)).ravel(), **options)


def _write_animals(group: h5py.Group, results: EvaluationResults) -> None:
    pedigree = results.pedigree
    _write_names(group, "id", pedigree.ids)
    n = pedigree.n_animals
    group["sire"], group["dam"] = (np.where(parent < n, parent, NONE) for parent in (pedigree.sire, pedigree.dam))
    if pedigree.n_groups:
        for name, parent in (("sire_group", pedigree.sire), ("dam_group", pedigree.dam)):
            group[name] = np.where(parent >= n, parent - n, NONE)
            group[name].attrs["meaning"] = f"int32 row in /effects/{schema.GENETIC_GROUPS}/level, -1 if the parent is known"
    group["inbreeding"] = results.inbreeding
    group["sex"], group["birth_year"] = pedigree.sex, stored_years(pedigree.birth_year)
    group["n_records"], group["n_progeny"] = results.n_records, pedigree.n_progeny()
    for name, meaning in schema.ANIMAL_DATASETS.items():
        group[name].attrs["meaning"] = meaning


def _write_ebv(group: h5py.Group, results: EvaluationResults) -> None:
    for values in results.breeding_values:
        name = schema.group_name(values.trait)
        trait = group[name] if name in group else group.create_group(name, track_order=True)
        part = trait.create_group(schema.group_name(values.column))
        part["value"] = values.value
        for dataset, data in (("reliability", values.reliability), ("pev", values.pev)):
            if data is not None:
                part[dataset] = data
        part.attrs.update(
            {
                "unit": values.unit,
                "base": values.base,
                "base_offset": values.base_offset,
                "genetic_variance": values.variance,
            }
        )
        if values.contrast is not None:
            part.attrs["definition"] = values.contrast.function.text
            part.attrs["labels"] = list(values.contrast.labels)
            part.attrs["weights"] = values.contrast.weights


def _write_effects(group: h5py.Group, results: EvaluationResults) -> None:
    notes = {e.effect: e.sentence() for e in results.estimability}
    for block in results.solutions.layout.blocks:
        estimable = "predicted" if block.is_random else notes.get(block.name, "yes")
        if block.relationship != "pedigree":
            n = block.n_levels - block.n_extra
            _write_effect(group.create_group(schema.group_name(block.name)), block, slice(0, n), estimable, results)
            if block.n_extra:
                part = group.create_group(schema.group_name(block.extra_name))
                _write_effect(part, block, slice(n, block.n_levels), estimable, results)
        elif results.pedigree.n_groups:  # of this block, the solutions of animals are the breeding values
            n = results.pedigree.n_animals
            rows = slice(n, block.n_levels)
            _write_effect(group.create_group(schema.GENETIC_GROUPS), block, rows, "differences between groups", results)


def _write_effect(part: h5py.Group, block: EquationBlock, rows: slice, estimable: str, results: EvaluationResults) -> None:
    """Some levels of a block."""
    whole = (rows.start, rows.stop) == (0, block.n_levels)
    _write_names(part, "level", block.levels if whole else block.levels.take(np.arange(rows.start, rows.stop)))
    part["solution"] = block.view(results.solutions.values)[rows]
    part["constrained"] = block.view(results.solutions.constrained)[rows]
    if results.solution_pev is not None:
        part["pev"] = block.view(results.solution_pev)[rows]
    if block.name in results.effect_reliability:
        part["reliability"] = results.effect_reliability[block.name][rows]
    part.attrs["columns"] = list(block.columns)
    part.attrs["kind"] = "random" if block.is_random else "fixed"
    part.attrs["estimable"] = estimable


def _write_variances(group: h5py.Group, results: EvaluationResults) -> None:
    for name, covariance in results.variances.random.items():
        part = group.create_group(schema.group_name(name))
        part["matrix"] = covariance.matrix
        part["labels"] = list(covariance.labels)
        write_terms(part, covariance.labels, results.variance_terms.random.get(name, {}))
    residual = results.variances.residual
    part = group.create_group("residual", track_order=True)
    part["labels"] = list(residual.labels)
    write_residual_terms(part, residual.labels, results.variance_terms)
    if residual.by is None:
        part["matrix"] = next(iter(residual.matrices.values()))
        return
    part.attrs["by"] = residual.by
    if residual.up_to:
        part.attrs["up_to"] = np.array(residual.up_to)
    for name, matrix in residual.matrices.items():
        part.create_group(schema.group_name(name))["matrix"] = matrix


def _write_solver(group: h5py.Group, results: EvaluationResults) -> None:
    solve = results.solve
    group.attrs.update(
        {
            "status": solve.status.code,
            "method": solve.method,
            "rounds": solve.rounds,
            "relative_residual": solve.final.residual,
            "ebv_error": solve.final.ebv_error,
            "sentence": solve.sentence(),
            "seconds": solve.seconds,
        }
    )
    rounds = [(c.ebv_error, c.residual, c.residual_squared, c.solution_change) for c in solve.history]
    history = group.create_dataset("history", data=np.array(rounds, dtype=np.float64).reshape(-1, 4))
    history.attrs["columns"] = ["ebv_error", "residual", "residual_squared", "solution_change"]


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
        if version.split(".", maxsplit=1)[0] != schema.FORMAT_VERSION.split(".")[0]:
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
        found: dict[str, Any] = json.loads(self._file[f"{schema.RUN}/record"].asstr()[()])
        return found

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
