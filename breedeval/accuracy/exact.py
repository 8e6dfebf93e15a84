"""Exact prediction error variances from the factor of the equations."""

from __future__ import annotations

import numpy as np

from breedeval.arrays import Float64, Int64
from breedeval.kernels.factor import invert_on_pattern
from breedeval.solvers.factorization import LowerFactor


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
