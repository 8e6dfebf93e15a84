"""The inverse of the numerator relationship matrix, as an operator."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from threading import Lock

import numpy as np
from scipy.sparse import csr_array, dia_array

from breedeval.arrays import Float64, Int32, Int64, freeze
from breedeval.errors import NotPositiveDefiniteError, count_of, name_some
from breedeval.kernels import a_inverse as kernels
from breedeval.kernels import order as order_kernels
from breedeval.kernels.threads import n_threads
from breedeval.pedigree.pedigree import Pedigree
from breedeval.relationship.inbreeding import Inbreeding

#: From so many threads and animals on a product is shared by threads.
FEWEST_THREADS, FEWEST_ANIMALS = 3, 50_000
_BLOCKS = 256
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
    A product takes time in proportion to n + g. One thread, or two, which would gain nothing by sharing, read the parents and x
    and need no scratch memory. From three threads and 50,000 animals on the work is shared: an index of progeny (16 bytes an
    animal) and a vector of scratch are made at the first such product and kept. The result has the same bits in either case.
    Several Python threads may use one operator at once; those that find the scratch vector in use take one of their own.
    Henderson (1976, Biometrics 32:69); Quaas (1976, Biometrics 32:949; 1988, J. Dairy Sci. 71:1338).

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
        self._sire, self._dam = freeze(pedigree.sire), freeze(pedigree.dam)
        self._order = pedigree.n_animals + pedigree.n_groups
        self._variance = inbreeding.mendelian_variance
        self._precision = freeze(1.0 / inbreeding.mendelian_variance)
        self._index: _ProgenyIndex | None = None
        self._scratch = np.empty(0)
        self._lock = Lock()

    @property
    def order(self) -> int:
        """Number of rows: animals and unknown-parent groups."""
        return self._order

    @property
    def sire(self) -> Int32:
        """(n,) row of each animal's sire; −1 unknown, n or more a group."""
        return self._sire

    @property
    def dam(self) -> Int32:
        """(n,) row of each animal's dam; −1 unknown, n or more a group."""
        return self._dam

    @property
    def precision(self) -> Float64:
        """(n,) 1/d, the inverse of each animal's Mendelian variance."""
        return self._precision

    @cached_property
    def log_determinant(self) -> float:
        """log|A| = Σ log d: the log-determinant of A itself, over animals."""
        return float(np.log(self._variance).sum())

    def multiply(self, x: Float64, out: Float64 | None = None) -> Float64:
        """Return A⁻¹ x for x of shape (order,) or (order, k); written to `out` (same shape, another array) if given."""
        x, out = product_arrays(x, out, self._order)
        if self._is_shared:
            self._gather(x, None, out)
        else:
            self._scatter(x, None, out)
        return out

    def multiply_kronecker(self, x: Float64, matrix: Float64, out: Float64) -> None:
        """Write (A⁻¹ ⊗ S) x to `out`, for c vectors side by side: x and out (order, k · c), matrix the symmetric S (k, k)."""
        if self._is_shared:
            self._gather(x, matrix, out)
        else:
            self._scatter(x, matrix, out)

    def multiply_shared(self, x: Float64, matrix: Float64 | None = None) -> Float64:
        """The same products by the loops for many threads, whatever their number: to compile or to compare them."""
        x, out = product_arrays(x, None, self._order)
        self._gather(x, matrix, out)
        return out

    @property
    def _is_shared(self) -> bool:
        return n_threads() >= FEWEST_THREADS and len(self._sire) >= FEWEST_ANIMALS

    def _scatter(self, x: Float64, matrix: Float64 | None, out: Float64) -> None:
        """Multiply by one thread."""
        parents = (self._sire, self._dam, self._precision)
        if x.size == len(x):
            weight = 1.0 if matrix is None else float(matrix[0, 0])
            kernels.multiply_one(x.reshape(-1), *parents, weight, out.reshape(-1))
        elif matrix is None:
            kernels.multiply_columns(x, *parents, out)
        else:
            kernels.multiply_kronecker(*_widths(x, matrix), freeze(x), *parents, freeze(matrix), out)

    def _gather(self, x: Float64, matrix: Float64 | None, out: Float64) -> None:
        """Multiply by all threads."""
        parents = (self._sire, self._dam, self._precision)
        shape = (len(self._sire), *x.shape[1:])
        is_ours = self._lock.acquire(blocking=False)
        try:
            index = self._index = self._index or _ProgenyIndex.of(self._sire, self._dam, self._order)
            if not is_ours:
                scratch = np.empty(shape)
            elif self._scratch.shape != shape:
                scratch = self._scratch = np.empty(shape)
            else:
                scratch = self._scratch
            links = (index.pointers, index.progeny, index.bounds)
            if x.size == len(x):
                weight = 1.0 if matrix is None else float(matrix[0, 0])
                kernels.gather_one(x.reshape(-1), *parents, weight, *links, scratch.reshape(-1), out.reshape(-1))
            elif matrix is None:
                kernels.gather_columns(x, *parents, *links, scratch, out)
            else:
                kernels.gather_kronecker(*_widths(x, matrix), freeze(x), *parents, freeze(matrix), *links, scratch, out)
        finally:
            if is_ours:
                self._lock.release()

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


@dataclass(frozen=True)
class _ProgenyIndex:
    """Progeny of each animal and group: ``progeny[pointers[i]:pointers[i + 1]]``; `bounds` cut the rows into equal work."""

    pointers: Int64
    progeny: Int32
    bounds: Int64

    @classmethod
    def of(cls, sire: Int32, dam: Int32, order: int) -> _ProgenyIndex:
        pointers = np.zeros(order + 1, dtype=np.int64)
        order_kernels.count_links(sire, pointers)
        order_kernels.count_links(dam, pointers)
        np.cumsum(pointers, out=pointers)
        progeny = np.empty(pointers[-1], dtype=np.int32)
        kernels.fill_progeny(sire, dam, pointers[:-1].copy(), progeny)
        work = pointers + np.arange(order + 1)
        bounds = np.searchsorted(work, np.linspace(0, work[-1], _BLOCKS + 1))
        return cls(freeze(pointers), freeze(progeny), freeze(bounds.astype(np.int64)))


def product_arrays(x: Float64, out: Float64 | None, order: int) -> tuple[Float64, Float64]:
    """Check the two arrays of a product, or make the second; the first is returned read-only, as loops are compiled for it.

    Raises
    ------
    ValueError
        If x has the wrong number of rows, out another shape than x, or both share memory.
    """
    x = freeze(np.asarray(x, dtype=np.float64))
    if x.ndim not in (1, 2) or x.shape[0] != order:
        raise ValueError(f"x has shape {x.shape}; expected ({order},) or ({order}, k)")
    if out is None:
        return x, np.empty_like(x)
    if out.shape != x.shape or out.dtype != np.float64:
        raise ValueError(f"out has shape {out.shape} and type {out.dtype}; expected {x.shape} and float64")
    if np.may_share_memory(x, out):
        raise ValueError("out shares memory with x; give another array")
    return x, out


def _widths(x: Float64, matrix: Float64) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Tuples of k, c and k · c numbers for x (order, k · c) and matrix (k, k): loops are compiled for their lengths."""
    k, both = len(matrix), x.shape[1]
    return (0,) * k, (0,) * (both // k), (0,) * both


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
