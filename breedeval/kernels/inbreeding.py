"""Coefficients of inbreeding."""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled


@compiled
def _variance_of(i, sire, dam, inbreeding):
    # An unknown parent counts as F = −1, which gives 1, ¾ − ¼F and ½ − ¼(F + F) in one formula.
    n = sire.shape[0]
    sum_of_parents = 0.0
    sum_of_parents += inbreeding[sire[i]] if 0 <= sire[i] < n else -1.0
    sum_of_parents += inbreeding[dam[i]] if 0 <= dam[i] < n else -1.0
    return max(0.0, 0.5 - 0.25 * sum_of_parents)


@compiled
def mendelian_variances(sire, dam, inbreeding, variance_out):
    """Variance of the Mendelian sampling of each animal in units of the genetic variance.

    Quaas (1976, Biometrics 32:949); parents that are no rows (negative, or groups) count as unknown and not inbred.
    """
    for i in range(sire.shape[0]):
        variance_out[i] = _variance_of(i, sire, dam, inbreeding)


@compiled
def _put(node, level, first_out, next_out):
    """Put a node at the head of the list of its level."""
    next_out[node] = first_out[level[node]]
    first_out[level[node]] = node


@compiled
def _go_up(start, sire, dam, level, variance, first_out, next_out, share_out, visited_out):
    """Write share × Mendelian variance of each ancestor of ``start``, itself included, to share_out; it holds zeros elsewhere.

    Returns the number of ancestors, which are visited_out[:number].
    """
    n = sire.shape[0]
    share_out[start] = 1.0
    _put(start, level, first_out, next_out)
    number = 0
    for at in range(level[start], -1, -1):
        j = first_out[at]
        first_out[at] = -1
        while j >= 0:
            half = 0.5 * share_out[j]
            for p in (sire[j], dam[j]):
                if 0 <= p < n:
                    if share_out[p] == 0.0:
                        _put(p, level, first_out, next_out)
                    share_out[p] += half
            share_out[j] *= variance[j]
            visited_out[number] = j
            number += 1
            j = next_out[j]
    return number


@compiled
def _go_down(top, sire, dam, level, share, first_out, next_out, waiting_out, related_out):
    """Write the relationship with ``start`` of `_go_up` of the animals that wait, and of their ancestors, to related_out.

    The animals wait in the lists of their levels, ``top`` is the highest; waiting_out marks them; it is false again at the
    end.
    """
    n = sire.shape[0]
    for at in range(top, -1, -1):
        j = first_out[at]
        while j >= 0:
            for p in (sire[j], dam[j]):
                if 0 <= p < n and not waiting_out[p]:
                    waiting_out[p] = True
                    _put(p, level, first_out, next_out)
            j = next_out[j]
    for at in range(top + 1):
        j = first_out[at]
        first_out[at] = -1
        while j >= 0:
            related = share[j]
            for p in (sire[j], dam[j]):
                if 0 <= p < n:
                    related += 0.5 * related_out[p]
            related_out[j] = related
            waiting_out[j] = False
            j = next_out[j]


@compiled
def inbreeding_by_sires(sire, dam, level, by_level, level_starts, inbreeding_out, variance_out):
    """Inbreeding of each animal as half the relationship of its parents, for all mates of a sire in one go.

    A row of A is T D T' times a unit vector (Colleau 2002, Genet. Sel. Evol. 34:409): up from the sire over his ancestors, down
    to the dams over theirs. Level by level, so that the Mendelian variances of all ancestors are known; inside a level a sire
    is taken once (as Sargolzaei, Iwaisaki & Colleau 2005, J. Anim. Breed. Genet. 122:325, do for contributions). Equal to
    Meuwissen & Luo (1992) with fewer visits to ancestors, and exactly zero for unrelated parents, since nothing is subtracted.

    ``by_level`` (n,) lists rows by level, those of level k from level_starts[k] to level_starts[k + 1].
    """
    n = sire.shape[0]
    n_levels = level_starts.shape[0] - 1
    first = np.full(n_levels, -1, dtype=np.int32)
    next_in_list = np.empty(n, dtype=np.int32)
    share, related = np.zeros(n), np.empty(n)
    waiting = np.zeros(n, dtype=np.bool_)
    visited = np.empty(n, dtype=np.int32)
    last_progeny = np.full(n, -1, dtype=np.int32)
    half_sib = np.empty(n, dtype=np.int32)
    sires = np.empty(n, dtype=np.int32)
    for at in range(n_levels):
        n_sires = 0
        for k in range(level_starts[at], level_starts[at + 1]):
            i = by_level[k]
            inbreeding_out[i] = 0.0
            s = sire[i]
            if 0 <= s < n and 0 <= dam[i] < n:
                if last_progeny[s] < 0:
                    sires[n_sires] = s
                    n_sires += 1
                half_sib[i] = last_progeny[s]
                last_progeny[s] = i
        for k in range(n_sires):
            s = sires[k]
            n_visited = _go_up(s, sire, dam, level, variance_out, first, next_in_list, share, visited)
            i = last_progeny[s]
            while i >= 0:
                if not waiting[dam[i]]:
                    waiting[dam[i]] = True
                    _put(dam[i], level, first, next_in_list)
                i = half_sib[i]
            _go_down(at - 1, sire, dam, level, share, first, next_in_list, waiting, related)
            i = last_progeny[s]
            while i >= 0:
                inbreeding_out[i] = 0.5 * related[dam[i]]
                i = half_sib[i]
            last_progeny[s] = -1
            for j in range(n_visited):
                share[visited[j]] = 0.0
        for k in range(level_starts[at], level_starts[at + 1]):
            variance_out[by_level[k]] = _variance_of(by_level[k], sire, dam, inbreeding_out)
