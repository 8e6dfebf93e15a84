"""Elimination on the pattern of a symmetric matrix, as sets: what it fills in, and the order by exact minimum degree."""

from __future__ import annotations

import numpy as np


def eliminate(pattern: np.ndarray, order: list[int] | None = None) -> tuple[list[int], int]:
    """The order and the elements below the diagonal of L; without an order by the fewest neighbors, ties by number."""
    n = len(pattern)
    neighbors = [{j for j in range(n) if j != i and pattern[i, j]} for i in range(n)]
    left, done, elements = set(range(n)), [], 0
    for step in range(n):
        k = min(left, key=lambda i: (len(neighbors[i]), i)) if order is None else order[step]
        left.remove(k)
        done.append(k)
        elements += len(neighbors[k])
        for i in neighbors[k]:
            neighbors[i] |= neighbors[k] - {i}
            neighbors[i].discard(k)
    return done, elements


def first_bad_row(matrix: np.ndarray, order: np.ndarray) -> int:
    """Row of the first pivot that is not positive when eliminating in an order."""
    a = matrix[np.ix_(order, order)].astype(float)
    for k in range(len(a)):
        if not a[k, k] > 0:
            return int(order[k])
        a[k + 1 :, k + 1 :] -= np.outer(a[k + 1 :, k], a[k, k + 1 :]) / a[k, k]
    raise ValueError("every pivot is positive")
