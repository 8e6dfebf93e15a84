"""Who descends from whom: ancestors, descendants, and animals that a pedigree can do without.

Animals stand behind their parents. Parents that are no rows (negative, or groups) count as unknown.
"""

from __future__ import annotations

from breedeval.kernels.compile import compiled


@compiled
def mark_ancestors(sire, dam, limit, distance_out):
    """Generations from the nearest chosen descendant; distance_out (n,) int32 is 0 for the chosen and −1 for all others.

    Ancestors further away than ``limit`` keep −1. Progeny stand behind their parents, so walking up the rows each
    distance is final when it is read.
    """
    n = sire.shape[0]
    for i in range(n - 1, -1, -1):
        if distance_out[i] < 0 or distance_out[i] >= limit:
            continue
        next_distance = distance_out[i] + 1
        for p in (sire[i], dam[i]):
            if 0 <= p < n and (distance_out[p] < 0 or distance_out[p] > next_distance):
                distance_out[p] = next_distance


@compiled
def mark_descendants(sire, dam, limit, distance_out):
    """Generations from the nearest chosen ancestor; the mirror image of `mark_ancestors`."""
    n = sire.shape[0]
    for i in range(n):
        for p in (sire[i], dam[i]):
            if p < 0 or p >= n or distance_out[p] < 0 or distance_out[p] >= limit:
                continue
            if distance_out[i] < 0 or distance_out[i] > distance_out[p] + 1:
                distance_out[i] = distance_out[p] + 1


@compiled
def drop_founders_of_one(n_links, child, wanted, sire_out, dam_out, dropped_out):
    """Drop founders that are not wanted and have one progeny; their place as a parent is taken by what their parents were.

    ``n_links`` (n,) counts the progeny of each animal, ``child`` (n,) names the last of them. A founder has two unknown
    parents, or twice the same group. sire_out and dam_out hold the parents and change; dropped_out (n,) starts as false. A
    progeny that thereby becomes a founder stands behind and is met later: one pass is enough.
    """
    n = n_links.shape[0]
    for i in range(n):
        is_founder = sire_out[i] == dam_out[i] and (sire_out[i] < 0 or sire_out[i] >= n)
        if wanted[i] or n_links[i] != 1 or not is_founder:
            continue
        dropped_out[i] = True
        if sire_out[child[i]] == i:
            sire_out[child[i]] = sire_out[i]
        else:
            dam_out[child[i]] = sire_out[i]
