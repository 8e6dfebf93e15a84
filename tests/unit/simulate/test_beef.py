"""A beef population is a pedigree without faults, and has the variances that it is said to have."""

from __future__ import annotations

import numpy as np
import pytest

from breedeval.errors import ConfigError
from breedeval.simulate.beef import simulate_beef
from breedeval.simulate.beef_herds import DAM_AGE_EFFECT, GAIN_A_DAY, MALE_EFFECT, WEANING_AGE, SuckledCalves, SucklerHerds
from breedeval.simulate.beef_plan import BeefPlan


@pytest.fixture(scope="module")
def herds() -> SucklerHerds:
    rng = np.random.default_rng(3)
    grown = SucklerHerds(rng, BeefPlan(n_animals=40_000, years=16, missing_birth_weight=0.0))
    for year in range(16):
        grown.add_year(rng, year)
    return grown


def errors_of(expected: np.ndarray, n: int) -> np.ndarray:
    """Standard errors of (co)variances from n independent observations."""
    return np.sqrt((np.outer(np.diag(expected), np.diag(expected)) + expected**2) / n)


def test_founders_have_the_genetic_covariances_also_of_direct_and_maternal(herds: SucklerHerds) -> None:
    values = herds.genetic.values[(herds.true_sire < 0) & (herds.year < 3)]
    expected = herds.plan.genetic_covariance
    assert expected[1, 3] / np.sqrt(expected[1, 1] * expected[3, 3]) == pytest.approx(-0.3)
    found = values.T @ values / len(values)
    assert len(values) == 7500
    assert np.abs((found - expected) / errors_of(expected, len(values))).max() < 4


def test_mendelian_sampling_has_half_of_them(herds: SucklerHerds) -> None:
    rows = np.flatnonzero((herds.true_sire >= 0) & (herds.year <= 5))  # parents are founders or nearly so
    values = herds.genetic.values
    mendelian = values[rows] - 0.5 * (values[herds.true_sire[rows]] + values[herds.true_dam[rows]])
    expected = 0.5 * herds.plan.genetic_covariance
    found = mendelian.T @ mendelian / len(rows)
    assert len(rows) > 5000
    assert np.abs((found - expected) / errors_of(expected, len(rows))).max() < 4


def known_effects(calves: SuckledCalves) -> np.ndarray:
    known = DAM_AGE_EFFECT[np.digitize(calves.dam_age, [3, 4, 5, 10])] + (calves.sex == 1)[:, None] * np.array(MALE_EFFECT)
    known[:, 1] += GAIN_A_DAY * (calves.age_at_weaning - WEANING_AGE)
    return known


def within(values: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, int]:
    """Covariance within groups, and its degrees of freedom."""
    _, code = np.unique(group, return_inverse=True)
    means = np.column_stack([np.bincount(code, v) / np.bincount(code) for v in values.T])
    rest, freedom = values - means[code], len(values) - len(means)
    return rest.T @ rest / freedom, freedom


def test_what_is_left_of_weights_has_the_residual_covariance(herds: SucklerHerds) -> None:
    calves, values = herds.calves(), herds.genetic.values
    rest = (
        calves.weight - known_effects(calves) - values[calves.calf, :2] - values[calves.dam, 2:] - herds.permanent[calves.dam]
    )
    found, freedom = within(rest, calves.herd * 100 + calves.year)
    expected = herds.plan.residual_covariance
    assert freedom > 25_000
    assert np.abs((found - expected) / errors_of(expected, freedom)).max() < 4


def test_unselected_calves_have_the_phenotypic_variance(herds: SucklerHerds) -> None:
    """Direct, maternal, twice half their covariance, permanent environment and residual make the phenotypic variance."""
    calves = herds.calves()
    first = calves.year == 3  # parents are founders without records: chosen at random
    rest = (calves.weight - known_effects(calves))[first]
    found, freedom = within(rest, calves.herd[first])
    # 1,200 calves: 4 % for a variance, somewhat more as calves of an AI sire are alike
    assert freedom > 1000
    assert np.diag(found) / np.square(herds.plan.phenotypic_sd) == pytest.approx([1.0, 1.0], abs=0.16)


def test_cows_calve_once_a_year_at_the_ages_told_and_calves_stand_in_their_herds(herds: SucklerHerds) -> None:
    calves = herds.calves()
    assert calves.dam_age.min() == 3
    assert calves.dam_age.max() <= 13
    pairs = calves.dam.astype(np.int64) * 100 + calves.year
    assert len(np.unique(pairs)) == len(pairs)
    assert np.all(herds.sex[calves.dam] == 2)
    assert np.all(herds.sex[calves.sire] == 1)
    assert not np.any(calves.sire == herds.true_sire[calves.dam])
    # 30 % by insemination, with few sires and many calves each
    number = np.bincount(calves.sire)
    assert 0.2 < number[number > 150].sum() / number.sum() < 0.5


def test_selection_makes_a_trend_in_weaning_weight(herds: SucklerHerds) -> None:
    value = herds.genetic.values[:, 1]
    sd = np.sqrt(herds.plan.genetic_covariance[1, 1])
    assert value[herds.year == 15].mean() - value[herds.year <= 2].mean() > 0.7 * sd


def test_unknown_parents_are_as_many_as_asked_and_their_calves_have_no_dam_in_the_records() -> None:
    population = simulate_beef(np.random.default_rng(5), n_animals=20_000, years=16, unknown_sire=0.1, unknown_dam=0.05)
    animals = population.animals
    bred = animals.true_sire >= 0
    # binomial, 16,000 animals: five standard errors are 0.012
    assert (animals.sire[bred] < 0).mean() == pytest.approx(0.1, abs=0.012)
    assert (animals.dam[bred] < 0).mean() == pytest.approx(0.05, abs=0.012)
    assert population.n_records == int((animals.dam >= 0).sum())
    assert np.isnan(population.records["birth_weight"]).mean() == pytest.approx(0.1, abs=0.015)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"direct_maternal_correlation": -1.5}, ["genetic", "not positive definite"]),
        ({"permanent_share": (0.6, 0.6), "direct_h2": (0.5, 0.5)}, ["residual", "not positive definite"]),
        ({"ai_share": 2.0, "survival": -0.1}, ["ai_share is 2.0", "survival is -0.1"]),
        ({"years": 3}, ["too few for one generation"]),
        ({"cows": 50}, ["'cows'", "cows_per_herd"]),
    ],
)
def test_impossible_settings_are_refused_and_named(settings: dict[str, float], words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        simulate_beef(np.random.default_rng(1), **settings)
    for word in words:
        assert word in str(caught.value)
