"""Stopping rules under their names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from breedeval.errors import count_of

Rule = Literal["ebv_error", "residual", "residual_squared", "solution_change"]
RULES: tuple[str, ...] = get_args(Rule)


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
