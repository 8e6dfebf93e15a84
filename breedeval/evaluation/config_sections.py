"""The sections of a configuration: which keys there are, what they may hold, what holds without them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from breedeval.evaluation.config_values import NO_COLUMN, Column, ColumnNumber, InputPath, Text, Weights
from breedeval.evaluation.groups_section import GroupsSection
from breedeval.evaluation.publish_section import PublishedSection

MendKind = Literal[
    "own_parent", "loop", "duplicate", "sex_conflict", "birth_order", "birth_year", "both_sexes", "suspicious_code", "all"
]
StopRule = Literal["ebv_error", "residual", "residual_squared", "solution_change"]

Number = Annotated[float, Field(allow_inf_nan=False)]
PositiveNumber = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Texts = Annotated[tuple[Text, ...], Field(strict=False)]


def _later(*values: str) -> BeforeValidator:
    """Refuse values of the contract that this version cannot do yet."""

    def check(value: Any) -> Any:
        if value in values:
            raise ValueError(f"'{value}' is not available in this version.")
        return value

    return BeforeValidator(check)


def _not_reml(value: Any) -> Any:
    """Tell those who write ``reml`` that two methods are REML."""
    if isinstance(value, str) and value.lower() == "reml":
        raise ValueError(
            "REML is 'ai' (average information, the default) or 'em' (expectation maximization); 'ml' is not REML."
        )
    return value


def _none_if_said(value: Any) -> Any:
    return None if value == "none" else value


def _listed(value: Any) -> Any:
    """Let one word stand for a list of one."""
    return [value] if isinstance(value, str) else value


class Section(BaseModel):
    """A section: no other keys, no conversions, not changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class PedigreeSection(Section):
    """The pedigree file. `sire` and `dam` are None where they are to be recognized from the header."""

    file: InputPath = Field(description="Pedigree file: .csv, .tsv, white space, .parquet, or any text form with .gz.")
    animal: Column = Field(description="Column of the animal: a name, or a number from 1 in a file without header.")
    sire: Column | None = Field(
        default=None, description="Column of the sire; none if all are unknown; recognized if left out."
    )
    dam: Column | None = Field(default=None, description="Column of the dam; none if all are unknown; recognized if left out.")
    birth_year: Column | None = Field(default=None, description="Column of the year of birth.")
    birth_date: Column | None = Field(default=None, description="Column of the date of birth.")
    sex: Column | None = Field(default=None, description="Column of the sex.")
    unknown: Texts | None = Field(
        default=None, description="Texts that stand for an unknown parent, exactly as they are written."
    )
    groups: Annotated[GroupsSection | None, BeforeValidator(_none_if_said)] = Field(
        default=None, description="Unknown-parent groups or metafounders; none if left out."
    )
    encoding: str = Field(default="utf-8", description="How letters are coded in the file.")
    mend: Annotated[tuple[MendKind, ...], Field(strict=False), BeforeValidator(_listed)] = Field(
        default=(), description="Kinds of problems to mend by setting the parent concerned to unknown; all for every kind."
    )
    inbreeding: bool = Field(default=True, description="Whether inbreeding enters the relationship.")
    stored_inbreeding: InputPath | None = Field(
        default=None,
        description="Results file, or table of 'pedigree inbreeding', of an earlier run: what still holds is taken.",
    )

    @model_validator(mode="after")
    def _check_stored(self) -> PedigreeSection:
        if self.stored_inbreeding is not None and not self.inbreeding:
            raise ValueError("stored_inbreeding does not go with inbreeding: false. Remove one of them.")
        if self.stored_inbreeding is not None and self.groups is not None and (self.groups.inbred or self.groups.gamma):
            raise ValueError("stored_inbreeding is for unknown parents that are unrelated; remove it, or inbred and gamma.")
        if not self.inbreeding and self.groups is not None and (self.groups.inbred or self.groups.gamma):
            raise ValueError("inbreeding: false does not go with groups that are inbred or have a gamma. Remove one of them.")
        return self

    @model_validator(mode="after")
    def _check_columns(self) -> PedigreeSection:
        roles = ("animal", "sire", "dam", "birth_year", "birth_date", "sex")
        columns = {role: getattr(self, role) for role in roles if getattr(self, role) not in (None, NO_COLUMN)}
        if "animal" not in columns:
            raise ValueError("the animal needs a column.")
        if len({isinstance(column, int) for column in columns.values()}) > 1:
            raise ValueError("columns are given by name or by number, not by both. Without header all are numbers.")
        for role in ("sire", "dam"):
            if isinstance(self.animal, int) and getattr(self, role) is None:
                raise ValueError(f"without header the column of the {role} is needed. Write {role}: none if all are unknown.")
        seen: dict[str | int, str] = {}
        for role, column in columns.items():
            if column in seen:
                raise ValueError(f"{seen[column]} and {role} are the same column ({column}). Correct one of them.")
            seen[column] = role
        return self


class LongSection(Section):
    """Records with one trait a line."""

    trait: Text = Field(description="Column with the name of the trait of each line.")
    value: Text = Field(description="Column with the value of the trait.")
    record: Annotated[Texts, BeforeValidator(_listed)] = Field(
        default=(),
        description="Columns that together say which lines are one record, such as [id, date]; without them every line is a "
        "record of its own, and residuals of different traits are independent.",
    )

    @model_validator(mode="after")
    def _check(self) -> LongSection:
        names = [self.trait, self.value, *self.record]
        twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        if twice:
            raise ValueError(f"the column '{twice[0]}' stands twice. Trait, value and record are different columns.")
        return self


class PhantomDamsSection(Section):
    """Records whose dam is missing: each animal gets an unknown dam of its own."""

    animal: Text = Field(description="Column of the animal itself.")
    dam: Text = Field(description="Column of the dam, where the model has a maternal effect.")


class RecordsSection(Section):
    """The file of records and what its columns are."""

    file: InputPath = Field(description="File of records, in the forms of the pedigree file.")
    missing: Texts = Field(default=("", "NA"), description="Texts that mean missing. 0 is a value unless listed.")
    classes: Texts = Field(default=(), description="Columns whose values are names, whatever they look like.")
    covariates: Texts = Field(default=(), description="Columns whose values are numbers.")
    weight: Weights = Field(
        default=None,
        description="Column of weights, which multiply the inverse residual variance; or a column a trait, by trait.",
    )
    long: LongSection | None = Field(
        default=None, description="Columns of a file with one trait a line; without it every trait is a column."
    )
    phantom_dams: PhantomDamsSection | None = Field(
        default=None,
        description="Keep records whose dam is missing, by an unknown dam of its own for each animal; else they are dropped.",
    )
    columns: dict[str, ColumnNumber] | None = Field(
        default=None, description="A file without header: the number (from 1) of each column that the model uses, by name."
    )
    encoding: str = Field(default="utf-8", description="How letters are coded in the file.")
    unknown_animals: Literal["refuse", "add", "drop"] = Field(
        default="refuse",
        description="Records of animals that are not in the pedigree: refuse, add the animals as founders, or drop.",
    )

    def column_key(self, name: str) -> str | int:
        """Column to read for `name`: its number in a file without header, else the name itself."""
        return name if self.columns is None else self.columns[name]


class SolverSection(Section):
    """How the equations are solved."""

    method: Literal["auto", "pcg", "direct"] = Field(default="auto", description="pcg, direct, or auto: by the size.")
    ebv_error: PositiveNumber = Field(
        default=1e-4, description="Stop when the estimated error of EBVs is below this, in genetic SD."
    )
    preconditioner: Literal["auto", "incomplete_cholesky", "block", "diagonal"] = Field(
        default="auto", description="Preconditioner of pcg: incomplete_cholesky, block, diagonal, or auto: by the size."
    )
    max_rounds: Annotated[int, Field(ge=1)] = Field(default=5000, description="Most rounds of pcg.")
    stop: StopRule = Field(default="ebv_error", description="Stopping rule; all but ebv_error need a tolerance.")
    tolerance: PositiveNumber | None = Field(default=None, description="Tolerance of another stopping rule than ebv_error.")
    threads: Annotated[int, Field(ge=1)] | None = Field(default=None, description="Threads to use; all if left out.")
    records: Literal["auto", "memory", "disk"] = Field(
        default="auto",
        description="Where records stand while pcg solves: memory, disk (beside the results), auto (disk if memory is short).",
    )
    checkpoint_minutes: PositiveNumber = Field(
        default=5.0, description="Minutes between two checkpoints, where evaluate has --checkpoint."
    )

    @model_validator(mode="after")
    def _check_tolerance(self) -> SolverSection:
        if self.stop == "ebv_error" and self.tolerance is not None:
            raise ValueError("the tolerance of stop: ebv_error is the key ebv_error. Remove tolerance.")
        if self.stop != "ebv_error" and self.tolerance is None:
            raise ValueError(f"stop: {self.stop} needs a tolerance. Write tolerance: 1e-8, for instance.")
        return self

    @property
    def stop_tolerance(self) -> float:
        """Tolerance of the stopping rule, whichever it is."""
        return self.ebv_error if self.tolerance is None else self.tolerance


class AccuracySection(Section):
    """How reliabilities are computed."""

    method: Annotated[Literal["auto", "exact", "none"], _later("approximate", "sampling")] = Field(
        default="auto", description="exact, none, or auto: exact where it fits."
    )


class RelationshipSection(Section):
    """Relationships between the levels of a random effect, or their inverse."""

    file: InputPath = Field(
        description="A square with names, or level, level, value a line (.csv, .txt, .parquet); .npz, .h5, Matrix Market .mtx."
    )
    kind: Literal["matrix", "inverse"] = Field(
        default="matrix", description="Whether the file holds the matrix or its inverse."
    )
    labels: InputPath | None = Field(
        default=None, description="File with the name of a level a line, for .mtx and .npz that have none."
    )
    blend: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        default=None, description="Shrink the relationships between different levels by this share: for a singular matrix."
    )

    @model_validator(mode="after")
    def _check_blend(self) -> RelationshipSection:
        if self.blend is not None and self.kind == "inverse":
            raise ValueError("blend is for kind: matrix; an inverse cannot be blended.")
        return self


class BaseAnimals(Section):
    """Animals whose mean EBV is zero: those that meet every condition."""

    birth_year: Annotated[tuple[int, int], Field(strict=False)] | None = Field(
        default=None, description="First and last year of birth."
    )
    sex: Literal["F", "M"] | None = Field(default=None, description="F or M.")

    @model_validator(mode="after")
    def _check(self) -> BaseAnimals:
        if self.birth_year is None and self.sex is None:
            raise ValueError("a condition is needed: birth_year, sex or both.")
        if self.birth_year is not None and self.birth_year[0] > self.birth_year[1]:
            raise ValueError(f"birth_year: {self.birth_year[0]} is after {self.birth_year[1]}. Write the earlier year first.")
        return self


class BaseSection(Section):
    """The genetic base."""

    animals: BaseAnimals = Field(description="Animals whose mean EBV is zero.")


Structure = Literal["unstructured", "diagonal", "fixed"]


class EstimateSection(Section):
    """How (co)variances are estimated, and what is to be known of them."""

    method: Annotated[Literal["auto", "ai", "em", "ml", "mc"], _later("gibbs"), BeforeValidator(_not_reml)] = Field(
        default="auto",
        description="ai: REML by average information; em: REML by expectation maximization; ml: maximum likelihood; mc: REML "
        "with traces from simulated data; auto: ai where the factor fits, else mc.",
    )
    tolerance: PositiveNumber = Field(default=1e-5, description="Stop within so many standard errors of the maximum.")
    max_rounds: Annotated[int, Field(ge=1)] | None = Field(default=None, description="Most rounds; 100, of em 5000.")
    monte_carlo_error: PositiveNumber = Field(
        default=0.2, description="mc: largest Monte Carlo error of an estimate, in its standard errors."
    )
    monte_carlo_share: PositiveNumber | None = Field(
        default=None,
        description="mc: an error of this share of each variance is small enough, too; by default it does not count.",
    )
    max_samples: Annotated[int, Field(ge=4)] = Field(default=400, description="mc: most samples, whatever the error.")
    seed: Annotated[int, Field(ge=0)] = Field(default=1, description="mc: seed of the samples; the same gives the same answer.")
    structure: dict[str, Structure] = Field(
        default_factory=dict,
        description="By key of variances: unstructured (all elements), diagonal (no covariances), fixed (as given).",
    )
    functions: dict[str, str | float] = Field(
        default_factory=dict,
        description="Functions of the (co)variances by name, such as (genetic + permanent) / phenotypic[y].",
    )
    intervals: Literal["none", "profile"] = Field(default="none", description="profile: intervals by profile likelihood.")
    level: Annotated[float, Field(gt=0, lt=1)] = Field(default=0.95, description="Confidence of the intervals.")
    tests: Texts | Literal["all", "none"] = Field(
        default=(),
        description="Random effects (keys of variances, or names of single variances, such as a slope's) to test against "
        "zero by the likelihood ratio; all, or none.",
    )

    @property
    def most_rounds(self) -> int:
        """Most rounds of the method."""
        return self.max_rounds or (5000 if self.method == "em" else 100)


class ConfigFile(Section):
    """All sections of a configuration of breedeval."""

    title: Text | None = Field(default=None, description="Title of the run; the name of the file if left out.")
    pedigree: PedigreeSection | None = Field(default=None, description="The pedigree. Needed for genetic terms.")
    records: RecordsSection = Field(description="The records.")
    model: Annotated[dict[str, Text], Field(min_length=1)] = Field(description="A formula a trait.")
    variances: Annotated[
        dict[str, Any],
        WithJsonSchema({"type": "object", "additionalProperties": {"type": ["number", "array", "object", "string"]}}),
    ] = Field(
        description="(Co)variances by the kind of term: a number, a matrix, {labels, matrix, bend}, {file}; residual: {by, "
        "matrices}, or {by, up_to, matrices} for intervals of a covariate; file: estimates for all that is not written."
    )
    relationships: dict[str, RelationshipSection] = Field(
        default_factory=dict, description="Relationship matrices by the name that random(x, relationship = NAME) uses."
    )
    solver: SolverSection = Field(default_factory=SolverSection, description="How the equations are solved.")
    accuracy: AccuracySection = Field(default_factory=AccuracySection, description="How reliabilities are computed.")
    base: BaseSection | None = Field(default=None, description="The genetic base; founders as the model has them if left out.")
    publish: dict[str, PublishedSection] = Field(
        default_factory=dict, description="Functions of breeding values, by name: sums over days, differences, weighted sums."
    )
    estimate: EstimateSection = Field(default_factory=EstimateSection, description="How (co)variances are estimated.")
    index: dict[str, Annotated[dict[str, Number], Field(min_length=1)]] = Field(
        default_factory=dict, description="Selection indices: a weight a trait or published function, by name."
    )
