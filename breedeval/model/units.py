"""Units in which traits are solved: each in about its own residual standard deviation.

Sizes of residuals and of changes then mean the same for a trait in tonnes and one in milligrams. The factors are powers of two,
so that going there and back changes no digit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from breedeval.arrays import Float64, Int64, freeze
from breedeval.model.design import Design
from breedeval.model.variances import Covariance, Variances


@dataclass(frozen=True)
class Standardized:
    """A design and its variances in other units; `of_equation` (N,) is the size of each equation's unit in the user's."""

    design: Design
    variances: Variances
    of_equation: Float64


def standardize(design: Design, variances: Variances) -> Standardized:
    """Put observations and (co)variances into units of about one residual standard deviation of each trait.

    Examples
    --------
    >>> float(power_of_two(np.array([1000.0]))[0])
    1024.0
    """
    first = next(iter(variances.residual.matrices.values()))
    units = power_of_two(np.sqrt(np.diag(first)))
    traits = _trait_of_columns(design)
    random = {}
    for k, block in enumerate(design.layout.blocks):
        if block.is_random:
            given, of_column = variances.random[block.key], units[traits[k]]
            random[block.key] = Covariance(given.labels, freeze(given.matrix / np.outer(of_column, of_column)))
    scale = np.outer(units, units)
    residual = {name: freeze(matrix / scale) for name, matrix in variances.residual.matrices.items()}
    found = variances.residual
    return Standardized(
        replace(design, observations=freeze(design.observations / units)),
        Variances(
            MappingProxyType(random),
            replace(found, matrices=MappingProxyType(residual)),
            variances.notes,
        ),
        freeze(
            np.concatenate([np.tile(units[traits[k]], block.n_levels) for k, block in enumerate(design.layout.blocks)])
            if design.layout.blocks
            else np.empty(0)
        ),
    )


def power_of_two(size: Float64) -> Float64:
    """Return the powers of two nearest to positive numbers, on a logarithmic scale."""
    return np.exp2(np.round(np.log2(size)))


def _trait_of_columns(design: Design) -> list[Int64]:
    """Trait of each column of each block."""
    traits = [np.zeros(block.n_columns, dtype=np.int64) for block in design.layout.blocks]
    for term in design.terms:
        trait, coefficient = np.nonzero(term.columns >= 0)
        traits[term.block][term.columns[trait, coefficient]] = trait
    return traits
