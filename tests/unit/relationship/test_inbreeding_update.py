"""F of few animals where that of all others is known: the same numbers as from a full run."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from breedeval.errors import DataError
from breedeval.kernels import inbreeding_update as kernels
from breedeval.relationship import inbreeding as of_inbreeding
from breedeval.relationship.inbreeding import compute_inbreeding
from breedeval.relationship.inbreeding_update import FEW, plan_update
from breedeval.relationship.stored_inbreeding import StoredInbreeding
from tests.unit.relationship.test_inbreeding_methods import KINDS, livestock, ordered, pedigree_of


@pytest.fixture
def planned(monkeypatch):
    """How many animals each update of few was planned for."""
    calls = []

    def plan(pedigree, wanted, coefficients):
        calls.append(len(wanted))
        return plan_update(pedigree, wanted, coefficients)

    monkeypatch.setattr(of_inbreeding, "plan_update", plan)
    return calls


def known_but(full, rows):
    known = full.coefficients.copy()
    known[rows] = np.nan
    return known


@pytest.mark.parametrize("share", [0.001, 0.05, 0.24, 0.5])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["auto", "rows"])
def test_any_few_animals_of_any_age(kind, share, method, planned):
    # Animals wanted are ancestors of others that are wanted: what is found for the older is used for the younger.
    rng = np.random.default_rng(3)
    n = 3000
    pedigree = pedigree_of(*ordered(*kind(rng, n)))
    full = compute_inbreeding(pedigree, method="meuwissen_luo")
    rows = np.sort(rng.choice(n, int(share * n), replace=False))
    found = compute_inbreeding(pedigree, known=known_but(full, rows), method=method)
    assert planned == ([len(rows)] if share <= FEW else [])
    np.testing.assert_allclose(found, full, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.mendelian_variance, full.mendelian_variance, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_groups_count_as_unknown(kind, planned):
    rng = np.random.default_rng(4)
    n = 1201
    sire, dam = kind(rng, n)
    grouped = [np.where((p < 0) | (rng.random(n) < 0.05), n + rng.integers(0, 70, n), p) for p in (sire, dam)]
    pedigree = pedigree_of(*grouped, groups=[f"g{k}" for k in range(70)])
    full = compute_inbreeding(pedigree, method="meuwissen_luo")
    assert full.coefficients[1000:].max() > 0.05
    found = compute_inbreeding(pedigree, known=known_but(full, slice(1000, None)), method="rows")
    assert planned == [201]
    np.testing.assert_allclose(found, full, rtol=0, atol=1e-12)


@pytest.mark.parametrize("length", [1, 5, kernels.MOST_LINKS - 1, kernels.MOST_LINKS, kernels.MOST_LINKS + 1, 60])
def test_a_sire_mated_to_the_end_of_a_maternal_line_that_begins_with_his_daughter(length, planned):
    # 0 sire, 1 dam; a daughter, then females by new males each, then calves of the last one by the first sire, and none else.
    sire, dam, female = [-1, -1, 0], [-1, -1, 1], 2
    for _ in range(length):
        sire += [-1, len(sire)]
        dam += [-1, female]
        female = len(sire) - 1
    pedigree = pedigree_of([*sire, 0], [*dam, female])
    known = np.zeros(len(pedigree))
    known[-1] = np.nan
    found = compute_inbreeding(pedigree, known=known, method="rows")
    assert planned == [1]
    assert found.coefficients[-1] == 0.25 * 0.5**length


def test_paternal_and_maternal_sides_that_are_unknown_in_turn(planned):
    # A line that leads through sires where dams are unknown, and the other way round.
    rng = np.random.default_rng(8)
    n = 2000
    sire, dam = livestock(rng, n)
    sire[rng.random(n) < 0.4] = -1
    dam[rng.random(n) < 0.4] = -1
    pedigree = pedigree_of(*ordered(sire, dam))
    full = compute_inbreeding(pedigree, method="meuwissen_luo")
    rows = np.flatnonzero(rng.random(n) < 0.2)
    assert np.count_nonzero(full.coefficients[rows]) > 10
    found = compute_inbreeding(pedigree, known=known_but(full, rows), method="rows")
    assert planned == [len(rows)]
    np.testing.assert_allclose(found, full, rtol=0, atol=1e-12)


def test_the_same_bits_for_any_number_of_threads():
    pedigree = pedigree_of(*ordered(*livestock(np.random.default_rng(3), 20_000, n_sires=40, recent=2000)))
    known = known_but(compute_inbreeding(pedigree), slice(16_000, None))
    most = numba.get_num_threads()
    found = []
    try:
        for threads in {1, most}:
            numba.set_num_threads(threads)
            found.append(compute_inbreeding(pedigree, known=known, method="rows").coefficients)
    finally:
        numba.set_num_threads(most)
    assert found[0][16_000:].max() > 0
    assert all(np.array_equal(other, found[0]) for other in found)


def test_what_is_known_is_left_as_it_is():
    pedigree = pedigree_of(*livestock(np.random.default_rng(1), 500))
    known = known_but(compute_inbreeding(pedigree), [0, 499])
    known[250] = 0.75
    before = known.copy()
    found = compute_inbreeding(pedigree, known=known)
    assert np.array_equal(known, before, equal_nan=True)
    assert found.coefficients[250] == 0.75
    everything = compute_inbreeding(pedigree, known=found.coefficients)
    assert np.array_equal(everything.coefficients, found.coefficients)
    known[3] = 1.5
    with pytest.raises(DataError, match=r"'A3: 1\.5'"):
        compute_inbreeding(pedigree, known=known)


@pytest.mark.parametrize("lengths", ["even", "uneven"])
@pytest.mark.parametrize("with_parents", [False, True])
def test_stored_coefficients_between_which_new_animals_have_come(lengths, with_parents, planned):
    # As in the order of a file that has grown: old animals in their order, new ones anywhere, at both ends too.
    rng = np.random.default_rng(2)
    pedigree = pedigree_of(*ordered(*livestock(rng, 3000)))
    if lengths == "even":
        pedigree = type(pedigree)(
            type(pedigree.ids).of(f"N{i:05}" for i in range(3000)), pedigree.sire, pedigree.dam, pedigree.sex,
            pedigree.birth_year, pedigree.groups,
        )  # fmt: skip
    full = compute_inbreeding(pedigree)
    has_progeny = np.isin(np.arange(3000), [pedigree.sire, pedigree.dam])
    new = np.flatnonzero(~has_progeny & (rng.random(3000) < 0.3))
    new = np.union1d(new, [2999])
    old = np.setdiff1d(np.arange(3000), new)
    place = np.full(3001, -1, dtype=np.int32)
    place[old] = np.arange(len(old))
    parents = (place[pedigree.sire[old]], place[pedigree.dam[old]]) if with_parents else ()
    stored = StoredInbreeding(pedigree.ids.take(old), full.coefficients[old], *parents)
    found = stored.find(pedigree)
    assert np.flatnonzero(np.isnan(found.coefficients)).tolist() == new.tolist()
    assert found.n_outdated == 0
    np.testing.assert_allclose(compute_inbreeding(pedigree, known=stored), full, rtol=0, atol=1e-14)
    assert planned == [len(new)]
