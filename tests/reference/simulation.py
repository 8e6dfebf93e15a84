"""Breeding values down a pedigree, animal by animal, with inbreeding from the tabular method."""

from __future__ import annotations

import numpy as np


def relationship_by_table(sire, dam):
    """A by the tabular method (Henderson 1976, Biometrics 32:69); parents stand before progeny, −1 or beyond n unknown."""
    n = len(sire)
    A = np.zeros((n, n))
    for i in range(n):
        parents = [p for p in (sire[i], dam[i]) if 0 <= p < n]
        for j in range(i):
            A[i, j] = A[j, i] = sum(0.5 * A[j, p] for p in parents)
        A[i, i] = 1.0
        if len(parents) == 2:
            A[i, i] += 0.5 * A[parents[0], parents[1]]
    return A


def breeding_values_by_loop(sire, dam, normals, covariance, group_values=None):
    """Values (n, k) from standard normals (n, k): mean of the parents plus Mendelian sampling by their inbreeding."""
    n, k = normals.shape
    F = np.diag(relationship_by_table(sire, dam)) - 1.0
    root = np.linalg.cholesky(covariance)
    values = np.zeros((n, k))
    for i in range(n):
        mean, variance = np.zeros(k), 1.0
        for p in (sire[i], dam[i]):
            if 0 <= p < n:
                mean = mean + 0.5 * values[p]
                variance -= 0.25 * (1.0 + F[p])
            elif p >= n and group_values is not None:
                mean = mean + 0.5 * group_values[p - n]
        values[i] = mean + np.sqrt(variance) * (root @ normals[i])
    return values
