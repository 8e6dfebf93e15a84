"""Stopping rules under their names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from breedeval.errors import count_of
from breedeval.solvers.result import Convergence

Rule = Literal["ebv_error", "residual", "residual_squared", "solution_change"]
RULES: tuple[str, ...] = get_args(Rule)

#: A true relative residual below this is as good as double precision gives.
GOOD_RESIDUAL = 1e-10
#: An EBV error (in genetic SD) below this is accepted from a solution that no longer becomes better, whatever was asked.
GOOD_EBV_ERROR = 1e-8


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

    def as_exact_as_double(self, final: Convergence, good_ebv_error: float = GOOD_EBV_ERROR) -> bool:
        """Whether a solution that misses the tolerance and does not become better is as exact as double precision gives."""
        return final.ebv_error <= good_ebv_error if self.name == "ebv_error" else final.residual <= GOOD_RESIDUAL
