"""The lower triangle of A⁻¹ from the list of parents, youngest animals first.

Position of animal i is n − 1 − i, that of group n + j is n + j: progeny stand before their parents, groups behind all. An
animal links itself with its parents and its parents with each other (Henderson 1976, Biometrics 32:69).
"""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled


@compiled
def count_links(sire, dam, out_pointer):
    """Links of each column, the same one counted as often as it occurs; out_pointer (n + g + 1,) int64, zero on entry."""
    n = sire.shape[0]
    for i in range(n):
        s, d = sire[i], dam[i]
        if s >= 0:
            out_pointer[n - i] += 1
        if d >= 0 and d != s:
            out_pointer[n - i] += 1
        if s >= 0 and d >= 0 and s != d:
            out_pointer[min(_position(s, n), _position(d, n)) + 1] += 1
    for p in range(1, out_pointer.shape[0]):
        out_pointer[p] += out_pointer[p - 1]


@compiled
def fill_links(sire, dam, precision, out_free, out_row, out_value):
    """Rows and values of the links, unsorted; out_free (n + g,) is the pointer's beginning on entry and moves."""
    n = sire.shape[0]
    for i in range(n - 1, -1, -1):
        s, d, b = sire[i], dam[i], precision[i]
        p = n - 1 - i
        if s >= 0:
            share = -b if s == d else -0.5 * b
            out_row[out_free[p]] = _position(s, n)
            out_value[out_free[p]] = share
            out_free[p] += 1
        if d >= 0 and d != s:
            out_row[out_free[p]] = _position(d, n)
            out_value[out_free[p]] = -0.5 * b
            out_free[p] += 1
        if s >= 0 and d >= 0 and s != d:
            first, second = _position(s, n), _position(d, n)
            if first > second:
                first, second = second, first
            out_row[out_free[first]] = second
            out_value[out_free[first]] = 0.25 * b
            out_free[first] += 1


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
def _position(row, n):
    return n - 1 - row if row < n else row


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
