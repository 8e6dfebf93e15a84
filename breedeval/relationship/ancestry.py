"""Some animals and all their ancestors: all that A, or A(Γ) with metafounders, of these animals depends on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from breedeval.arrays import NONE, Float64, Int32, Int64, freeze
from breedeval.kernels import numerator as kernels
from breedeval.pedigree.pedigree import Pedigree
from breedeval.pedigree.subset import ancestor_mask
from breedeval.relationship.inbreeding import Inbreeding

#: Columns of A computed side by side: few enough for their rows to stay in cache, enough to read the parents rarely.
_COLUMNS_AT_ONCE = 16
#: Bytes that such columns may take.
_BLOCK_BYTES = 256 * 2**20


@dataclass(frozen=True, eq=False)
class Ancestry:
    """Parents of m animals by their places among these m; unknown parents are −1, metafounders m to m + g − 1.

    Groups that are no metafounders count as unknown.

    Parameters
    ----------
    rows
        (m,) rows of the pedigree, ascending.
    place
        (n,) int32 place of each animal of the pedigree among them, −1 for the others.
    sire, dam
        (m,) int32 places of the parents.
    variance
        (m,) Mendelian variances.
    gamma
        (g, g) relationships of the metafounders; (0, 0) without any.
    """

    rows: Int64
    place: Int32
    sire: Int32
    dam: Int32
    variance: Float64
    gamma: Float64

    @classmethod
    def of(cls, pedigree: Pedigree, inbreeding: Inbreeding, chosen: ArrayLike) -> Ancestry:
        """Collect the animals in the rows `chosen` and their ancestors."""
        n, gamma = pedigree.n_animals, gamma_of(pedigree, inbreeding)
        rows = np.flatnonzero(ancestor_mask(pedigree, chosen))
        place = np.full(n + pedigree.n_groups + 1, NONE, dtype=np.int32)  # the last is where −1 looks
        place[rows] = np.arange(len(rows), dtype=np.int32)
        place[n : n + len(gamma)] = np.arange(len(rows), len(rows) + len(gamma), dtype=np.int32)
        sire, dam = place[pedigree.sire[rows]], place[pedigree.dam[rows]]
        return cls(rows, place[:n], sire, dam, inbreeding.mendelian_variance[rows], gamma)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def columns_at_once(self) -> int:
        """Number of columns whose block stays within the memory set aside for it."""
        return max(1, min(_COLUMNS_AT_ONCE, _BLOCK_BYTES // (8 * max(1, len(self)))))

    def columns(self, rows: Int64) -> Float64:
        """(m, k) columns of A of the animals in these rows of the pedigree."""
        block = np.zeros((len(self), len(rows)))
        block[self.place[rows], np.arange(len(rows))] = 1.0
        return self.multiply_in_place(block)

    def multiply_in_place(self, block: Float64) -> Float64:
        """A times a block (m, k), written over it."""
        multiply_numerator(block, self.sire, self.dam, self.variance, self.gamma, block)
        return block


def multiply_numerator(x: Float64, sire: Int32, dam: Int32, variance: Float64, gamma: Float64, out: Float64) -> None:
    """A(Γ) x, both (m, k), the same array or two; with Γ of (0, 0) A x, groups being unknown.

    A(Γ) = T D T' + Q Γ Q' (Legarra and others 2015, Genetics 200:455): up the pedigree, Γ, and down again.
    """
    if not len(gamma):
        kernels.multiply_columns(freeze(x), freeze(sire), freeze(dam), freeze(variance), out)
        return
    of_groups = np.zeros((len(gamma), x.shape[1]))
    kernels.pass_up(freeze(x), sire, dam, variance, out, of_groups)
    kernels.pass_down(sire, dam, gamma @ of_groups, out)


def gamma_of(pedigree: Pedigree, inbreeding: Inbreeding) -> Float64:
    """(g, g) Γ that the coefficients are relative to, (0, 0) where unknown parents are unrelated.

    Raises
    ------
    ValueError
        If Γ is of other groups than those of the pedigree, or the coefficients are of other animals.
    """
    if len(inbreeding) != pedigree.n_animals:
        raise ValueError(f"inbreeding of {len(inbreeding):,} animals for a pedigree of {pedigree.n_animals:,}")
    if inbreeding.gamma is None:
        return np.empty((0, 0))
    if len(inbreeding.gamma) != pedigree.n_groups:
        raise ValueError(
            f"inbreeding is relative to {len(inbreeding.gamma)} metafounders, but the pedigree has {pedigree.n_groups} groups. "
            "Compute it with this pedigree."
        )
    return inbreeding.gamma
