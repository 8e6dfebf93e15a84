"""What to simulate: the settings of a dairy population, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from breedeval.simulate.settings import PopulationPlan

#: Age in years at the first calving of a cow.
FIRST_CALVING = 2


@dataclass(frozen=True)
class DairyPlan(PopulationPlan):
    """Settings of a dairy population with overlapping generations. Each year has the same number of births.

    Parameters
    ----------
    male_share
        Share of males among the registered animals (bull calves that were kept).
    calves_per_sire
        Registered calves a year of a sire in use, on average; this sets the number of sires in use a year.
    first_bull_age, last_bull_age
        Age in years at which a bull has his first and his last calves. With 1 bulls can be used on their dams' records
        before they are two years old.
    young_bull_share
        Share of the sires in use that are of the first age at which bulls are used, whatever the proofs of older ones.
    genomic_share, genomic_reliability
        Share of the sires in use that are young bulls with a genomic proof of this reliability: the best of those that were
        born in the year before, so that they are younger than two years, whatever `first_bull_age` is.
    embryo_share, calves_per_donor
        Share of calves from embryos of heifers, the best of those that were born in the year before by genomic proofs of the
        same reliability, and calves of such a donor. Other cows carry them; dam and herd are those of the pedigree.
    survival
        Probability that a cow stays for a further lactation.
    max_lactations
        Number of lactations after which every cow leaves.
    records_per_cow
        Recorded lactations divided by all cows of the herd-book, also those without a calf so far.
    cows_per_herd
        Milking cows in a herd and year, on average over herds when the population is formed.
    h2, permanent_share
        Share of genetic and of permanent environmental variance in the phenotypic variance within herd-years.
    phenotypic_sd
        Square root of the sum of genetic, permanent and residual variance, kg milk.
    mean
        Milk of a first lactation of 305 days in the first year, kg.
    yearly_change
        Change of the herd-year effects a year, kg (management; the genetic trend comes on top).
    herd_sd, herd_year_sd
        Standard deviation of herds, and of years within herds, kg.

    Raises
    ------
    ConfigError
        If settings are impossible; all of them are named.

    Examples
    --------
    >>> DairyPlan(n_animals=1000).genetic_variance
    432000.0
    """

    male_share: float = 0.1
    calves_per_sire: float = 50.0
    first_bull_age: int = 2
    last_bull_age: int = 8
    young_bull_share: float = 0.0
    genomic_share: float = 0.0
    genomic_reliability: float = 0.6
    embryo_share: float = 0.0
    calves_per_donor: float = 5.0
    survival: float = 0.8
    max_lactations: int = 6
    records_per_cow: float = 1.7
    cows_per_herd: float = 50.0
    h2: float = 0.3
    permanent_share: float = 0.2
    phenotypic_sd: float = 1200.0
    mean: float = 7500.0
    yearly_change: float = 40.0
    herd_sd: float = 700.0
    herd_year_sd: float = 300.0

    shares: ClassVar[tuple[str, ...]] = (
        *PopulationPlan.shares,
        "male_share", "young_bull_share", "genomic_share", "genomic_reliability", "embryo_share", "survival", "h2",
        "permanent_share",
    )  # fmt: skip
    positive: ClassVar[tuple[str, ...]] = (
        "calves_per_sire", "calves_per_donor", "genomic_reliability", "cows_per_herd", "phenotypic_sd", "survival", "h2",
    )  # fmt: skip
    not_negative: ClassVar[tuple[str, ...]] = ("records_per_cow", "herd_sd", "herd_year_sd")
    kind: ClassVar[str] = "dairy population"

    def more_problems(self) -> list[str]:
        """What is wrong beyond the range of single settings."""
        problems = []
        if self.h2 + self.permanent_share >= 1:
            problems.append(f"h2 + permanent_share is {self.h2 + self.permanent_share:g}, which leaves no residual variance")
        if self.years <= FIRST_CALVING:
            problems.append(f"years is {self.years}, too few for one generation (at least {FIRST_CALVING + 1})")
        if self.n_animals < 10 * self.years:
            problems.append(
                f"n_animals is {self.n_animals}, fewer than 10 births a year in {self.years} years "
                f"(at least {10 * self.years:,})"
            )
        if not 1 <= self.first_bull_age <= self.last_bull_age:
            problems.append(f"bulls are used from {self.first_bull_age} to {self.last_bull_age} years of age")
        if not 1 <= self.max_lactations <= 20:
            problems.append(f"max_lactations is {self.max_lactations}, not from 1 to 20")
        return problems

    @property
    def genetic_variance(self) -> float:
        """Additive genetic variance of the founders, kg²."""
        return self.h2 * self.phenotypic_sd**2

    @property
    def permanent_variance(self) -> float:
        """Variance of permanent environmental effects, kg²."""
        return self.permanent_share * self.phenotypic_sd**2

    @property
    def residual_variance(self) -> float:
        """Residual variance, kg²."""
        return (1.0 - self.h2 - self.permanent_share) * self.phenotypic_sd**2

    @property
    def mean_lactations(self) -> float:
        """Expected number of lactations in a full life."""
        return float(sum(self.survival**k for k in range(self.max_lactations)))
