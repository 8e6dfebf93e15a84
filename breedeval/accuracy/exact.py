"""Exact prediction error variances from the inverse on the pattern of a factor."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from scipy.sparse import coo_array, csc_array

from breedeval.arrays import Float64, Int64
from breedeval.operators import SymmetricOperator
from breedeval.solvers.elimination_order import better_order
from breedeval.solvers.factor import SelectedInverse
from breedeval.solvers.factorization import factorize


def include_pairs(matrix: csc_array, first: Int64, second: Int64) -> csc_array:
    """The same matrix with the elements (first, second) stored, as zeros where there are none.

    The factor then has them too, and with it its `inverse_on_pattern`: where effects have no covariance and no record in
    common, C has zeros between them, C⁻¹ in general has not.
    """
    found = matrix.tocoo()
    row = np.concatenate([found.row, first, second])
    column = np.concatenate([found.col, second, first])
    values = np.concatenate([found.data, np.zeros(2 * len(first))])
    return csc_array(coo_array((values, (row, column)), shape=matrix.shape))


def column_pairs(contrasts: Float64) -> list[tuple[int, int]]:
    """Pairs of columns that a contrast (a row of `contrasts`) has together."""
    used = contrasts != 0
    return [(a, b) for a, b in combinations(range(contrasts.shape[1]), 2) if (used[:, a] & used[:, b]).any()]


def contrast_variance(inverse: SelectedInverse, equations: Int64, contrasts: Float64) -> Float64:
    """Prediction error variance k'C^ii k of contrasts of an animal's own equations.

    Parameters
    ----------
    inverse
        Of the kept equations, with the pairs of `column_pairs` on its pattern.
    equations
        (n, k) rows of the kept equations of each animal.
    contrasts
        (q, k) weights.

    Returns
    -------
    (q, n) float64
    """
    variance = np.square(contrasts) @ inverse.diagonal[equations].T
    for a, b in column_pairs(contrasts):
        covariance = inverse.elements(equations[:, a], equations[:, b])
        variance += np.multiply.outer(2.0 * contrasts[:, a] * contrasts[:, b], covariance)
    return variance


def prediction_error_variance(inverse: SelectedInverse, kept: Int64, n_equations: int) -> Float64:
    """(N,) PEV of every equation; NaN for equations constrained to zero.

    For a fixed effect this is the sampling variance of its solution under the constraints.
    """
    pev = np.full(n_equations, np.nan)
    pev[kept] = inverse.diagonal
    return pev


def relationship_diagonal(a_inverse: SymmetricOperator, n_animals: int | None = None) -> Float64:
    """(n,) diagonal of the relationship matrix that a given inverse stands for.

    With inbreeding this is 1 + F. An inverse that was set up as if no animal were inbred is still that of some matrix, whose
    diagonal is neither one nor 1 + F; an animal's prior variance is this diagonal times σ²_a. Where groups stand behind the
    first `n_animals` rows, it is that of the animals' deviations from their groups.
    """
    matrix = csc_array(a_inverse.to_csr()[:n_animals, :n_animals])
    # Young to old: parents stand before progeny, and those without progeny are eliminated first.
    order, _, _ = better_order(matrix, np.arange(matrix.shape[0])[::-1].copy())
    return factorize(matrix, order).inverse_diagonal()
