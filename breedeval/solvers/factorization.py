"""One small interface to sparse LDL' factorization, and the engines behind it.

``qdldl`` comes with the plain install and orders by approximate minimum degree. ``cholmod`` (extra of that name; the GPL
library CHOLMOD through cvxopt) is supernodal and takes the order that it is given.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import qdldl
from scipy.sparse import csc_array, tril, triu

from breedeval.arrays import Float64, Int64, freeze
from breedeval.errors import MissingExtraError, NotPositiveDefiniteError
from breedeval.kernels.factor import count_factor

if importlib.util.find_spec("cvxopt"):
    import cvxopt
    from cvxopt import cholmod
else:  # the extra is not installed
    cvxopt = cholmod = None

Engine = Literal["auto", "qdldl", "cholmod"]


@dataclass(frozen=True)
class LowerFactor:
    """P C P' = L D L': `lower` is the unit lower triangle by columns without its diagonal.

    Row i of P C P' is row ``permutation[i]`` of C.
    """

    pointer: Int64
    row: Int64
    lower: Float64
    pivot: Float64
    permutation: Int64


class Factorization(Protocol):
    """A factorized symmetric positive definite matrix."""

    @property
    def engine(self) -> str:
        """Name of the engine."""

    def solve(self, b: Float64) -> Float64:
        """Return C⁻¹ b for b (n,)."""

    def log_determinant(self) -> float:
        """log|C|."""

    def lower_factor(self) -> LowerFactor:
        """The factor itself."""


class QdldlFactorization:
    """LDL' by QDLDL (Davis and others; OSQP project)."""

    engine = "qdldl"

    def __init__(self, matrix: csc_array) -> None:
        upper = csc_array(triu(matrix, format="csc"))
        upper.sort_indices()
        self._solver = qdldl.Solver(_int32_indices(upper), upper=True)
        self._lower, self._pivot, order = self._solver.factors()
        self._permutation: Int64 = np.asarray(order, dtype=np.int64)
        _refuse_bad_pivots(self._pivot, self._permutation)

    def solve(self, b: Float64) -> Float64:
        """Return C⁻¹ b for b (n,)."""
        solution: Float64 = self._solver.solve(np.ascontiguousarray(b))
        return solution

    def log_determinant(self) -> float:
        """log|C|."""
        return float(np.log(self._pivot).sum())

    def lower_factor(self) -> LowerFactor:
        """The factor itself."""
        lower = csc_array(self._lower)
        lower.sort_indices()
        return _freeze_factor(lower, self._pivot, self._permutation)


class CholmodFactorization:
    """Supernodal LL' by CHOLMOD (Chen, Davis, Hager and Rajamanickam 2008)."""

    engine = "cholmod"

    def __init__(self, matrix: csc_array, order: Int64) -> None:
        if cholmod is None:
            raise MissingExtraError("CHOLMOD is not installed: pip install 'breedeval[cholmod]'", extra="cholmod")
        self._permutation = order
        self._n = matrix.shape[0]
        # Any other setting makes CHOLMOD try orders of its own, and getfactor() then returns the factor of one of those.
        cholmod.options.update({"supernodal": 2, "postorder": False, "nmethods": 1})
        # The upper triangle: fixed effects stand first, so their long columns are rows here; cvxopt is slow on long columns.
        upper = triu(matrix).tocoo()
        self._matrix = cvxopt.spmatrix(upper.data, upper.row.astype(int), upper.col.astype(int), (self._n, self._n))
        self._factor = cholmod.symbolic(self._matrix, p=cvxopt.matrix(order.astype(np.int64), tc="i"), uplo="U")
        self._is_numeric = False
        self._make_numeric()

    def _make_numeric(self) -> None:
        if self._is_numeric:
            return
        try:
            cholmod.numeric(self._matrix, self._factor)
        except ArithmeticError as error:
            row = int(error.args[0]) if error.args else 0
            raise _not_positive_definite(int(self._permutation[row])) from error
        self._is_numeric = True

    def solve(self, b: Float64) -> Float64:
        """Return C⁻¹ b for b (n,)."""
        self._make_numeric()
        x = cvxopt.matrix(np.ascontiguousarray(b).reshape(-1, 1))
        cholmod.solve(self._factor, x)
        return np.array(x).ravel()

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
        return _freeze_factor(strict, root * root, self._permutation)


def factorize(matrix: csc_array, order: Int64 | None = None, engine: Engine = "auto") -> Factorization:
    """Factorize a symmetric positive definite matrix.

    Parameters
    ----------
    matrix
        (n, n), both triangles.
    order
        (n,) elimination order for an engine that takes one.
    engine
        ``auto``: CHOLMOD where it is installed and an order is given, else QDLDL.

    Raises
    ------
    NotPositiveDefiniteError
        If a pivot is not positive. Fact ``row``: the row of the matrix.
    """
    if engine == "cholmod" or (engine == "auto" and cholmod is not None and order is not None):
        return CholmodFactorization(matrix, np.arange(matrix.shape[0]) if order is None else order)
    return QdldlFactorization(matrix)


@dataclass(frozen=True)
class FactorSize:
    """Elements of L and operations to make it; `elements` −1 where the count was given up at its limit."""

    elements: int
    operations: float


def predict_size(matrix: csc_array, order: Int64, limit: int) -> FactorSize:
    """Count the elements of L for an elimination order, giving up above `limit`."""
    upper = csc_array(triu(csc_array(matrix[order][:, order]), format="csc"))
    n = matrix.shape[0]
    counts = np.empty(n, dtype=np.int64)
    indices = upper.indices.astype(np.int64)
    total = count_factor(upper.indptr.astype(np.int64), indices, limit, np.empty(n, dtype=np.int64), counts)
    if total < 0:
        return FactorSize(-1, float("inf"))
    return FactorSize(int(total), float((counts.astype(np.float64) ** 2).sum()))


def _freeze_factor(lower: csc_array, pivot: Float64, permutation: Int64) -> LowerFactor:
    return LowerFactor(
        freeze(lower.indptr.astype(np.int64)),
        freeze(lower.indices.astype(np.int64)),
        freeze(lower.data),
        freeze(np.asarray(pivot, dtype=np.float64)),
        freeze(permutation),
    )


def _int32_indices(matrix: csc_array) -> Any:
    """QDLDL's binding knows scipy's older matrix class."""
    from_array = matrix.copy()
    from_array.indices = from_array.indices.astype(np.int32)
    from_array.indptr = from_array.indptr.astype(np.int32)
    return from_array


def _refuse_bad_pivots(pivot: Float64, permutation: Int64) -> None:
    bad = np.flatnonzero(~(pivot > 0))
    if len(bad):
        raise _not_positive_definite(int(permutation[bad[0]]))


def _not_positive_definite(row: int) -> NotPositiveDefiniteError:
    return NotPositiveDefiniteError(
        f"A pivot that had to be positive was not (row {row + 1}). Check that every (co)variance matrix is positive definite "
        "and every weight positive, and that no covariate is nearly a combination of others and the mean, as powers of a year "
        "are: center it, or take legendre().",
        row=row,
    )
