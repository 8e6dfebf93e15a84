"""Rows of a pedigree that a caller chooses, checked."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from breedeval.arrays import Int64
from breedeval.errors import count_of, name_some


def row_numbers(rows: ArrayLike, n: int) -> Int64:
    """(k,) row numbers from 0 to n − 1.

    Raises
    ------
    TypeError
        If they are no whole numbers. A mask of True and False is none: its values would be taken for rows 1 and 0.
    ValueError
        If they are no plain list.
    IndexError
        If a row is not there; −1 is what an animal that was not found has.

    Examples
    --------
    >>> row_numbers([2, 0], 3).tolist()
    [2, 0]
    """
    given = np.asarray(rows)
    if given.ndim != 1:
        raise ValueError(f"rows have shape {given.shape}; one row number an animal is expected")
    if len(given) and given.dtype == np.bool_:
        raise TypeError("rows are a mask of True and False. Give row numbers: np.flatnonzero(mask).")
    if len(given) and given.dtype.kind not in "iu":
        raise TypeError(f"rows are of type {given.dtype}, no whole numbers. Give row numbers, such as Pedigree.row_of returns.")
    chosen: Int64 = given.astype(np.int64, copy=False)
    wrong = chosen[(chosen < 0) | (chosen >= n)]
    if len(wrong):
        raise IndexError(f"{count_of(len(wrong), 'row')} outside the pedigree's 0 to {n - 1:,}: {name_some(wrong[:1000])}")
    return chosen
