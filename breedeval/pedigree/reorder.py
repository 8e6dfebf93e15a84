"""What is known of names, in the order of the animals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from breedeval.arrays import Int8, Int32, Int64, UInt8, freeze
from breedeval.kernels import reorder as kernels
from breedeval.kernels.threads import Part, cut_evenly, cut_range, map_parts
from breedeval.names import Names

#: Places of a bucket, 2 to the power of this: what stands there fits into the caches of a processor.
_BUCKET_BITS = 15
#: Records are made for a share of the places at a time, so that they need little new memory.
_SHARES = 4
_SMALLEST_PART = 1 << 16


@dataclass(frozen=True)
class ReorderedRows:
    """Names, sires (as places), birth years and sexes in the new order."""

    ids: Names
    sire: Int32
    birth_year: Int32
    sex: Int8


def reordered(order: Int32, place: Int32, names: Names, sire: Int32, birth_year: Int32, sex: Int8) -> ReorderedRows:
    """Put animals, and what is known of each, into a new order.

    Parameters
    ----------
    order
        (n,) which name comes k-th.
    place
        (names,) new place of each name, −1 if it is no animal.
    names, sire, birth_year, sex
        (names,) of each; the sire is a name, −1 unknown.

    Notes
    -----
    Time in proportion to the names. Ids that have not all the same length are fetched one by one, which takes longer.

    Examples
    --------
    >>> order = np.array([2, 0], dtype=np.int32)
    >>> none, sexes = np.full(3, -1, dtype=np.int32), np.zeros(3, dtype=np.int8)
    >>> reordered(order, np.array([1, -1, 0], dtype=np.int32), Names.of("abc"), none, none, sexes).ids.to_list()
    ['c', 'a']
    """
    n, width = len(order), max(names.common_length, 0)
    new_sire, new_year = (np.empty(n, dtype=np.int32) for _ in range(2))
    new_sex, letters = np.empty(n, dtype=np.int8), np.empty(n * width, dtype=np.uint8)
    old_letters = names.buffer[int(names.offsets[0]) :] if width else letters
    for low, high in cut_evenly(n, _SHARES):
        records, bounds = _deal(place, (low, high), sire, birth_year, sex, old_letters, width)

        def settle(part: tuple[int, int], records: UInt8 = records) -> None:
            kernels.settle_rows(records, *part, width, new_sire, new_year, new_sex, letters)

        _each(settle, list(pairwise(bounds)))
    ids = names.take(order) if width == 0 else Names(freeze(letters), _offsets(names, n, width))
    return ReorderedRows(ids, freeze(new_sire), freeze(new_year), freeze(new_sex))


def _deal(
    place: Int32, places: tuple[int, int], sire: Int32, birth_year: Int32, sex: Int8, letters: UInt8, width: int
) -> tuple[UInt8, list[int]]:
    """Records of the rows that go to these places, bucket after bucket; and where each bucket begins, and the last one ends."""
    low, high = places
    parts = cut_range(len(place), _SMALLEST_PART)
    counts = np.zeros((len(parts), (high - low >> _BUCKET_BITS) + 1), dtype=np.int64)
    _each(lambda k: kernels.count_places(place[slice(*parts[k])], low, high, _BUCKET_BITS, counts[k]), list(range(len(parts))))
    bounds = np.append(0, np.cumsum(counts.sum(axis=0)))
    next_free = bounds[:-1] + np.cumsum(counts, axis=0) - counts
    records = np.empty((high - low, -(-(width + kernels.BESIDE_ID) // 8) * 8), dtype=np.uint8)

    def deal(k: int) -> None:
        kernels.deal_rows(
            place, *parts[k], low, high, _BUCKET_BITS, sire, birth_year, sex, letters, width, next_free[k], records
        )

    _each(deal, list(range(len(parts))))
    return records, bounds.tolist()


def _offsets(names: Names, n: int, width: int) -> Int64:
    """Where ids of one length begin and end; those of the names, if they serve."""
    if n == len(names) and names.offsets[0] == 0:
        return names.offsets
    return freeze(np.arange(n + 1, dtype=np.int64) * width)


def _each(work: Callable[[Part], None], parts: list[Part]) -> None:
    for _ in map_parts(work, parts):
        pass
