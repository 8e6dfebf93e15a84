"""Founders, ancestors, and how many there effectively are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breedeval.pedigree.completeness import compute_completeness
from breedeval.pedigree.founders import ancestor_contributions, founder_contributions
from tests.factories import make_pedigree, with_groups
from tests.properties.test_relationship import pedigrees
from tests.reference import pedigree_structure as slow

#: Two sires of a closed herd: x descends from a, b, c with weights ½, ¼, ¼; the unknown dam of d is a founder too.
ROWS = [("a", None, None), ("b", None, None), ("c", None, None), ("d", "a", None), ("x", "d", "c"), ("y", "d", "b")]


@st.composite
def pedigree_and_reference(draw):
    rows = draw(pedigrees())
    return rows, draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, unique=True))


@settings(max_examples=80)
@given(pedigree_and_reference())
def test_founders_equal_the_gene_flow_matrix(case):
    rows, reference = case
    pedigree = make_pedigree(rows)
    found = founder_contributions(pedigree, reference)
    expected = slow.founder_shares(pedigree.sire.tolist(), pedigree.dam.tolist(), reference)
    shares = np.concatenate([found.contribution[found.contribution > 0], found.unnamed[found.unnamed > 0]])
    np.testing.assert_allclose(np.sort(shares), np.sort(expected), atol=1e-14)
    assert shares.sum() == pytest.approx(1.0, abs=1e-12)
    assert found.effective_number == pytest.approx(1 / np.square(expected).sum(), rel=1e-12)


@settings(max_examples=150)
@given(pedigree_and_reference())
def test_ancestors_equal_the_method_step_by_step(case):
    rows, reference = case
    pedigree = make_pedigree(rows)
    sire, dam = pedigree.sire.tolist(), pedigree.dam.tolist()
    found = ancestor_contributions(pedigree, reference, tolerance=0)
    levels = compute_completeness(pedigree).longest
    for turn, (row, marginal) in enumerate(zip(found.rows, found.marginal, strict=True)):
        largest, equal = slow.candidates_for_next(sire, dam, reference, found.rows[:turn].tolist())
        assert marginal == pytest.approx(largest, abs=2e-12)
        assert row in equal
        assert levels[row] == min(levels[equal])
    assert slow.candidates_for_next(sire, dam, reference, found.rows.tolist())[0] <= 1e-12
    assert found.marginal.sum() <= 1 + 1e-12


@settings(max_examples=150, deadline=None)
@given(pedigree_and_reference(), st.randoms(use_true_random=False), st.booleans())
def test_no_order_of_rows_and_no_name_changes_a_number(case, random, swap):
    rows, reference = case
    new_name = dict(zip([row[0] for row in rows], random.sample([f"n{i}" for i in range(len(rows))], len(rows)), strict=True))
    new_name[None] = None
    changed = [(new_name[animal], *(new_name[p] for p in (parents[::-1] if swap else parents))) for animal, *parents in rows]
    random.shuffle(changed)
    first, second = make_pedigree(rows), make_pedigree(changed)
    again = [second.row_of(new_name[first.ids[row]]) for row in reference]
    one, two = ancestor_contributions(first, reference, tolerance=0), ancestor_contributions(second, again, tolerance=0)
    np.testing.assert_allclose(one.marginal, two.marginal, atol=1e-12)


def test_of_animals_that_only_their_names_tell_apart_the_first_by_name_is_taken():
    for names in ("ab", "ba"):
        rows = [(names[0], None, None), (names[1], None, None), ("x", "a", "b"), ("y", "a", "b")]
        pedigree = make_pedigree(rows)
        found = ancestor_contributions(pedigree, [pedigree.row_of("x"), pedigree.row_of("y")], tolerance=0)
        assert found.to_frame(pedigree)["ancestor"].tolist() == ["a", "b"]
        found = ancestor_contributions(pedigree, [pedigree.row_of("x"), pedigree.row_of("y")], tolerance=0, most=1)
        assert found.to_frame(pedigree)["ancestor"].tolist() == ["a"]


def test_equal_ancestors_whose_choice_changes_the_number():
    rows = [("p", None, None), ("m", "p", None), ("k", "m", None), ("l", "m", None), ("o", "p", None)]
    pedigree = make_pedigree(rows)
    reference = [pedigree.row_of(name) for name in "klo"]
    found = ancestor_contributions(pedigree, reference, tolerance=0)
    # m explains ½·⅔, p ¼·⅔ + ½·⅓: the same; p has no known parent and comes first.
    assert found.to_frame(pedigree)["ancestor"].tolist()[0] == "p"
    assert found.marginal[0] == pytest.approx(1 / 3)


def test_by_hand():
    pedigree = make_pedigree(ROWS)
    reference = [pedigree.row_of("x"), pedigree.row_of("y")]
    founders = founder_contributions(pedigree, reference)
    assert founders.n_founders == 4
    assert [float(founders.contribution[pedigree.row_of(name)]) for name in "abc"] == [0.25, 0.25, 0.25]
    assert float(founders.unnamed[pedigree.row_of("d")]) == 0.25
    assert founders.effective_number == pytest.approx(4.0)
    ancestors = ancestor_contributions(pedigree, reference, tolerance=0)
    # d alone has one half of all genes; then b and c.
    assert ancestors.to_frame(pedigree)["ancestor"].tolist() == ["d", "b", "c"]
    assert ancestors.effective_number == pytest.approx(1 / (0.25 + 2 / 16))
    assert (ancestors.n_explaining(0.5), ancestors.n_explaining(0.75), ancestors.n_explaining(1.0)) == (1, 2, 3)


def test_bounds_hold_the_number_when_stopped_early():
    rng = np.random.default_rng(3)
    rows = [(f"x{i}", *(f"x{rng.integers(0, i)}" if i > 40 else None for _ in range(2))) for i in range(400)]
    pedigree = make_pedigree(rows)
    reference = np.arange(300, 400)
    whole = ancestor_contributions(pedigree, reference, tolerance=0)
    early = ancestor_contributions(pedigree, reference, tolerance=0.1)
    few = ancestor_contributions(pedigree, reference, tolerance=0, most=5)
    assert whole.lower == pytest.approx(whole.upper, rel=1e-9)
    for stopped in (early, few):
        assert len(stopped.rows) < len(whole.rows)
        assert stopped.lower < whole.effective_number < stopped.upper
        np.testing.assert_array_equal(stopped.rows, whole.rows[: len(stopped.rows)])
    assert early.upper / early.lower < 1.1 + 1e-9
    assert few.n_explaining(1.0) is None


def test_bounds_hold_where_more_ancestors_follow_than_founders_are_left():
    # c explains ½ of x and ¾ of y; b gave the other half of x, a the other quarter of y: three ancestors of two founders.
    rows = [("a", None, None), ("b", None, None), ("c", "a", "b"), ("d", "c", "a"), ("x", "c", "b"), ("y", "c", "d")]
    pedigree = make_pedigree(rows)
    reference = [pedigree.row_of(name) for name in "xy"]
    whole = ancestor_contributions(pedigree, reference, tolerance=0)
    assert whole.to_frame(pedigree)["contribution"].tolist() == [0.625, 0.25, 0.125]
    first = ancestor_contributions(pedigree, reference, tolerance=0, most=1)
    assert first.lower < whole.effective_number < first.upper


@settings(max_examples=100)
@given(pedigree_and_reference(), st.integers(1, 5))
def test_bounds_hold_the_number_wherever_it_stops(case, most):
    rows, reference = case
    pedigree = make_pedigree(rows)
    marginal = ancestor_contributions(pedigree, reference, tolerance=0).marginal
    found = ancestor_contributions(pedigree, reference, tolerance=0, most=most)
    assert found.lower * (1 - 1e-9) <= 1 / np.square(marginal).sum() <= found.upper * (1 + 1e-9)


def test_frames_name_the_largest():
    pedigree = make_pedigree([*ROWS, ("z", "a", "b")])
    frame = founder_contributions(pedigree, [pedigree.row_of("z"), pedigree.row_of("x")]).to_frame(pedigree, top=2)
    assert frame["founder"].tolist() == ["a", "b"]
    assert frame["contribution"].tolist() == [0.375, 0.25]
    assert frame["cumulative"].tolist() == [0.375, 0.625]


def test_groups_are_unknown_and_animals_given_twice_count_once():
    pedigree = with_groups(make_pedigree([("a", None, None), ("b", "a", None)]), [2, 0], [2, 2], ["g"])
    found = founder_contributions(pedigree, [1, 1])
    assert (found.n_reference, found.n_founders, found.effective_number) == (1, 2, 2.0)
    assert ancestor_contributions(pedigree, [1, 1]).n_reference == 1


def test_an_empty_reference_is_refused():
    for compute in (founder_contributions, ancestor_contributions):
        with pytest.raises(ValueError, match="reference population is empty"):
            compute(make_pedigree(ROWS), [])
