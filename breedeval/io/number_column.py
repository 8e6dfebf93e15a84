"""Columns of numbers, read exactly; what is not a number is collected, not skipped."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from breedeval.arrays import Float64, Int64, freeze
from breedeval.errors import EXAMPLES_SHOWN, count_of
from breedeval.io.text_table import Column, NumberColumn, TextColumn
from breedeval.kernels.fields import LONG_NUMBER, NOT_A_NUMBER, read_numbers
from breedeval.names import Names
from breedeval.source import Source

_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+")


@dataclass(frozen=True)
class NotNumbers:
    """Fields of a number column that are not numbers: their `rows` (k,) and the first few `texts`."""

    column: str
    rows: Int64
    texts: tuple[str, ...]

    def describe(self, source: Source) -> str:
        """Say which, how many and where."""
        shown = ", ".join(
            f"'{text}' ({source.unit} {source.line_of_row(int(row)):,})"
            for text, row in zip(self.texts, self.rows, strict=False)
        )
        more = f" and {len(self.rows) - len(self.texts):,} more" if len(self.rows) > len(self.texts) else ""
        hint = " Decimal commas: write a point." if any(_DECIMAL_COMMA.fullmatch(text) for text in self.texts) else ""
        verb = "is no number" if len(self.rows) == 1 else "are no numbers"
        return f"Column '{self.column}': {count_of(len(self.rows), 'value')} {verb}: {shown}{more}.{hint}"


def number_values(name: str, column: Column, missing: Sequence[str]) -> tuple[Float64, NotNumbers | None]:
    """(m,) float64 of a column, NaN where missing; and the fields that are neither a number nor missing, or None."""
    if isinstance(column, NumberColumn):
        return _stored_values(name, column, missing)
    codes = Names.of(missing)
    values = np.empty(len(column.starts), dtype=np.float64)
    kinds = np.empty(len(column.starts), dtype=np.int8)
    n_left = read_numbers(column.buffer, column.starts, column.lengths, codes.buffer, codes.offsets, values, kinds)
    if n_left == 0:
        return freeze(values), None
    if column.null is not None:
        kinds[column.null] = 0
    wrong = kinds == NOT_A_NUMBER
    long = np.flatnonzero(kinds == LONG_NUMBER)
    values[long] = _read_long(column, long)
    wrong[long] = np.isinf(values[long])
    return freeze(values), _not_numbers(name, column, np.flatnonzero(wrong))


def _read_long(column: TextColumn, rows: Int64) -> list[float]:
    """Numbers with too many digits for the short way, by Python's own correctly rounded conversion."""
    letters = memoryview(column.buffer)  # type: ignore[arg-type]
    starts = column.starts[rows]
    return [
        float(letters[start:end]) for start, end in zip(starts.tolist(), (starts + column.lengths[rows]).tolist(), strict=True)
    ]


def _not_numbers(name: str, column: TextColumn, rows: Int64) -> NotNumbers | None:
    if len(rows) == 0:
        return None
    return NotNumbers(name, rows, shown_texts(column, rows))


def shown_texts(column: Column, rows: Int64) -> tuple[str, ...]:
    """What stands in the first few of these rows, for a message."""
    shown = rows[:EXAMPLES_SHOWN].tolist()
    return tuple(str(column.values[row]) if isinstance(column, NumberColumn) else column.text(row) for row in shown)


def _stored_values(name: str, column: NumberColumn, missing: Sequence[str]) -> tuple[Float64, NotNumbers | None]:
    values = column.values.copy()
    values[np.isin(values, [float(code) for code in missing if _is_decimal(code)])] = np.nan
    rows = np.flatnonzero(np.isinf(values))
    return freeze(values), NotNumbers(name, rows, shown_texts(column, rows)) if len(rows) else None


def _is_decimal(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
