"""Sizes of families."""

from __future__ import annotations

import numpy as np
import pytest

from breedeval.pedigree.families import describe_families, family_sizes, largest_families, size_distribution
from tests.factories import make_pedigree, with_groups

ROWS = [("s", None, None), ("d", None, None), ("e", None, None)] + [
    (name, "s", dam) for name, dam in zip("pqrtu", ["d", "d", "d", "e", None], strict=True)
]


def test_sizes():
    pedigree = make_pedigree(ROWS)
    assert family_sizes(pedigree, "sire").tolist() == [5]
    assert sorted(family_sizes(pedigree, "dam").tolist()) == [1, 3]
    assert sorted(family_sizes(pedigree, "full_sibs").tolist()) == [1, 3]
    with pytest.raises(ValueError, match="no kind of family"):
        family_sizes(pedigree, "cousins")


def test_description():
    frame = describe_families(make_pedigree(ROWS)).set_index("family")
    assert frame.loc["dam", ["families", "progeny", "largest"]].tolist() == [2, 4, 3]
    assert frame.loc["dam", "mean"] == 2.0
    assert frame.loc["dam", "effective"] == pytest.approx(16 / 10)
    empty = describe_families(make_pedigree([("a", None, None)]))
    assert empty["families"].tolist() == [0, 0, 0]
    assert empty["largest"].isna().all()


def test_distribution_counts_every_family_once():
    sizes = np.array([1, 1, 2, 3, 5, 6, 10, 11, 100_000, 100_001])
    frame = size_distribution(sizes)
    assert frame["size"].tolist() == ["1", "2", "3–5", "6–10", "11–20", "50,001–100,000", "100,001 and more"]
    assert frame["families"].tolist() == [2, 1, 2, 2, 1, 1, 1]
    assert frame["progeny"].sum() == sizes.sum()
    assert frame["share"].sum() == pytest.approx(1.0)


def test_largest():
    frame = largest_families(make_pedigree(ROWS), "dam", top=5)
    assert frame["parent"].tolist() == ["d", "e"]
    assert frame["progeny"].tolist() == [3, 1]
    assert frame["share"].tolist() == [0.75, 0.25]


def test_groups_are_no_parents():
    pedigree = with_groups(make_pedigree([("a", None, None), ("b", "a", None)]), [2, 0], [2, 2], ["g"])
    assert family_sizes(pedigree, "dam").tolist() == []
    assert family_sizes(pedigree, "full_sibs").tolist() == []
