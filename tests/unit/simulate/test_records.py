"""Simulated lactations carry the effects they are said to carry."""

from __future__ import annotations

import numpy as np
import pytest

from breedeval.simulate.dairy import DairyPopulation, simulate_dairy
from breedeval.simulate.records import LACTATION_EFFECT, MILK_PER_DAY, STANDARD_DAYS


@pytest.fixture(scope="module")
def population() -> DairyPopulation:
    return simulate_dairy(np.random.default_rng(11), n_animals=40_000, records_per_cow=2.0)


def test_the_number_of_records_is_as_asked(population: DairyPopulation) -> None:
    assert population.lactations.n_records == round(2.0 * len(population.herd_book.cows)) == 72_000


def test_each_record_is_a_lactation_that_its_cow_lived(population: DairyPopulation) -> None:
    records, book = population.lactations, population.herd_book
    assert np.all(records.lactation >= 1)
    assert np.all(records.lactation <= book.lactations[records.cow])
    assert np.array_equal(records.year, book.birth_year[records.cow] + 1 + records.lactation)
    assert records.year.max() == 2020
    pairs = records.cow.astype(np.int64) * 100 + records.lactation
    assert np.all(np.diff(pairs) > 0)


def test_residuals_have_the_stated_variances(population: DairyPopulation) -> None:
    records, plan = population.lactations, population.plan
    lactation = np.minimum(records.lactation, 3) - 1
    rest = records.milk - population.herd_book.breeding_value[records.cow] - population.permanent[records.cow]
    rest = rest - np.array(LACTATION_EFFECT)[records.lactation - 1]
    rest = rest - np.array(MILK_PER_DAY)[lactation] * (records.days_in_milk - STANDARD_DAYS)
    herd_year = records.herd.astype(np.int64) * 100 + records.year - 2000
    _, level = np.unique(herd_year, return_inverse=True)
    means = np.bincount(level, rest) / np.bincount(level)
    within = np.sum((rest - means[level]) ** 2) / (len(rest) - len(means))
    # 72,000 records: the standard error is 0.5 %
    assert within / plan.residual_variance == pytest.approx(1.0, abs=0.03)
    cows = population.herd_book.cows
    assert population.permanent[cows].var() / plan.permanent_variance == pytest.approx(1.0, abs=0.05)
    assert means.std() == pytest.approx(np.hypot(plan.herd_sd, plan.herd_year_sd), rel=0.25)


def test_no_records_are_possible() -> None:
    population = simulate_dairy(np.random.default_rng(1), n_animals=1000, records_per_cow=0)
    assert population.lactations.n_records == 0
