"""The mixed model equations at one set of (co)variances, factorized in coordinates in which they are well conditioned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breedeval.arrays import Float64
from breedeval.variance.coefficients import CoefficientMatrices
from breedeval.variance.factor import SparseAnalysis, SparseFactor
from breedeval.variance.parameters import Matrices


@dataclass(frozen=True)
class FactorizedEquations:
    """A factor of F'CF; see `breedeval.variance.coordinates`.

    Parameters
    ----------
    coefficients
        C as a sum of matrices.
    roots
        F of each random block; only those of transformed blocks are used.
    values
        (nnz,) of the upper triangle of F'CF.
    factor
        Its factor.
    """

    coefficients: CoefficientMatrices
    roots: Matrices
    values: Float64
    factor: SparseFactor

    @property
    def log_determinant(self) -> float:
        """log|C|."""
        nodes = self.coefficients.nodes
        counted = zip(nodes.transformed, nodes.n_levels, strict=True)
        return self.factor.log_determinant - 2.0 * sum(
            n * float(np.linalg.slogdet(self.roots[number])[1]) for number, n in counted
        )

    def transform(self, b: Float64) -> Float64:
        """F'b for b (n, c)."""
        return self.coefficients.nodes.multiply(b, tuple(root.T for root in self.roots))

    def solve_transformed(self, b: Float64) -> Float64:
        """V for the right-hand side b (n, c) of C u = b."""
        return self.factor.solve(self.transform(b))

    def solve(self, b: Float64) -> Float64:
        """U = C⁻¹ b for b (n, c)."""
        return self.coefficients.nodes.multiply(self.solve_transformed(b), self.roots)

    def traces(self) -> Float64:
        """tr(C⁻¹ B_k) for the coefficients of the residual; for those of a transformed block, tr((F'CF)⁻¹ B_k)."""
        matrices = self.coefficients
        found, inverse = np.empty(len(matrices.coefficients)), self.factor.selected_inverse()
        transformed, original = inverse, inverse
        if matrices.nodes.transformed:
            original = matrices.transform(inverse, tuple(root.T for root in self.roots))
            self._count_twice(original)
        self._count_twice(transformed)
        matrices.write_traces(transformed, "random", found)
        matrices.write_traces(original, "residual", found)
        return found

    def _count_twice(self, inverse: Float64) -> None:
        """Let elements off the diagonal count for both triangles."""
        inverse *= 2.0
        inverse[self.coefficients.diagonal] *= 0.5


def factorize_equations(
    coefficients: CoefficientMatrices, analysis: SparseAnalysis, by_kind: Float64, inverses: Matrices, roots: Matrices
) -> FactorizedEquations:
    """Put C together, change the coordinates, and factorize.

    Parameters
    ----------
    by_kind
        R⁻¹ of each kind of records (kinds, t, t).
    inverses, roots
        Σ⁻¹ and F of each random block.

    Raises
    ------
    NotPositiveDefiniteError
        If a pivot is not positive.
    """
    transformed = coefficients.nodes.transformed
    data, penalty = np.zeros(len(coefficients.coefficients)), np.zeros(len(coefficients.coefficients))
    for place, c in enumerate(coefficients.coefficients):
        if c.kind == "residual":
            data[place] = by_kind[c.number, c.row, c.column]
        elif c.number in transformed:
            penalty[place] = float(c.row == c.column)
        else:
            penalty[place] = inverses[c.number][c.row, c.column]
    if not transformed:
        values = coefficients.assemble(data + penalty)
    else:
        values = coefficients.transform(coefficients.assemble(data), roots)
        values += coefficients.assemble(penalty)
    return FactorizedEquations(coefficients, roots, values, analysis.factorize(values))
