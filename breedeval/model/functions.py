"""Functions of breeding values that are published: sums over days, differences between sections, weighted sums.

What they are; `breedeval.model.contrasts` makes numbers of them. Nothing here imports numpy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from breedeval.errors import count_of
from breedeval.model.spec import Covariable, ModelSpec, RandomTerm

Operation = Literal["effect", "coefficient", "at", "sum", "average"]


@dataclass(frozen=True)
class Part:
    """`weight` times one number made of a genetic effect.

    Parameters
    ----------
    trait, term
        The effect: a genetic term of the model of a trait.
    operation
        ``effect`` (a term without regression), ``coefficient``, the value of the curve ``at`` a point, or its ``sum`` or
        ``average`` over points.
    numbers
        The number of the coefficient, the point, or first point, last point and step.
    weight
        Factor.
    """

    trait: str
    term: RandomTerm
    operation: Operation = "effect"
    numbers: tuple[float, ...] = ()
    weight: float = 1.0

    @property
    def covariable(self) -> Covariable | None:
        """What the curve is a function of; None without regression, and with several slopes."""
        return self.term.covariables[0] if len(self.term.covariables) == 1 else None

    def points(self) -> list[float]:
        """Points at which the curve is evaluated."""
        if self.operation not in ("sum", "average"):
            return list(self.numbers)
        first, last, step = self.numbers
        return [first + step * i for i in range(round((last - first) / step) + 1)]

    @property
    def text(self) -> str:
        """In words, without the weight: ``sum of milk (id) over dim 5 to 305 by 1 (301 values)``."""
        what = f"{self.trait} ({self.term.label})"
        if self.operation == "effect":
            return what
        if self.operation == "coefficient":
            return f"coefficient {self.numbers[0]:g} of {what}"
        column = self.covariable.column if self.covariable else ""
        if self.operation == "at":
            return f"{what} at {column} {self.numbers[0]:g}"
        first, last, step = self.numbers
        n_values = count_of(len(self.points()), "value")
        return f"{self.operation} of {what} over {column} {first:g} to {last:g} by {step:g} ({n_values})"


@dataclass(frozen=True)
class GeneticFunction:
    """A function of breeding values under a `name`: the sum of its `parts`. `unit` in the user's words, if given."""

    name: str
    parts: tuple[Part, ...]
    unit: str | None = None

    @property
    def text(self) -> str:
        """In words."""
        return signed_sum((part.weight, part.text) for part in self.parts)


def signed_sum(terms: Iterable[tuple[float, str]]) -> str:
    """Write a weighted sum.

    Examples
    --------
    >>> signed_sum([(1.0, "milk:id"), (-0.5, "milk:dam")])
    'milk:id - 0.5 × milk:dam'
    """
    pieces = []
    for weight, text in terms:
        size = "" if abs(weight) == 1 else f"{abs(weight):.6g} × "
        pieces.append(("- " if weight < 0 else "+ ") + size + text)
    return " ".join(pieces).removeprefix("+ ")


def genetic_terms(spec: ModelSpec, trait: str) -> tuple[RandomTerm, ...]:
    """Genetic terms of one trait, in the order of its formula."""
    return tuple(term for model in spec.traits if model.trait == trait for term in model.random if term.kind == "genetic")
