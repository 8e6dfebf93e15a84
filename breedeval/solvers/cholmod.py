"""CHOLMOD through cvxopt (extra ``cholmod``, GPL), for comparison with the engine of the plain install."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csc_array, tril, triu

from breedeval.arrays import Float64, Int64, freeze
from breedeval.errors import MissingExtraError
from breedeval.kernels.factor import find_elements, invert_on_pattern
from breedeval.solvers.elimination_order import predict_size
from breedeval.solvers.factor import LowerFactor, not_positive_definite

if importlib.util.find_spec("cvxopt"):
    import cvxopt
    from cvxopt import cholmod
else:  # the extra is not installed
    cvxopt = cholmod = None


class CholmodFactorization:
    """Supernodal LL' by CHOLMOD (Chen, Davis, Hager and Rajamanickam 2008)."""

    engine = "cholmod"

    def __init__(self, matrix: csc_array, order: Int64) -> None:
        if cholmod is None:
            raise MissingExtraError("CHOLMOD is not installed: pip install 'breedeval[cholmod]'", extra="cholmod")
        self._permutation = order
        self._pattern = matrix
        self._n = matrix.shape[0]
        # Any other setting makes CHOLMOD try orders of its own, and getfactor() then returns the factor of one of those.
        cholmod.options.update({"supernodal": 2, "postorder": False, "nmethods": 1})
        # The upper triangle: fixed effects stand first, so their long columns are rows here; cvxopt is slow on long columns.
        upper = triu(matrix).tocoo()
        self._matrix = cvxopt.spmatrix(upper.data, upper.row.astype(int), upper.col.astype(int), (self._n, self._n))
        self._factor = cholmod.symbolic(self._matrix, p=cvxopt.matrix(order.astype(np.int64), tc="i"), uplo="U")
        self._is_numeric = False
        self._make_numeric()

    def factorize_again(self) -> None:
        """Make the numeric part once more, with the same values: for timing."""
        self._is_numeric = False
        self._make_numeric()

    def _make_numeric(self) -> None:
        if self._is_numeric:
            return
        try:
            cholmod.numeric(self._matrix, self._factor)
        except ArithmeticError as error:
            row = int(error.args[0]) if error.args else 0
            raise not_positive_definite(int(self._permutation[row])) from error
        self._is_numeric = True

    def solve(self, b: Float64) -> Float64:
        """Return C⁻¹ b for b (n,) or (n, k)."""
        self._make_numeric()
        x = cvxopt.matrix(np.asarray(b, dtype=np.float64).reshape(self._n, -1))
        cholmod.solve(self._factor, x)
        return np.array(x).reshape(np.shape(b))

    def log_determinant(self) -> float:
        """log|C|."""
        self._make_numeric()
        return 2.0 * float(np.log(np.array(cholmod.diag(self._factor))).sum())

    def lower_factor(self) -> LowerFactor:
        """The factor itself, scaled to a unit diagonal."""
        self._make_numeric()
        factor: Any = cholmod.getfactor(self._factor)
        self._is_numeric = False  # getfactor leaves only the symbolic part behind
        pointer, row, value = (np.array(part).ravel() for part in factor.CCS)
        matrix = csc_array((value, row, pointer), shape=(self._n, self._n))
        matrix.sort_indices()
        root = matrix.diagonal()
        matrix.data /= np.repeat(root, np.diff(matrix.indptr))
        strict = csc_array(tril(matrix, k=-1, format="csc"))
        strict.sort_indices()
        pointer, row = strict.indptr.astype(np.int64), strict.indices.astype(np.int64)
        return LowerFactor(freeze(pointer), freeze(row), freeze(strict.data), freeze(root * root), freeze(self._permutation))

    def pivots(self) -> Float64:
        """(n,) pivot of each row of the matrix."""
        factor = self.lower_factor()
        found = np.empty(self._n)
        found[factor.permutation] = factor.pivot
        return found

    def selected_inverse(self) -> Float64:
        """Elements of C⁻¹ at the stored elements of C, in the order of its data."""
        column = np.repeat(np.arange(self._n), np.diff(self._pattern.indptr))
        return self.inverse_on_pattern().elements(self._pattern.indices, column)

    def inverse_diagonal(self) -> Float64:
        """(n,) diagonal of C⁻¹."""
        return self.inverse_on_pattern().diagonal

    def inverse_on_pattern(self) -> ElementInverse:
        """C⁻¹ on the pattern of L, made element by element."""
        factor = self.lower_factor()
        z, diagonal = np.empty_like(factor.lower), np.empty_like(factor.pivot)
        invert_on_pattern(factor.pointer, factor.row, factor.lower, factor.pivot, z, diagonal)
        place = np.empty(self._n, dtype=np.int64)
        place[factor.permutation] = np.arange(self._n)
        return ElementInverse(factor, freeze(z), freeze(diagonal[place]), freeze(place))


@dataclass(frozen=True)
class ElementInverse:
    """Elements `z` of C⁻¹ below the diagonal in the order of ``factor.lower``; `place` of each row of C in that factor."""

    factor: LowerFactor
    z: Float64
    diagonal: Float64
    place: Int64

    def elements(self, first: Int64, second: Int64) -> Float64:
        """(m,) elements of C⁻¹ in rows `first` and columns `second`; NaN where the pattern has no such element."""
        one, other = self.place[first], self.place[second]
        found = np.empty(len(one))
        lower, upper = np.minimum(one, other), np.maximum(one, other)
        find_elements(self.factor.pointer, self.factor.row, self.z, lower, upper, found)
        return np.where(one == other, self.diagonal[first], found)


@dataclass(frozen=True)
class CholmodAnalysis:
    """The pattern and its order; CHOLMOD's own symbolic part is made again with each factorization."""

    pattern: csc_array
    order: Int64

    @property
    def n_values(self) -> int:
        """Numbers that a factor takes, without the zeros of its supernodes."""
        return predict_size(self.pattern, self.order).elements + len(self.order)

    def factorize(self, values: Float64) -> CholmodFactorization:
        """Factorize the matrix of this pattern with the values (nnz,), in the order of the data of the analyzed matrix."""
        part = (np.asarray(values, dtype=np.float64), self.pattern.indices, self.pattern.indptr)
        return CholmodFactorization(csc_array(part, shape=self.pattern.shape), self.order)
