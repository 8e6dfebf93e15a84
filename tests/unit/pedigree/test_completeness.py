"""How much of the ancestry is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from breedeval.pedigree.build import build_pedigree
from breedeval.pedigree.completeness import (
    PATHS,
    completeness_by_birth_year,
    completeness_by_depth,
    completeness_by_path,
    compute_completeness,
    index_of_completeness,
)
from tests.factories import make_pedigree, make_table, with_groups
from tests.properties.test_relationship import pedigrees
from tests.reference import pedigree_structure as slow

ROWS = [("a", None, None), ("b", None, None), ("c", "a", "b"), ("d", "a", None), ("e", "c", "d"), ("f", "e", "e")]


@settings(max_examples=50)
@given(pedigrees())
def test_equal_to_counting_ancestors(rows):
    pedigree = make_pedigree(rows)
    sire, dam = pedigree.sire.tolist(), pedigree.dam.tolist()
    found, index = compute_completeness(pedigree), index_of_completeness(pedigree, 3)
    for i in range(len(pedigree)):
        assert found.equivalent[i] == pytest.approx(slow.equivalent_generations(sire, dam, i), abs=1e-12)
        assert found.complete[i] == slow.complete_generations(sire, dam, i)
        assert found.longest[i] == len(slow.ancestors_by_generation(sire, dam, i)) - 1
        assert index[i] == pytest.approx(slow.index_of_completeness(sire, dam, i, 3), abs=1e-12)


def test_by_hand():
    pedigree = make_pedigree(ROWS)
    found, row = compute_completeness(pedigree), pedigree.row_of("e")
    # Both parents (1), three of four grandparents (3/4).
    assert found.equivalent[row] == 1.75
    # Sire's side (1 + 1)/2, dam's side (1 + ½)/2: 2 · 1 · 0.75 / 1.75.
    assert index_of_completeness(pedigree, 2)[row] == pytest.approx(1.5 / 1.75)


def test_by_depth_is_the_mean_over_animals():
    pedigree = make_pedigree(ROWS)
    frame = completeness_by_depth(pedigree, depth=3)
    known = [[slow.ancestors_by_generation(pedigree.sire, pedigree.dam, i) for i in range(6)]][0]
    for g in (1, 2, 3):
        expected = np.mean([len(each[g - 1]) / 2**g if len(each) >= g else 0.0 for each in known])
        assert frame["known"][g - 1] == pytest.approx(expected)
        assert frame["index"][g - 1] == pytest.approx(index_of_completeness(pedigree, g).mean())
    one = completeness_by_depth(pedigree, [pedigree.row_of("e")], depth=2)
    assert one["known"].tolist() == [1.0, 0.75]


def test_by_path():
    frame = completeness_by_path(make_pedigree(ROWS)).set_index("ancestor")
    assert list(frame.index) == list(PATHS)
    assert frame["n"].tolist() == [4, 3, 2, 2, 2, 1]
    assert frame.loc["sire", "known"] == pytest.approx(4 / 6)


def test_by_birth_year_with_the_unknown_last():
    pedigree = build_pedigree(make_table(ROWS, birth_year=[2000, 2001, 2005, None, 2007, 2009])).pedigree
    frame = completeness_by_birth_year(pedigree, width=5)
    assert frame["birth_year"].isna().tolist() == [False, False, True]
    assert frame["birth_year"].tolist()[:2] == [2000, 2005]
    assert frame["n"].tolist() == [2, 3, 1]
    assert frame["equivalent"].tolist() == pytest.approx([0.0, (1 + 1.75 + 2.75) / 3, 0.5])
    assert frame["sire"].tolist() == [0.0, 1.0, 1.0]


def test_groups_are_unknown():
    pedigree = with_groups(make_pedigree([("a", None, None), ("b", "a", None)]), [2, 0], [2, 2], ["g"])
    assert compute_completeness(pedigree).equivalent.tolist() == [0.0, 0.5]
    assert completeness_by_path(pedigree)["n"].tolist() == [1, 0, 0, 0, 0, 0]


def test_nonsense_is_refused_and_nothing_is_fine():
    with pytest.raises(ValueError, match="depth is 0"):
        index_of_completeness(make_pedigree(ROWS), 0)
    with pytest.raises(ValueError, match="width is 0"):
        completeness_by_birth_year(make_pedigree(ROWS), width=0)
    empty = make_pedigree([])
    assert len(compute_completeness(empty).equivalent) == 0
    assert completeness_by_path(empty)["n"].sum() == 0
