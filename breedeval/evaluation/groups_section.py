"""The key ``groups`` of the section ``pedigree``: where groups come from and what is known of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from breedeval.evaluation.config_values import Column, Text

Criterion = Literal["birth_year", "sex", "path"]
PositiveNumber = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class GammaSection(BaseModel):
    """Relationships of metafounders: a matrix with labels, one value within and one between, or drift with time."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    labels: Annotated[tuple[Text, ...], Field(strict=False)] | None = Field(default=None, description="Order of the matrix.")
    matrix: Annotated[tuple[Annotated[tuple[float, ...], Field(strict=False)], ...], Field(strict=False)] | None = Field(
        default=None, description="Relationships within (diagonal) and between metafounders."
    )
    within: PositiveNumber | None = Field(default=None, description="Relationship within every metafounder.")
    between: float = Field(default=0.0, description="Relationship between any two.")
    rate: PositiveNumber | None = Field(
        default=None, description="Rate of inbreeding a year: groups of later years share more (groups by birth_year)."
    )
    start: PositiveNumber = Field(default=0.01, description="Relationship within the earliest group, with rate.")

    @model_validator(mode="after")
    def _one_way(self) -> GammaSection:
        if sum(value is not None for value in (self.matrix, self.within, self.rate)) != 1:
            raise ValueError("give one of matrix (with labels), within, or rate.")
        if (self.matrix is None) != (self.labels is None):
            raise ValueError("a matrix needs labels, and labels a matrix.")
        return self


class GroupsSection(BaseModel):
    """Unknown-parent groups: from a column, from codes in the place of parents, or by a rule."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    column: Column | None = Field(default=None, description="Column with the group of the animal's unknown parents.")
    sire_column: Column | None = Field(default=None, description="Column with the group of an unknown sire.")
    dam_column: Column | None = Field(default=None, description="Column with the group of an unknown dam.")
    codes: Literal["negative"] | Annotated[tuple[Text, ...], Field(strict=False)] | None = Field(
        default=None, description="Texts in the columns of sire and dam that are groups; negative for negative whole numbers."
    )
    by: Annotated[tuple[Criterion, ...], Field(strict=False, min_length=1)] | None = Field(
        default=None, description="Build groups by birth_year (of the progeny), sex (of the parent), path."
    )
    min_size: Annotated[int, Field(ge=1)] = Field(default=50, description="Fewest unknown parents of a group built by a rule.")
    inbred: bool = Field(
        default=False, description="Whether unknown parents are as inbred and related as their time (groups by birth_year)."
    )
    effect: Literal["fixed", "random"] = Field(default="fixed", description="Whether groups are fixed or random.")
    variance: PositiveNumber | None = Field(
        default=None, description="Variance of random groups, as a multiple of the genetic variance."
    )
    gamma: GammaSection | None = Field(default=None, description="Makes the groups metafounders with these relationships.")

    @model_validator(mode="before")
    @classmethod
    def _explain(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError("write none, or {column: NAME}, {codes: negative}, {by: [birth_year, sex], min_size: 50}.")
        return value

    @model_validator(mode="after")
    def _check(self) -> GroupsSection:
        ways = [self.column is not None, self.sire_column is not None or self.dam_column is not None]
        ways += [self.codes is not None, self.by is not None]
        if sum(ways) != 1:
            raise ValueError("groups come from one of column, sire_column and dam_column, codes, by.")
        if (self.sire_column is None) != (self.dam_column is None):
            raise ValueError("sire_column and dam_column go together.")
        if self.effect == "random" and self.gamma is None and self.variance is None:
            raise ValueError("random groups need a variance, a multiple of the genetic variance: variance: 1, for instance.")
        if self.variance is not None and (self.effect != "random" or self.gamma is not None):
            raise ValueError("variance is for effect: random without gamma.")
        by_time = self.by is not None and "birth_year" in self.by
        if self.gamma is not None and self.gamma.rate is not None and not by_time:
            raise ValueError("gamma: rate needs groups by birth_year.")
        if self.inbred and (self.gamma is not None or not by_time):
            raise ValueError("inbred needs groups by birth_year, and goes without gamma.")
        return self
