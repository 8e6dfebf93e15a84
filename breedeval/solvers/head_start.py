"""A first guess and guesses of slow directions, brought forward together before conjugate gradients begin.

V − M⁻¹CV keeps an eigenvector of M⁻¹C with eigenvalue λ by 1 − λ: what M⁻¹ mends goes, and the slow directions remain. It is
the same step as x + M⁻¹(b − Cx), with zero in place of b. So the vectors stand side by side in one array, and one pass over the
records and one over the factor serve them all, at far less than the price of one after the other.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from breedeval.arrays import Float64
from breedeval.kernels.columns import column_groups
from breedeval.operators import Preconditioner, SymmetricOperator
from breedeval.solvers.coarse_space import CoarseSpace, add_combination
from breedeval.solvers.preconditioners import BalancedPreconditioner

#: Steps that turn a guess of a slow direction into one.
SWEEPS = 2


def head_start(
    operator: SymmetricOperator, b: Float64, inner: Preconditioner, start: Float64, slow: Float64
) -> tuple[Float64, BalancedPreconditioner]:
    """Return a better first guess (N,), and a preconditioner to which the slow directions are no longer slow.

    The guess is the one nearest to the solution, in the energy norm, of all that its own steps and the slow directions lead to:
    where the slow directions are none, what as many rounds of PCG would have found.

    Parameters
    ----------
    operator, b
        C and b.
    inner
        M⁻¹.
    start
        (N,) first guess.
    slow
        (N, c) vectors near to slow directions.
    """
    c = slow.shape[1]
    x = _side_by_side(start, slow)
    steps, excess = [], []
    r, z = np.empty_like(x), np.empty_like(x)
    for sweep in range(SWEEPS + 1):
        operator.multiply(x, r)
        r[:, 0] -= b
        excess.append(r[:, 0].copy())
        if sweep < SWEEPS:
            x -= inner.apply(r, z)
            steps.append(z[:, 0].copy())
    diagonal = operator.diagonal()
    space = CoarseSpace.of(diagonal, tuple(x[:, 1 : 1 + c].T.copy()), tuple(r[:, 1 : 1 + c].T.copy()))
    images = [before - after for before, after in pairwise(excess)]
    reach = CoarseSpace.of(diagonal, (*space.vectors, *steps), (*space.images, *images))
    better = np.array(start)
    add_combination(reach.vectors, -reach.weights(excess[0]), better)
    return better, BalancedPreconditioner(inner, space)


def _side_by_side(start: Float64, slow: Float64) -> Float64:
    """(N, k) the vectors, and zeros up to a number of columns that loops are compiled for."""
    group = column_groups(1 + slow.shape[1])[0]
    x = np.zeros((len(start), max(group.width, 1 + slow.shape[1])))
    x[:, 0], x[:, 1 : 1 + slow.shape[1]] = start, slow
    return x
