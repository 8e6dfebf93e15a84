"""From the table as read to the pedigree: parents before progeny."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np

from breedeval.arrays import NONE, Int8, Int32, freeze
from breedeval.kernels import pedigree_rows as row_kernels
from breedeval.names import Names
from breedeval.pedigree.checks import check_names
from breedeval.pedigree.mend import mend_kinds, mend_table
from breedeval.pedigree.parents_first import by_level_and_dam
from breedeval.pedigree.pedigree import Pedigree
from breedeval.pedigree.problems import refuse
from breedeval.pedigree.reorder import reordered
from breedeval.pedigree.report import PedigreeReport
from breedeval.pedigree.table import YEAR_UNKNOWN, PedigreeTable
from breedeval.pedigree.table_names import TableNames
from breedeval.progress import Progress, part_of


@dataclass(frozen=True)
class BuiltPedigree:
    """A pedigree and the account of how it was built."""

    pedigree: Pedigree
    report: PedigreeReport


def build_pedigree(table: PedigreeTable, mend: Collection[str] | str = (), progress: Progress | None = None) -> BuiltPedigree:
    """Check a pedigree, mend what may be mended, and put parents before progeny.

    Parameters
    ----------
    table
        As read; rows in any order, parents with or without a row.
    mend
        Kinds of problems to mend by setting the parent concerned to unknown: ``own_parent``, ``loop``, ``duplicate``,
        ``sex_conflict``, ``birth_order``, ``both_sexes``, ``suspicious_code``; ``birth_year`` sets the birth year to unknown;
        or ``all``. Each change is listed in the report.
    progress
        Called with what is being done and the share of it that is done, from time to time.

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
    names = TableNames.of(mended_table, progress)
    problems = check_names(mended_table, names, progress)
    if any(problem.kind.fatal for problem in problems):
        raise refuse(problems, mended_table.source)
    tell = part_of(progress, "parents before progeny")
    animals = _Animals.of(mended_table, names)
    tell(0.2)
    pedigree, n_levels = animals.in_order(mended_table, names, tell)
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
    """Animals in order of their rows, those added last: code of the name, row (−1 if added), dam as a place in this list.

    The code is None where each animal stands in the place of its code.
    """

    code: Int32 | None
    row: Int32
    dam: Int32
    level: Int32

    @classmethod
    def of(cls, table: PedigreeTable, names: TableNames) -> _Animals:
        row = names.first_row
        used = (names.used_as_sire | names.used_as_dam) == 1
        n_own = int((row != NONE).sum())
        in_order = names.are_rows or ((row[:n_own] != NONE).all() and (row[1:n_own] > row[: n_own - 1]).all())
        if in_order and used[n_own:].all():
            # Names stand in the order of their rows, and the parents to add behind them: so they come from a file.
            return cls(None, row, names.dam, names.level)
        own_row = np.sort(row[row != NONE])
        added = np.flatnonzero(used & (row == NONE)).astype(np.int32)
        code = np.concatenate([table.animal[own_row], added]).astype(np.int32)
        place = np.full(len(table.names) + 1, NONE, dtype=np.int32)  # the last stands for unknown
        place[code] = np.arange(len(code), dtype=np.int32)
        return cls(code, row[code], place[names.dam[code]], names.level[code])

    def in_order(self, table: PedigreeTable, names: TableNames, tell: Callable[[float], None]) -> tuple[Pedigree, int]:
        """Build the pedigree; also returns the number of levels."""
        _, place, dam, n_levels = by_level_and_dam(self.dam, self.level)
        tell(0.6)
        if self.code is not None:
            place_of_name = np.full(len(table.names), NONE, dtype=np.int32)
            place_of_name[self.code] = place
            place = place_of_name
        animals = reordered(len(dam), place, table.names, names.sire, _birth_years(table, names), _sexes(names))
        tell(0.9)
        pedigree = Pedigree(
            ids=animals.ids,
            sire=animals.sire,
            dam=freeze(dam),
            sex=animals.sex,
            birth_year=animals.birth_year,
            groups=Names.of([]),
            source=table.source.path,
        )
        tell(1.0)
        return pedigree, n_levels


def _sexes(names: TableNames) -> Int8:
    """(names,) sex from the column where it is known, else from the use; unknown for an animal used as both."""
    sexes = np.empty(len(names.sex), dtype=np.int8)
    row_kernels.sexes_by_use(names.sex, names.used_as_sire, names.used_as_dam, sexes)
    return sexes


def _birth_years(table: PedigreeTable, names: TableNames) -> Int32:
    """(names,) birth year from the first row that knows it."""
    of_row = table.birth_year
    if table.birth_day is not None:
        known = table.birth_day != YEAR_UNKNOWN
        of_day = np.full(table.n_rows, YEAR_UNKNOWN, dtype=np.int32)
        of_day[known] = table.birth_day[known].astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
        of_row = of_day if of_row is None else np.where(of_row != YEAR_UNKNOWN, of_row, of_day)
    if of_row is not None and names.are_rows:
        return of_row
    years = np.full(len(table.names), YEAR_UNKNOWN, dtype=np.int32)
    if of_row is not None:
        row_kernels.first_known(table.animal, of_row, YEAR_UNKNOWN, years)
    return years
