"""What a pedigree says of its animals, the slow way; nothing of breedeval.

Animals are 0 .. n − 1 with parents before progeny; a parent of −1 is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def ancestors_by_generation(sire: Sequence[int], dam: Sequence[int], animal: int) -> list[list[int]]:
    """Known ancestors of each generation, as often as they occur; the last list is empty."""
    generations, now = [], [animal]
    while now:
        now = [parent for i in now for parent in (sire[i], dam[i]) if parent >= 0]
        generations.append(now)
    return generations


def equivalent_generations(sire: Sequence[int], dam: Sequence[int], animal: int) -> float:
    """Sum of (1/2)^g over all known ancestors (Maignel, Boichard & Verrier 1996)."""
    return sum(len(known) / 2**g for g, known in enumerate(ancestors_by_generation(sire, dam, animal), start=1))


def complete_generations(sire: Sequence[int], dam: Sequence[int], animal: int) -> int:
    """Generations in which all 2^g ancestors are known."""
    known = ancestors_by_generation(sire, dam, animal)
    return next(g for g, listed in enumerate(known) if len(listed) < 2 ** (g + 1))


def index_of_completeness(sire: Sequence[int], dam: Sequence[int], animal: int, depth: int) -> float:
    """MacCluer and others (1983): 4 I_p I_m / (I_p + I_m), each I the mean share of all 2^g places that its side fills."""
    sides = []
    for parent in (sire[animal], dam[animal]):
        if parent < 0:
            return 0.0
        known = [[parent], *ancestors_by_generation(sire, dam, parent)]
        known += [[]] * depth
        sides.append(sum(len(known[g - 1]) / 2**g for g in range(1, depth + 1)) / depth)
    return 4 * sides[0] * sides[1] / sum(sides)


def gene_flow(sire: Sequence[int], dam: Sequence[int]) -> np.ndarray:
    """(n, n) expected share of column's genes in row: (I − P)⁻¹, P having ½ for each parent."""
    n = len(sire)
    p = np.zeros((n, n))
    for i in range(n):
        for parent in (sire[i], dam[i]):
            if parent >= 0:
                p[i, parent] += 0.5
    return np.linalg.inv(np.eye(n) - p)


def founder_shares(sire: Sequence[int], dam: Sequence[int], reference: Sequence[int]) -> list[float]:
    """Share of every founder in the genes of the reference; an unknown parent beside a known one is a founder."""
    mean = gene_flow(sire, dam)[list(reference)].mean(axis=0)
    shares = []
    for i in range(len(sire)):
        n_unknown = (sire[i] < 0) + (dam[i] < 0)
        if n_unknown:
            shares.append(mean[i] * n_unknown / 2)
    return [share for share in shares if share > 0]


def candidates_for_next(
    sire: Sequence[int], dam: Sequence[int], reference: Sequence[int], taken: Sequence[int]
) -> tuple[float, list[int]]:
    """A turn of Boichard, Maignel & Verrier (1997), section on ancestors: the largest marginal contribution, and whose it is.

    The parents of the ancestors taken before are deleted, and contributions q and explained shares a are computed from scratch;
    then q (1 − a) is compared.
    """
    sire, dam = list(sire), list(dam)
    for k in taken:
        sire[k] = dam[k] = -1
    flow = gene_flow(sire, dam)
    q = flow[list(reference)].mean(axis=0)
    a = flow[:, list(taken)].sum(axis=1)
    p = np.round(q * (1 - a), 12)
    return float(p.max()), np.flatnonzero(p == p.max()).tolist()
