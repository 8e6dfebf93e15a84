"""Inbreeding of small pedigrees known by heart."""

from __future__ import annotations

import numpy as np
import pytest

from breedeval.errors import NotPositiveDefiniteError
from breedeval.relationship.a_inverse import NumeratorInverse
from breedeval.relationship.inbreeding import compute_inbreeding
from tests.factories import make_pedigree, with_groups


def coefficient(rows, animal):
    pedigree = make_pedigree(rows)
    return compute_inbreeding(pedigree)[pedigree.row_of(animal)]


def test_progeny_of_full_sibs_half_sibs_parent_and_offspring():
    founders = [("a", None, None), ("b", None, None), ("c", None, None)]
    full = [*founders, ("s", "a", "b"), ("d", "a", "b"), ("x", "s", "d")]
    half = [*founders, ("s", "a", "b"), ("d", "a", "c"), ("x", "s", "d")]
    back = [*founders, ("s", "a", "b"), ("x", "s", "b")]
    assert coefficient(full, "x") == 0.25
    assert coefficient(half, "x") == 0.125
    assert coefficient(back, "x") == 0.25


def test_one_parent_unknown_is_not_inbred():
    rows = [("a", None, None), ("s", "a", None), ("d", "a", None), ("x", "s", "d"), ("y", "x", None)]
    assert coefficient(rows, "x") == 0.125
    assert coefficient(rows, "y") == 0.0


def test_mendelian_variance_follows_the_parents():
    pedigree = make_pedigree([("a", None, None), ("x", "a", "a"), ("y", "x", None), ("z", "x", "a")])
    variance = compute_inbreeding(pedigree).mendelian_variance
    by_name = dict(zip(pedigree.ids.to_list(), variance, strict=True))
    # ½ − ¼(F_s + F_d), ¾ − ¼F_p, 1 with F_a = 0 and F_x = ½.
    assert by_name == {"a": 1.0, "x": 0.5, "y": 0.75 - 0.125, "z": 0.5 - 0.125}


def test_full_sibs_that_alternate_with_half_sibs_get_their_own_value():
    rows = [("a", None, None), ("b", None, None), ("s", "a", "b"), ("t", None, None), ("d", "a", "b")]
    rows += [("x1", "s", "d"), ("y1", "t", "d"), ("x2", "s", "d"), ("y2", "t", "d")]
    assert [coefficient(rows, name) for name in ("x1", "y1", "x2", "y2")] == [0.25, 0.0, 0.25, 0.0]


def test_ignore_sets_inbreeding_to_zero_and_variances_with_it():
    pedigree = make_pedigree([("a", None, None), ("x", "a", "a"), ("y", "x", "x")])
    ignored = compute_inbreeding(pedigree, ignore=True)
    assert ignored.ignored
    assert np.array_equal(ignored, np.zeros(3))
    assert ignored.mendelian_variance.tolist() == [1.0, 0.5, 0.5]


def test_groups_count_as_unknown():
    plain = make_pedigree([("a", None, None), ("b", "a", None), ("c", "a", "b")])
    grouped = with_groups(plain, [3, 0, 0], [4, 3, 1], ["g1", "g2"])
    expected, found = compute_inbreeding(plain), compute_inbreeding(grouped)
    assert np.array_equal(found.coefficients, expected.coefficients)
    assert np.array_equal(found.mendelian_variance, expected.mendelian_variance)


def test_behaves_as_an_array_that_cannot_be_written():
    inbreeding = compute_inbreeding(make_pedigree([("a", None, None), ("x", "a", "a")]))
    assert len(inbreeding) == 2
    assert float(np.mean(inbreeding)) == 0.25
    with pytest.raises(ValueError, match="read-only"):
        inbreeding.coefficients[0] = 1.0


def test_selfing_to_the_last_digit_is_refused_by_name_and_not_divided_by_zero():
    rows = [("g0", None, None)] + [(f"g{i}", f"g{i - 1}", f"g{i - 1}") for i in range(1, 80)]
    pedigree = make_pedigree(rows)
    inbreeding = compute_inbreeding(pedigree)
    assert inbreeding[pedigree.row_of("g79")] == pytest.approx(1.0, abs=1e-15)
    assert (inbreeding.mendelian_variance >= 0).all()
    with pytest.raises(NotPositiveDefiniteError, match=r"'g41'.*no Mendelian variance"):
        NumeratorInverse(pedigree, inbreeding)


def test_an_empty_pedigree_has_no_inbreeding():
    assert len(compute_inbreeding(make_pedigree([]))) == 0
