"""Incomplete block Cholesky the slow way: a dense matrix, a pattern, three loops; nothing of breedeval.

C ≈ L D L' where L has blocks only where the pattern has (Meijerink and van der Vorst 1977); from block `n_sparse` on all fill
is kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def incomplete_cholesky(
    c: np.ndarray, blocks: Sequence[Sequence[int]], pattern: np.ndarray, n_sparse: int, zero: float
) -> np.ndarray:
    """M = L D L' for blocks of equations in the order of elimination.

    ``pattern[i, j]`` says whether block (i, j), i > j, may be there. A pivot (of one equation) below `zero` times its diagonal
    in C is replaced by that diagonal, without the other equations; of the blocks that keep all fill, directions below `zero`
    are, in units of the diagonal.
    """
    work, n = c.copy(), len(blocks)
    lower, middle = np.eye(len(c)), np.zeros_like(c)
    for j in range(n_sparse):
        pivot = np.ix_(blocks[j], blocks[j])
        inverse, middle[pivot] = replaced_pivot(work[pivot], np.diag(c[pivot]), zero)
        rows = [i for i in range(j + 1, n) if pattern[i, j]]
        original = {i: work[np.ix_(blocks[i], blocks[j])].copy() for i in rows}
        for i in rows:
            lower[np.ix_(blocks[i], blocks[j])] = original[i] @ inverse
        for a in rows:
            for b in rows:
                both_full = min(a, b) >= n_sparse
                if a == b or pattern[max(a, b), min(a, b)] or both_full:
                    work[np.ix_(blocks[a], blocks[b])] -= original[a] @ inverse @ original[b].T
    last = [e for block in blocks[n_sparse:] for e in block]
    if last:
        place = np.ix_(last, last)
        root = np.sqrt(np.diag(c)[last])
        safe = np.where(root > 0, root, 1.0)
        values, vectors = np.linalg.eigh(work[place] / np.outer(safe, safe))
        values[values < zero] = 1.0
        middle[place] = (vectors * values) @ vectors.T * np.outer(root, root)
    return lower @ middle @ lower.T


def replaced_pivot(pivot: np.ndarray, diagonal: np.ndarray, zero: float) -> tuple[np.ndarray, np.ndarray]:
    """Inverse of a pivot and the pivot itself after its equations without information of their own are cut off."""
    good: list[int] = []
    for k in range(len(pivot)):
        rest = pivot[k, k]
        if good:
            rest -= pivot[k, good] @ np.linalg.solve(pivot[np.ix_(good, good)], pivot[good, k])
        if rest > zero * diagonal[k]:
            good.append(k)
    inverse, used = np.zeros_like(pivot), np.diag(diagonal).astype(float)
    for k in range(len(pivot)):
        inverse[k, k] = 0.0 if diagonal[k] == 0.0 else 1.0 / diagonal[k]
    if good:
        used[np.ix_(good, good)] = pivot[np.ix_(good, good)]
        inverse[np.ix_(good, good)] = np.linalg.inv(pivot[np.ix_(good, good)])
    return inverse, used
