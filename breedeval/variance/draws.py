"""Random effects and residuals drawn from a model: levels with the covariance K, and records' residuals with R."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breedeval.arrays import Bool, Float64
from breedeval.simulate.related_levels import Root, root_of
from breedeval.variance.parameters import Matrices
from breedeval.variance.system import DeterminedInverse, MixedModelSystem, RandomBlock


@dataclass(frozen=True)
class Drawn:
    """One draw from the model.

    Parameters
    ----------
    effects
        (N,) effects; those of fixed effects are zero.
    residuals
        (m, t) residuals, zero where not observed.
    forms
        U'K⁻¹U of each random block, exactly as drawn.
    """

    effects: Float64
    residuals: Float64
    forms: Matrices


class ModelDraws:
    """Draws from a model at any (co)variances; a draw's deviates depend on the seed and its number alone.

    Raises
    ------
    ConfigError, NotPositiveDefiniteError
        If levels of an effect are related in a way that cannot be drawn from.
    """

    def __init__(self, system: MixedModelSystem, seed: int) -> None:
        self._system, self._seed = system, seed
        self._roots = [root_of_block(one) for one in system.random]

    def draw(self, number: int, roots: Matrices, residual: Float64) -> Drawn:
        """The draw of this number.

        Parameters
        ----------
        roots
            F of each random block, Σ = F F'.
        residual
            (kinds, t, t) lower triangular roots of R by kind of records.
        """
        system, rng = self._system, np.random.default_rng([self._seed, number])
        design = system.design
        deviates = rng.standard_normal(design.observations.shape)
        errors = np.einsum("mij,mj->mi", residual[system.kind], deviates) if len(residual) > 1 else deviates @ residual[0].T
        errors /= system.weight_roots
        effects, forms = np.zeros(design.layout.n_equations), []
        for one, level_root, root in zip(system.random, self._roots, roots, strict=True):
            z = rng.standard_normal((one.block.n_levels, one.block.n_columns))
            z[one.n_random :] = 0.0
            forms.append(root @ (z.T @ z) @ root.T)
            one.block.view(effects)[:] = level_root(z) @ root.T
        return Drawn(effects, errors, tuple(forms))


def residual_roots(matrices: Matrices, patterns: Bool) -> Float64:
    """(classes × patterns, t, t) lower triangular roots of R on the observed traits of each pattern, zero elsewhere."""
    t = len(matrices[0])
    found = np.zeros((len(matrices) * len(patterns), t, t))
    for number, (matrix, observed) in enumerate((m, p) for m in matrices for p in patterns):
        chosen = np.ix_(observed, observed)
        found[number][chosen] = np.linalg.cholesky(matrix[chosen])
    return found


def root_of_block(one: RandomBlock) -> Root:
    """How the levels of a random block are made from standard normal deviates."""
    inverse = one.inverse.inverse if isinstance(one.inverse, DeterminedInverse) else one.inverse
    return root_of(inverse, one.block.name)
