"""Settings of a simulated population: read by name, and every impossible one named at once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

import numpy as np

from breedeval.arrays import Float64
from breedeval.errors import ConfigError, name_some


@dataclass(frozen=True)
class PopulationPlan:
    """What the plans of all populations share: size, years, and parents left out of the pedigree.

    Parameters
    ----------
    n_animals
        Animals (or plants) over all years.
    years, first_year
        Number of years, and the first of them.
    unknown_sire, unknown_dam
        Share of animals (of plants, those from crosses) whose sire or dam is not written down, though the simulation knows it.
        Founders, who have no parents, come on top. Where there is a genetic trend, an evaluation without unknown-parent groups
        sees less of it the larger these shares are.
    """

    n_animals: int = 20_000
    years: int = 20
    first_year: int = 2001
    unknown_sire: float = 0.0
    unknown_dam: float = 0.0

    #: Settings that are shares of a whole, that must be positive, that must not be negative; what the population is called.
    shares: ClassVar[tuple[str, ...]] = ("unknown_sire", "unknown_dam")
    positive: ClassVar[tuple[str, ...]] = ()
    not_negative: ClassVar[tuple[str, ...]] = ()
    kind: ClassVar[str] = "population"

    def __post_init__(self) -> None:
        problems = [
            problem for field in fields(self) if (problem := _wrong_form(field.name, field.default, getattr(self, field.name)))
        ]
        problems = problems or self._out_of_range()
        problems += self.more_problems() if not problems else []
        if problems:
            raise ConfigError(
                f"This {self.kind} cannot be simulated: {'; '.join(problems)}. Change these settings.", problems=problems
            )

    def _out_of_range(self) -> list[str]:
        problems = [
            f"{name} is {getattr(self, name)}, not a share between 0 and 1" for name in self.shares if not self._share(name)
        ]
        problems += [f"{name} is {getattr(self, name)}, not positive" for name in self.positive if self._smallest(name) <= 0]
        problems += [f"{name} is {getattr(self, name)}, negative" for name in self.not_negative if self._smallest(name) < 0]
        return problems

    def more_problems(self) -> list[str]:
        """What is wrong beyond the range of single settings."""
        return []

    @classmethod
    def of(cls, **settings: float) -> Self:
        """Make a plan from settings by name; a name that is not a setting is refused."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(settings.keys() - known):
            raise ConfigError(f"No setting of a {cls.kind}: {name_some(unknown)}. Settings: {', '.join(sorted(known))}.")
        return cls(**settings)  # type: ignore[arg-type]

    def contradictions(self, **matrices: Float64) -> list[str]:
        """Say which (co)variance matrices are none."""
        return [
            f"the {name} (co)variances contradict each other: their matrix is not positive definite"
            for name, matrix in matrices.items()
            if np.linalg.eigvalsh(matrix)[0] <= 0
        ]

    def _share(self, name: str) -> bool:
        return self._smallest(name) >= 0 and float(np.max(getattr(self, name))) <= 1

    def _smallest(self, name: str) -> float:
        """The smallest number of a setting that may be several."""
        return float(np.min(getattr(self, name)))


def _wrong_form(name: str, default: Any, value: Any) -> str | None:
    """What is wrong with a setting that is not as many numbers, or no whole number, as its default is."""
    shape, found = np.shape(default), np.shape(value)
    if found != shape:
        example = ",".join(f"{number:g}" for number in np.atleast_1d(default))
        numbers = "one number" if not shape else f"{shape[0]} numbers, such as {example}"
        return f"{name} takes {numbers}, not {max(found, default=1)}"
    if not np.isfinite(value).all():
        return f"{name} is {value}, not a number"
    if isinstance(default, int) and value != int(value):
        return f"{name} is {value}, not a whole number"
    return None


def correlated(variance: Float64, correlation: float) -> Float64:
    """(2, 2) (co)variances of two effects; without covariance where a variance is impossible.

    Examples
    --------
    >>> correlated(np.array([4.0, 9.0]), 0.5).tolist()
    [[4.0, 3.0], [3.0, 9.0]]
    """
    covariance = correlation * np.sqrt(max(0.0, variance[0] * variance[1]))
    return np.array([[variance[0], covariance], [covariance, variance[1]]])
