"""Relationships the slow way, from the textbook; nothing of breedeval.

Animals are 0 .. n − 1 with parents before progeny; a parent of −1 is unknown. Henderson (1976, Biometrics 32:69); Mrode &
Pocrnic (2023), Linear Models for the Prediction of the Genetic Merit of Animals, chapter 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np


def tabular_a(sire: Sequence[int], dam: Sequence[int]) -> np.ndarray:
    """A by the tabular method: a row is the mean of the parents' rows."""
    n = len(sire)
    a = np.zeros((n, n))
    for i in range(n):
        for parent in (sire[i], dam[i]):
            if parent >= 0:
                a[i, :i] += 0.5 * a[parent, :i]
        a[:i, i] = a[i, :i]
        a[i, i] = 1.0 + (0.5 * a[sire[i], dam[i]] if sire[i] >= 0 and dam[i] >= 0 else 0.0)
    return a


def recursive_inbreeding(sire: Sequence[int], dam: Sequence[int]) -> np.ndarray:
    """F as the kinship of the parents, by recursion on the younger of two animals."""

    @cache
    def kinship(i: int, j: int) -> float:
        if i < 0 or j < 0:
            return 0.0
        if i == j:
            return 0.5 * (1.0 + kinship(sire[i], dam[i]))
        younger, older = max(i, j), min(i, j)
        return 0.5 * (kinship(older, sire[younger]) + kinship(older, dam[younger]))

    return np.array([kinship(s, d) for s, d in zip(sire, dam, strict=True)])


def inverse_by_rules(sire: Sequence[int], dam: Sequence[int], inbreeding: Sequence[float]) -> np.ndarray:
    """A⁻¹ by Henderson's rules: add b, −b/2 and b/4 for each animal. Parents of n or more are unknown-parent groups."""
    n = len(sire)
    order = max([n - 1, *sire, *dam]) + 1
    inverse = np.zeros((order, order))
    for i in range(n):
        animals = [parent for parent in (sire[i], dam[i]) if 0 <= parent < n]
        d = 1.0 - sum(0.25 * (1.0 + inbreeding[parent]) for parent in animals)
        weights = [(i, 1.0)] + [(parent, -0.5) for parent in (sire[i], dam[i]) if parent >= 0]
        for row, row_weight in weights:
            for column, column_weight in weights:
                inverse[row, column] += row_weight * column_weight / d
    return inverse


def tabular_with_metafounders(sire: Sequence[int], dam: Sequence[int], gamma: np.ndarray) -> np.ndarray:
    """Relationships of animals 0 .. n − 1 and metafounders n .. n + g − 1 (Legarra et al. 2015, Genetics 200:455)."""
    n, g = len(sire), len(gamma)
    a = np.zeros((n + g, n + g))
    a[n:, n:] = gamma
    known = list(range(n, n + g))
    for i in range(n):
        for parent in (sire[i], dam[i]):
            if parent >= 0:
                a[i, known] += 0.5 * a[parent, known]
        a[known, i] = a[i, known]
        a[i, i] = 1.0 + (0.5 * a[sire[i], dam[i]] if sire[i] >= 0 and dam[i] >= 0 else 0.0)
        known.append(i)
    return a


def dominance(a: np.ndarray, sire: Sequence[int], dam: Sequence[int]) -> np.ndarray:
    """D of Henderson (1985, J. Anim. Sci. 60:111): ¼ (a_ss' a_dd' + a_sd' a_ds') between animals, 1 with itself."""
    n = len(sire)
    d = np.eye(n)
    for i in range(n):
        for j in range(i):
            if min(sire[i], dam[i], sire[j], dam[j]) >= 0:
                d[i, j] = d[j, i] = 0.25 * (a[sire[i], sire[j]] * a[dam[i], dam[j]] + a[sire[i], dam[j]] * a[dam[i], sire[j]])
    return d


def males_by_recursion(sire: Sequence[int], grandsire: Sequence[int]) -> np.ndarray:
    """Relationships of males by sires and maternal grandsires: a row is half the sire's and a quarter of the grandsire's.

    Henderson (1975, J. Dairy Sci. 58:1917); Quaas, Everett and McClintock (1979, J. Dairy Sci. 62:1648).
    """
    n = len(sire)
    a = np.zeros((n, n))
    for i in range(n):
        for parent, share in ((sire[i], 0.5), (grandsire[i], 0.25)):
            if parent >= 0:
                a[i, :i] += share * a[parent, :i]
        a[:i, i] = a[i, :i]
        a[i, i] = 1.0 + (0.25 * a[sire[i], grandsire[i]] if sire[i] >= 0 and grandsire[i] >= 0 else 0.0)
    return a


def group_shares(sire: Sequence[int], dam: Sequence[int], g: int) -> np.ndarray:
    """Q (n, g): the part of each animal's base that comes from each group; parents of n or more are groups."""
    n = len(sire)
    q = np.zeros((n, g))
    for i in range(n):
        for parent in (sire[i], dam[i]):
            if parent >= n:
                q[i, parent - n] += 0.5
            elif parent >= 0:
                q[i] += 0.5 * q[parent]
    return q
