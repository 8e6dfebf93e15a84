"""An inverse relationship matrix that is stored, sparse or dense."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from breedeval.arrays import Float64, freeze
from breedeval.relationship.a_inverse import product_arrays

#: From this share of elements on a matrix takes less room, and a product less time, when all are stored.
DENSE_FROM = 0.4


class StoredInverse:
    """K⁻¹ as an operator on its elements.

    Parameters
    ----------
    matrix
        (n, n) symmetric positive definite, dense or sparse.
    log_determinant
        log|K|, where it is known.

    Notes
    -----
    Memory: 8 bytes an element of a dense matrix, 12 an element of a sparse one.

    Examples
    --------
    >>> inverse = StoredInverse(np.array([[2.0, -1.0], [-1.0, 2.0]]))
    >>> inverse.multiply(np.array([1.0, 1.0])).tolist(), inverse.diagonal().tolist()
    ([1.0, 1.0], [2.0, 2.0])
    """

    def __init__(self, matrix: csr_array | Float64, log_determinant: float = np.nan) -> None:
        n = int(matrix.shape[0])
        self.log_determinant = log_determinant
        self._dense: Float64 | None = None
        if isinstance(matrix, np.ndarray):
            self._dense = freeze(np.array(matrix, dtype=np.float64))
        elif matrix.nnz < DENSE_FROM * n * n:
            self._sparse = csr_array(matrix)
            self._sparse.sum_duplicates()
        else:
            self._dense = freeze(matrix.toarray())
        self._order = n

    @property
    def order(self) -> int:
        """Number of levels, n."""
        return self._order

    @property
    def elements(self) -> csr_array | Float64:
        """The matrix as it is stored, dense or sparse; not to be changed."""
        return self._sparse if self._dense is None else self._dense

    def multiply(self, x: Float64, out: Float64 | None = None) -> Float64:
        """Return K⁻¹ x for x of shape (n,) or (n, k); written to `out` (same shape, another array) if given."""
        x, out = product_arrays(x, out, self._order)
        out[...] = self.elements @ x
        return out

    def diagonal(self) -> Float64:
        """(n,) diagonal of K⁻¹."""
        return np.array(self.elements.diagonal(), dtype=np.float64)

    def to_csr(self) -> csr_array:
        """The explicit matrix."""
        return self._sparse.copy() if self._dense is None else csr_array(self._dense)
