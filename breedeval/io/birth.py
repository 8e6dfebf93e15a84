"""Sex, birth year and birth date, as files write them. Each distinct text is read once."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from breedeval.arrays import NONE, Int8, Int32, freeze
from breedeval.errors import EXAMPLES_SHOWN, count_of
from breedeval.io.column_codes import encode_column
from breedeval.io.number_column import number_values
from breedeval.io.text_table import CodedColumn, Column, NumberColumn, TextColumn
from breedeval.pedigree.row_values import values_of_rows
from breedeval.pedigree.table import FEMALE, MALE, SEX_UNKNOWN, YEAR_UNKNOWN
from breedeval.source import Source

_SEXES = dict.fromkeys(("m", "male", "1", "♂"), MALE) | dict.fromkeys(("f", "female", "2", "♀"), FEMALE)
_EPOCH = date(1970, 1, 1).toordinal()
_YEAR = re.compile(r"(\d{1,9})(\.0*)?")
# A time behind an ISO date says nothing about the day.
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[ T]\d{2}:\d{2}.*)?")
_PLAIN = re.compile(r"(\d{4})(\d{2})(\d{2})")
_POINTS = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")


@dataclass(frozen=True)
class Unreadable:
    """Values of a column that could not be read: what they are, in words, and the `rows` (k,)."""

    message: str
    rows: Int32


def read_sex(name: str, column: TextColumn | CodedColumn, missing: Sequence[str]) -> tuple[Int8, tuple[str, ...]]:
    """(m,) sex; and a note on values that are neither a sex nor a code for unknown."""
    names, codes = encode_column(column, missing)
    listed = names.to_list()
    sex_of_code = np.array([_SEXES.get(text.lower(), SEX_UNKNOWN) for text in listed], dtype=np.int8)
    sex = values_of_rows(codes, sex_of_code, SEX_UNKNOWN)
    odd = [code for code in range(len(listed)) if sex_of_code[code] == SEX_UNKNOWN]
    if not odd:
        return sex, ()
    counts = np.bincount(codes[codes >= 0], minlength=len(listed))
    odd.sort(key=lambda code: -int(counts[code]))
    shown = ", ".join(f"'{listed[code]}' ({counts[code]:,})" for code in odd[:EXAMPLES_SHOWN])
    more = f" and {len(odd) - EXAMPLES_SHOWN:,} other values" if len(odd) > EXAMPLES_SHOWN else ""
    n_odd = int(sum(counts[code] for code in odd))
    return sex, (f"Column '{name}': {count_of(n_odd, 'value')} taken as unknown sex: {shown}{more}.",)


def read_birth_year(name: str, column: Column | CodedColumn, missing: Sequence[str]) -> tuple[Int32, Unreadable | None]:
    """(m,) birth year, ``YEAR_UNKNOWN`` where missing; and what is not a year."""
    if isinstance(column, NumberColumn):
        return _stored_years(name, column, missing)
    return _read_distinct(name, column, missing, _year, "no year (write a whole number such as 2015)")


def read_birth_date(
    name: str, column: TextColumn | CodedColumn, missing: Sequence[str]
) -> tuple[Int32, Int32, Unreadable | None]:
    """(m,) days since 1970-01-01 and (m,) birth year, both ``YEAR_UNKNOWN`` where missing; and what is not a date."""
    what = "no date (write 2015-12-31, 20151231 or 31.12.2015)"
    day, wrong = _read_distinct(name, column, missing, _day, what)
    year = np.full(len(day), YEAR_UNKNOWN, dtype=np.int32)
    known = day != YEAR_UNKNOWN
    year[known] = day[known].astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    return day, freeze(year), wrong


def _read_distinct(
    name: str, column: TextColumn | CodedColumn, missing: Sequence[str], read: Callable[[str], int | None], what: str
) -> tuple[Int32, Unreadable | None]:
    names, codes = encode_column(column, missing)
    read_values = [read(text) for text in names]
    of_code = np.array([YEAR_UNKNOWN if value is None else value for value in read_values], dtype=np.int32)
    values = values_of_rows(codes, of_code, YEAR_UNKNOWN)
    if None not in read_values:
        return values, None
    wrong = np.array([*(value is None for value in read_values), False])
    rows = np.flatnonzero(wrong[codes]).astype(np.int32)
    texts = dict.fromkeys(names[int(code)] for code in codes[rows[:EXAMPLES_SHOWN]] if code != NONE)
    return values, _unreadable(name, list(texts), rows, what)


def today() -> int:
    """Days since 1970-01-01: nobody in a file that is read today is born later."""
    return date.today().toordinal() - _EPOCH


def _stored_years(name: str, column: NumberColumn, missing: Sequence[str]) -> tuple[Int32, Unreadable | None]:
    values, _ = number_values(name, column, missing)
    known = ~np.isnan(values)
    wrong = known & ~((values == np.floor(values)) & (values >= 0) & (values < 1e9))
    years = np.full(len(known), YEAR_UNKNOWN, dtype=np.int32)
    years[known & ~wrong] = values[known & ~wrong]
    rows = np.flatnonzero(wrong).astype(np.int32)
    texts = [f"{value:g}" for value in values[rows[:EXAMPLES_SHOWN]]]
    return freeze(years), _unreadable(name, texts, rows, "no year (write a whole number)") if len(rows) else None


def _unreadable(name: str, texts: Sequence[str], rows: Int32, what: str) -> Unreadable:
    shown = ", ".join(f"'{text}'" for text in texts)
    verb = "is" if len(rows) == 1 else "are"
    return Unreadable(f"column '{name}': {count_of(len(rows), 'value')} {verb} {what}: {shown}", rows)


def describe(wrong: Unreadable, source: Source) -> str:
    """Say what could not be read, and where."""
    return f"{wrong.message} {source.where(wrong.rows)}"


def _year(text: str) -> int | None:
    match = _YEAR.fullmatch(text)
    return int(match[1]) if match else None


def _day(text: str) -> int | None:
    if match := _ISO.fullmatch(text) or _PLAIN.fullmatch(text):
        year, month, day = match.groups()
    elif match := _POINTS.fullmatch(text):
        day, month, year = match.groups()
    else:
        return None
    try:
        return date(int(year), int(month), int(day)).toordinal() - _EPOCH
    except ValueError:
        return None
