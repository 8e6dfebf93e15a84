"""What follows from (co)variances: heritabilities, repeatabilities, ratios and correlations, as users expect them.

The phenotypic (co)variance of traits t and u is the sum over all random effects and the residual. Direct and maternal genetic
effects count as σ_a² + σ_am + σ_m² (Willham 1963, Biometrics 19:18): a covariance between two different columns of one block
enters with the relationship of parent and offspring, ½, from either side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from breedeval.variance.dual import Dual
from breedeval.variance.parameters import Matrices, Parameters


@dataclass(frozen=True)
class Elements:
    """(Co)variances as numbers with derivatives with respect to θ."""

    parameters: Parameters
    matrices: Matrices

    def element(self, number: int, i: int, j: int) -> Dual:
        """Element (i, j) of one matrix."""
        gradient = np.zeros(len(self.parameters.elements))
        key = (number, min(i, j), max(i, j))
        if key in self.parameters.elements:
            gradient[self.parameters.elements.index(key)] = 1.0
        return Dual(float(self.matrices[number][i, j]), gradient)

    def constant(self, value: float) -> Dual:
        """A number that does not depend on θ."""
        return Dual(value, np.zeros(len(self.parameters.elements)))

    def phenotypic(self, residual: int, trait: int, other: int) -> Dual:
        """Phenotypic (co)variance of two traits, with the residual of the matrix of that number."""
        labels = self.parameters.matrices[residual].labels
        total = self.element(residual, trait, other)
        for number, matrix in enumerate(self.parameters.matrices):
            if matrix.is_residual:
                continue
            for i, left in enumerate(matrix.labels):
                for j, right in enumerate(matrix.labels):
                    if trait_of(left) == labels[trait] and trait_of(right) == labels[other]:
                        total = total + self.element(number, i, j) * (1.0 if column_of(left) == column_of(right) else 0.5)
        return total


@dataclass(frozen=True)
class Quantity:
    """A function of the (co)variances with a kind and a name."""

    kind: str
    name: str
    function: Callable[[Elements], Dual]


def trait_of(label: str) -> str:
    """Trait of a label ``trait:column`` or ``trait:column:coefficient``."""
    return label.split(":", maxsplit=1)[0]


def column_of(label: str) -> str:
    """Column of a label, without the coefficient."""
    parts = label.split(":")
    return ":".join(parts[1:-1] if is_coefficient(label) else parts[1:])


def is_coefficient(label: str) -> bool:
    """Whether a label belongs to a regression."""
    parts = label.split(":")
    return len(parts) > 2 and parts[-1].isdigit()


def standard_quantities(parameters: Parameters, sire_column: str | None = None) -> list[Quantity]:
    """All quantities that a model has without being asked.

    Parameters
    ----------
    sire_column
        Column of the sire in a sire model, whose heritability is four times the share of the sire variance.
    """
    found: list[Quantity] = []
    residuals = [number for number, matrix in enumerate(parameters.matrices) if matrix.is_residual]
    for residual in residuals:
        suffix = f" ({parameters.by} {parameters.matrices[residual].name})" if parameters.by else ""
        for trait, name in enumerate(parameters.matrices[residual].labels):
            if not _has_regression(parameters, name):
                found += _of_trait(parameters, residual, trait, suffix, sire_column)
        found += _phenotypic_correlations(parameters, residual, suffix)
    for number, matrix in enumerate(parameters.matrices):
        if matrix.structure != "diagonal":
            found += _correlations(parameters, number)
    return found


def _has_regression(parameters: Parameters, trait: str) -> bool:
    labels = [label for matrix in parameters.matrices if not matrix.is_residual for label in matrix.labels]
    return any(is_coefficient(label) for label in labels if trait_of(label) == trait)


def _of_trait(parameters: Parameters, residual: int, trait: int, suffix: str, sire_column: str | None) -> Iterator[Quantity]:
    name = parameters.matrices[residual].labels[trait]
    yield Quantity("phenotypic variance", name + suffix, lambda e: e.phenotypic(residual, trait, trait))
    own = [
        (number, i, label)
        for number, matrix in enumerate(parameters.matrices)
        if not matrix.is_residual
        for i, label in enumerate(matrix.labels)
        if trait_of(label) == name
    ]
    genetic = [one for one in own if parameters.matrices[one[0]].name == "genetic"]
    for number, i, label in own:
        is_first = bool(genetic) and (number, i, label) == genetic[0]
        factor = 4.0 if is_first and len(genetic) == 1 and column_of(label) == sire_column else 1.0
        kind = "heritability" if is_first else "ratio"
        of = name if is_first else f"{parameters.matrices[number].name} {label}"
        yield Quantity(kind, of + suffix, _ratio([(number, i)], residual, trait, factor))
    if genetic:
        number, i, label = genetic[0]
        same = [(n, k) for n, k, other in own if _is_permanent(parameters, n, other) and column_of(other) == column_of(label)]
        if same:
            yield Quantity("repeatability", name + suffix, _ratio([(number, i), *same], residual, trait, 1.0))


def _is_permanent(parameters: Parameters, number: int, label: str) -> bool:
    return parameters.matrices[number].name in ("permanent", f"permanent({column_of(label)})")


def _ratio(parts: list[tuple[int, int]], residual: int, trait: int, factor: float) -> Callable[[Elements], Dual]:
    def function(e: Elements) -> Dual:
        total = e.constant(0.0)
        for number, i in parts:
            total = total + e.element(number, i, i)
        return total * factor / e.phenotypic(residual, trait, trait)

    return function


def _phenotypic_correlations(parameters: Parameters, residual: int, suffix: str) -> Iterator[Quantity]:
    labels = parameters.matrices[residual].labels
    plain = [t for t, name in enumerate(labels) if not _has_regression(parameters, name)]
    for a in plain:
        for b in (other for other in plain if other > a):

            def function(e: Elements, a: int = a, b: int = b) -> Dual:
                return e.phenotypic(residual, a, b) / (e.phenotypic(residual, a, a) * e.phenotypic(residual, b, b)).sqrt()

            yield Quantity("phenotypic correlation", f"{labels[a]},{labels[b]}{suffix}", function)


def _correlations(parameters: Parameters, number: int) -> Iterator[Quantity]:
    matrix = parameters.matrices[number]
    kind = f"{'residual' if matrix.is_residual else matrix.name} correlation"
    suffix = f" ({parameters.by} {matrix.name})" if matrix.is_residual and parameters.by else ""
    for i in range(matrix.size):
        for j in range(i + 1, matrix.size):

            def function(e: Elements, i: int = i, j: int = j) -> Dual:
                return e.element(number, i, j) / (e.element(number, i, i) * e.element(number, j, j)).sqrt()

            yield Quantity(kind, f"{matrix.labels[i]},{matrix.labels[j]}{suffix}", function)
