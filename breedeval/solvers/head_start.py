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

Columns = tuple[Float64, ...]

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
    directions, images, steps, excess = _sweep(operator, b, inner, start, slow)
    diagonal = operator.diagonal()
    space = CoarseSpace.of(diagonal, directions, images)
    changes = [before - after for before, after in pairwise(excess)]
    reach = CoarseSpace.of(diagonal, (*space.vectors, *steps), (*space.images, *changes))
    better = np.array(start)
    add_combination(reach.vectors, -reach.weights(excess[0]), better)
    return better, BalancedPreconditioner(inner, space)


def head_start_bytes(n_equations: int, n_slow: int) -> int:
    """Memory that a head start takes at its highest beside what it is given, with that of its slow directions and the guess."""
    width = _width(n_slow)
    while_sweeping = 3 * width + 2 * SWEEPS + 1
    while_copying = 2 * width + 2 * SWEEPS + 1 + 2 * n_slow
    return 8 * n_equations * (1 + n_slow + max(while_sweeping, while_copying))


def _sweep(
    operator: SymmetricOperator, b: Float64, inner: Preconditioner, start: Float64, slow: Float64
) -> tuple[Columns, Columns, list[Float64], list[Float64]]:
    """Slow directions and what C makes of them; the steps of the guess, and Cx − b before each and after the last."""
    x, here = _side_by_side(start, slow), slice(1, 1 + slow.shape[1])
    steps, excess = [], []
    r, z = np.empty_like(x), np.empty_like(x)
    for sweep in range(SWEEPS + 1):
        operator.multiply(x, r)
        r[:, 0] -= b
        excess.append(r[:, 0].copy())
        if sweep < SWEEPS:
            x -= inner.apply(r, z)
            steps.append(z[:, 0].copy())
    del z
    return tuple(x[:, here].T.copy()), tuple(r[:, here].T.copy()), steps, excess


def _width(n_slow: int) -> int:
    """Columns of the guess and the slow directions, up to a number that loops are compiled for."""
    return max(column_groups(1 + n_slow)[0].width, 1 + n_slow)


def _side_by_side(start: Float64, slow: Float64) -> Float64:
    """(N, k) the vectors, and zeros up to a number of columns that loops are compiled for."""
    x = np.zeros((len(start), _width(slow.shape[1])))
    x[:, 0], x[:, 1 : 1 + slow.shape[1]] = start, slow
    return x
