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

from breedeval.errors import NotPositiveDefiniteError
from breedeval.variance.cholesky import CholeskyPoint, cholesky_point, is_inside
from breedeval.variance.derivatives import gradient_matrices
from breedeval.variance.information import average_information
from breedeval.variance.likelihood import Point, evaluate_point
from breedeval.variance.maximize import Maximum
from breedeval.variance.parameters import FLOOR
from breedeval.variance.quantities import Elements, Quantity

#: Most points of a profile on one side, and most rounds for one of them.
MOST_POINTS, MOST_ROUNDS = 15, 40
#: Root of the deviance is met up to this.
CLOSE = 1e-4
#: Rounds of one point end within so many standard errors.
TOLERANCE = 1e-4


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
        self._point = maximum.exact_point

    def end(self, estimate: float, standard_error: float, *, at_edge: bool) -> float:
        """The end of the interval; nan if it was not found."""
        origin = self._scale.to(estimate)
        if at_edge or not math.isfinite(standard_error):
            step = self._first_step_from_edge(origin)
        else:
            step = self._wanted * standard_error * self._scale.slope(estimate)
            step = min(step, 3.0) if not math.isinf(self._scale.low) else step
        inner, outer = (0.0, 0.0), (math.inf, math.inf)
        for _ in range(MOST_POINTS):
            value = self._scale.back(origin + self._side * step)
            root = self._root_of_deviance(value)
            if math.isnan(root):
                step = 0.5 * (step + inner[0])
                if step - inner[0] < 1e-3 * max(step, 1e-300):
                    return math.nan
                continue
            if abs(root - self._wanted) < CLOSE:
                return value
            if root < self._wanted:
                inner = (step, root)
                if self._near_edge(value):
                    return self._scale.low if self._side < 0 else self._scale.high
            else:
                outer = (step, root)
            step = self._next(inner, outer)
        return math.nan

    def _first_step_from_edge(self, origin: float) -> float:
        """From a variance of zero: where a straight log-likelihood would have fallen far enough."""
        elements = Elements(self._maximum.parameters, self._maximum.point.matrices)
        gradient = self._quantity.function(elements).gradient
        fall = -float(self._maximum.gradient @ gradient) / max(float(gradient @ gradient), 1e-300)
        value = 0.5 * self._wanted**2 / max(fall, 1e-300)
        return abs(self._scale.to(min(value, 0.5 * self._scale.high)) - origin)

    def _next(self, inner: tuple[float, float], outer: tuple[float, float]) -> float:
        if math.isinf(outer[0]):
            ratio = self._wanted / inner[1] if inner[1] > 0.2 * self._wanted else 2.0
            return inner[0] * min(max(1.02 * ratio, 1.02), 3.0)
        width = outer[0] - inner[0]
        guess = inner[0] + width * (self._wanted - inner[1]) / (outer[1] - inner[1])
        return min(max(guess, inner[0] + 0.02 * width), outer[0] - 0.02 * width)

    def _near_edge(self, value: float) -> bool:
        if self._side < 0 and not math.isinf(self._scale.low):
            if math.isinf(self._scale.high):
                place = int(
                    np.argmax(
                        np.abs(self._quantity.function(Elements(self._maximum.parameters, self._point.matrices)).gradient)
                    )
                )
                return bool(value < 1e-5 * self._maximum.parameters.scales()[place])
            return value - self._scale.low < 1e-5
        return self._side > 0 and not math.isinf(self._scale.high) and self._scale.high - value < 1e-5

    def _root_of_deviance(self, value: float) -> float:
        """√(2 (L − profile L)) at a value; nan if the profile could not be computed."""
        found = maximize_given(self._maximum, self._point, self._quantity, value)
        if found is None:
            return math.nan
        self._point = found
        fall = self._maximum.exact_point.log_likelihood.value - found.log_likelihood.value
        return math.sqrt(max(2.0 * fall, 0.0))


def maximize_given(maximum: Maximum, start: Point, quantity: Quantity, value: float) -> Point | None:
    """The highest likelihood where a function of the (co)variances has a value, from a point nearby; None if not found.

    Each round is a step of sequential quadratic programming in triangular factors, with average information for the Hessian;
    it is halved where it leaves what the quadratic model describes.
    """
    parameters, point = maximum.parameters, _moved_straight(maximum, start, quantity, value)
    penalty, old = 0.0, -math.inf
    for _ in range(MOST_ROUNDS):
        derivatives = gradient_matrices(point)
        gradient = parameters.gradient(derivatives)
        information = average_information(point, parameters)
        cholesky = cholesky_point(parameters, point.matrices, derivatives, gradient, information)
        f = quantity.function(Elements(parameters, point.matrices))
        gap = value - f.value
        step, multiplier = _constrained_step(cholesky, cholesky.jacobian.T @ f.gradient, gap)
        size = math.sqrt(max(float(step @ cholesky.information @ step), 0.0))
        exact = abs(gap) <= 1e-7 * max(abs(value), 1e-3 * float(np.abs(f.gradient) @ parameters.scales()))
        if exact and (size < TOLERANCE or abs(point.log_likelihood.value - old) < 1e-7):
            return point
        old = point.log_likelihood.value
        penalty = max(penalty, 2.0 * abs(multiplier))
        found = _halved(maximum, point, cholesky, step, quantity, value, penalty)
        if found is None:
            return point if exact and size < 100 * TOLERANCE else None
        point = found
    return None


def _moved_straight(maximum: Maximum, start: Point, quantity: Quantity, value: float) -> Point:
    """The start, moved in θ to where the function has the value if it were straight, unless that is outside."""
    parameters = maximum.parameters
    f = quantity.function(Elements(parameters, start.matrices))
    scale = np.sqrt(np.maximum(np.diag(maximum.information), 1e-300))
    along = (
        np.linalg.pinv(maximum.information / np.outer(scale, scale), rcond=1e-10, hermitian=True) @ (f.gradient / scale) / scale
    )
    slope = float(f.gradient @ along)
    if not slope > 0:
        return start
    theta = parameters.vector(start.matrices) + along * (value - f.value) / slope
    moved = parameters.changed(start.matrices, theta)
    if not is_inside(parameters, moved):
        return start
    try:
        return evaluate_point(start.system, moved, start.likelihood)
    except NotPositiveDefiniteError:
        return start


def _constrained_step(cholesky: CholeskyPoint, slope: np.ndarray, gap: float) -> tuple[np.ndarray, float]:
    """Step that maximizes the quadratic model with the function moved by `gap`, and its multiplier."""
    free = cholesky.free
    h = cholesky.information[np.ix_(free, free)]
    g, a = cholesky.gradient[free], slope[free]
    scale = np.sqrt(np.maximum(np.diag(h), 1e-12 * max(float(np.diag(h).max(initial=0.0)), 1e-300)))
    inverse = np.linalg.pinv(h / np.outer(scale, scale) + 1e-9 * np.eye(len(g)), hermitian=True) / np.outer(scale, scale)
    newton, along = inverse @ g, inverse @ a
    multiplier = (float(a @ newton) - gap) / max(float(a @ along), 1e-300)
    step = np.zeros(len(free))
    step[free] = newton - multiplier * along
    return step, multiplier


def _halved(
    maximum: Maximum,
    point: Point,
    cholesky: CholeskyPoint,
    step: np.ndarray,
    quantity: Quantity,
    value: float,
    penalty: float,
) -> Point | None:
    """The point after the step, or after half of it, and so on, until likelihood less penalty is no lower."""
    parameters = maximum.parameters

    def merit(at: Point) -> float:
        gap = value - quantity.function(Elements(parameters, at.matrices)).value
        return at.log_likelihood.value - penalty * abs(gap)

    before = merit(point)
    for halving in range(12):
        try:
            found = evaluate_point(point.system, cholesky.moved(step * 0.5**halving), point.likelihood)
        except NotPositiveDefiniteError:
            continue
        now = merit(found)
        if math.isfinite(now) and now >= before - 1e-9 * max(abs(before), 1.0):
            return found
    return None
