"""What a formula says, as data: one `TraitModel` a trait, made of fixed and random terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

RandomKind = Literal["genetic", "permanent", "random"]
Function = Literal["identity", "log", "sqrt", "center", "poly", "legendre", "spline", "bspline"]
#: Where the knots of a spline are: at equal distances, at quantiles of the observed values, or where they are given.
KnotPlacing = Literal["equidistant", "quantiles", "given"]
#: Degree of the pieces of a spline that says nothing else.
CUBIC = 3
#: Name of the term of social genetic effects, and of their columns in labels and results.
SOCIAL = "social"


@dataclass(frozen=True)
class Covariable:
    """A covariate column and the function that turns it into one or more numbers a record.

    ``poly(x, 2)`` gives x and x²; ``legendre(x, 2)`` gives the 3 normalized Legendre polynomials of order 0, 1 and 2 on the
    range of x (observed, or `low` to `high`); ``spline(x, 5)`` the 5 functions of a natural cubic spline with 5 knots,
    ``bspline(x, 6)`` 6 B-splines; the others give one number.

    Parameters
    ----------
    column
        Of the records.
    function
        What is made of it.
    degree
        Degree of a polynomial; number of coefficients of a spline.
    low, high
        Range to standardize to, or of a spline; None where it is the observed one.
    placing, knots
        Where the knots of a spline are, and the knots themselves where they are given (ends included).
    pieces
        Degree of the pieces of B-splines.
    """

    column: str
    function: Function = "identity"
    degree: int = 1
    low: float | None = None
    high: float | None = None
    placing: KnotPlacing = "equidistant"
    knots: tuple[float, ...] = ()
    pieces: int = CUBIC

    @property
    def n_coefficients(self) -> int:
        """Numbers that a record gets."""
        if self.function == "legendre":
            return self.degree + 1
        return self.degree if self.function in ("poly", "spline", "bspline") else 1

    @property
    def text(self) -> str:
        """As written in a formula."""
        if self.function == "identity":
            return self.column
        arguments = [self.column]
        if self.placing == "given":
            arguments.append(f"knots({', '.join(map(_written, self.knots))})")
        elif self.placing == "quantiles":
            arguments.append(f"quantiles({self.degree})")
        elif self.function in ("poly", "legendre", "spline", "bspline"):
            arguments.append(str(self.degree))
        if self.low is not None and self.high is not None:
            arguments += [_written(self.low), _written(self.high)]
        if self.pieces != CUBIC:
            arguments.append(f"degree({self.pieces})")
        return f"{self.function}({', '.join(arguments)})"


def _written(number: float) -> str:
    """A number as short as it can be without another meaning."""
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


@dataclass(frozen=True)
class FixedTerm:
    """Levels (all observed combinations of `classes`; one level if empty) times the product of `covariables` (1 if empty).

    The intercept has neither.
    """

    classes: tuple[str, ...] = ()
    covariables: tuple[Covariable, ...] = ()

    @property
    def name(self) -> str:
        """Canonical text, such as ``lactation:dim``; ``intercept`` for the overall mean."""
        parts = [*self.classes, *(c.text for c in self.covariables)]
        return ":".join(parts) or "intercept"

    @property
    def is_intercept(self) -> bool:
        """Whether this is the overall mean."""
        return not self.classes and not self.covariables


@dataclass(frozen=True)
class RandomTerm:
    """A random effect: `kind` says where its levels and their relationship come from, `column` which level a record has.

    `covariable` makes it a random regression; `slope` adds a random slope to the intercept (columns 1 and x; 1, x and x² for
    ``slope(poly(x, 2))``). With a `pen` it is the social genetic effect: a record meets the levels of all other animals of
    `column` in its class of column `pen`, each times (number of them) ** −`dilution`.
    """

    kind: RandomKind
    column: str
    covariable: Covariable | None = None
    slope: Covariable | None = None
    pen: str | None = None
    dilution: float = 0.0

    @property
    def label_column(self) -> str:
        """What stands for the column in labels: ``social`` for the effect on pen mates."""
        return self.column if self.pen is None else SOCIAL

    @property
    def name(self) -> str:
        """Canonical text, such as ``genetic(id)``."""
        if self.pen is not None:
            return f"social({self.column}, {self.pen}{f', {self.dilution:g}' if self.dilution else ''})"
        extra = f", {self.covariable.text}" if self.covariable else ""
        extra += f", slope({self.slope.text})" if self.slope else ""
        return f"{self.kind}({self.column}{extra})"


@dataclass(frozen=True)
class TraitModel:
    """The model of one trait.

    For messages: `text` is the user's formula, `where` its file and line, `places` the characters of each term by its name.
    """

    trait: str
    fixed: tuple[FixedTerm, ...]
    random: tuple[RandomTerm, ...]
    text: str = ""
    where: str = field(default="", compare=False)
    places: Mapping[str, tuple[int, int]] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class ModelSpec:
    """The models of all traits, in the order of the configuration."""

    traits: tuple[TraitModel, ...]

    @property
    def trait_names(self) -> tuple[str, ...]:
        """Traits in order."""
        return tuple(model.trait for model in self.traits)

    def class_columns(self) -> tuple[str, ...]:
        """Columns of the records whose values are names, each once."""
        found: dict[str, None] = {}
        for model in self.traits:
            for fixed in model.fixed:
                found.update(dict.fromkeys(fixed.classes))
            found.update(dict.fromkeys(random.column for random in model.random))
            found.update(dict.fromkeys(random.pen for random in model.random if random.pen is not None))
        return tuple(found)

    def number_columns(self) -> tuple[str, ...]:
        """Columns of the records whose values are numbers (traits first), each once."""
        found: dict[str, None] = dict.fromkeys(self.trait_names)
        for model in self.traits:
            for fixed in model.fixed:
                found.update(dict.fromkeys(c.column for c in fixed.covariables))
            for random in model.random:
                found.update(dict.fromkeys(c.column for c in (random.covariable, random.slope) if c is not None))
        return tuple(found)
