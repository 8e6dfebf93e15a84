"""Animals in a new order, against lists; ids of every length, and of different ones."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from breedeval.names import Names
from breedeval.pedigree import reorder
from breedeval.pedigree.reorder import reordered
from breedeval.pedigree.table import YEAR_UNKNOWN
from tests.threads import threads_kept


@pytest.fixture(autouse=True)
def small_buckets(monkeypatch):
    monkeypatch.setattr(reorder, "_BUCKET_BITS", 4)
    monkeypatch.setattr(reorder, "_SMALLEST_PART", 32)
    with threads_kept():
        yield


def ids_of(width: int | None, n: int) -> list[str]:
    if width is None:
        return [f"NL{i * i}" for i in range(n)]
    return [f"{i:0{width}d}"[-width:] if width else "" for i in range(n)]


@pytest.mark.parametrize("threads", [1, numba.config.NUMBA_NUM_THREADS])
@pytest.mark.parametrize("n_names", [1, 16, 17, 300])
@pytest.mark.parametrize("width", [None, 0, 1, 7, 8, 9, 11, 15, 16, 17, 31])
def test_against_lists(width, n_names, threads):
    numba.set_num_threads(threads)
    rng = np.random.default_rng(n_names)
    names = ids_of(width, n_names)
    # Every tenth name is no animal; the others stand at random.
    animals = rng.permutation([name for name in range(n_names) if name % 10 != 9])
    place = np.full(n_names, -1, dtype=np.int32)
    place[animals] = np.arange(len(animals))
    sire = np.where(rng.random(n_names) < 0.3, -1, rng.choice(animals, n_names)).astype(np.int32)
    year = rng.choice(np.array([YEAR_UNKNOWN, -3, 0, 1999, 2**31 - 1]), n_names).astype(np.int32)
    sex = rng.integers(0, 3, n_names).astype(np.int8)
    found = reordered(len(animals), place, Names.of(names), sire, year, sex)
    assert found.ids.to_list() == [names[name] for name in animals]
    assert found.sire.tolist() == [-1 if sire[name] < 0 else place[sire[name]] for name in animals]
    assert found.birth_year.tolist() == year[animals].tolist()
    assert found.sex.tolist() == sex[animals].tolist()


def test_ids_that_do_not_begin_at_the_beginning():
    letters = np.frombuffer(b"xxABCD", dtype=np.uint8)
    names = Names(letters, np.array([2, 4, 6]))
    none, sex = np.full(2, -1, dtype=np.int32), np.zeros(2, dtype=np.int8)
    assert reordered(2, np.array([1, 0], dtype=np.int32), names, none, none, sex).ids.to_list() == ["CD", "AB"]
