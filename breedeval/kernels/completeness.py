"""How much of each animal's ancestry is known. Parents that are no rows (negative, or groups) count as unknown."""

from __future__ import annotations

from breedeval.kernels.compile import compiled


@compiled
def equivalent_generations(sire, dam, out):
    """Sum of (½)^g over all known ancestors, g generations away (Maignel, Boichard & Verrier 1996, Interbull Bull. 14:49).

    Each known parent brings half of itself and of its own sum: one pass from the founders.
    """
    n = sire.shape[0]
    for i in range(n):
        total = 0.0
        for p in (sire[i], dam[i]):
            if 0 <= p < n:
                total += 0.5 * (1.0 + out[p])
        out[i] = total


@compiled
def complete_generations(sire, dam, out):
    """Number of generations, from the parents on, in which every ancestor is known; out (n,) int32."""
    n = sire.shape[0]
    for i in range(n):
        s, d = sire[i], dam[i]
        if 0 <= s < n and 0 <= d < n:
            out[i] = 1 + min(out[s], out[d])
        else:
            out[i] = 0


@compiled
def mean_over_parents(sire, dam, of_parent, out):
    """Half the sum of the parents' values; an unknown parent counts 0. Arrays (n,), not the same."""
    n = sire.shape[0]
    for i in range(n):
        total = 0.0
        for p in (sire[i], dam[i]):
            if 0 <= p < n:
                total += of_parent[p]
        out[i] = 0.5 * total


@compiled
def harmonic_mean_of_parents(sire, dam, of_parent, out):
    """2ab/(a + b) of the two parents' values; 0 where a parent is unknown. Arrays (n,), not the same."""
    n = sire.shape[0]
    for i in range(n):
        s, d = sire[i], dam[i]
        out[i] = 0.0
        if 0 <= s < n and 0 <= d < n and of_parent[s] + of_parent[d] > 0.0:
            out[i] = 2.0 * of_parent[s] * of_parent[d] / (of_parent[s] + of_parent[d])
