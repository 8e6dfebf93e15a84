"""Estimates as users read them: each (co)variance and function with its standard error and what is to be said of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from breedeval.arrays import Bool, Float64
from breedeval.variance.dual import Dual
from breedeval.variance.hypotheses import wald_tests
from breedeval.variance.maximize import Maximum
from breedeval.variance.parameters import Parameters
from breedeval.variance.profile import profile_interval
from breedeval.variance.quantities import Elements, Quantity

#: Fixed effects with more coefficients than this are not listed one by one.
MOST_SHOWN = 30
#: A ratio of variances below this is zero.
ZERO_RATIO = 1e-7


@dataclass(frozen=True)
class Estimate:
    """One number with its uncertainty.

    Parameters
    ----------
    kind, name
        What it is: ``variance``, ``covariance``, ``heritability`` ...; and of what.
    estimate, standard_error
        Value, and standard error (nan where there is none).
    lower, upper
        Interval, nan where not asked for.
    note
        ``fixed``, ``at the boundary``, and the like.
    """

    kind: str
    name: str
    estimate: float
    standard_error: float = math.nan
    lower: float = math.nan
    upper: float = math.nan
    note: str = ""


@dataclass(frozen=True)
class Fit:
    """The log-likelihood by its conventions and what follows from it.

    Parameters
    ----------
    log_likelihood, without_2pi
        With all constants; without the terms in 2π.
    n_observations, n_fixed, n_parameters
        Observations; rank of the fixed effects; (co)variances that were estimated and are not at the boundary.
    aic, bic
        Information criteria. By REML they count the (co)variances only, and n − p observations; by ML all effects, and n.
    """

    log_likelihood: float
    without_2pi: float
    n_observations: int
    n_fixed: int
    n_parameters: int
    aic: float
    bic: float

    def items(self) -> Iterator[tuple[str, float]]:
        """Names for people, and values."""
        yield "log-likelihood", self.log_likelihood
        yield "log-likelihood without 2π", self.without_2pi
        yield "-2 log-likelihood", -2.0 * self.log_likelihood
        yield "AIC", self.aic
        yield "BIC", self.bic
        yield "observations", self.n_observations
        yield "rank of fixed effects", self.n_fixed
        yield "(co)variances", self.n_parameters

    def items_as_mapping(self) -> dict[str, float]:
        """The fields by name."""
        return dict(vars(self))


def fit_of(maximum: Maximum) -> Fit:
    """Log-likelihood and information criteria (Akaike 1973; Schwarz 1978, Ann. Stat. 6:461)."""
    point, found = maximum.point, maximum.point.log_likelihood
    system = point.system
    n_boundary = sum(int(factor.at_boundary().sum()) for factor in maximum.cholesky.factors if factor.elements)
    n_parameters = len(maximum.parameters.elements) - n_boundary
    counted = n_parameters + (system.rank if point.likelihood == "ml" else 0)
    return Fit(
        log_likelihood=found.value,
        without_2pi=found.without_2pi,
        n_observations=system.n_observations,
        n_fixed=system.rank,
        n_parameters=n_parameters,
        aic=-2.0 * found.value + 2.0 * counted,
        bic=-2.0 * found.value + counted * math.log(max(found.n, 1)),
    )


def estimates_of(maximum: Maximum, covariance: Float64, quantities: list[Quantity]) -> list[Estimate]:
    """Every (co)variance, then every function of them.

    Parameters
    ----------
    covariance
        Sampling covariance of θ.
    quantities
        Functions to give as well.
    """
    parameters, matrices = maximum.parameters, maximum.point.matrices
    errors = standard_error_matrices(parameters, covariance)
    low = _boundary_notes(maximum)
    informed = np.diag(maximum.information) > 0
    sampled = None if maximum.noise is None else standard_error_matrices(parameters, maximum.noise.covariance)
    found: list[Estimate] = []
    for number, matrix in enumerate(parameters.matrices):
        prefix = f"residual {matrix.name}" if matrix.is_residual and parameters.by else matrix.name
        for i in range(matrix.size):
            for j in range(i, matrix.size):
                if i != j and matrix.structure == "diagonal":
                    continue
                name = f"{prefix} {matrix.labels[i]}" + ("" if i == j else f",{matrix.labels[j]}")
                note = "fixed" if matrix.structure == "fixed" else low[number][i] if i == j else ""
                key = (number, i, j)
                value = float(matrices[number][i, j])
                if key in parameters.elements and not informed[parameters.elements.index(key)] and not note:
                    note = "no record tells: not estimated"
                if sampled is not None and np.isfinite(sampled[number][i, j]):
                    part = f"Monte Carlo error {sampled[number][i, j]:.3g}, within the standard error"
                    note = f"{note}; {part}" if note else part
                kind = "variance" if i == j else "covariance"
                found.append(Estimate(kind, name, value, float(errors[number][i, j]), note=note))
    elements = Elements(parameters, matrices)
    return [*found, *(_of_quantity(one, one.function(elements), covariance) for one in quantities)]


def _of_quantity(quantity: Quantity, value: Dual, covariance: Float64) -> Estimate:
    note, error = "" if math.isfinite(value.value) else "not defined here", value.standard_error(covariance)
    if quantity.kind in ("heritability", "ratio") and 0 <= value.value < ZERO_RATIO:
        note, error = "zero: at the boundary", math.nan
    return Estimate(quantity.kind, quantity.name, value.value, error, note=note)


def with_intervals(maximum: Maximum, estimates: list[Estimate], quantities: list[Quantity], level: float) -> Iterator[Estimate]:
    """The same estimates with profile likelihood intervals."""
    places = {name: place for place, name in enumerate(maximum.parameters.names)}
    functions = {(quantity.kind, quantity.name): quantity for quantity in quantities}
    for one in estimates:
        quantity = functions.get((one.kind, one.name))
        if one.name in places and one.kind in ("variance", "covariance"):
            quantity = _element_quantity(maximum, one, places[one.name])
        if quantity is None:
            yield one
            continue
        interval = profile_interval(maximum, quantity, one.standard_error, level)
        note = "; ".join(part for part in (one.note, interval.note) if part)
        yield replace(one, lower=interval.lower, upper=interval.upper, note=note)


def _element_quantity(maximum: Maximum, one: Estimate, place: int) -> Quantity:
    number, i, j = maximum.parameters.elements[place]
    return Quantity(one.kind, one.name, lambda e: e.element(number, i, j))


def fixed_effects_of(maximum: Maximum) -> Iterator[Estimate]:
    """Coefficients of fixed effects with few of them, then Wald's tests; none by Monte Carlo, without their variances."""
    if maximum.noise is not None:
        return
    tests = wald_tests(maximum)
    kept = maximum.point.system.kept
    for block, _, values, covariance in tests:
        equations = kept[(kept >= block.first) & (kept < block.equations.stop)]
        for equation, value, error in zip(equations, values, np.sqrt(np.diag(covariance)), strict=True):
            if len(values) <= MOST_SHOWN:
                yield Estimate("fixed effect", block.label(int(equation)), float(value), float(error))
    for block, test, _, _ in tests:
        yield Estimate("Wald test", block.name, test.statistic, note=test.sentence())


def standard_error_matrices(parameters: Parameters, covariance: Float64) -> list[Float64]:
    """Standard errors in the places of the (co)variances; nan where there is none."""
    found = [np.full((matrix.size, matrix.size), np.nan) for matrix in parameters.matrices]
    for (number, i, j), square in zip(parameters.elements, np.diag(covariance), strict=True):
        error = math.sqrt(square) if square > 0 else math.nan
        found[number][i, j] = found[number][j, i] = error
    return found


def boundary_sentences(maximum: Maximum) -> list[str]:
    """What stands at the boundary of the parameter space, for a person."""
    found = []
    for matrix, value, factor in zip(
        maximum.parameters.matrices, maximum.point.matrices, maximum.cholesky.factors, strict=True
    ):
        n_low = int(factor.at_boundary().sum()) if factor.elements else 0
        if not n_low:
            continue
        small = np.diag(value) <= matrix.boundary * matrix.scale**2
        zero = [label for label, is_small in zip(matrix.labels, small, strict=True) if is_small]
        what = f"residual {matrix.name}" if matrix.is_residual and matrix.name != "residual" else matrix.name
        if zero:
            found.append(
                f"{what}: the variance of {', '.join(zero)} is estimated as zero, at the boundary of the parameter space"
            )
        if n_low > len(zero):
            found.append(
                f"{what}: the matrix is singular (rank {matrix.size - n_low} of {matrix.size}), at the boundary of "
                f"the parameter space: {_correlations(matrix.labels, value, small)}"
            )
    return found


def _correlations(labels: tuple[str, ...], value: Float64, small: Bool) -> str:
    pairs = [
        f"correlation of {labels[i]} and {labels[j]} {value[i, j] / math.sqrt(value[i, i] * value[j, j]):.3f}"
        for i in range(len(labels))
        for j in range(i + 1, len(labels))
        if not small[i] and not small[j] and value[i, j] ** 2 > 0.999 * value[i, i] * value[j, j]
    ]
    return "; ".join(pairs) or "some combination of its effects has no variance"


def _boundary_notes(maximum: Maximum) -> list[list[str]]:
    notes = []
    for matrix, value, factor in zip(
        maximum.parameters.matrices, maximum.point.matrices, maximum.cholesky.factors, strict=True
    ):
        singular = bool(factor.elements) and bool(factor.at_boundary().any())
        small = np.diag(value) <= matrix.boundary * matrix.scale**2
        notes.append(["zero: at the boundary" if s else "matrix singular: at the boundary" if singular else "" for s in small])
    return notes
