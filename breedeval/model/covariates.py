"""Covariates of the used records: their basis, and everything that the values make impossible."""

from __future__ import annotations

import numpy as np

from breedeval.arrays import Float64, Int64
from breedeval.errors import RecordsError, count_of, name_some
from breedeval.model.bases import Basis
from breedeval.model.spec import Covariable
from breedeval.source import Source


def evaluate_covariable(covariable: Covariable, x: Float64, rows: Int64, source: Source) -> tuple[Float64, str | None]:
    """Evaluate a covariable on the values of the used records.

    Parameters
    ----------
    covariable
        What to compute.
    x
        (m,) values of the column, none missing.
    rows, source
        (m,) rows of the records in their file, for messages.

    Returns
    -------
    values : (m, c) float64
    note : str or None
        What was taken from the data (a mean, a range, knots), which a user needs to read the solutions.

    Raises
    ------
    RecordsError
        If a value is outside the function's domain.
    """
    basis = fit_basis(covariable, x, rows, source)
    return basis.evaluate(x), basis.note


def fit_basis(covariable: Covariable, x: Float64, rows: Int64, source: Source) -> Basis:
    """Take from the values of the used records what a covariable needs of them: mean, range, knots.

    Parameters
    ----------
    covariable, x, rows, source
        As of `evaluate_covariable`.

    Raises
    ------
    RecordsError
        If a value is outside the function's domain, or the values do not vary where they must.
    """
    if covariable.function in ("log", "sqrt"):
        _refuse_outside_domain(covariable, x, rows, source)
    low, high = _range(covariable, x)
    basis = Basis(covariable, low, high, mean=float(x.mean()) if covariable.function == "center" else 0.0)
    if not basis.has_range:
        return basis
    outside = (x < low) | (x > high)
    if outside.any():
        raise RecordsError(
            f"{covariable.text}: {count_of(int(outside.sum()), 'value')} of {covariable.column} outside {low:g} to {high:g} "
            f"{source.where(rows[outside])}. Widen the range or leave these records out."
        )
    if x.min() == x.max() and (covariable.n_coefficients > 1 or not high > low):
        raise RecordsError(
            f"{covariable.text}: every {covariable.column} is {x[0]:g}; a regression needs at least two values. Take it out."
        )
    return Basis(covariable, low, high, _knots(covariable, x, low, high)) if covariable.function != "legendre" else basis


def _refuse_outside_domain(covariable: Covariable, x: Float64, rows: Int64, source: Source) -> None:
    bad = x <= 0 if covariable.function == "log" else x < 0
    if bad.any():
        limit = "zero or negative" if covariable.function == "log" else "negative"
        raise RecordsError(
            f"{covariable.text}: {count_of(int(bad.sum()), 'value')} of {covariable.column} {limit} "
            f"{source.where(rows[bad])}. Correct them or list their code under records: missing."
        )


def _range(covariable: Covariable, x: Float64) -> tuple[float, float]:
    """Range that is given, by its ends or by knots, else observed."""
    if covariable.knots:
        return covariable.knots[0], covariable.knots[-1]
    if covariable.low is not None and covariable.high is not None:
        return covariable.low, covariable.high
    return float(x.min()), float(x.max())


def _knots(covariable: Covariable, x: Float64, low: float, high: float) -> tuple[float, ...]:
    if covariable.knots:
        return covariable.knots
    count = covariable.degree if covariable.function == "spline" else covariable.degree - covariable.pieces + 1
    share = np.linspace(0.0, 1.0, count)
    if covariable.placing == "equidistant":
        knots = low + (high - low) * share
        knots[-1] = high
    else:
        knots = np.concatenate([[low], np.quantile(x, share[1:-1]), [high]])
    twice = np.unique(knots[1:][np.diff(knots) <= 0])
    if len(twice):
        places = name_some(f"{knot:g}" for knot in twice)
        raise RecordsError(
            f"{covariable.text}: {count_of(len(knots), 'knot')} coincide at {places}, because many records share a "
            f"{covariable.column}. Take fewer knots, or give them: knots({low:g}, ..., {high:g})."
        )
    return tuple(map(float, knots))
