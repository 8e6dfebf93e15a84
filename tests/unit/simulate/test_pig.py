"""A pig population has litters of full sibs, the likeness that theory gives them, and a response to its index."""

from __future__ import annotations

import numpy as np
import pytest

from breedeval.errors import ConfigError
from breedeval.simulate.pig import simulate_pig
from breedeval.simulate.pig_herds import MALE_EFFECT, PARITY_EFFECT, PigHerds
from breedeval.simulate.pig_plan import PigPlan


@pytest.fixture(scope="module")
def herds() -> PigHerds:
    rng = np.random.default_rng(2)
    grown = PigHerds(rng, PigPlan(n_animals=60_000, years=5))
    for period in range(10):
        grown.add_period(rng, period)
    return grown


def test_founders_have_the_genetic_covariances(herds: PigHerds) -> None:
    values, expected = herds.genetic.values[herds.true_sire < 0], herds.plan.genetic_covariance
    found = values.T @ values / len(values)
    assert len(values) >= 12_000
    standard_error = np.sqrt((np.outer(np.diag(expected), np.diag(expected)) + expected**2) / len(values))
    assert np.abs((found - expected) / standard_error).max() < 4


def test_litter_mates_are_as_alike_as_half_the_heritability_and_the_litter_make_them(herds: PigHerds) -> None:
    tests, plan = herds.tests[0], herds.plan  # of founders without records: parents are chosen at random
    value = tests.performance - (herds.sex[tests.pig] == 1)[:, None] * np.array(MALE_EFFECT)
    mean = np.column_stack([np.bincount(tests.herd, v) / np.bincount(tests.herd) for v in value.T])
    value = value - mean[tests.herd]
    litter = tests.litter - tests.litter.min()
    size = np.bincount(litter)
    means = np.column_stack([np.bincount(litter, v) / np.maximum(size, 1) for v in value.T])
    n_litters, n_pigs = int((size > 0).sum()), len(value)
    assert n_litters > 900
    within = ((value - means[litter]) ** 2).sum(axis=0) / (n_pigs - n_litters)
    between = (size[:, None] * means**2).sum(axis=0) / (n_litters - 1)
    likeness = (between - within) / (between + (n_pigs / n_litters - 1) * within)
    expected = 0.5 * np.array(plan.h2[:2]) + plan.litter_share
    # 1,000 litters of six: the standard error of the likeness is 0.015 (Fisher), half-sib litters add a little
    assert likeness == pytest.approx(expected, abs=0.055)


def test_litter_size_has_the_variances_of_sows_and_residuals(herds: PigHerds) -> None:
    rest, group = [], []
    for k, part in enumerate(herds.litters):
        known = PARITY_EFFECT[np.minimum(part.parity, 6) - 1] + herds.genetic.values[part.sow, 2] + herds.permanent[part.sow]
        rest.append(part.born_alive - known)
        group.append(part.herd + 1000 * k)
    value, code = np.concatenate(rest), np.unique(np.concatenate(group), return_inverse=True)[1]
    value = value - (np.bincount(code, value) / np.bincount(code))[code]
    variance = (value**2).sum() / (len(value) - code.max() - 1)
    # 8,000 litters: 1.6 %; counting in whole piglets adds 1/12
    assert len(value) > 7000
    assert variance == pytest.approx(herds.plan.residual_covariance[2, 2] + 1 / 12, rel=0.06)


def test_generations_are_short_and_overlap(herds: PigHerds) -> None:
    bred = np.flatnonzero(herds.true_sire >= 0)
    for parent in (herds.true_sire, herds.true_dam):
        age = herds.period[bred] - herds.period[parent[bred]]
        assert age.min() == 2
        assert 1.0 < age.mean() / 2 < 1.8  # years
        assert len(np.unique(age)) > 2


def test_litters_are_full_sibs_of_one_herd_and_no_larger_than_the_test_allows(herds: PigHerds) -> None:
    for tests in herds.tests:
        first = np.unique(tests.litter, return_index=True, return_counts=True)
        assert first[2].max() == herds.plan.tested_per_litter
        of_litter = np.repeat(first[1], first[2])
        for column in (herds.true_sire, herds.true_dam):
            assert np.array_equal(column[tests.pig], column[tests.pig[of_litter]])
    assert not np.any(herds.true_sire[bred(herds)] == herds.true_sire[herds.true_dam[bred(herds)]])


def bred(herds: PigHerds) -> np.ndarray:
    return np.flatnonzero(herds.true_sire >= 0)


def test_selection_on_the_index_moves_each_trait_the_right_way(herds: PigHerds) -> None:
    sd = np.sqrt(np.diag(herds.plan.genetic_covariance))
    gain = (herds.genetic.values[herds.period == 9].mean(axis=0) - herds.genetic.values[herds.period < 2].mean(axis=0)) / sd
    assert gain[0] > 0.3
    assert gain[1] < -0.3
    assert gain @ herds.plan.index > 1.5


def test_records_of_pigs_and_of_sows_leave_each_others_columns_empty() -> None:
    population = simulate_pig(np.random.default_rng(1), n_animals=4000, years=6)
    records = population.records
    of_sow = np.isnan(records["growth"])
    assert np.array_equal(of_sow, ~np.isnan(records["litter_size"]))
    assert np.array_equal(of_sow, records["litter"].lengths == 0)
    assert np.array_equal(of_sow, records["parity"].lengths > 0)
    assert np.array_equal(of_sow, records["sex"].lengths == 0)


def test_impossible_settings_are_refused_and_named() -> None:
    with pytest.raises(ConfigError, match="n_animals is 100, fewer"):
        simulate_pig(np.random.default_rng(1), n_animals=100)
    with pytest.raises(ConfigError, match=r"genetic.*not positive definite"):
        simulate_pig(np.random.default_rng(1), genetic_correlations=(0.9, 0.9, -0.9))
    with pytest.raises(ConfigError, match="tested_per_litter is 1"):
        simulate_pig(np.random.default_rng(1), tested_per_litter=1)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"h2": (0.3, 0.4)}, "h2 takes 3 numbers, such as 0.3,0.45,0.1, not 2"),
        ({"h2": (0.3, float("nan"), 0.1)}, "h2 is .*nan.*, not a number"),
        ({"survival": (0.5, 0.6)}, "survival takes one number, not 2"),
        ({"last_parity": 2.5, "sold": float("inf")}, "last_parity is 2.5, not a whole number; sold is inf, not a number"),
    ],
)
def test_settings_of_another_form_than_asked_are_named(settings: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        PigPlan.of(**settings)  # type: ignore[arg-type]
