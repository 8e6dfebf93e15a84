"""Values of rows, taken by several threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from breedeval.arrays import AnyArray, Int32, freeze
from breedeval.kernels import pedigree_rows as kernels
from breedeval.kernels.threads import cut_range, map_parts

_SMALLEST_PART = 1 << 16


def values_of_rows(rows: Int32, values: AnyArray, missing: int) -> AnyArray:
    """(k,) the value of each row, `missing` where the row is −1; without the 64-bit copy of `rows` that ``values[rows]`` makes.

    Examples
    --------
    >>> values_of_rows(np.array([1, -1], dtype=np.int32), np.array([7, 8]), 0).tolist()
    [8, 0]
    """
    out: AnyArray = np.empty_like(values, shape=len(rows))
    return filled_in_parts(out, lambda part, place: kernels.values_of_rows(rows[part], values, missing, place))


def filled_in_parts(out: AnyArray, fill: Callable[[slice, Any], None]) -> AnyArray:
    """Fill an array by several threads, each given a part of the rows and its place; returns it, read-only."""
    for _ in map_parts(lambda part: fill(slice(*part), out[slice(*part)]), cut_range(len(out), _SMALLEST_PART)):
        pass
    return freeze(out)
