"""Mendelian variances, the coefficients that follow from others at once, and the plain method of Meuwissen & Luo."""

from __future__ import annotations

import numba
import numpy as np

from breedeval.kernels.compile import compiled, compiled_parallel

#: F of a parent that is no animal: gives the variances 1, ¾ − ¼F and ½ − ¼(F + F) in one formula.
NOT_AN_ANIMAL = -1.0


@compiled
def parent_inbreeding(parent, inbreeding):
    """F of a parent code; the one place where codes that are no animals (unknown, groups) get a value."""
    code = np.uint64(parent)  # below 0 becomes large
    return inbreeding[code] if code < np.uint64(inbreeding.shape[0]) else NOT_AN_ANIMAL


@compiled
def variance_of(i, sire, dam, inbreeding):
    """Variance of the Mendelian sampling of animal i in units of the genetic variance."""
    sum_of_parents = parent_inbreeding(sire[i], inbreeding) + parent_inbreeding(dam[i], inbreeding)
    return max(0.0, 0.5 - 0.25 * sum_of_parents)


@compiled_parallel
def mendelian_variances(sire, dam, inbreeding, variance_out):
    """Variance of the Mendelian sampling of each animal in units of the genetic variance.

    Quaas (1976, Biometrics 32:949); parents that are no rows (negative, or groups) count as unknown and not inbred.
    """
    for i in numba.prange(sire.shape[0]):
        variance_out[i] = variance_of(i, sire, dam, inbreeding)


@compiled
def follows_at_once(s, d, sire, dam):
    """True if `value_at_once` holds for two parents that are animals: one animal, parent and progeny, or full sibs."""
    if s == d or s == sire[d] or s == dam[d] or d == sire[s] or d == dam[s]:
        return True
    p, q = sire[s], dam[s]
    n = sire.shape[0]
    return 0 <= p < n and 0 <= q < n and ((sire[d] == p and dam[d] == q) or (sire[d] == q and dam[d] == p))


@compiled
def value_at_once(i, sire, dam, inbreeding):
    """F of animal i, whose parents are one animal, parent and progeny, or full sibs, from the F of parents and grandparents.

    ½ a(s, d) with a(x, x) = 1 + F_x and a(x, y) = 2 F of a progeny of x and y. It keeps long lines of selfed or of full-sib
    matings linear: nothing has to be followed to the founders.
    """
    s, d = sire[i], dam[i]
    if s == d:
        return 0.5 * (1.0 + inbreeding[s])
    if s == sire[d] or s == dam[d]:  # a(s, d) = ½ a(s, s) + ½ a(s, other parent of d)
        return 0.25 * (1.0 + inbreeding[s]) + 0.5 * inbreeding[d]
    if d == sire[s] or d == dam[s]:
        return 0.25 * (1.0 + inbreeding[d]) + 0.5 * inbreeding[s]
    return 0.125 * (2.0 + inbreeding[sire[s]] + inbreeding[dam[s]]) + 0.5 * inbreeding[s]


@compiled
def meuwissen_luo(sire, dam, level, n_levels, inbreeding_out, variance_out):
    """Inbreeding by the plain method of Meuwissen & Luo (1992, Genet. Sel. Evol. 24:305).

    All ancestors of each animal are visited, youngest first. F_i + 1 is the sum over ancestors j of (the share of j's genes
    in i)² × Mendelian variance of j. Ancestors wait in a list a level instead of one sorted list, so that none has to be
    searched. Full sibs next to each other share the value.
    """
    n = sire.shape[0]
    share = np.zeros(n)
    next_in_list = np.empty(n, dtype=np.int32)
    first = np.full(n_levels, -1, dtype=np.int32)
    for i in range(n):
        s, d = sire[i], dam[i]
        variance_out[i] = variance_of(i, sire, dam, inbreeding_out)
        if not (0 <= s < n and 0 <= d < n):
            inbreeding_out[i] = 0.0
            continue
        if i > 0 and s == sire[i - 1] and d == dam[i - 1]:
            inbreeding_out[i] = inbreeding_out[i - 1]
            continue
        share[i] = 1.0
        first[level[i]] = i
        next_in_list[i] = -1
        total = 0.0
        for at in range(level[i], -1, -1):
            j = first[at]
            first[at] = -1
            while j >= 0:
                half = 0.5 * share[j]
                for p in (sire[j], dam[j]):
                    if 0 <= p < n:
                        if share[p] == 0.0:
                            next_in_list[p] = first[level[p]]
                            first[level[p]] = p
                        share[p] += half
                total += share[j] * share[j] * variance_out[j]
                share[j] = 0.0
                j = next_in_list[j]
        inbreeding_out[i] = total - 1.0
