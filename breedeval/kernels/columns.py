"""Groups of columns that loops over several vectors are compiled for.

A loop whose number of columns is known when it is compiled is two to three times faster than one that counts them.
"""

from __future__ import annotations

from typing import NamedTuple

#: Numbers of columns that loops are compiled for; more are taken in turn.
WIDTHS = (4, 8, 16)


class ColumnGroup(NamedTuple):
    """Columns first to first + n, in an array of `width` columns."""

    first: int
    n: int
    width: int


def column_groups(n_columns: int) -> list[ColumnGroup]:
    """Cut columns into groups of the widest kind, and the least that holds the rest.

    Examples
    --------
    >>> column_groups(21)
    [ColumnGroup(first=0, n=16, width=16), ColumnGroup(first=16, n=5, width=8)]
    """
    groups = []
    for first in range(0, n_columns, WIDTHS[-1]):
        n = min(WIDTHS[-1], n_columns - first)
        groups.append(ColumnGroup(first, n, next(width for width in WIDTHS if width >= n)))
    return groups
