"""Relationships through sires and maternal grandsires: rules against recursion, and against whole pedigrees with dams."""

from __future__ import annotations

import numpy as np
import pytest

from breedeval.relationship.sire_mgs import compute_male_inbreeding, male_inverse, male_pedigree
from tests.factories import make_pedigree
from tests.random_models import random_rows
from tests.reference.relationship import males_by_recursion, tabular_a


@pytest.mark.parametrize("seed", range(8))
def test_inverse_of_males(seed):
    pedigree = make_pedigree(random_rows(np.random.default_rng(seed), 120))
    males = male_pedigree(pedigree)
    a = males_by_recursion(males.pedigree.sire.tolist(), males.maternal_grandsire.tolist())
    inbreeding = compute_male_inbreeding(males)
    assert inbreeding.coefficients.max() > 0 or seed == 4  # its males have no common ancestor
    np.testing.assert_allclose(1.0 + inbreeding.coefficients, np.diag(a), atol=1e-14)
    inverse = male_inverse(males, inbreeding)
    np.testing.assert_allclose(inverse.to_csr().toarray() @ a, np.eye(len(a)), atol=1e-10)
    assert inverse.log_determinant == pytest.approx(np.linalg.slogdet(a)[1], abs=1e-9)


def test_equals_the_animal_model_where_every_dam_has_one_son_and_no_known_dam():
    rows = [("s1", None, None), ("s2", None, None), ("s3", "s1", None)]
    rows += [("d1", "s2", None), ("b1", "s1", "d1"), ("d2", "s1", None), ("b2", "b1", "d2"), ("d3", "b1", None)]
    rows += [("b3", "b2", "d3"), ("c", "b3", "d1"), ("e", "s3", "d1")]
    pedigree = make_pedigree(rows)
    males = male_pedigree(pedigree)
    a = tabular_a(pedigree.sire.tolist(), pedigree.dam.tolist())
    there = [pedigree.row_of(name) for name in males.pedigree.ids]
    inbreeding = compute_male_inbreeding(males)
    assert inbreeding.coefficients.max() > 0.1
    found = np.linalg.inv(male_inverse(males, inbreeding).to_csr().toarray())
    np.testing.assert_allclose(found, a[np.ix_(there, there)], atol=1e-12)


def test_coefficients_of_the_rules():
    """11/16, ¾ and 15/16 for both, the sire, the maternal grandsire known (Quaas, Everett and McClintock 1979)."""
    rows = [("s", None, None), ("g", None, None), ("d", "g", None)]
    rows += [("both", "s", "d"), ("sire", "s", None), ("mgs", None, "d"), ("none", None, None)]
    rows += [(f"calf{k}", name, None) for k, name in enumerate(["both", "sire", "mgs", "none"])]
    males = male_pedigree(make_pedigree(rows))
    variance = dict(zip(males.pedigree.ids, compute_male_inbreeding(males).mendelian_variance, strict=True))
    assert [variance[name] for name in ("both", "sire", "mgs", "none")] == [11 / 16, 3 / 4, 15 / 16, 1.0]


def test_inbreeding_can_be_ignored():
    pedigree = make_pedigree(random_rows(np.random.default_rng(3), 120))
    inbreeding = compute_male_inbreeding(male_pedigree(pedigree), ignore=True)
    assert not inbreeding.coefficients.any()
    assert set(inbreeding.mendelian_variance) <= {1.0, 3 / 4, 15 / 16, 11 / 16}
