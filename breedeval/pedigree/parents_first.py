"""The order of a pedigree: by level, inside a level by the dam."""

from __future__ import annotations

from itertools import accumulate, pairwise

import numpy as np

from breedeval.arrays import Int32, Int64, UInt64
from breedeval.kernels import order as kernels
from breedeval.kernels.threads import cut_range, map_parts
from breedeval.pedigree.links import levels_of

#: A level of so many animals is sorted by several threads.
_LARGE_LEVEL = 1 << 17
_SMALLEST_PART = 1 << 16
_MOST_BUCKET_BITS = 12


def parents_first(sire: Int32, dam: Int32) -> tuple[Int32, int]:
    """Order animals by level, inside a level by the new place of the dam (unknown first), then as they stand.

    Parameters
    ----------
    sire, dam
        (n,) place of each parent, −1 unknown; without loops.

    Returns
    -------
    order
        (n,) int32, ``order[k]`` is the old place of the animal that comes k-th.
    n_levels
        Number of levels.

    Examples
    --------
    >>> order, n_levels = parents_first(np.array([1, -1, -1], dtype=np.int32), np.array([2, -1, -1], dtype=np.int32))
    >>> order.tolist(), n_levels
    ([1, 2, 0], 2)
    """
    order, _, _, n_levels = by_level_and_dam(dam, levels_of(sire, dam))
    return order, n_levels


def by_level_and_dam(dam: Int32, level: Int32) -> tuple[Int32, Int32, Int32, int]:
    """(n,) order; (n,) new place of each animal; (n,) new place of the dam of the k-th animal; number of levels."""
    n = len(dam)
    counts = np.zeros(int(level.max(initial=-1)) + 1, dtype=np.int64)
    kernels.count_levels(level, counts)
    first_places = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    order, place, dam_place = (np.empty(n, dtype=np.int32) for _ in range(3))
    kernels.sort_by_level(level, first_places[:-1].copy(), order)
    large = np.flatnonzero(counts >= _LARGE_LEVEL).tolist()
    items, dealt = (np.empty(int(counts[large].max(initial=0)), dtype=np.uint64) for _ in range(2))
    done = 0
    for one in [*large, len(counts)]:
        largest = int(counts[done:one].max(initial=0))
        kernels.order_by_dam(dam, first_places, done, one, largest, order, place, dam_place)
        if one < len(counts):
            first, end = int(first_places[one]), int(first_places[one + 1])
            _order_large(dam, first, end, items[: end - first], dealt[: end - first], order, place, dam_place)
        done = one + 1
    return order, place, dam_place, len(counts)


def _order_large(
    dam: Int32, first: int, end: int, items: UInt64, dealt: UInt64, order_out: Int32, place_out: Int32, dam_place_out: Int32
) -> None:
    """Order one level, from place `first` to `end`: by buckets of dams next to each other, then each bucket on its own.

    `items` and `dealt` (end − first,) are scratch.
    """
    nodes = order_out[first:end]
    bits = first.bit_length()  # the place of a dam, and one more, is at most `first`
    bucket_bits = min(bits, _MOST_BUCKET_BITS)
    shift = bits - bucket_bits
    parts = cut_range(len(nodes), _SMALLEST_PART)
    counts = np.zeros((len(parts), 1 << bucket_bits), dtype=np.int64)

    def key_part(k: int) -> None:
        chosen = slice(*parts[k])
        kernels.key_nodes(dam, place_out, nodes[chosen], shift, counts[k], items[chosen])

    for _ in map_parts(key_part, list(range(len(parts)))):
        pass
    ends = np.append(0, np.cumsum(counts.sum(axis=0)))
    next_free = ends[:-1] + np.cumsum(counts, axis=0) - counts
    for _ in map_parts(
        lambda k: kernels.deal_items(items[slice(*parts[k])], shift, next_free[k], dealt), list(range(len(parts)))
    ):
        pass

    def settle_part(buckets: tuple[int, int]) -> None:
        kernels.settle_items(dealt, items, shift, ends, *buckets, first, order_out, place_out, dam_place_out)

    for _ in map_parts(settle_part, _buckets_of_threads(ends, len(parts))):
        pass


def _buckets_of_threads(ends: Int64, n_parts: int) -> list[tuple[int, int]]:
    """Buckets for each thread, as (first, end), with about as many animals each."""
    total = int(ends[-1])
    cuts = [int(np.searchsorted(ends, total * part // n_parts)) for part in range(1, n_parts)]
    bounds = list(accumulate([0, *cuts, len(ends) - 1], max))
    return list(pairwise(bounds))
