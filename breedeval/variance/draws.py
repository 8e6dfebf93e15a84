"""Random effects and residuals drawn from a model: levels with the covariance K, and records' residuals with R."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from breedeval.arrays import Bool, Float64
from breedeval.errors import ConfigError
from breedeval.kernels.gene_drop import drop_genes
from breedeval.operators import SymmetricOperator
from breedeval.relationship.a_inverse import NumeratorInverse
from breedeval.relationship.groups import GroupedInverse
from breedeval.variance.parameters import Matrices
from breedeval.variance.system import DeterminedInverse, MixedModelSystem

#: Levels of K⁻¹ that hang together and are not a pedigree: more are not factorized densely.
LARGEST_COMPONENT = 15_000

#: Turns standard normal deviates (levels, k) into levels with the covariance K.
Root = Callable[[Float64], Float64]


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
    ConfigError
        If levels of an effect are related in a way that is not drawn from.
    """

    def __init__(self, system: MixedModelSystem, seed: int) -> None:
        self._system, self._seed = system, seed
        self._roots = [root_of(one.inverse, one.block.name) for one in system.random]

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


def root_of(inverse: SymmetricOperator | None, name: str) -> Root:
    """How levels with the covariance K are made from standard normal deviates, for K⁻¹."""
    if inverse is None:
        return lambda z: z
    if isinstance(inverse, DeterminedInverse):
        return root_of(inverse.inverse, name)
    if isinstance(inverse, NumeratorInverse):
        return lambda z: _dropped(inverse, z)
    if isinstance(inverse, GroupedInverse):
        of_groups = np.linalg.cholesky(np.linalg.inv(inverse.precision))
        return lambda z: _dropped(inverse.a_inverse, z, of_groups)
    return _root_by_components(inverse.to_csr(), name)


def _dropped(inverse: NumeratorInverse, z: Float64, of_groups: Float64 | None = None) -> Float64:
    n = len(inverse.sire)
    out = np.array(z, dtype=np.float64)
    if of_groups is not None:
        out[n:] = of_groups @ out[n:]
    drop_genes(inverse.sire, inverse.dam, np.sqrt(1.0 / inverse.precision), out)
    return out


def _root_by_components(matrix: csr_array, name: str) -> Root:
    """From dense factors L of the parts of K⁻¹ that hang together: u = L'⁻¹ z."""
    n_parts, label = connected_components(matrix, directed=False)
    sizes = np.bincount(label, minlength=n_parts)
    if sizes.max(initial=0) > LARGEST_COMPONENT:
        raise ConfigError(
            f"estimate: method mc: {name} has {sizes.max():,} levels that are all related by a given matrix; draws are "
            f"made for at most {LARGEST_COMPONENT:,}. Use method ai."
        )
    order = np.argsort(label, kind="stable")
    parts = np.split(order, np.cumsum(sizes)[:-1])
    alone = np.concatenate([rows for rows in parts if len(rows) == 1] or [np.empty(0, dtype=np.int64)])
    scale = 1.0 / np.sqrt(matrix.diagonal()[alone])
    factors = [(rows, np.linalg.cholesky(matrix[rows][:, rows].toarray())) for rows in parts if len(rows) > 1]

    def root(z: Float64) -> Float64:
        out = np.empty_like(z)
        out[alone] = z[alone] * scale[:, None]
        for rows, lower in factors:
            out[rows] = solve_triangular(lower, z[rows], lower=True, trans="T")
        return out

    return root
