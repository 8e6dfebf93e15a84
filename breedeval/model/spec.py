"""What a formula says, as data: one `TraitModel` a trait, made of fixed and random terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

RandomKind = Literal["genetic", "permanent", "dominance", "random"]
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

    Parameters
    ----------
    kind
        Kind of the effect.
    column
        Column of the records that names the level; ``a:b`` where the columns `crossed` are combined.
    covariable
        Makes it a random regression.
    slopes
        Random slopes: columns 1, x, z (x and x² for ``slope(poly(x, 2))``); without `intercept` x, z alone.
    intercept
        Whether slopes stand beside an intercept with which they are correlated.
    crossed
        Columns whose combinations are the levels, where there are several.
    relationship
        Name or file of the relationship between the levels of ``random(x)``, if any.
    by_sire_mgs
        Whether the record meets the sire of the animal in `column` with 1 and its maternal grandsire with ½.
    pen
        Makes it the social genetic effect: the record meets all other animals of `column` in its class of this column.
    dilution
        Their sum is multiplied by (their number) ** −`dilution`.
    """

    kind: RandomKind
    column: str
    covariable: Covariable | None = None
    slopes: tuple[Covariable, ...] = ()
    intercept: bool = True
    crossed: tuple[str, ...] = ()
    relationship: str | None = None
    by_sire_mgs: bool = False
    pen: str | None = None
    dilution: float = 0.0

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the records that name the level."""
        return self.crossed or (self.column,)

    @property
    def covariables(self) -> tuple[Covariable, ...]:
        """All covariables of the term."""
        return (*(() if self.covariable is None else (self.covariable,)), *self.slopes)

    @property
    def label(self) -> str:
        """What stands for the column in labels of (co)variances and in results."""
        if self.pen is not None:
            return SOCIAL
        return "sire_mgs" if self.by_sire_mgs else self.column

    @property
    def name(self) -> str:
        """Canonical text, such as ``genetic(id)``."""
        if self.pen is not None:
            return f"social({self.column}, {self.pen}{f', {self.dilution:g}' if self.dilution else ''})"
        arguments = [f"sire_mgs({self.column})" if self.by_sire_mgs else self.column]
        arguments += [self.covariable.text] if self.covariable else []
        slopes = [f"slope({slope.text})" for slope in self.slopes]
        arguments += slopes if self.intercept else [" + ".join(["0", *slopes])]
        arguments += [] if self.relationship is None else [f'relationship = "{self.relationship}"']
        return f"{self.kind}({', '.join(arguments)})"

    @property
    def origin(self) -> tuple[object, ...]:
        """What terms of one block of equations have in common; (co)variances between blocks are zero."""
        if self.kind == "genetic":
            return (self.kind,)
        return (self.kind, self.column, self.relationship, () if self.intercept else self.slopes)

    @property
    def related_by(self) -> str:
        """Key of the inverse relationship matrix of the levels; ``identity`` where they are independent."""
        if self.kind == "genetic":
            return "pedigree"
        if self.kind == "dominance":
            return "dominance"
        return "identity" if self.relationship is None else f"given {self.relationship}"


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
            found.update(dict.fromkeys(column for random in model.random for column in random.columns))
            found.update(dict.fromkeys(random.pen for random in model.random if random.pen is not None))
        return tuple(found)

    def number_columns(self) -> tuple[str, ...]:
        """Columns of the records whose values are numbers (traits first), each once."""
        found: dict[str, None] = dict.fromkeys(self.trait_names)
        for model in self.traits:
            for fixed in model.fixed:
                found.update(dict.fromkeys(c.column for c in fixed.covariables))
            for random in model.random:
                found.update(dict.fromkeys(c.column for c in random.covariables))
        return tuple(found)
