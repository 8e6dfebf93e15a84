"""The file of an earlier run from which coefficients of inbreeding are taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py

from breedeval.errors import ResultsError
from breedeval.evaluation.config import EvaluationConfig
from breedeval.evaluation.taken_inbreeding import StoredFile
from breedeval.io.inbreeding_file import read_stored_inbreeding
from breedeval.relationship.stored_inbreeding import StoredInbreeding
from breedeval.results.store import ResultsFile


def read_stored(config: EvaluationConfig) -> StoredFile | None:
    """Read the file of ``pedigree: stored_inbreeding``: a results file, or a table of ``breedeval pedigree inbreeding``.

    Returns
    -------
    StoredFile
        None if the configuration names no file.

    Raises
    ------
    ResultsError
        If the coefficients of a results file are no full ones, or relative to related groups.
    TableError
        If a table is faulty.
    """
    path = None if config.pedigree is None else config.pedigree.stored_inbreeding
    if path is None:
        return None
    if not (path.is_file() and h5py.is_hdf5(path)):
        return StoredFile(path, read_stored_inbreeding(path), may_lack_animals=False)
    with ResultsFile(path) as old:
        _require_plain(path, old.record)
        return StoredFile(path, StoredInbreeding(*old.inbreeding()), may_lack_animals=True)


def _require_plain(path: Path, record: dict[str, Any]) -> None:
    """Refuse coefficients that are zero by request, or relative to founders that are related."""
    choices = record.get("choices", {})
    grouped = record.get("counts", {}).get("pedigree", {}).get("group_kind", "none") != "none"
    if not choices.get("inbreeding", True):
        raise ResultsError(f"{path} is of an evaluation without inbreeding: its coefficients are zero. Give another file.")
    if choices.get("unknown_parents", "of another version" if grouped else "unrelated") != "unrelated":
        raise ResultsError(
            f"The coefficients of inbreeding in {path} are of another kind: unknown parents are "
            f"{choices.get('unknown_parents', 'related or not, which the file does not say')} there, and unrelated here. "
            "Give another file."
        )
