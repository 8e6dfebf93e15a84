"""A₂₂⁻¹ as an operator."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breedeval.errors import NotConvergedError, NotPositiveDefiniteError
from breedeval.relationship import subset_inverse
from breedeval.relationship.inbreeding import compute_inbreeding
from breedeval.relationship.subset_inverse import SubsetInverse
from breedeval.solvers.factorization import factorize
from tests.factories import make_pedigree, with_groups
from tests.properties.test_relationship import pedigrees
from tests.reference.relationship import tabular_a

ROWS = [
    ("a", None, None),
    ("b", None, None),
    ("c", "a", "b"),
    ("d", "a", "c"),
    ("e", "c", "b"),
    ("f", "e", "d"),
    ("g", "e", None),
]


def subset_of(pedigree, rows, **options):
    return SubsetInverse(pedigree, compute_inbreeding(pedigree), rows, **options)


@settings(max_examples=80)
@given(pedigrees(), st.data())
def test_equal_to_the_inverse_of_the_part_of_a(rows, data):
    pedigree = make_pedigree(rows)
    chosen = data.draw(st.lists(st.integers(0, len(pedigree) - 1), min_size=1, unique=True))
    a22 = tabular_a(pedigree.sire, pedigree.dam)[np.ix_(chosen, chosen)]
    inverse = subset_of(pedigree, chosen)
    np.testing.assert_allclose(inverse.multiply(a22), np.eye(len(chosen)), atol=1e-9)
    np.testing.assert_allclose(inverse.diagonal(), np.diag(np.linalg.inv(a22)), rtol=1e-8)
    assert inverse.log_determinant == pytest.approx(np.linalg.slogdet(a22)[1], abs=1e-9)


@pytest.mark.parametrize("chosen", [[6, 5], [5, 2, 6], [0, 1], [3]])
def test_with_a_factorization_of_the_solvers(chosen):
    pedigree = make_pedigree(ROWS)
    a22 = tabular_a(pedigree.sire, pedigree.dam)[np.ix_(chosen, chosen)]
    inverse = subset_of(pedigree, chosen, factorize=factorize)
    np.testing.assert_allclose(inverse.to_csr().toarray(), np.linalg.inv(a22), atol=1e-12)
    assert inverse.log_determinant == pytest.approx(np.linalg.slogdet(a22)[1], abs=1e-12)


def test_everybody_needs_no_solve():
    pedigree = make_pedigree(ROWS)
    inverse = subset_of(pedigree, np.arange(7)[::-1])
    assert inverse.n_other_ancestors == 0
    a = tabular_a(pedigree.sire, pedigree.dam)[::-1, ::-1]
    np.testing.assert_allclose(inverse.to_csr().toarray(), np.linalg.inv(a), atol=1e-12)
    assert inverse.log_determinant == pytest.approx(np.linalg.slogdet(a)[1], abs=1e-12)


def test_groups_count_as_unknown():
    pedigree = make_pedigree(ROWS)
    sire, dam = (np.where(parent == -1, 7, parent) for parent in (pedigree.sire, pedigree.dam))
    grouped = with_groups(pedigree, sire, dam, ["g"])
    np.testing.assert_array_equal(subset_of(grouped, [5, 6]).to_csr().toarray(), subset_of(pedigree, [5, 6]).to_csr().toarray())


def test_a_large_random_pedigree_is_solved_to_the_last_digits():
    rng = np.random.default_rng(5)
    rows = [(f"x{i}", *(f"x{rng.integers(max(0, i - 400), i)}" if i > 100 else None for _ in range(2))) for i in range(1500)]
    pedigree = make_pedigree(rows)
    chosen = np.sort(rng.choice(1500, 300, replace=False))
    a22 = tabular_a(pedigree.sire, pedigree.dam)[np.ix_(chosen, chosen)]
    x = rng.normal(size=300)
    np.testing.assert_allclose(a22 @ subset_of(pedigree, chosen).multiply(x), x, atol=1e-10)


def test_trouble_is_named(monkeypatch):
    pedigree = make_pedigree(ROWS)
    with pytest.raises(ValueError, match="1 animal given more than once: 'a'"):
        subset_of(pedigree, [0, 2, 0])
    with pytest.raises(IndexError, match="1 row outside the pedigree's 0 to 6: '7'"):
        subset_of(pedigree, [0, 7])
    pure = make_pedigree([("x0", None, None)] + [(f"x{i}", f"x{i - 1}", f"x{i - 1}") for i in range(1, 60)])
    with pytest.raises(NotPositiveDefiniteError, match="no Mendelian variance"):
        subset_of(pure, [59])
    monkeypatch.setattr(subset_inverse, "_MOST_ROUNDS", 1)
    with pytest.raises(NotConvergedError, match="not found in 1 rounds"):
        subset_of(pedigree, [5, 6]).multiply(np.ones(2))
    monkeypatch.setattr(subset_inverse, "_LARGEST_DENSE", 1)
    with pytest.raises(ValueError, match="too large"):
        subset_of(pedigree, [5, 6]).to_csr()
