"""What is known of names, in the order of the animals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from breedeval.arrays import NONE, Int8, Int32, Int64, UInt8, freeze
from breedeval.kernels import reorder as kernels
from breedeval.kernels.threads import Part, cut_evenly, cut_range, map_parts
from breedeval.names import Names

#: Places of a bucket, 2 to the power of this: what stands there fits into the caches of a processor.
_BUCKET_BITS = 15
#: Records are made for a share of the places at a time, so that they need little new memory.
_SHARES = 4
_SMALLEST_PART = 1 << 16

_Ranges = list[tuple[int, int]]


@dataclass(frozen=True)
class ReorderedRows:
    """Names, sires (as places), birth years and sexes in the new order."""

    ids: Names
    sire: Int32
    birth_year: Int32
    sex: Int8


def reordered(n: int, place: Int32, names: Names, sire: Int32, birth_year: Int32, sex: Int8) -> ReorderedRows:
    """Put animals, and what is known of each, into a new order.

    Parameters
    ----------
    n
        Number of animals.
    place
        (names,) new place of each name, −1 if it is no animal.
    names, sire, birth_year, sex
        (names,) of each; the sire is a name, −1 unknown.

    Notes
    -----
    Time in proportion to the names. Ids that have not all the same length are fetched one by one, which takes longer.

    Examples
    --------
    >>> none, sexes = np.full(3, -1, dtype=np.int32), np.zeros(3, dtype=np.int8)
    >>> reordered(2, np.array([1, -1, 0], dtype=np.int32), Names.of("abc"), none, none, sexes).ids.to_list()
    ['c', 'a']
    """
    width = max(names.common_length, 0)
    new_sire, new_year = (np.empty(n, dtype=np.int32) for _ in range(2))
    new_sex, letters = np.empty(n, dtype=np.int8), np.empty(n * width, dtype=np.uint8)
    old_letters = names.buffer[int(names.offsets[0]) :] if width else letters
    buckets = _Buckets.of(n, place)
    place, sire, birth_year = freeze(place), freeze(sire), freeze(birth_year)
    sex, old_letters = freeze(sex), freeze(old_letters)
    shares = cut_evenly(buckets.n_buckets, min(_SHARES, buckets.n_buckets))
    records = _touched(max(buckets.n_records(*share) for share in shares), width + kernels.BESIDE_ID)
    for share in shares:
        parts, next_free = buckets.parts, buckets.next_free(share[0])

        def deal(k: int, share: tuple[int, int] = share, parts: _Ranges = parts, next_free: Int64 = next_free) -> None:
            kernels.deal_rows(
                place, *parts[k], *share, _BUCKET_BITS, sire, birth_year, sex, old_letters, width, next_free[k], records
            )

        _each(deal, list(range(len(parts))))
        _each(
            lambda part: kernels.settle_rows(records, *part, width, new_sire, new_year, new_sex, letters),
            buckets.ranges_of_records(*share),
        )
    _each(lambda part: kernels.rename_parents(place, new_sire[slice(*part)]), cut_range(n, _SMALLEST_PART))
    ids = Names(freeze(letters), _offsets(names, n, width)) if width else names.take(_names_in_order(n, place))
    return ReorderedRows(ids, freeze(new_sire), freeze(new_year), freeze(new_sex))


@dataclass(frozen=True)
class _Buckets:
    """Where the records of places go: every place from 0 to n − 1 is taken once.

    `parts` are the rows of each thread, `begins` (parts, buckets) where the records of each begin, a bucket behind the other.
    """

    n: int
    parts: _Ranges
    begins: Int64

    @classmethod
    def of(cls, n: int, place: Int32) -> _Buckets:
        parts = cut_range(len(place), _SMALLEST_PART)
        counts = np.zeros((len(parts), (n >> _BUCKET_BITS) + 1), dtype=np.int64)
        _each(lambda k: kernels.count_places(place[slice(*parts[k])], _BUCKET_BITS, counts[k]), list(range(len(parts))))
        begins = np.arange(counts.shape[1]) << _BUCKET_BITS
        return cls(n, parts, begins + np.cumsum(counts, axis=0) - counts)

    @property
    def n_buckets(self) -> int:
        return int(self.begins.shape[1])

    def n_records(self, first: int, end: int) -> int:
        """Records of the buckets first to end − 1."""
        return min(end << _BUCKET_BITS, self.n) - (first << _BUCKET_BITS)

    def next_free(self, first: int) -> Int64:
        """(parts, buckets) where the next record of each part goes, if those of bucket `first` come first."""
        return self.begins - (first << _BUCKET_BITS)

    def ranges_of_records(self, first: int, end: int) -> _Ranges:
        """Records of neighboring buckets for each thread, who so writes to memory of its own."""
        ranges = cut_range(end - first, 1, 2)
        return [(a << _BUCKET_BITS, min(b << _BUCKET_BITS, self.n_records(first, end))) for a, b in ranges]


def _names_in_order(n: int, place: Int32) -> Int32:
    """(n,) which name comes k-th."""
    is_animal = place != NONE
    order = np.empty(n, dtype=np.int32)
    order[place[is_animal]] = np.flatnonzero(is_animal)
    return order


def _touched(n: int, n_bytes: int) -> UInt8:
    """Make n records whose memory is there already: several threads that write to all ends of new memory fetch it twice."""
    records = np.empty((n, -(-n_bytes // 8) * 8), dtype=np.uint8)
    _each(lambda part: records[slice(*part)].fill(0), cut_range(n, _SMALLEST_PART))
    return records


def _offsets(names: Names, n: int, width: int) -> Int64:
    """Where ids of one length begin and end; those of the names, if they serve."""
    if n == len(names) and names.offsets[0] == 0:
        return names.offsets
    return freeze(np.arange(n + 1, dtype=np.int64) * width)


def _each(work: Callable[[Part], None], parts: list[Part]) -> None:
    for _ in map_parts(work, parts):
        pass
