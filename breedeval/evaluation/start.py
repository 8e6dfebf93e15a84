"""A first guess from an older results file, by label: never by position."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from breedeval.arrays import Float64
from breedeval.evaluation.inputs import Inputs
from breedeval.evaluation.observer import Observer
from breedeval.kernels.pedigree_rows import fill_from_parents
from breedeval.model.layout import EquationBlock
from breedeval.names import Names
from breedeval.pedigree.pedigree import Pedigree
from breedeval.results.schema import GENETIC_GROUPS
from breedeval.results.store import ResultsFile


def start_from(path: Path, inputs: Inputs, observer: Observer) -> Float64:
    """First guess (N,) for the solver.

    A level takes its old solution; a new animal the mean of its parents; another new level the mean of its effect. An effect
    that the old file does not have begins at zero.

    Raises
    ------
    ResultsError
        If the file is not a results file.
    """
    layout = inputs.design.layout
    start = np.zeros(layout.n_equations)
    known, asked = 0, 0
    with ResultsFile(path) as old:
        for block in layout.blocks:
            pedigree = inputs.genetics.pedigree if block.relationship == "pedigree" and inputs.genetics else None
            found = _genetic(block, pedigree, old, start) if pedigree else _effect(block, old, start)
            known, asked = known + found, asked + block.n_equations
    observer.say(f"start: {known:,} of {asked:,} solutions from {path}")
    return start


def _genetic(block: EquationBlock, pedigree: Pedigree, old: ResultsFile, start: Float64) -> int:
    rows = old.names().find(pedigree.ids)
    met = rows >= 0
    values = block.view(start)
    n, found = pedigree.n_animals, 0
    for j, label in enumerate(block.columns):
        trait, _, column = label.partition(":")
        if trait not in old.traits or column not in old.columns(trait):
            continue
        animals = np.zeros(n)
        animals[met] = old.solution_of_animals(trait, column)[rows[met]]
        fill_from_parents(pedigree.sire, pedigree.dam, met, animals)
        values[:n, j] = animals
        found += int(met.sum())
    if pedigree.n_groups and GENETIC_GROUPS in old.effects:
        found += _take_levels(old, GENETIC_GROUPS, pedigree.groups, block.columns, values[n:])
    return found


def _effect(block: EquationBlock, old: ResultsFile, start: Float64) -> int:
    if block.name not in old.effects:
        return 0
    values, n = block.view(start), block.n_levels - block.n_extra
    found = _take_levels(old, block.name, block.levels.take(np.arange(n)), block.columns, values[:n])
    if block.n_extra and block.extra_name in old.effects:
        extra = block.levels.take(np.arange(n, block.n_levels))
        found += _take_levels(old, block.extra_name, extra, block.columns, values[n:])
    return found


def _take_levels(old: ResultsFile, effect: str, levels: Names, columns: tuple[str, ...], out: Float64) -> int:
    """Write the old solutions of an effect to out (levels × columns), the mean for new levels; returns how many were known."""
    names, old_columns, solution = old.solutions(effect)
    rows = names.find(levels)
    met = rows >= 0
    found = 0
    for j, column in enumerate(columns):
        if column in old_columns:
            values = solution[:, old_columns.index(column)]
            out[:, j] = np.where(met, values[rows], values.mean())
            found += int(met.sum())
    return found
