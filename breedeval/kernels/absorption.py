"""An approximate inverse of A¹¹ that follows the pedigree, where the animals fixed are the rest.

A¹¹ is the block of A⁻¹ of animals that are not fixed. Eliminating them youngest first, an animal with Mendelian precision b
that has collected the information w from its progeny leaves the pivot b + w, passes the share ½b/(b + w) of itself to each
parent, and adds information bw/(b + w) on the mean of its parents, of which each gets a quarter; a fixed animal adds b. The
link that this also makes between the two parents is left out: that is the approximation. Parents below 0 are unknown;
those from m on are groups, which stand above all animals.
"""

from __future__ import annotations

from breedeval.kernels.compile import compiled


@compiled
def absorb_progeny(sire, dam, variance, fixed, information_out, share_out, pivot_inverse_out):
    """Shares passed to parents and inverse pivots, (m,), 0 for fixed animals; information_out (m + g,) starts as zeros."""
    for i in range(sire.shape[0] - 1, -1, -1):
        b, w = 1.0 / variance[i], information_out[i]
        if fixed[i]:
            share_out[i], pivot_inverse_out[i] = 0.0, 0.0
            passed = b
        else:
            share_out[i], pivot_inverse_out[i] = 0.5 * b / (b + w), 1.0 / (b + w)
            passed = b * w / (b + w)
        for p in (sire[i], dam[i]):
            if p >= 0:
                information_out[p] += 0.25 * passed


@compiled
def apply_up(r, sire, dam, share, pivot_inverse, out):
    """First half of the approximate solution for r, 0 for fixed animals: up the pedigree, and the pivots of animals.

    r and out have a row an animal, m, and behind these one a group, whose pivots are for the caller.
    """
    for i in range(r.shape[0]):
        out[i] = r[i]
    for i in range(sire.shape[0] - 1, -1, -1):
        passed = share[i] * out[i]
        if sire[i] >= 0:
            out[sire[i]] += passed
        if dam[i] >= 0:
            out[dam[i]] += passed
        out[i] *= pivot_inverse[i]


@compiled
def apply_down(sire, dam, share, out):
    """Second half: down the pedigree again."""
    for i in range(sire.shape[0]):
        if share[i] > 0.0:
            total = 0.0
            if sire[i] >= 0:
                total += out[sire[i]]
            if dam[i] >= 0:
                total += out[dam[i]]
            out[i] += share[i] * total
