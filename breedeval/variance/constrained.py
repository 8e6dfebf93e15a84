"""The highest likelihood where a function of the (co)variances has a given value."""

from __future__ import annotations

import math

import numpy as np

from breedeval.arrays import Float64
from breedeval.errors import NotPositiveDefiniteError
from breedeval.variance.cholesky import CholeskyPoint, cholesky_point, factorize_matrix, is_inside
from breedeval.variance.derivatives import gradient_matrices
from breedeval.variance.information import average_information
from breedeval.variance.likelihood import Point, evaluate_point
from breedeval.variance.maximize import Maximum
from breedeval.variance.parameters import Parameters
from breedeval.variance.quantities import Elements, Quantity

#: Most rounds for one point of a profile.
MOST_ROUNDS = 40
#: Most times that the multiplier of the constraint is found in one round, and when it has been found.
MOST_MULTIPLIERS, CLOSE = 5, 1e-4
#: Where a function cannot have the value asked for, steps grow without end: no (co)variance of so many times its plausible
#: size, no step of so many standard errors leads anywhere.
LARGEST, FARTHEST = 1e6, 1e12
#: Rounds end within so many standard errors.
TOLERANCE = 1e-4


def maximize_given(maximum: Maximum, start: Point, quantity: Quantity, value: float) -> Point | None:
    """The highest likelihood where a function of the (co)variances has a value, from a point nearby; None if not found.

    Each round is a step of sequential quadratic programming in triangular factors, with average information for the Hessian;
    it is halved where it leaves what the quadratic model describes.
    """
    parameters, point = maximum.parameters, _moved_straight(maximum, start, quantity, value)
    penalty, multiplier, old = 0.0, 0.0, -math.inf
    scales = parameters.scales()
    for _ in range(MOST_ROUNDS):
        if np.abs(parameters.vector(point.matrices) / scales).max(initial=0.0) > LARGEST:
            return None
        gradient = parameters.gradient(gradient_matrices(point))
        information = average_information(point, parameters)
        f = quantity.function(Elements(parameters, point.matrices))
        gap = value - f.value
        cholesky, step, multiplier = _lagrangian_step(point, parameters, gradient, information, f.gradient, gap, multiplier)
        square = float(step @ cholesky.information @ step)
        if not square < FARTHEST**2:
            return None
        size = math.sqrt(max(square, 0.0))
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
    """The start, moved in θ to where the function has the value if it were straight, or to the boundary on the way."""
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
        moved = tuple(
            matrix if parameter.structure == "fixed" else factorize_matrix(parameter, matrix).matrix()
            for parameter, matrix in zip(parameters.matrices, moved, strict=True)
        )
    try:
        return evaluate_point(start.system, moved, start.likelihood)
    except NotPositiveDefiniteError:
        return start


def _lagrangian_step(
    point: Point,
    parameters: Parameters,
    gradient: Float64,
    information: Float64,
    slope: Float64,
    gap: float,
    multiplier: float,
) -> tuple[CholeskyPoint, Float64, float]:
    """The constrained step with what belongs to it: curvature and boundary as the Lagrangian L − λ f sees them.

    A variance is at the boundary to stay where the Lagrangian falls towards the inside, not where the likelihood does; so λ,
    the last one at first, is put in, found anew, and put in again.
    """
    for _ in range(MOST_MULTIPLIERS):
        own = gradient - multiplier * slope
        cholesky = cholesky_point(parameters, point.matrices, parameters.derivatives(own), own, information)
        step, change = _constrained_step(cholesky, cholesky.jacobian.T @ slope, gap)
        multiplier += change
        if abs(change) <= CLOSE * abs(multiplier):
            break
    return cholesky, step, multiplier


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
