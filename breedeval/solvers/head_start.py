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
from breedeval.kernels.vectors import dot
from breedeval.operators import Preconditioner, SymmetricOperator
from breedeval.solvers.coarse_space import CoarseSpace, add_combination
from breedeval.solvers.preconditioners import BalancedPreconditioner

#: Steps that turn a guess of a slow direction into one.
SWEEPS = 2
#: A direction of which these steps leave less than this part of its energy is not slow, what is left is rounding error; nor is
#: a step worth having whose energy is less than this part of the first one's.
STILL_SLOW = 1e-10


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
    directions, steps, excess = _sweep(operator, b, inner, start, slow)
    diagonal = operator.diagonal()
    space = CoarseSpace.of(diagonal, [v for v, _ in directions], [image for _, image in directions])
    changes = [before - after for before, after in pairwise(excess)]
    sizes = [dot(step, change) for step, change in zip(steps, changes, strict=True)]
    n_steps = sum(size > STILL_SLOW * sizes[0] for size in sizes)  # each is smaller than the one before
    reach = CoarseSpace.of(diagonal, (*space.vectors, *steps[:n_steps]), (*space.images, *changes[:n_steps]))
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
) -> tuple[list[tuple[Float64, Float64]], list[Float64], list[Float64]]:
    """Slow directions, each with what C makes of it; the steps of the guess, and Cx − b before each and after the last."""
    x, columns = _side_by_side(start, slow), range(1, 1 + slow.shape[1])
    steps, excess, at_first = [], [], np.empty(0)
    r, z = np.empty_like(x), np.empty_like(x)
    for sweep in range(SWEEPS + 1):
        operator.multiply(x, r)
        at_first = at_first if sweep else np.einsum("ij,ij->j", x, r)
        r[:, 0] -= b
        excess.append(r[:, 0].copy())
        if sweep < SWEEPS:
            x -= inner.apply(r, z)
            steps.append(z[:, 0].copy())
    del z
    left = np.einsum("ij,ij->j", x, r)
    kept = [j for j in columns if left[j] > STILL_SLOW * at_first[j]]
    return [(x[:, j].copy(), r[:, j].copy()) for j in kept], steps, excess


def _width(n_slow: int) -> int:
    """Columns of the guess and the slow directions, up to a number that loops are compiled for."""
    return max(column_groups(1 + n_slow)[0].width, 1 + n_slow)


def _side_by_side(start: Float64, slow: Float64) -> Float64:
    """(N, k) the vectors, and zeros up to a number of columns that loops are compiled for."""
    x = np.zeros((len(start), _width(slow.shape[1])))
    x[:, 0], x[:, 1 : 1 + slow.shape[1]] = start, slow
    return x
