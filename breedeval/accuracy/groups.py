"""Prediction error variance of animals as deviations from their unknown-parent groups.

With fixed groups the equations hold u* = u + Qg. The PEV of u* depends on which group was set to zero; that of u does not:
PEV(u_i) = C_ii − 2 q_i'C_gi + q_i'C_gg q_i, with blocks of C⁻¹ and q_i the animal's shares from the groups. For a function
k'u of several columns every block is between sums over columns with the weights k.
"""

from __future__ import annotations

import numpy as np

from breedeval.arrays import Float64, Int64
from breedeval.solvers.factor import Factor


def deviation_pev(
    factor: Factor,
    kept: Int64,
    animals: Int64,
    groups: Int64,
    weights: Float64,
    shares: Float64,
    total_pev: Float64,
) -> Float64:
    """PEV of k'u from that of k'u* = k'(u + Qg).

    Parameters
    ----------
    factor
        Factorization of C on the kept equations.
    kept
        (k,) equations that are not constrained to zero, ascending.
    animals, groups
        Equations (n, k) of the animals and (g, k) of the groups, in the columns concerned.
    weights
        (k,) weight of each column; a single one for a column by itself.
    shares
        (n, g) matrix Q.
    total_pev
        (n,) PEV of k'u*, in the order of `animals`.

    Returns
    -------
    (n,) float64

    Notes
    -----
    One solution with the factor for each group; memory for n × g numbers.
    """
    estimated = np.isin(groups, kept) & (weights != 0)  # what is set to zero has no variance
    some = np.flatnonzero(estimated.any(axis=1))
    of_animals = np.searchsorted(kept, animals)
    of_groups = np.where(estimated, np.searchsorted(kept, groups), 0)[some]
    of_group_weights = np.where(estimated, weights, 0.0)[some]
    q = shares[:, some]
    columns = np.empty((len(animals), len(some)))
    between = np.empty((len(some), len(some)))
    for j, (rows, row_weights) in enumerate(zip(of_groups, of_group_weights, strict=True)):
        combination = np.zeros(len(kept))
        np.add.at(combination, rows, row_weights)
        solution = factor.solve(combination)
        columns[:, j] = solution[of_animals] @ weights
        between[:, j] = (solution[of_groups] * of_group_weights).sum(axis=1)
    deviation: Float64 = total_pev - 2.0 * (q * columns).sum(axis=1) + ((q @ between) * q).sum(axis=1)
    return deviation
