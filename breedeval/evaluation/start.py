"""A first guess from an older results file, by label: never by position."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from breedeval.arrays import Bool, Float64
from breedeval.equations.mme import MixedModelEquations
from breedeval.errors import count_of, name_some
from breedeval.evaluation.inputs import Inputs
from breedeval.evaluation.observer import Observer
from breedeval.evaluation.problem import Problem
from breedeval.kernels.completeness import equivalent_generations
from breedeval.kernels.pedigree_rows import fill_from_parents
from breedeval.model.layout import FIXED, IDENTITY, EquationBlock
from breedeval.names import Names
from breedeval.pedigree.pedigree import Pedigree
from breedeval.results.schema import GENETIC_GROUPS
from breedeval.results.store import ResultsFile


def start_from(path: Path, inputs: Inputs, observer: Observer, problem: Problem | None = None) -> Float64:
    """First guess (N,) in the units of the user; with a problem, in those of its equations.

    A level takes its old solution; a new animal the mean of its parents; another new level the mean of its effect, and, if a
    problem is given, what its own records say given all other solutions. An effect that the old file does not have begins
    at zero.

    Raises
    ------
    ResultsError
        If the file is not a results file.
    """
    layout = inputs.design.layout
    start = np.zeros(layout.n_equations)
    met = np.zeros(layout.n_equations, dtype=bool)
    with ResultsFile(path) as old:
        for block in layout.blocks:
            pedigree = inputs.genetics.pedigree if block.relationship == "pedigree" and inputs.genetics else None
            if pedigree:
                _genetic(block, pedigree, old, start, met)
            else:
                _effect(block, old, start, met)
        traits, effects = old.traits, old.effects
    found = np.count_nonzero(met)
    unknown = [f"{block.name} ({block.n_equations:,})" for block in layout.blocks if not block.view(met).any()]
    nothing = f"; none of {name_some(unknown)}" if found and unknown else ""
    observer.say(f"start: {found:,} of {len(met):,} solutions from {path}{nothing}")
    if not found:
        observer.warn(
            f"start: none of {count_of(len(met), 'solution')} is in {path}, so that the solution begins from nothing. That "
            f"file has the traits {name_some(traits)} and the effects {name_some(effects)}; this model has the effects "
            f"{name_some([block.name for block in layout.blocks])}. Give the file of an evaluation of the same model."
        )
    if problem is not None:
        start /= problem.units
        _fit_new_levels(problem.equations, met, start)
    return start


def genetic_trend(inputs: Inputs) -> Float64:
    """(N, c) directions that are slow in a national evaluation: EBVs rising with generations, one for each genetic column.

    Years of recording can take up most of a genetic trend, so the equations hardly tell the two apart, and new records move
    both. PCG finds these directions last.
    """
    genetic, layout = inputs.design.layout.genetic, inputs.design.layout
    if genetic is None or inputs.genetics is None:
        return np.zeros((layout.n_equations, 0))
    pedigree = inputs.genetics.pedigree
    generations = np.empty(pedigree.n_animals)
    equivalent_generations(pedigree.sire, pedigree.dam, generations)
    vectors = np.zeros((layout.n_equations, genetic.n_columns))
    for j in range(genetic.n_columns):
        column = np.zeros(layout.n_equations)
        genetic.view(column)[: pedigree.n_animals, j] = generations
        vectors[:, j] = column
    return vectors


def _fit_new_levels(equations: MixedModelEquations, met: Bool, start: Float64) -> None:
    """Take a step in the equations of new levels where levels of an effect are not related: one product with C."""
    diagonal = equations.diagonal()
    new = ~met & (diagonal > 0)
    residual = equations.right_hand_side - equations.multiply(start)
    for block in equations.layout.blocks:
        own = block.equations
        if block.relationship not in (FIXED, IDENTITY) or not met[own].any():
            continue
        step = np.divide(residual[own], diagonal[own], out=np.zeros(block.n_equations), where=new[own])
        # The other columns of a level stay as they are; a step along the diagonal alone is right for one and safe for several.
        start[own] += step / block.n_columns


def _genetic(block: EquationBlock, pedigree: Pedigree, old: ResultsFile, start: Float64, met_out: Bool) -> None:
    rows = old.names().find(pedigree.ids)
    met = rows >= 0
    values = block.view(start)
    n, known = pedigree.n_animals, block.view(met_out)
    for j, label in enumerate(block.columns):
        trait, _, column = label.partition(":")
        if trait not in old.traits or column not in old.columns(trait):
            continue
        animals = np.zeros(n)
        animals[met] = old.solution_of_animals(trait, column)[rows[met]]
        fill_from_parents(pedigree.sire, pedigree.dam, met, animals)
        values[:n, j] = animals
        known[:n, j] = met
    if pedigree.n_groups and GENETIC_GROUPS in old.effects:
        _take_levels(old, GENETIC_GROUPS, pedigree.groups, block.columns, values[n:], known[n:])


def _effect(block: EquationBlock, old: ResultsFile, start: Float64, met_out: Bool) -> None:
    if block.name not in old.effects:
        return
    values, known, n = block.view(start), block.view(met_out), block.n_levels - block.n_extra
    _take_levels(old, block.name, block.levels.take(np.arange(n)), block.columns, values[:n], known[:n])
    if block.n_extra and block.extra_name in old.effects:
        extra = block.levels.take(np.arange(n, block.n_levels))
        _take_levels(old, block.extra_name, extra, block.columns, values[n:], known[n:])


def _take_levels(old: ResultsFile, effect: str, levels: Names, columns: tuple[str, ...], out: Float64, met_out: Bool) -> None:
    """Write the old solutions of an effect to out (levels × columns), the mean for new levels, and which were known."""
    names, old_columns, solution = old.solutions(effect)
    rows = names.find(levels)
    met = rows >= 0
    for j, column in enumerate(columns):
        if column in old_columns:
            values = solution[:, old_columns.index(column)]
            out[:, j] = np.where(met, values[rows], values.mean())
            met_out[:, j] = met
