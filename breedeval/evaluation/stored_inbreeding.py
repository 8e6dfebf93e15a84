"""Coefficients of inbreeding of an earlier run, for an evaluation of a pedigree that has grown since."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from breedeval.arrays import NONE, Int32, freeze
from breedeval.errors import ResultsError, count_of, name_some
from breedeval.evaluation.observer import Observer
from breedeval.io.inbreeding_file import read_stored_inbreeding
from breedeval.pedigree.pedigree import Pedigree
from breedeval.relationship.inbreeding import Inbreeding, compute_inbreeding
from breedeval.relationship.stored_inbreeding import NOT_STORED, StoredInbreeding
from breedeval.results.store import ResultsFile


@dataclass(frozen=True)
class TakenInbreeding:
    """How many coefficients were taken from a file and how many were computed, some because they did not hold any more."""

    file: str
    n_taken: int
    n_computed: int
    n_outdated: int


def compute_from_stored(path: Path, pedigree: Pedigree, observer: Observer) -> tuple[Inbreeding, TakenInbreeding]:
    """Inbreeding of a pedigree; what an earlier run has computed and what still holds is taken from its file.

    Parameters
    ----------
    path
        A results file, whose animals have parents, or a table of ``breedeval pedigree inbreeding``.
    pedigree
        The pedigree of this run.
    observer
        Told what was taken and computed, and whose parents have changed.

    Raises
    ------
    ResultsError
        If the coefficients of a results file are no full ones, or relative to related groups.
    TableError, UnknownNameError
        If a table is faulty, or names animals that the pedigree does not have.
    """
    is_results = path.is_file() and h5py.is_hdf5(path)
    stored = _of_results(path, pedigree, observer) if is_results else read_stored_inbreeding(path)
    known = stored.find(pedigree)
    n_taken = len(stored.ids) - known.n_outdated
    n_computed = pedigree.n_animals - n_taken
    observer.say(f"inbreeding: {count_of(n_taken, 'coefficient')} taken from {path}, {n_computed:,} computed")
    if len(known.changed):
        named = name_some(pedigree.ids.take(known.changed).to_list())
        outdated = count_of(known.n_outdated, "stored coefficient")
        changed = f"{count_of(len(known.changed), 'animal')} with other parents than in {path}: {named}"
        observer.say(f"inbreeding: {changed}; {outdated} not taken, of these and of their descendants")
    if not stored.has_parents:
        observer.warn(
            f"inbreeding: {path} holds no parents, so changed ones are not found. "
            "Write it with 'breedeval pedigree inbreeding --parents', or give a results file."
        )
    inbreeding = compute_inbreeding(pedigree, known=known.coefficients)
    return inbreeding, TakenInbreeding(str(path), n_taken, n_computed, known.n_outdated)


def _of_results(path: Path, pedigree: Pedigree, observer: Observer) -> StoredInbreeding:
    """Coefficients and parents of a results file, of the animals that the pedigree still has."""
    with ResultsFile(path) as old:
        _require_plain(path, old.record)
        ids, coefficients, sire, dam = old.inbreeding()
    there = pedigree.ids.find(ids) != NONE
    if there.all():
        return StoredInbreeding(ids, coefficients, sire, dam)
    observer.say(f"inbreeding: {count_of(int((~there).sum()), 'animal')} of {path} not in the pedigree any more, left out")
    kept = np.flatnonzero(there)
    place = np.full(len(ids) + 1, NOT_STORED, dtype=np.int32)
    place[kept] = np.arange(len(kept), dtype=np.int32)
    place[-1] = NONE  # where an unknown parent looks
    parents: list[Int32] = [freeze(place[parent[kept]]) for parent in (sire, dam)]
    return StoredInbreeding(ids.take(kept), freeze(coefficients[kept]), *parents)


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
