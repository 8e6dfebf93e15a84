"""Birth years that make no sense: after the day on which the file is read, or far from those of all other animals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breedeval.arrays import NONE, Bool, Int32, Int64
from breedeval.kernels import pedigree_rows as kernels
from breedeval.kernels.threads import cut_range, map_parts
from breedeval.pedigree.table import YEAR_UNKNOWN, PedigreeTable

#: Years in which nobody is born, after which the animals before or behind them do not belong to the others. No animal is a
#: parent at this age, stored semen of half a century apart.
LARGEST_GAP = 50
#: A year is below this number.
_NO_YEAR = 10_000
_SMALLEST_PART = 1 << 18


@dataclass(frozen=True)
class YearSpan:
    """The birth years that the animals of a table show, those without sense left out.

    Parameters
    ----------
    first, last
        Earliest and latest such year; `last` is before `first` if there is none.
    n
        Rows with such a year.
    n_beyond
        Rows with any other year.
    """

    first: int
    last: int
    n: int
    n_beyond: int

    @classmethod
    def of(cls, years: Int32, present: int | None = None) -> YearSpan:
        """Find the years around the middle one that no gap of more than `LARGEST_GAP` years parts from it.

        Parameters
        ----------
        years
            (m,) birth years, ``YEAR_UNKNOWN`` where not known.
        present
            A year after this one counts as one without sense; None if it is not known.

        Examples
        --------
        >>> YearSpan.of(np.array([19, 1998, 2004, 2011, 20005], dtype=np.int32))
        YearSpan(first=1998, last=2011, n=3, n_beyond=2)
        """
        counts = _count_years(years)
        n_known = int(counts.sum())
        possible = counts[: _NO_YEAR if present is None else min(present + 1, _NO_YEAR)]
        there = np.flatnonzero(possible)
        if not len(there):
            return cls(0, -1, 0, n_known)
        so_far = np.cumsum(possible[there])
        middle = int(np.searchsorted(2 * so_far, so_far[-1]))
        parted = np.flatnonzero(np.diff(there) > LARGEST_GAP)  # between the year of this place and the next
        start = int(parted[parted < middle].max(initial=-1)) + 1
        end = int(parted[parted >= middle].min(initial=len(there) - 1))
        n = int(possible[there[start : end + 1]].sum())
        return cls(int(there[start]), int(there[end]), n, n_known - n)


def rows_with_senseless_years(table: PedigreeTable) -> tuple[Int64, YearSpan | None]:
    """(k,) rows whose birth year or date makes no sense, and the years of the others; None where no year is known at all.

    Rows without an animal are left out.
    """
    wrong, span = _born_after_reading(table), None
    if table.birth_year is not None:
        span = YearSpan.of(table.birth_year, None if table.read_on is None else _year_of(table.read_on))
        if span.n_beyond:
            known = table.birth_year != YEAR_UNKNOWN
            wrong |= known & ((table.birth_year < span.first) | (table.birth_year > span.last))
    return np.flatnonzero(wrong & (table.animal != NONE)), span


def born_in_words(table: PedigreeTable, row: int) -> str:
    """The birth date of a row, or its birth year."""
    if table.birth_day is not None and table.birth_day[row] != YEAR_UNKNOWN:
        return str(np.datetime64(int(table.birth_day[row]), "D"))
    if table.birth_year is not None:
        return str(int(table.birth_year[row]))
    return "on an unknown day"


def why_senseless(table: PedigreeTable, row: int, span: YearSpan | None) -> str:
    """What is wrong with the birth year of a row, behind the year itself."""
    if _is_after_reading(table, row):
        return ", after the day on which the file was read"
    if span is None or span.n == 0:
        return ""
    others = f"{span.first}" if span.first == span.last else f"{span.first} to {span.last}"
    return f", far from {'the other one' if span.n == 1 else f'{span.n:,} others'} ({others})"


def year_remedy(table: PedigreeTable, row: int) -> str:
    """What to do about the birth year of a row."""
    if table.birth_year is not None and _looks_like_a_date(int(table.birth_year[row])):
        return "It looks like a date: name its column as the birth date."
    return "Correct it, or leave the field empty."


def _is_after_reading(table: PedigreeTable, row: int) -> bool:
    """Whether the animal of this row is born after the day on which the file was read, as far as that is known."""
    if table.read_on is None:
        return False
    if table.birth_day is not None and table.birth_day[row] > table.read_on:
        return True
    return table.birth_year is not None and bool(table.birth_year[row] > _year_of(table.read_on))


def _looks_like_a_date(year: int) -> bool:
    """Whether a number in the place of a year is a date without separators, such as 20150412."""
    years, months, days = year // 10_000, year // 100 % 100, year % 100
    return 1000 <= years < _NO_YEAR and 1 <= months <= 12 and 1 <= days <= 31


def _born_after_reading(table: PedigreeTable) -> Bool:
    """(rows,) True where the birth date is later than the day of reading; `YEAR_UNKNOWN` is earlier than any day."""
    if table.birth_day is None or table.read_on is None:
        return np.zeros(table.n_rows, dtype=np.bool_)
    after: Bool = table.birth_day > table.read_on
    return after


def _count_years(years: Int32) -> Int64:
    """(_NO_YEAR + 1,) rows of each year; those of a number that is no year at all come last."""

    def count(part: tuple[int, int]) -> Int64:
        counts = np.zeros(_NO_YEAR + 1, dtype=np.int64)
        kernels.count_years(years[slice(*part)], YEAR_UNKNOWN, counts)
        return counts

    counts: Int64 = np.sum(list(map_parts(count, cut_range(len(years), _SMALLEST_PART))), axis=0)
    return counts


def _year_of(day: int) -> int:
    return int(np.datetime64(day, "D").astype("datetime64[Y]").astype(np.int64)) + 1970
