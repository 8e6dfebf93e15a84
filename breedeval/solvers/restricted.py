"""Factors of a matrix on some of its rows and columns, whichever they are, with one analysis of its pattern."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array, eye_array

from breedeval.arrays import Bool, Int64, freeze
from breedeval.solvers.factor import Analysis, Factorization
from breedeval.solvers.factorization import analyze


@dataclass(frozen=True)
class RestrictedMatrix:
    """A symmetric matrix whose rows and columns may be replaced by those of an identity matrix.

    Parameters
    ----------
    matrix
        (n, n) whose diagonal is stored.
    column
        Column of each of its elements.
    analysis
        Of its pattern.
    """

    matrix: csc_array
    column: Int64
    analysis: Analysis

    @classmethod
    def of(cls, matrix: csc_array) -> RestrictedMatrix:
        """Analyze a symmetric matrix, both triangles, whose diagonal is positive or zero.

        Examples
        --------
        >>> one = RestrictedMatrix.of(csc_array([[4.0, 4.0], [4.0, 4.0]]))
        >>> one.factorize(np.array([True, False])).solve(np.array([8.0, 0.0])).tolist()
        [2.0, 0.0]
        """
        n = matrix.shape[0]
        whole = csc_array(matrix + eye_array(n))
        whole.sum_duplicates()
        column = np.repeat(np.arange(n), np.diff(whole.indptr))
        whole.data[whole.indices == column] -= 1.0
        return cls(whole, freeze(column), analyze(whole))

    def factorize(self, kept: Bool, shift: float = 0.0) -> Factorization:
        """Factorize the rows and columns that are `kept` (n,), with `shift` added to their diagonal.

        Raises
        ------
        NotPositiveDefiniteError
            If a pivot is not positive.
        """
        row = self.matrix.indices
        values = np.where(kept[row] & kept[self.column], self.matrix.data, 0.0)
        diagonal = row == self.column
        values[diagonal] = np.where(kept[row[diagonal]], values[diagonal] + shift, 1.0)
        return self.analysis.factorize(values)
