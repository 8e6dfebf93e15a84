"""Published functions as contrasts of the genetic block.

A function is a contrast k of its columns: value k'u, genetic variance k'Gk, prediction error variance k'Ck.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from breedeval.arrays import Float64, freeze
from breedeval.errors import ConfigError
from breedeval.model.bases import Basis
from breedeval.model.functions import GeneticFunction, Part, signed_sum
from breedeval.model.spec import Covariable
from breedeval.model.variances import Covariance

#: A weight that is this share of what was added up to it, and a variance of such weights, is zero but for rounding.
NOTHING = 1e-12


@dataclass(frozen=True)
class Contrast:
    """A function laid over the genetic block.

    Parameters
    ----------
    function
        What it is.
    labels, weights
        (k,) columns of the genetic block, and the factor of each.
    variance
        Genetic variance k'Gk of an animal that is not inbred.
    doubts
        Points where nothing was observed, in sentences.
    """

    function: GeneticFunction
    labels: tuple[str, ...]
    weights: Float64
    variance: float
    doubts: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What it means, in words and numbers."""
        terms = signed_sum((w, label) for label, w in zip(self.labels, self.weights.tolist(), strict=True) if w)
        return f"{self.function.name}: {self.function.text} = {terms}; genetic variance {self.variance:.6g}"

    @property
    def unit(self) -> str:
        """Unit, in words."""
        traits = dict.fromkeys(part.trait for part in self.function.parts)
        return self.function.unit or f"units of {' and '.join(traits)}, as its definition combines them"


def build_contrast(function: GeneticFunction, covariance: Covariance, bases: Mapping[Covariable, Basis]) -> Contrast:
    """Lay a function over the columns of the genetic block.

    Parameters
    ----------
    function
        What is published.
    covariance
        Of the genetic block, with its labels.
    bases
        Of the design.

    Raises
    ------
    ConfigError
        If a point is outside the range of a curve, or the function is zero for every animal.

    Examples
    --------
    >>> from breedeval.model.spec import RandomTerm
    >>> term = RandomTerm("genetic", "id", slopes=(Covariable("dim"),))
    >>> function = GeneticFunction("rise", (Part("milk", term, "at", (10.0,)), Part("milk", term, "at", (4.0,), -1.0)))
    >>> covariance = Covariance(("milk:id:0", "milk:id:1"), np.array([[2.0, 0.5], [0.5, 1.0]]))
    >>> contrast = build_contrast(function, covariance, {Covariable("dim"): Basis(Covariable("dim"), 0.0, 20.0)})
    >>> contrast.weights.tolist(), contrast.variance
    ([0.0, 6.0], 36.0)
    """
    place = {label: j for j, label in enumerate(covariance.labels)}
    weights, summed = np.zeros(len(place)), np.zeros(len(place))
    parts_variance = 0.0
    for part in function.parts:
        own = np.zeros(len(place))
        for label, factor in _coefficients(part, bases):
            own[place[label]] += part.weight * factor
        weights += own
        summed += np.abs(own)
        parts_variance += float(own @ covariance.matrix @ own)
    weights[np.abs(weights) <= NOTHING * summed] = 0.0
    variance = float(weights @ covariance.matrix @ weights)
    if not variance > NOTHING * parts_variance:
        raise ConfigError(f"{function.text} is zero for every animal: its parts cancel. Take it out, or correct its parts.")
    doubts = [doubt for part in function.parts for doubt in _beyond_the_records(part, bases)]
    return Contrast(function, covariance.labels, freeze(weights), variance, tuple(dict.fromkeys(doubts)))


def _coefficients(part: Part, bases: Mapping[Covariable, Basis]) -> list[tuple[str, float]]:
    """Label and factor of each column of the genetic block that a part needs."""
    label = f"{part.trait}:{part.term.label}"
    if part.operation == "effect" or part.covariable is None:
        return [(label, 1.0)]
    if part.operation == "coefficient":
        return [(f"{label}:{int(part.numbers[0])}", 1.0)]
    points = np.array(part.points())
    basis = bases[part.covariable]
    _refuse_outside(part, basis, points)
    values = basis.evaluate(points)
    if part.term.slopes:
        values = np.column_stack([np.ones(len(points)), values])
    factors = values.mean(axis=0) if part.operation == "average" else values.sum(axis=0)
    return [(f"{label}:{k}", float(factor)) for k, factor in enumerate(factors)]


def _refuse_outside(part: Part, basis: Basis, points: Float64) -> None:
    """Curves are not continued beyond their range: polynomials are anything there."""
    covariable, low, high = basis.covariable, basis.low, basis.high
    function = covariable.function
    outside = points[(points < low) | (points > high)] if basis.has_range else points[:0]
    if len(outside):
        given = covariable.low is not None or covariable.knots
        raise ConfigError(
            f"{part.text}: {covariable.column} {outside[0]:g} is outside {low:g} to {high:g}, the "
            f"{'given' if given else 'observed'} range of {covariable.text}. "
            + ("Widen that range, or stay within it." if given else "Give a wider range in the formula, or stay within it.")
        )
    if (function == "log" and points.min() <= 0) or (function == "sqrt" and points.min() < 0):
        raise ConfigError(f"{part.text}: {covariable.text} is not defined at {covariable.column} {points.min():g}.")


def _beyond_the_records(part: Part, bases: Mapping[Covariable, Basis]) -> list[str]:
    """Say where a slope, which has no range, is continued beyond the values observed."""
    if part.covariable is None or part.operation not in ("at", "sum", "average"):
        return []
    basis, points = bases[part.covariable], part.points()
    if basis.has_range or (min(points) >= basis.low and max(points) <= basis.high):
        return []
    return [f"{part.text} goes beyond the values observed, {basis.low:g} to {basis.high:g}"]
