"""What a pedigree is like, counted in one pass each. Parents that are no rows (negative, or groups) count as unknown."""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled

#: So many progeny of a dam are sorted where they are; more by numpy.
_FEW = 24


@compiled
def count_progeny(sire, dam, as_sire_out, as_dam_out):
    """Add up the progeny of each animal as a sire and as a dam, (n,) int32 from zeros.

    Returns the animals without and with one known parent, and those that are sires, dams, both, and neither.
    """
    n = sire.shape[0]
    n_founders, n_one, n_sires, n_dams, n_both, n_neither = 0, 0, 0, 0, 0, 0
    for i in range(n):
        has_sire, has_dam = 0 <= sire[i] < n, 0 <= dam[i] < n
        if has_sire:
            as_sire_out[sire[i]] += 1
        if has_dam:
            as_dam_out[dam[i]] += 1
        n_founders += not has_sire and not has_dam
        n_one += has_sire != has_dam
    for i in range(n):
        n_sires += as_sire_out[i] > 0
        n_dams += as_dam_out[i] > 0
        n_both += as_sire_out[i] > 0 and as_dam_out[i] > 0
        n_neither += as_sire_out[i] == 0 and as_dam_out[i] == 0
    return n_founders, n_one, n_sires, n_dams, n_both, n_neither


@compiled
def _sort(values_out):
    """Sort in place: few by insertion."""
    if values_out.shape[0] > _FEW:
        values_out[:] = np.sort(values_out)
        return
    for k in range(1, values_out.shape[0]):
        here, j = values_out[k], k - 1
        while j >= 0 and values_out[j] > here:
            values_out[j + 1] = values_out[j]
            j -= 1
        values_out[j + 1] = here


@compiled
def count_families(sire, dam, as_dam, end_out, sires_out):
    """Full-sib families, which are pairs of known parents: how many, their progeny, and the largest.

    as_dam (n,) is from `count_progeny`. The sires of each dam's progeny are brought together and sorted: end_out (n,) int32 and
    sires_out (progeny with a dam,) int32 are work space.
    """
    n = sire.shape[0]
    total = 0
    for i in range(n):
        end_out[i] = total
        total += as_dam[i]
    for i in range(n):
        if 0 <= sire[i] < n and 0 <= dam[i] < n:
            sires_out[end_out[dam[i]]] = sire[i]
            end_out[dam[i]] += 1
    families, progeny, largest, first = 0, 0, 0, 0
    for i in range(n):
        here = sires_out[first : end_out[i]]
        _sort(here)
        run = 0
        for k in range(here.shape[0]):
            is_new = k == 0 or here[k] != here[k - 1]
            run = 1 if is_new else run + 1
            families += is_new
            largest = max(largest, run)
        progeny += here.shape[0]
        first += as_dam[i]
    return families, progeny, largest


@compiled
def mark_parents(parent, is_parent_out):
    """Mark the parents that are animals; is_parent_out (n,) bool."""
    n = is_parent_out.shape[0]
    for i in range(parent.shape[0]):
        if 0 <= parent[i] < n:
            is_parent_out[parent[i]] = True


@compiled
def sum_ages(parent, year, year_unknown, path_of_sex, sex, is_parent, sum_out, number_out):
    """Ages of parents, in years, at the birth of progeny that became parents, summed by path; both years must be known.

    path_of_sex (3,) is the path of progeny of each sex (int8, 0 to 2); sum_out and number_out (paths,) int64 are added to.
    A parent that is born after its progeny is left out.
    """
    n = parent.shape[0]
    for i in range(n):
        if not is_parent[i] or not 0 <= parent[i] < n or year[i] == year_unknown:
            continue
        of_parent = year[parent[i]]
        if of_parent == year_unknown or of_parent > year[i]:
            continue
        sum_out[path_of_sex[sex[i]]] += np.int64(year[i]) - np.int64(of_parent)
        number_out[path_of_sex[sex[i]]] += 1
