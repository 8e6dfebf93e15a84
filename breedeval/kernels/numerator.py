"""Products with the numerator relationship matrix without forming it.

A = T D T', with T the matrix of the shares that animals have in their descendants; T' x runs up the pedigree and T x down
(Colleau 2002, Genet. Sel. Evol. 34:409). Parents that are no rows (negative, or groups) count as unknown.
"""

from __future__ import annotations

from breedeval.kernels.compile import compiled


@compiled
def multiply_columns(x, sire, dam, variance, out):
    """Multiply A by k columns side by side; x and out (n, k), not the same array."""
    n, k_columns = x.shape
    out[:, :] = x
    for i in range(n - 1, -1, -1):
        s, d = sire[i], dam[i]
        for c in range(k_columns):
            half = 0.5 * out[i, c]
            if 0 <= s < n:
                out[s, c] += half
            if 0 <= d < n:
                out[d, c] += half
            out[i, c] *= variance[i]
    for i in range(n):
        s, d = sire[i], dam[i]
        for c in range(k_columns):
            if 0 <= s < n:
                out[i, c] += 0.5 * out[s, c]
            if 0 <= d < n:
                out[i, c] += 0.5 * out[d, c]
