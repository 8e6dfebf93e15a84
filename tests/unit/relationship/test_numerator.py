"""A and its inverse against their slow twins."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from breedeval.relationship import a_inverse
from breedeval.relationship.a_inverse import NumeratorInverse
from breedeval.relationship.inbreeding import compute_inbreeding
from breedeval.relationship.numerator import Numerator
from tests.factories import make_pedigree, with_groups
from tests.reference.relationship import inverse_by_rules, tabular_a

ROWS = [
    ("a", None, None),
    ("b", None, None),
    ("c", "a", "b"),
    ("d", "a", None),
    ("e", "c", "d"),
    ("f", "e", "e"),
    ("g", "b", "f"),
    ("h", None, "g"),
]


@pytest.fixture
def pedigree():
    return make_pedigree(ROWS)


def test_relationships_subset_and_diagonal(pedigree):
    expected = tabular_a(pedigree.sire, pedigree.dam)
    a = Numerator(pedigree, compute_inbreeding(pedigree))
    first, second = np.indices(expected.shape).reshape(2, -1)
    np.testing.assert_allclose(a.relationships(first, second), expected.ravel(), atol=1e-15)
    np.testing.assert_allclose(a.subset([5, 0, 3]), expected[np.ix_([5, 0, 3], [5, 0, 3])], atol=1e-15)
    np.testing.assert_allclose(a.diagonal(), np.diag(expected), atol=1e-15)
    assert a.relationship(7, 2) == pytest.approx(expected[7, 2], abs=1e-15)


def test_more_than_one_block_of_columns():
    rows = [("s", None, None)] + [(f"x{i}", "s", None) for i in range(40)]
    pedigree = make_pedigree(rows)
    a = Numerator(pedigree, compute_inbreeding(pedigree))
    np.testing.assert_allclose(a.subset(np.arange(41)), tabular_a(pedigree.sire, pedigree.dam))
    np.testing.assert_allclose(a.relationships([1, 1, 40, 0], [40, 1, 20, 33]), [0.25, 1, 0.25, 0.5])


def test_inverse_and_log_determinant(pedigree):
    expected = tabular_a(pedigree.sire, pedigree.dam)
    inverse = NumeratorInverse(pedigree, compute_inbreeding(pedigree))
    np.testing.assert_allclose(inverse.to_csr().toarray(), np.linalg.inv(expected), atol=1e-12)
    assert inverse.log_determinant == pytest.approx(np.linalg.slogdet(expected)[1], abs=1e-12)


def test_inverse_with_groups_adds_their_rows(pedigree):
    n = len(pedigree)
    sire = [n if parent == -1 else parent for parent in pedigree.sire]
    dam = [n + 1 if parent == -1 else parent for parent in pedigree.dam]
    grouped = with_groups(pedigree, sire, dam, ["g1", "g2"])
    inbreeding = compute_inbreeding(grouped)
    inverse = NumeratorInverse(grouped, inbreeding)
    assert inverse.order == n + 2
    np.testing.assert_allclose(inverse.to_csr().toarray(), inverse_by_rules(sire, dam, inbreeding.coefficients), atol=1e-13)


@pytest.mark.parametrize("n_columns", [None, 1, 3])
@pytest.mark.parametrize("n_groups", [0, 2])
def test_products_of_any_number_of_threads_have_the_same_bits(monkeypatch, n_columns, n_groups):
    rng = np.random.default_rng(4)
    n = 2000
    oldest = 0 if n_groups == 0 else n  # an unknown parent is −1, or one of the groups behind the animals
    sire, dam = (np.where(rng.random(n) < 0.2, -1, (rng.random(n) * np.arange(n)).astype(int)) for _ in range(2))
    sire[:5] = dam[:5] = -1
    if n_groups:
        sire, dam = (np.where(parent < 0, oldest + rng.integers(0, n_groups, n), parent) for parent in (sire, dam))
    pedigree = with_groups(make_pedigree([(f"x{i}", None, None) for i in range(n)]), sire, dam, ["g", "h"][:n_groups])
    inverse = NumeratorInverse(pedigree, compute_inbreeding(pedigree))
    x = rng.standard_normal((n + n_groups,) if n_columns is None else (n + n_groups, n_columns))
    alone = inverse.multiply(x)
    np.testing.assert_allclose(alone, inverse.to_csr() @ x, atol=1e-11)
    monkeypatch.setattr(a_inverse, "FEWEST_ANIMALS", 0)
    monkeypatch.setattr(a_inverse, "FEWEST_THREADS", 1)
    before = numba.get_num_threads()
    for threads in range(1, numba.config.NUMBA_NUM_THREADS + 1):
        numba.set_num_threads(threads)
        np.testing.assert_array_equal(inverse.multiply(x), alone)
        with inverse._lock:  # somebody else multiplies
            np.testing.assert_array_equal(inverse.multiply(x), alone)
    numba.set_num_threads(before)


def test_inverse_has_no_stored_zeros_and_sorted_columns(pedigree):
    matrix = NumeratorInverse(pedigree, compute_inbreeding(pedigree)).to_csr()
    assert (matrix.data != 0).all()
    assert matrix.has_sorted_indices


def test_sizes_are_checked(pedigree):
    inbreeding = compute_inbreeding(make_pedigree(ROWS[:3]))
    for make in (Numerator, NumeratorInverse):
        with pytest.raises(ValueError, match="3 animals for a pedigree of 8"):
            make(pedigree, inbreeding)
    with pytest.raises(ValueError, match="same length"):
        Numerator(pedigree, compute_inbreeding(pedigree)).relationships([1, 2], [1])


def test_a_large_a_is_not_made():
    pedigree = make_pedigree([(f"x{i}", None, None) for i in range(20_001)])
    with pytest.raises(ValueError, match="too large"):
        Numerator(pedigree, compute_inbreeding(pedigree)).to_csr()
