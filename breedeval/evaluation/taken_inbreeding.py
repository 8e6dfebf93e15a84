"""Coefficients of inbreeding of an earlier run, for an evaluation of a pedigree that has grown since."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from breedeval.arrays import NONE, freeze
from breedeval.errors import count_of, name_some
from breedeval.evaluation.observer import Observer
from breedeval.pedigree.pedigree import Pedigree
from breedeval.relationship.inbreeding import Inbreeding, compute_inbreeding
from breedeval.relationship.stored_inbreeding import NOT_STORED, StoredInbreeding, doubt_of_base


@dataclass(frozen=True)
class StoredFile:
    """What a file of coefficients holds.

    Parameters
    ----------
    path
        Its name.
    stored
        The coefficients, with parents where the file has them.
    may_lack_animals
        Whether animals of the file may be missing in the pedigree; they are left out and counted, else refused.
    """

    path: Path
    stored: StoredInbreeding
    may_lack_animals: bool


@dataclass(frozen=True)
class TakenInbreeding:
    """How many coefficients were taken from a file and how many were computed, some because they did not hold any more."""

    file: str
    n_taken: int
    n_computed: int
    n_outdated: int


def compute_from_stored(file: StoredFile, pedigree: Pedigree, observer: Observer) -> tuple[Inbreeding, TakenInbreeding]:
    """Inbreeding of a pedigree; what an earlier run has computed and what still holds is taken from its file.

    Parameters
    ----------
    file
        From `breedeval.evaluation.stored_inbreeding.read_stored`.
    pedigree
        The pedigree of this run.
    observer
        Told what was taken and computed, and whose parents have changed.

    Raises
    ------
    UnknownNameError
        If a table names animals that the pedigree does not have.
    """
    path = file.path
    stored = _still_there(file, pedigree, observer) if file.may_lack_animals else file.stored
    known = stored.find(pedigree)
    if doubt := doubt_of_base(pedigree, known.coefficients):
        observer.warn(f"inbreeding: {path}: {doubt}")
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


def _still_there(file: StoredFile, pedigree: Pedigree, observer: Observer) -> StoredInbreeding:
    """The coefficients of animals that the pedigree still has; a parent that has gone differs from every parent."""
    old = file.stored
    there = old.rows_in(pedigree.ids) != NONE
    if there.all():
        return old
    gone = count_of(int((~there).sum()), "animal")
    observer.say(f"inbreeding: {gone} of {file.path} not in the pedigree any more, left out")
    kept = np.flatnonzero(there)
    place = np.full(len(old.ids) + 1, NOT_STORED, dtype=np.int32)
    place[kept] = np.arange(len(kept), dtype=np.int32)
    place[-1] = NONE  # where an unknown parent looks
    sire, dam = (freeze(place[parent[kept]]) for parent in (old.sire, old.dam))
    return StoredInbreeding(old.ids.take(kept), freeze(old.coefficients[kept]), sire, dam)
