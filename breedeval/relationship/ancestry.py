"""Some animals and all their ancestors: all that A of these animals depends on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from breedeval.arrays import NONE, Float64, Int32, Int64
from breedeval.kernels import numerator as kernels
from breedeval.pedigree.pedigree import Pedigree
from breedeval.pedigree.subset import ancestor_mask

#: Columns of A computed side by side: few enough for their rows to stay in cache, enough to read the parents rarely.
_COLUMNS_AT_ONCE = 16
#: Bytes that such columns may take.
_BLOCK_BYTES = 256 * 2**20


@dataclass(frozen=True, eq=False)
class Ancestry:
    """Parents of m animals by their places among these m; unknown parents and groups are −1.

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
    """

    rows: Int64
    place: Int32
    sire: Int32
    dam: Int32
    variance: Float64

    @classmethod
    def of(cls, pedigree: Pedigree, variance: Float64, chosen: ArrayLike) -> Ancestry:
        """Collect the animals in the rows `chosen` and their ancestors."""
        n = pedigree.n_animals
        rows = np.flatnonzero(ancestor_mask(pedigree, chosen))
        place = np.full(n + 1, NONE, dtype=np.int32)  # the last is where −1 looks
        place[rows] = np.arange(len(rows), dtype=np.int32)
        sire, dam = (place[np.where(parent[rows] < n, parent[rows], NONE)] for parent in (pedigree.sire, pedigree.dam))
        return cls(rows, place[:n], sire, dam, variance[rows])

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
        kernels.multiply_columns(block, self.sire, self.dam, self.variance, block)
        return block
