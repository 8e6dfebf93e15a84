"""Stopping rules under their names, and the estimate of the error that the default rule uses.

PCG reduces the energy norm of the error, ‖x_k − x*‖_C. Round j lowers its square by γ_j = α_j r_j'z_j (Hestenes and Stiefel
1952), so what is still missing at round k − d is at least the sum of the last d terms; divided by one minus the observed rate
of decrease it estimates the whole (Strakoš and Tichý 2002; Meurant, Papež and Tichý 2021). For an EBV the energy norm is a
bound: the error of û_i is at most sqrt(PEV_i) ‖x − x*‖_C (Cauchy-Schwarz in C), and PEV_i ≤ (1 + F_i) σ²_a, hence in genetic
standard deviations at most sqrt(1 + F_i) ‖x − x*‖_C.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy.linalg import eigvalsh_tridiagonal

Rule = Literal["ebv_error", "residual", "residual_squared", "solution_change"]
RULES: tuple[str, ...] = get_args(Rule)

#: Rounds that the estimate of the energy norm looks back. More is safer and stops as many rounds later.
DELAY = 8
#: The estimate trusts no rate of decrease (of the squared norm over DELAY rounds) better than this.
FASTEST_RATE = 0.05
#: ... and calls a rate above this stagnation: no estimate yet.
SLOWEST_RATE = 0.98


@dataclass(frozen=True)
class StoppingRule:
    """Stop when the criterion called `name` is at most `tolerance`, or after `max_rounds`."""

    name: Rule = "ebv_error"
    tolerance: float = 1e-4
    max_rounds: int = 5000

    def sentence(self) -> str:
        """The rule in words."""
        unit = " genetic SD" if self.name == "ebv_error" else ""
        return f"stop when {self.name} ≤ {self.tolerance:g}{unit}, at most {self.max_rounds:,} rounds"


class EnergyNorm:
    """Follows PCG's coefficients and estimates the energy norm of the error."""

    def __init__(self) -> None:
        self._decrease: deque[float] = deque(maxlen=2 * DELAY)
        self._alpha: list[float] = []
        self._beta: list[float] = []

    def add(self, alpha: float, rz: float, beta: float) -> None:
        """Take in one round: step length, r'z before the step, and the coefficient of the next direction."""
        self._decrease.append(alpha * rz)
        self._alpha.append(alpha)
        self._beta.append(beta)

    def estimate(self) -> float:
        """Upper estimate of the present ‖x_k − x*‖_C: what it was DELAY rounds ago. Infinite while unknown."""
        if len(self._decrease) < 2 * DELAY:
            return math.inf
        terms = list(self._decrease)
        before, now = sum(terms[:DELAY]), sum(terms[DELAY:])
        rate = now / before if before > 0 else 0.0
        if rate >= SLOWEST_RATE:
            return math.inf
        return math.sqrt(now / (1.0 - max(rate, FASTEST_RATE)))

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
