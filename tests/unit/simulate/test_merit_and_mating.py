"""Candidates are ranked by records of parents, own and progeny; sires are not mated to their daughters and half-sisters."""

from __future__ import annotations

import numpy as np
import pytest

from breedeval.simulate.mating import best, draw_sires, draw_within
from breedeval.simulate.merit import Merit, deviations_within


def rows(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int32)


def test_an_own_record_is_weighed_against_the_parents_mean() -> None:
    merit = Merit(4, h2=0.25)
    merit.add_records(rows(0), rows(-1), rows(-1), np.array([30.0]))
    # precisions: 2 of the parents' mean (zero), ⅓ of the record
    assert merit.of(rows(0))[0] == pytest.approx(30.0 * (1 / 3) / (2 + 1 / 3))
    merit.add_births(rows(2), rows(0), rows(1))
    assert merit.of(rows(2))[0] == pytest.approx(merit.of(rows(0))[0] / 2)


def test_progeny_count_twice_their_mean_for_both_parents() -> None:
    merit = Merit(5, h2=0.25)
    merit.add_records(rows(2, 3), rows(0, 0), rows(1, -1), np.array([10.0, 20.0]))
    each = 0.25 / 3.75
    assert merit.of(rows(0))[0] == pytest.approx(2 * 30.0 * each / (2 + 2 * each))
    assert merit.of(rows(1))[0] == pytest.approx(2 * 10.0 * each / (2 + each))
    assert merit.of(rows(4))[0] == 0.0


def test_groups_have_mean_zero() -> None:
    found = deviations_within(np.array([1.0, 5.0, 2.0, 4.0]), rows(3, 0, 3, 0))
    assert found.tolist() == [-0.5, 0.5, 0.5, -0.5]


def test_no_dam_gets_her_sire_or_half_brother() -> None:
    # 0 to 19 sires without a common parent, 20 a son of 0; dams are daughters of 0
    sire_of = np.array([-1] * 20 + [0] * 1001, dtype=np.int32)
    dams = np.arange(21, 1021)
    drawn = draw_sires(np.random.default_rng(1), np.arange(21), dams, sire_of)
    # a sire is drawn again three times: with a use of at most one half the chance to be left is 1/16
    assert np.isin(drawn, [0, 20]).mean() < 0.02
    assert len(np.unique(drawn)) > 15


def test_one_is_drawn_from_the_place_that_is_wanted_each_as_often() -> None:
    place = rows(4, 2, 4, 4)
    drawn = draw_within(np.random.default_rng(1), place, np.repeat([2, 4, 3], 3000))
    assert set(drawn[:3000]) == {1}
    assert set(drawn[6000:]) == {-1}
    # 3,000 draws of three: five standard errors are 129
    assert np.abs(np.bincount(drawn[3000:6000], minlength=4) - [1000, 0, 1000, 1000]).max() < 129
    assert draw_within(np.random.default_rng(1), rows(), rows(0, 1)).tolist() == [-1, -1]


def test_the_best_come_first_and_ties_in_order() -> None:
    assert best(np.array([5, 6, 7, 8]), np.array([1.0, 3.0, 3.0, 0.0]), 3).tolist() == [6, 7, 5]
    assert best(np.array([5, 6]), np.zeros(2), -1).tolist() == []
