"""Reliabilities and the variance they relate to."""

from __future__ import annotations

import numpy as np

from breedeval.accuracy.exact import relationship_diagonal
from breedeval.accuracy.reliability import reliability
from breedeval.relationship.a_inverse import NumeratorInverse
from breedeval.relationship.inbreeding import compute_inbreeding
from tests.factories import make_pedigree
from tests.random_models import random_rows


def test_rounding_is_not_a_reliability():
    np.testing.assert_array_equal(reliability(np.array([2.0, 2.0 + 1e-13]), np.ones(2), 2.0), [0.0, 0.0])


def test_relationship_diagonal_is_one_plus_inbreeding():
    pedigree = make_pedigree(random_rows(np.random.default_rng(1), 40))
    inbreeding = compute_inbreeding(pedigree)
    found = relationship_diagonal(NumeratorInverse(pedigree, inbreeding))
    np.testing.assert_allclose(found, 1 + np.asarray(inbreeding), atol=1e-12)
    assert np.max(inbreeding) > 0


def test_relationship_diagonal_where_inbreeding_is_ignored():
    pedigree = make_pedigree(random_rows(np.random.default_rng(1), 40))
    inverse = NumeratorInverse(pedigree, compute_inbreeding(pedigree, ignore=True))
    found = relationship_diagonal(inverse)
    np.testing.assert_allclose(found, np.diag(np.linalg.inv(inverse.to_csr().toarray())), rtol=1e-12)
    assert found.max() > 1
