"""What to simulate: the settings of a breeding program of a self-fertilizing crop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from breedeval.arrays import Float64
from breedeval.simulate.settings import PopulationPlan, correlated

TRAITS = ("grain_yield", "height")
EFFECTS = tuple(f"{trait}:id" for trait in TRAITS)


@dataclass(frozen=True)
class PlantPlan(PopulationPlan):
    """Settings of a line breeding program: crosses, selfing by single seeds, replicated trials.

    Pairs are grain yield (dt/ha) and plant height (cm). A plot has the genetic effect of its line, of its trial, its block, and
    for yield of the line in this trial.

    Parameters
    ----------
    founders
        Least number of unrelated founder lines; what does not fill a year's crosses is added to them.
    parents
        Lines that are crossed in a year, each as mother and as father.
    parent_years
        Years after their first trial in which lines are crossed.
    lines_per_cross
        F2 plants of a cross, each of which becomes a line.
    selfings
        Generations of selfing after the F1: 4 makes F5 lines.
    generations_per_year
        Generations of selfing in a year (glasshouse, off-season nursery).
    trials, blocks
        Trials (places) of a year's new lines, and replicates in each; a line has a plot in every replicate.
    plots_per_block
        Plots of an incomplete block; a replicate is cut into such blocks at random.
    phenotypic_sd
        Standard deviations of plots of unrelated non-inbred plants within blocks.
    h2
        Heritabilities on this scale; lines after selfing have nearly twice the genetic variance.
    genetic_correlation, residual_correlation
        Correlation of the traits.
    block_share
        Share of blocks in the variance.
    interaction_share
        Share of the interaction of line and trial in the variance of yield.
    mean
        Means of the founders.
    trial_sd
        Standard deviation of trials, in phenotypic standard deviations.
    index
        Weight in selection of a genetic standard deviation of each trait.
    """

    years: int = 10
    founders: int = 60
    parents: int = 20
    parent_years: int = 3
    lines_per_cross: int = 20
    selfings: int = 4
    generations_per_year: int = 2
    trials: int = 2
    blocks: int = 2
    plots_per_block: int = 25
    phenotypic_sd: tuple[float, float] = (6.0, 7.0)
    h2: tuple[float, float] = (0.25, 0.50)
    genetic_correlation: float = 0.3
    residual_correlation: float = 0.15
    block_share: tuple[float, float] = (0.10, 0.05)
    interaction_share: float = 0.15
    mean: tuple[float, float] = (80.0, 90.0)
    trial_sd: float = 1.0
    index: tuple[float, float] = (1.0, -0.3)

    shares: ClassVar[tuple[str, ...]] = (*PopulationPlan.shares, "interaction_share", "h2", "block_share")
    positive: ClassVar[tuple[str, ...]] = (
        "lines_per_cross", "selfings", "generations_per_year", "trials", "blocks", "plots_per_block", "parent_years",
        "phenotypic_sd",
    )  # fmt: skip
    not_negative: ClassVar[tuple[str, ...]] = ("trial_sd",)
    kind: ClassVar[str] = "plant population"

    def more_problems(self) -> list[str]:
        """What is wrong beyond the range of single settings."""
        problems = []
        if self.parents < 2:
            problems.append(f"parents is {self.parents}, too few for a cross (at least 2)")
        if self.founders < self.parents:
            problems.append(f"founders is {self.founders}, fewer than parents, {self.parents}")
        if self.years < 1:
            problems.append(f"years is {self.years}, not positive")
        elif self.crosses_per_year < 1:
            needed = self.founders + self.years * self.plants_per_cross
            problems.append(f"n_animals is {self.n_animals}, too few for a cross a year (at least {needed:,})")
        return problems + self.contradictions(
            genetic=self.genetic_covariance, block=self.block_covariance, residual=self.residual_covariance
        )

    @property
    def plants_per_cross(self) -> int:
        """The F1 and all plants of its lines."""
        return 1 + self.lines_per_cross * self.selfings

    @property
    def crosses_per_year(self) -> int:
        """Crosses that fill the population."""
        return (self.n_animals - self.founders) // (self.years * self.plants_per_cross)

    @property
    def genetic_covariance(self) -> Float64:
        """(2, 2) genetic (co)variances of non-inbred plants."""
        return correlated(np.array(self.h2) * self._phenotypic_variance, self.genetic_correlation)

    @property
    def block_covariance(self) -> Float64:
        """(2, 2) (co)variances of blocks; uncorrelated."""
        return correlated(np.array(self.block_share) * self._phenotypic_variance, 0.0)

    @property
    def interaction_variance(self) -> float:
        """Variance of line within trial in yield."""
        return float(self.interaction_share * self._phenotypic_variance[0])

    @property
    def residual_covariance(self) -> Float64:
        """(2, 2) residual (co)variances."""
        shares = np.array(self.h2) + np.array(self.block_share) + np.array([self.interaction_share, 0.0])
        return correlated(self._phenotypic_variance * (1.0 - shares), self.residual_correlation)

    @property
    def _phenotypic_variance(self) -> Float64:
        return np.array(self.phenotypic_sd) ** 2
