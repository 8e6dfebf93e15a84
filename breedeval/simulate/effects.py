"""True effects of every block of a model: fixed effects, correlated and independent random effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from breedeval.arrays import Float64, freeze
from breedeval.errors import ConfigError, name_some
from breedeval.model.design import Design
from breedeval.model.layout import IDENTITY, PEDIGREE, EquationBlock
from breedeval.model.variances import Variances
from breedeval.pedigree.pedigree import Pedigree
from breedeval.relationship.inbreeding import Inbreeding
from breedeval.relationship.related import RelatedLevels
from breedeval.relationship.sire_mgs import MalePedigree
from breedeval.simulate.breeding_values import (
    draw_breeding_values,
    draw_correlated,
    draw_group_values,
    draw_transmitting_abilities,
)
from breedeval.simulate.related_levels import root_of


@dataclass(frozen=True)
class FixedEffects:
    """How true fixed effects are made.

    Parameters
    ----------
    means
        Overall mean by trait; 0 for a trait that is not in it. It stands in the intercept, or without one in the levels of the
        first term that is made of classes alone; a model without either has no mean.
    spread
        Standard deviation over the records of what one fixed term adds, in residual standard deviations of the trait.
    given
        Effects by name of the term, such as ``herd``: (n_levels, n_columns) in the order of the design's levels. These are
        taken as they are, the others drawn.

    Raises
    ------
    ConfigError
        If `spread` is negative.
    """

    means: Mapping[str, float] = field(default_factory=dict)
    spread: float = 1.0
    given: Mapping[str, Float64] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.spread >= 0:
            raise ConfigError(f"The spread of fixed effects is {self.spread:g}. It is a standard deviation: zero or positive.")


@dataclass(frozen=True)
class Kinship:
    """How the levels of random effects are related.

    Parameters
    ----------
    pedigree, inbreeding
        Of the animals with breeding values; None for a model without them.
    group_covariance
        (g, g) covariance of the means of unknown-parent groups, in units of the genetic (co)variances; zero without it.
    males
        The sires and their maternal grandsires, where the model is one of these; `inbreeding` is theirs then.
    levels
        Related levels of other effects, by the key that blocks of the layout name.
    """

    pedigree: Pedigree | None = None
    inbreeding: Inbreeding | None = None
    group_covariance: Float64 | None = None
    males: MalePedigree | None = None
    levels: Mapping[str, RelatedLevels] = field(default_factory=dict)


def draw_effects(
    rng: np.random.Generator, design: Design, variances: Variances, fixed: FixedEffects, kinship: Kinship
) -> tuple[Float64, ...]:
    """Draw the true effects of all blocks.

    Returns
    -------
    tuple of (n_levels, n_columns) float64
        One for each block of ``design.layout``.

    Raises
    ------
    ConfigError
        If given effects belong to no term or have the wrong size.
    """
    blocks = design.layout.blocks
    absent = [name for name in fixed.given if name not in {block.name for block in blocks if not block.is_random}]
    if absent:
        named = ", ".join(block.name for block in blocks if not block.is_random)
        raise ConfigError(f"Effects are given for {name_some(absent)}, no fixed term of this model. Fixed terms: {named}.")
    effects = []
    residual_sd = np.sqrt(np.mean([np.diag(m) for m in variances.residual.matrices.values()], axis=0))
    for number, block in enumerate(blocks):
        if not block.is_random:
            effects.append(_fixed_block(rng, design, number, fixed, residual_sd))
        else:
            effects.append(freeze(_random_block(rng, block, variances.random[block.key].matrix, kinship)))
    return tuple(effects)


def _random_block(rng: np.random.Generator, block: EquationBlock, covariance: Float64, kinship: Kinship) -> Float64:
    if block.relationship == IDENTITY:
        return draw_correlated(rng, block.n_levels, covariance)
    if block.relationship != PEDIGREE:
        root = root_of(kinship.levels[block.relationship].inverse, block.name)
        return root(draw_correlated(rng, block.n_levels, covariance))
    if kinship.pedigree is None or kinship.inbreeding is None:
        raise ConfigError(f"{block.name} needs a pedigree and its inbreeding.")
    if kinship.males is not None:
        return draw_transmitting_abilities(rng, kinship.males, kinship.inbreeding, covariance)
    return _genetic_block(rng, covariance, kinship.pedigree, kinship.inbreeding, kinship.group_covariance)


def _genetic_block(
    rng: np.random.Generator,
    covariance: Float64,
    pedigree: Pedigree,
    inbreeding: Inbreeding,
    group_covariance: Float64 | None,
) -> Float64:
    """Animals, then groups: zero, or drawn with `group_covariance`."""
    g, k = pedigree.n_groups, len(covariance)
    if group_covariance is None or g == 0:
        groups = np.zeros((g, k))
    elif group_covariance.shape != (g, g):
        raise ConfigError(f"group_covariance is {group_covariance.shape}, not {(g, g)}: a row and a column a group.")
    else:
        groups = draw_group_values(rng, group_covariance, covariance)
    return np.concatenate([draw_breeding_values(rng, pedigree, inbreeding, covariance, groups), groups])


def _fixed_block(rng: np.random.Generator, design: Design, number: int, fixed: FixedEffects, residual_sd: Float64) -> Float64:
    block = design.layout.blocks[number]
    if block.name in fixed.given:
        given = np.asarray(fixed.given[block.name], dtype=np.float64)
        if given.shape != (block.n_levels, block.n_columns):
            raise ConfigError(
                f"The effects given for {block.name} are {given.shape}, not {(block.n_levels, block.n_columns)}: "
                f"a row a level, the columns {', '.join(block.columns)}."
            )
        return freeze(given)
    term = next(term for term in design.terms if term.block == number)
    values = rng.standard_normal((block.n_levels, block.n_columns))
    for j, trait in enumerate(design.traits):
        for c, column in enumerate(term.columns[j]):
            if column < 0:
                continue
            size = 1.0 if term.covariates is None else _root_mean_square(term.covariates[design.observed[:, j], c])
            values[:, column] *= fixed.spread * residual_sd[j] / size
            if number == _place_of_mean(design, j):
                # an intercept is the mean itself; levels of a class vary around it
                values[:, column] = fixed.means.get(trait, 0.0) + (0.0 if _is_intercept(block) else values[:, column])
    return freeze(values)


def _place_of_mean(design: Design, trait: int) -> int:
    """Number of the block that holds the mean of a trait, −1 if there is none."""
    of_trait = [term for term in design.terms if (term.columns[trait] >= 0).any()]
    places = [t.block for t in of_trait if t.covariates is None and not design.layout.blocks[t.block].is_random]
    intercepts = [place for place in places if _is_intercept(design.layout.blocks[place])]
    return (intercepts or places or [-1])[0]


def _is_intercept(block: EquationBlock) -> bool:
    return block.name == "intercept" and block.n_levels == 1


def _root_mean_square(x: Float64) -> float:
    size = float(np.sqrt(np.mean(x**2))) if len(x) else 0.0
    return size if size > 0 else 1.0
