"""When animals are born, how long cows stay, and which of their lactations are recorded: all that no breeding value changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breedeval.arrays import Float64, Int8, Int32, Int64
from breedeval.errors import ConfigError
from breedeval.pedigree.table import FEMALE, MALE
from breedeval.simulate.plan import FIRST_CALVING, DairyPlan


@dataclass(frozen=True)
class Lives:
    """Births and lives, in order of birth.

    Parameters
    ----------
    first_row
        (years + 1,) row of the first animal born in each year.
    year
        (n,) int32 year of birth, from 0.
    sex
        (n,) int8, 1 male, 2 female.
    lactations
        (n,) int8 number of lactations in a cow's life, also those after the last year; 0 for males.
    """

    first_row: Int64
    year: Int32
    sex: Int8
    lactations: Int8

    def born(self, first_year: int, last_year: int) -> Int64:
        """Rows of the animals born from one year to another, both included; years before 0 are empty."""
        return np.arange(self.first_row[max(0, first_year)], self.first_row[max(0, last_year + 1)])


@dataclass(frozen=True)
class RecordedLactations:
    """Lactations that get a record, by cow and within a cow by lactation.

    Parameters
    ----------
    cow
        (m,) row of the cow.
    lactation
        (m,) number of the lactation, from 1.
    year
        (m,) year of calving, from 0.
    environment
        (m,) permanent environmental effect of the cow plus residual, kg.
    permanent
        (n,) permanent environmental effect of each animal, kg; 0 for males.
    """

    cow: Int64
    lactation: Int64
    year: Int64
    environment: Float64
    permanent: Float64


def draw_lives(rng: np.random.Generator, plan: DairyPlan) -> Lives:
    """Draw sexes and lengths of lives; births are the same every year, as many as there can be."""
    births = np.full(plan.years, plan.n_animals // plan.years)
    births[: plan.n_animals % plan.years] += 1
    first_row = np.concatenate([[0], np.cumsum(births)])
    sex = np.full(plan.n_animals, FEMALE, dtype=np.int8)
    for first, n_births in zip(first_row[:-1], births, strict=True):
        n_males = max(1, round(plan.male_share * n_births))
        sex[first + rng.choice(n_births, size=n_males, replace=False)] = MALE
    lactations = np.full(plan.n_animals, plan.max_lactations)
    if plan.survival < 1:
        lactations = np.minimum(rng.geometric(1.0 - plan.survival, size=plan.n_animals), plan.max_lactations)
    return Lives(
        first_row=first_row,
        year=np.repeat(np.arange(plan.years, dtype=np.int32), births),
        sex=sex,
        lactations=np.where(sex == FEMALE, lactations, 0).astype(np.int8),
    )


def draw_recorded(rng: np.random.Generator, plan: DairyPlan, lives: Lives) -> RecordedLactations:
    """Draw which lactations up to the last year have a record, and what the environment adds to each.

    Raises
    ------
    ConfigError
        If more records are asked for than there are lactations.
    """
    cows = np.flatnonzero(lives.sex == FEMALE)
    n_calvings = np.minimum(lives.lactations[cows], plan.years - lives.year[cows] - FIRST_CALVING).clip(0)
    n_possible, n_records = int(n_calvings.sum()), round(plan.records_per_cow * len(cows))
    if n_records > n_possible:
        most = np.floor(100 * n_possible / len(cows)) / 100
        raise ConfigError(
            f"records_per_cow is {plan.records_per_cow:g}, but {len(cows):,} cows have {n_possible:,} lactations in "
            f"{plan.years} years. Ask for at most {most:g}, or raise survival, max_lactations or years."
        )
    first_of_cow = np.repeat(np.cumsum(n_calvings) - n_calvings, n_calvings)
    lactation = np.arange(n_possible) - first_of_cow + 1
    chosen = np.sort(rng.choice(n_possible, size=n_records, replace=False, shuffle=False))
    cow, lactation = np.repeat(cows, n_calvings)[chosen], lactation[chosen]
    permanent = np.zeros(plan.n_animals)
    permanent[cows] = rng.normal(0.0, np.sqrt(plan.permanent_variance), size=len(cows))
    residual = rng.normal(0.0, np.sqrt(plan.residual_variance), size=n_records)
    year = lives.year[cow] + FIRST_CALVING - 1 + lactation
    return RecordedLactations(cow, lactation, year, permanent[cow] + residual, permanent)
