"""Which coefficients of the records are added up as curves, and which are taken one by one.

See `breedeval.kernels.curves` and `breedeval.kernels.record_coefficients`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breedeval.arrays import NONE, Bool, Float64, Int32, Int64, freeze
from breedeval.equations.incidence import Incidence, Slots
from breedeval.kernels.curves import WIDTHS, code_rows

#: Puts an array somewhere and returns what stands for it.
Put = Callable[[NDArray[Any]], Any]

#: Covariates that are taken together.
MOST_TOGETHER = len(WIDTHS[-1])
#: Levels repeat where fewer than this part of the records have another one than the record before.
MOST_CHANGES = 0.25
#: The same for curves: with runs of two records on the average they are about as fast as coefficients one by one.
MOST_CHANGES_OF_CURVES = 0.5
#: Numbers of different rows of covariates, which shall stay in the nearest cache beside a batch of records, and records a row.
MOST_ROW_NUMBERS, FEWEST_OF_A_ROW = 2_500, 8


@dataclass(frozen=True)
class Curves:
    """Terms whose coefficients are added up where records follow each other on the same curve.

    Parameters
    ----------
    starts, levels
        (r + 1,) and (r, k) int32: the runs, and what each meets in k terms.
    parts, groups
        (s, 6) and (g, 3) int64. All are described in `breedeval.kernels.curves`.
    row, rows
        (m,) int32 and (·, c): which of these rows are the covariates of each record; (0,) and None where too many differ.
    """

    starts: Int32
    levels: Int32
    parts: Int64
    groups: Int64
    row: Int32
    rows: Float64 | None

    def put(self, put: Put) -> Curves:
        """The same with what has an element for each record or run put somewhere else."""
        return replace(self, starts=put(self.starts), levels=put(self.levels), row=put(self.row))

    def arrays(self, covariates: Float64) -> tuple[Int32, Int32, Int64, Int64, Int32, Float64]:
        """As the loops take them; covariates (m, c) of all records."""
        return self.starts, self.levels, self.parts, self.groups, self.row, covariates if self.rows is None else self.rows


@dataclass(frozen=True)
class RecordCoefficients:
    """Coefficients of all terms that are not ragged.

    Parameters
    ----------
    pointer
        (K + 1,) where those of each term begin that are taken one by one.
    rows
        (s, 3) int64: see `breedeval.kernels.record_coefficients`.
    repeats
        (K,) whether most records have the term's level of the record before.
    n_traits
        Traits.
    curves
        The others.
    """

    pointer: Int64
    rows: Int64
    repeats: Bool
    n_traits: int
    curves: Curves | None

    @property
    def of_traits(self) -> int | None:
        """None if there is one trait, so that a loop need not be compiled for more; else 1 if a row is of one of them, or 0."""
        return None if self.n_traits == 1 else int((self.rows[:, 0] >= 0).any())


def find_coefficients(incidence: Incidence, with_curves: bool = True) -> RecordCoefficients:
    """Sort the coefficients of each term.

    Parameters
    ----------
    incidence
        W.
    with_curves
        Whether curves are looked for; else all coefficients are taken one by one.
    """
    of_terms = [_of_term(incidence.slots.of_term(k), incidence.n_traits) for k in range(len(incidence.blocks))]
    changes = np.array([_changes(first) for first in incidence.first.T])
    in_runs = _in_runs(of_terms, changes) if with_curves else []
    alone = [[] if k in in_runs else rows for k, rows in enumerate(of_terms)]
    return RecordCoefficients(
        freeze(np.cumsum([0, *map(len, alone)]).astype(np.int64)),
        freeze(np.array([row for rows in alone for row in rows], dtype=np.int64).reshape(-1, 3)),
        freeze(changes < MOST_CHANGES),
        incidence.n_traits,
        _find_curves(incidence, {k: of_terms[k] for k in in_runs}) if in_runs else None,
    )


def _of_term(slots: Slots, n_traits: int) -> list[list[int]]:
    """Rows of one term; each of all traits if these have the same coefficients side by side."""
    traits = [slots.where(slots.trait == trait) for trait in range(n_traits)]
    first = traits[0]
    if all(
        np.array_equal(other.covariate, first.covariate) and np.array_equal(other.column, first.column + trait)
        for trait, other in enumerate(traits)
    ):
        return [[NONE, column, covariate] for column, covariate in zip(first.column, first.covariate, strict=True)]
    return [
        [trait, column, covariate]
        for trait, coefficients in enumerate(traits)
        for column, covariate in zip(coefficients.column, coefficients.covariate, strict=True)
    ]


def _changes(first: Int32) -> float:
    """Part of the records that have another level than the one before, of all records of a term (m,)."""
    return float(np.count_nonzero(first[1:] != first[:-1]) / max(1, len(first)))


def _in_runs(of_terms: list[list[list[int]]], changes: Float64) -> list[int]:
    """Terms with curves whose levels stay for some records, and, if there are any, all others whose levels repeat."""
    several = [len({covariate for _, _, covariate in rows}) > 1 for rows in of_terms]
    limit = np.where(several, MOST_CHANGES_OF_CURVES, MOST_CHANGES)
    chosen = [k for k, rows in enumerate(of_terms) if rows and changes[k] < limit[k]]
    return chosen if any(several[k] for k in chosen) else []


def _find_curves(incidence: Incidence, of_terms: dict[int, list[list[int]]]) -> Curves:
    """Cut the records into runs, and give the coefficients of these terms their places."""
    first = incidence.first[:, list(of_terms)]
    begins = np.append(0, np.flatnonzero((first[1:] != first[:-1]).any(axis=1)) + 1)
    met = np.array(sorted({row[2] for rows in of_terms.values() for row in rows} - {NONE}))
    coded = _code(incidence.covariates, met)
    columns = np.arange(len(met)) if coded else met
    groups, places = _group(met, columns)
    parts = [_join(k, term, rows, places, incidence.n_traits) for k, (term, rows) in enumerate(of_terms.items())]
    return Curves(
        freeze(np.append(begins, len(first)).astype(np.int32)),
        freeze(first[begins]),
        freeze(np.array([part for of_term in parts for part in of_term], dtype=np.int64)),
        freeze(np.array(groups, dtype=np.int64)),
        *(coded or (freeze(np.empty(0, dtype=np.int32)), None)),
    )


def _code(covariates: Float64, columns: Int64) -> tuple[Int32, Float64] | None:
    """Which row of some columns each record (m,) has, and the different rows, if these are few enough to stay in cache."""
    most = min(MOST_ROW_NUMBERS // len(columns), len(covariates) // FEWEST_OF_A_ROW)
    row, records = np.empty(len(covariates), dtype=np.int32), np.empty(most, dtype=np.int64)
    n_rows = code_rows(covariates.view(np.uint64), columns, row, records)
    return (freeze(row), freeze(covariates[np.ix_(records[:n_rows], columns)])) if n_rows >= 0 else None


def _join(k: int, term: int, rows: list[list[int]], places: dict[int, int], n_traits: int) -> list[list[int]]:
    """Join coefficients of one term that stand side by side."""
    parts: list[list[int]] = []
    for trait, column, covariate in rows:
        apart, place = n_traits if trait == NONE else 1, places[covariate]
        if parts and parts[-1][2] == trait:
            _, _, _, start, before, n = parts[-1]
            if column == start + n * apart and place == before + n:
                parts[-1][-1] += 1
                continue
        parts.append([k, term, trait, column, place, 1])
    return parts


def _group(covariates: Int64, columns: Int64) -> tuple[list[list[int]], dict[int, int]]:
    """Cut columns that follow each other into groups of about the same width; the place of each covariate, and of none.

    A column alone takes the one before or behind it along, which no coefficient belongs to.
    """
    groups: list[list[int]] = []
    places = {NONE: 0}
    following = np.split(np.arange(len(columns)), np.flatnonzero(np.diff(columns) > 1) + 1)
    for group in (part for one in following for part in np.array_split(one, -(-len(one) // MOST_TOGETHER))):
        place = len(groups) + sum(width for _, _, width in groups)
        first = int(columns[group[0]])
        begin = max(0, first - 1) if len(group) == 1 else first
        groups.append([begin, place, max(2, len(group))])
        places.update({int(covariates[k]): place + 1 + int(columns[k]) - begin for k in group})
    return groups, places
