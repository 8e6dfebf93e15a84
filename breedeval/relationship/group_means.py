"""Mean relationship within and between groups of animals, without a relationship of two animals ever being stored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from breedeval.arrays import Float64, Int32, Int64, freeze
from breedeval.kernels import numerator as kernels
from breedeval.pedigree.pedigree import Pedigree
from breedeval.relationship.ancestry import Ancestry
from breedeval.relationship.inbreeding import Inbreeding


@dataclass(frozen=True, eq=False)
class GroupRelationships:
    """Mean additive relationships of g groups of animals.

    Parameters
    ----------
    mean
        (g, g) over all pairs of an animal of the one group and an animal of the other; within a group an animal is paired with
        itself as well, once. NaN for a group without animals.
    size
        (g,) animals in each group.
    mean_self
        (g,) mean of 1 + F.
    """

    mean: Float64
    size: Int64
    mean_self: Float64

    def within_different(self) -> Float64:
        """(g,) mean over pairs of two different animals of a group; NaN for fewer than two."""
        total = self.size * np.diag(self.mean) - self.mean_self
        mean: Float64 = np.divide(total, self.size - 1.0, out=np.full(len(self.size), np.nan), where=self.size > 1)
        return mean

    def founder_genome_equivalents(self) -> Float64:
        """(g,) 1/(2 × mean coancestry), an animal with itself included: one over the mean relationship within a group.

        Founders without drift that would hold the same diversity (Lacy 1995, Zoo Biol. 14:565; Caballero & Toro 2000, Genet.
        Res. 75:331).
        """
        return np.reciprocal(np.diag(self.mean).astype(np.float64))


def average_relationships(
    pedigree: Pedigree, inbreeding: Inbreeding, labels: ArrayLike, n_groups: int | None = None
) -> GroupRelationships:
    """Mean relationship within and between groups of animals.

    Parameters
    ----------
    pedigree, inbreeding
        The pedigree, and :func:`compute_inbreeding` of it; or coefficients relative to metafounders, for means of A(Γ). Parents
        in groups that are no metafounders count as unknown.
    labels
        (n,) group of each animal, from 0; −1 for an animal in none.
    n_groups
        Number of groups g; one more than the largest label by default.

    Notes
    -----
    A times the columns of 1/size of each group (Colleau 2002), summed over the rows of each group: time in proportion to g
    times the ancestors of all animals with a label, memory of (g, g) and at most 256 MiB beside it.

    Examples
    --------
    >>> import breedeval as be
    >>> pedigree = be.read_pedigree("pedigrees/mrode_table_2_1.csv")
    >>> labels = [0 if name in "12" else 1 for name in pedigree.ids]
    >>> average_relationships(pedigree, be.compute_inbreeding(pedigree), labels).mean.round(4).tolist()
    [[0.5, 0.3906], [0.3906, 0.6484]]
    """
    label = np.asarray(labels, dtype=np.int32)
    if label.shape != (pedigree.n_animals,):
        raise ValueError(f"labels have shape {label.shape}; one for each of {pedigree.n_animals:,} animals is expected")
    g = int(label.max(initial=-1)) + 1 if n_groups is None else n_groups
    if label.max(initial=-1) >= g:
        raise ValueError(f"a label is {label.max()}; with {g} groups the largest is {g - 1}")
    members = np.flatnonzero(label >= 0)
    size = np.bincount(label[members], minlength=g).astype(np.int64)
    self_sum = np.bincount(label[members], weights=1.0 + inbreeding.coefficients[members], minlength=g)
    share = np.divide(1.0, size, out=np.full(g, np.nan), where=size > 0)
    ancestry = Ancestry.of(pedigree, inbreeding, members)
    mean = _label_sums(ancestry, label[ancestry.rows], share) * share[:, np.newaxis]
    return GroupRelationships(freeze(0.5 * (mean + mean.T)), freeze(size), freeze(self_sum * share))


def _label_sums(ancestry: Ancestry, label: Int32, share: Float64) -> Float64:
    """(g, g) sums over the rows of each label of A times `share` of each label."""
    g = len(share)
    sums = np.zeros((g, g))
    for first in range(0, g, ancestry.columns_at_once):
        block = np.empty((len(ancestry), min(ancestry.columns_at_once, g - first)))
        kernels.spread_labels(label, first, share, block)
        part = np.zeros((g, block.shape[1]))
        kernels.sum_by_label(ancestry.multiply_in_place(block), label, part)
        sums[:, first : first + block.shape[1]] = part
    # A label that no animal bears has no relationship, rather than one of nought.
    sums[:, np.isnan(share)] = np.nan
    return sums
