"""Inbreeding and the Mendelian variances that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breedeval.arrays import Float64, Int32, freeze
from breedeval.kernels import inbreeding as kernels
from breedeval.kernels import order as order_kernels
from breedeval.pedigree.pedigree import Pedigree


@dataclass(frozen=True, eq=False, repr=False)
class Inbreeding:
    """Coefficients of inbreeding; behaves as the array of the coefficients.

    Parameters
    ----------
    coefficients
        (n,) F of each animal, in the order of the pedigree's rows.
    mendelian_variance
        (n,) d, variance of the Mendelian sampling in units of the genetic variance: ½ − ¼(F_s + F_d) with both parents known,
        ¾ − ¼F_p with one, 1 with none.
    ignored
        True if inbreeding was set to zero on request.

    Examples
    --------
    >>> import breedeval as be
    >>> pedigree = be.read_pedigree("pedigrees/mrode_table_2_1.csv")
    >>> inbreeding = be.compute_inbreeding(pedigree)
    >>> float(inbreeding[pedigree.row_of("5")]), round(float(np.mean(inbreeding)), 4)
    (0.125, 0.0417)
    """

    coefficients: Float64
    mendelian_variance: Float64
    ignored: bool = False

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.coefficients, dtype=dtype, copy=copy)

    def __len__(self) -> int:
        return len(self.coefficients)

    def __getitem__(self, rows: Any) -> Any:
        return self.coefficients[rows]

    def __repr__(self) -> str:
        if not len(self):
            return "Inbreeding(n=0)"
        mean, largest = self.coefficients.mean(), self.coefficients.max()
        return f"Inbreeding(n={len(self)}, mean={mean:.4f}, max={largest:.4f}{', ignored' if self.ignored else ''})"


def compute_inbreeding(pedigree: Pedigree, *, ignore: bool = False) -> Inbreeding:
    """Compute the inbreeding of every animal.

    Parameters
    ----------
    pedigree
        Parents before progeny, as :class:`Pedigree` promises. Unknown parents and unknown-parent groups count as not inbred and
        unrelated to all. An animal may be its progeny's sire and dam (selfing).
    ignore
        Set all coefficients to zero. Only to reproduce programs that leave inbreeding out of A⁻¹.

    Returns
    -------
    Inbreeding
        Coefficients and Mendelian variances, both (n,).

    Notes
    -----
    Half the relationship of the parents, by rows of A (Colleau 2002, Genet. Sel. Evol. 34:409), one row for a sire and all his
    mates of a level. Time grows with the number of ancestors of all sires and of their mates; memory is 70 bytes an animal.
    Equal to Meuwissen & Luo (1992, Genet. Sel. Evol. 24:305) up to rounding.

    Examples
    --------
    >>> import breedeval as be
    >>> pedigree = be.read_pedigree("pedigrees/mrode_table_2_1.csv")
    >>> be.compute_inbreeding(pedigree)
    Inbreeding(n=6, mean=0.0417, max=0.1250)
    """
    n = pedigree.n_animals
    coefficients, variance = np.zeros(n), np.empty(n)
    if ignore:
        kernels.mendelian_variances(pedigree.sire, pedigree.dam, coefficients, variance)
    elif n:
        level = ancestral_levels(pedigree)
        by_level = np.argsort(level, kind="stable").astype(np.int32)
        starts = np.concatenate([[0], np.cumsum(np.bincount(level))]).astype(np.int64)
        kernels.inbreeding_by_sires(pedigree.sire, pedigree.dam, level, by_level, starts, coefficients, variance)
    return Inbreeding(freeze(coefficients), freeze(variance), ignored=ignore)


def ancestral_levels(pedigree: Pedigree) -> Int32:
    """(n,) length of the longest path to an animal whose parents are both unknown; such animals have level 0."""
    level = np.empty(pedigree.n_animals, dtype=np.int32)
    order_kernels.ancestral_levels(pedigree.sire, pedigree.dam, level)
    return freeze(level)
