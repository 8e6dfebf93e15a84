"""Dams that nobody knows as animals of their own: one for each animal that needs one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from breedeval.arrays import NONE, freeze
from breedeval.errors import PedigreeError, count_of, name_some
from breedeval.names import Names
from breedeval.pedigree.table import PedigreeTable, with_animals


def with_phantom_dams(table: PedigreeTable, animals: Names, dams: Names) -> PedigreeTable:
    """The table with `dams` as founders, each the dam of its animal where the table knows no other.

    Animals that are not in the table are passed over, and so are their dams.

    Parameters
    ----------
    animals, dams
        (k,) each animal once, and the name of its phantom dam.

    Raises
    ------
    PedigreeError
        If the table has an animal of such a name.
    """
    here = np.flatnonzero(table.names.find(animals) != NONE)
    animals, dams = animals.take(here), dams.take(here)
    taken = np.flatnonzero(table.names.find(dams) != NONE)
    if len(taken):
        raise PedigreeError(
            f"{count_of(len(taken), 'animal')} in {table.source.path} named as unknown dams would be: "
            f"{name_some(list(dams.take(taken[:6])))}. Rename them, or leave out records: phantom_dams."
        )
    child = table.names.find(animals)
    rowless = np.flatnonzero(~np.isin(child, table.animal))
    first_dam = len(table.names)
    table = with_animals(table, dams)
    dam_of = np.full(len(table.names) + 1, NONE, dtype=np.int32)  # the last slot answers for −1
    dam_of[child] = first_dam + np.arange(len(dams), dtype=np.int32)
    dam = np.where(table.dam == NONE, dam_of[table.animal], table.dam).astype(np.int32)
    table = replace(table, dam=freeze(dam))
    return table if not len(rowless) else _with_rows(table, child[rowless], dam_of[child[rowless]])


def _with_rows(table: PedigreeTable, child: np.ndarray, dam: np.ndarray) -> PedigreeTable:
    """Rows for animals that were known as parents alone."""
    longer = with_animals(replace(table, names=Names.of([])), Names.of(map(str, range(len(child)))))
    n = table.n_rows
    animal, dams = longer.animal.copy(), longer.dam.copy()
    animal[n:], dams[n:] = child, dam
    return replace(longer, names=table.names, animal=freeze(animal), dam=freeze(dams))
