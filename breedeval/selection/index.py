"""Selection indices as the configuration of a run declared them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from breedeval.errors import UnknownNameError, name_some


def index_weights(record: Mapping[str, Any], name: str) -> dict[str, float]:
    """Weights of one index, from the run record of a results file.

    Raises
    ------
    UnknownNameError
        If the configuration of the run declared no such index.
    """
    declared: dict[str, dict[str, float]] = record["choices"]["index"]
    if name not in declared:
        there = (
            f"There are: {name_some(declared, 50)}."
            if declared
            else "It declared none; add a section index: and evaluate again."
        )
        raise UnknownNameError(
            f"The configuration of this run has no index '{name}'. {there}", name=name, nearest=list(declared)
        )
    return declared[name]
