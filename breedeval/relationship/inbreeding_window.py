"""When and how coefficients of inbreeding are computed by a moving window of A instead of rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breedeval.arrays import Float64, Int32, Int64
from breedeval.kernels import inbreeding_rows as row_kernels
from breedeval.kernels import inbreeding_window as kernels
from breedeval.kernels.lines import WIDTH
from breedeval.pedigree.pedigree import Pedigree
from breedeval.relationship.inbreeding_plan import InbreedingPlan

#: Nanoseconds for a place that a batch of rows visits, and for a relationship of the window. Their ratio chooses the way.
_VISIT, _RELATIONSHIP = 9.0, 5.0
#: Slots of the window at most: 0.7 GiB.
_MOST_SLOTS = 9600
#: Batches of rows of which the work is counted.
_SAMPLED = 16


@dataclass(frozen=True, eq=False)
class InbreedingWindow:
    """Who enters the window at which step, and what is looked up there; see `breedeval.kernels.inbreeding_window`.

    Parameters
    ----------
    animal, first, second, slot
        (p + 1,) row of each place in the pedigree, places of its parents, and its slot.
    order, starts
        (k,) places in the order of entering, and (steps + 1,) where each step begins.
    width
        (steps,) slots in use.
    pairs, pair_starts
        (pairs, 3) places of two parents and row of the progeny, by step; and (steps + 1,) where each step begins.
    unrelated
        Rows of animals whose parents are both founders.
    work
        Relationships that are computed.
    """

    animal: Int32
    first: Int32
    second: Int32
    slot: Int32
    order: Int32
    starts: Int64
    width: Int32
    pairs: Int32
    pair_starts: Int64
    unrelated: Int32
    work: int

    @classmethod
    def of(cls, pedigree: Pedigree, plan: InbreedingPlan) -> InbreedingWindow | None:
        """Plan the window for what ``plan`` computes by rows; None if it becomes too wide."""
        sire, dam = pedigree.sire, pedigree.dam
        n_places = len(plan.animal) + len(plan.chain)
        place = np.empty(pedigree.n_animals, dtype=np.int32)
        animal, first, second, slot = (np.zeros(n_places, dtype=np.int32) for _ in range(4))
        pairs = np.empty((kernels.list_needed(sire, dam, plan.note, place, animal, first, second), 3), dtype=np.int32)
        kernels.list_pairs(sire, dam, plan.note, place, pairs)
        enter, leave = np.empty(n_places, dtype=np.int32), np.empty(n_places, dtype=np.int32)
        looked_up = np.empty(len(pairs), dtype=np.int32)
        n_steps = kernels.time_steps(first, second, pairs, enter, leave, looked_up)
        steps = np.arange(n_steps + 1)

        order = np.lexsort((leave, enter)).astype(np.int32)[1:]  # without place 0, the only one at step −1
        starts = np.searchsorted(enter[order], steps)
        order = order[: starts[-1]]
        by_step = np.argsort(looked_up, kind="stable")
        pair_starts = np.searchsorted(looked_up[by_step], steps)
        used, unused = by_step[: pair_starts[-1]], by_step[pair_starts[-1] :]
        width = np.zeros(n_steps, dtype=np.int32)
        work = int(kernels.give_slots(order, starts, leave, _MOST_SLOTS, slot, width))
        if work < 0:
            return None
        return cls(
            animal, first, second, slot, order, starts, width, pairs[used], pair_starts, pairs[unused, 2].copy(), work
        )  # fmt: skip

    @property
    def n_slots(self) -> int:
        """Rows and columns of the window."""
        return int(self.width.max(initial=kernels.LINE))

    def compute(self, n_threads: int, inbreeding_out: Float64) -> None:
        """Write F of everybody whose F is looked up, and of the animals needed whose F follows at once."""
        inbreeding_out[self.unrelated] = 0.0
        n_workers = min(n_threads, max(1, self.n_slots // kernels.COLUMNS))
        window = np.zeros((self.n_slots, self.n_slots))
        kernels.inbreeding_by_window(
            self.animal, self.first, self.second, self.slot, self.order, self.starts, self.width, self.pairs,
            self.pair_starts, n_workers, window, inbreeding_out,
        )  # fmt: skip


def cheaper_window(pedigree: Pedigree, plan: InbreedingPlan) -> InbreedingWindow | None:
    """Return the window if it is estimated to take less time than the rows of ``plan``."""
    by_rows = time_of_rows(plan)
    if by_rows is None:
        return None
    window = InbreedingWindow.of(pedigree, plan)
    return window if window is not None and _RELATIONSHIP * window.work < by_rows else None


def time_of_rows(plan: InbreedingPlan) -> float | None:
    """Nanoseconds that the rows of ``plan`` are estimated to take; None if a window cannot take less.

    What costs little is estimated first: a window that cannot pay is not planned. On average it holds no less than about half
    of the animals needed divided by the generations of the core.
    """
    n_core = len(plan.animal) - 1
    n_places = n_core + plan.n_mates
    n_batches = -(-len(plan.rows) // WIDTH)
    narrowest = n_places / (2 * max(1, kernels.depth_of(plan.core_sire, plan.core_dam)))
    least = _RELATIONSHIP * n_places * narrowest
    if not n_batches or narrowest > _MOST_SLOTS or _VISIT * n_batches * n_core < least:
        return None
    visits = row_kernels.sampled_visits(
        plan.core_sire, plan.core_dam, plan.starts, plan.pairs, plan.chain, plan.links, plan.rows, min(n_batches, _SAMPLED)
    )  # fmt: skip
    by_rows = _VISIT * n_batches * visits
    return by_rows if by_rows >= least else None
