"""Equations in which combinations stand in the place of nearly dependent columns, and their factor as one of the original.

Powers of a covariate that is far from zero, and the mean, are nearly combinations of each other. The elements of C tell them
apart by their last digits only: a factor of C loses as many digits as the condition of C has. With x = T y, where column j of
T is a combination that X takes to almost nothing, T'CT has a small element there, from records and not from differences of
large numbers, and is well conditioned. C⁻¹ = T (T'CT)⁻¹ T' gives solutions and variances of the original coefficients.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import qr
from scipy.sparse import coo_array, csc_array

from breedeval.arrays import Float64, Int64, freeze
from breedeval.solvers.factor import Factorization, SelectedInverse

#: A share in a combination below this, of columns of unit length, is rounding error.
ROUNDING = 1e-13


@dataclass(frozen=True)
class Substitution:
    """x = T y: y has coefficients of combinations in the place of those of some columns.

    Parameters
    ----------
    columns
        (c,) where the combinations stand.
    vectors
        (n, c) combinations; row ``columns[k]`` has a one in column k and zeros elsewhere.
    """

    columns: Int64
    vectors: Float64

    @classmethod
    def of(cls, diagonal: Float64, combinations: Float64, candidates: Int64) -> Substitution:
        """Let combinations take the place of those columns that have the largest parts in them.

        Parameters
        ----------
        diagonal
            (n,) of C: squared lengths of its columns.
        combinations
            (n, c) independent vectors.
        candidates
            Columns that may be replaced: fixed effects.
        """
        root = np.sqrt(diagonal)
        parts = root[:, None] * combinations
        _, triangle, order = qr(parts[candidates].T, mode="economic", pivoting=True)
        found = np.abs(np.diag(triangle))
        rank = int((found > ROUNDING * found.max(initial=0.0)).sum())
        columns = candidates[order[:rank]]
        if rank < combinations.shape[1]:  # combinations of the combinations that are independent in these columns
            return cls.of(diagonal, combinations @ np.linalg.pinv(parts[columns]), columns)
        vectors = np.linalg.solve(combinations[columns].T, combinations.T).T
        scaled = root[:, None] * vectors
        vectors[np.abs(scaled) <= ROUNDING * np.linalg.norm(scaled, axis=0)] = 0.0
        vectors[columns] = np.eye(rank)
        return cls(freeze(columns), freeze(vectors))

    def matrix(self, matrix: csc_array, images: Float64) -> csc_array:
        """T'CT from C and the images CV (n, c) of the combinations, which have to come from the records themselves."""
        found = matrix.tocoo()
        replaced = np.zeros(matrix.shape[0], dtype=np.bool_)
        replaced[self.columns] = True
        stays = ~(replaced[found.row] | replaced[found.col])
        middle = self.vectors.T @ images
        border = np.array(images)
        border[self.columns] = (middle + middle.T) / 2
        row, k = np.nonzero(border)
        outside = ~replaced[row]
        rows = [found.row[stays], row, self.columns[k[outside]]]
        columns = [found.col[stays], self.columns[k], row[outside]]
        values = [found.data[stays], border[row, k], border[row[outside], k[outside]]]
        whole = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
        return csc_array(coo_array(whole, shape=matrix.shape))

    def factorization(self, factor: Factorization) -> SubstitutedFactor:
        """The factor of T'CT as one of C."""
        return SubstitutedFactor(factor, self)

    def to_original(self, y: Float64) -> Float64:
        """T y for y (n,) or (n, k)."""
        return self._outside(y) + self.vectors @ y[self.columns]

    def transposed(self, b: Float64) -> Float64:
        """T'b for b (n,) or (n, k)."""
        out = np.array(b)
        out[self.columns] = self.vectors.T @ b
        return out

    def _outside(self, y: Float64) -> Float64:
        out = np.array(y)
        out[self.columns] = 0.0
        return out


@dataclass(frozen=True)
class SubstitutedFactor:
    """Solutions with C and elements of C⁻¹ from a factor of T'CT."""

    inner: Factorization
    substitution: Substitution

    @property
    def engine(self) -> str:
        """Name of the engine."""
        return self.inner.engine

    def solve(self, b: Float64) -> Float64:
        """Return C⁻¹ b for b (n,) or (n, k)."""
        return self.substitution.to_original(self.inner.solve(self.substitution.transposed(b)))

    def inverse_on_pattern(self) -> SelectedInverse:
        """C⁻¹ at the elements that C stores, and others of the factor's pattern."""
        columns = self.substitution.columns
        unit = np.zeros((len(self.substitution.vectors), len(columns)))
        unit[columns, np.arange(len(columns))] = 1.0
        solved = self.inner.solve(unit)
        between = solved[columns]
        solved[columns] = 0.0
        return _SubstitutedInverse(self.inner.inverse_on_pattern(), self.substitution, solved, (between + between.T) / 2)


@dataclass(frozen=True)
class _SubstitutedInverse:
    """Elements of T H T', H the inverse of T'CT: `solved` are its columns of the combinations, `between` their own part."""

    inner: SelectedInverse
    substitution: Substitution
    solved: Float64
    between: Float64

    @property
    def diagonal(self) -> Float64:
        """(n,) of C⁻¹."""
        everything = np.arange(len(self.solved))
        return self._add(self.inner.diagonal, everything, everything)

    def elements(self, first: Int64, second: Int64) -> Float64:
        """(m,) of C⁻¹."""
        return self._add(self.inner.elements(first, second), first, second)

    def _add(self, elements: Float64, first: Int64, second: Int64) -> Float64:
        """What the combinations add to elements of H; their own columns count through `vectors` alone."""
        replaced = np.zeros(len(self.solved), dtype=np.bool_)
        replaced[self.substitution.columns] = True
        v, w, solved = self.substitution.vectors[first], self.substitution.vectors[second], self.solved
        total = np.where(replaced[first] | replaced[second], 0.0, elements)
        total += np.einsum("ik,ik->i", v, solved[second]) + np.einsum("ik,ik->i", w, solved[first])
        return np.asarray(total + np.einsum("ik,ik->i", v @ self.between, w))


def substitute(
    matrix: csc_array, combinations: Float64, candidates: Int64, multiply: Callable[[Float64], Float64]
) -> tuple[csc_array, Substitution]:
    """Put combinations into the place of columns of C.

    Parameters
    ----------
    matrix
        C (n, n).
    combinations
        (n, c) of its columns, which C takes to almost nothing.
    candidates
        Columns that may be replaced.
    multiply
        C V for V (n, k), from records.

    Examples
    --------
    >>> x = np.array([[1.0, 1000.0], [1.0, 1001.0], [1.0, 1002.0]])
    >>> near = np.array([[-1001.0], [1.0]])
    >>> changed, substitution = substitute(csc_array(x.T @ x), near, np.arange(2), lambda v: x.T @ (x @ v))
    >>> substitution.columns.tolist(), changed.toarray().round(6).tolist()
    ([1], [[3.0, 0.0], [0.0, 2.0]])
    """
    substitution = Substitution.of(matrix.diagonal(), combinations, candidates)
    return substitution.matrix(matrix, multiply(substitution.vectors)), substitution
