"""Inbreeding from a moving window of A: the tabular method over the animals that are still needed as parents.

For populations of which nearly everybody becomes a parent, and soon stops being one (plants, closed experimental lines, old
families): the animals alive at a time are few, and all relationships among them cost less than rows over all ancestors.

Animals enter and leave by *steps*. All that enter at a step have their parents in the window. The words of
`inbreeding_plan` hold: places are the animals needed, parents before progeny; place 0 is an unknown parent. *Slots* are the
rows and columns of the window; slot 0 holds zeros.
"""

from __future__ import annotations

import numba
import numpy as np

from breedeval.kernels.compile import compiled, compiled_parallel
from breedeval.kernels.inbreeding_plan import AT_ONCE, CORE, MATE, PAIR

#: Slots that fill one line of cache. They are given out and taken back together, so that columns are written line by line.
LINE = 8
#: Animals that enter together at most, and columns of the window that are handled together: both parts stay in cache.
MOST, COLUMNS = 64, 512
#: Step of a place that nobody needs.
NEVER = np.int32(2**31 - 1)


@compiled
def list_needed(sire, dam, note, place_out, animal_out, first_out, second_out):
    """Places of core and mates together, with both parents; returns how many relationships of parents are wanted among them."""
    n = sire.shape[0]
    last, n_pairs = 0, 0
    for i in range(n):
        needed = note[i] & (CORE | MATE)
        if note[i] & PAIR or (needed and note[i] & AT_ONCE):
            n_pairs += 1
        if needed:
            last += 1
            place_out[i] = last
            animal_out[last] = i
            first_out[last] = place_out[sire[i]] if 0 <= sire[i] < n else 0
            second_out[last] = place_out[dam[i]] if 0 <= dam[i] < n else 0
    return n_pairs


@compiled
def list_pairs(sire, dam, note, place, pairs_out):
    """Parents (by place) and progeny (by row) of all whose F is looked up: pairs_out (pairs, 3)."""
    k = 0
    for i in range(sire.shape[0]):
        if note[i] & PAIR or (note[i] & AT_ONCE and note[i] & (CORE | MATE)):
            pairs_out[k, 0], pairs_out[k, 1], pairs_out[k, 2] = place[sire[i]], place[dam[i]], i
            k += 1


@compiled
def time_steps(first, second, pairs, enter_out, leave_out, looked_up_out):
    """Steps at which places enter and leave, and at which pairs are looked up; returns the number of steps.

    Everybody enters as soon as both parents have; a founder just before its first use, so that founders of all times can be
    many. Pairs of founders are never looked up: their relationship is 0.
    """
    n = first.shape[0]
    first_use = np.full(n, NEVER, dtype=np.int32)
    enter_out[0] = -1
    for j in range(1, n):
        enter_out[j] = max(enter_out[first[j]], enter_out[second[j]]) + 1
    for k in range(pairs.shape[0]):
        s, d = pairs[k, 0], pairs[k, 1]
        step = max(enter_out[s], enter_out[d])
        looked_up_out[k] = step if step > 0 or s == d else NEVER
        if looked_up_out[k] != NEVER:
            for p in (s, d):
                first_use[p] = min(first_use[p], step + 1)
    n_steps = 0
    for j in range(n - 1, 0, -1):
        if first[j] == 0 and second[j] == 0:
            enter_out[j] = first_use[j] - 1 if first_use[j] != NEVER else NEVER
        elif enter_out[j] != NEVER:
            for p in (first[j], second[j]):
                first_use[p] = min(first_use[p], enter_out[j])
    leave_out[:] = -1
    for j in range(1, n):
        if enter_out[j] != NEVER:
            n_steps = max(n_steps, enter_out[j] + 1)
            leave_out[j] = max(leave_out[j], enter_out[j])
            for p in (first[j], second[j]):
                leave_out[p] = max(leave_out[p], enter_out[j])
    for k in range(pairs.shape[0]):
        if looked_up_out[k] != NEVER:
            for p in (pairs[k, 0], pairs[k, 1]):
                leave_out[p] = max(leave_out[p], looked_up_out[k])
    return n_steps


@compiled
def give_slots(order, starts, leave, most, slot_out, width_out):
    """Give each place a slot, lines of slots that are free again first; returns the products of which the work consists.

    ``order`` (k,) places by step of entering, then by step of leaving, step t from starts[t]; ``width_out`` (steps,) gets the
    slots in use up to each step. Stops, and returns −1, if more than ``most`` slots are wanted.
    """
    n_steps, n_lines = starts.shape[0] - 1, most // LINE + 1
    free, held = np.empty(n_lines, dtype=np.int32), np.zeros(n_lines, dtype=np.int32)
    n_free, width, next_slot, work = 0, LINE, 0, 0
    by_leaving, leaves_from = _by_step(order, leave, n_steps)
    for step in range(n_steps):
        for k in range(starts[step], starts[step + 1]):
            if next_slot % LINE == 0:
                if n_free:
                    n_free -= 1
                    next_slot = free[n_free] * LINE
                else:
                    next_slot, width = width, width + LINE
                    if width > most:
                        return -1
            slot_out[order[k]] = next_slot
            held[next_slot // LINE] += 1
            next_slot += 1
        width_out[step] = width
        work += width * (starts[step + 1] - starts[step])
        for k in range(leaves_from[step], leaves_from[step + 1]):
            line = slot_out[by_leaving[k]] // LINE
            held[line] -= 1
            if held[line] == 0 and not (next_slot % LINE and next_slot // LINE == line):
                free[n_free] = line
                n_free += 1
    return work


@compiled
def _by_step(order, step_of, n_steps):
    """Places of ``order`` by another step, and where each step begins."""
    begins = np.zeros(n_steps + 1, dtype=np.int64)
    for j in order:
        begins[step_of[j] + 1] += 1
    for step in range(n_steps):
        begins[step + 1] += begins[step]
    sorted_places, at = np.empty_like(order), begins.copy()
    for j in order:
        sorted_places[at[step_of[j]]] = j
        at[step_of[j]] += 1
    return sorted_places, begins


@compiled
def _enter_columns(begin, end, window, slots, first, second, rows):
    """Relationships of the entering animals with the slots from begin to end; they go to ``rows`` and to the columns."""
    m = slots.shape[0]
    for c in range(m):
        a, b, row = window[first[c], begin:end], window[second[c], begin:end], rows[c, begin:end]
        for x in range(end - begin):
            row[x] = 0.5 * (a[x] + b[x])
    for group in range(0, m, LINE):
        last = min(m, group + LINE)
        for place in range(max(LINE, begin), end):
            x = np.uint64(place)
            for c in range(group, last):
                window[x, np.uint64(slots[c])] = rows[np.uint64(c), x]


@compiled_parallel
def inbreeding_by_window(
    animal, first, second, slot, order, starts, width, pairs, pair_starts, n_workers, window, inbreeding_out
):
    """Tabular method (Emik & Terrill 1949, J. Hered. 40:51) over a window of animals still needed.

    ``pairs`` (k, 3) are sorted by the step at which they are looked up, those of step t from pair_starts[t]. ``window`` (slots,
    slots) comes with zeros. F of all that has not to be looked up stands in inbreeding_out. A thread owns a range of columns
    and the same range of rows; every value is computed in one way only, so that the bits do not depend on threads.
    """
    rows = np.empty((MOST, window.shape[0]))
    for step in range(starts.shape[0] - 1):
        n_columns = width[step]
        n_parts = (n_columns + COLUMNS - 1) // COLUMNS
        for begin in range(starts[step], starts[step + 1], MOST):
            entering = order[begin : min(starts[step + 1], begin + MOST)]
            slots, a, b = slot[entering], slot[first[entering]], slot[second[entering]]
            for worker in numba.prange(n_workers):
                for part in range(worker, n_parts, n_workers):
                    _enter_columns(
                        part * COLUMNS, min(n_columns, (part + 1) * COLUMNS), window, slots, a, b, rows
                    )  # fmt: skip
            for c in range(entering.shape[0]):
                for j in range(n_columns):
                    window[slots[c], j] = rows[c, j]
            for c in range(entering.shape[0]):
                for other in range(entering.shape[0]):
                    window[slots[c], slots[other]] = 0.5 * (window[a[c], slots[other]] + window[b[c], slots[other]])
                window[slots[c], slots[c]] = 1.0 + inbreeding_out[animal[entering[c]]]
        for k in range(pair_starts[step], pair_starts[step + 1]):
            inbreeding_out[pairs[k, 2]] = 0.5 * window[slot[pairs[k, 0]], slot[pairs[k, 1]]]


@compiled
def depth_of(first, second):
    """Longest path among places (parents before progeny), in links; place 0 stands for unknown."""
    depth = np.zeros(first.shape[0], dtype=np.int32)
    longest = 0
    for j in range(1, first.shape[0]):
        depth[j] = max(depth[first[j]], depth[second[j]]) + 1
        longest = max(longest, depth[j])
    return longest
