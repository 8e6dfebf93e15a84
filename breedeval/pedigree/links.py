"""Links from children to parents, as an index that loops over a pedigree can walk."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from breedeval.arrays import NONE, Int32, Int64
from breedeval.kernels import order as kernels
from breedeval.kernels.threads import cut_range, map_parts

#: Passes over all nodes whose work is spent before levels are found by another way.
_MOST_PASSES = 12
_NOT_KNOWN = 1 << 30
#: If of so many nodes, spread over all, more than a share of this stand before a parent, they are taken in order of birth.
_LOOKED_AT, _FEW_WAIT = 1 << 14, 1 / 8
#: So many years of birth are told apart.
_YEARS = 256
#: Nodes for which a second thread pays.
_SMALLEST_PART = 1 << 16

#: Ranges of places, as (first, end).
_Parts = list[tuple[int, int]]


@dataclass(frozen=True)
class LinkIndex:
    """For each node the nodes at the other end of its links.

    ``neighbors[pointers[i]:pointers[i + 1]]`` are those of node i, in the order in which the links were given.
    """

    pointers: Int64
    neighbors: Int32

    @classmethod
    def of(cls, n: int, near: Int32, far: Int32) -> LinkIndex:
        """Index links by their near end; links with an end below 0 must have been left out, except near ends of −1."""
        pointers = np.zeros(n + 1, dtype=np.int64)
        kernels.count_links(near, pointers)
        np.cumsum(pointers, out=pointers)
        neighbors = np.empty(pointers[-1], dtype=np.int32)
        kernels.fill_links(far, near, pointers[:-1].copy(), neighbors)
        return cls(pointers, neighbors)


@dataclass(frozen=True)
class Peeled:
    """Nodes taken with all their parents taken before: levels, and who is left."""

    level: Int32
    n_taken: int

    @property
    def n_left(self) -> int:
        """Nodes on a loop or descending from one."""
        return len(self.level) - self.n_taken


def peel(n: int, child: Int32, parent: Int32, lowest: Int32 | None = None) -> Peeled:
    """Levels of n nodes from links (child, parent), both ends known; nodes left have level −1.

    `lowest` (n,) is the level that each node has at least; 0 if None.
    """
    waiting = np.bincount(child, minlength=n).astype(np.int32)
    index = LinkIndex.of(n, parent, child)
    level = np.full(n, NONE, dtype=np.int32)
    queue = np.empty(n, dtype=np.int32)
    if lowest is None:
        lowest = np.zeros(n, dtype=np.int32)
    taken = kernels.peel_levels(waiting, index.pointers, index.neighbors, lowest.copy(), queue, level)
    return Peeled(level, int(taken))


def levels_of(sire: Int32, dam: Int32, born: Int32 | None = None) -> Int32:
    """(n,) int32 level of each node: links on its longest path to a node without parents; −1 on a loop or behind one.

    Parameters
    ----------
    sire, dam
        (n,) node of each parent, −1 unknown.
    born
        (n,) year of birth, the lowest number where it is not known, if there are such: only to save time.

    Notes
    -----
    Passes over the nodes whose level is not known yet: one where parents stand before their progeny, about ten (four passes of
    work) where they stand at random. Then they are taken in order of birth, after which few are left. In a pedigree so deep or
    so unlucky that this goes slowly the rest is done by `peel`.
    """
    n = len(sire)
    waiting = np.empty(n, dtype=np.int32)
    by_birth = _many_wait(sire, dam)
    # One byte a node stays in the caches of the processor; few pedigrees are deeper than it can say.
    for kind in (np.uint8, np.uint32):
        not_known = int(np.iinfo(kind).max)
        height = np.full(n + 1, not_known, dtype=kind)
        height[n] = 0
        if born is not None and by_birth:
            parts, left = _start_by_birth(sire, dam, born, not_known, height, waiting)
        else:
            parts, left = _start(sire, dam, not_known, height, waiting)
        work = left
        before = [0]
        while sum(left) > 0 and left != before and sum(work) <= _MOST_PASSES * n:
            before, left = left, _resume(sire, dam, parts, not_known, height, waiting, left)
            work = [*work, *left]
        if sum(left) == 0:
            break
    level = height.astype(np.int32)
    level -= 1
    rest = np.concatenate([waiting[first : first + n_left] for (first, _), n_left in zip(parts, left, strict=True)])
    level[rest] = _NOT_KNOWN
    if len(rest) and left != before:
        _peel_rest(sire, dam, level, rest)
    level = level[:n]
    if len(rest):
        level[level == _NOT_KNOWN] = NONE
    return level


def _many_wait(sire: Int32, dam: Int32) -> bool:
    """Whether many nodes stand before one of their parents."""
    some = np.linspace(0, max(len(sire) - 1, 0), min(len(sire), _LOOKED_AT)).astype(np.int64)
    return int(((sire[some] > some) | (dam[some] > some)).sum()) > _FEW_WAIT * len(some)


def _start(sire: Int32, dam: Int32, not_known: int, height: Any, waiting: Int32) -> tuple[_Parts, list[int]]:
    """First pass, as the nodes stand, each part of them by a thread; gives how many nodes of each part have to wait."""
    parts = cut_range(len(sire), _SMALLEST_PART)

    def start(part: tuple[int, int]) -> int:
        return int(kernels.start_levels(sire, dam, *part, not_known, height, waiting[slice(*part)]))

    return parts, list(map_parts(start, parts))


def _start_by_birth(
    sire: Int32, dam: Int32, born: Int32, not_known: int, height: Any, waiting: Int32
) -> tuple[_Parts, list[int]]:
    """As `_start`, a year of birth after the other: no thread gets ahead of the parents of its nodes."""
    links, ends = _sorted_by_birth(sire, dam, born)
    all_parts: _Parts = []
    left: list[int] = []

    def start(part: tuple[int, int]) -> int:
        return int(kernels.sorted_levels(links, *part, not_known, height, waiting[slice(*part)]))

    for first, end in pairwise([0, *ends]):
        parts = [(first + a, first + b) for a, b in cut_range(end - first, _SMALLEST_PART)]
        left += map_parts(start, parts)
        all_parts += parts
    return all_parts, left


def _sorted_by_birth(sire: Int32, dam: Int32, born: Int32) -> tuple[Int32, list[int]]:
    """(3, n) nodes with their parents by year of birth; and where each year ends, the first one with all before it."""
    oldest = max(int(born.max(initial=0)), 0) - _YEARS + 1
    parts = cut_range(len(born), _SMALLEST_PART)
    counts = np.zeros((len(parts), _YEARS), dtype=np.int64)
    everywhere = list(range(len(parts)))
    for _ in map_parts(lambda k: kernels.count_births(born[slice(*parts[k])], oldest, counts[k]), everywhere):
        pass
    ends = np.cumsum(counts.sum(axis=0))
    next_free = ends - counts.sum(axis=0) + np.cumsum(counts, axis=0) - counts
    links = np.empty((3, len(born)), dtype=np.int32)
    for _ in map_parts(lambda k: kernels.sort_by_birth(born, sire, dam, *parts[k], oldest, next_free[k], links), everywhere):
        pass
    return links, ends.tolist()


def _resume(sire: Int32, dam: Int32, parts: _Parts, not_known: int, height: Any, waiting: Int32, left: list[int]) -> list[int]:
    """Another pass, over the nodes that wait."""

    def resume(k: int) -> int:
        return int(kernels.resume_levels(sire, dam, not_known, height, waiting[slice(*parts[k])], left[k]))

    return list(map_parts(resume, list(range(len(parts)))))


def _peel_rest(sire: Int32, dam: Int32, level_out: Int32, nodes: Int32) -> None:
    """Levels of the last nodes, all whose parents are not among them being known."""
    n_rest = len(nodes)
    place = np.full(len(level_out), NONE, dtype=np.int32)
    place[nodes] = np.arange(n_rest, dtype=np.int32)
    child, parent = [], []
    base = np.zeros(n_rest, dtype=np.int32)
    for parents in (sire[nodes], dam[nodes]):
        known = level_out[parents] < _NOT_KNOWN
        base = np.maximum(base, np.where(known, level_out[parents] + 1, 0).astype(np.int32))
        child.append(np.flatnonzero(~known).astype(np.int32))
        parent.append(place[parents[~known]])
    found = peel(n_rest, np.concatenate(child), np.concatenate(parent), base).level
    level_out[nodes] = np.where(found == NONE, _NOT_KNOWN, found)
