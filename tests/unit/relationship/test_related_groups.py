"""A(Γ), relationships relative to metafounders, in every operator; the twin is the tabular method with related founders."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breedeval.errors import NotPositiveDefiniteError
from breedeval.relationship.group_means import average_relationships
from breedeval.relationship.inbreeding import Inbreeding, compute_inbreeding
from breedeval.relationship.metafounders import compute_inbreeding_with_metafounders, uniform_gamma
from breedeval.relationship.numerator import Numerator
from breedeval.relationship.subset_inverse import SubsetInverse
from breedeval.relationship.unknown_parents import compute_inbreeding_of_unknown_parents
from breedeval.solvers.factorization import factorize
from tests.factories import make_pedigree, with_groups
from tests.properties.test_relationship import pedigrees
from tests.reference.relationship import tabular_a, tabular_with_metafounders

GAMMA = np.array([[0.7, 0.2], [0.2, 0.4]])
NAMES = ["old", "new"]


def grouped(rows, codes):
    """The pedigree of `rows`; its unknown parents, one after the other, are in group 0 or 1, or unknown (code −1)."""
    pedigree = make_pedigree(rows)
    n, codes = len(pedigree), iter(codes)
    parents = [[p if p >= 0 else (code if (code := next(codes)) < 0 else n + code) for p in side] for side in
               (pedigree.sire.tolist(), pedigree.dam.tolist())]  # fmt: skip
    return with_groups(pedigree, *parents, NAMES)


@st.composite
def grouped_pedigrees(draw):
    rows = draw(pedigrees())
    codes = draw(st.lists(st.integers(-1, 1), min_size=2 * len(rows), max_size=2 * len(rows)))
    return grouped(rows, codes)


def dense(pedigree, gamma=GAMMA):
    n = len(pedigree)
    return tabular_with_metafounders(pedigree.sire.tolist(), pedigree.dam.tolist(), gamma)[:n, :n]


@settings(max_examples=80, deadline=None)
@given(grouped_pedigrees(), st.data())
def test_products_pairs_and_parts(pedigree, data):
    a, n = dense(pedigree), len(pedigree)
    operator = Numerator(pedigree, compute_inbreeding_with_metafounders(pedigree, GAMMA))
    np.testing.assert_allclose(operator.multiply(np.eye(n)), a, atol=1e-12)
    np.testing.assert_allclose(operator.multiply(np.arange(n, dtype=float)), a @ np.arange(n), atol=1e-10)
    np.testing.assert_allclose(operator.diagonal(), np.diag(a), atol=1e-12)
    chosen = data.draw(st.lists(st.integers(0, n - 1), min_size=1, unique=True))
    np.testing.assert_allclose(operator.subset(chosen), a[np.ix_(chosen, chosen)], atol=1e-12)
    np.testing.assert_allclose(operator.block(chosen, [0]), a[chosen][:, [0]], atol=1e-12)
    np.testing.assert_allclose(operator.relationships(chosen, chosen[::-1]), a[chosen, chosen[::-1]], atol=1e-12)


@settings(max_examples=80, deadline=None)
@given(grouped_pedigrees(), st.data())
def test_inverse_of_a_part(pedigree, data):
    chosen = data.draw(st.lists(st.integers(0, len(pedigree) - 1), min_size=1, unique=True))
    a22 = dense(pedigree)[np.ix_(chosen, chosen)]
    inverse = SubsetInverse(pedigree, compute_inbreeding_with_metafounders(pedigree, GAMMA), chosen)
    np.testing.assert_allclose(inverse.multiply(a22), np.eye(len(chosen)), atol=1e-9)
    np.testing.assert_allclose(inverse.diagonal(), np.diag(np.linalg.inv(a22)), rtol=1e-8)
    assert inverse.log_determinant == pytest.approx(np.linalg.slogdet(a22)[1], abs=1e-9)


def herd(n=300):
    rng = np.random.default_rng(5)
    rows = [(f"x{i}", *(f"x{rng.integers(0, i)}" if i > 30 and rng.random() < 0.9 else None for _ in "sd")) for i in range(n)]
    return grouped(rows, rng.integers(0, 2, 2 * n).tolist())


@pytest.mark.parametrize("factor", [None, factorize])
def test_inverse_of_a_part_of_a_herd(factor):
    pedigree = herd()
    chosen = np.arange(200, 300)[::-3]
    inverse = SubsetInverse(pedigree, compute_inbreeding_with_metafounders(pedigree, GAMMA), chosen, factorize=factor)
    a22 = dense(pedigree)[np.ix_(chosen, chosen)]
    np.testing.assert_allclose(inverse.to_csr().toarray(), np.linalg.inv(a22), atol=1e-9)
    assert inverse.log_determinant == pytest.approx(np.linalg.slogdet(a22)[1], abs=1e-9)


def test_means_of_groups_of_animals():
    pedigree = herd()
    labels = np.arange(300) % 4 - 1
    found = average_relationships(pedigree, compute_inbreeding_with_metafounders(pedigree, GAMMA), labels)
    a = dense(pedigree)
    expected = [[a[np.ix_(labels == i, labels == j)].mean() for j in range(3)] for i in range(3)]
    np.testing.assert_allclose(found.mean, expected, atol=1e-12)
    np.testing.assert_allclose(found.mean_self, [np.diag(a)[labels == i].mean() for i in range(3)], atol=1e-12)


def test_groups_that_are_no_metafounders_count_as_unknown():
    pedigree = herd()
    n = len(pedigree)
    sire, dam = (np.where(parent < n, parent, -1) for parent in (pedigree.sire, pedigree.dam))
    a, inbreeding = tabular_a(sire, dam), compute_inbreeding(pedigree)
    np.testing.assert_allclose(Numerator(pedigree, inbreeding).multiply(np.eye(n)), a, atol=1e-12)
    chosen = [250, 260, 299]
    a22_inverse = np.linalg.inv(a[np.ix_(chosen, chosen)])
    np.testing.assert_allclose(SubsetInverse(pedigree, inbreeding, chosen).to_csr().toarray(), a22_inverse, atol=1e-10)


def test_unknown_parents_that_are_inbred_and_related():
    pedigree = herd()
    found = compute_inbreeding_of_unknown_parents(pedigree, np.array([2000.0, 2010.0])).inbreeding
    a = dense(pedigree, found.gamma)
    np.testing.assert_allclose(1.0 + found.coefficients, np.diag(a), atol=1e-12)
    np.testing.assert_allclose(Numerator(pedigree, found).multiply(np.eye(len(a))), a, atol=1e-12)


def test_a_singular_gamma_has_no_inverse():
    pedigree = herd()
    proper = compute_inbreeding_with_metafounders(pedigree, GAMMA)
    singular = Inbreeding(proper.coefficients, proper.mendelian_variance, gamma=np.full((2, 2), 0.3))
    with pytest.raises(NotPositiveDefiniteError, match="2 metafounders is singular"):
        SubsetInverse(pedigree, singular, [0, 1])


def test_metafounders_of_another_pedigree_are_refused():
    pedigree = herd()
    proper = compute_inbreeding_with_metafounders(pedigree, GAMMA)
    other = Inbreeding(proper.coefficients, proper.mendelian_variance, gamma=uniform_gamma(3, 0.5, 0.1))
    for use in (Numerator, lambda p, f: SubsetInverse(p, f, [0]), lambda p, f: average_relationships(p, f, np.zeros(len(p)))):
        with pytest.raises(ValueError, match="3 metafounders, but the pedigree has 2 groups"):
            use(pedigree, other)
