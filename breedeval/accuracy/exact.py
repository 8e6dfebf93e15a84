"""Exact prediction error variances from the factor of the equations."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csc_array

from breedeval.arrays import Float64, Int64
from breedeval.kernels.factor import invert_on_pattern
from breedeval.operators import SymmetricOperator
from breedeval.solvers.factorization import LowerFactor, factorize


def inverse_diagonal(factor: LowerFactor) -> Float64:
    """Diagonal of C⁻¹ from C = L D L' (Takahashi, Fagan and Chin 1973), never forming the inverse.

    Parameters
    ----------
    factor
        Of the equations without the constrained ones.

    Returns
    -------
    (n,) float64
        In the order of the matrix that was factorized.

    Notes
    -----
    Memory: one more value for each element of L. Time: about that of the factorization without supernodes.
    """
    z = np.empty_like(factor.lower)
    permuted = np.empty(len(factor.pivot))
    invert_on_pattern(factor.pointer, factor.row, factor.lower, factor.pivot, z, permuted)
    diagonal = np.empty_like(permuted)
    diagonal[factor.permutation] = permuted
    return diagonal


def prediction_error_variance(factor: LowerFactor, kept: Int64, n_equations: int) -> Float64:
    """(N,) PEV of every equation; NaN for equations constrained to zero.

    For a fixed effect this is the sampling variance of its solution under the constraints.
    """
    pev = np.full(n_equations, np.nan)
    pev[kept] = inverse_diagonal(factor)
    return pev


def relationship_diagonal(a_inverse: SymmetricOperator) -> Float64:
    """(n,) diagonal of the relationship matrix that a given inverse stands for.

    With inbreeding this is 1 + F. An inverse that was set up as if no animal were inbred is still that of some matrix, whose
    diagonal is neither one nor 1 + F; an animal's prior variance is this diagonal times σ²_a.
    """
    # Young to old: parents stand before progeny, and those without progeny are eliminated first.
    order = np.arange(a_inverse.order)[::-1].copy()
    return inverse_diagonal(factorize(csc_array(a_inverse.to_csr()), order).lower_factor())
