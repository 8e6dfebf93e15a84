"""Which nodes of the order of elimination each record meets, and which records meet the same ones as the record before."""

from __future__ import annotations

import numba

from breedeval.kernels.compile import compiled_parallel


@compiled_parallel
def find_nodes(first, place, position, out):
    """Out (m, K) int32: node of each record in each term, −1 without.

    first (m, K) first equation of the record's level; place (K, 6) int64: first equation of the term's block, equations a
    level, levels before the split, first node of these, where their positions begin among `position` (−1: they stand in
    order), node of the first level behind the split.
    """
    for i in numba.prange(first.shape[0]):
        for t in range(first.shape[1]):
            if first[i, t] < 0:
                out[i, t] = -1
                continue
            level = (first[i, t] - place[t, 0]) // place[t, 1]
            if level < place[t, 2]:
                out[i, t] = place[t, 3] + (level if place[t, 4] < 0 else position[place[t, 4] + level])
            else:
                out[i, t] = place[t, 5] + level - place[t, 2]


@compiled_parallel
def find_repeats(node, kind, out):
    """Out (m,) bool: whether a record has the nodes (m, K) and the kind (m,) of the one before."""
    for i in numba.prange(node.shape[0]):
        same = i > 0 and kind[i] == kind[i - 1]
        for t in range(node.shape[1]):
            same = same and node[i, t] == node[i - 1, t]
        out[i] = same
