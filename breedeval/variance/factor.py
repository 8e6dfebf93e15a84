"""The bridge to the sparse factor of C, of which the upper triangle is stored."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from scipy.sparse import csc_array

from breedeval.arrays import Float64, Int64
from breedeval.solvers.elimination_order import FactorSize, better_order
from breedeval.solvers.factor import Analysis, Factorization
from breedeval.solvers.factorization import analyze
from breedeval.variance.coefficients import CoefficientMatrices


class SparseAnalysis:
    """The pattern of C, analyzed once and ready to be factorized with any values.

    Parameters
    ----------
    pattern
        Upper triangle of C by columns.
    order
        (n,) elimination order that the meaning of the equations suggests; minimum degree where that is better.
    """

    size: FactorSize

    def __init__(self, pattern: CoefficientMatrices, order: Int64, limit: int = 2**62) -> None:
        n = pattern.order
        ones = np.ones(len(pattern.row))
        self._upper = csc_array((ones, pattern.row, pattern.pointer), shape=(n, n))
        # With both triangles, diagonal elements twice: only the pattern counts.
        self._order, self.size, _ = better_order(csc_array(self._upper + self._upper.T), order, limit)

    @cached_property
    def _analysis(self) -> Analysis:
        return analyze(self._upper, self._order)

    @property
    def n_values(self) -> int:
        """Numbers that a factor takes."""
        return self._analysis.n_values

    def factorize(self, values: Float64) -> SparseFactor:
        """Factorize C with these values (nnz,) of its upper triangle.

        Raises
        ------
        NotPositiveDefiniteError
            If a pivot is not positive.
        """
        return SparseFactor(self._analysis.factorize(values))


class SparseFactor:
    """A factor of C, with log|C| as `log_determinant`."""

    def __init__(self, factor: Factorization) -> None:
        self._factor = factor
        self.log_determinant = factor.log_determinant()

    def solve(self, b: Float64) -> Float64:
        """Return C⁻¹ b for b (n,) or (n, k)."""
        return self._factor.solve(b) if b.size else np.empty(b.shape)

    def selected_inverse(self) -> Float64:
        """(nnz,) elements of C⁻¹ on the upper triangle of the pattern of C."""
        return self._factor.selected_inverse()
