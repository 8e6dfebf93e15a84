"""The engine of the plain install: supernodal Cholesky factorization and inverse on the pattern."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array

from breedeval.arrays import Float64, Int64, freeze
from breedeval.kernels import elimination, supernodal, supernodal_inverse, supernodal_solve
from breedeval.kernels.blas import addresses
from breedeval.solvers.blas_threads import one_blas_thread
from breedeval.solvers.buffers import Buffers
from breedeval.solvers.factor import LowerFactor, not_positive_definite
from breedeval.solvers.supernodal_structure import Structure, build_structure

#: Right-hand sides solved at once.
COLUMNS_AT_ONCE = 64


@dataclass(frozen=True)
class SupernodalAnalysis:
    """The symbolic part, made once for a pattern."""

    structure: Structure
    buffers: Buffers

    @classmethod
    def of(cls, matrix: csc_array, order: Int64) -> SupernodalAnalysis:
        """Analyze the pattern of a matrix for an elimination order."""
        structure = build_structure(matrix, order)
        return cls(structure, Buffers(structure.n_values))

    @property
    def n_values(self) -> int:
        """Numbers that a factor takes."""
        return self.structure.n_values

    def factorize(self, values: Float64) -> SupernodalFactorization:
        """Factorize the matrix of this pattern with the values (nnz,), in the order of the data of the analyzed matrix.

        Raises
        ------
        NotPositiveDefiniteError
            If a pivot is not positive. Fact ``row``: the row of the matrix.
        """
        t = self.structure
        factor = self.buffers.take()
        factor.fill(0.0)
        elimination.put_values(t.entry, t.is_read, np.ascontiguousarray(values, dtype=np.float64), factor)
        scratch = np.empty(t.tallest * t.widest)
        with one_blas_thread():
            failed = supernodal.factorize(
                addresses(), t.first, t.owner, t.row_pointer, t.rows, t.value_pointer, scratch, factor
            )
        if failed >= 0:
            raise not_positive_definite(int(t.permutation[failed]))
        return SupernodalFactorization(t, freeze(factor), self.buffers)


@dataclass(frozen=True)
class SupernodalFactorization:
    """L of P C P' = L L' in dense blocks."""

    structure: Structure
    values: Float64
    buffers: Buffers
    engine: str = "supernodal"

    def solve(self, b: Float64) -> Float64:
        """Return C⁻¹ b for b (n,) or (n, k)."""
        return self._solved(b, supernodal_solve.solve)

    def solve_transposed(self, b: Float64) -> Float64:
        """Return S b for b (n,) or (n, k), with S S' = C⁻¹: standard normal deviates become effects with the covariance C⁻¹.

        S = P'L'⁻¹.
        """
        return self._solved(b, supernodal_solve.solve_transposed, is_permuted=False)

    def _solved(self, b: Float64, kernel: Callable[..., None], *, is_permuted: bool = True) -> Float64:
        """Solutions of a kernel for b, whose rows are those of C, or else in elimination order."""
        t = self.structure
        columns = np.asarray(b, dtype=np.float64)
        columns = columns[:, None] if columns.ndim == 1 else columns
        solution = np.empty_like(columns)
        for begin in range(0, columns.shape[1], COLUMNS_AT_ONCE):
            part = slice(begin, begin + COLUMNS_AT_ONCE)
            x = np.array(columns[t.permutation, part] if is_permuted else columns[:, part], order="C")
            scratch = np.empty(t.tallest * x.shape[1])
            with one_blas_thread():
                kernel(addresses(), t.first, t.row_pointer, t.rows, t.value_pointer, self.values, scratch, x)
            solution[t.permutation, part] = x
        return solution.reshape(np.shape(b))

    def log_determinant(self) -> float:
        """log|C|."""
        return 2.0 * float(np.log(self.values[self.structure.diagonal]).sum())

    def selected_inverse(self) -> Float64:
        """Elements of C⁻¹ at the stored elements of C, in the order of its data."""
        inverse: Float64 = self.inverse_on_pattern().values[self.structure.entry]
        return inverse

    def inverse_diagonal(self) -> Float64:
        """(n,) diagonal of C⁻¹."""
        return self.inverse_on_pattern().diagonal

    def inverse_on_pattern(self) -> SupernodalInverse:
        """C⁻¹ on the pattern of L, for any of its elements."""
        t = self.structure
        z = self.buffers.take()
        z[:] = self.values
        with one_blas_thread():
            supernodal_inverse.invert_on_pattern(
                addresses(), t.first, t.owner, t.row_pointer, t.rows, t.value_pointer, t.tallest, t.widest, z
            )
        return SupernodalInverse(t, freeze(z))

    def pivots(self) -> Float64:
        """(n,) pivot of each row of the matrix."""
        root: Float64 = self.values[self.structure.diagonal][self.structure.place]
        return root * root

    def lower_factor(self) -> LowerFactor:
        """The factor itself, scaled to a unit diagonal."""
        t = self.structure
        width, below = np.diff(t.first).astype(np.int64), np.diff(t.row_pointer)
        height = (width + below)[t.owner]
        inside = np.arange(t.n) - t.first[t.owner]
        length = height - inside - 1
        pointer = np.concatenate([[0], np.cumsum(length)])
        column = np.repeat(np.arange(t.n), length)
        step = np.arange(pointer[-1]) - pointer[column]
        owner = t.owner[column]
        local = inside[column] + 1 + step
        own = local < width[owner]
        row = np.where(own, t.first[owner] + local, 0)
        row[~own] = t.rows[t.row_pointer[owner[~own]] + local[~own] - width[owner[~own]]]
        root = self.values[t.diagonal]
        lower = self.values[t.diagonal[column] + 1 + step] / root[column]
        return LowerFactor(freeze(pointer), freeze(row), freeze(lower), freeze(root * root), t.permutation)


@dataclass(frozen=True)
class SupernodalInverse:
    """Elements of C⁻¹ in the places of those of L."""

    structure: Structure
    values: Float64

    @property
    def diagonal(self) -> Float64:
        """(n,) diagonal, in the order of the matrix that was factorized."""
        found: Float64 = self.values[self.structure.diagonal][self.structure.place]
        return found

    def elements(self, first: Int64, second: Int64) -> Float64:
        """(m,) elements of C⁻¹ in rows `first` and columns `second`; NaN where the pattern has no such element."""
        t = self.structure
        at = np.empty(len(first), dtype=np.int64)
        row, column = t.place[first], t.place[second]
        elimination.element_places(row, column, t.first, t.owner, t.row_pointer, t.rows, t.value_pointer, at)
        return np.where(at >= 0, self.values[at], np.nan)
