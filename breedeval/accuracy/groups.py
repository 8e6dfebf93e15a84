"""Prediction error variance of animals as deviations from their unknown-parent groups.

With fixed groups the equations hold u* = u + Qg. The PEV of u* depends on which group was set to zero; that of u does not:
PEV(u_i) = C_ii − 2 q_i'C_gi + q_i'C_gg q_i, with blocks of C⁻¹ and q_i the animal's shares from the groups.
"""

from __future__ import annotations

import numpy as np

from breedeval.arrays import Float64, Int64
from breedeval.solvers.factorization import Factorization


def deviation_pev(
    factor: Factorization, kept: Int64, animals: Int64, groups: Int64, shares: Float64, total_pev: Float64
) -> Float64:
    """PEV of u from that of u* = u + Qg.

    Parameters
    ----------
    factor
        Factorization of C on the kept equations.
    kept
        (k,) equations that are not constrained to zero, ascending.
    animals, groups
        Equations (n,) of the animals and (g,) of the groups, for one column.
    shares
        (n, g) matrix Q.
    total_pev
        (n,) PEV of u*, in the order of `animals`.

    Returns
    -------
    (n,) float64

    Notes
    -----
    One solution with the factor for each group; memory for n × g numbers.
    """
    estimated = np.flatnonzero(np.isin(groups, kept))
    of_animals = np.searchsorted(kept, animals)
    of_groups = np.searchsorted(kept, groups[estimated])
    q = shares[:, estimated]
    columns = np.empty((len(animals), len(estimated)))
    between = np.empty((len(estimated), len(estimated)))
    unit = np.zeros(len(kept))
    for k, row in enumerate(of_groups):
        unit[row] = 1.0
        solution = factor.solve(unit)
        unit[row] = 0.0
        columns[:, k], between[:, k] = solution[of_animals], solution[of_groups]
    deviation: Float64 = total_pev - 2.0 * (q * columns).sum(axis=1) + ((q @ between) * q).sum(axis=1)
    return deviation
