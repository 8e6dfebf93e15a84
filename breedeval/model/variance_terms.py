"""What rows of (co)variance matrices belong to: the term, the function of a covariate and how the levels are related.

Labels alone do not tell: the second coefficient of Legendre polynomials on days 5 to 305 has the label of the second of a
spline, or of polynomials on another range, and quite another (co)variance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import isclose
from typing import Any

import numpy as np

from breedeval.model.bases import Basis
from breedeval.model.covariance import placed_labels, random_blocks
from breedeval.model.design import Design
from breedeval.model.spec import CUBIC, Covariable, ModelSpec, RandomKind, RandomTerm
from breedeval.model.weights import Weight, weight_of_trait

#: Relationship of the levels of a genetic effect with metafounders, whose variance is that of another base.
METAFOUNDERS = "pedigree with metafounders"
#: Ranges, knots and means that differ by less than this part are the same.
SAME = 1e-9
#: A mean that is subtracted may differ by so much of its column's range without being another model.
NEAR_MEAN = 0.01


@dataclass(frozen=True)
class VarianceTerm:
    """What one row of a (co)variance matrix belongs to.

    Parameters
    ----------
    kind, column
        ``genetic``, ``permanent``, ``dominance`` or ``random``, and the column that names the level.
    relationship
        Between levels: ``identity``, ``pedigree``, ``pedigree with metafounders``, ``dominance`` or ``given``.
    given
        Name of a given relationship.
    pen, dilution
        Of a social effect: column of the pens, and its power.
    function, covariate
        What multiplies the effect; empty for one. ``intercept`` where one stands beside slopes.
    coefficient, coefficients
        Which coefficient of the function this is, from 0, and how many there are.
    low, high
        Range that polynomials are standardized to, or the values observed where something else depends on these.
    knots, pieces
        Of a spline, its ends included; degree of the pieces of B-splines.
    mean
        That is subtracted from the covariate.

    Examples
    --------
    >>> VarianceTerm("genetic", "id", "pedigree", function="legendre", covariate="dim", coefficients=3, low=5, high=305).text
    'genetic(id, legendre(dim, 2, 5, 305))'
    """

    kind: RandomKind
    column: str
    relationship: str
    given: str = ""
    pen: str = ""
    dilution: float = 0.0
    function: str = ""
    covariate: str = ""
    coefficient: int = 0
    coefficients: int = 0
    low: float = 0.0
    high: float = 0.0
    knots: tuple[float, ...] = ()
    pieces: int = 0
    mean: float = 0.0

    @property
    def text(self) -> str:
        """As in a formula, with all that was taken from records written out."""
        if self.pen:
            return f"social({self.column}, {self.pen}{f', {self.dilution:g}' if self.dilution else ''})"
        inside = [self.column, *([self.regression] if self.function else [])]
        return f"{self.kind}({', '.join(inside)})"

    @property
    def regression(self) -> str:
        """The function of the covariate."""
        if self.function in ("intercept", ""):
            return self.function
        arguments = [self.covariate]
        if self.function in ("spline", "bspline"):
            arguments.append(f"knots({', '.join(f'{knot:.10g}' for knot in self.knots)})")
            arguments += [f"degree({self.pieces})"] if self.pieces != CUBIC and self.function == "bspline" else []
        elif self.function == "legendre":
            arguments += [f"{self.coefficients - 1}", f"{self.low:.10g}", f"{self.high:.10g}"]
        elif self.function == "poly":
            arguments.append(f"{self.coefficients}")
        mean = f" with the mean {self.mean:.10g}" if self.function == "center" else ""
        text = self.covariate if self.function == "identity" else f"{self.function}({', '.join(arguments)})"
        return text if self.function in ("spline", "bspline", "legendre") else f"slope({text}){mean}"

    @property
    def relation(self) -> str:
        """How the levels are related, in words."""
        if self.relationship == "identity":
            return "independent levels"
        return "levels related by " + ("a given matrix" if self.relationship == "given" else f"the {self.relationship}")

    def differs_from(self, other: VarianceTerm) -> bool:
        """Whether a variance of the one is none of the other."""
        mine, theirs = self._numbers(), other._numbers()
        if self._exact() != other._exact() or len(mine) != len(theirs):
            return True
        width = max(self.high - self.low, other.high - other.low, 0.0)
        if self.function == "center" and abs(self.mean - other.mean) > NEAR_MEAN * width:
            return True
        return any(not isclose(a, b, rel_tol=SAME, abs_tol=SAME * width) for a, b in zip(mine, theirs, strict=True))

    def note_on(self, other: VarianceTerm) -> str | None:
        """What is a little different in `other`, of which `differs_from` says that it will do."""
        if self.mean != other.mean:
            return f"{self.regression} there, {other.regression} here"
        if self.given != other.given:
            return f"levels related by '{self.given}' there, by '{other.given}' here"
        return None

    def _exact(self) -> tuple[object, ...]:
        names = (self.kind, self.relationship, bool(self.pen), self.function, self.covariate)
        return (*names, self.coefficient, self.coefficients, self.pieces)

    def _numbers(self) -> tuple[float, ...]:
        return (self.dilution, *((self.low, self.high) if self.function == "legendre" else self.knots))


@dataclass(frozen=True)
class VarianceTerms:
    """What all (co)variances of a model belong to.

    Parameters
    ----------
    random
        Terms by the key of the random block and the label of the row.
    weights
        Column of the weights of each trait, which divide its residual variance; empty where there are none.
    deviations
        Standard deviation of each trait in the records used, which tells units apart.
    """

    random: Mapping[str, Mapping[str, VarianceTerm]] = field(default_factory=dict)
    weights: Mapping[str, str] = field(default_factory=dict)
    deviations: Mapping[str, float] = field(default_factory=dict)


def variance_terms(spec: ModelSpec, design: Design, weight: Weight, *, metafounders: bool = False) -> VarianceTerms:
    """What the (co)variances of a model belong to once it is laid over its records.

    Parameters
    ----------
    spec, design, weight
        The model, the same over the records, and the weights of these.
    metafounders
        Whether unknown parents are metafounders.
    """
    random = {
        block.key: {
            label: _term_of(term, place, design.bases, metafounders=metafounders)
            for label, term, place in placed_labels(spec, block.terms)
        }
        for block in random_blocks(spec)
    }
    seen = (design.observations[design.observed[:, j], j] for j in range(design.n_traits))
    return VarianceTerms(
        random,
        {trait: weight_of_trait(weight, trait) or "" for trait in design.traits},
        {trait: float(np.std(y)) if len(y) else 0.0 for trait, y in zip(design.traits, seen, strict=True)},
    )


def _term_of(term: RandomTerm, place: int, bases: Mapping[Covariable, Basis], *, metafounders: bool) -> VarianceTerm:
    """The term of the coefficient at `place`."""
    relationship = "given" if term.relationship is not None else term.related_by
    plain = VarianceTerm(
        term.kind,
        term.label if term.pen is None else term.column,
        METAFOUNDERS if metafounders and relationship == "pedigree" else relationship,
        term.relationship or "",
        term.pen or "",
        term.dilution,
    )
    for function, coefficient in _functions(term):
        if place == 0:
            return replace(plain, **_regression(function, coefficient, bases))
        place -= 1
    return plain


def _functions(term: RandomTerm) -> Iterator[tuple[Covariable | None, int]]:
    """Function and its coefficient of each place of a regression; None for an intercept beside slopes."""
    if term.slopes and term.intercept:
        yield None, 0
    for covariable in term.covariables:
        yield from ((covariable, k) for k in range(covariable.n_coefficients))


def _regression(covariable: Covariable | None, coefficient: int, bases: Mapping[Covariable, Basis]) -> dict[str, Any]:
    if covariable is None:
        return {"function": "intercept"}
    basis = bases[covariable]
    return {
        "function": covariable.function,
        "covariate": covariable.column,
        "coefficient": coefficient,
        "coefficients": covariable.n_coefficients,
        "low": basis.low,
        "high": basis.high,
        "knots": basis.knots,
        "pieces": covariable.pieces if covariable.function == "bspline" else 0,
        "mean": basis.mean,
    }
