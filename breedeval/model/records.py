"""Records as they were read: class columns as codes, number columns as float64."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from breedeval.arrays import Float64, Int32
from breedeval.names import Names
from breedeval.source import Source


@dataclass(frozen=True)
class ClassColumn:
    """A column of names: `codes` (m,) int32 into `names`, −1 where missing."""

    names: Names
    codes: Int32


@dataclass(frozen=True)
class RecordTable:
    """The columns of a records file that a model uses, in file order.

    Parameters
    ----------
    source
        File and line of each row.
    n_rows
        m, number of rows of the file.
    classes
        Class columns by column name.
    numbers
        (m,) float64 by column name, NaN where missing.
    notes
        What was assumed while reading, for the user to see.
    """

    source: Source
    n_rows: int
    classes: Mapping[str, ClassColumn]
    numbers: Mapping[str, Float64]
    notes: tuple[str, ...] = ()
