"""Breeding values down the pedigree: half of each parent's, and a Mendelian part."""

from __future__ import annotations

from breedeval.kernels.compile import compiled


@compiled
def drop_genes(sire, dam, scale, out):
    """Turn rows of out (n + g, k), standard normal deviates of animals, into effects with the covariance A, in place.

    Parents come before progeny or are groups, rows from n on, whose values stand in out already; below 0 they are unknown.
    """
    k_columns = out.shape[1]
    for i in range(len(sire)):
        s, d = sire[i], dam[i]
        for c in range(k_columns):
            value = scale[i] * out[i, c]
            if s >= 0:
                value += 0.5 * out[s, c]
            if d >= 0:
                value += 0.5 * out[d, c]
            out[i, c] = value
