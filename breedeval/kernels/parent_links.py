"""The lower triangle of A⁻¹ from the list of parents, in an order of elimination.

An animal links itself with its parents and its parents with each other (Henderson 1976, Biometrics 32:69). Animals that are
nobody's sire come first, from the youngest to the oldest, then the sires, and groups behind all: so the links between mates
make no long chains, and the levels of animals that are not linked with each other are about as few as generations.
"""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled


@compiled
def elimination_levels(sire, dam, out):
    """Level of each animal, out (n,) int32, zero on entry: linked animals have different ones. Returns how many there are.

    Of two linked animals that are both sires or both not, the younger has the lower level; sires are above all others.
    """
    n = sire.shape[0]
    number = np.full(n, -1, dtype=np.int32)
    for i in range(n):
        if 0 <= sire[i] < n:
            number[sire[i]] = 0
    top, n_sires = 0, 0
    for i in range(n - 1, -1, -1):
        if number[i] >= 0:
            number[i] = n_sires
            n_sires += 1
            continue
        d = dam[i]
        top = max(top, out[i] + 1)
        if 0 <= d < n and number[d] < 0:
            out[d] = max(out[d], out[i] + 1)
    young, old = _links_of_sires(sire, dam, number, n_sires)
    level = np.zeros(n_sires, dtype=np.int32)
    highest = 0
    for k in range(n_sires):
        highest = max(highest, level[k] + 1)
        for q in range(young[k], young[k + 1]):
            level[old[q]] = max(level[old[q]], level[k] + 1)
    for i in range(n):
        if number[i] >= 0:
            out[i] = top + level[number[i]]
    return top + highest


@compiled
def _links_of_sires(sire, dam, number, n_sires):
    """Links between sires, from the younger to the older one: where those of each begin, and their numbers."""
    n = sire.shape[0]
    pointer = np.zeros(n_sires + 1, dtype=np.int64)
    linked = np.empty(0, dtype=np.int32)
    for pass_ in range(2):
        for i in range(n):
            s = number[sire[i]] if 0 <= sire[i] < n else -1
            d = number[dam[i]] if 0 <= dam[i] < n else -1
            for a, b in ((np.int64(number[i]), np.int64(s)), (np.int64(number[i]), np.int64(d)), (np.int64(s), np.int64(d))):
                if a < 0 or b < 0 or a == b:
                    continue
                if pass_ == 1:
                    linked[pointer[min(a, b)]] = max(a, b)
                pointer[min(a, b) + (1 if pass_ == 0 else 0)] += 1
        if pass_ == 0:
            for k in range(n_sires):
                pointer[k + 1] += pointer[k]
            linked = np.empty(pointer[n_sires], dtype=np.int32)
    for k in range(n_sires, 0, -1):
        pointer[k] = pointer[k - 1]
    pointer[0] = 0
    return pointer, linked


@compiled
def sort_by_level(level, n_levels, out_order, out_position):
    """Order of the animals, level by level and the youngest first; out_order, out_position (n,) int32, each other's inverse."""
    n = level.shape[0]
    free = np.zeros(n_levels + 1, dtype=np.int64)
    for i in range(n):
        free[level[i] + 1] += 1
    for k in range(n_levels):
        free[k + 1] += free[k]
    for i in range(n - 1, -1, -1):
        p = free[level[i]]
        free[level[i]] += 1
        out_order[p] = i
        out_position[i] = p


@compiled
def count_links(sire, dam, position, out_pointer):
    """Links of each column, the same one counted as often as it occurs; out_pointer (n + g + 1,) int64, zero on entry.

    position (n + g,) of animals and groups: a link belongs to the column of the one that stands first.
    """
    n = sire.shape[0]
    for i in range(n):
        s, d, p = sire[i], dam[i], position[i]
        if s >= 0:
            out_pointer[min(p, position[s]) + 1] += 1
        if d >= 0 and d != s:
            out_pointer[min(p, position[d]) + 1] += 1
        if s >= 0 and d >= 0 and s != d:
            out_pointer[min(position[s], position[d]) + 1] += 1
    for p in range(1, out_pointer.shape[0]):
        out_pointer[p] += out_pointer[p - 1]


@compiled
def fill_links(sire, dam, precision, position, out_free, out_row, out_value):
    """Rows and values of the links, unsorted; out_free (n + g,) is the pointer's beginning on entry and moves."""
    n = sire.shape[0]
    for i in range(n - 1, -1, -1):
        s, d, b = sire[i], dam[i], precision[i]
        if s >= 0:
            _put(position[i], position[s], -b if s == d else -0.5 * b, out_free, out_row, out_value)
        if d >= 0 and d != s:
            _put(position[i], position[d], -0.5 * b, out_free, out_row, out_value)
        if s >= 0 and d >= 0 and s != d:
            _put(position[s], position[d], 0.25 * b, out_free, out_row, out_value)


@compiled
def _put(one, other, value, out_free, out_row, out_value):
    column = min(one, other)
    out_row[out_free[column]] = max(one, other)
    out_value[out_free[column]] = value
    out_free[column] += 1


@compiled
def merge_links(pointer, out_pointer, out_row, out_value):
    """Sort each column by rows and add up what is there more than once, in place; returns the number of elements left."""
    free = 0
    for p in range(pointer.shape[0] - 1):
        begin, end = pointer[p], pointer[p + 1]
        _sort(begin, end, out_row, out_value)
        out_pointer[p] = free
        start = free
        for q in range(begin, end):
            if free > start and out_row[free - 1] == out_row[q]:
                out_value[free - 1] += out_value[q]
            else:
                out_row[free] = out_row[q]
                out_value[free] = out_value[q]
                free += 1
    out_pointer[pointer.shape[0] - 1] = free
    return free


@compiled
def _sort(begin, end, out_row, out_value):
    """Sort one column by rows, keeping the order of equal ones."""
    if end - begin > 24:
        order = np.argsort(out_row[begin:end], kind="mergesort")
        row, value = out_row[begin:end][order], out_value[begin:end][order]
        for q in range(end - begin):
            out_row[begin + q] = row[q]
            out_value[begin + q] = value[q]
        return
    for q in range(begin + 1, end):
        row, value = out_row[q], out_value[q]
        back = q
        while back > begin and out_row[back - 1] > row:
            out_row[back] = out_row[back - 1]
            out_value[back] = out_value[back - 1]
            back -= 1
        out_row[back] = row
        out_value[back] = value
