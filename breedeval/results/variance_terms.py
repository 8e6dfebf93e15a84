"""What (co)variances belong to, as a file holds it: a JSON text for each row of a matrix."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, asdict, fields
from types import MappingProxyType

import h5py
import numpy as np

from breedeval.model.variance_terms import VarianceTerm, VarianceTerms
from breedeval.results import schema

#: The data set beside the labels of a random effect, and attributes of the residual.
TERMS, WEIGHTS, DEVIATIONS = "terms", "weights", "deviations"
_DEFAULTS = {one.name: one.default for one in fields(VarianceTerm)}


def term_to_json(term: VarianceTerm) -> str:
    """A term as JSON, without what it does not have.

    Examples
    --------
    >>> term_to_json(VarianceTerm("genetic", "id", "pedigree", function="poly", covariate="dim", coefficients=2))
    '{"kind": "genetic", "column": "id", "relationship": "pedigree", "function": "poly", "covariate": "dim", "coefficients": 2}'
    """
    return json.dumps(
        {k: v for k, v in asdict(term).items() if _DEFAULTS[k] is MISSING or v != _DEFAULTS[k]}, ensure_ascii=False
    )


def term_from_json(text: str) -> VarianceTerm:
    """The term of a text that `term_to_json` made; keys that a later version may add are passed over."""
    found = {key: value for key, value in json.loads(text).items() if key in _DEFAULTS}
    return VarianceTerm(**{**found, "knots": tuple(found.get("knots", ()))})


def write_terms(group: h5py.Group, labels: Iterable[str], terms: Mapping[str, VarianceTerm]) -> None:
    """Write what the rows of one matrix belong to, beside its labels."""
    texts = [term_to_json(terms[label]) for label in labels if label in terms]
    if texts:
        group[TERMS] = texts


def write_residual_terms(group: h5py.Group, labels: Iterable[str], terms: VarianceTerms) -> None:
    """Write weights and standard deviations of the traits beside the residual (co)variances."""
    if terms.deviations:
        group.attrs[WEIGHTS] = [terms.weights[label] for label in labels]
        group.attrs[DEVIATIONS] = np.array([terms.deviations[label] for label in labels])


def read_terms(group: h5py.Group) -> VarianceTerms | None:
    """What stands in ``/variances``; None in a file of a version that did not write it."""
    residual = group["residual"]
    if DEVIATIONS not in residual.attrs:
        return None
    random = {
        schema.name_of_group(name): MappingProxyType(
            dict(zip(_texts(part["labels"]), map(term_from_json, _texts(part[TERMS])), strict=True))
        )
        for name, part in group.items()
        if name != "residual" and TERMS in part
    }
    labels = _texts(residual["labels"])
    weights = dict(zip(labels, map(str, residual.attrs[WEIGHTS]), strict=True))
    return VarianceTerms(random, weights, dict(zip(labels, map(float, residual.attrs[DEVIATIONS]), strict=True)))


def _texts(dataset: h5py.Dataset) -> list[str]:
    return [str(text) for text in dataset.asstr()[()]]
