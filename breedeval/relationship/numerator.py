"""The numerator relationship matrix A: products, relationships of pairs, small parts of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from breedeval.arrays import Float64, Int64
from breedeval.pedigree.pedigree import Pedigree
from breedeval.pedigree.row_numbers import row_numbers
from breedeval.relationship.a_inverse import product_arrays
from breedeval.relationship.ancestry import Ancestry, gamma_of, multiply_numerator
from breedeval.relationship.inbreeding import Inbreeding

#: Largest order for which the whole matrix is made.
_LARGEST_DENSE = 20_000


class Numerator:
    """A by its products, never stored.

    Parameters
    ----------
    pedigree
        Parents before progeny. A has a row for each animal and none for groups.
    inbreeding
        Of the same pedigree: from :func:`compute_inbreeding`, and parents in unknown-parent groups count as unknown, unrelated
        and not inbred, also where the groups are fixed effects of a model (these move means and make nobody related); or from
        :func:`compute_inbreeding_with_metafounders`, and it is A(Γ), in which the metafounders relate their descendants.

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
        self._gamma = gamma_of(pedigree, inbreeding)
        self._pedigree = pedigree
        self._inbreeding = inbreeding

    @property
    def order(self) -> int:
        """Number of animals."""
        return self._pedigree.n_animals

    def multiply(self, x: Float64, out: Float64 | None = None) -> Float64:
        """Return A x for x of shape (n,) or (n, k); written to `out` (same shape, another array) if given."""
        x, out = product_arrays(x, out, self.order)
        # A (n,) array is seen as (n, 1): without a copy, so that the kernel writes to `out` itself.
        columns = (x, out) if x.ndim == 2 else (x[:, np.newaxis], out[:, np.newaxis])
        parents, variance = (self._pedigree.sire, self._pedigree.dam), self._inbreeding.mendelian_variance
        multiply_numerator(columns[0], *parents, variance, self._gamma, columns[1])
        return out

    def diagonal(self) -> Float64:
        """(n,) 1 + F."""
        return 1.0 + self._inbreeding.coefficients

    def relationship(self, a_row: int, b_row: int) -> float:
        """Additive relationship of the animals in two rows (twice their kinship)."""
        return float(self.relationships([a_row], [b_row])[0])

    def relationships(self, a_rows: ArrayLike, b_rows: ArrayLike) -> Float64:
        """(k,) additive relationship of each pair of rows.

        One pass over the ancestors of all these animals for 16 different b (fewer where memory is short).
        """
        first, second = row_numbers(a_rows, self.order), row_numbers(b_rows, self.order)
        if first.shape != second.shape:
            raise ValueError(f"pairs need two lists of the same length, not {first.shape} and {second.shape}")
        ancestry = self._ancestry(np.concatenate([first, second]))
        by_second = np.argsort(second, kind="stable")
        wanted, starts = np.unique(second[by_second], return_index=True)
        ends = np.append(starts, len(second))
        out = np.empty(len(first))
        step = ancestry.columns_at_once
        for start in range(0, len(wanted), step):
            stop = min(start + step, len(wanted))
            block = ancestry.columns(wanted[start:stop])
            pairs = by_second[ends[start] : ends[stop]]
            column = np.repeat(np.arange(stop - start), np.diff(ends[start : stop + 1]))
            out[pairs] = block[ancestry.place[first[pairs]], column]
        return out

    def block(self, rows: ArrayLike, columns: ArrayLike) -> Float64:
        """(k, l) dense part of A: relationships of the animals in `rows` with those in `columns`, in their order."""
        first, second = row_numbers(rows, self.order), row_numbers(columns, self.order)
        ancestry = self._ancestry(np.concatenate([first, second]))
        place = ancestry.place[first]
        out = np.empty((len(first), len(second)))
        for start in range(0, len(second), ancestry.columns_at_once):
            part = slice(start, start + ancestry.columns_at_once)
            out[:, part] = ancestry.columns(second[part])[place]
        return out

    def subset(self, rows: ArrayLike) -> Float64:
        """(k, k) dense A of these rows, in their order; symmetric to the last bit.

        Only the ancestors of these animals are visited, once up and once down for 16 columns: time in proportion to k times
        their number, memory of the result and at most 256 MiB beside it.
        """
        chosen = row_numbers(rows, self.order)
        ancestry = self._ancestry(chosen)
        place = ancestry.place[chosen]
        out = np.empty((len(chosen), len(chosen)))
        for start in range(0, len(chosen), ancestry.columns_at_once):
            part = slice(start, min(start + ancestry.columns_at_once, len(chosen)))
            found = ancestry.columns(chosen[part])[place[start:]]
            width = found.shape[1]
            found[:width] = 0.5 * (found[:width] + found[:width].T)
            out[start:, part] = found
            out[part, start:] = found.T
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

    def _ancestry(self, rows: Int64) -> Ancestry:
        return Ancestry.of(self._pedigree, self._inbreeding, rows)
