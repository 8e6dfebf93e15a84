"""A pedigree as it was read: one row a line, nothing checked yet."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from breedeval.arrays import NONE, Int8, Int32, freeze
from breedeval.names import Names
from breedeval.source import Source

#: Codes of sex, in files of breedeval and in memory.
SEX_UNKNOWN, MALE, FEMALE = 0, 1, 2
#: A birth year that is not known.
YEAR_UNKNOWN = -(2**31)


@dataclass(frozen=True)
class UnknownForm:
    """One way in which the file writes an unknown parent, and how often."""

    form: str
    column: str
    count: int
    first_row: int


@dataclass(frozen=True)
class PedigreeTable:
    """Rows of a pedigree file in file order; ids are codes into `names`.

    Parameters
    ----------
    source
        File and line of each row.
    names
        Every distinct id of the file (animals and parents), in order of first appearance; forms of "unknown" excluded.
    animal, sire, dam
        (rows,) codes into `names`; −1 where the file has one of the forms of "unknown".
    birth_year, birth_day
        (rows,) year; days since 1970-01-01; ``YEAR_UNKNOWN`` where missing; None if the file has no such column.
    sex
        (rows,) ``SEX_UNKNOWN``, ``MALE`` or ``FEMALE``; None if the file has no such column.
    unknown_forms
        How unknown sires and dams are written, with counts.
    suspicious_forms
        Texts that look like "unknown" (``00``, ``NaN``, ``-5`` ...), stand as a parent, are not in the list of
        unknown codes and have no row of their own. They must not become animals in silence.
    read_on
        Day (since 1970-01-01) on which the file was read: nobody in it is born later. None if that is not known.
    notes
        What was assumed while reading (separator, column names, a missing last line end), for the user to see.
    """

    source: Source
    names: Names
    animal: Int32
    sire: Int32
    dam: Int32
    birth_year: Int32 | None = None
    birth_day: Int32 | None = None
    sex: Int8 | None = None
    unknown_forms: tuple[UnknownForm, ...] = ()
    suspicious_forms: tuple[UnknownForm, ...] = ()
    read_on: int | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def n_rows(self) -> int:
        """Number of rows of the file."""
        return len(self.animal)


def with_animals(table: PedigreeTable, ids: Names) -> PedigreeTable:
    """The table with a row of unknown parents for each of `ids`, none of which may be in it yet."""
    n = len(ids)
    none = np.full(n, NONE, dtype=np.int32)
    animal = len(table.names) + np.arange(n, dtype=np.int32)

    def longer(column: Any, value: int) -> Any:
        return None if column is None else freeze(np.append(column, np.full(n, value, dtype=column.dtype)))

    return replace(
        table,
        names=table.names.joined(ids),
        animal=freeze(np.append(table.animal, animal)),
        sire=freeze(np.append(table.sire, none)),
        dam=freeze(np.append(table.dam, none)),
        birth_year=longer(table.birth_year, YEAR_UNKNOWN),
        birth_day=longer(table.birth_day, YEAR_UNKNOWN),
        sex=longer(table.sex, SEX_UNKNOWN),
    )
