"""Dominance relationships: the inverse through families against D written out."""

from __future__ import annotations

import numpy as np
import pytest

from breedeval.errors import DataError, NotPositiveDefiniteError
from breedeval.relationship.dominance import dominance_levels
from breedeval.relationship.inbreeding import compute_inbreeding
from tests.factories import make_pedigree, with_groups
from tests.random_models import random_rows
from tests.reference.relationship import dominance, tabular_a


def related(pedigree, **keywords):
    return dominance_levels(pedigree, compute_inbreeding(pedigree), **keywords)


@pytest.mark.parametrize("seed", range(6))
def test_covariance_of_animals_is_d(seed):
    rng = np.random.default_rng(seed)
    pedigree = make_pedigree(random_rows(rng, 40))
    a = tabular_a(pedigree.sire.tolist(), pedigree.dam.tolist())
    d = dominance(a, pedigree.sire.tolist(), pedigree.dam.tolist())
    found = related(pedigree)
    n = len(pedigree)
    joint = np.linalg.inv(found.inverse.to_csr().toarray())
    np.testing.assert_allclose(joint[:n, :n], d, atol=1e-12)
    np.testing.assert_allclose(found.own, joint.diagonal(), atol=1e-12)
    assert found.inverse.log_determinant == pytest.approx(np.linalg.slogdet(joint)[1], abs=1e-9)
    assert np.linalg.slogdet(joint)[0] == 1
    assert len(found.levels) == found.inverse.order


def test_families_are_pairs_of_parents_in_either_role():
    pedigree = make_pedigree([("a", None, None), ("b", None, None), ("c", "a", "b"), ("d", "a", "b"), ("e", "a", None)])
    found = related(pedigree)
    assert found.extra.to_list() == ["a x b"]
    d = np.linalg.inv(found.inverse.to_csr().toarray())
    rows = [pedigree.row_of(name) for name in "cde"]
    np.testing.assert_allclose(d[np.ix_(rows, rows)], [[1, 0.25, 0], [0.25, 1, 0], [0, 0, 1]], atol=1e-14)


def test_groups_are_unknown_parents():
    plain = make_pedigree([("a", None, None), ("b", None, None), ("c", "a", "b"), ("d", "a", "b")])
    n = len(plain)
    grouped = with_groups(plain, np.where(plain.sire < 0, n, plain.sire), np.where(plain.dam < 0, n + 1, plain.dam), ["g", "h"])
    assert (related(grouped).inverse.to_csr() != related(plain).inverse.to_csr()).nnz == 0


def test_no_family_at_all():
    assert related(make_pedigree([("a", None, None), ("b", "a", None)])).inverse.to_csr().toarray().tolist() == [[1, 0], [0, 1]]


def test_too_many_families_are_refused_with_a_way_out():
    pedigree = make_pedigree(random_rows(np.random.default_rng(1), 40))
    with pytest.raises(DataError, match=r"families of full sibs, more than the 3 .*Prune the pedigree"):
        related(pedigree, largest=3)


def test_crosses_of_pure_lines_are_refused():
    """Ten selfings leave hardly any difference between full sibs of two lines; forty leave none."""
    rows = [("a0", None, None), ("b0", None, None)]
    for k in range(30):
        rows += [(f"{line}{k + 1}", f"{line}{k}", f"{line}{k}") for line in "ab"]
    rows += [("x", "a30", "b30"), ("y", "a30", "b30")]
    with pytest.raises(NotPositiveDefiniteError, match=r"full sibs would have the same.*Give such sibs one name"):
        related(make_pedigree(rows))
