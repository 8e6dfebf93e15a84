"""Files that a configuration names for its variances; `breedeval.evaluation.stored_variances` reads them.

Apart, because a run without such files has no need of the library that reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from breedeval.errors import VarianceError
from breedeval.evaluation.config import EvaluationConfig
from breedeval.evaluation.config_checks import has_file
from breedeval.evaluation.config_values import expand_path
from breedeval.model.variance_terms import VarianceTerms


@dataclass(frozen=True)
class TakenVariances:
    """(Co)variances of one block, or of the residual, that came from a file.

    Parameters
    ----------
    key
        Of the section ``variances`` that names the file: ``file``, or that of the block.
    file
        As the configuration names it.
    block
        Key of the block; None for the residual.
    stored_key
        Its key in the file.
    terms
        What all (co)variances of the file belong to; None if the file does not say so.
    """

    key: str
    file: str
    block: str | None
    stored_key: str
    terms: VarianceTerms | None


@dataclass(frozen=True)
class WrittenVariances:
    """The section ``variances`` with numbers in the place of files, and what a user should know of the files.

    `taken` says what came from files.
    """

    section: Mapping[str, Any]
    notes: tuple[str, ...]
    taken: tuple[TakenVariances, ...] = ()


def variance_files(config: EvaluationConfig) -> list[Path]:
    """Files that the section ``variances`` names."""
    named = [value["file"] for value in config.variances.values() if isinstance(value, Mapping) and "file" in value]
    if has_file(config.variances, config.spec):
        named.append(config.variances["file"])
    return [path_of(config, name) for name in dict.fromkeys(named)]


def with_start(config: EvaluationConfig, path: Path) -> EvaluationConfig:
    """The configuration with the variances of a file."""
    return replace(config, variances=MappingProxyType({"file": str(path.resolve())}))


def path_of(config: EvaluationConfig, name: str) -> Path:
    """The path of a file that the section names.

    Raises
    ------
    VarianceError
        If an environment variable in it is not set.
    """
    try:
        return expand_path(name, config.source.path.parent)
    except ValueError as error:
        raise VarianceError(f"{config.where(('variances',))}: variances: {error}") from None
