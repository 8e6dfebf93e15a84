"""Bases of curves: functions of a covariate, fixed once from the records and then the same for every value."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.polynomial import legendre

from breedeval.arrays import Float64
from breedeval.model.spec import Covariable


@dataclass(frozen=True)
class Basis:
    """A covariable with what was taken from the data.

    Parameters
    ----------
    covariable
        What is computed.
    low, high
        Range of the basis; for functions without one, of the values observed.
    knots
        Of a spline, the ends of its range included; else empty.
    mean
        Subtracted by ``center``.
    """

    covariable: Covariable
    low: float
    high: float
    knots: tuple[float, ...] = ()
    mean: float = 0.0

    @property
    def has_range(self) -> bool:
        """Whether the functions are defined from `low` to `high` only."""
        return self.covariable.function in ("legendre", "spline", "bspline")

    def evaluate(self, x: Float64) -> Float64:
        """(m, c) values of the c functions at x (m,)."""
        match self.covariable.function:
            case "log":
                return np.log(x)[:, None]
            case "sqrt":
                return np.sqrt(x)[:, None]
            case "center":
                return (x - self.mean)[:, None]
            case "poly":
                return x[:, None] ** np.arange(1, self.covariable.degree + 1)
            case "legendre":
                return legendre_functions(x, self.covariable.degree, self.low, self.high)
            case "spline":
                return natural_spline_functions(x, self.knots)
            case "bspline":
                return b_spline_functions(x, self.knots, self.covariable.pieces)
            case _:
                return x[:, None]

    @property
    def note(self) -> str | None:
        """What was taken from the data or chosen, which a user needs to read the solutions; None if nothing was."""
        covariable = self.covariable
        if covariable.function == "center":
            return f"{covariable.text}: {covariable.column} minus its mean {self.mean:g}"
        if not self.has_range:
            return None
        observed = "observed" if covariable.low is None and not covariable.knots else "given"
        if covariable.function == "legendre":
            return f"{covariable.text}: standardized from {self.low:g} to {self.high:g} ({observed})"
        placing = {
            "equidistant": f"equidistant on the {observed} range",
            "quantiles": f"quantiles of the records, ends {observed}",
            "given": "given",
        }[covariable.placing]
        at = f"{len(self.knots)} knots at {', '.join(f'{knot:g}' for knot in self.knots)} ({placing})"
        if covariable.function == "spline":
            return f"{covariable.text}: natural cubic spline, {at}; each coefficient is the value of the curve at its knot"
        return f"{covariable.text}: {covariable.degree} B-splines of degree {covariable.pieces}, {at}"


def legendre_functions(x: Float64, degree: int, low: float, high: float) -> Float64:
    """Normalized Legendre polynomials sqrt((2k+1)/2) P_k on [−1, 1] (Kirkpatrick, Lofsvold and Bulmer 1990).

    Examples
    --------
    >>> legendre_functions(np.array([4.0, 310.0]), 2, 4, 310).round(4).tolist()
    [[0.7071, -1.2247, 1.5811], [0.7071, 1.2247, 1.5811]]
    """
    scaled = -1.0 + 2.0 * (x - low) / (high - low)
    order = np.arange(degree + 1)
    return (legendre.legvander(scaled, degree) * np.sqrt((2 * order + 1) / 2)).astype(np.float64)


def natural_spline_functions(x: Float64, knots: tuple[float, ...]) -> Float64:
    """Natural cubic splines that are one at one knot and zero at the others.

    Their coefficients are the values of the curve at the knots, so a covariance matrix of coefficients is one of the trait at
    these points of the trajectory. Source: P. J. Green and B. W. Silverman (1994), Nonparametric Regression and Generalized
    Linear Models, section 2.1; White, Thompson and Brotherstone (1999), Journal of Dairy Science 82: 632, for test days.

    Examples
    --------
    >>> natural_spline_functions(np.array([5.0, 150, 305]), (5.0, 150.0, 305.0)).round(12).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    place = np.asarray(knots, dtype=np.float64)
    # on [0, 1] the spline is the same, and so is the rounding, in every unit of x
    width = place[-1] - place[0]
    spline = _splines().CubicSpline((place - place[0]) / width, np.eye(len(place)), bc_type="natural")
    values: Float64 = spline((x - place[0]) / width)
    return values


def b_spline_functions(x: Float64, knots: tuple[float, ...], degree: int) -> Float64:
    """B-splines of a degree on knots whose ends are repeated; they are never negative and their sum is one.

    Source: C. de Boor (1978), A Practical Guide to Splines, chapter 9; Meyer (2005), Genetics Selection Evolution 37: 473, for
    random regressions.

    Examples
    --------
    >>> b_spline_functions(np.array([0.0, 1.0, 4.0]), (0.0, 2.0, 4.0), 1).tolist()
    [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]
    """
    place = np.concatenate([[knots[0]] * degree, knots, [knots[-1]] * degree])
    values: Float64 = _splines().BSpline.design_matrix(np.asarray(x, dtype=np.float64), place, degree).toarray()
    return values


def _splines() -> Any:
    # Slow to load, and few models have splines.
    return import_module("scipy.interpolate")
