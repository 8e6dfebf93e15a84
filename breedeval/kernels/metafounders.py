"""Inbreeding with metafounders: the method of Meuwissen and Luo with related founders."""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled


@compiled
def inbreeding(sire, dam, gamma, out_inbreeding, out_variance):
    """Inbreeding and Mendelian variances where parent codes n .. n + g − 1 are metafounders with relationships gamma (g, g).

    a_ii = Σ_j l_ij² d_j + q_i'Γ q_i, where j runs over the ancestors of i and itself, l is the share of genes that came that
    way and q_i the shares that came from each metafounder (Meuwissen and Luo 1992, Genet. Sel. Evol. 24:305; Legarra et al.
    2015, Genetics 200:455). d_i = ½ − ¼ (F_s + F_d), where a metafounder has F = γ − 1 and an unknown parent −1. Parents stand
    before progeny; the ancestors of i wait in a heap, the youngest on top.
    """
    n = sire.shape[0]
    g = gamma.shape[0]
    share = np.zeros(n)
    heap = np.empty(n, dtype=np.int64)
    q = np.zeros(g)
    for i in range(n):
        s, d = sire[i], dam[i]
        out_variance[i] = 0.5 - 0.25 * (_base(s, n, gamma, out_inbreeding) + _base(d, n, gamma, out_inbreeding))
        if i > 0 and s == sire[i - 1] and d == dam[i - 1]:
            out_inbreeding[i] = out_inbreeding[i - 1]
            continue
        self_relationship = 0.0
        size = 1
        heap[0] = i
        share[i] = 1.0
        while size > 0:
            j = heap[0]
            size -= 1
            _sift_down(heap, size)
            part = share[j]
            share[j] = 0.0
            self_relationship += part * part * out_variance[j]
            for parent in (sire[j], dam[j]):
                if parent >= n:
                    q[parent - n] += 0.5 * part
                elif parent >= 0:
                    if share[parent] == 0.0:
                        _push(heap, size, parent)
                        size += 1
                    share[parent] += 0.5 * part
        for a in range(g):
            if q[a] != 0.0:
                for b in range(g):
                    self_relationship += q[a] * gamma[a, b] * q[b]
        q[:] = 0.0
        out_inbreeding[i] = self_relationship - 1.0


@compiled
def _base(parent, n, gamma, inbreeding_of):
    if parent < 0:
        return -1.0
    if parent >= n:
        return gamma[parent - n, parent - n] - 1.0
    return inbreeding_of[parent]


@compiled
def _push(heap, size, value):
    k = size
    while k > 0:
        up = (k - 1) // 2
        if heap[up] >= value:
            break
        heap[k] = heap[up]
        k = up
    heap[k] = value


@compiled
def _sift_down(heap, size):
    """Put the last element, heap[size], in the place of the first."""
    value = heap[size]
    k = 0
    while True:
        child = 2 * k + 1
        if child >= size:
            break
        if child + 1 < size and heap[child + 1] > heap[child]:
            child += 1
        if heap[child] <= value:
            break
        heap[k] = heap[child]
        k = child
    heap[k] = value


@compiled
def group_shares(sire, dam, out):
    """Fill out (n, g), zero on entry: the share of each animal's genes that came from each group."""
    n = sire.shape[0]
    for i in range(n):
        for parent in (sire[i], dam[i]):
            if parent >= n:
                out[i, parent - n] += 0.5
            elif parent >= 0:
                for k in range(out.shape[1]):
                    out[i, k] += 0.5 * out[parent, k]


@compiled
def spread(sire, dam, x):
    """Values of animals in place from those of groups: x (n + g, k) has groups filled; animal = mean of its parents."""
    n = sire.shape[0]
    for i in range(n):
        for k in range(x.shape[1]):
            total = 0.0
            if sire[i] >= 0:
                total += 0.5 * x[sire[i], k]
            if dam[i] >= 0:
                total += 0.5 * x[dam[i], k]
            x[i, k] = total
