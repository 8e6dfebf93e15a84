"""The numerator relationship matrix A: products, relationships of pairs, small parts of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from breedeval.arrays import Float64, Int64
from breedeval.kernels import numerator as kernels
from breedeval.pedigree.pedigree import Pedigree
from breedeval.relationship.a_inverse import product_arrays
from breedeval.relationship.inbreeding import Inbreeding

#: Columns of A computed side by side: few enough for their rows to stay in cache, enough to read the parents rarely.
_COLUMNS_AT_ONCE = 16
#: Largest order for which the whole matrix is made.
_LARGEST_DENSE = 20_000


class Numerator:
    """A by its products, never stored.

    Parameters
    ----------
    pedigree
        Parents before progeny. Unknown-parent groups count as unknown: A has a row for each animal and none for groups.
    inbreeding
        From :func:`compute_inbreeding` of the same pedigree.

    Notes
    -----
    Colleau (2002, Genet. Sel. Evol. 34:409): a product goes once up and once down the pedigree.

    Examples
    --------
    >>> import breedeval as be
    >>> pedigree = be.read_pedigree("pedigrees/mrode_table_2_1.csv")
    >>> a = be.Numerator(pedigree, be.compute_inbreeding(pedigree))
    >>> a.relationship(pedigree.row_of("3"), pedigree.row_of("6"))
    0.5625
    """

    def __init__(self, pedigree: Pedigree, inbreeding: Inbreeding) -> None:
        if len(inbreeding) != pedigree.n_animals:
            raise ValueError(f"inbreeding of {len(inbreeding)} animals for a pedigree of {pedigree.n_animals}")
        self._sire, self._dam = pedigree.sire, pedigree.dam
        self._inbreeding = inbreeding

    @property
    def order(self) -> int:
        """Number of animals."""
        return len(self._sire)

    def multiply(self, x: Float64, out: Float64 | None = None) -> Float64:
        """Return A x for x of shape (n,) or (n, k); written to `out` (same shape, another array) if given."""
        x, out = product_arrays(x, out, self.order)
        # A (n,) array is seen as (n, 1): without a copy, so that the kernel writes to `out` itself.
        columns = (x, out) if x.ndim == 2 else (x[:, np.newaxis], out[:, np.newaxis])
        kernels.multiply_columns(columns[0], self._sire, self._dam, self._inbreeding.mendelian_variance, columns[1])
        return out

    def diagonal(self) -> Float64:
        """(n,) 1 + F."""
        return 1.0 + self._inbreeding.coefficients

    def relationship(self, a_row: int, b_row: int) -> float:
        """Additive relationship of the animals in two rows (twice their kinship)."""
        return float(self.relationships([a_row], [b_row])[0])

    def relationships(self, a_rows: ArrayLike, b_rows: ArrayLike) -> Float64:
        """(k,) additive relationship of each pair of rows; one pass over the pedigree for 16 different b."""
        first, second = np.asarray(a_rows, dtype=np.int64), np.asarray(b_rows, dtype=np.int64)
        if first.shape != second.shape or first.ndim != 1:
            raise ValueError(f"pairs need two lists of the same length, not {first.shape} and {second.shape}")
        wanted, column = np.unique(second, return_inverse=True)
        out = np.empty(len(first))
        for start in range(0, len(wanted), _COLUMNS_AT_ONCE):
            block = self._columns(wanted[start : start + _COLUMNS_AT_ONCE])
            here = (column >= start) & (column < start + _COLUMNS_AT_ONCE)
            out[here] = block[first[here], column[here] - start]
        return out

    def subset(self, rows: ArrayLike) -> Float64:
        """(k, k) dense A of these rows, in their order."""
        chosen = np.asarray(rows, dtype=np.int64)
        out = np.empty((len(chosen), len(chosen)))
        for start in range(0, len(chosen), _COLUMNS_AT_ONCE):
            part = slice(start, min(start + _COLUMNS_AT_ONCE, len(chosen)))
            out[:, part] = self._columns(chosen[part])[chosen]
        return out

    def to_csr(self) -> csr_array:
        """Return A as a sparse matrix, for tests and small pedigrees.

        Raises
        ------
        ValueError
            If there are more than 20,000 animals: most of A is not zero.
        """
        if self.order > _LARGEST_DENSE:
            raise ValueError(f"A of {self.order:,} animals is too large to be made; use multiply or subset")
        return csr_array(self.subset(np.arange(self.order)))

    def _columns(self, rows: Int64) -> Float64:
        unit = np.zeros((self.order, len(rows)))
        unit[rows, np.arange(len(rows))] = 1.0
        return self.multiply(unit)
