"""The inverse relationship matrix with unknown-parent groups or metafounders as rows behind the animals.

The rows of the groups are what the loop over parents makes of them (Quaas 1988, J. Dairy Sci. 71:1338). What is known of the
groups themselves comes on top as their precision: nothing for fixed groups, a multiple of I for random ones (Schaeffer 1994,
Proc. 5th WCGALP 18:421), Γ⁻¹ for metafounders (Legarra et al. 2015, Genetics 200:455).
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import block_diag, csr_array

from breedeval.arrays import Float64, freeze
from breedeval.relationship.a_inverse import NumeratorInverse


class GroupedInverse:
    """A⁻¹ of animals and groups (n + g rows) with a precision of the groups.

    Parameters
    ----------
    a_inverse
        Of a pedigree with groups.
    precision
        (g, g) symmetric positive semidefinite, added to the rows of the groups.
    """

    def __init__(self, a_inverse: NumeratorInverse, precision: Float64) -> None:
        self._a_inverse = a_inverse
        self._precision = freeze(np.array(precision, dtype=np.float64))
        self._n = a_inverse.order - len(precision)

    @property
    def order(self) -> int:
        """Number of rows: animals and groups."""
        return self._a_inverse.order

    @property
    def a_inverse(self) -> NumeratorInverse:
        """The inverse without the precision of the groups."""
        return self._a_inverse

    @property
    def precision(self) -> Float64:
        """(g, g) precision of the groups."""
        return self._precision

    @property
    def log_determinant(self) -> float:
        """log-determinant of the covariance of animals and groups; infinite for fixed groups."""
        sign, value = np.linalg.slogdet(self._precision)
        return float(self._a_inverse.log_determinant - value) if sign > 0 else np.inf

    def multiply(self, x: Float64, out: Float64 | None = None) -> Float64:
        """Return the product with x of shape (order,) or (order, k)."""
        out = self._a_inverse.multiply(x, out)
        out[self._n :] += self._precision @ x[self._n :]
        return out

    def diagonal(self) -> Float64:
        """(order,) diagonal."""
        diagonal = self._a_inverse.diagonal().copy()
        diagonal[self._n :] += self._precision.diagonal()
        return diagonal

    def to_csr(self) -> csr_array:
        """The explicit matrix."""
        extra = block_diag([csr_array((self._n, self._n)), csr_array(self._precision)], format="csr")
        return csr_array(self._a_inverse.to_csr() + extra)
