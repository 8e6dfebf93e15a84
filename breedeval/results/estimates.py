"""What an estimation of (co)variances consists of, in memory and in its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

from breedeval.arrays import Float64
from breedeval.model.variance_terms import VarianceTerms
from breedeval.model.variances import Variances
from breedeval.results import schema
from breedeval.results.new_file import new_file
from breedeval.results.variance_terms import write_residual_terms, write_terms
from breedeval.variance.components import Estimate, Fit, standard_error_matrices
from breedeval.variance.maximize import Maximum, Round


@dataclass(frozen=True)
class EstimationResults:
    """Everything that an estimation found.

    Parameters
    ----------
    title, created
        Of the configuration; time of completion, UTC.
    maximum
        Where the likelihood was maximized, with every round.
    estimates
        (Co)variances and functions of them, with standard errors and perhaps intervals; then tests.
    covariance
        Sampling covariance of the (co)variances, in the order of `maximum.parameters.names`.
    fit
        Log-likelihood in its conventions, AIC, BIC.
    config_text, record
        The configuration as written; the run record.
    variance_terms
        What the (co)variances belong to.
    """

    title: str
    created: str
    maximum: Maximum
    estimates: tuple[Estimate, ...]
    covariance: Float64
    fit: Fit
    config_text: str
    record: Mapping[str, Any]
    variance_terms: VarianceTerms = field(default_factory=VarianceTerms)

    @property
    def converged(self) -> bool:
        """Whether the maximum was reached."""
        return self.maximum.ending.code == "converged"

    @property
    def variances(self) -> Variances:
        """The estimates as a model uses them."""
        return self.maximum.parameters.to_variances(self.maximum.point.matrices)

    @property
    def rounds(self) -> tuple[Round, ...]:
        """Every round."""
        return self.maximum.rounds

    def table(self) -> pd.DataFrame:
        """One row an estimate: kind, name, estimate, standard_error, lower, upper, note; then the fit."""
        rows = [vars(estimate) for estimate in self.estimates]
        rows += [{"kind": "fit", "name": name, "estimate": float(value)} for name, value in self.fit.items()]
        frame = pd.DataFrame(rows, columns=list(schema.ESTIMATE_COLUMNS))
        for column in schema.ESTIMATE_NUMBERS:
            frame[column] = frame[column].astype(float)
        frame["note"] = frame["note"].fillna("")
        return frame

    def estimate(self, kind: str, name: str) -> Estimate:
        """One estimate by kind and name."""
        return next(one for one in self.estimates if (one.kind, one.name) == (kind, name))


def write_estimates(path: Path, results: EstimationResults) -> None:
    """Write an estimation to one HDF5 file, whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written; what stood under `path` is then untouched.
    """
    with new_file(path, schema.ESTIMATES_FORMAT, schema.ESTIMATES_VERSION, results) as file:
        _write_variances(file.create_group(schema.VARIANCES, track_order=True), results)
        _write_estimation(file.create_group(schema.ESTIMATION, track_order=True), results)


def _write_variances(group: h5py.Group, results: EstimationResults) -> None:
    parameters = results.maximum.parameters
    errors = standard_error_matrices(parameters, results.covariance)
    group.attrs["log_likelihood"] = results.fit.log_likelihood
    for matrix, value, error in zip(parameters.matrices, results.maximum.point.matrices, errors, strict=True):
        if not matrix.is_residual or parameters.by is None:
            part = group.create_group("residual" if matrix.is_residual else schema.group_name(matrix.name))
            part["labels"] = list(matrix.labels)
            if not matrix.is_residual:
                write_terms(part, matrix.labels, results.variance_terms.random.get(matrix.name, {}))
        else:
            if "residual" not in group:
                group.create_group("residual", track_order=True).attrs["by"] = parameters.by
                if parameters.up_to:
                    group["residual"].attrs["up_to"] = np.array(parameters.up_to)
                group["residual"]["labels"] = list(matrix.labels)
            part = group["residual"].create_group(schema.group_name(matrix.name))
        part["matrix"], part["standard_error"] = value, error
        part.attrs["structure"] = matrix.structure
        part.attrs["log_likelihood"] = results.fit.log_likelihood
    write_residual_terms(group["residual"], parameters.matrices[-1].labels, results.variance_terms)


def _write_estimation(group: h5py.Group, results: EstimationResults) -> None:
    maximum = results.maximum
    group.attrs.update({"status": maximum.ending.code, "sentence": maximum.ending.sentence, **results.fit.items_as_mapping()})
    group.attrs["likelihood"] = maximum.point.likelihood
    group.attrs["rounds"] = len(maximum.rounds) - 1
    group["parameters"] = list(maximum.parameters.names) or np.empty(0, dtype=h5py.string_dtype())
    group["covariance"] = results.covariance
    if maximum.noise is not None:
        group["monte_carlo_covariance"] = maximum.noise.covariance
        group.attrs["samples"] = maximum.noise.n_samples
    history = group.create_group("history")
    history["step"] = [one.kind for one in maximum.rounds]
    for name in ("log_likelihood", "change", "gradient", "decrement", "n_samples", "noise"):
        history[name] = [getattr(one, name) for one in maximum.rounds]
    history["theta"] = np.array([one.theta for one in maximum.rounds])
    table = group.create_group("table")
    frame = results.table()
    for name in schema.ESTIMATE_TEXTS:
        table[name] = frame[name].tolist()
    for name in schema.ESTIMATE_NUMBERS:
        table[name] = frame[name].to_numpy(float)
