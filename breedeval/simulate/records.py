"""Lactation records of a simulated herd-book."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breedeval.arrays import Float64, Int32, Int64, freeze
from breedeval.simulate.lives import RecordedLactations
from breedeval.simulate.pedigree import SimulatedPedigree
from breedeval.simulate.plan import DairyPlan

#: Milk of lactation 1, 2, 3 ... above the first, kg; later ones as the last given.
LACTATION_EFFECT = (0.0, 900.0, 1300.0, 1400.0, 1350.0, 1250.0)
#: Milk a further day in milk, by lactation, kg.
MILK_PER_DAY = (14.0, 17.0, 18.0)
STANDARD_DAYS = 305
_DAYS_SD, _FEWEST_DAYS, _MOST_DAYS = 30.0, 150, 400


@dataclass(frozen=True)
class Lactations:
    """Lactation records, by cow and within a cow by lactation.

    Parameters
    ----------
    cow
        (m,) int32 row of the cow.
    herd, year
        (m,) int32 herd from 0, calendar year of calving.
    lactation
        (m,) int32 number of the lactation, from 1.
    days_in_milk
        (m,) int32 length of the lactation, days.
    milk
        (m,) int32 milk, kg.
    """

    cow: Int32
    herd: Int32
    year: Int32
    lactation: Int32
    days_in_milk: Int32
    milk: Int32

    @property
    def n_records(self) -> int:
        """Number of records, m."""
        return len(self.cow)


def simulate_lactations(
    rng: np.random.Generator, plan: DairyPlan, herd_book: SimulatedPedigree, recorded: RecordedLactations
) -> Lactations:
    """Simulate milk: herd-year, lactation, days in milk within lactation, breeding value, environment.

    Parameters
    ----------
    rng
        Source of all randomness.
    plan
        The settings.
    herd_book
        The animals.
    recorded
        The lactations that have a record.

    Returns
    -------
    Lactations
        m records.
    """
    cow, lactation = recorded.cow, recorded.lactation
    herd = herd_book.herd[cow]
    days = np.rint(rng.normal(STANDARD_DAYS, _DAYS_SD, size=len(cow))).clip(_FEWEST_DAYS, _MOST_DAYS)
    milk = plan.mean + _by_lactation(LACTATION_EFFECT, lactation) + _herd_years(rng, plan, herd, recorded.year)
    milk += _by_lactation(MILK_PER_DAY, lactation) * (days - STANDARD_DAYS)
    milk += herd_book.breeding_value[cow] + recorded.environment
    columns = (cow, herd, recorded.year + plan.first_year, lactation, days, np.rint(milk))
    return Lactations(*(freeze(column.astype(np.int32)) for column in columns))


def _herd_years(rng: np.random.Generator, plan: DairyPlan, herd: Int32, year: Int64) -> Float64:
    """(m,) effect of herd and year on each record; `year` counts from 0."""
    n_herds = int(herd.max(initial=0)) + 1
    effects = rng.normal(0.0, plan.herd_sd, size=(n_herds, 1)) + plan.yearly_change * np.arange(plan.years)
    effects += rng.normal(0.0, plan.herd_year_sd, size=effects.shape)
    found: Float64 = effects[herd, year]
    return found


def _by_lactation(values: tuple[float, ...], lactation: Int64) -> Float64:
    """Value of each record's lactation; lactations beyond the last value have the last."""
    found: Float64 = np.array(values)[np.minimum(lactation, len(values)) - 1]
    return found
