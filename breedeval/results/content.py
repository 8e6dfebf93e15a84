"""What a finished evaluation consists of, in memory. The results file holds the same, under the same names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pandas as pd

from breedeval.arrays import Float64, Int32
from breedeval.equations.estimability import Estimability
from breedeval.equations.solutions import Solutions
from breedeval.errors import UnknownNameError, name_some
from breedeval.model.contrasts import Contrast
from breedeval.model.variance_terms import VarianceTerms
from breedeval.model.variances import Variances
from breedeval.nearest import did_you_mean, nearest_names
from breedeval.pedigree.pedigree import Pedigree
from breedeval.pedigree.table import YEAR_UNKNOWN
from breedeval.solvers.result import SolveResult

#: Birth year of an animal for which it is not known, in tables and files.
NO_YEAR = -1
SEX_NAMES = ("", "M", "F")
#: Column of a published function, in the place where breeding values of a trait have the column of the records.
FUNCTION = "function"


@dataclass(frozen=True)
class BreedingValues:
    """Breeding values of all animals for one trait and column of the genetic effect.

    Parameters
    ----------
    trait, column
        The trait, and which effect: the column of the records in the term (``id``, ``dam``), with ``:0``, ``:1`` for
        coefficients.
    value
        (n,) EBV in units of the trait, as a deviation from the base.
    reliability, pev
        (n,) or None where not computed. PEV in squared units of the trait.
    variance
        Genetic variance used.
    base, base_offset
        What zero means, and what was subtracted from the solutions to make it so.
    contrast
        Of a published function: what it is. Then `trait` is its name and `column` is `FUNCTION`.
    """

    trait: str
    column: str
    value: Float64
    reliability: Float64 | None
    pev: Float64 | None
    variance: float
    base: str
    base_offset: float
    contrast: Contrast | None = None

    @property
    def unit(self) -> str:
        """Unit, in words."""
        return f"units of {self.trait}" if self.contrast is None else self.contrast.unit


class Evaluated(Protocol):
    """A finished evaluation, in memory or in a file: what ranking and reports need of it."""

    @property
    def traits(self) -> tuple[str, ...]:
        """Traits with breeding values."""

    def columns(self, trait: str) -> tuple[str, ...]:
        """Columns with breeding values for a trait."""

    def animals(self) -> pd.DataFrame:
        """One row an animal."""

    def ebv(self, trait: str | None = None, column: str | None = None) -> pd.DataFrame:
        """One row an animal: id, ebv, reliability."""


@dataclass(frozen=True)
class EvaluationResults:
    """Everything that an evaluation found.

    Parameters
    ----------
    title
        Of the configuration.
    created
        Time of completion, UTC.
    pedigree, inbreeding
        The animals, and their coefficients (n,).
    n_records
        (n,) records of each animal that were used.
    breeding_values
        One for each trait and column.
    solutions, solution_pev
        Solutions of all effects, and their PEV (N,) or None.
    estimability
        Of fixed effects with dependent columns.
    variances, solve
        (Co)variances used; how the solver ended.
    config_text, record
        The configuration as written; the run record.
    effect_reliability
        (levels, columns) reliabilities of the random effects that are no breeding values, by name, where they were computed.
    variance_terms
        What the (co)variances belong to.
    """

    title: str
    created: str
    pedigree: Pedigree
    inbreeding: Float64
    n_records: Int32
    breeding_values: tuple[BreedingValues, ...]
    solutions: Solutions
    solution_pev: Float64 | None
    estimability: tuple[Estimability, ...]
    variances: Variances
    solve: SolveResult
    config_text: str
    record: Mapping[str, Any]
    effect_reliability: Mapping[str, Float64] = field(default_factory=dict)
    variance_terms: VarianceTerms = field(default_factory=VarianceTerms)

    @property
    def traits(self) -> tuple[str, ...]:
        """Traits with breeding values, and published functions behind them."""
        return tuple(dict.fromkeys(values.trait for values in self.breeding_values))

    def columns(self, trait: str) -> tuple[str, ...]:
        """Columns (direct, maternal, coefficients) with breeding values for a trait."""
        return tuple(values.column for values in self.breeding_values if values.trait == trait)

    def animals(self) -> pd.DataFrame:
        """One row an animal: id, sire, dam (ids, None unknown), inbreeding, sex, birth_year, n_records, n_progeny."""
        return animals_frame(self.pedigree, self.inbreeding, self.n_records)

    def ebv(self, trait: str | None = None, column: str | None = None) -> pd.DataFrame:
        """One row an animal: id, ebv, reliability (if computed).

        Parameters
        ----------
        trait
            A trait or a published function; may be left out when there is one trait.
        column
            Which genetic effect; the first by default.
        """
        trait = choose_trait(self, trait)
        column = choose_column(self, trait, column)
        values = next(v for v in self.breeding_values if (v.trait, v.column) == (trait, column))
        return ebv_frame(self.pedigree.ids.to_list(), values.value, values.reliability)

    def effect(self, name: str) -> pd.DataFrame:
        """Solutions of one effect: level, a column a trait, constrained."""
        return self.solutions.effect(name)


def choose_trait(evaluated: Evaluated, trait: str | None) -> str:
    """The trait or published function asked for, or the only trait."""
    if trait is None:
        measured = [name for name in evaluated.traits if evaluated.columns(name) != (FUNCTION,)]
        if len(measured) == 1:
            return measured[0]
    if trait not in evaluated.traits:
        near = [] if trait is None else nearest_names(trait, evaluated.traits)
        what = "Name a trait." if trait is None else f"No breeding values for trait '{trait}'."
        hint = "" if trait is None else did_you_mean(trait, evaluated.traits)
        raise UnknownNameError(f"{what}{hint} There are: {name_some(evaluated.traits, 50)}.", name=trait, nearest=near)
    return trait


def choose_column(evaluated: Evaluated, trait: str, column: str | None) -> str:
    """The column asked for, or the first."""
    columns = evaluated.columns(trait)
    if column is None:
        return columns[0]
    if column not in columns:
        raise UnknownNameError(
            f"No breeding values '{column}' for trait '{trait}'. There are: {name_some(columns, 50)}.", name=column, nearest=[]
        )
    return column


def ebv_frame(ids: list[str], value: Float64, reliability: Float64 | None) -> pd.DataFrame:
    """The table of breeding values that users see."""
    frame = pd.DataFrame({"id": ids, "ebv": value})
    if reliability is not None:
        frame["reliability"] = reliability
    return frame


def animals_frame(pedigree: Pedigree, inbreeding: Float64, n_records: Int32) -> pd.DataFrame:
    """The table of animals that users see."""
    ids = pedigree.ids.to_list()
    names = [*ids, *[None] * pedigree.n_groups, None]  # a code of −1 takes the last
    return pd.DataFrame(
        {
            "id": ids,
            "sire": [names[row] for row in pedigree.sire],
            "dam": [names[row] for row in pedigree.dam],
            "inbreeding": inbreeding,
            "sex": [SEX_NAMES[sex] for sex in pedigree.sex],
            "birth_year": stored_years(pedigree.birth_year),
            "n_records": n_records,
            "n_progeny": pedigree.n_progeny(),
        }
    )


def stored_years(birth_year: Int32) -> Int32:
    """Birth years as files and tables have them: −1 where not known."""
    years = birth_year.copy()
    years[years == YEAR_UNKNOWN] = NO_YEAR
    return years
