"""Where PCG is as exact as double precision gives, and goes on to make the solution worse.

The residual that PCG carries along is made from itself and knows nothing of the rounding error of x; what they differ by is
about eps ‖C‖ ‖x‖, and is never worked off (Greenbaum 1997, SIAM Journal on Matrix Analysis and Applications 18:535-551; van der
Vorst and Ye 2000, SIAM Journal on Scientific Computing 22:835-852). Where C is singular, what rounding leaves outside its range
becomes the whole direction, and x runs away. So when the residual is small, the true one is looked at every few rounds.
"""

from __future__ import annotations

import math

import numpy as np

from breedeval.arrays import Float64
from breedeval.operators import Preconditioner, SymmetricOperator
from breedeval.solvers.dot import dot

#: Nobody looks before ‖r‖ / ‖b‖ has been as small as this: usual tolerances end a run earlier, and it costs them nothing.
NEAR = 1e-10
#: Rounds from one look to the next, each of one product and one M⁻¹. By the number of the round, so that a run that goes on
#: from a checkpoint looks at the same rounds.
ROUNDS_A_LOOK = 4
#: Rounding error shows when r'M⁻¹r of what the true residual has more is this part of the recurrence's. ...
SHOWS = 1e-4
#: ... From then on it has taken over when it is the larger part, or when r'M⁻¹r is so many times what it was at its best.
GROWN = 1e3


class RoundingFloor:
    """Looks at the true residual near the level of rounding, and keeps the best solution seen there.

    Parameters
    ----------
    operator, b, preconditioner
        C, (N,) b and M⁻¹.
    lowest
        Smallest ‖r‖ / ‖b‖ of earlier rounds.
    """

    def __init__(self, operator: SymmetricOperator, b: Float64, preconditioner: Preconditioner, lowest: float) -> None:
        self._operator, self._b, self._preconditioner = operator, b, preconditioner
        self._lowest = lowest
        self._best: Float64 | None = None
        self._size = math.inf
        self._shows = False

    def is_reached(
        self, rounds: int, residual: float, x: Float64, r: Float64, rz: float, work: tuple[Float64, Float64]
    ) -> bool:
        """Whether x cannot become better; looks if it is time to.

        Parameters
        ----------
        rounds, residual
            Number of the round, ‖r‖ / ‖b‖.
        x
            (N,) solution; copied where it is the best so far.
        r, rz
            (N,) residual and r'M⁻¹r, as the recurrence has them.
        work
            Two vectors (N,) that are overwritten.
        """
        self._lowest = min(self._lowest, residual)
        if self._lowest > NEAR or rounds % ROUNDS_A_LOOK:
            return False
        missing = self._missing(x, r, work)
        self._shows = self._shows or not missing < SHOWS * rz
        if rz + missing < self._size:
            self._size = rz + missing
            self._best = np.empty_like(x) if self._best is None else self._best
            np.copyto(self._best, x)
        return self._shows and not (missing < rz <= GROWN * self._size)

    def restore(self, x: Float64) -> None:
        """Put the best solution seen into x."""
        if self._best is not None:
            np.copyto(x, self._best)

    def _missing(self, x: Float64, r: Float64, work: tuple[Float64, Float64]) -> float:
        """d'M⁻¹d of d = b − Cx − r."""
        d, z = work
        self._operator.multiply(x, d)
        np.subtract(self._b, d, out=d)
        d -= r
        return float(dot(d, self._preconditioner.apply(d, z)))
