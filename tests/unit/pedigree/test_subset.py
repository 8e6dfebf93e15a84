"""Extracting relatives, and pruning what tells nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breedeval.errors import UnknownNameError
from breedeval.pedigree.frame import pedigree_to_frame
from breedeval.pedigree.prune import prune_pedigree
from breedeval.pedigree.subset import ancestor_mask, descendant_mask, extract_pedigree, take_animals
from breedeval.relationship.a_inverse import NumeratorInverse
from breedeval.relationship.inbreeding import compute_inbreeding
from breedeval.relationship.numerator import Numerator
from tests.factories import make_pedigree, with_groups
from tests.properties.test_relationship import pedigrees
from tests.reference.relationship import inverse_by_rules, tabular_a

ROWS = [
    ("a", None, None),
    ("b", None, None),
    ("c", "a", "b"),
    ("m", None, None),
    ("d", "c", "m"),
    ("e", "d", None),
    ("x", "a", None),
]


def names(pedigree):
    return set(pedigree.ids.to_list())


@pytest.mark.parametrize(
    ("ids", "ancestors", "descendants", "expected"),
    [
        ("d", True, False, "abcmd"),
        ("d", 1, False, "cmd"),
        ("d", 0, False, "d"),
        ("d", False, 1, "de"),
        ("c", False, True, "cde"),
        ("c", True, True, "abcmde"),
        ("c", 1, 1, "abcmd"),
        (["x", "e"], False, False, "xe"),
        ("a", False, True, "acdex"),
    ],
)
def test_extract(ids, ancestors, descendants, expected):
    found = extract_pedigree(make_pedigree(ROWS), ids, ancestors=ancestors, descendants=descendants)
    assert names(found) == set(expected)
    for name in expected:
        parents = {row[0]: row[1:] for row in ROWS}[name]
        kept = tuple(parent if parent is not None and parent in expected else None for parent in parents)
        assert found.parent_ids(found.row_of(name)) == kept


def test_animals_that_are_not_there_are_all_named():
    with pytest.raises(UnknownNameError, match=r"2 animals of 3 not in herd\.csv: 'nobody', 'none'"):
        extract_pedigree(make_pedigree(ROWS), ["a", "nobody", "none"])
    with pytest.raises(UnknownNameError, match=r"'z' is not in herd\.csv, which has \d+ animals"):
        extract_pedigree(make_pedigree(ROWS), "z")
    with pytest.raises(ValueError, match="generations is -1"):
        extract_pedigree(make_pedigree(ROWS), "a", ancestors=-1)


@settings(max_examples=60)
@given(pedigrees(), st.data())
def test_masks_are_what_relationships_through_descent_say(rows, data):
    pedigree = make_pedigree(rows)
    n = len(pedigree)
    chosen = data.draw(st.lists(st.integers(0, n - 1), min_size=1, unique=True))
    link = np.zeros((n, n), dtype=bool)
    for i in range(n):
        for parent in (pedigree.sire[i], pedigree.dam[i]):
            if parent >= 0:
                link[i, parent] = True
    reached = [np.isin(np.arange(n), chosen)]
    for _ in range(n + 2):
        reached.append(reached[-1] | (reached[-1] @ link))
    for generations in (0, 1, 2):
        np.testing.assert_array_equal(ancestor_mask(pedigree, chosen, generations), reached[generations])
    np.testing.assert_array_equal(ancestor_mask(pedigree, chosen), reached[-1])
    below = reached[0]
    for _ in range(n):
        below = below | (link @ below)
    np.testing.assert_array_equal(descendant_mask(pedigree, chosen), below)


@settings(max_examples=60)
@given(pedigrees(), st.data())
def test_with_all_ancestors_relationships_stay(rows, data):
    pedigree = make_pedigree(rows)
    chosen = data.draw(st.lists(st.integers(0, len(pedigree) - 1), min_size=1, unique=True))
    part = extract_pedigree(pedigree, pedigree.ids.take(chosen), descendants=1)
    rows_before = pedigree.ids.find(part.ids)
    before = tabular_a(pedigree.sire, pedigree.dam)[np.ix_(rows_before, rows_before)]
    np.testing.assert_array_equal(tabular_a(part.sire, part.dam), before)


def test_groups_stay_groups():
    pedigree = with_groups(make_pedigree([("a", None, None), ("b", "a", None)]), [2, 0], [3, 3], ["g", "h"])
    part = take_animals(pedigree, [1])
    assert part.parent_ids(0) == (None, "h")
    assert part.groups.to_list() == ["g", "h"]


def test_as_a_table():
    frame = pedigree_to_frame(with_groups(make_pedigree([("a", None, None), ("b", "a", None)]), [2, 0], [-1, -1], ["g"]))
    assert frame.iloc[:, :3].to_numpy().tolist() == [["a", "g", None], ["b", "a", None]]


@settings(max_examples=150)
@given(pedigrees(), st.data())
def test_pruning_leaves_the_relationships_of_the_animals_left(rows, data):
    pedigree = make_pedigree(rows)
    keep = data.draw(st.lists(st.integers(0, len(pedigree) - 1), min_size=1, unique=True))
    part = prune_pedigree(pedigree, keep)
    assert set(pedigree.ids.take(keep)) <= names(part)
    rows_before = pedigree.ids.find(part.ids)
    a = tabular_a(pedigree.sire, pedigree.dam)
    np.testing.assert_allclose(tabular_a(part.sire, part.dam), a[np.ix_(rows_before, rows_before)], atol=1e-14)
    left = np.isin(np.arange(len(part)), part.ids.find(pedigree.ids.take(keep)), invert=True)
    founder = (part.sire == -1) & (part.dam == -1)
    assert not (left & founder & (part.n_progeny() <= 1)).any()


def test_pruning_by_hand():
    # x is no ancestor; a and b have one progeny once x is gone, then c is a founder of one, and m is one.
    pedigree = make_pedigree(ROWS)
    part = prune_pedigree(pedigree, [pedigree.row_of("e")])
    assert part.ids.to_list() == ["e"]
    part = prune_pedigree(pedigree, [pedigree.row_of("e"), pedigree.row_of("x")])
    assert names(part) == {"a", "c", "d", "e", "x"}
    assert part.parent_ids(part.row_of("d")) == ("c", None)


def test_pruning_keeps_a_founder_of_two_groups_and_replaces_one_of_one_group():
    rows = [("p", None, None), ("q", None, None), ("y", "p", "q")]
    pedigree = with_groups(make_pedigree(rows), [3, 3, 0], [4, 3, 1], ["g", "h"])
    part = prune_pedigree(pedigree, [2])
    assert part.ids.to_list() == ["p", "y"]
    assert part.parent_ids(1) == ("p", "g")


def blup(pedigree, records, n_groups=0):
    """EBVs by name: a mean, h² = 0.4, records by name; groups fixed. Dense, by Henderson's equations."""
    sire, dam = pedigree.sire.tolist(), pedigree.dam.tolist()
    inverse = inverse_by_rules(sire, dam, compute_inbreeding(pedigree).coefficients)
    inverse = np.pad(inverse, (0, len(pedigree) + n_groups - len(inverse)))
    rows = pedigree.ids.find(type(pedigree.ids).of(list(records)))
    z = np.zeros((len(records), len(inverse)))
    z[np.arange(len(records)), rows] = 1
    w = np.column_stack([np.ones(len(records)), z])
    c = w.T @ w
    c[1:, 1:] += 1.5 * inverse
    solution = np.linalg.lstsq(c, w.T @ np.array(list(records.values())), rcond=None)[0]
    return dict(zip(pedigree.ids, solution[1:] + solution[0], strict=False))


@settings(max_examples=40)
@given(pedigrees(), st.data())
def test_pruning_leaves_ebvs_unchanged(rows, data):
    pedigree = make_pedigree(rows)
    keep = data.draw(st.lists(st.integers(0, len(pedigree) - 1), min_size=1, unique=True))
    records = {pedigree.ids[row]: float(data.draw(st.integers(0, 100))) for row in keep}
    before, after = blup(pedigree, records), blup(prune_pedigree(pedigree, keep), records)
    for name, value in after.items():
        assert value == pytest.approx(before[name], abs=1e-7)


def test_pruning_leaves_ebvs_with_groups_unchanged():
    pedigree = make_pedigree(ROWS)
    n = len(pedigree)
    young = np.array([name in "ex" for name in pedigree.ids])
    sire, dam = (np.where(p == -1, n + young, p) for p in (pedigree.sire, pedigree.dam))
    grouped = with_groups(pedigree, sire, dam, ["old", "new"])
    keep = [grouped.row_of(name) for name in "dex"]
    records = {"d": 3.0, "e": 5.0, "x": 4.0}
    part = prune_pedigree(grouped, keep)
    assert len(part) < n
    before, after = blup(grouped, records, 2), blup(part, records, 2)
    for name in part.ids:
        assert after[name] == pytest.approx(before[name], abs=1e-9)


def test_inverse_of_a_pruned_pedigree_is_that_of_the_part_of_a():
    pedigree = make_pedigree(ROWS)
    keep = [pedigree.row_of(name) for name in "dex"]
    part = prune_pedigree(pedigree, keep)
    rows_before = pedigree.ids.find(part.ids)
    inverse = NumeratorInverse(part, compute_inbreeding(part)).to_csr().toarray()
    a = Numerator(pedigree, compute_inbreeding(pedigree)).subset(rows_before)
    np.testing.assert_allclose(inverse @ a, np.eye(len(part)), atol=1e-12)
