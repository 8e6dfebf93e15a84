"""Stopping rules under their names, and the estimate of the error that the default rule uses.

PCG reduces the energy norm of the error, ‖x_k − x*‖_C. Round j lowers its square by γ_j = α_j r_j'z_j (Hestenes and Stiefel
1952), so what was missing d rounds ago is the sum B of the last d terms and what is missing now. With A the sum of the d terms
before, B / A is the observed rate of decrease ρ of the squared norm over d rounds, and the squared norm was about B / (1 − ρ)
d rounds ago and is about ρ B / (1 − ρ) now (Strakoš and Tichý 2002; Meurant, Papež and Tichý 2021, who also choose d as they
go). The estimate takes the geometric mean of the two, √ρ B / (1 − ρ), with the smallest d that shows a clear decrease: as many
rounds as it needs where PCG is slow, two where it is fast.

That looks back only, and is too low where a direction has not been met yet. sqrt(r'M⁻¹r / θ), with θ the smallest Ritz value of
the Lanczos matrix that PCG makes on its way, is an upper bound once θ has settled, and mostly far too high. The estimate is
their weighted geometric mean.

For an EBV the energy norm is a bound: the error of û_i is at most sqrt(PEV_i) ‖x − x*‖_C (Cauchy-Schwarz in C), and PEV_i ≤
(1 + F_i) σ²_a, hence in genetic standard deviations at most sqrt(1 + F_i) ‖x − x*‖_C.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy.linalg import eigvalsh_tridiagonal

from breedeval.arrays import Float64
from breedeval.errors import count_of

Rule = Literal["ebv_error", "residual", "residual_squared", "solution_change"]
RULES: tuple[str, ...] = get_args(Rule)

#: Rounds that the estimate of the energy norm looks back, at least and at most.
SHORTEST_DELAY, LONGEST_DELAY = 2, 40
#: The delay is long enough when the squared norm falls by this over it ...
CLEAR_RATE = 0.3
#: ... and where it never is, this many rounds are asked for before a slower rate counts ...
SLOW_DELAY = 8
#: ... and a rate above this is stagnation: no estimate.
SLOWEST_RATE = 0.98
#: No rate is trusted to be better than this.
FASTEST_RATE = 1e-4
#: Weight of the upper bound in the geometric mean: on some twenty evaluations with two preconditioners and four tolerances, the
#: smallest that keeps twice the largest error of an EBV.
WEIGHT_OF_BOUND = 0.25


@dataclass(frozen=True)
class StoppingRule:
    """Stop when the criterion called `name` is at most `tolerance`, or after `max_rounds`."""

    name: Rule = "ebv_error"
    tolerance: float = 1e-4
    max_rounds: int = 5000

    def sentence(self) -> str:
        """The rule in words."""
        unit = " genetic SD" if self.name == "ebv_error" else ""
        return f"stop when {self.name} ≤ {self.tolerance:g}{unit}, at most {count_of(self.max_rounds, 'round')}"


class EnergyNorm:
    """Follows PCG's coefficients and estimates the energy norm of the error."""

    def __init__(self) -> None:
        self._decrease: deque[float] = deque(maxlen=2 * LONGEST_DELAY)
        self._alpha: list[float] = []
        self._beta: list[float] = []

    @classmethod
    def of(cls, decrease: Float64, alpha: Float64, beta: Float64) -> EnergyNorm:
        """From :meth:`coefficients` of another."""
        norm = cls()
        norm._decrease.extend(decrease.tolist())
        norm._alpha, norm._beta = alpha.tolist(), beta.tolist()
        return norm

    def coefficients(self) -> tuple[Float64, Float64, Float64]:
        """Latest decreases of the squared norm, step lengths and direction coefficients."""
        return np.array(self._decrease), np.array(self._alpha), np.array(self._beta)

    def add(self, alpha: float, rz: float, beta: float) -> None:
        """Take in one round: step length, r'z before the step, and the coefficient of the next direction."""
        self._decrease.append(alpha * rz)
        self._alpha.append(alpha)
        self._beta.append(beta)

    def estimate(self, rz: float) -> float:
        """Careful estimate of the present ‖x_k − x*‖_C, where r'M⁻¹r is `rz`; infinite while unknown."""
        seen = self._seen()
        if not math.isfinite(seen):
            return math.inf
        smallest = self.smallest_eigenvalue()
        if not smallest > 0.0 or not rz >= 0.0:
            return seen
        bound = math.sqrt(rz / smallest)
        return float(min(bound, seen ** (1.0 - WEIGHT_OF_BOUND) * bound**WEIGHT_OF_BOUND))

    def _seen(self) -> float:
        """What the decrease of the last rounds says."""
        latest_first = np.array(self._decrease)[::-1]
        longest = len(latest_first) // 2
        total = np.concatenate([[0.0], np.cumsum(latest_first)])
        for delay in range(SHORTEST_DELAY, longest + 1):
            now, before = float(total[delay]), float(latest_first[delay : 2 * delay].sum())
            rate = now / before if before > 0.0 else 0.0
            if rate <= CLEAR_RATE or (delay == longest and delay >= SLOW_DELAY and rate < SLOWEST_RATE):
                return math.sqrt(math.sqrt(max(rate, FASTEST_RATE)) * now / (1.0 - rate))
        return math.inf

    def smallest_eigenvalue(self) -> float:
        """Smallest Ritz value of the preconditioned equations, from the Lanczos matrix that PCG makes on its way."""
        n = len(self._alpha)
        if n == 0:
            return math.nan
        alpha, beta = np.array(self._alpha), np.array(self._beta[: n - 1])
        diagonal = 1.0 / alpha
        diagonal[1:] += beta / alpha[:-1]
        if n == 1:
            return float(diagonal[0])
        off_diagonal = np.sqrt(beta) / alpha[:-1]
        return float(eigvalsh_tridiagonal(diagonal, off_diagonal, select="i", select_range=(0, 0))[0])
