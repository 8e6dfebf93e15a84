"""breedeval: genetic evaluation, from a pedigree and records to ranked breeding values.

The public names, listed once. Each is imported when it is first asked for, so that ``import breedeval`` and
``breedeval --help`` cost next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from breedeval.version import __version__

_PUBLIC = {
    "Inbreeding": "breedeval.relationship.inbreeding",
    "Names": "breedeval.names",
    "Numerator": "breedeval.relationship.numerator",
    "NumeratorInverse": "breedeval.relationship.a_inverse",
    "Pedigree": "breedeval.pedigree.pedigree",
    "StoredInbreeding": "breedeval.relationship.stored_inbreeding",
    "SubsetInverse": "breedeval.relationship.subset_inverse",
    "average_relationships": "breedeval.relationship.group_means",
    "compute_inbreeding": "breedeval.relationship.inbreeding",
    "describe_pedigree": "breedeval.pedigree.describe",
    "estimate": "breedeval.evaluation.estimate",
    "evaluate": "breedeval.evaluation.run",
    "extract_pedigree": "breedeval.pedigree.subset",
    "open_results": "breedeval.results.store",
    "prune_pedigree": "breedeval.pedigree.prune",
    "rank": "breedeval.selection.ranking",
    "read_config": "breedeval.evaluation.config",
    "read_pedigree": "breedeval.io.pedigree_file",
}

__all__ = ["__version__", *_PUBLIC]  # noqa: PLE0604  the names are strings, joined from the table above


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'breedeval' has no attribute '{name}'")
    value = getattr(import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
