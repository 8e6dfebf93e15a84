"""Mean relationships of groups of animals, and parts of A."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breedeval.relationship import ancestry
from breedeval.relationship.group_means import average_relationships
from breedeval.relationship.inbreeding import compute_inbreeding
from breedeval.relationship.numerator import Numerator
from tests.factories import make_pedigree
from tests.properties.test_relationship import pedigrees
from tests.reference.relationship import tabular_a


@settings(max_examples=80)
@given(pedigrees(), st.data())
def test_means_equal_those_of_the_matrix(rows, data):
    pedigree = make_pedigree(rows)
    n = len(pedigree)
    labels = np.array(data.draw(st.lists(st.integers(-1, 3), min_size=n, max_size=n)))
    found = average_relationships(pedigree, compute_inbreeding(pedigree), labels, 4)
    a = tabular_a(pedigree.sire, pedigree.dam)
    for g in range(4):
        mine = np.flatnonzero(labels == g)
        assert found.size[g] == len(mine)
        for h in range(4):
            other = np.flatnonzero(labels == h)
            expected = a[np.ix_(mine, other)].mean() if len(mine) and len(other) else np.nan
            np.testing.assert_allclose(found.mean[g, h], expected, atol=1e-12)
        if len(mine) > 1:
            pairs = a[np.ix_(mine, mine)]
            different = (pairs.sum() - np.trace(pairs)) / (len(mine) * (len(mine) - 1))
            assert found.within_different()[g] == pytest.approx(different, abs=1e-12)
        else:
            assert np.isnan(found.within_different()[g])


def test_many_groups_and_little_memory(monkeypatch):
    rng = np.random.default_rng(2)
    rows = [(f"x{i}", *(f"x{rng.integers(0, i)}" if i > 10 else None for _ in range(2))) for i in range(90)]
    pedigree = make_pedigree(rows)
    inbreeding, labels = compute_inbreeding(pedigree), np.arange(90) % 40
    wide = average_relationships(pedigree, inbreeding, labels)
    subset = Numerator(pedigree, inbreeding).subset(np.arange(30, 80))
    monkeypatch.setattr(ancestry, "_BLOCK_BYTES", 3 * 8 * 90)  # three columns at once
    np.testing.assert_array_equal(average_relationships(pedigree, inbreeding, labels).mean, wide.mean)
    np.testing.assert_array_equal(Numerator(pedigree, inbreeding).subset(np.arange(30, 80)), subset)
    np.testing.assert_array_equal(subset, subset.T)
    np.testing.assert_allclose(subset, tabular_a(pedigree.sire, pedigree.dam)[30:80, 30:80], atol=1e-12)


@settings(max_examples=40)
@given(pedigrees(), st.data())
def test_blocks_and_pairs(rows, data):
    pedigree = make_pedigree(rows)
    row = st.integers(0, len(pedigree) - 1)
    first, second = data.draw(st.lists(row, min_size=1, max_size=5)), data.draw(st.lists(row, min_size=1, max_size=40))
    a, expected = Numerator(pedigree, compute_inbreeding(pedigree)), tabular_a(pedigree.sire, pedigree.dam)
    np.testing.assert_allclose(a.block(first, second), expected[np.ix_(first, second)], atol=1e-13)
    np.testing.assert_allclose(a.relationships(second, second[::-1]), expected[second, second[::-1]], atol=1e-13)


def test_wrong_labels_and_rows_are_refused():
    pedigree = make_pedigree([("a", None, None), ("b", "a", None)])
    inbreeding = compute_inbreeding(pedigree)
    with pytest.raises(ValueError, match="labels have shape"):
        average_relationships(pedigree, inbreeding, [0])
    with pytest.raises(ValueError, match="a label is 2"):
        average_relationships(pedigree, inbreeding, [0, 2], 2)
    with pytest.raises(IndexError, match="1 row outside"):
        Numerator(pedigree, inbreeding).relationship(0, 2)
