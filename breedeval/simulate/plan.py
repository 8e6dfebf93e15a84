"""What to simulate: the settings of a dairy population, checked."""

from __future__ import annotations

from dataclasses import dataclass, fields

from breedeval.errors import ConfigError, name_some

#: Age in years at the first calving of a cow.
FIRST_CALVING = 2
#: Settings that are shares of a whole, between 0 and 1.
_SHARES = ("male_share", "young_bull_share", "survival", "unknown_sire", "unknown_dam", "h2", "permanent_share")
_POSITIVE = ("calves_per_sire", "cows_per_herd", "phenotypic_sd", "survival", "h2")
_NOT_NEGATIVE = ("records_per_cow", "herd_sd", "herd_year_sd")


@dataclass(frozen=True)
class DairyPlan:
    """Settings of a dairy population with overlapping generations.

    Parameters
    ----------
    n_animals
        Animals in the herd-book, over all years.
    years, first_year
        Number of birth years, and the first of them. Each year has the same number of births.
    male_share
        Share of males among the registered animals (bull calves that were kept).
    calves_per_sire
        Registered calves a year of a sire in use, on average; this sets the number of sires in use a year.
    first_bull_age, last_bull_age
        Age in years at which a bull has his first and his last calves. With 1 bulls can be used on their dams' records
        before they are two years old.
    young_bull_share
        Share of the sires in use that are of the first age at which bulls are used, whatever the proofs of older ones.
    survival
        Probability that a cow stays for a further lactation.
    max_lactations
        Number of lactations after which every cow leaves.
    records_per_cow
        Recorded lactations divided by all cows of the herd-book, also those without a calf so far.
    cows_per_herd
        Milking cows in a herd and year, on average over herds when the population is formed.
    unknown_sire, unknown_dam
        Share of animals whose sire or dam is not written in the pedigree, although the simulation knows it. Where there is a
        genetic trend, an evaluation without unknown-parent groups sees less of it the larger these shares are.
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

    n_animals: int = 20_000
    years: int = 20
    first_year: int = 2001
    male_share: float = 0.1
    calves_per_sire: float = 50.0
    first_bull_age: int = 2
    last_bull_age: int = 8
    young_bull_share: float = 0.0
    survival: float = 0.8
    max_lactations: int = 6
    records_per_cow: float = 1.7
    cows_per_herd: float = 50.0
    unknown_sire: float = 0.0
    unknown_dam: float = 0.0
    h2: float = 0.3
    permanent_share: float = 0.2
    phenotypic_sd: float = 1200.0
    mean: float = 7500.0
    yearly_change: float = 40.0
    herd_sd: float = 700.0
    herd_year_sd: float = 300.0

    def __post_init__(self) -> None:
        problems = [
            f"{name} is {getattr(self, name)}, not a share between 0 and 1" for name in _SHARES if not self._is_share(name)
        ]
        problems += [f"{name} is {getattr(self, name)}, not positive" for name in _POSITIVE if not getattr(self, name) > 0]
        problems += [f"{name} is {getattr(self, name)}, negative" for name in _NOT_NEGATIVE if not getattr(self, name) >= 0]
        if self.h2 + self.permanent_share >= 1:
            problems.append(f"h2 + permanent_share is {self.h2 + self.permanent_share:g}, which leaves no residual variance")
        if self.years <= FIRST_CALVING:
            problems.append(f"years is {self.years}, too few for one generation (at least {FIRST_CALVING + 1})")
        if self.n_animals < 10 * self.years:
            problems.append(f"n_animals is {self.n_animals}, fewer than 10 births a year in {self.years} years")
        if not 1 <= self.first_bull_age <= self.last_bull_age:
            problems.append(f"bulls are used from {self.first_bull_age} to {self.last_bull_age} years of age")
        if not 1 <= self.max_lactations <= 20:
            problems.append(f"max_lactations is {self.max_lactations}, not from 1 to 20")
        if problems:
            raise ConfigError(
                f"This population cannot be simulated: {'; '.join(problems)}. Change these settings.", problems=problems
            )

    @classmethod
    def of(cls, **settings: float) -> DairyPlan:
        """Make a plan from settings by name; a name that is not a setting is refused."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(settings.keys() - known):
            raise ConfigError(f"No setting of a dairy population: {name_some(unknown)}. Settings: {', '.join(sorted(known))}.")
        return cls(**settings)  # type: ignore[arg-type]

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

    def _is_share(self, name: str) -> bool:
        return bool(0 <= getattr(self, name) <= 1)
