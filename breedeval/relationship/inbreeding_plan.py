"""The arrays over which coefficients of inbreeding are computed: core, mates, stages and pairs, in packed memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breedeval.arrays import Float64, Int8, Int32, Int64
from breedeval.errors import DataError, count_of, name_some
from breedeval.kernels import inbreeding_plan as kernels
from breedeval.kernels.lines import WIDTH
from breedeval.pedigree.pedigree import Pedigree


@dataclass(frozen=True, eq=False)
class InbreedingPlan:
    """What has to be computed; see `breedeval.kernels.inbreeding_plan` for the words.

    Parameters
    ----------
    wanted, n_wanted
        (n_wanted,) rows of the animals whose F is computed, not filled if these are all animals; and their number.
    note
        (n,) int8 how each animal's F is found, and what else it is needed for.
    n_at_once
        Animals whose F follows at once from those of parents and grandparents.
    animal, core_sire, core_dam
        (c + 1,) row of each place in the core in the pedigree, and the places of its parents; place 0 is "unknown".
    members, stage_starts
        (c,) places by stage, and (stages + 1,) where each stage begins.
    rows, row_starts
        (r,) places with a row of A by stage, those with most pairs first, and (stages + 1,) where each stage begins.
    pairs, starts
        (pairs, links + 2) relationships to look up, by row; those of the row at place j from starts[j] to starts[j + 1].
        Each holds places to read, one a link; where the chain leads after these; and the progeny.
    chain
        (k, 8) where chains lead: ``links`` places to read, and last where the chain leads after these.
    n_mates
        Animals along the chains.
    """

    wanted: Int32
    n_wanted: int
    note: Int8
    n_at_once: int
    animal: Int32
    core_sire: Int32
    core_dam: Int32
    members: Int32
    stage_starts: Int64
    rows: Int32
    row_starts: Int64
    pairs: Int32
    starts: Int64
    chain: Int32
    n_mates: int

    @property
    def links(self) -> tuple[int, ...]:
        """Links that are stored together, numbered: a tuple, so that loops over it are compiled for its length."""
        return tuple(range(self.pairs.shape[1] - 2))

    @property
    def most_batches(self) -> int:
        """Bound on the batches of rows of a stage, at least 1: more threads than that have nothing to do."""
        return max(1, int(np.diff(self.row_starts).max(initial=0)) // WIDTH)

    @classmethod
    def of(cls, pedigree: Pedigree, known: Float64, inbreeding_out: Float64) -> InbreedingPlan:
        """Plan the computation of the F that are NaN in ``known`` (n,), of all if it is empty; writes F that needs none.

        Raises
        ------
        DataError
            If a known F is below 0 or above 1.
        """
        sire, dam, n = pedigree.sire, pedigree.dam, pedigree.n_animals
        wanted, n_wanted = _wanted(pedigree, known)
        words = np.zeros((n + 7) // 8, dtype=np.uint64)
        note = words.view(np.int8)[:n]
        n_progeny, n_pairs = np.zeros(n, dtype=np.int32), np.zeros(n, dtype=np.int32)
        n_at_once = kernels.classify(sire, dam, wanted, n_wanted, inbreeding_out, note, n_progeny)
        kernels.choose_rows(sire, dam, wanted, n_wanted, n_progeny, note, n_pairs)
        n_core, n_mates = kernels.spread_to_ancestors(sire, dam, n_progeny, note, words)

        place = np.empty(n, dtype=np.int32)
        animal, core_sire, core_dam = (np.zeros(n_core + 1, dtype=np.int32) for _ in range(3))
        chain = np.empty((n_mates, 2 * kernels.LINKS), dtype=np.int32)
        kernels.number_places(sire, dam, note, words, n_core, place, animal, core_sire, core_dam, chain)

        stage, done = np.empty(n_core + 1, dtype=np.int32), np.empty(n_core + 1, dtype=np.int32)
        n_stages = kernels.find_stages(sire, dam, n_progeny, note, place, animal, core_sire, core_dam, stage, done)
        starts = np.zeros(n_core + 2, dtype=np.int64)
        np.cumsum(n_pairs[animal[1:]], out=starts[2:])
        pairs = np.empty((starts[-1], kernels.LINKS + 2), dtype=np.int32)
        kernels.sort_pairs(sire, dam, wanted, n_wanted, n_progeny, note, place, n_core, chain, starts[:-1].copy(), pairs)
        by_stage = sort_by_stage(stage, n_stages, starts)
        return cls(wanted, n_wanted, note, n_at_once, animal, core_sire, core_dam, *by_stage, pairs, starts, chain, n_mates)


def sort_by_stage(stage: Int32, n_stages: int, starts: Int64) -> tuple[Int32, Int64, Int32, Int64]:
    """Members and rows of each stage, see `InbreedingPlan`, from the stage of each place (c + 1,) and where its pairs begin.

    Rows with few pairs are computed together: then they need few of the others' ancestors.
    """
    bounds = np.arange(n_stages + 1)
    members = np.argsort(stage, kind="stable").astype(np.int32)[1:]  # without place 0, the only one in stage −1
    n_pairs = np.diff(starts)
    rows = np.flatnonzero(n_pairs).astype(np.int32)
    rows = rows[np.lexsort((-n_pairs[rows], stage[rows]))]
    return members, np.searchsorted(stage[members], bounds), rows, np.searchsorted(stage[rows], bounds)


def _wanted(pedigree: Pedigree, known: Float64) -> tuple[Int32, int]:
    """Rows whose F is to be computed, and how many; the rows are left out if these are all."""
    if not len(known):
        return np.empty(0, dtype=np.int32), pedigree.n_animals
    wanted = np.empty(pedigree.n_animals, dtype=np.int32)
    n_wanted, n_impossible = kernels.list_unknown(known, wanted)
    if n_impossible:
        raise impossible_coefficients(pedigree, known)
    return wanted, n_wanted


def impossible_coefficients(pedigree: Pedigree, known: Float64) -> DataError:
    """Name the animals whose known F is below 0 or above 1."""
    rows = np.flatnonzero((known < 0) | (known > 1))
    ids = pedigree.ids.take(rows).to_list()
    shown = name_some(f"{name}: {value:g}" for name, value in zip(ids, known[rows], strict=True))
    return DataError(
        f"{count_of(len(rows), 'known coefficient')} of inbreeding below 0 or above 1: {shown}. "
        "Give NaN where F is to be computed.",
        ids=ids,
    )
