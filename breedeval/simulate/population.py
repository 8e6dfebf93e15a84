"""A simulated population: animals, records and the truth, ready to be written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breedeval.arrays import NONE, Float64, Int8, Int32
from breedeval.names import Names
from breedeval.pedigree.pedigree import Pedigree

#: Columns of a table by name: texts or numbers.
Columns = Mapping[str, Names | NDArray[Any]]
_SEX_LETTERS = ("U", "M", "F")


@dataclass(frozen=True)
class TruePedigree:
    """Animals or plants, parents before progeny, as they are and as they are written down.

    Parameters
    ----------
    ids
        (n,) names.
    sire, dam
        (n,) int32 rows as they are written down; −1 unknown.
    true_sire, true_dam
        (n,) int32 rows as it was; −1 for founders alone.
    sex
        (n,) int8, 0 unknown (plants), 1 male, 2 female.
    birth_year
        (n,) int32.
    """

    ids: Names
    sire: Int32
    dam: Int32
    true_sire: Int32
    true_dam: Int32
    sex: Int8
    birth_year: Int32

    @property
    def n_animals(self) -> int:
        """Number of animals, n."""
        return len(self.sire)

    def to_pedigree(self) -> Pedigree:
        """Give the pedigree as it is written down."""
        return Pedigree(self.ids, self.sire, self.dam, self.sex, self.birth_year, Names.of([]), "a simulation")

    def columns(self) -> Columns:
        """Write the pedigree: ``id, sire, dam, sex, birth_year``; an unknown parent is ``0``; plants have no sex."""
        sex = {"sex": Names.of(_SEX_LETTERS).take(self.sex)} if self.sex.any() else {}
        return {
            "id": self.ids,
            "sire": names_or_zero(self.ids, self.sire),
            "dam": names_or_zero(self.ids, self.dam),
            **sex,
            "birth_year": self.birth_year,
        }


@dataclass(frozen=True)
class SimulatedAnimals(TruePedigree):
    """Animals or plants with several breeding values.

    Parameters
    ----------
    labels
        (k,) names of the breeding values, ``trait:column`` as among the variances.
    breeding_value
        (n, k) float64 true breeding values; founders have mean 0.
    """

    labels: tuple[str, ...]
    breeding_value: Float64


@dataclass(frozen=True)
class SimulatedPopulation:
    """Animals with records, the truth behind them, and the configuration that evaluates them.

    Parameters
    ----------
    animals
        n animals.
    records
        Columns of m records as they are written.
    other_effects
        (n,) further true effects of the animals by name, such as permanent environments.
    configuration
        Text of ``evaluation.yaml``.
    decimals
        Digits behind the point of true values.
    """

    animals: SimulatedAnimals
    records: Columns
    other_effects: Mapping[str, Float64]
    configuration: str
    decimals: int = 4

    @property
    def n_records(self) -> int:
        """Number of records, m."""
        return len(next(iter(self.records.values())))

    def pedigree_columns(self) -> Columns:
        """Columns of ``pedigree.csv``."""
        return self.animals.columns()

    def record_columns(self) -> Columns:
        """Columns of ``records.csv``."""
        return self.records

    def true_value_columns(self) -> Columns:
        """Columns of ``true_values.csv``: ``id``, breeding values by label, other effects by name."""
        values = {label: self.animals.breeding_value[:, j] for j, label in enumerate(self.animals.labels)}
        rounded = {name: np.round(column, self.decimals) for name, column in {**values, **self.other_effects}.items()}
        return {"id": self.animals.ids, **rounded}

    def evaluation_text(self) -> str:
        """Text of ``evaluation.yaml``."""
        return self.configuration


def names_or_zero(ids: Names, rows: Int32) -> Names:
    """Names of `rows`, and ``0`` for −1."""
    end = ids.offsets[-1]
    with_zero = Names(np.append(ids.buffer, np.uint8(ord("0"))), np.append(ids.offsets, end + 1))
    return with_zero.take(np.where(rows == NONE, len(ids), rows))
