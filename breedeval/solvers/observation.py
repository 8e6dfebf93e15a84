"""Rounds after the rule is met, run only to see how far the solution still was from where it goes.

Whatever is estimated on the way speaks of directions that the rounds so far have met, and allows for those that they have not:
it is several times too high as a rule, a hundred times where the last round of a small system jumped to the solution, and too
low where a slow direction hides. A few rounds later all that is known: the change of every EBV since then is its error, but for
what is left by now, which is small in comparison (the delay of Strakoš and Tichý 2002, with the changes themselves in the place
of their energy). So where a round costs next to nothing the recurrence goes on until the estimate of what is left is a part of
what has changed and still falls, and by as many rounds as there were: hidden directions have then mostly shown up. The solution
of the round that met the rule is the one that is kept, as its error is the one that is known. Where it turns out to miss the
tolerance, the later rounds count, and the rule has to be met again.
"""

from __future__ import annotations

import math

from breedeval.arrays import Float64
from breedeval.solvers.error_estimate import EbvEquations
from breedeval.solvers.result import Convergence

#: Systems of more equations are not observed: as many rounds again would be felt.
MOST_EQUATIONS = 20_000
#: Rounds that are observed: so many at least, and this part of the rounds before.
FEWEST_OBSERVED, PART_OBSERVED = 8, 1.0
#: And until the estimate of what is left is this part of what has changed, and has not begun to rise.
SMALL_PART = 0.5
#: What the change is multiplied with: what is left has been estimated too low at times.
MARGIN = 2.0


class Observation:
    """The solution of one round, and what later rounds change of it.

    Parameters
    ----------
    x, r, rounds
        (N,) solution and residual after this round; copied.
    estimate
        What was estimated then, in genetic standard deviations.
    ebv, ebv_scale
        Where EBVs stand; without them, what turns energy norms into a bound for EBVs.
    """

    def __init__(
        self, x: Float64, r: Float64, rounds: int, estimate: float, ebv: EbvEquations | None, ebv_scale: float
    ) -> None:
        self.x, self.r, self.rounds = x.copy(), r.copy(), rounds
        self.later: list[Convergence] = []
        self._estimate, self._ebv, self._ebv_scale = estimate, ebv, ebv_scale
        self._decrease = 0.0

    def add(self, criteria: Convergence, decrease: float) -> None:
        """Take in a later round: its criteria, and by how much it lowered the squared energy norm of the error."""
        self.later.append(criteria)
        self._decrease += decrease

    def is_enough(self, x: Float64) -> bool:
        """Whether nearly all of the error has been seen, with x the present solution."""
        if len(self.later) < max(FEWEST_OBSERVED, PART_OBSERVED * self.rounds):
            return False
        left = self.later[-1].ebv_error
        return left <= min(criteria.ebv_error for criteria in self.later) and left <= SMALL_PART * self._change(x)

    def error(self, x: Float64, *, exact: bool = False) -> float:
        """Largest error of an EBV after the observed round; `exact` if x is the solution up to rounding error."""
        if not self.later:
            return self._estimate
        return MARGIN * self._change(x) + (0.0 if exact else self.later[-1].ebv_error)

    def _change(self, x: Float64) -> float:
        """Largest change of an EBV since then; its bound by the energy norm of the change where EBVs are not told apart."""
        if self._ebv is None:
            return self._ebv_scale * math.sqrt(max(self._decrease, 0.0))
        return self._ebv.largest(x - self.x)
