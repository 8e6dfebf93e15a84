"""The section ``publish``: functions of breeding values by name, as they are written."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from breedeval.evaluation.config_values import Text

Number = Annotated[float, Field(allow_inf_nan=False)]
PositiveNumber = Annotated[float, Field(gt=0, allow_inf_nan=False)]

#: More points than this are a mistake in the step.
MOST_POINTS = 100_000
OPERATIONS = ("sum", "average", "at", "coefficient")


def _listed(value: Any) -> Any:
    """Let one word stand for a list of one."""
    return value if value is None or isinstance(value, list | tuple) else [value]


class SpanSection(BaseModel):
    """Points of a trajectory: from, from + step, ..., to."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    first: Number = Field(alias="from", description="First point.")
    last: Number = Field(alias="to", description="Last point.")
    step: PositiveNumber = Field(default=1.0, description="Distance between points.")

    @model_validator(mode="before")
    @classmethod
    def _explain(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError("write {from: 5, to: 305}, with step: 1 if wanted.")
        return value

    @model_validator(mode="after")
    def _check(self) -> SpanSection:
        if self.last < self.first:
            raise ValueError(f"from {self.first:g} is above to {self.last:g}. Write the smaller number first.")
        steps = (self.last - self.first) / self.step
        if steps > MOST_POINTS:
            raise ValueError(f"these are more than {MOST_POINTS:,} points. Take a larger step.")
        if abs(steps - round(steps)) > 1e-6:
            raise ValueError(
                f"{self.first:g} to {self.last:g} is no whole number of steps of {self.step:g}. Change one of the three."
            )
        return self


class PartSection(BaseModel):
    """One number made of a genetic effect: the effect itself, or for a regression one of the four operations."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    trait: Annotated[tuple[Text, ...], Field(strict=False, min_length=1), BeforeValidator(_listed)] | None = Field(
        default=None, description="The trait, or a list of traits to be summed; may be left out where there is one."
    )
    column: Text | None = Field(
        default=None, description="Which genetic effect (id, dam); may be left out where the trait has one."
    )
    sum: SpanSection | None = Field(default=None, description="Sum of the curve over {from, to, step}.")
    average: SpanSection | None = Field(default=None, description="Average of the curve over {from, to, step}.")
    at: Number | None = Field(default=None, description="Value of the curve at a point.")
    coefficient: Annotated[int, Field(ge=0)] | None = Field(default=None, description="A coefficient, numbered from 0.")

    @property
    def written(self) -> tuple[str, ...]:
        """Operations that stand here."""
        return tuple(name for name in OPERATIONS if getattr(self, name) is not None)

    @property
    def numbers(self) -> tuple[float, ...]:
        """The numbers of the operation."""
        for span in (self.sum, self.average):
            if span is not None:
                return (span.first, span.last, span.step)
        return tuple(float(number) for number in (self.at, self.coefficient) if number is not None)

    @model_validator(mode="after")
    def _one_operation(self) -> PartSection:
        if len(self.written) > 1:
            raise ValueError(f"{' and '.join(self.written)} stand together. Keep one of them.")
        return self


class PublishedSection(PartSection):
    """A function of breeding values."""

    difference: Annotated[tuple[PartSection, ...], Field(strict=False, min_length=2, max_length=2)] | None = Field(
        default=None, description="First part minus second part; trait and column hold for both."
    )
    weights: Annotated[dict[str, Number], Field(min_length=1)] | None = Field(
        default=None,
        description="Weighted sum: a weight by the name of a function above, by trait:column or trait:column:coefficient.",
    )
    unit: Text | None = Field(default=None, description="Unit of the result, in words.")

    @model_validator(mode="after")
    def _check(self) -> PublishedSection:
        ways = [*self.written, *(name for name in ("difference", "weights") if getattr(self, name) is not None)]
        if len(ways) > 1:
            raise ValueError(f"{' and '.join(ways)} stand together. Keep one of them.")
        if self.weights is not None and (self.trait is not None or self.column is not None):
            raise ValueError("with weights, traits and columns are named there: weights: {milk:id: 1, milk:dam: 0.5}.")
        return self
