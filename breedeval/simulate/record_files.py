"""Simulated records of any model as columns of files: the records, and the truth behind them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breedeval.arrays import Float64
from breedeval.errors import ConfigError, name_some
from breedeval.model.records import ClassColumn
from breedeval.names import Names
from breedeval.simulate.files import quoted_where_needed
from breedeval.simulate.phenotypes import SimulatedRecords
from breedeval.simulate.population import Columns

#: Rounding of a written record, in residual standard deviations, at most.
_ROUNDING = 1e-5


def record_columns(records: SimulatedRecords) -> Columns:
    """All columns of the table; a missing value is an empty field.

    Raises
    ------
    ConfigError
        If a level has no name, so that an empty field would mean two things.
    """
    table = records.table
    nameless = [name for name, column in table.classes.items() if (column.names.lengths == 0).any()]
    if nameless:
        raise ConfigError(f"Levels without a name in the columns {name_some(nameless)}. List '' under records: missing.")
    columns: dict[str, Names | NDArray[Any]] = {name: _texts(column) for name, column in table.classes.items()}
    for name, values in table.numbers.items():
        if name not in columns:
            columns[name] = values
    for j, trait in enumerate(records.design.traits):
        columns[trait] = np.round(table.numbers[trait], _decimals(records.residuals[:, j]))
    return columns


def true_value_columns(records: SimulatedRecords) -> Columns:
    """``id`` and the true breeding values by label (``trait:column``); only ``id`` and no row without a genetic term."""
    block = records.design.layout.genetic
    if block is None:
        return {"id": Names.of([])}
    values = records.effect(block.name)
    return {"id": quoted_where_needed(block.levels)} | {label: values[:, j] for j, label in enumerate(block.columns)}


def true_effect_columns(records: SimulatedRecords) -> Columns:
    """True effects of all other blocks, one below the other: ``effect, level, column, value``."""
    effects, levels, columns, values = [], [], [], [np.empty(0)]
    for block, true in zip(records.design.layout.blocks, records.effects, strict=True):
        if block.relationship == "pedigree":
            continue
        n = block.n_equations
        effects.append(Names.of([block.name]).take(np.zeros(n, dtype=np.int64)))
        levels.append(block.levels.take(np.repeat(np.arange(block.n_levels), block.n_columns)))
        columns.append(Names.of(block.columns).take(np.tile(np.arange(block.n_columns), block.n_levels)))
        values.append(true.reshape(-1))
    return {
        "effect": quoted_where_needed(_joined(effects)),
        "level": quoted_where_needed(_joined(levels)),
        "column": quoted_where_needed(_joined(columns)),
        "value": np.concatenate(values),
    }


def _texts(column: ClassColumn) -> Names:
    """The names of all rows; an empty text where missing."""
    names = quoted_where_needed(column.names)
    with_empty = Names(names.buffer, np.append(names.offsets, names.offsets[-1]))
    return with_empty.take(np.where(column.codes < 0, len(names), column.codes))


def _joined(parts: list[Names]) -> Names:
    """One sequence of names behind the other."""
    ends = np.cumsum([0, *(part.offsets[-1] for part in parts)])
    offsets = [np.zeros(1, dtype=np.int64), *(part.offsets[1:] + end for part, end in zip(parts, ends, strict=False))]
    return Names(np.concatenate([np.empty(0, dtype=np.uint8), *(part.buffer for part in parts)]), np.concatenate(offsets))


def _decimals(residuals: Float64) -> int:
    sd = float(np.sqrt(np.mean(residuals**2)))
    return max(0, math.ceil(-math.log10(_ROUNDING * sd))) if sd > 0 else 9
