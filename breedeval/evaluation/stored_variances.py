"""Variances of a configuration that stand in a results file: those that were estimated, or used, before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from breedeval.errors import VarianceError, name_some
from breedeval.evaluation.config import EvaluationConfig
from breedeval.evaluation.config_checks import has_file
from breedeval.evaluation.variance_files import TakenVariances, WrittenVariances, path_of, variance_files
from breedeval.model.covariance import Problem, RandomBlockSpec, assign_variance_keys, random_blocks
from breedeval.model.variances import Covariance, ResidualCovariance, Variances, interval_names, variance_error
from breedeval.results.stored import StoredVariances, read_stored_variances


def written_variances(config: EvaluationConfig) -> WrittenVariances:
    """The section ``variances`` with numbers in the place of files, and what a user should know of the files.

    Raises
    ------
    ResultsError
        If a file cannot be read.
    VarianceError
        If a file lacks an effect of the model; all that is missing is named.
    """
    if not variance_files(config):
        return WrittenVariances(config.variances, ())
    blocks = random_blocks(config.spec)
    files: dict[str, StoredVariances] = {}
    problems: list[Problem] = []
    found: dict[str, Any] = {}
    taken: list[TakenVariances] = []
    general = config.variances["file"] if has_file(config.variances, config.spec) else None
    by_hand = {key: value for key, value in config.variances.items() if not (general is not None and key == "file")}
    assigned, _ = assign_variance_keys(by_hand, blocks, partial=True)
    for key, value in by_hand.items():
        if isinstance(value, Mapping) and "file" in value:
            block = next((b for b in blocks if assigned.get(b.key) == key), None)
            found[key] = _take(config, str(value["file"]), key, block, files, problems, taken)
        else:
            found[key] = value
    if general is not None:
        for block in blocks:
            if block.key not in assigned:
                found[block.key] = _take(config, general, "file", block, files, problems, taken)
        if "residual" not in found:
            found["residual"] = _take(config, general, "file", None, files, problems, taken)
    if problems:
        raise variance_error(problems, config.where)
    notes = [f"variances: {path}: {stored.warning}" for path, stored in files.items() if stored.warning]
    return WrittenVariances(found, tuple(notes), tuple(taken))


def _take(
    config: EvaluationConfig,
    name: str,
    key: str,
    block: RandomBlockSpec | None,
    files: dict[str, StoredVariances],
    problems: list[Problem],
    taken: list[TakenVariances],
) -> Any:
    """What stands in a file for a block, or for the residual where `block` is None, as a user would write it.

    What was taken is added to `taken`.
    """
    if name not in files:
        files[name] = read_stored_variances(path_of(config, name))
    stored = files[name].variances
    try:
        if block is None:
            taken.append(TakenVariances(key, name, None, "residual", files[name].terms))
            return _residual(stored.residual, config.spec.trait_names, name)
        stored_key = _key_in(stored, block, name)
        taken.append(TakenVariances(key, name, block.key, stored_key, files[name].terms))
        return _random(stored, block, stored_key, name)
    except VarianceError as error:
        problems.append(((key,), error.message))
        return None


def _key_in(stored: Variances, block: RandomBlockSpec, name: str) -> str:
    keys = [key for key in block.keys if key in stored.random]
    if not keys:
        raise VarianceError(f"{name} has no variance of {block.name}. It has {name_some(stored.random, shown=20)}.")
    return keys[0]


def _random(stored: Variances, block: RandomBlockSpec, key: str, name: str) -> dict[str, Any]:
    return {"labels": list(block.labels), "matrix": _part(stored.random[key], block.labels, f"{name}, {key}")}


def _residual(stored: ResidualCovariance, traits: tuple[str, ...], name: str) -> dict[str, Any]:
    parts = {
        key: {"labels": list(traits), "matrix": _part(Covariance(stored.labels, matrix), traits, f"{name}, residual")}
        for key, matrix in stored.matrices.items()
    }
    if stored.up_to:
        ordered = [parts[interval] for interval in interval_names(stored.up_to)]
        return {"by": stored.by, "up_to": list(stored.up_to), "matrices": ordered}
    return next(iter(parts.values())) if stored.by is None else {"by": stored.by, "matrices": parts}


def _part(covariance: Covariance, labels: tuple[str, ...], where: str) -> list[list[float]]:
    absent = [label for label in labels if label not in covariance.labels]
    if absent:
        raise VarianceError(
            f"{where} has no {name_some(absent)}; it has {name_some(covariance.labels, shown=20)}. Write the numbers, or "
            "estimate with this model."
        )
    rows = [covariance.labels.index(label) for label in labels]
    found: list[list[float]] = covariance.matrix[np.ix_(rows, rows)].tolist()
    return found
