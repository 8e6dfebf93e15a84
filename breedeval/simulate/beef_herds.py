"""Suckler herds year by year: cows calve, calves are weighed, bulls and heifers are chosen by the weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breedeval.arrays import NONE, Float64, Int32, Int64
from breedeval.pedigree.table import FEMALE, MALE
from breedeval.simulate.beef_plan import BeefPlan
from breedeval.simulate.breeding_values import draw_correlated
from breedeval.simulate.growing import GrowingPedigree
from breedeval.simulate.infinitesimal import InfinitesimalModel
from breedeval.simulate.mating import best, draw_sires, draw_within
from breedeval.simulate.merit import Merit, deviations_within

#: Kilograms that a bull calf is heavier, and that calves of cows of 2, 3, 4, 5 to 9, 10 and more years are lighter.
MALE_EFFECT = (3.0, 20.0)
DAM_AGE_EFFECT = np.array([[-3.5, -22.0], [-2.0, -14.0], [-1.0, -6.0], [0.0, 0.0], [-0.5, -4.0]])
#: Kilograms a day of age at weaning, and the age itself.
GAIN_A_DAY = 0.95
WEANING_AGE, _WEANING_AGE_SD = 205, 20.0
_YEARS_IN_SERVICE = 4


@dataclass(frozen=True)
class SuckledCalves:
    """Weighed calves, in order of birth.

    Parameters
    ----------
    calf, dam
        (m,) rows.
    sire
        (m,) row as it is written down; −1 unknown.
    herd, year
        (m,) herd and year of birth, both from 0.
    sex
        (m,) 1 male, 2 female.
    dam_age
        (m,) years.
    age_at_weaning
        (m,) days.
    weight
        (m, 2) weights at birth and weaning, kg; NaN where not weighed.
    """

    calf: Int64
    dam: Int32
    sire: Int32
    herd: Int32
    year: Int32
    sex: Int32
    dam_age: Int32
    age_at_weaning: Int32
    weight: Float64


class SucklerHerds(GrowingPedigree):
    """The animals born so far, year by year."""

    def __init__(self, rng: np.random.Generator, plan: BeefPlan) -> None:
        n = plan.n_animals
        super().__init__(n)
        self.plan = plan
        self.n_herds = max(1, round(n / plan.years / plan.cows_per_herd))
        self.first_row = np.linspace(0, n, plan.years + 1).astype(np.int64)
        self.year = np.repeat(np.arange(plan.years, dtype=np.int32), np.diff(self.first_row))
        self.sex = rng.integers(MALE, FEMALE + 1, size=n, dtype=np.int8)
        self.herd = rng.integers(0, self.n_herds, size=n, dtype=np.int32)  # where an animal lives; calves move to their dam's
        self.genetic = InfinitesimalModel(n, plan.genetic_covariance)
        self.permanent = np.where((self.sex == FEMALE)[:, None], draw_correlated(rng, n, plan.permanent_covariance), 0.0)
        self.merit = Merit(n, plan.direct_h2[1])
        self._herd_effect = rng.normal(0.0, plan.herd_sd, size=(self.n_herds, 2))
        self._cows = np.empty(0, dtype=np.int64)
        self._calves: list[SuckledCalves] = []

    def add_year(self, rng: np.random.Generator, year: int) -> None:
        """Let the calves of one year be born and weighed."""
        rows = self._born(year)
        self._renew_cows(rng, year, len(rows))
        bulls = self._bulls(year, self.plan.last_bull_age)
        n_calves = len(self._cows) if len(bulls) else 0
        founders, calves = rows[: len(rows) - n_calves], rows[len(rows) - n_calves :]
        self.genetic.found(rng, founders)
        if n_calves:
            self._add_calves(rng, year, calves, rng.permutation(self._cows), bulls)

    def calves(self) -> SuckledCalves:
        """All calves weighed so far."""
        names = SuckledCalves.__dataclass_fields__
        if not self._calves:
            empty = {name: np.empty(0, dtype=np.int32) for name in names}
            return SuckledCalves(**{**empty, "weight": np.empty((0, 2))})  # type: ignore[arg-type]
        return SuckledCalves(**{name: np.concatenate([getattr(part, name) for part in self._calves]) for name in names})

    def _born(self, year: int) -> Int64:
        if year < 0:
            return np.empty(0, dtype=np.int64)
        return np.arange(self.first_row[year], self.first_row[year + 1])

    def _renew_cows(self, rng: np.random.Generator, year: int, wanted: int) -> None:
        """Let cows leave by age and chance, and the best heifers of calving age take their places."""
        stay = (rng.random(len(self._cows)) < self.plan.survival) & (year - self.year[self._cows] <= self.plan.last_calving)
        kept = self._cows[stay][:wanted]
        young = self._born(year - self.plan.first_calving)
        heifers = young[self.sex[young] == FEMALE]
        chosen = best(heifers, self.merit.of(heifers), wanted - len(kept))
        sold = chosen[rng.random(len(chosen)) < self.plan.sold]
        self.herd[sold] = rng.integers(0, self.n_herds, size=len(sold))
        self._cows = np.concatenate([kept, chosen])

    def _bulls(self, year: int, last_age: int) -> Int64:
        """Bulls of breeding age, best first."""
        first = max(0, year - last_age)
        last = year - self.plan.first_bull_age
        if last < 0:
            return np.empty(0, dtype=np.int64)
        rows = np.arange(self.first_row[first], self.first_row[last + 1])
        bulls = rows[self.sex[rows] == MALE]
        return best(bulls, self.merit.of(bulls), len(bulls))

    def _choose_sires(self, rng: np.random.Generator, year: int, dams: Int64, bulls: Int64) -> Int64:
        """Draw inseminations and natural matings; a cow whose herd has no bull, or her own sire, is inseminated."""
        plan = self.plan
        n_inseminated = len(dams) * plan.ai_share
        ai_sires = bulls[: max(2, round(n_inseminated / plan.calves_per_ai_sire))]
        sires = draw_sires(rng, ai_sires, dams, self.true_sire)
        natural = np.flatnonzero(rng.random(len(dams)) >= plan.ai_share)
        in_service = self._bulls(year, min(plan.first_bull_age + _YEARS_IN_SERVICE - 1, plan.last_bull_age))
        in_service = in_service[: round(len(natural) / plan.cows_per_bull)]
        # a young bull goes into service in a herd that is not his own; he stays there
        new = in_service[self.year[in_service] == year - plan.first_bull_age]
        self.herd[new] = rng.integers(0, self.n_herds, size=len(new))
        place = draw_within(rng, self.herd[in_service], self.herd[dams[natural]])
        there = (place != NONE) & (in_service[place] != self.true_sire[dams[natural]]) if len(in_service) else place != NONE
        sires[natural[there]] = in_service[place[there]]
        return sires

    def _add_calves(self, rng: np.random.Generator, year: int, calves: Int64, dams: Int64, bulls: Int64) -> None:
        sires = self._choose_sires(rng, year, dams, bulls)
        self.add_parents(rng, self.plan, calves, sires, dams)
        self.herd[calves] = self.herd[dams]
        self.genetic.breed(rng, calves, sires, dams)
        self.merit.add_births(calves, self.sire[calves], self.dam[calves])
        self._weigh(rng, year, calves[self.dam[calves] != NONE])

    def _weigh(self, rng: np.random.Generator, year: int, calves: Int64) -> None:
        """Weigh the calves whose dam is known, and let the breeders know."""
        plan, dams, sex = self.plan, self.dam[calves], self.sex[calves]
        dam_age = year - self.year[dams]
        age = np.rint(rng.normal(WEANING_AGE, _WEANING_AGE_SD, size=len(calves))).clip(140, 270).astype(np.int32)
        known = DAM_AGE_EFFECT[np.digitize(dam_age, [3, 4, 5, 10])] + np.where((sex == MALE)[:, None], MALE_EFFECT, 0.0)
        known[:, 1] += GAIN_A_DAY * (age - WEANING_AGE)
        herd_year = (self._herd_effect + rng.normal(0.0, plan.herd_year_sd, size=(self.n_herds, 2))) * plan.phenotypic_sd
        weight = np.array(plan.mean) + known + herd_year[self.herd[calves]]
        weight += self.genetic.values[calves, :2] + self.genetic.values[dams, 2:] + self.permanent[dams]
        weight += draw_correlated(rng, len(calves), plan.residual_covariance)
        deviation = deviations_within(weight[:, 1] - known[:, 1], self.herd[calves])
        self.merit.add_records(calves, self.sire[calves], dams, deviation)
        weight[rng.random(len(calves)) < plan.missing_birth_weight, 0] = np.nan
        years = np.full(len(calves), year, dtype=np.int32)
        part = (calves, dams, self.sire[calves], self.herd[calves].copy(), years, sex.astype(np.int32), dam_age, age, weight)
        self._calves.append(SuckledCalves(*part))
