"""Records whose dam is not known, kept by a dam of their own instead of being dropped.

An unknown dam is an animal like another: her maternal effect and her part of the animal's direct effect belong to the
variance of the record and are correlated. Leaving the term out, or sharing one unknown dam, would take that variance for
something else. With a dam for each animal, unrelated to all but her progeny, the model is that of known dams, exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from breedeval.arrays import NONE, freeze
from breedeval.model.records import ClassColumn, RecordTable
from breedeval.names import Names


@dataclass(frozen=True)
class PhantomDams:
    """(k,) `animals` whose dam is missing in a record, and the names of the `dams` they got; in `n_records` records."""

    animals: Names
    dams: Names
    n_records: int


def give_phantom_dams(table: RecordTable, animal: str, dam: str) -> tuple[RecordTable, PhantomDams]:
    """Fill the missing names of column `dam`, the same one in all records of an animal.

    Examples
    --------
    >>> from breedeval.source import Source
    >>> columns = {"id": ClassColumn(Names.of(["a", "b"]), np.array([0, 1, 1], np.int32)),
    ...            "dam": ClassColumn(Names.of(["m"]), np.array([0, -1, -1], np.int32))}
    >>> filled, phantoms = give_phantom_dams(RecordTable(Source("three records"), 3, columns, {}), "id", "dam")
    >>> list(filled.classes["dam"].names), filled.classes["dam"].codes.tolist(), list(phantoms.animals)
    (['m', 'unknown dam of b'], [0, 1, 1], ['b'])
    """
    animals, dams = table.classes[animal], table.classes[dam]
    rows = np.flatnonzero((dams.codes < 0) & (animals.codes >= 0))
    needy, place = np.unique(animals.codes[rows], return_inverse=True)
    names = animals.names.take(needy)
    phantoms = Names.of(f"unknown dam of {name}" for name in names)
    codes = dams.codes.copy()
    codes[rows] = len(dams.names) + place
    filled = ClassColumn(dams.names.joined(phantoms), freeze(codes))
    classes = MappingProxyType({**table.classes, dam: filled})
    return replace(table, classes=classes), PhantomDams(names, phantoms, len(rows))


def without_phantom_dams(table: RecordTable, phantoms: PhantomDams, dam: str) -> RecordTable:
    """The table with the names of column `dam` missing again that `give_phantom_dams` filled in."""
    filled = table.classes[dam]
    kept = len(filled.names) - len(phantoms.dams)
    codes = np.where(filled.codes < kept, filled.codes, NONE).astype(np.int32)
    column = ClassColumn(filled.names.take(np.arange(kept)), freeze(codes))
    return replace(table, classes=MappingProxyType({**table.classes, dam: column}))
