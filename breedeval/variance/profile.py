"""Profile likelihood: the highest likelihood for each value of a function of the (co)variances, and intervals from it.

The interval of confidence 1 − α holds the values whose profile log-likelihood is within ½ χ²(1 − α; 1) of the maximum (Venzon
and Moolgavkar 1988, J. R. Stat. Soc. C 37:87). It does not depend on the scale, ends at the boundary of the parameter space
where the likelihood never falls so far, and is not symmetric.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri

from breedeval.variance.constrained import maximize_given
from breedeval.variance.maximize import Maximum
from breedeval.variance.parameters import FLOOR
from breedeval.variance.quantities import Elements, Quantity

#: Most points of a profile on one side.
MOST_POINTS = 20
#: Root of the deviance is met up to this.
CLOSE = 1e-4


@dataclass(frozen=True)
class Interval:
    """Ends of an interval; nan for one that was not found, and then `note` says why."""

    lower: float
    upper: float
    note: str = ""


@dataclass(frozen=True)
class _Scale:
    """A scale on which a profile is nearly a parabola: functions there and back, and the ends of the domain."""

    low: float
    high: float

    def to(self, value: float) -> float:
        """On the scale: logarithm, logit, or as it is."""
        if math.isinf(self.low):
            return value
        above = math.log(max(value - self.low, 1e-300))
        return above if math.isinf(self.high) else above - math.log(max(self.high - value, 1e-300))

    def back(self, t: float) -> float:
        """From the scale."""
        if math.isinf(self.low):
            return t
        if math.isinf(self.high):
            return self.low + math.exp(min(t, 700.0))
        return self.low + (self.high - self.low) / (1.0 + math.exp(min(-t, 700.0)))

    def slope(self, value: float) -> float:
        """Derivative of `to`."""
        if math.isinf(self.low):
            return 1.0
        found = 1.0 / max(value - self.low, 1e-300)
        return found if math.isinf(self.high) else found + 1.0 / max(self.high - value, 1e-300)


def _scale_of(kind: str) -> _Scale:
    if kind in ("variance", "phenotypic variance"):
        return _Scale(0.0, math.inf)
    if kind in ("heritability", "repeatability", "ratio"):
        return _Scale(0.0, 1.0)
    if kind.endswith("correlation"):
        return _Scale(-1.0, 1.0)
    return _Scale(-math.inf, math.inf)


def profile_interval(maximum: Maximum, quantity: Quantity, standard_error: float, level: float) -> Interval:
    """Interval of a function of the (co)variances by profile likelihood.

    Parameters
    ----------
    maximum
        The estimates.
    quantity
        The function; its kind says what values it can have.
    standard_error
        Of the delta method, to start from.
    level
        Confidence, such as 0.95.

    Notes
    -----
    Some ten points of the profile on each side, each a maximization of a few rounds from its neighbor.
    """
    found = quantity.function(Elements(maximum.parameters, maximum.point.matrices))
    scale, wanted = _scale_of(quantity.kind), math.sqrt(float(chdtri(1, 1.0 - level)))
    if not np.any(found.gradient):
        return Interval(math.nan, math.nan, "nothing of it was estimated")
    low_edge = (
        found.value - scale.low < 1e-6 * max(abs(scale.low), 1.0)
        if quantity.kind != "variance"
        else _is_zero(maximum, quantity)
    )
    ends = []
    for side in (-1.0, 1.0):
        if side < 0 and low_edge:
            ends.append(scale.low)
        else:
            ends.append(_Side(maximum, quantity, scale, wanted, side).end(found.value, standard_error, at_edge=low_edge))
    note = "an end of the interval was not found" if any(math.isnan(end) for end in ends) else ""
    return Interval(ends[0], ends[1], note)


def _is_zero(maximum: Maximum, quantity: Quantity) -> bool:
    found = quantity.function(Elements(maximum.parameters, maximum.point.matrices))
    place = int(np.argmax(np.abs(found.gradient)))
    return bool(found.value <= 10.0 * FLOOR * maximum.parameters.scales()[place])


class _Side:
    """The search for one end."""

    def __init__(self, maximum: Maximum, quantity: Quantity, scale: _Scale, wanted: float, side: float) -> None:
        self._maximum, self._quantity, self._scale, self._wanted, self._side = maximum, quantity, scale, wanted, side
        self._point = self._inner_point = maximum.exact_point
        elements = Elements(maximum.parameters, maximum.point.matrices)
        self._slope = quantity.function(elements).gradient
        self._edge = scale.low if side < 0 else scale.high

    def end(self, estimate: float, standard_error: float, *, at_edge: bool) -> float:
        """The end of the interval; nan if it was not found."""
        value = self._first(estimate, standard_error, at_edge=at_edge)
        found = [(estimate, 0.0)]
        for _ in range(MOST_POINTS):
            root = self._root_of_deviance(value)
            inner = max((one for one in found if one[1] < self._wanted), key=lambda one: one[1])
            if math.isnan(root):
                value = 0.5 * (value + inner[0])
                if abs(value - inner[0]) <= 1e-4 * abs(inner[0] - estimate) or value == inner[0]:
                    return math.nan
                continue
            if abs(root - self._wanted) < CLOSE:
                return value
            if root < self._wanted:
                if self._near_edge(value):
                    return self._edge
                self._inner_point = self._point
            found.append((value, root))
            value = self._next(found)
        return math.nan

    def _first(self, estimate: float, standard_error: float, *, at_edge: bool) -> float:
        """Where a profile that is a parabola on its scale ends; from a variance of zero, one that is a straight line."""
        origin = self._scale.to(estimate)
        if not at_edge and math.isfinite(standard_error):
            step = self._wanted * standard_error * self._scale.slope(estimate)
            return self._scale.back(origin + self._side * (step if math.isinf(self._scale.low) else min(step, 3.0)))
        fall = -float(self._maximum.gradient @ self._slope) / max(float(self._slope @ self._slope), 1e-300)
        largest = 0.5 * self._scale.high if math.isfinite(self._scale.high) else self._size
        return estimate + self._side * min(0.5 * self._wanted**2 / max(fall, 1e-300), largest)

    @property
    def _size(self) -> float:
        """A plausible size of the quantity."""
        return float(np.abs(self._slope) @ self._maximum.parameters.scales())

    def _next(self, found: list[tuple[float, float]]) -> float:
        """The value of the root wanted, as a parabola of the root through the nearest points found."""
        estimate = found[0][0]
        inner = max((one for one in found if one[1] < self._wanted), key=lambda one: one[1])
        outer = min((one for one in found if one[1] > self._wanted), key=lambda one: one[1], default=None)
        guess = _interpolated(sorted(found, key=lambda one: abs(one[1] - self._wanted))[:3], self._wanted)
        if outer is not None:
            share = (guess - inner[0]) / (outer[0] - inner[0])
            if not 0.0 < share < 1.0:
                share = (self._wanted - inner[1]) / (outer[1] - inner[1])
            return inner[0] + min(max(share, 0.02), 0.98) * (outer[0] - inner[0])
        reached = abs(inner[0] - estimate)
        guess = inner[0] + self._side * reached if math.isnan(guess) else guess
        guess = estimate + self._side * min(max(self._side * (guess - estimate), 1.02 * reached), 4.0 * reached)
        if math.isinf(self._edge) or self._side * (self._edge - guess) > 0.0:
            return guess
        if self._edge == 0.0:  # the quantity can be left out; this tells at once whether the interval holds zero
            return 0.5 * self._nearest
        return self._edge + 0.1 * (inner[0] - self._edge)

    @property
    def _nearest(self) -> float:
        """A value so near to the edge counts as the edge."""
        return 1e-5 * (self._size if math.isinf(self._scale.high) else 1.0)

    def _near_edge(self, value: float) -> bool:
        return math.isfinite(self._edge) and abs(value - self._edge) < self._nearest

    def _root_of_deviance(self, value: float) -> float:
        """√(2 (L − profile L)) at a value; nan if the profile could not be computed."""
        starts = {id(point): point for point in (self._point, self._inner_point, self._maximum.exact_point)}
        for start in starts.values():
            found = maximize_given(self._maximum, start, self._quantity, value)
            if found is not None:
                self._point = found
                fall = self._maximum.exact_point.log_likelihood.value - found.log_likelihood.value
                return math.sqrt(max(2.0 * fall, 0.0))
        return math.nan


def _interpolated(points: list[tuple[float, float]], wanted: float) -> float:
    """Value where the root is as wanted, by Lagrange's polynomial of the value in the root through two or three points."""
    total = 0.0
    for i, (value, root) in enumerate(points):
        others = [other for j, (_, other) in enumerate(points) if j != i]
        if any(other == root for other in others):
            return math.nan
        total += value * math.prod((wanted - other) / (root - other) for other in others)
    return total
