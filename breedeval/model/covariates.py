"""Covariates as numbers: transformations and bases, evaluated on the records that are used."""

from __future__ import annotations

import numpy as np
from numpy.polynomial import legendre

from breedeval.arrays import Float64, Int64
from breedeval.errors import ConfigError, RecordsError, count_of
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
        What was taken from the data (a mean, a range), which a user needs to read the solutions.

    Raises
    ------
    RecordsError
        If a value is outside the function's domain.
    """
    match covariable.function:
        case "identity":
            return x[:, None], None
        case "log" | "sqrt":
            return _log_or_sqrt(covariable, x, rows, source), None
        case "center":
            mean = float(x.mean())
            return (x - mean)[:, None], f"{covariable.text}: {covariable.column} minus its mean {mean:g}"
        case "poly":
            return x[:, None] ** np.arange(1, covariable.degree + 1), None
        case "legendre":
            return _legendre(covariable, x, rows, source)
        case _:
            raise ConfigError(f"{covariable.text}: {covariable.function} is not available in this version. Use legendre().")


def _log_or_sqrt(covariable: Covariable, x: Float64, rows: Int64, source: Source) -> Float64:
    bad = x <= 0 if covariable.function == "log" else x < 0
    if bad.any():
        limit = "zero or negative" if covariable.function == "log" else "negative"
        raise RecordsError(
            f"{covariable.text}: {count_of(int(bad.sum()), 'value')} of {covariable.column} {limit} "
            f"{source.where(rows[bad])}. Correct them or list their code under records: missing."
        )
    return (np.log(x) if covariable.function == "log" else np.sqrt(x))[:, None]


def _legendre(covariable: Covariable, x: Float64, rows: Int64, source: Source) -> tuple[Float64, str]:
    """Normalized Legendre polynomials sqrt((2k+1)/2) P_k on [−1, 1] (Kirkpatrick, Lofsvold and Bulmer 1990)."""
    given = covariable.low is not None and covariable.high is not None
    low = float(covariable.low) if covariable.low is not None and given else float(x.min())
    high = float(covariable.high) if covariable.high is not None and given else float(x.max())
    outside = (x < low) | (x > high)
    if outside.any():
        raise RecordsError(
            f"{covariable.text}: {count_of(int(outside.sum()), 'value')} of {covariable.column} outside {low:g} to {high:g} "
            f"{source.where(rows[outside])}. Widen the range or leave these records out."
        )
    if not high > low:
        raise RecordsError(f"{covariable.text}: every {covariable.column} is {low:g}; a regression needs at least two values.")
    scaled = -1.0 + 2.0 * (x - low) / (high - low)
    order = np.arange(covariable.degree + 1)
    values = (legendre.legvander(scaled, covariable.degree) * np.sqrt((2 * order + 1) / 2)).astype(np.float64)
    return values, f"{covariable.text}: standardized from {low:g} to {high:g} ({'given' if given else 'observed'})"
