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
    progeny, parents_of_dam = np.empty(len(wanted), dtype=np.int32), np.empty((len(wanted), 2), dtype=np.int32)
    n_at_once, n_pairs = kernels.classify(
        sire, dam, wanted, inbreeding_out, note, n_progeny, progeny, parents_of_dam
    )  # fmt: skip
    progeny = progeny[:n_pairs]

    core = np.zeros(n // 64 + 1, dtype=np.uint64)
    row, links = np.empty(n_pairs, dtype=np.int32), np.empty(n_pairs, dtype=np.uint8)
    followed = np.empty(n_pairs * (kernels.MOST_LINKS + 1), dtype=np.int32)  # what is not written takes no memory
    n_core, n_lines = kernels.find_core(sire, dam, progeny, n_progeny, parents_of_dam, core, row, links, followed)

    before = np.empty(len(core), dtype=np.int32)
    animal, core_sire, core_dam = (np.zeros(n_core + 1, dtype=np.int32) for _ in range(3))
    kernels.number_core(sire, dam, core, before, animal, core_sire, core_dam)
    stage, done = np.empty(n_core + 1, dtype=np.int32), np.empty(n_core + 1, dtype=np.int32)
    n_stages = kernels.find_stages(sire, dam, n_progeny, note, core, before, animal, core_sire, core_dam, stage, done)

    counts = np.zeros((2, n_core + 2), dtype=np.int64)
    kernels.count_pairs(row, links, core, before, counts)
    starts, first_lines = np.cumsum(counts, axis=1)
    pairs, lines = np.empty((n_pairs, 1), dtype=np.int32), np.empty(n_lines, dtype=np.int32)
    line_starts = np.empty(n_pairs + 1, dtype=np.int64)
    line_starts[-1] = n_lines
    kernels.sort_pairs(
        progeny, core, before, row, links, followed, starts.copy(), first_lines, pairs, line_starts, lines
    )  # fmt: skip
    by_stage = sort_by_stage(stage, n_stages, starts)
    no_chain = np.empty((0, 2 * LINKS), dtype=np.int32)
    return InbreedingPlan(
        wanted, len(wanted), note, n_at_once, animal, core_sire, core_dam, *by_stage, pairs, starts, no_chain, lines,
        line_starts,
    )  # fmt: skip
