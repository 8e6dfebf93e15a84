"""Levels and the order of animals, against plain Python."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breedeval.pedigree import links
from breedeval.pedigree import parents_first as parents_first_module
from breedeval.pedigree.links import levels_of
from breedeval.pedigree.parents_first import parents_first
from breedeval.pedigree.table import YEAR_UNKNOWN


@st.composite
def shuffled_pedigrees(draw):
    """Parents (n,) of animals in no order, −1 unknown."""
    n = draw(st.integers(0, 40))
    parents = [[draw(st.integers(-1, i - 1)) for i in range(n)] for _ in range(2)]
    place = draw(st.permutations(range(n)))
    sire, dam = (np.full(n, -1, dtype=np.int32) for _ in range(2))
    for i in range(n):
        for column, known in zip((sire, dam), parents, strict=True):
            column[place[i]] = place[known[i]] if known[i] >= 0 else -1
    return sire, dam


def level_twin(sire, dam) -> list[int]:
    def level(i: int) -> int:
        return -1 if i < 0 else 1 + max(level(int(sire[i])), level(int(dam[i])))

    return [level(i) for i in range(len(sire))]


@given(shuffled_pedigrees())
def test_levels_and_order(pedigree):
    sire, dam = pedigree
    levels = level_twin(sire, dam)
    assert levels_of(sire, dam).tolist() == levels
    # One level after the other: the places of the dams are known when a level is sorted.
    place, expected = {-1: -1}, []
    for level in range(max(levels, default=-1) + 1):
        members = sorted((i for i in range(len(sire)) if levels[i] == level), key=lambda i: (place[int(dam[i])], i))
        for i in members:
            place[i] = len(expected)
            expected.append(i)
    order, n_levels = parents_first(sire, dam)
    assert order.tolist() == expected
    assert n_levels == max(levels, default=-1) + 1


def test_the_order_of_many_dams_needs_several_digits():
    n = 20_000
    rng = np.random.default_rng(1)
    dam = np.concatenate([np.full(n, -1), rng.permutation(n)]).astype(np.int32)
    order, _ = parents_first(np.full(2 * n, -1, dtype=np.int32), dam)
    assert dam[order[n:]].tolist() == list(range(n))


@pytest.mark.parametrize("threads", [1, numba.config.NUMBA_NUM_THREADS])
@pytest.mark.parametrize("most_bits", [2, 12])
def test_large_levels_are_sorted_as_small_ones(monkeypatch, threads, most_bits):
    rng = np.random.default_rng(2)
    n = 6000
    older = np.arange(n) - rng.integers(1, 2000, size=(2, n))
    name = rng.permutation(n)
    sire, dam = np.full((2, n), -1, dtype=np.int32)
    for parent, row in ((sire, older[0]), (dam, older[1])):
        known = np.flatnonzero(row >= 0)
        parent[name[known]] = name[row[known]]
    order, n_levels = parents_first(sire, dam)
    monkeypatch.setattr(parents_first_module, "_LARGE_LEVEL", 300)
    monkeypatch.setattr(parents_first_module, "_SMALLEST_PART", 100)
    monkeypatch.setattr(parents_first_module, "_MOST_BUCKET_BITS", most_bits)
    monkeypatch.setattr(links, "_SMALLEST_PART", 100)
    before = numba.get_num_threads()
    numba.set_num_threads(threads)
    try:
        again, n_again = parents_first(sire, dam)
    finally:
        numba.set_num_threads(before)
    assert np.bincount(levels_of(sire, dam)).max() > 300
    assert n_again == n_levels
    assert np.array_equal(again, order)


@pytest.mark.parametrize("most_passes", [0, 12])
def test_levels_of_a_deep_pedigree_in_the_worst_order(monkeypatch, most_passes):
    monkeypatch.setattr(links, "_MOST_PASSES", most_passes)
    n = 3000
    # The youngest stands first: each pass finds one level.
    parent = np.append(np.arange(1, n), -1).astype(np.int32)
    assert levels_of(parent, parent).tolist() == list(range(n - 1, -1, -1))


@pytest.mark.parametrize("most_passes", [0, 12])
def test_who_is_on_a_loop_or_behind_one_has_no_level(monkeypatch, most_passes):
    monkeypatch.setattr(links, "_MOST_PASSES", most_passes)
    sire = np.array([1, 0, 1, -1, 3, 4], dtype=np.int32)
    dam = np.array([3, -1, 4, -1, -1, 3], dtype=np.int32)
    assert levels_of(sire, dam).tolist() == [-1, -1, -1, 0, 1, 2]


@pytest.mark.parametrize("threads", [1, numba.config.NUMBA_NUM_THREADS])
@pytest.mark.parametrize("kind", ["right", "some unknown", "all the same", "at random", "one far in the future"])
def test_years_of_birth_save_time_only(monkeypatch, threads, kind):
    rng = np.random.default_rng(4)
    n = 4000
    place = rng.permutation(n)
    sire, dam = np.full((2, n), -1, dtype=np.int32)
    for parent in (sire, dam):
        older = np.arange(n) - rng.integers(5, 60, size=n)  # more than 255 levels among them
        parent[place[older >= 0]] = place[older[older >= 0]]
    born = np.empty(n, dtype=np.int32)
    born[place] = 1800 + np.arange(n) // 10
    if kind == "some unknown":
        born[rng.random(n) < 0.2] = YEAR_UNKNOWN
    elif kind == "all the same":
        born[:] = 2000
    elif kind == "at random":
        born = rng.integers(1990, 2020, size=n).astype(np.int32)
    elif kind == "one far in the future":
        born[0] = 20_150_131
    expected = levels_of(sire, dam)
    monkeypatch.setattr(links, "_SMALLEST_PART", 100)
    before = numba.get_num_threads()
    numba.set_num_threads(threads)
    try:
        assert levels_of(sire, dam, born).tolist() == expected.tolist()
    finally:
        numba.set_num_threads(before)
