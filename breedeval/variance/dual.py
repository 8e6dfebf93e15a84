"""Numbers that carry their derivatives, so that the standard error of any function of (co)variances follows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from breedeval.arrays import Float64


@dataclass(frozen=True)
class Dual:
    """A value and its gradient with respect to θ.

    Examples
    --------
    >>> a, b = Dual(3.0, np.array([1.0, 0.0])), Dual(4.0, np.array([0.0, 1.0]))
    >>> ratio = a / (a + b)
    >>> ratio.value, (ratio.gradient * 49).round(10).tolist()
    (0.42857142857142855, [4.0, -3.0])
    """

    value: float
    gradient: Float64

    def __add__(self, other: Dual | float) -> Dual:
        if isinstance(other, Dual):
            return Dual(self.value + other.value, self.gradient + other.gradient)
        return Dual(self.value + other, self.gradient)

    def __neg__(self) -> Dual:
        return Dual(-self.value, -self.gradient)

    def __sub__(self, other: Dual | float) -> Dual:
        return self + (-other)

    def __mul__(self, other: Dual | float) -> Dual:
        if isinstance(other, Dual):
            return Dual(self.value * other.value, self.gradient * other.value + other.gradient * self.value)
        return Dual(self.value * other, self.gradient * other)

    def __truediv__(self, other: Dual | float) -> Dual:
        if isinstance(other, Dual):
            ratio = _divide(self.value, other.value)
            return Dual(ratio, (self.gradient - ratio * other.gradient) * _divide(1.0, other.value))
        return Dual(_divide(self.value, other), self.gradient * _divide(1.0, other))

    def power(self, exponent: Dual) -> Dual:
        """The number to the power of another."""
        if not np.any(exponent.gradient):
            n = exponent.value
            slope = n * _power(self.value, n - 1.0) if n else 0.0
            return Dual(_power(self.value, n), self.gradient * slope)
        return (self.log() * exponent).exp()

    def sqrt(self) -> Dual:
        """Square root; not a number below zero."""
        root = math.sqrt(self.value) if self.value >= 0 else math.nan
        return Dual(root, self.gradient * _divide(0.5, root))

    def log(self) -> Dual:
        """Natural logarithm; not a number at zero and below."""
        value = math.log(self.value) if self.value > 0 else math.nan
        return Dual(value, self.gradient * _divide(1.0, self.value))

    def exp(self) -> Dual:
        """E to the power of this number."""
        value = math.exp(self.value) if self.value < 700 else math.inf
        return Dual(value, self.gradient * value)

    def absolute(self) -> Dual:
        """Absolute value."""
        return -self if self.value < 0 else self

    def standard_error(self, covariance: Float64) -> float:
        """Standard error by the delta method from the sampling covariance of θ."""
        square = float(self.gradient @ covariance @ self.gradient)
        return math.sqrt(square) if square > 0 else math.nan


def _divide(a: float, b: float) -> float:
    return a / b if b else math.nan


def _power(base: float, exponent: float) -> float:
    try:
        found = base**exponent
    except (ZeroDivisionError, OverflowError):
        return math.nan
    return found if isinstance(found, float) else math.nan
