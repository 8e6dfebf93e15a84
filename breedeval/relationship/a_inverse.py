"""The inverse of the numerator relationship matrix, as an operator."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from scipy.sparse import csr_array, dia_array

from breedeval.arrays import Float64, Int32, Int64, freeze
from breedeval.errors import NotPositiveDefiniteError, count_of, name_some
from breedeval.kernels import a_inverse as kernels
from breedeval.kernels import order as order_kernels
from breedeval.pedigree.pedigree import Pedigree
from breedeval.relationship.inbreeding import Inbreeding

#: Below this a Mendelian variance is rounding error: its inverse would carry no digit.
SMALLEST_VARIANCE = 1e-12


class NumeratorInverse:
    """A⁻¹ by its products; with unknown-parent groups the matrix of n + g rows that Quaas (1988) gives.

    Parameters
    ----------
    pedigree
        Parents before progeny.
    inbreeding
        From :func:`compute_inbreeding` of the same pedigree.

    Raises
    ------
    NotPositiveDefiniteError
        If an animal has no Mendelian variance left (parents inbred to the last digit): A has no inverse.

    Notes
    -----
    A product reads the parents, an index of progeny and x: time in proportion to n + g, without scratch memory. Henderson
    (1976, Biometrics 32:69); Quaas (1976, Biometrics 32:949; 1988, J. Dairy Sci. 71:1338).

    Examples
    --------
    >>> import breedeval as be
    >>> pedigree = be.read_pedigree("pedigrees/mrode_table_2_1.csv")
    >>> a_inverse = be.NumeratorInverse(pedigree, be.compute_inbreeding(pedigree))
    >>> row = pedigree.row_of("3")
    >>> float(a_inverse.diagonal()[row]), float(a_inverse.to_csr()[row, row])
    (2.5, 2.5)
    """

    def __init__(self, pedigree: Pedigree, inbreeding: Inbreeding) -> None:
        _require_same_size(pedigree, inbreeding)
        _require_positive(pedigree, inbreeding)
        self._sire, self._dam = pedigree.sire, pedigree.dam
        self._order = pedigree.n_animals + pedigree.n_groups
        self._variance = inbreeding.mendelian_variance
        self._precision = freeze(1.0 / inbreeding.mendelian_variance)
        self._pointers, self._progeny = progeny_index(pedigree)

    @property
    def order(self) -> int:
        """Number of rows: animals and unknown-parent groups."""
        return self._order

    @cached_property
    def log_determinant(self) -> float:
        """log|A| = Σ log d: the log-determinant of A itself, over animals."""
        return float(np.log(self._variance).sum())

    def multiply(self, x: Float64, out: Float64 | None = None) -> Float64:
        """Return A⁻¹ x for x of shape (order,) or (order, k); written to `out` (same shape, another array) if given."""
        x, out = product_arrays(x, out, self._order)
        parents = (self._sire, self._dam, self._precision, self._pointers, self._progeny)
        if x.ndim == 1:
            kernels.multiply_one(x, *parents, out)
        else:
            kernels.multiply_columns(x, *parents, out)
        return out

    def diagonal(self) -> Float64:
        """(order,) diagonal of A⁻¹."""
        out = np.empty(self._order)
        kernels.diagonal(self._sire, self._dam, self._precision, out)
        return out

    def to_csr(self) -> csr_array:
        """A⁻¹ as a sparse matrix, both triangles; about 7 elements a row."""
        shares = _shares(self._sire, self._dam, self._order)
        precision = dia_array((self._precision[np.newaxis, :], [0]), shape=(len(self._sire), len(self._sire)))
        matrix = csr_array(shares.T @ (precision @ shares))
        matrix.eliminate_zeros()
        matrix.sort_indices()
        return matrix


def progeny_index(pedigree: Pedigree) -> tuple[Int64, Int32]:
    """Progeny of each animal and group: pointers (n + g + 1,) into rows; a selfed progeny stands twice."""
    n = pedigree.n_animals
    pointers = np.zeros(n + pedigree.n_groups + 1, dtype=np.int64)
    order_kernels.count_links(pedigree.sire, pointers)
    order_kernels.count_links(pedigree.dam, pointers)
    np.cumsum(pointers, out=pointers)
    progeny = np.empty(pointers[-1], dtype=np.int32)
    rows = np.arange(n, dtype=np.int32)
    next_free = pointers[:-1].copy()
    order_kernels.fill_links(rows, pedigree.sire, next_free, progeny)
    order_kernels.fill_links(rows, pedigree.dam, next_free, progeny)
    return freeze(pointers), freeze(progeny)


def product_arrays(x: Float64, out: Float64 | None, order: int) -> tuple[Float64, Float64]:
    """Check the two arrays of a product, or make the second.

    Raises
    ------
    ValueError
        If x has the wrong number of rows, out another shape than x, or both share memory.
    """
    x = np.ascontiguousarray(x, dtype=np.float64)
    if x.ndim not in (1, 2) or x.shape[0] != order:
        raise ValueError(f"x has shape {x.shape}; expected ({order},) or ({order}, k)")
    if out is None:
        return x, np.empty_like(x)
    if out.shape != x.shape or out.dtype != np.float64:
        raise ValueError(f"out has shape {out.shape} and type {out.dtype}; expected {x.shape} and float64")
    if np.may_share_memory(x, out):
        raise ValueError("out shares memory with x; give another array")
    return x, out


def _shares(sire: Int32, dam: Int32, order: int) -> csr_array:
    """(n, order) matrix (I − P): 1 for the animal itself, −½ for each parent."""
    n = len(sire)
    rows = np.arange(n)
    has_sire, has_dam = sire >= 0, dam >= 0
    row = np.concatenate([rows, rows[has_sire], rows[has_dam]])
    column = np.concatenate([rows, sire[has_sire], dam[has_dam]])
    value = np.concatenate([np.ones(n), np.full(len(row) - n, -0.5)])
    return csr_array((value, (row, column)), shape=(n, order))


def _require_same_size(pedigree: Pedigree, inbreeding: Inbreeding) -> None:
    if len(inbreeding) != pedigree.n_animals:
        raise ValueError(f"inbreeding of {len(inbreeding)} animals for a pedigree of {pedigree.n_animals}")


def _require_positive(pedigree: Pedigree, inbreeding: Inbreeding) -> None:
    rows = np.flatnonzero(inbreeding.mendelian_variance < SMALLEST_VARIANCE)
    if len(rows) == 0:
        return
    names = name_some(pedigree.ids.take(rows))
    raise NotPositiveDefiniteError(
        f"{count_of(len(rows), 'animal')} of {pedigree.source}, {names}: parents so inbred that no Mendelian variance is left. "
        "The relationship matrix then has no inverse. Shorten the chain of selfings (one animal for a pure line), or leave "
        "those animals' parents unknown.",
        rows=rows,
    )
