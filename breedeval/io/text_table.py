"""A table as it stands in a file: chosen columns, each field a place in a buffer of bytes."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from breedeval.arrays import Bool, Float64, UInt8
from breedeval.errors import TableError
from breedeval.names import Names
from breedeval.source import Source

#: A column by its name in the header, or by its number from 1 in a file without header.
ColumnKey = str | int

_COLUMNS_LISTED = 30


@dataclass(frozen=True)
class TextColumn:
    """A column of texts: text i is ``buffer[starts[i]:starts[i] + lengths[i]]``, UTF-8; integers of any type.

    `null` (m,) marks fields that the file itself calls missing (Parquet); None if it cannot.
    """

    buffer: UInt8
    starts: NDArray[Any]
    lengths: NDArray[Any]
    null: Bool | None = None

    def text(self, row: int) -> str:
        """Return one field as a Python string."""
        start = int(self.starts[row])
        return self.buffer[start : start + int(self.lengths[row])].tobytes().decode()


@dataclass(frozen=True)
class CodedColumn:
    """A column of texts few of which are distinct, in `parts` one behind the other: the texts and the (m,) code of each row."""

    parts: tuple[tuple[Names, NDArray[Any]], ...]


@dataclass(frozen=True)
class NumberColumn:
    """A column that the file stores as floating-point numbers: `values` (m,), NaN where missing."""

    values: Float64


Column = TextColumn | NumberColumn


@dataclass(frozen=True)
class TextTable:
    """Chosen columns of a file, by ``str(key)`` of the key that asked for them.

    Parameters
    ----------
    source
        File and line of each row.
    n_rows
        m, number of rows.
    columns
        The columns; an optional one that the file lacks is not in it.
    notes
        What was assumed while reading, for the user to see.
    coded
        Columns that were read as codes.
    """

    source: Source
    n_rows: int
    columns: Mapping[str, Column]
    notes: tuple[str, ...] = ()
    coded: Mapping[str, CodedColumn] = field(default_factory=dict)

    def ids(self, key: ColumnKey) -> TextColumn:
        """Return a column of names, exactly as the file has them.

        Raises
        ------
        TableError
            If the file stores them as floating-point numbers, which do not say how a name is written.
        """
        column = self.columns[str(key)]
        if isinstance(column, NumberColumn):
            raise TableError(
                f"{self.source.path}: column '{key}' holds names but is stored as floating-point numbers, which do not say how "
                "a name is written. Store it as text or as integers.",
                path=self.source.path,
            )
        return column

    def texts(self, key: ColumnKey) -> TextColumn | CodedColumn:
        """As `ids`, of a column that may have been read as codes."""
        return self.coded.get(str(key)) or self.ids(key)


def has_header(path: str, keys: Sequence[ColumnKey]) -> bool:
    """Whether columns are asked for by name (so the first line is a header) and not by number.

    Raises
    ------
    TableError
        If names and numbers are mixed.
    """
    numbers = [key for key in keys if isinstance(key, int)]
    names = [key for key in keys if isinstance(key, str)]
    if numbers and names:
        raise TableError(
            f"{path}: columns are asked for by number ({_listed(numbers)}) and by name ({_listed(names)}). A file without "
            "header has numbers only, from 1; a file with header has names only.",
            path=path,
        )
    return not numbers


def find_columns(
    path: str, header: Sequence[str], keys: Sequence[ColumnKey], optional: Sequence[ColumnKey] = ()
) -> dict[str, int]:
    """Find columns by name in `header`, or by number; returns the 0-based position by ``str(key)``.

    Raises
    ------
    TableError
        If any of `keys` is not there, or stands more than once; all of them are named together.
    """
    found: dict[str, int] = {}
    missing: list[str] = []
    repeated: list[str] = []
    for key in dict.fromkeys([*keys, *optional]):
        places = [key - 1] if isinstance(key, int) else [i for i, name in enumerate(header) if name == key]
        if len(places) > 1:
            repeated.append(f"{key} (columns {', '.join(str(place + 1) for place in places)})")
        elif places and 0 <= places[0] < len(header):
            found[str(key)] = places[0]
        elif key in keys:
            missing.append(_missing(key, header))
    problems = [f"There is no column {text}." for text in missing]
    problems += [f"Column {text} stands more than once in the header: rename all but one." for text in repeated]
    if problems:
        if missing:
            problems.append(_what_is_there(header, by_number=isinstance(keys[0], int)))
        raise TableError(f"{path}: {' '.join(problems)}", path=path, columns=tuple(header))
    return found


def _missing(key: ColumnKey, header: Sequence[str]) -> str:
    if isinstance(key, int):
        return str(key)
    lower = {name.lower(): name for name in header}
    near = difflib.get_close_matches(key.lower(), list(lower), 1)
    return f"'{key}' (nearest: '{lower[near[0]]}')" if near else f"'{key}'"


def _what_is_there(header: Sequence[str], *, by_number: bool) -> str:
    if by_number:
        return f"The first line has {len(header)} fields; numbers go from 1 to {len(header)}."
    more = f" and {len(header) - _COLUMNS_LISTED} more" if len(header) > _COLUMNS_LISTED else ""
    return f"The columns are: {', '.join(header[:_COLUMNS_LISTED])}{more}."


def _listed(keys: Sequence[ColumnKey]) -> str:
    return ", ".join(str(key) for key in keys[:5])
