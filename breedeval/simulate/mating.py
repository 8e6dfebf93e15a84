"""Who is chosen, and who is mated to whom."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from breedeval.arrays import NONE, Float64, Int32, Int64

_REDRAWS = 3


def best(rows: Int64, merit: Float64, n: int) -> Int64:
    """The n rows of the highest merit, best first; all if there are fewer.

    Examples
    --------
    >>> best(np.array([7, 8, 9]), np.array([0.0, 2.0, 1.0]), 2).tolist()
    [8, 9]
    """
    chosen: Int64 = rows[np.argsort(-merit, kind="stable")[: max(n, 0)]]
    return chosen


def draw_sires(rng: np.random.Generator, sires: Int64, dams: Int64, sire_of: Int32) -> Int64:
    """Draw a sire for each dam, some sires much more often than others.

    A dam gets neither her own sire nor a son of his, unless chance insists several times.

    Parameters
    ----------
    rng
        Source of all randomness.
    sires, dams
        Rows of those in use.
    sire_of
        (n,) sire of each animal, −1 unknown.
    """
    use = rng.exponential(size=len(sires))
    use /= use.sum()
    drawn = rng.choice(sires, size=len(dams), p=use)
    of_dam = sire_of[dams]
    for _ in range(_REDRAWS):
        near = (of_dam != NONE) & ((drawn == of_dam) | (sire_of[drawn] == of_dam))
        again = np.flatnonzero(near)
        drawn[again] = rng.choice(sires, size=len(again), p=use)
    chosen: Int64 = drawn.astype(np.int64)
    return chosen


def draw_within(rng: np.random.Generator, place: NDArray[np.integer[Any]], wanted: NDArray[np.integer[Any]]) -> Int64:
    """For each of `wanted` (k,) draw the position of one that stands in that place, −1 where nobody does.

    Examples
    --------
    >>> draw_within(np.random.default_rng(1), np.array([5, 3]), np.array([3, 3, 4])).tolist()
    [1, 1, -1]
    """
    size = 1 + int(max(place.max(initial=-1), wanted.max(initial=-1)))
    order = np.argsort(place, kind="stable")
    number = np.bincount(place, minlength=size)
    first = np.cumsum(number) - number
    there = number[wanted] > 0
    drawn = np.full(len(wanted), NONE, dtype=np.int64)
    drawn[there] = order[first[wanted[there]] + (rng.random(int(there.sum())) * number[wanted[there]]).astype(np.int64)]
    return drawn
