"""Where a table came from, so that a message can name the file and the line of a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from breedeval.errors import EXAMPLES_SHOWN


def _row_number(row: int) -> int:
    return row + 1


@dataclass(frozen=True)
class Source:
    """The origin of a table's rows.

    Parameters
    ----------
    path
        Name of the file as the user gave it, or a description such as ``"a DataFrame"``.
    line_of_row
        Gives the 1-based line (or row) number of a 0-based row. It is asked only when a message is made.
    unit
        What the numbers count: ``"line"`` of a text file or ``"row"`` of anything else.
    """

    path: str
    line_of_row: Callable[[int], int] = _row_number
    unit: str = "row"

    def where(self, rows: Iterable[int]) -> str:
        """Say where `rows` stand: ``(herd.csv, lines 118 and 240)``; at most five are named.

        Examples
        --------
        >>> Source("herd.csv", lambda row: row + 2, "line").where([0])
        '(herd.csv, line 2)'
        >>> Source("herd.csv").where([7, 7])  # each row once
        '(herd.csv, row 8)'
        """
        listed = sorted({int(row) for row in rows})
        numbers = [f"{self.line_of_row(row):,}" for row in listed[:EXAMPLES_SHOWN]]
        if len(listed) > EXAMPLES_SHOWN:
            numbers.append(f"{len(listed) - EXAMPLES_SHOWN:,} more")
        if len(numbers) > 1:
            text = f"{self.unit}s {', '.join(numbers[:-1])} and {numbers[-1]}"
        else:
            text = f"{self.unit} {numbers[0]}" if numbers else "nowhere"
        return f"({self.path}, {text})"
