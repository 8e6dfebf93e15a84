"""A dairy population with known breeding values: herd-book, lactation records, truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from breedeval.arrays import Float64, freeze
from breedeval.names import Names
from breedeval.simulate.configuration import LabelledMatrix, configuration_text
from breedeval.simulate.herd_book import simulate_herd_book
from breedeval.simulate.lives import draw_lives, draw_recorded
from breedeval.simulate.pedigree import SimulatedPedigree, numbered_names
from breedeval.simulate.plan import DairyPlan
from breedeval.simulate.population import Columns
from breedeval.simulate.records import Lactations, simulate_lactations


@dataclass(frozen=True)
class DairyPopulation:
    """A simulated herd-book with its records and the truth behind them.

    Parameters
    ----------
    plan
        The settings it was made with.
    herd_book
        n animals and their true breeding values.
    lactations
        m records.
    permanent
        (n,) float64 true permanent environmental effect, kg; 0 for males.
    """

    plan: DairyPlan
    herd_book: SimulatedPedigree
    lactations: Lactations
    permanent: Float64

    @property
    def n_records(self) -> int:
        """Number of records, m."""
        return self.lactations.n_records

    def pedigree_columns(self) -> Columns:
        """Write the pedigree as a herd-book does: ``id, sire, dam, sex, birth_year``; an unknown parent is ``0``."""
        return self.herd_book.columns()

    def record_columns(self) -> Columns:
        """Write the records as columns: ``id, herd, herd_year, lactation, dim, milk``."""
        records, first_year = self.lactations, self.plan.first_year
        herds = numbered_names("H", int(records.herd.max(initial=0)) + 1, digits=3)
        herd_years = [f"{herd}-{first_year + year}" for herd in herds for year in range(self.plan.years)]
        return {
            "id": self.herd_book.ids.take(records.cow),
            "herd": herds.take(records.herd),
            "herd_year": Names.of(herd_years).take(records.herd * self.plan.years + records.year - first_year),
            "lactation": records.lactation,
            "dim": records.days_in_milk,
            "milk": records.milk,
        }

    def true_value_columns(self) -> Columns:
        """Write the truth as columns: ``id, breeding_value, permanent``, kg with one decimal."""
        return {
            "id": self.herd_book.ids,
            "breeding_value": np.round(self.herd_book.breeding_value, 1),
            "permanent": np.round(self.permanent, 1),
        }

    def evaluation_text(self) -> str:
        """Write the configuration that evaluates the population with the variances it was simulated with."""
        plan = self.plan
        return configuration_text(
            "Milk of a dairy population, repeatability animal model",
            classes=["herd_year", "lactation"],
            covariates=["dim"],
            model={"milk": "herd_year + lactation + lactation:dim + genetic(id) + permanent(id)"},
            variances={
                "genetic": LabelledMatrix(("milk:id",), np.array([[plan.genetic_variance]])),
                "permanent": LabelledMatrix(("milk:id",), np.array([[plan.permanent_variance]])),
                "residual": LabelledMatrix(("milk",), np.array([[plan.residual_variance]])),
            },
        )


def simulate_dairy(rng: np.random.Generator, **settings: Any) -> DairyPopulation:
    """Simulate a dairy population.

    Parameters
    ----------
    rng
        Source of all randomness; the same generator state and settings give the same population.
    **settings
        Any setting of `DairyPlan` by name, such as ``n_animals`` or ``years``.

    Returns
    -------
    DairyPopulation
        The animals in order of birth, the records in order of cows.

    Raises
    ------
    ConfigError
        If a setting is unknown or impossible.

    Examples
    --------
    >>> population = simulate_dairy(np.random.default_rng(1), n_animals=1000, years=10)
    >>> population.herd_book.n_animals, population.lactations.n_records
    (1000, 1530)
    """
    plan = DairyPlan.of(**settings)
    lives = draw_lives(rng, plan)
    recorded = draw_recorded(rng, plan, lives)
    herd_book = simulate_herd_book(rng, plan, lives, recorded)
    lactations = simulate_lactations(rng, plan, herd_book, recorded)
    return DairyPopulation(plan, herd_book, lactations, freeze(recorded.permanent))
