"""Small pedigrees for tests, made from Python lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from breedeval.arrays import NONE
from breedeval.names import Names
from breedeval.pedigree.build import build_pedigree
from breedeval.pedigree.pedigree import Pedigree
from breedeval.pedigree.table import FEMALE, MALE, SEX_UNKNOWN, YEAR_UNKNOWN, PedigreeTable, UnknownForm
from breedeval.source import Source

_SEX = {"M": MALE, "F": FEMALE, None: SEX_UNKNOWN}

Row = tuple[str | None, str | None, str | None]


def make_table(
    rows: Iterable[Row],
    *,
    birth_year: Sequence[int | None] | None = None,
    birth_day: Sequence[int | None] | None = None,
    sex: Sequence[str | None] | None = None,
    suspicious: Sequence[UnknownForm] = (),
) -> PedigreeTable:
    """A table from (animal, sire, dam), None for unknown; row 0 stands in line 2 of 'herd.csv'."""
    listed = list(rows)
    code: dict[str, int] = {}
    columns = [
        np.array([NONE if name is None else code.setdefault(name, len(code)) for name in column], dtype=np.int32)
        for column in ([row[place] for row in listed] for place in range(3))
    ]
    return PedigreeTable(
        source=Source("herd.csv", lambda row: row + 2, "line"),
        names=Names.of(code),
        animal=columns[0],
        sire=columns[1],
        dam=columns[2],
        birth_year=_with_unknown(birth_year),
        birth_day=_with_unknown(birth_day),
        sex=None if sex is None else np.array([_SEX[s] for s in sex], dtype=np.int8),
        suspicious_forms=tuple(suspicious),
    )


def make_pedigree(rows: Iterable[Row]) -> Pedigree:
    """A pedigree from (animal, sire, dam), None for unknown."""
    return build_pedigree(make_table(rows)).pedigree


def with_groups(pedigree: Pedigree, sire: Sequence[int], dam: Sequence[int], groups: Sequence[str]) -> Pedigree:
    """The same animals with unknown parents given as group codes (n, n + 1, ...)."""
    return Pedigree(
        ids=pedigree.ids,
        sire=np.array(sire, dtype=np.int32),
        dam=np.array(dam, dtype=np.int32),
        sex=pedigree.sex,
        birth_year=pedigree.birth_year,
        groups=Names.of(groups),
    )


def _with_unknown(values: Sequence[int | None] | None) -> np.ndarray | None:
    if values is None:
        return None
    return np.array([YEAR_UNKNOWN if value is None else value for value in values], dtype=np.int32)
