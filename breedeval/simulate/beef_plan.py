"""What to simulate: the settings of a beef population."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from breedeval.arrays import Float64
from breedeval.simulate.settings import PopulationPlan, correlated

#: Traits in order; the effects of an animal are birth weight and weaning weight, direct, then both maternal.
TRAITS = ("birth_weight", "weaning_weight")
EFFECTS = ("birth_weight:id", "weaning_weight:id", "birth_weight:dam", "weaning_weight:dam")


@dataclass(frozen=True)
class BeefPlan(PopulationPlan):
    """Settings of suckler herds with weights of calves, natural service and artificial insemination.

    Pairs are birth weight and weaning weight.

    Parameters
    ----------
    cows_per_herd
        Calving cows in a herd, on average over herds when the population is formed.
    ai_share
        Share of calves by artificial insemination; the others are by bulls of their herd.
    calves_per_ai_sire, cows_per_bull
        Calves a year of a sire used by insemination, and cows of a bull in natural service, on average.
    first_calving, last_calving
        Age in years of a cow at her first and last possible calf.
    first_bull_age, last_bull_age
        Age in years of a bull at his first and last calves; natural service ends three years after its begin.
    survival
        Probability that a cow stays for a further calf.
    sold
        Share of heifers that leave the herd of their birth for another.
    missing_birth_weight
        Share of weaned calves that were not weighed at birth.
    phenotypic_sd
        Standard deviations within contemporaries of one sex, kg.
    direct_h2, maternal_h2, permanent_share
        Shares of direct genetic, maternal genetic and maternal permanent environmental variance in the phenotypic variance.
    direct_correlation, maternal_correlation, direct_maternal_correlation
        Genetic correlations: of the direct effects of both traits, of their maternal effects, of direct and maternal effect.
        Between the direct effect of one trait and the maternal one of the other stands half of the last.
    environmental_correlation
        Correlation of both traits in permanent environment and residual.
    mean
        Weights of heifer calves of mature cows, kg; weaning at 205 days.
    herd_sd, herd_year_sd
        Standard deviation of herds, and of years within herds, in phenotypic standard deviations.
    """

    cows_per_herd: float = 40.0
    ai_share: float = 0.3
    calves_per_ai_sire: float = 60.0
    cows_per_bull: float = 25.0
    first_calving: int = 3
    last_calving: int = 13
    first_bull_age: int = 2
    last_bull_age: int = 9
    survival: float = 0.85
    sold: float = 0.15
    missing_birth_weight: float = 0.1
    phenotypic_sd: tuple[float, float] = (4.5, 28.0)
    direct_h2: tuple[float, float] = (0.35, 0.25)
    maternal_h2: tuple[float, float] = (0.10, 0.15)
    permanent_share: tuple[float, float] = (0.05, 0.12)
    direct_correlation: float = 0.5
    maternal_correlation: float = 0.4
    direct_maternal_correlation: float = -0.3
    environmental_correlation: float = 0.2
    mean: tuple[float, float] = (41.0, 235.0)
    herd_sd: float = 0.6
    herd_year_sd: float = 0.4

    shares: ClassVar[tuple[str, ...]] = (
        *PopulationPlan.shares,
        "ai_share", "survival", "sold", "missing_birth_weight", "direct_h2", "maternal_h2", "permanent_share",
    )  # fmt: skip
    positive: ClassVar[tuple[str, ...]] = (
        "cows_per_herd", "calves_per_ai_sire", "cows_per_bull", "survival", "first_bull_age", "phenotypic_sd",
    )  # fmt: skip
    not_negative: ClassVar[tuple[str, ...]] = ("herd_sd", "herd_year_sd")
    kind: ClassVar[str] = "beef population"

    def more_problems(self) -> list[str]:
        """What is wrong beyond the range of single settings."""
        problems = []
        if self.n_animals < 20 * self.years:
            problems.append(
                f"n_animals is {self.n_animals}, fewer than 20 births a year in {self.years} years "
                f"(at least {20 * self.years:,})"
            )
        if not 1 <= self.first_bull_age <= self.last_bull_age:
            problems.append(f"bulls are used from {self.first_bull_age} to {self.last_bull_age} years of age")
        if not 1 <= self.first_calving <= self.last_calving:
            problems.append(f"cows calve from {self.first_calving} to {self.last_calving} years of age")
        if self.years <= max(self.first_calving, self.first_bull_age):
            problems.append(f"years is {self.years}, too few for one generation")
        return problems + self.contradictions(
            genetic=self.genetic_covariance, permanent=self.permanent_covariance, residual=self.residual_covariance
        )

    @property
    def genetic_covariance(self) -> Float64:
        """(4, 4) genetic (co)variances in the order of `EFFECTS`, kg²."""
        cross = self.direct_maternal_correlation
        correlation = np.array([
            [1.0, self.direct_correlation, cross, cross / 2],
            [self.direct_correlation, 1.0, cross / 2, cross],
            [cross, cross / 2, 1.0, self.maternal_correlation],
            [cross / 2, cross, self.maternal_correlation, 1.0],
        ])  # fmt: skip
        sd = np.sqrt([*self.direct_h2, *self.maternal_h2]) * np.tile(self.phenotypic_sd, 2)
        return correlation * np.outer(sd, sd)

    @property
    def permanent_covariance(self) -> Float64:
        """(2, 2) (co)variances of maternal permanent environments, kg²."""
        return correlated(np.array(self.permanent_share) * self._phenotypic_variance, self.environmental_correlation)

    @property
    def residual_covariance(self) -> Float64:
        """(2, 2) residual (co)variances, kg²: what is left of the phenotypic variances."""
        genetic = self.genetic_covariance
        direct_maternal = np.array([genetic[0, 2], genetic[1, 3]])  # a calf has half of its dam's direct effect, twice
        shares = np.array(self.direct_h2) + np.array(self.maternal_h2) + np.array(self.permanent_share)
        return correlated(self._phenotypic_variance * (1.0 - shares) - direct_maternal, self.environmental_correlation)

    @property
    def _phenotypic_variance(self) -> Float64:
        return np.array(self.phenotypic_sd) ** 2
