"""A line breeding program year by year: crosses, selfing by single seeds, trials of the finished lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breedeval.arrays import NONE, Float64, Int32, Int64, freeze
from breedeval.names import Names
from breedeval.pedigree.pedigree import Pedigree
from breedeval.pedigree.table import SEX_UNKNOWN, YEAR_UNKNOWN
from breedeval.relationship.inbreeding import compute_inbreeding
from breedeval.simulate.breeding_values import covariance_root, draw_correlated
from breedeval.simulate.growing import GrowingPedigree
from breedeval.simulate.mating import best
from breedeval.simulate.merit import Merit, deviations_within
from breedeval.simulate.plant_plan import PlantPlan


@dataclass(frozen=True)
class Plots:
    """Plots of one trial: (k,) line and block (from 0 in this trial), `place` and `year` of the trial, (k, 2) values."""

    line: Int64
    block: Int64
    place: int
    year: int
    value: Float64


class PlantProgram(GrowingPedigree):
    """The plants so far, cross by cross."""

    def __init__(self, rng: np.random.Generator, plan: PlantPlan) -> None:
        n = plan.n_animals
        super().__init__(n)
        self.plan = plan
        self.inbreeding = np.zeros(n)
        self.values = np.zeros((n, 2))
        self.plots: list[Plots] = []
        self._root = covariance_root(plan.genetic_covariance)
        self._merits = [Merit(n, h2) for h2 in plan.h2]
        self._lines: dict[int, Int64] = {}
        self._n = n - plan.years * plan.crosses_per_year * plan.plants_per_cross
        founders = np.arange(self._n)
        self.values[founders] = draw_correlated(rng, len(founders), plan.genetic_covariance)
        self._try(rng, 0, founders)

    def add_year(self, rng: np.random.Generator, year: int) -> None:
        """Cross the best lines tested so far, and take the progeny to finished lines and through their trials."""
        plan = self.plan
        mothers, fathers = self._crosses(rng, year)
        plants = self._place(plan.crosses_per_year)
        inbreeding = inbreeding_of_crosses(self.true_sire, self.true_dam, fathers, mothers)
        self._add_plants(rng, year, plants, fathers, mothers, inbreeding)
        for generation in range(1, plan.selfings + 1):
            mother = np.repeat(plants, plan.lines_per_cross) if generation == 1 else plants
            plants = self._place(len(mother))
            when = year + generation // plan.generations_per_year
            self._add_plants(rng, when, plants, mother, mother, 0.5 * (1.0 + self.inbreeding[mother]))
        self._try(rng, year + plan.selfings // plan.generations_per_year + 1, plants)

    def _place(self, n_plants: int) -> Int64:
        rows = np.arange(self._n, self._n + n_plants)
        self._n += n_plants
        return rows

    def _crosses(self, rng: np.random.Generator, year: int) -> tuple[Int64, Int64]:
        """Mothers and fathers of a year's crosses: the parents in a circle, at random, as often as needed."""
        tested = [lines for when, lines in self._lines.items() if year - self.plan.parent_years <= when <= year]
        lines = np.concatenate(tested or [self._lines[max(when for when in self._lines if when <= year)]])
        sd = np.sqrt(self.plan.h2) * self.plan.phenotypic_sd
        index = sum(w / s * merit.of(lines) for w, s, merit in zip(self.plan.index, sd, self._merits, strict=True))
        parents = best(lines, np.asarray(index), self.plan.parents)
        mothers, fathers = [], []
        for _ in range(-(-self.plan.crosses_per_year // len(parents))):
            circle = rng.permutation(parents)
            mothers.append(circle)
            fathers.append(np.roll(circle, 1))
        n = self.plan.crosses_per_year
        return np.concatenate(mothers)[:n], np.concatenate(fathers)[:n]

    def _add_plants(
        self, rng: np.random.Generator, year: int, rows: Int64, sires: Int64, dams: Int64, inbreeding: Float64
    ) -> None:
        """Let plants grow; Mendelian sampling has exactly the variance ½ − ¼ (F_s + F_d)."""
        self.add_parents(rng, self.plan, rows, sires, dams)
        self.year[rows] = year
        self.inbreeding[rows] = inbreeding
        variance = 0.5 - 0.25 * (self.inbreeding[sires] + self.inbreeding[dams])
        sampling = (rng.standard_normal((len(rows), 2)) @ self._root.T) * np.sqrt(variance)[:, None]
        self.values[rows] = 0.5 * (self.values[sires] + self.values[dams]) + sampling
        for merit in self._merits:
            merit.add_births(rows, self.sire[rows], self.dam[rows])

    def _try(self, rng: np.random.Generator, year: int, lines: Int64) -> None:
        """Grow lines in the trials of one year, and let the breeders know."""
        plan = self.plan
        self._lines[year] = np.concatenate([self._lines.get(year, np.empty(0, dtype=np.int64)), lines])
        for place in range(plan.trials):
            line = np.concatenate([rng.permutation(lines) for _ in range(plan.blocks)])
            in_replicate = np.tile(np.arange(len(lines)) // plan.plots_per_block, plan.blocks)
            block = np.repeat(np.arange(plan.blocks), len(lines)) * (int(in_replicate[-1]) + 1) + in_replicate
            value = np.array(plan.mean) + rng.normal(0.0, plan.trial_sd, size=2) * plan.phenotypic_sd + self.values[line]
            value += draw_correlated(rng, int(block[-1]) + 1, plan.block_covariance)[block]
            interaction = rng.normal(0.0, np.sqrt(plan.interaction_variance), size=len(lines))
            value[:, 0] += interaction[np.searchsorted(lines, line)]
            value += draw_correlated(rng, len(line), plan.residual_covariance)
            self.plots.append(Plots(line, block, place, year, value))
            for j, merit in enumerate(self._merits):
                merit.add_records(line, self.sire[line], self.dam[line], deviations_within(value[:, j], np.zeros_like(line)))


def inbreeding_of_crosses(sire: Int32, dam: Int32, fathers: Int64, mothers: Int64) -> Float64:
    """(k,) inbreeding that progeny of `fathers` and `mothers` have, from the ancestors of these alone.

    Parameters
    ----------
    sire, dam
        (n,) rows of the parents of all plants, −1 unknown; parents stand before progeny.
    fathers, mothers
        (k,) rows.

    Examples
    --------
    >>> brothers = np.array([-1, -1, 0, 0]), np.array([-1, -1, 1, 1])
    >>> inbreeding_of_crosses(*(parents.astype(np.int32) for parents in brothers), np.array([2]), np.array([3])).tolist()
    [0.25]
    """
    known = np.unique(np.concatenate([fathers, mothers]))
    generation = known
    while len(generation):
        parents = np.unique(np.concatenate([sire[generation], dam[generation]]))
        generation = np.setdiff1d(parents[parents != NONE], known, assume_unique=True)
        known = np.union1d(known, generation)
    place = {"sire": (sire, fathers), "dam": (dam, mothers)}
    rows = []
    for of_all, of_crosses in place.values():
        old = of_all[known]
        old = np.where(old == NONE, NONE, np.searchsorted(known, old))
        rows.append(freeze(np.concatenate([old, np.searchsorted(known, of_crosses)]).astype(np.int32)))
    n = len(rows[0])
    sexes, years = np.full(n, SEX_UNKNOWN, dtype=np.int8), np.full(n, YEAR_UNKNOWN, dtype=np.int32)
    pedigree = Pedigree(Names.of([""] * n), rows[0], rows[1], sexes, years, Names.of([]), "ancestors of crosses")
    return compute_inbreeding(pedigree).coefficients[len(known) :]
