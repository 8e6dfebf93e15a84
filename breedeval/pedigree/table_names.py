"""What the checks of a pedigree table need to know of each name, computed once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breedeval.arrays import NONE, Int8, Int32, Int64, UInt8
from breedeval.kernels import pedigree_rows as kernels
from breedeval.kernels.threads import map_parts
from breedeval.pedigree.links import levels_of
from breedeval.pedigree.table import SEX_UNKNOWN, PedigreeTable
from breedeval.progress import Progress, part_of


@dataclass(frozen=True)
class TableNames:
    """For each name of a pedigree table: its row, its parents, its use.

    Parameters
    ----------
    are_rows
        Whether there is a row for each name, in the order of the names: what a row says is known of the name without a copy.
    first_row
        (names,) row in which the name stands first as an animal; −1 if it has no row.
    n_repeated
        Rows of animals that stand in an earlier row already.
    rows_that_differ
        (k,) such rows with other parents than the first one.
    sire, dam
        (names,) parents by the first row, −1 unknown; who is its own parent has none.
    used_as_sire, used_as_dam
        (names,) 1 where the name stands in that column.
    level
        (names,) links on the longest path to a name without parents; −1 on a loop or behind one. By all rows.
    sex
        (names,) from the first row that knows it.
    """

    are_rows: bool
    first_row: Int32
    n_repeated: int
    rows_that_differ: Int64
    sire: Int32
    dam: Int32
    used_as_sire: UInt8
    used_as_dam: UInt8
    level: Int32
    sex: Int8

    @classmethod
    def of(cls, table: PedigreeTable, progress: Progress | None = None) -> TableNames:
        """Compute it: a few passes over the rows."""
        tell = part_of(progress, "parents and generations")
        tell(0.0)
        n = len(table.names)
        are_rows = n == table.n_rows and bool(kernels.are_counted(table.animal))
        first_row, n_repeated = (table.animal, 0) if are_rows else _first_rows(table.animal, n)
        tell(0.2)
        differing = _rows_that_differ(table, first_row) if n_repeated else np.empty(0, dtype=np.int64)
        columns = (table.sire, table.dam)
        sire, dam = map_parts(lambda column: _parents_of_names(column, first_row, are_rows), list(columns))
        used_as_sire, used_as_dam = map_parts(lambda column: _used(column, n), list(columns))
        tell(0.5)
        born = table.birth_year if are_rows else None
        level = _levels_by_all_rows(table, sire, dam, differing) if len(differing) else levels_of(sire, dam, born)
        tell(0.9)
        sex = table.sex if are_rows and table.sex is not None else sexes_of_names(table)
        tell(1.0)
        return cls(are_rows, first_row, n_repeated, differing, sire, dam, used_as_sire, used_as_dam, level, sex)

    @property
    def left(self) -> Int32:
        """(k,) names on a loop or behind one."""
        return np.flatnonzero(self.level == NONE).astype(np.int32)


def sexes_of_names(table: PedigreeTable) -> Int8:
    """(names,) sex from the sex column: the first row that knows it."""
    sex = np.full(len(table.names), SEX_UNKNOWN, dtype=np.int8)
    if table.sex is not None:
        kernels.first_known(table.animal, table.sex, SEX_UNKNOWN, sex)
    return sex


def _first_rows(animal: Int32, n: int) -> tuple[Int32, int]:
    """(n,) first row of each name, −1 if it has none; and how many rows repeat a name."""
    first_row = np.full(n, NONE, dtype=np.int32)
    return first_row, int(kernels.first_rows(animal, first_row))


def _rows_that_differ(table: PedigreeTable, first_row: Int32) -> Int64:
    rows = np.flatnonzero(table.animal != NONE)
    first = first_row[table.animal[rows]]
    rows, first = rows[first != rows], first[first != rows]
    differing: Int64 = rows[(table.sire[rows] != table.sire[first]) | (table.dam[rows] != table.dam[first])]
    return differing


def _parents_of_names(parent: Int32, first_row: Int32, are_rows: bool) -> Int32:
    if are_rows and kernels.count_own_parents(first_row, parent) == 0:
        return parent
    out = np.empty(len(first_row), dtype=np.int32)
    kernels.values_of_rows(first_row, parent, NONE, out)
    kernels.forget_own_parents(out)
    return out


def _used(parent: Int32, n: int) -> UInt8:
    out = np.zeros(n, dtype=np.uint8)
    kernels.mark_used(parent, out)
    return out


def _levels_by_all_rows(table: PedigreeTable, sire: Int32, dam: Int32, differing: Int64) -> Int32:
    """Levels where rows of one animal give different parents: a chain of stand-ins makes it the progeny of all of them.

    They find loops; the levels themselves are higher than by links alone.
    """
    n = len(sire)
    parents = [np.append(column, np.full(2 * len(differing), NONE, dtype=np.int32)) for column in (sire, dam)]
    free = n
    for row in differing.tolist():
        animal = int(table.animal[row])
        before, beside = free, free + 1
        free += 2
        for column, links in zip(parents, (table.sire, table.dam), strict=True):
            column[before] = column[animal]
            column[beside] = links[row] if links[row] != animal else NONE
        parents[0][animal], parents[1][animal] = before, beside
    return levels_of(parents[0], parents[1])[:n]
