"""A dairy herd-book year by year: cows calve, bulls in use are selected, calves are born."""

from __future__ import annotations

import numpy as np

from breedeval.arrays import NONE, Float64, Int64, freeze
from breedeval.pedigree.table import FEMALE, MALE
from breedeval.simulate.lives import Lives, RecordedLactations
from breedeval.simulate.mating import best
from breedeval.simulate.pedigree import GeneDrop, SimulatedPedigree, forget_parents, numbered_names
from breedeval.simulate.plan import FIRST_CALVING, DairyPlan
from breedeval.simulate.proofs import Proofs, draw_genomic_proofs

_REDRAWS = 3


def simulate_herd_book(
    rng: np.random.Generator, plan: DairyPlan, lives: Lives, recorded: RecordedLactations
) -> SimulatedPedigree:
    """Simulate the parents and the true breeding values of animals with overlapping generations.

    Every year the best bulls of breeding age, by the records so far, are mated at random (daughters of the bull excepted) to
    cows that calve, some bulls much more than others. A calf is born into the herd of its dam. Calves for which there is no
    dam (all of the first two years) are founders. Breeding values follow the infinitesimal model: mean of the parents plus
    Mendelian sampling with variance ½ (1 − mean F of the parents) σ²_a, see `GeneDrop`.

    Parameters
    ----------
    rng
        Source of all randomness.
    plan
        The settings.
    lives
        Births and lives of the animals.
    recorded
        The lactations that have a record, on which bulls are selected.

    Returns
    -------
    SimulatedPedigree
        ``plan.n_animals`` animals.

    Notes
    -----
    Time and memory grow linearly; a million animals take a few seconds and 0.5 GB.
    """
    book = _HerdBook(plan, lives)
    by_year = np.argsort(recorded.year, kind="stable")
    ends = np.searchsorted(recorded.year[by_year], np.arange(plan.years + 1))
    for year in range(plan.years):
        book.add_births(rng, year)
        of_year = by_year[ends[year] : ends[year + 1]]
        book.add_records(recorded.cow[of_year], recorded.environment[of_year])
    return book.freeze(rng)


class _HerdBook:
    """The animals born so far; arrays of full length, filled year by year."""

    def __init__(self, plan: DairyPlan, lives: Lives) -> None:
        self.plan = plan
        self.lives = lives
        n, births = plan.n_animals, plan.n_animals / plan.years
        cows_a_year = (1 - plan.male_share) * births * plan.mean_lactations
        self.n_herds = max(1, round(cows_a_year / plan.cows_per_herd))
        self.n_sires = max(2, round(births / plan.calves_per_sire))
        self.sire = np.full(n, NONE, dtype=np.int32)
        self.dam = np.full(n, NONE, dtype=np.int32)
        self.herd = np.zeros(n, dtype=np.int32)
        self.breeding_value = np.zeros(n)
        self.genes = GeneDrop(n)
        self.proofs = Proofs(plan)

    def add_births(self, rng: np.random.Generator, year: int) -> None:
        """Let the calves of one year be born."""
        rows = self.lives.born(year, year)
        cows, bulls = self._calving_cows(year), self._bulls_in_use(rng, year)
        n_calves = min(len(rows), len(cows)) if len(bulls) else 0
        founders, calves = rows[: len(rows) - n_calves], rows[len(rows) - n_calves :]
        self._add_founders(rng, founders)
        if n_calves:
            donors = self._donors(rng, year, round(self.plan.embryo_share * n_calves))
            dams = np.concatenate([donors, rng.choice(cows, size=n_calves - len(donors), replace=False)])
            self._add_calves(rng, calves, self._choose_sires(rng, bulls, dams), dams)

    def add_records(self, cows: Int64, environment: Float64) -> None:
        """Let the breeders know the records of one year."""
        self.proofs.add_year(cows, self.herd[cows], self.sire[cows], self.breeding_value[cows] + environment)

    def _calving_cows(self, year: int) -> Int64:
        rows = self.lives.born(year - FIRST_CALVING - self.plan.max_lactations + 1, year - FIRST_CALVING)
        lactation = year - self.lives.year[rows] - FIRST_CALVING + 1
        calving: Int64 = rows[lactation <= self.lives.lactations[rows]]
        return calving

    def _bulls_in_use(self, rng: np.random.Generator, year: int) -> Int64:
        n_genomic = round(self.plan.genomic_share * self.n_sires)
        with_genomic = self._best_yearlings(rng, year, MALE, n_genomic) if n_genomic else np.empty(0, dtype=np.int64)
        others = np.setdiff1d(self._bulls_with_proofs(year), with_genomic, assume_unique=True)
        return np.concatenate([others[: self.n_sires - len(with_genomic)], with_genomic])

    def _bulls_with_proofs(self, year: int) -> Int64:
        """Bulls of breeding age, as many as are in use a year: the best by the records so far, a part of them young."""
        rows = self.lives.born(year - self.plan.last_bull_age, year - self.plan.first_bull_age)
        bulls = rows[self.lives.sex[rows] == MALE]
        proofs = self.proofs.of_bulls(bulls, self.sire[bulls], self.dam[bulls])
        ranked = best(bulls, proofs, len(bulls))
        n_young = round(self.plan.young_bull_share * self.n_sires)
        if n_young == 0:
            return ranked[: self.n_sires]
        is_young = self.lives.year[ranked] == year - self.plan.first_bull_age
        young = ranked[is_young][:n_young]
        return np.concatenate([ranked[~is_young][: self.n_sires - len(young)], young])

    def _donors(self, rng: np.random.Generator, year: int, n_embryos: int) -> Int64:
        """Genetic dam of each calf from an embryo."""
        n_donors = max(1, round(n_embryos / self.plan.calves_per_donor))
        donors = self._best_yearlings(rng, year, FEMALE, n_donors) if n_embryos else np.empty(0, dtype=np.int64)
        return np.resize(donors, n_embryos) if len(donors) else donors

    def _best_yearlings(self, rng: np.random.Generator, year: int, sex: int, n: int) -> Int64:
        """The n best of one sex that were born the year before, by genomic proofs."""
        rows = self.lives.born(year - 1, year - 1)
        rows = rows[self.lives.sex[rows] == sex]
        plan = self.plan
        proofs = draw_genomic_proofs(rng, self.breeding_value[rows], plan.genetic_variance, plan.genomic_reliability)
        return best(rows, proofs, n)

    def _choose_sires(self, rng: np.random.Generator, bulls: Int64, dams: Int64) -> Int64:
        """Draw a sire for each dam, not her own sire unless chance insists several times."""
        use = rng.exponential(size=len(bulls))
        use /= use.sum()
        sires = rng.choice(bulls, size=len(dams), p=use)
        for _ in range(_REDRAWS):
            again = np.flatnonzero(sires == self.sire[dams])
            sires[again] = rng.choice(bulls, size=len(again), p=use)
        chosen: Int64 = sires.astype(np.int64)
        return chosen

    def _add_founders(self, rng: np.random.Generator, rows: Int64) -> None:
        self.genes.found(rows)
        self.herd[rows] = rng.integers(0, self.n_herds, size=len(rows))
        self.breeding_value[rows] = rng.normal(0.0, np.sqrt(self.plan.genetic_variance), size=len(rows))

    def _add_calves(self, rng: np.random.Generator, rows: Int64, sires: Int64, dams: Int64) -> None:
        self.sire[rows], self.dam[rows] = sires, dams
        self.herd[rows] = self.herd[dams]
        self.genes.transmit(rng, rows, sires, dams)
        mean_homozygosity = 0.5 * (self.genes.homozygosity(sires) + self.genes.homozygosity(dams))
        sd: Float64 = np.sqrt(0.5 * (1.0 - mean_homozygosity) * self.plan.genetic_variance)
        parent_mean = 0.5 * (self.breeding_value[sires] + self.breeding_value[dams])
        self.breeding_value[rows] = parent_mean + sd * rng.standard_normal(len(rows))

    def freeze(self, rng: np.random.Generator) -> SimulatedPedigree:
        """Make the finished herd-book, some parents forgotten."""
        return SimulatedPedigree(
            ids=numbered_names("NL", len(self.sire), digits=6),
            sire=freeze(forget_parents(rng, self.sire, self.plan.unknown_sire)),
            dam=freeze(forget_parents(rng, self.dam, self.plan.unknown_dam)),
            true_sire=freeze(self.sire),
            true_dam=freeze(self.dam),
            sex=freeze(self.lives.sex),
            birth_year=freeze((self.lives.year + self.plan.first_year).astype(np.int32)),
            herd=freeze(self.herd),
            lactations=freeze(self.lives.lactations),
            breeding_value=freeze(self.breeding_value),
        )
