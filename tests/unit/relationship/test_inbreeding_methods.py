"""Inbreeding by rows of A against the tabular method, Meuwissen & Luo, and lines whose coefficients are known."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from breedeval.errors import ConfigError, DataError, UnknownNameError
from breedeval.io.pedigree_file import read_pedigree
from breedeval.names import Names
from breedeval.pedigree.parents_first import parents_first
from breedeval.pedigree.pedigree import Pedigree
from breedeval.relationship.inbreeding import compute_inbreeding
from breedeval.relationship.inbreeding_plan import InbreedingPlan
from breedeval.relationship.inbreeding_window import InbreedingWindow, cheaper_window
from breedeval.relationship.stored_inbreeding import NOT_STORED, StoredInbreeding
from breedeval.simulate.dairy import simulate_dairy
from tests.reference.relationship import tabular_a


def pedigree_of(sire, dam, groups=()):
    n = len(sire)
    return Pedigree(
        ids=Names.of(f"A{i}" for i in range(n)),
        sire=np.asarray(sire, dtype=np.int32),
        dam=np.asarray(dam, dtype=np.int32),
        sex=np.zeros(n, dtype=np.int8),
        birth_year=np.zeros(n, dtype=np.int32),
        groups=Names.of(groups),
    )


def ordered(sire, dam):
    """The same animals in the order of a built pedigree."""
    order, _ = parents_first(np.asarray(sire, dtype=np.int32), np.asarray(dam, dtype=np.int32))
    new = np.append(np.argsort(order), -1)
    return new[np.asarray(sire)[order]], new[np.asarray(dam)[order]]


def livestock(rng, n, n_sires=4, recent=60):
    """Few sires, many dams, 10 % of the parents unknown."""
    sire, dam = np.full(n, -1), np.full(n, -1)
    for i in range(10, n):
        first = max(0, i - recent)
        if rng.random() > 0.1:
            sire[i] = first + rng.integers(0, min(n_sires, i - first))
        if rng.random() > 0.1:
            dam[i] = rng.integers(first, i)
    return sire, dam


def couples(rng, n):
    """Full sibs of two parents each, nobody with a second mate."""
    sire, dam = np.full(n, -1), np.full(n, -1)
    free = list(range(20))
    i = 20
    while i < n:
        father, mother = (free.pop(rng.integers(0, min(8, len(free)))) for _ in range(2))
        for child in range(i, min(n, i + rng.integers(2, 5))):
            sire[child], dam[child] = father, mother
            free.append(child)
        i = child + 1
    return sire, dam


def plants(rng, n):
    """Anyone may be sire, dam or both."""
    sire, dam = np.full(n, -1), np.full(n, -1)
    for i in range(4, n):
        sire[i], dam[i] = rng.integers(max(0, i - 25), i, 2)
    return sire, dam


def one_tester(rng, n):
    """A dam of many, mated to her descendants: the row is hers."""
    sire, dam = livestock(rng, n)
    dam[5:] = np.where(rng.random(n - 5) < 0.4, 0, dam[5:])
    return sire, dam


KINDS = [livestock, couples, plants, one_tester]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["rows", "window"])
def test_equals_the_tabular_method(kind, seed, method):
    sire, dam = ordered(*kind(np.random.default_rng(seed), 250))
    expected = np.diag(tabular_a(sire, dam)) - 1.0
    assert expected.max() > 0.1
    np.testing.assert_allclose(compute_inbreeding(pedigree_of(sire, dam), method=method), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["auto", "rows", "window"])
def test_equals_meuwissen_and_luo_in_any_order_of_animals(kind, method):
    sire, dam = kind(np.random.default_rng(7), 4000)
    pedigree = pedigree_of(sire, dam)
    plain = compute_inbreeding(pedigree, method="meuwissen_luo")
    found = compute_inbreeding(pedigree, method=method)
    np.testing.assert_allclose(found, plain, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.mendelian_variance, plain.mendelian_variance, rtol=0, atol=1e-12)


def test_founders_of_all_times_enter_the_window_late_and_pairs_of_founders_are_not_related():
    # Each generation is mated to founders of its own; a founder that is used in the last generation only is never early.
    rng = np.random.default_rng(9)
    sire, dam, herd = [-1, -1], [-1, -1], [0, 1]
    for _ in range(300):
        sire += [-1, -1]
        dam += [-1, -1]
        bull, cow = len(sire) - 2, len(sire) - 1
        sire += [bull, *rng.choice(herd, 5), -1]
        dam += [cow, *rng.choice([*herd, cow], 5), int(rng.choice(herd))]
        herd = [*herd[-14:], *range(len(sire) - 7, len(sire))]
    pedigree = pedigree_of(sire, dam)
    plain = compute_inbreeding(pedigree, method="meuwissen_luo")
    assert plain.coefficients.max() > 0.2
    found = compute_inbreeding(pedigree, method="window")
    np.testing.assert_allclose(found, plain, rtol=0, atol=1e-12)
    assert not found.coefficients[[4 + 9 * g for g in range(300)]].any()


def test_the_window_is_chosen_where_it_is_less_work():
    narrow = pedigree_of(*ordered(*plants(np.random.default_rng(1), 3000)))
    wide = pedigree_of(*ordered(*livestock(np.random.default_rng(1), 20_000, n_sires=20, recent=5000)))
    windows = [cheaper_window(p, InbreedingPlan.of(p, np.empty(0), np.empty(len(p)))) for p in (narrow, wide)]
    assert windows[1] is None
    assert isinstance(windows[0], InbreedingWindow)
    assert windows[0].n_slots < 200


def test_a_window_that_would_be_too_wide_is_refused():
    n = 25_000  # half of them are parents of the other half at the same time, and have parents themselves
    sire = np.concatenate([[-1, -1], np.zeros(n), 2 + np.arange(n)])
    dam = np.concatenate([[-1, -1], np.ones(n), 2 + np.roll(np.arange(n), 1)])
    half = np.concatenate([sire, 2 + n + np.arange(n)]), np.concatenate([dam, 2 + n + np.roll(np.arange(n), 7)])
    with pytest.raises(ConfigError, match="method 'window'"):
        compute_inbreeding(pedigree_of(*half), method="window")


def test_a_simulated_herd_book_equals_meuwissen_and_luo():
    herd_book = simulate_dairy(np.random.default_rng(5), n_animals=6000, unknown_dam=0.1, calves_per_sire=30.0).herd_book
    pedigree = herd_book.to_pedigree()
    plain = compute_inbreeding(pedigree, method="meuwissen_luo")
    assert plain.coefficients.max() > 0.1
    np.testing.assert_allclose(compute_inbreeding(pedigree), plain, rtol=0, atol=1e-12)


def test_meuwissen_and_luo_equals_the_tabular_method():
    sire, dam = plants(np.random.default_rng(2), 120)
    expected = np.diag(tabular_a(sire, dam)) - 1.0
    np.testing.assert_allclose(compute_inbreeding(pedigree_of(sire, dam), method="meuwissen_luo"), expected, atol=1e-13)


@pytest.mark.parametrize("method", ["rows", "window"])
def test_the_same_bits_for_any_number_of_threads(method):
    pedigree = pedigree_of(*ordered(*livestock(np.random.default_rng(3), 20_000, n_sires=40, recent=2000)))
    most = numba.get_num_threads()
    found = []
    try:
        for threads in {1, most}:
            numba.set_num_threads(threads)
            found.append(compute_inbreeding(pedigree, method=method).coefficients)
    finally:
        numba.set_num_threads(most)
    assert found[0].max() > 0
    assert all(np.array_equal(other, found[0]) for other in found)


def test_unrelated_parents_give_exactly_zero():
    # Each animal descends from 2^9 founders, all different.
    sire, dam, generation = [-1] * 1024, [-1] * 1024, list(range(1024))
    while len(generation) > 1:
        pairs = list(zip(generation[::2], generation[1::2], strict=True))
        generation = list(range(len(sire), len(sire) + len(pairs)))
        sire += [pair[0] for pair in pairs]
        dam += [pair[1] for pair in pairs]
    assert not np.any(compute_inbreeding(pedigree_of(sire, dam)))


@pytest.mark.parametrize("length", [1, 3, 4, 5, 8, 9, 14])
def test_a_sire_mated_to_the_end_of_a_maternal_line_that_begins_with_his_daughter(length):
    # 0 sire, 1 dam; a daughter, then females by new males each; then all females by the sire.
    sire, dam = [-1, -1, 0], [-1, -1, 1]
    females = [2]
    for _ in range(length):
        sire += [-1, len(sire)]
        dam += [-1, females[-1]]
        females.append(len(sire) - 1)
    found = compute_inbreeding(pedigree_of(sire + [0] * len(females), dam + females)).coefficients
    assert found[-len(females) :].tolist() == [0.25 * 0.5**k for k in range(len(females))]


def test_a_line_of_selfed_animals():
    n = 20_000
    parent = np.arange(-1, n - 1)
    expected = 1.0 - 0.5 ** np.arange(n)
    np.testing.assert_allclose(compute_inbreeding(pedigree_of(parent, parent)), expected, rtol=0, atol=1e-15)


def test_a_line_of_full_sib_matings():
    # F_t = ¼ (1 + 2 F_{t−1} + F_{t−2}): Wright (1921, Genetics 6:167); Falconer & Mackay (1996), table 5.1.
    n = 10_000
    sire = np.repeat(np.arange(-2, 2 * n - 2, 2), 2)
    sire[:2] = -1
    dam = np.where(sire < 0, -1, sire + 1)
    found = compute_inbreeding(pedigree_of(sire, dam)).coefficients[::2]
    expected = np.zeros(n)
    for t in range(2, n):
        expected[t] = 0.25 * (1.0 + 2.0 * expected[t - 1] + expected[t - 2])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_200_generations_and_a_sire_of_thousands():
    rng = np.random.default_rng(11)
    generations, size = 200, 20
    n = generations * size
    sire, dam = np.full(n, -1), np.full(n, -1)
    for g in range(1, generations):
        sire[g * size : (g + 1) * size] = (g - 1) * size + rng.integers(0, 2, size)
        dam[g * size : (g + 1) * size] = (g - 1) * size + rng.integers(2, size, size)
    sire = np.append(sire, np.full(5000, 40))  # many progeny, by dams of all ages
    dam = np.append(dam, rng.integers(60, n, 5000))
    pedigree = pedigree_of(sire, dam)
    plain = compute_inbreeding(pedigree, method="meuwissen_luo")
    np.testing.assert_allclose(compute_inbreeding(pedigree), plain, rtol=0, atol=1e-12)


def test_groups_count_as_unknown_at_size():
    rng = np.random.default_rng(4)
    sire, dam = livestock(rng, 2000)
    n = len(sire)
    grouped = (np.where(parent < 0, n + rng.integers(0, 3, n), parent) for parent in (sire, dam))
    expected = compute_inbreeding(pedigree_of(sire, dam))
    found = compute_inbreeding(pedigree_of(*grouped, groups=["g1", "g2", "g3"]))
    assert np.array_equal(found.coefficients, expected.coefficients)
    assert np.array_equal(found.mendelian_variance, expected.mendelian_variance)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["auto", "rows", "window"])
def test_an_update_equals_the_full_run(kind, method):
    pedigree = pedigree_of(*kind(np.random.default_rng(6), 3000))
    full = compute_inbreeding(pedigree)
    known = full.coefficients.copy()
    known[2500:] = np.nan
    updated = compute_inbreeding(pedigree, known=known, method=method)
    np.testing.assert_allclose(updated, full, rtol=0, atol=1e-14)
    np.testing.assert_allclose(updated.mendelian_variance, full.mendelian_variance, rtol=0, atol=1e-14)


def test_known_coefficients_are_taken_as_they_are():
    # x is not inbred by the pedigree; its stored 0.5 makes its selfed progeny 0.75.
    pedigree = pedigree_of([-1, 0], [-1, 0])
    found = compute_inbreeding(pedigree, known=[0.5, np.nan])
    assert found.coefficients.tolist() == [0.5, 0.75]
    assert found.mendelian_variance.tolist() == [1.0, 0.25]


@pytest.mark.parametrize("backwards", [False, True])
def test_stored_coefficients_are_found_by_id(backwards):
    pedigree = pedigree_of(*livestock(np.random.default_rng(8), 800))
    full = compute_inbreeding(pedigree)
    rows = np.delete(np.arange(700), [3, 50])[:: -1 if backwards else 1]
    stored = StoredInbreeding(pedigree.ids.take(rows), full.coefficients[rows])
    by_row = stored.by_row(pedigree.ids)
    assert np.flatnonzero(np.isnan(by_row)).tolist() == [3, 50, *range(700, 800)]
    np.testing.assert_allclose(compute_inbreeding(pedigree, known=stored), full, rtol=0, atol=1e-14)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_changed_parents_are_found_and_their_descendants_computed_again(kind, backwards):
    sire, dam = kind(np.random.default_rng(12), 1500)
    old = pedigree_of(sire[:1400], dam[:1400])
    stored = StoredInbreeding.of(old, compute_inbreeding(old))
    if backwards:
        parents = (np.where(p >= 0, 1399 - p, -1)[::-1].astype(np.int32) for p in (stored.sire, stored.dam))
        stored = StoredInbreeding(old.ids.take(np.arange(1400)[::-1]), stored.coefficients[::-1], *parents)
    assert stored.find(pedigree_of(sire, dam)).n_outdated == 0
    sire[300], dam[500] = -1, 200 if dam[500] != 200 else 199
    pedigree = pedigree_of(sire, dam)
    found = stored.find(pedigree)
    assert set(found.changed) <= {300, 500}
    assert 500 in found.changed
    plain = compute_inbreeding(pedigree, method="meuwissen_luo")
    np.testing.assert_allclose(compute_inbreeding(pedigree, known=stored), plain, rtol=0, atol=1e-12)
    holds = ~np.isnan(found.coefficients)
    np.testing.assert_allclose(found.coefficients[holds], plain.coefficients[holds], rtol=0, atol=1e-12)
    assert holds[:300].all()


def test_a_parent_without_a_stored_coefficient_of_its_own_is_not_trusted():
    names = Names.of(["A1"])
    stored = StoredInbreeding(names, np.array([0.25]), np.array([NOT_STORED], np.int32), np.array([-1], np.int32))
    assert stored.find(pedigree_of([-1, 0], [-1, -1])).n_outdated == 1


def test_names_of_other_lengths_between_those_stored_are_passed_by():
    ids = [f"{'long-name-' if i % 11 == 5 else 'n'}{i}" for i in range(500)]
    kept = [i for i in range(500) if i % 11 != 5 and i not in (0, 499, 77, 78, 79)]
    stored = StoredInbreeding(Names.of(ids[i] for i in kept), np.arange(len(kept)) / 1000)
    by_row = stored.by_row(Names.of(ids))
    assert np.flatnonzero(~np.isnan(by_row)).tolist() == kept
    assert by_row[kept].tolist() == stored.coefficients.tolist()


def test_stored_coefficients_that_do_not_fit_are_refused():
    pedigree = pedigree_of([-1, -1, 0], [-1, -1, 1])
    with pytest.raises(UnknownNameError, match=r"2 animals .*'X1', 'X2'"):
        compute_inbreeding(pedigree, known=StoredInbreeding(Names.of(["A0", "X1", "X2"]), np.zeros(3)))
    with pytest.raises(DataError, match=r"twice: 'A1'"):
        compute_inbreeding(pedigree, known=StoredInbreeding(Names.of(["A1", "A0", "A1"]), np.zeros(3)))
    with pytest.raises(DataError, match=r"1 stored coefficient .* 2 animals"):
        StoredInbreeding(Names.of(["A1", "A0"]), np.zeros(1))
    with pytest.raises(DataError, match=r"\(2,\) for 3 animals"):
        compute_inbreeding(pedigree, known=np.zeros(2))
    with pytest.raises(DataError, match=r"2 known coefficients.*'A0: -0.5', 'A2: 1.5'"):
        compute_inbreeding(pedigree, known=[-0.5, np.nan, 1.5])


def test_options_that_do_not_go_together_are_refused():
    pedigree = pedigree_of([-1], [-1])
    with pytest.raises(ConfigError, match=r"'quaas'.*rows, window, meuwissen_luo"):
        compute_inbreeding(pedigree, method="quaas")
    for options in ({"ignore": True}, {"method": "meuwissen_luo"}):
        with pytest.raises(ConfigError, match="Leave out known"):
            compute_inbreeding(pedigree, known=[0.0], **options)


@pytest.mark.parametrize("name", ["deep.csv", "pine.csv", "potato.csv"])
def test_deep_and_plant_pedigrees_equal_meuwissen_and_luo(refdata, name):
    pedigree = read_pedigree(refdata("ped_deep_and_plants") / name, mend="all")
    plain = compute_inbreeding(pedigree, method="meuwissen_luo")
    np.testing.assert_allclose(compute_inbreeding(pedigree), plain, rtol=0, atol=1e-12)
