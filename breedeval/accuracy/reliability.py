"""Reliability from prediction error variance."""

from __future__ import annotations

import numpy as np

from breedeval.arrays import Float64


def reliability(pev: Float64, self_relationship: Float64, variance: float) -> Float64:
    """1 − PEV / ((1 + F) σ²_a): the squared correlation of the EBV with the breeding value, with the animal's own variance.

    Parameters
    ----------
    pev
        (n,) prediction error variance, in squared units of the trait.
    self_relationship
        (n,) relationship of each animal with itself: 1 + F, where F is its inbreeding.
    variance
        Genetic variance σ²_a of the base population.

    Returns
    -------
    (n,) float64
        Between 0 and 1; rounding below zero is set to zero.
    """
    value = 1.0 - pev / (self_relationship * variance)
    return np.where(np.abs(value) < 1e-12, 0.0, value)
