"""The inverse of the residual (co)variance, R⁻¹: by pattern of observed traits, class of residual variance, and weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array

from breedeval.arrays import Bool, Float64, Int32, Int64, freeze
from breedeval.errors import VarianceError, name_some
from breedeval.kernels.incidence import weigh, weigh_by_trait
from breedeval.model.design import Design
from breedeval.model.variances import ResidualCovariance

#: Patterns of up to so many traits are counted in a table of all that are possible.
MOST_CODED = 16


@dataclass(frozen=True)
class ResidualInverse:
    """R⁻¹, block diagonal by record.

    Parameters
    ----------
    kind
        (m,) int32: which of `inverses` a record has (its residual class and its pattern of observed traits).
    inverses
        (q, t, t) inverse of the residual (co)variance of the observed traits; zero rows and columns for the others.
    log_determinants
        (q,) log|R| of the observed traits, without weights.
    weights
        (m,) factor of the inverse; ones where the configuration has no weight.
    weight_roots
        (m, t) square roots of weights that differ between traits, so that R⁻¹ = D^½ R₀⁻¹ D^½ with the weights in D;
        (0, t) where the traits of a record share their weight.
    """

    kind: Int32
    inverses: Float64
    log_determinants: Float64
    weights: Float64
    weight_roots: Float64

    @property
    def is_weighted_by_trait(self) -> bool:
        """Whether traits of one record have weights of their own."""
        return len(self.weight_roots) > 0

    def multiply(self, e: Float64, out: Float64) -> Float64:
        """Write R⁻¹ e to `out`; both (m, t), and may be the same array."""
        if self.is_weighted_by_trait:
            weigh_by_trait(freeze(e), self.kind, self.inverses, self.weight_roots, out)
        else:
            weigh(freeze(e), self.kind, self.inverses, self.weights, out)
        return out

    def to_csr(self) -> csr_array:
        """Explicit (m t, m t) matrix, record by record."""
        m, t = len(self.kind), self.inverses.shape[1]
        values = self.inverses[self.kind] * self.weights[:, None, None]
        if self.is_weighted_by_trait:
            values = values * self.weight_roots[:, :, None] * self.weight_roots[:, None, :]
        row = np.arange(m * t).reshape(m, t, 1) + np.zeros((1, 1, t), dtype=np.int64)
        column = np.arange(m).reshape(m, 1, 1) * t + np.zeros((1, t, 1), dtype=np.int64) + np.arange(t)
        matrix = coo_array((values.ravel(), (row.ravel(), column.ravel())), shape=(m * t, m * t)).tocsr()
        matrix.eliminate_zeros()
        return matrix


def build_residual_inverse(design: Design, residual: ResidualCovariance) -> ResidualInverse:
    """Invert the residual (co)variance once for every class and pattern that occurs.

    Raises
    ------
    VarianceError
        If a class of the records has no residual (co)variance.
    """
    patterns, pattern = observed_patterns(design.observed)
    matrices = _matrices_in_order(design, residual)
    kind = design.residual_class.astype(np.int64) * len(patterns) + pattern
    inverses, log_determinants = invert_patterns(matrices, patterns)
    return ResidualInverse(freeze(kind.astype(np.int32)), inverses, log_determinants, *weights_of_records(design))


def observed_patterns(observed: Bool) -> tuple[Bool, Int64]:
    """Patterns (p, t) of observed traits that occur, ascending, and the pattern (m,) of each record.

    Examples
    --------
    >>> patterns, pattern = observed_patterns(np.array([[True, True], [False, True], [True, True]]))
    >>> patterns.tolist(), pattern.tolist()
    ([[False, True], [True, True]], [1, 0, 1])
    """
    t = observed.shape[1]
    if t > MOST_CODED:
        patterns, pattern = np.unique(observed, axis=0, return_inverse=True)
        return patterns, pattern.ravel()
    code = observed @ (1 << np.arange(t - 1, -1, -1))
    counts = np.bincount(code, minlength=1 << t)
    found = np.flatnonzero(counts)
    place = np.empty(1 << t, dtype=np.int64)
    place[found] = np.arange(len(found))
    return (found[:, None] >> np.arange(t - 1, -1, -1)) % 2 == 1, place[code]


def weights_of_records(design: Design) -> tuple[Float64, Float64]:
    """Weights (m,) that all traits of a record share, and roots (m, t) of those that differ; (0, t) if none do."""
    weights = np.ones(design.n_records) if design.weights is None else design.weights
    roots = np.empty((0, design.n_traits))
    if design.trait_weights is not None and design.n_traits == 1:
        weights = design.trait_weights[:, 0]
    elif design.trait_weights is not None:
        roots = np.sqrt(design.trait_weights)
    return freeze(weights), freeze(roots)


def invert_patterns(matrices: Sequence[Float64], patterns: Bool) -> tuple[Float64, Float64]:
    """Inverse (q, t, t) and log-determinant (q,) of each of `matrices` (t, t) on each pattern (rows of `patterns`, (·, t))."""
    inverses = np.stack([_inverse_of_observed(matrix, p) for matrix in matrices for p in patterns])
    log_determinants = np.array([np.linalg.slogdet(matrix[np.ix_(p, p)])[1] for matrix in matrices for p in patterns])
    return freeze(inverses), freeze(log_determinants)


def _matrices_in_order(design: Design, residual: ResidualCovariance) -> list[Float64]:
    if residual.by is None:
        return list(residual.matrices.values())
    absent = [name for name in design.residual_names if name not in residual.matrices]
    if absent:
        raise VarianceError(
            f"variances: residual: no matrix for class {name_some(absent)} of column {residual.by}. "
            f"There are matrices for {name_some(residual.matrices)}."
        )
    return [residual.matrices[name] for name in design.residual_names]


def _inverse_of_observed(matrix: Float64, observed: Bool) -> Float64:
    inverse = np.zeros_like(matrix)
    chosen = np.ix_(observed, observed)
    inverse[chosen] = np.linalg.inv(matrix[chosen])
    return inverse
