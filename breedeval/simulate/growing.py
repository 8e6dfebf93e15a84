"""A pedigree that grows: what is the same in herds of every kind and in plants."""

from __future__ import annotations

import numpy as np

from breedeval.arrays import NONE, Float64, Int8, Int32, Int64, freeze
from breedeval.simulate.pedigree import forget_parents, numbered_names
from breedeval.simulate.population import SimulatedAnimals
from breedeval.simulate.settings import PopulationPlan


class GrowingPedigree:
    """The animals born so far, parents before progeny; arrays of full length, filled as they are born.

    Attributes
    ----------
    sire, dam
        (n,) int32 rows as they are written down; −1 unknown.
    true_sire, true_dam
        (n,) int32 rows as it is; −1 for founders alone.
    year
        (n,) int32 year of birth, from 0.
    """

    def __init__(self, n_animals: int) -> None:
        self.sire, self.dam, self.true_sire, self.true_dam = (np.full(n_animals, NONE, dtype=np.int32) for _ in range(4))
        self.year: Int32 = np.zeros(n_animals, dtype=np.int32)

    def add_parents(self, rng: np.random.Generator, plan: PopulationPlan, rows: Int64, sires: Int64, dams: Int64) -> None:
        """Write down the parents of newborn `rows`, some left out; what a selfed plant comes from is always known."""
        self.true_sire[rows], self.true_dam[rows] = sires, dams
        selfed = sires == dams
        for written, parents, unknown in ((self.sire, sires, plan.unknown_sire), (self.dam, dams, plan.unknown_dam)):
            written[rows] = np.where(selfed, parents, forget_parents(rng, parents.astype(np.int32), unknown))

    def animals(
        self, plan: PopulationPlan, prefix: str, sex: Int8, labels: tuple[str, ...], values: Float64
    ) -> SimulatedAnimals:
        """The finished pedigree, its animals named by `prefix` and a number, with true breeding values (n, k)."""
        return SimulatedAnimals(
            ids=numbered_names(prefix, len(self.sire), digits=6),
            sire=freeze(self.sire),
            dam=freeze(self.dam),
            true_sire=freeze(self.true_sire),
            true_dam=freeze(self.true_dam),
            sex=freeze(sex),
            birth_year=freeze((self.year + plan.first_year).astype(np.int32)),
            labels=labels,
            breeding_value=freeze(values),
        )
