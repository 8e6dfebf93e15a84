"""From the table as read to the pedigree: parents before progeny."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from breedeval.arrays import NONE, Bool, Int8, Int32, freeze
from breedeval.kernels import order as kernels
from breedeval.names import Names
from breedeval.pedigree.checks import find_problems, first_rows, sexes_of_names
from breedeval.pedigree.links import LinkIndex, peel
from breedeval.pedigree.mend import mend_kinds, mend_table
from breedeval.pedigree.pedigree import Pedigree
from breedeval.pedigree.problems import refuse
from breedeval.pedigree.report import PedigreeReport
from breedeval.pedigree.table import FEMALE, MALE, SEX_UNKNOWN, YEAR_UNKNOWN, PedigreeTable


@dataclass(frozen=True)
class BuiltPedigree:
    """A pedigree and the account of how it was built."""

    pedigree: Pedigree
    report: PedigreeReport


def build_pedigree(table: PedigreeTable, mend: Collection[str] | str = ()) -> BuiltPedigree:
    """Check a pedigree, mend what may be mended, and put parents before progeny.

    Parameters
    ----------
    table
        As read; rows in any order, parents with or without a row.
    mend
        Kinds of problems to mend by setting the parent concerned to unknown: ``own_parent``, ``loop``, ``duplicate``,
        ``sex_conflict``, ``birth_order``, ``both_sexes``, ``suspicious_code``, or ``all``. Each change is listed in the
        report.

    Returns
    -------
    BuiltPedigree
        The pedigree: animals by level (length of the longest path to a founder), inside a level by the new row of the dam, then
        in the order of the file. And the report.

    Raises
    ------
    PedigreeError
        If a fatal problem is left; it names all of them.

    Notes
    -----
    Time and memory in proportion to the rows. This order lets A⁻¹ x read dams almost in sequence.

    Examples
    --------
    >>> from breedeval.io.pedigree_file import read_pedigree_table
    >>> built = build_pedigree(read_pedigree_table("pedigrees/mrode_table_2_1.csv"))
    >>> built.report.n_founders, built.pedigree.ids.to_list()
    (2, ['1', '2', '4', '3', '5', '6'])
    """
    kinds = mend_kinds(mend)
    mended_table, mended = mend_table(table, kinds) if kinds else (table, ())
    problems = find_problems(mended_table)
    fatal = [problem for problem in problems if problem.kind.fatal]
    if fatal:
        raise refuse(fatal, mended_table.source)
    animals = _Animals.of(mended_table)
    pedigree, n_levels = animals.in_order(mended_table)
    report = PedigreeReport(
        source=table.source.path,
        n_rows=table.n_rows,
        n_animals=pedigree.n_animals,
        n_added=int((animals.row == NONE).sum()),
        n_founders=int(((pedigree.sire == NONE) & (pedigree.dam == NONE)).sum()),
        n_levels=n_levels,
        unknown_forms=table.unknown_forms,
        warnings=problems,
        mended=mended,
        notes=table.notes,
    )
    return BuiltPedigree(pedigree, report)


@dataclass(frozen=True)
class _Animals:
    """Animals in order of their rows, those added last: code of the name, row (−1 if added), parents as places in this list."""

    code: Int32
    row: Int32
    sire: Int32
    dam: Int32

    @classmethod
    def of(cls, table: PedigreeTable) -> _Animals:
        first_row = first_rows(table)
        own_row = np.sort(first_row[first_row != NONE])
        added = np.flatnonzero(_used_as_parent(table) & (first_row == NONE)).astype(np.int32)
        code = np.concatenate([table.animal[own_row], added]).astype(np.int32)
        row = np.concatenate([own_row, np.full(len(added), NONE, dtype=np.int32)])
        place = np.full(len(table.names) + 1, NONE, dtype=np.int32)  # the last stands for unknown
        place[code] = np.arange(len(code), dtype=np.int32)
        unknown = np.full(len(added), NONE, dtype=np.int32)
        parents = (np.concatenate([place[links[own_row]], unknown]) for links in (table.sire, table.dam))
        return cls(code, row, *parents)

    def in_order(self, table: PedigreeTable) -> tuple[Pedigree, int]:
        """Build the pedigree; also returns the number of levels."""
        order, n_levels = parents_first(self.sire, self.dam)
        new_row = np.empty(len(order) + 1, dtype=np.int32)
        new_row[order] = np.arange(len(order), dtype=np.int32)
        new_row[-1] = NONE  # where an unknown parent (−1) looks
        sire, dam = new_row[self.sire[order]], new_row[self.dam[order]]
        row, code = self.row[order], self.code[order]
        pedigree = Pedigree(
            ids=table.names.take(code),
            sire=freeze(sire),
            dam=freeze(dam),
            sex=freeze(_sexes(sexes_of_names(table)[code], sire, dam)),
            birth_year=freeze(_birth_years(table)[row]),
            groups=Names.of([]),
            source=table.source.path,
        )
        return pedigree, n_levels


def parents_first(sire: Int32, dam: Int32) -> tuple[Int32, int]:
    """Order animals by level, inside a level by the new place of the dam (unknown first), then as they stand.

    Parameters
    ----------
    sire, dam
        (n,) place of each parent, −1 unknown; without loops.

    Returns
    -------
    order
        (n,) int32, ``order[k]`` is the old place of the animal that comes k-th.
    n_levels
        Number of levels.

    Examples
    --------
    >>> order, n_levels = parents_first(np.array([1, -1, -1], dtype=np.int32), np.array([2, -1, -1], dtype=np.int32))
    >>> order.tolist(), n_levels
    ([1, 2, 0], 2)
    """
    n = len(sire)
    order = np.empty(n, dtype=np.int32)
    if n == 0:
        return order, 0
    animals = np.arange(n, dtype=np.int32)
    has_sire, has_dam = sire != NONE, dam != NONE
    child = np.concatenate([animals[has_sire], animals[has_dam]])
    level = peel(n, child, np.concatenate([sire[has_sire], dam[has_dam]])).level
    first_place = np.concatenate([[0], np.cumsum(np.bincount(level))])[:-1].astype(np.int64)
    by_dam = LinkIndex.of(n, dam, animals)
    kernels.order_by_dam(level, animals[~has_dam], by_dam.pointers, by_dam.neighbors, first_place, order)
    return order, len(first_place)


def _used_as_parent(table: PedigreeTable) -> Bool:
    used = np.zeros(len(table.names), dtype=np.bool_)
    for links in (table.sire, table.dam):
        used[links[links != NONE]] = True
    return used


def _sexes(known: Int32, sire: Int32, dam: Int32) -> Int8:
    """Sex from the column where it is known, else from the use; unknown for an animal used as both."""
    n = len(sire)
    as_sire, as_dam = (np.bincount(parent[parent != NONE], minlength=n) > 0 for parent in (sire, dam))
    from_use = np.where(as_sire & ~as_dam, MALE, np.where(as_dam & ~as_sire, FEMALE, SEX_UNKNOWN))
    return np.where(known != SEX_UNKNOWN, known, from_use).astype(np.int8)


def _birth_years(table: PedigreeTable) -> Int32:
    """(rows + 1,) birth year of each row's animal, from its first row that knows it; the last stands for no row."""
    years = np.full(table.n_rows, YEAR_UNKNOWN, dtype=np.int32)
    if table.birth_day is not None:
        known = table.birth_day != YEAR_UNKNOWN
        days = table.birth_day[known].astype("datetime64[D]")
        years[known] = days.astype("datetime64[Y]").astype(np.int64) + 1970
    if table.birth_year is not None:
        years = np.where(table.birth_year != YEAR_UNKNOWN, table.birth_year, years)
    of_name = np.full(len(table.names), YEAR_UNKNOWN, dtype=np.int32)
    rows = np.flatnonzero((table.animal != NONE) & (years != YEAR_UNKNOWN))[::-1]
    of_name[table.animal[rows]] = years[rows]
    return np.append(np.where(table.animal != NONE, of_name[table.animal], YEAR_UNKNOWN), YEAR_UNKNOWN).astype(np.int32)
