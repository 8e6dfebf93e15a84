"""Links from children to parents, as an index that loops over a pedigree can walk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breedeval.arrays import NONE, Int32, Int64
from breedeval.kernels import order as kernels


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


def peel(n: int, child: Int32, parent: Int32) -> Peeled:
    """Levels of n nodes from links (child, parent), both ends known; nodes left have level −1."""
    waiting = np.bincount(child, minlength=n).astype(np.int32)
    index = LinkIndex.of(n, parent, child)
    level = np.full(n, NONE, dtype=np.int32)
    queue = np.empty(n, dtype=np.int32)
    taken = kernels.peel_levels(waiting, index.pointers, index.neighbors, queue, level)
    return Peeled(level, int(taken))
