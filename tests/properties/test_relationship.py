"""What holds for the relationships of any pedigree."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from breedeval.relationship.a_inverse import NumeratorInverse
from breedeval.relationship.inbreeding import compute_inbreeding
from breedeval.relationship.numerator import Numerator
from tests.factories import make_pedigree
from tests.reference.relationship import recursive_inbreeding, tabular_a


@st.composite
def pedigrees(draw, largest=25):
    """Rows (animal, sire, dam): any older animal may be either parent, or both, or the parent is unknown."""
    n = draw(st.integers(1, largest))
    parent = [st.one_of(st.none(), st.integers(0, i - 1)) if i else st.none() for i in range(n)]
    pairs = [(draw(parent[i]), draw(parent[i])) for i in range(n)]
    return [tuple(None if code is None else f"x{code}" for code in (i, *pair)) for i, pair in enumerate(pairs)]


@settings(max_examples=80, deadline=None)
@given(pedigrees())
def test_a_times_its_inverse_is_the_identity(rows):
    pedigree = make_pedigree(rows)
    inbreeding = compute_inbreeding(pedigree)
    a, inverse = Numerator(pedigree, inbreeding), NumeratorInverse(pedigree, inbreeding)
    n = len(pedigree)
    np.testing.assert_allclose(inverse.multiply(a.multiply(np.eye(n))), np.eye(n), atol=1e-9)
    np.testing.assert_allclose(inverse.to_csr() @ a.to_csr().toarray(), np.eye(n), atol=1e-9)


@settings(max_examples=80, deadline=None)
@given(pedigrees())
def test_equal_to_the_tabular_method_and_the_recursion(rows):
    pedigree = make_pedigree(rows)
    inbreeding = compute_inbreeding(pedigree)
    sire, dam = pedigree.sire.tolist(), pedigree.dam.tolist()
    np.testing.assert_allclose(inbreeding, recursive_inbreeding(sire, dam), atol=1e-13)
    np.testing.assert_allclose(Numerator(pedigree, inbreeding).to_csr().toarray(), tabular_a(sire, dam), atol=1e-13)


@settings(max_examples=80, deadline=None)
@given(pedigrees(largest=40), st.data())
def test_an_update_equals_the_full_run(rows, data):
    pedigree = make_pedigree(rows)
    n = len(pedigree)
    known = np.array(recursive_inbreeding(pedigree.sire.tolist(), pedigree.dam.tolist()))
    expected = known.copy()
    wanted = data.draw(st.lists(st.integers(0, n - 1), max_size=n // 4, unique=True))
    known[wanted] = np.nan
    method = data.draw(st.sampled_from(["auto", "rows"]))
    np.testing.assert_allclose(compute_inbreeding(pedigree, known=known, method=method), expected, atol=1e-13)


@settings(max_examples=40, deadline=None)
@given(pedigrees(), st.randoms(use_true_random=False))
def test_order_and_names_of_animals_do_not_matter(rows, random):
    changed = [tuple(None if name is None else f"{name[1:]}_other" for name in row) for row in rows]
    random.shuffle(changed)
    one, other = make_pedigree(rows), make_pedigree(changed)
    names = [row[0] for row in rows]
    here = [one.row_of(name) for name in names]
    there = [other.row_of(f"{name[1:]}_other") for name in names]
    for kind in (Numerator, NumeratorInverse):
        first, second = (kind(p, compute_inbreeding(p)).to_csr().toarray() for p in (one, other))
        np.testing.assert_allclose(first[np.ix_(here, here)], second[np.ix_(there, there)], atol=1e-10)


@settings(max_examples=40, deadline=None)
@given(pedigrees())
def test_inbreeding_is_between_nought_and_one_and_parents_come_first(rows):
    pedigree = make_pedigree(rows)
    inbreeding = np.asarray(compute_inbreeding(pedigree))
    assert ((inbreeding >= 0) & (inbreeding < 1)).all()
    place = np.arange(len(pedigree))
    assert (pedigree.sire < place).all()
    assert (pedigree.dam < place).all()
    by_name = {row[0]: row[1:] for row in rows}
    for row, name in enumerate(pedigree.ids):
        assert pedigree.parent_ids(row) == by_name[name]
