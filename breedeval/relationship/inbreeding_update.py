"""Coefficients of inbreeding of few animals where those of all others are known."""

from __future__ import annotations

import numpy as np

from breedeval.arrays import Float64, Int32, UInt8, UInt64
from breedeval.kernels import inbreeding_update as kernels
from breedeval.pedigree.pedigree import Pedigree
from breedeval.relationship.inbreeding_plan import InbreedingPlan, sort_by_stage

#: Animals are few if they are at most this share of all; for more, lines that mates share are better followed once.
FEW = 0.25


def plan_update(pedigree: Pedigree, wanted: Int32, inbreeding_out: Float64) -> InbreedingPlan:
    """Plan the computation of F of the animals in ``wanted`` (k,) rows, ascending; writes F that needs none.

    ``inbreeding_out`` (n,) holds F of all others. As `InbreedingPlan.of`, but in a time that does not grow with the number of
    animals; the animals along the lines of mates are not noted.
    """
    sire, dam, n = pedigree.sire, pedigree.dam, pedigree.n_animals
    note, n_progeny = np.empty(n, dtype=np.int8), np.empty(n, dtype=np.uint8)
    note.fill(0)  # the zeros of numpy come page by page when first written, which is slower
    n_progeny.fill(0)
    progeny = np.empty(len(wanted), dtype=np.int32)
    n_at_once, n_pairs = kernels.classify(sire, dam, wanted, inbreeding_out, note, n_progeny, progeny)
    progeny = progeny[:n_pairs]

    core, mates = np.zeros(n // 64 + 1, dtype=np.uint64), np.zeros(n // 64 + 1, dtype=np.uint64)
    row, mate = np.empty(n_pairs, dtype=np.int32), np.empty(n_pairs, dtype=np.int32)
    kernels.mark_pairs(sire, dam, progeny, n_progeny, core, mates, row, mate)
    before, mates_before, animal, core_sire, core_dam, link, length = _places(pedigree, core, mates)

    n_core = len(animal) - 1
    stage, done = np.empty(n_core + 1, dtype=np.int32), np.empty(n_core + 1, dtype=np.int32)
    n_stages = kernels.find_stages(sire, dam, n_progeny, note, core, before, animal, core_sire, core_dam, stage, done)
    starts = np.zeros(n_core + 2, dtype=np.int64)
    n_long = kernels.count_pairs(core, mates, before, mates_before, length, row, mate, starts)
    np.cumsum(starts, out=starts)
    pairs, chain = np.empty((n_pairs, kernels.LINE + 2), dtype=np.int32), np.empty((n_long, kernels.LINE + 1), dtype=np.int32)
    kernels.sort_pairs(progeny, row, mate, n_core + 1, link, starts[:-1].copy(), pairs, chain)
    by_stage = sort_by_stage(stage, n_stages, starts)
    return InbreedingPlan(
        wanted, len(wanted), note, n_at_once, animal, core_sire, core_dam, *by_stage, pairs, starts, chain,
        len(link) - len(animal),
    )  # fmt: skip


def _places(pedigree: Pedigree, core: UInt64, mates: UInt64) -> tuple[Int32, Int32, Int32, Int32, Int32, UInt64, UInt8]:
    """What `number_places` writes, but for lines that are too long; ``core`` and ``mates`` grow to all that are needed."""
    sire, dam = pedigree.sire, pedigree.dam
    before, mates_before = np.empty(len(core), dtype=np.int32), np.empty(len(core), dtype=np.int32)
    too_long = np.zeros_like(core)
    while True:
        n_core, n_mates = kernels.spread_to_ancestors(sire, dam, core, mates)
        animal, core_sire, core_dam = (np.zeros(n_core + 1, dtype=np.int32) for _ in range(3))
        link, length = np.empty(n_core + 1 + n_mates, dtype=np.uint64), np.empty(n_core + 1 + n_mates, dtype=np.uint8)
        places = before, mates_before, animal, core_sire, core_dam, link, length
        if not kernels.number_places(sire, dam, core, mates, *places, too_long):
            return places
        core |= too_long  # seldom; all lines that are too long are cut at once
