"""Groups of columns that loops over several vectors are compiled for.

A loop whose number of columns is known when it is compiled is two to three times faster than one that counts them.
"""

from __future__ import annotations

from typing import NamedTuple

#: Numbers of columns that loops are compiled for; more are taken in turn.
WIDTHS = (4, 8, 16)
#: The same where several numbers of each column are worked on together: each further width is compiled for each number.
WIDTHS_OF_SEVERAL = (4, 16)
#: Numbers side by side, those of all vectors together, that loops are compiled for: with more, compiling takes half a minute.
MOST_NUMBERS = 64


class ColumnGroup(NamedTuple):
    """Columns first to first + n, in an array of `width` columns."""

    first: int
    n: int
    width: int


def column_groups(n_columns: int, numbers: int = 1) -> list[ColumnGroup]:
    """Cut columns into groups of the widest kind, and the least that holds the rest if half of it is used.

    `numbers` is how many numbers of each column are worked on together, as those of the traits of an animal.

    Examples
    --------
    >>> column_groups(21)
    [ColumnGroup(first=0, n=16, width=16), ColumnGroup(first=16, n=5, width=8)]
    >>> column_groups(6, numbers=3)
    [ColumnGroup(first=0, n=4, width=4), ColumnGroup(first=4, n=2, width=4)]
    """
    compiled = WIDTHS if numbers == 1 else WIDTHS_OF_SEVERAL
    widths = [width for width in compiled if width * numbers <= MOST_NUMBERS] or [1]
    groups, first = [], 0
    while first < n_columns:
        width = _width(n_columns - first, widths)
        groups.append(ColumnGroup(first, min(width, n_columns - first), width))
        first += width
    return groups


def _width(left: int, widths: list[int]) -> int:
    """Of the next group: the least that holds all that is left, unless half of it would be empty."""
    holding = next((width for width in widths if width >= left), None)
    if holding is not None and holding < 2 * left:
        return holding
    return max((width for width in widths if width <= left), default=widths[0])
