"""Reading the (co)variances of a file that an evaluation or an estimation wrote."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import h5py

from breedeval.arrays import Float64, freeze
from breedeval.errors import ResultsError
from breedeval.model.variance_terms import VarianceTerms
from breedeval.model.variances import Covariance, ResidualCovariance, Variances
from breedeval.results import schema
from breedeval.results.variance_terms import read_terms


@dataclass(frozen=True)
class StoredVariances:
    """(Co)variances of a file, and what to warn of; `warning` is empty where there is nothing.

    `terms` say what they belong to; None in files of versions that did not write it.
    """

    variances: Variances
    warning: str
    terms: VarianceTerms | None = None


def read_stored_variances(path: Path) -> StoredVariances:
    """Read ``/variances`` of a results file or a file of estimates.

    Raises
    ------
    ResultsError
        If the file is not there or is something else.
    """
    if not path.is_file():
        raise ResultsError(f"There is no file {path} with variances. Run 'breedeval estimate CONFIG -o {path}' to make it.")
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") not in (schema.FORMAT, schema.ESTIMATES_FORMAT) or schema.VARIANCES not in file:
                raise ResultsError(
                    f"{path} is HDF5, but no file of breedeval with variances. Give one that 'breedeval estimate' wrote."
                )
            return StoredVariances(_variances(file[schema.VARIANCES]), _warning(file), read_terms(file[schema.VARIANCES]))
    except OSError as error:
        raise ResultsError(f"{path} cannot be read as HDF5: it is damaged or something else. Estimate again.") from error


def _warning(file: h5py.File) -> str:
    if schema.ESTIMATION not in file or file[schema.ESTIMATION].attrs["status"] == "converged":
        return ""
    return f"the estimation did not converge ({file[schema.ESTIMATION].attrs['sentence']})."


def _variances(group: h5py.Group) -> Variances:
    random = {
        schema.name_of_group(name): Covariance(_labels(part), _matrix(part))
        for name, part in group.items()
        if name != "residual"
    }
    part = group["residual"]
    by = part.attrs.get("by")
    if by is None:
        matrices = {"all": _matrix(part)}
    else:
        matrices = {schema.name_of_group(name): _matrix(one) for name, one in part.items() if isinstance(one, h5py.Group)}
    up_to = tuple(float(bound) for bound in part.attrs.get("up_to", ()))
    residual = ResidualCovariance(MappingProxyType(matrices), _labels(part), None if by is None else str(by), up_to)
    return Variances(MappingProxyType(random), residual)


def _labels(group: h5py.Group) -> tuple[str, ...]:
    return tuple(str(label) for label in group["labels"].asstr()[()])


def _matrix(group: h5py.Group) -> Float64:
    return freeze(group["matrix"][()])
