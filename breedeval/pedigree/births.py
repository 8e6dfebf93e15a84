"""When animals are born: by the first of their rows that knows it, so that all rows of an animal say the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breedeval.arrays import NONE, Bool, Int32
from breedeval.kernels import pedigree_rows as kernels
from breedeval.pedigree.row_values import values_of_rows
from breedeval.pedigree.table import YEAR_UNKNOWN, PedigreeTable


@dataclass(frozen=True)
class Births:
    """Births in years or in days; ``YEAR_UNKNOWN`` where not known.

    Parameters
    ----------
    of_row
        (rows,) of the animal of each row.
    of_name
        (names,) of each name.
    """

    of_row: Int32
    of_name: Int32

    def mark_wrong(self, animal: Int32, parent: Int32, out: Bool) -> None:
        """Set out (rows,) where the parent was born after its progeny."""
        kernels.mark_born_wrong(animal, parent, self.of_row, self.of_name, YEAR_UNKNOWN, out)


def births_of(table: PedigreeTable, *, are_rows: bool = False, first_row: Int32 | None = None) -> list[Births]:
    """Births in years and in days, as far as the table has such columns.

    Parameters
    ----------
    table
        Any table.
    are_rows
        Whether there is a row for each name, in the order of the names.
    first_row
        (names,) the row of each name, where no name has several.

    Examples
    --------
    >>> from breedeval.io.pedigree_file import read_pedigree_table
    >>> births_of(read_pedigree_table("pedigrees/mrode_table_2_1.csv"))
    []
    """
    columns = [born for born in (table.birth_year, table.birth_day) if born is not None]
    if are_rows:
        return [Births(born, born) for born in columns]
    if first_row is not None:
        return [Births(born, values_of_rows(first_row, born, YEAR_UNKNOWN)) for born in columns]
    found = []
    for born in columns:
        of_name = np.full(len(table.names), YEAR_UNKNOWN, dtype=np.int32)
        kernels.first_known(table.animal, born, YEAR_UNKNOWN, of_name)
        found.append(Births(values_of_rows(table.animal, of_name, YEAR_UNKNOWN), of_name))
    return found


def links_born_wrong(table: PedigreeTable, parent: Int32) -> Bool:
    """(rows,) True where the parent was born in a later year, or on a later day, than its progeny."""
    wrong = np.zeros(table.n_rows, dtype=np.bool_)
    for births in births_of(table):
        births.mark_wrong(table.animal, parent, wrong)
    return wrong


def rows_that_know(table: PedigreeTable) -> Int32:
    """(names,) first row that knows the birth of each name; −1 if none does."""
    rows = np.full(table.n_rows, NONE, dtype=np.int32)
    for born in (table.birth_year, table.birth_day):
        if born is not None:
            known = np.flatnonzero(born != YEAR_UNKNOWN)
            rows[known] = known
    found = np.full(len(table.names), NONE, dtype=np.int32)
    kernels.first_known(table.animal, rows, NONE, found)
    return found
