"""Passes over the rows of a pedigree table. A code below 0 stands for "no animal" or "unknown"."""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled


@compiled
def first_rows(animal, out):
    """First row in which each code stands; out (names,) int32 starts as −1. Returns how many rows repeat an earlier code."""
    n_repeated = 0
    for i in range(animal.shape[0]):
        a = animal[i]
        if a >= 0:
            if out[a] < 0:
                out[a] = i
            else:
                n_repeated += 1
    return n_repeated


@compiled
def first_known(animal, values, missing, out):
    """Value of each code from the first of its rows that knows it; out (names,) starts as `missing`."""
    for i in range(animal.shape[0]):
        a = animal[i]
        if a >= 0 and values[i] != missing and out[a] == missing:
            out[a] = values[i]


@compiled
def values_of_rows(rows, values, missing, out):
    """Value of each row (k,) int32, `missing` where the row is −1."""
    for i in range(rows.shape[0]):
        out[i] = values[rows[i]] if rows[i] >= 0 else missing


@compiled
def mark_used(parent, out):
    """Set out (names,) uint8 to 1 for every code that stands in this column."""
    for i in range(parent.shape[0]):
        if parent[i] >= 0:
            out[parent[i]] = 1


@compiled
def take_forms_away(codes_out, counts_out, first_out):
    """Make the lowest k codes (n,) −1 and the others k lower; count each of the lowest, and find its first row.

    counts_out and first_out (k,) int64 start as zeros.
    """
    k = counts_out.shape[0]
    for i in range(codes_out.shape[0]):
        code = codes_out[i]
        if code < k:
            if counts_out[code] == 0:
                first_out[code] = i
            counts_out[code] += 1
            codes_out[i] = -1
        else:
            codes_out[i] = code - k


@compiled
def are_counted(animal):
    """Whether the codes are 0, 1, 2 and so on."""
    n_wrong = 0
    for i in range(animal.shape[0]):
        n_wrong += animal[i] != i
    return n_wrong == 0


@compiled
def count_own_parents(animal, parent):
    """Count the rows whose animal is its own parent; a row without an animal is left out."""
    n = 0
    for i in range(parent.shape[0]):
        n += (parent[i] == animal[i]) & (animal[i] >= 0)
    return n


@compiled
def sexes_by_use(sex, used_as_sire, used_as_dam, out):
    """Sex of each name (n,), where it is 0 (unknown): 1 if used as a sire only, 2 if used as a dam only."""
    for i in range(sex.shape[0]):
        use = used_as_sire[i] + 2 * used_as_dam[i]
        out[i] = sex[i] if sex[i] != 0 else np.int8(use if use < 3 else 0)


@compiled
def count_born_wrong(animal, parent, born, born_of_name, missing):
    """Count the rows whose parent was born later; a row without an animal, or whose animal is its own parent, is left out."""
    n = 0
    for i in range(parent.shape[0]):
        p = parent[i]
        if p >= 0 and animal[i] >= 0 and p != animal[i] and born[i] != missing:
            n += born_of_name[p] > born[i]
    return n


@compiled
def count_years(years, missing, counts_out):
    """Count the rows of each year from 0; those of other numbers go to the last of counts_out (k,), which starts as zeros."""
    last = counts_out.shape[0] - 1
    for i in range(years.shape[0]):
        year = years[i]
        if year != missing:
            counts_out[year if 0 <= year < last else last] += 1


@compiled
def mark_born_wrong(animal, parent, born, born_of_name, missing, wrong_out):
    """Set wrong_out (m,) bool where `count_born_wrong` counts."""
    for i in range(parent.shape[0]):
        p = parent[i]
        if p >= 0 and animal[i] >= 0 and p != animal[i] and born[i] != missing:
            wrong_out[i] |= born_of_name[p] > born[i]  # missing is the lowest number


@compiled
def forget_own_parents(parent_out):
    """Set the parent of nodes that are their own to −1."""
    for i in range(parent_out.shape[0]):
        if parent_out[i] == i:
            parent_out[i] = -1


@compiled
def fill_from_parents(sire, dam, known, out):
    """Give each animal that is not known (n,) the mean of its parents' values; parents stand first, unknown ones count zero."""
    n = sire.shape[0]
    for i in range(n):
        if not known[i]:
            value = 0.0
            if 0 <= sire[i] < n:
                value += 0.5 * out[sire[i]]
            if 0 <= dam[i] < n:
                value += 0.5 * out[dam[i]]
            out[i] = value
