"""A pig nucleus by half-years: sows farrow, piglets are tested, boars and gilts are chosen by an index."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breedeval.arrays import Float64, Int32, Int64
from breedeval.pedigree.table import FEMALE, MALE
from breedeval.simulate.breeding_values import draw_correlated
from breedeval.simulate.growing import GrowingPedigree
from breedeval.simulate.infinitesimal import InfinitesimalModel
from breedeval.simulate.mating import best, draw_sires
from breedeval.simulate.merit import Merit, deviations_within
from breedeval.simulate.pig_plan import FIRST_FARROWING, PERIODS, PigPlan

#: What boars have more than gilts (g a day, mm), and litters of parity 1, 2, 3 ... more than the first.
MALE_EFFECT = (60.0, -1.5)
PARITY_EFFECT = np.array([0.0, 0.6, 1.1, 1.2, 1.0, 0.7])
#: Share of sows beyond the litters that fill the test, since small litters leave places.
_SPARE = 1.05


@dataclass(frozen=True)
class Litters:
    """Litters of one half-year: (k,) sow, parity, and piglets born alive; `number` of the first, counted over all periods."""

    sow: Int64
    parity: Int32
    born_alive: Float64
    herd: Int32
    period: int
    number: int


@dataclass(frozen=True)
class Tests:
    """Piglets tested of one half-year: (k,) row, litter (counted over all periods), herd of the test; (k, 2) performance."""

    pig: Int64
    litter: Int64
    herd: Int32
    period: int
    performance: Float64


class PigHerds(GrowingPedigree):
    """The animals born so far, period by period."""

    def __init__(self, rng: np.random.Generator, plan: PigPlan) -> None:
        n = plan.n_animals
        super().__init__(n)
        self.plan = plan
        litters = n / plan.n_periods / plan.tested_per_litter
        self.n_herds = max(1, round(litters / plan.sows_per_herd))
        self.n_boars = max(2, round(litters / plan.litters_per_boar))
        self.first_row = np.linspace(0, n, plan.n_periods + 1).astype(np.int64)
        self.period = np.repeat(np.arange(plan.n_periods, dtype=np.int32), np.diff(self.first_row))
        self.year = self.period // PERIODS
        self.sex = rng.integers(MALE, FEMALE + 1, size=n, dtype=np.int8)
        self.herd = rng.integers(0, self.n_herds, size=n, dtype=np.int32)
        self.parity = np.zeros(n, dtype=np.int32)
        self.genetic = InfinitesimalModel(n, plan.genetic_covariance)
        self.permanent = np.where(self.sex == FEMALE, rng.normal(0.0, np.sqrt(plan.permanent_variance), size=n), 0.0)
        self.merits = [Merit(n, h2) for h2 in plan.h2]
        self.litters: list[Litters] = []
        self.tests: list[Tests] = []
        self._herd_effect = rng.normal(0.0, plan.herd_sd, size=(self.n_herds, 3))
        self._sows = np.empty(0, dtype=np.int64)
        self._n_litters = 0

    def index_of(self, rows: Int64) -> Float64:
        """(k,) selection index by the records so far, in genetic standard deviations."""
        sd = np.sqrt(self.plan.h2) * self.plan.phenotypic_sd
        index = np.zeros(len(rows))
        for merit, weight in zip(self.merits, np.array(self.plan.index) / sd, strict=True):
            index += weight * merit.of(rows)
        return index

    def add_period(self, rng: np.random.Generator, period: int) -> None:
        """Let the sows of one half-year farrow, and their piglets be tested."""
        rows = np.arange(self.first_row[period], self.first_row[period + 1])
        self._renew_sows(rng, period, len(rows))
        boars = self._boars(period)
        batch = (self._herd_effect + rng.normal(0.0, self.plan.batch_sd, size=(self.n_herds, 3))) * self.plan.phenotypic_sd
        mother = np.empty(0, dtype=np.int64)
        if len(self._sows) and len(boars):
            litters, mother = self._farrow(rng, period, len(rows), batch[:, 2])
        founders, piglets = rows[: len(rows) - len(mother)], rows[len(rows) - len(mother) :]
        self.genetic.found(rng, founders)
        if len(mother):
            sires = draw_sires(rng, boars, litters.sow, self.true_sire)
            self._add_piglets(rng, piglets, sires[mother], litters.sow[mother])
            self._test(rng, period, piglets, litters.number + mother, batch[:, :2])

    def _renew_sows(self, rng: np.random.Generator, period: int, n_births: int) -> None:
        stay = (rng.random(len(self._sows)) < self.plan.survival) & (self.parity[self._sows] < self.plan.last_parity)
        kept = self._sows[stay]
        young = self._born(period - FIRST_FARROWING, period - FIRST_FARROWING)
        gilts = young[self.sex[young] == FEMALE]
        wanted = int(np.ceil(_SPARE * n_births / self.plan.tested_per_litter)) - len(kept)
        chosen = best(gilts, self.index_of(gilts), wanted)
        sold = chosen[rng.random(len(chosen)) < self.plan.sold]
        self.herd[sold] = rng.integers(0, self.n_herds, size=len(sold))
        self._sows = np.concatenate([kept, chosen])

    def _boars(self, period: int) -> Int64:
        rows = self._born(period - self.plan.last_boar_age, period - FIRST_FARROWING)
        boars = rows[self.sex[rows] == MALE]
        return best(boars, self.index_of(boars), self.n_boars)

    def _born(self, first: int, last: int) -> Int64:
        return np.arange(self.first_row[max(0, first)], self.first_row[max(0, last + 1)])

    def _farrow(self, rng: np.random.Generator, period: int, n_places: int, batch: Float64) -> tuple[Litters, Int64]:
        """Let sows farrow until the test is full; returns the litters and for each piglet tested the place of its litter."""
        sows = rng.permutation(self._sows)
        self.parity[self._sows] += 1
        known = PARITY_EFFECT[np.minimum(self.parity[sows], len(PARITY_EFFECT)) - 1]
        size = self.plan.mean[2] + known + batch[self.herd[sows]] + self.genetic.values[sows, 2] + self.permanent[sows]
        size += rng.normal(0.0, np.sqrt(self.plan.residual_covariance[2, 2]), size=len(sows))
        born = np.rint(size).clip(0)
        herd = self.herd[sows].copy()
        deviation = deviations_within(born - known, herd)
        self.merits[2].add_records(sows, self.sire[sows], self.dam[sows], deviation)
        litters = Litters(sows, self.parity[sows].copy(), born, herd, period, self._n_litters)
        self._n_litters += len(sows)
        self.litters.append(litters)
        mother = np.repeat(np.arange(len(sows)), np.minimum(born, self.plan.tested_per_litter).astype(np.int64))
        return litters, mother[:n_places]

    def _add_piglets(self, rng: np.random.Generator, rows: Int64, sires: Int64, dams: Int64) -> None:
        self.add_parents(rng, self.plan, rows, sires, dams)
        self.herd[rows] = self.herd[dams]
        self.genetic.breed(rng, rows, sires, dams)
        for merit in self.merits:
            merit.add_births(rows, self.sire[rows], self.dam[rows])

    def _test(self, rng: np.random.Generator, period: int, rows: Int64, litter: Int64, batch: Float64) -> None:
        n_litters = int(litter[-1] - litter[0]) + 1
        known = np.where((self.sex[rows] == MALE)[:, None], MALE_EFFECT, 0.0)
        value = np.array(self.plan.mean[:2]) + known + batch[self.herd[rows]] + self.genetic.values[rows, :2]
        value += draw_correlated(rng, n_litters, self.plan.litter_covariance)[litter - litter[0]]
        value += draw_correlated(rng, len(rows), self.plan.residual_covariance[:2, :2])
        for j in range(2):
            deviation = deviations_within(value[:, j] - known[:, j], self.herd[rows])
            self.merits[j].add_records(rows, self.sire[rows], self.dam[rows], deviation)
        self.tests.append(Tests(rows, litter, self.herd[rows].copy(), period, value))
