"""What to simulate: the settings of a pig breeding population."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from breedeval.arrays import Float64
from breedeval.simulate.settings import PopulationPlan, correlated

#: Traits in order: growth on test (g a day), backfat (mm), piglets born alive.
TRAITS = ("growth", "backfat", "litter_size")
EFFECTS = tuple(f"{trait}:id" for trait in TRAITS)
#: Farrowing periods a year, and age in periods at the first litter.
PERIODS, FIRST_FARROWING = 2, 2


@dataclass(frozen=True)
class PigPlan(PopulationPlan):
    """Settings of a nucleus of pigs with performance test and litters.

    Triples are growth, backfat and litter size; pairs are growth and backfat.

    Parameters
    ----------
    tested_per_litter
        Piglets of a litter that are registered and tested; all of a smaller litter.
    sows_per_herd
        Litters in a herd and half-year, on average over herds when the population is formed.
    litters_per_boar
        Litters in a half-year of a boar in use, on average.
    last_boar_age, last_parity
        Age in half-years of a boar at his last litters, and the last litter of a sow.
    survival
        Probability that a sow stays for a further litter.
    sold
        Share of gilts that leave the herd of their birth for another.
    phenotypic_sd
        Standard deviations within batches of one sex (g a day, mm, piglets).
    h2
        Heritabilities.
    genetic_correlations
        Of growth with backfat, growth with litter size, backfat with litter size.
    litter_share
        Share of the environment common to a litter in the variance.
    permanent_share
        Share of permanent environment of the sow in the variance of litter size.
    environmental_correlation
        Correlation of growth and backfat in litter effect and residual.
    mean
        Means of gilts and of first litters.
    index
        Weight in selection of a genetic standard deviation of each trait.
    herd_sd, batch_sd
        Standard deviation of herds, and of batches within herds, in phenotypic standard deviations.
    """

    years: int = 8
    tested_per_litter: int = 6
    sows_per_herd: float = 50.0
    litters_per_boar: float = 15.0
    last_boar_age: int = 4
    last_parity: int = 6
    survival: float = 0.65
    sold: float = 0.1
    phenotypic_sd: tuple[float, float, float] = (85.0, 2.2, 2.8)
    h2: tuple[float, float, float] = (0.30, 0.45, 0.10)
    genetic_correlations: tuple[float, float, float] = (0.2, -0.1, 0.1)
    litter_share: tuple[float, float] = (0.12, 0.06)
    permanent_share: float = 0.08
    environmental_correlation: float = 0.25
    mean: tuple[float, float, float] = (900.0, 13.0, 12.5)
    index: tuple[float, float, float] = (1.0, -1.0, 1.0)
    herd_sd: float = 0.4
    batch_sd: float = 0.3

    shares: ClassVar[tuple[str, ...]] = (*PopulationPlan.shares, "survival", "sold", "permanent_share", "h2", "litter_share")
    positive: ClassVar[tuple[str, ...]] = ("sows_per_herd", "litters_per_boar", "survival", "last_parity", "phenotypic_sd")
    not_negative: ClassVar[tuple[str, ...]] = ("herd_sd", "batch_sd")
    kind: ClassVar[str] = "pig population"

    def more_problems(self) -> list[str]:
        """What is wrong beyond the range of single settings."""
        problems = []
        if self.tested_per_litter < 3:
            problems.append(f"tested_per_litter is {self.tested_per_litter}, too few to renew the sows (at least 3)")
        if self.last_boar_age < FIRST_FARROWING:
            problems.append(f"last_boar_age is {self.last_boar_age}, below the age at the first litter, {FIRST_FARROWING}")
        if self.n_periods <= FIRST_FARROWING:
            problems.append(f"years is {self.years}, too few for one generation (at least {FIRST_FARROWING // PERIODS + 1})")
        if self.n_animals < 40 * self.n_periods:
            problems.append(
                f"n_animals is {self.n_animals}, fewer than 40 births a half-year in {self.years} years "
                f"(at least {40 * self.n_periods:,})"
            )
        return problems + self.contradictions(
            genetic=self.genetic_covariance, litter=self.litter_covariance, residual=self.residual_covariance
        )

    @property
    def n_periods(self) -> int:
        """Half-years."""
        return PERIODS * self.years

    @property
    def genetic_covariance(self) -> Float64:
        """(3, 3) genetic (co)variances in the order of `TRAITS`."""
        ab, ac, bc = self.genetic_correlations
        correlation = np.array([[1.0, ab, ac], [ab, 1.0, bc], [ac, bc, 1.0]])
        sd = np.sqrt(self.h2) * self.phenotypic_sd
        return correlation * np.outer(sd, sd)

    @property
    def litter_covariance(self) -> Float64:
        """(2, 2) (co)variances of growth and backfat between litters, beside the genetic ones."""
        return correlated(np.array(self.litter_share) * self._phenotypic_variance[:2], self.environmental_correlation)

    @property
    def permanent_variance(self) -> float:
        """Variance of permanent environments of sows in litter size."""
        return float(self.permanent_share * self._phenotypic_variance[2])

    @property
    def residual_covariance(self) -> Float64:
        """(3, 3) residual (co)variances; those of litter size, which is recorded on sows, with the others are zero."""
        other = np.array([*self.litter_share, self.permanent_share])
        variance = self._phenotypic_variance * (1.0 - np.array(self.h2) - other)
        covariance = np.zeros((3, 3))
        covariance[:2, :2] = correlated(variance[:2], self.environmental_correlation)
        covariance[2, 2] = variance[2]
        return covariance

    @property
    def _phenotypic_variance(self) -> Float64:
        return np.array(self.phenotypic_sd) ** 2
