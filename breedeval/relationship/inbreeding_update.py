"""Coefficients of inbreeding of few animals where those of all others are known."""

from __future__ import annotations

import numpy as np

from breedeval.arrays import Float64, Int32
from breedeval.kernels import inbreeding_update as kernels
from breedeval.kernels.inbreeding_plan import LINKS
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
    note, n_progeny = np.zeros(n, dtype=np.int8), np.zeros(n, dtype=np.uint8)
    n_at_once, n_pairs = kernels.classify(sire, dam, wanted, inbreeding_out, note, n_progeny)

    core = np.zeros(n // 64 + 1, dtype=np.uint64)
    row, links = np.empty(n_pairs, dtype=np.int32), np.empty(n_pairs, dtype=np.uint8)
    lines = np.empty(n_pairs * (kernels.MOST_LINKS + 1), dtype=np.int32)  # what is not written takes no memory
    n_core, n_more = kernels.find_core(sire, dam, wanted, note, n_progeny, core, row, links, lines)

    before = np.empty(len(core), dtype=np.int32)
    animal, core_sire, core_dam = (np.zeros(n_core + 1, dtype=np.int32) for _ in range(3))
    kernels.number_core(sire, dam, core, before, animal, core_sire, core_dam)
    stage, done = np.empty(n_core + 1, dtype=np.int32), np.empty(n_core + 1, dtype=np.int32)
    n_stages = kernels.find_stages(sire, dam, n_progeny, note, core, before, animal, core_sire, core_dam, stage, done)

    pairs_of_place = np.zeros(n_core + 1, dtype=np.int64)
    kernels.count_pairs(row, core, before, pairs_of_place)
    starts = np.append(0, np.cumsum(pairs_of_place))
    pairs, chain = np.empty((n_pairs, LINKS + 2), dtype=np.int32), np.empty((n_more, 2 * LINKS), dtype=np.int32)
    kernels.sort_pairs(wanted, note, core, before, n_core, row, links, lines, starts[:-1].copy(), pairs, chain)
    by_stage = sort_by_stage(stage, n_stages, starts)
    return InbreedingPlan(
        wanted, len(wanted), note, n_at_once, animal, core_sire, core_dam, *by_stage, pairs, starts, chain
    )  # fmt: skip
