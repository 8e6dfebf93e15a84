"""Writing the results file."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from breedeval.arrays import NONE
from breedeval.model.layout import EquationBlock
from breedeval.names import Names
from breedeval.results import schema
from breedeval.results.content import EvaluationResults, stored_years
from breedeval.results.new_file import new_file
from breedeval.results.variance_terms import write_residual_terms, write_terms


def write_results(path: Path, results: EvaluationResults) -> None:
    """Write an evaluation to one HDF5 file, whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written; what stood under `path` is then untouched.
    """
    with new_file(path, schema.FORMAT, schema.FORMAT_VERSION, results) as file:
        _write_animals(file.create_group(schema.ANIMALS), results)
        _write_ebv(file.create_group(schema.EBV, track_order=True), results)
        _write_effects(file.create_group(schema.EFFECTS, track_order=True), results)
        _write_variances(file.create_group(schema.VARIANCES), results)
        _write_solver(file.create_group(schema.SOLVER), results)


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
