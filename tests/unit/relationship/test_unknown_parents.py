"""Inbreeding with unknown parents that are related like their time."""

from __future__ import annotations

import numpy as np
import pytest

from breedeval.errors import NotConvergedError
from breedeval.pedigree.build import build_pedigree
from breedeval.pedigree.groups import group_by_rule, with_groups
from breedeval.pedigree.pedigree import Pedigree
from breedeval.relationship.inbreeding import compute_inbreeding
from breedeval.relationship.unknown_parents import compute_inbreeding_of_unknown_parents
from tests.factories import make_table
from tests.reference.relationship import tabular_with_metafounders


def herd() -> Pedigree:
    """Four generations of half and full sibs; animals without parents turn up in later years too."""
    rows, years = [], []
    for year in range(2000, 2012):
        for k in range(6):
            known = year >= 2003 and k < 4
            sire = f"a{year - 2 - k % 2}_{k % 2}" if known else None
            dam = f"a{year - 3}_{2 + k % 3}" if known and k != 3 else None
            rows.append((f"a{year}_{k}", sire, dam))
            years.append(year)
    pedigree = build_pedigree(make_table(rows, birth_year=years)).pedigree
    return with_groups(pedigree, group_by_rule(pedigree, ["birth_year"], min_size=12))


def group_years(pedigree: Pedigree) -> np.ndarray:
    n = pedigree.n_animals
    of = [
        np.append(pedigree.birth_year[pedigree.sire == n + j], pedigree.birth_year[pedigree.dam == n + j])
        for j in range(pedigree.n_groups)
    ]
    return np.array([years.mean() for years in of])


def test_coefficients_are_those_of_the_relationships_they_imply() -> None:
    pedigree = herd()
    found = compute_inbreeding_of_unknown_parents(pedigree, group_years(pedigree))
    gamma = 2 * np.minimum.outer(found.of_groups, found.of_groups)
    a = tabular_with_metafounders(pedigree.sire, pedigree.dam, gamma)
    n = pedigree.n_animals
    np.testing.assert_allclose(found.inbreeding.coefficients, np.diag(a)[:n] - 1, rtol=0, atol=1e-7)
    assert found.rounds < 60


def test_means_of_groups_agree_with_the_coefficients_at_the_end() -> None:
    pedigree = herd()
    years = group_years(pedigree)
    found = compute_inbreeding_of_unknown_parents(pedigree, years)
    n = pedigree.n_animals
    known = (pedigree.sire >= 0) & (pedigree.sire < n) & (pedigree.dam >= 0) & (pedigree.dam < n)
    nearest = np.abs(pedigree.birth_year[:, None] - years).argmin(axis=1)
    means = [
        found.inbreeding.coefficients[known & (nearest == j)].mean() if (known & (nearest == j)).any() else 0.0
        for j in range(len(years))
    ]
    np.testing.assert_allclose(found.of_groups, np.maximum.accumulate(means), rtol=0, atol=1e-6)
    assert found.of_groups[-1] > 0.01


def test_inbreeding_never_falls_and_an_animal_without_parents_has_the_mean_of_its_time() -> None:
    pedigree = herd()
    found = compute_inbreeding_of_unknown_parents(pedigree, group_years(pedigree))
    assert (found.inbreeding.coefficients >= compute_inbreeding(pedigree).coefficients - 1e-12).all()
    n = pedigree.n_animals
    row = pedigree.row_of("a2011_5")
    group = int(pedigree.sire[row]) - n
    np.testing.assert_allclose(found.inbreeding.coefficients[row], found.of_groups[group], rtol=0, atol=1e-6)


def family(*years: int) -> Pedigree:
    """An old animal, two founders, their progeny a and b, and an inbred animal of these, born in `years`."""
    rows = [("old", None, None), ("s", None, None), ("d", None, None), ("a", "s", "d"), ("b", "s", "d"), ("c", "a", "b")]
    pedigree = build_pedigree(make_table(rows, birth_year=list(years))).pedigree
    return with_groups(pedigree, group_by_rule(pedigree, ["birth_year"]))


def test_the_oldest_group_is_the_base() -> None:
    pedigree = family(2000, 2000, 2000, 2001, 2001, 2002)
    found = compute_inbreeding_of_unknown_parents(pedigree, group_years(pedigree))
    assert found.of_groups.tolist() == [0.0]
    np.testing.assert_array_equal(found.inbreeding.coefficients, compute_inbreeding(pedigree).coefficients)


def test_a_group_whose_time_descends_from_itself_alone_is_refused_by_name() -> None:
    pedigree = family(1980, 2000, 2000, 2000, 2000, 2000)
    with pytest.raises(NotConvergedError, match=r"of '2000' does not settle .*min_size"):
        compute_inbreeding_of_unknown_parents(pedigree, group_years(pedigree))
