"""What a model and its records say about (co)variances, prepared once: everything that does not change from round to round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np
from scipy.sparse import csc_array, csr_array

from breedeval.arrays import Bool, Float64, Int32, Int64, freeze
from breedeval.equations.incidence import Incidence, build_incidence
from breedeval.equations.residual import observed_patterns, weights_of_records
from breedeval.model.design import Design
from breedeval.model.layout import EquationBlock
from breedeval.operators import SymmetricOperator
from breedeval.pedigree.pedigree import Pedigree
from breedeval.relationship.metafounders import spread_group_values
from breedeval.solvers.blas_threads import cross_product
from breedeval.solvers.factorization import factorize
from breedeval.variance.coefficients import CoefficientMatrices, build_coefficients
from breedeval.variance.coordinates import Nodes, find_nodes
from breedeval.variance.factor import SparseAnalysis


@runtime_checkable
class RelationshipInverse(SymmetricOperator, Protocol):
    """K⁻¹ that knows log|K|."""

    @property
    def log_determinant(self) -> float:
        """log|K| of the random levels."""


@dataclass(frozen=True)
class DeterminedInverse:
    """K⁻¹ of any kind, with its determinant from a factor."""

    inverse: SymmetricOperator
    log_determinant: float

    @classmethod
    def of(cls, inverse: SymmetricOperator) -> DeterminedInverse:
        """Factorize K⁻¹ once."""
        return cls(inverse, -factorize(csc_array(inverse.to_csr())).log_determinant())

    @property
    def order(self) -> int:
        """Number of levels."""
        return self.inverse.order

    def multiply(self, x: Float64, out: Float64 | None = None) -> Float64:
        """Return the product with x of shape (order,) or (order, k)."""
        return self.inverse.multiply(x, out)

    def diagonal(self) -> Float64:
        """(order,) diagonal."""
        return self.inverse.diagonal()

    def to_csr(self) -> csr_array:
        """The explicit matrix."""
        return self.inverse.to_csr()


@dataclass(frozen=True)
class RandomBlock:
    """A random block of equations.

    Parameters
    ----------
    block
        Its equations.
    inverse
        K⁻¹; None for the identity.
    n_random
        Levels that are random; fixed unknown-parent groups stand behind them.
    """

    block: EquationBlock
    inverse: RelationshipInverse | None
    n_random: int

    @property
    def log_determinant(self) -> float:
        """log|K|."""
        return 0.0 if self.inverse is None else self.inverse.log_determinant

    def quadratic_forms(self, values: Float64) -> Float64:
        """U'K⁻¹U (k, k) for U (n_levels, k)."""
        product = values if self.inverse is None else self.inverse.multiply(np.ascontiguousarray(values))
        found = cross_product(values, product)
        return np.asarray((found + found.T) / 2.0)


@dataclass(frozen=True)
class MixedModelSystem:
    """The model as the likelihood sees it.

    Parameters
    ----------
    design, incidence
        Records and W.
    kind, patterns
        (m,) residual class × number of patterns + pattern of each record, and the observed traits (·, t) of each pattern.
    weight_roots
        (m, t) square roots of the weights of the records' traits.
    random
        Random blocks, as in the layout.
    kept
        (n,) equations that are not constrained to zero, ascending.
    order
        (n,) their elimination order; empty where nothing will be factorized.
    groups
        The pedigree if its groups are fixed effects, else None.
    largest_factor
        Elements of a factor at which counting them is given up.
    """

    design: Design
    incidence: Incidence
    kind: Int32
    patterns: Bool
    weight_roots: Float64
    random: tuple[RandomBlock, ...]
    kept: Int64
    order: Int64
    groups: Pedigree | None
    largest_factor: int = 2**62

    @property
    def n_observations(self) -> int:
        """Number of observations, n."""
        return int(self.design.observed.sum())

    @cached_property
    def random_rows(self) -> Int64:
        """Rows of the kept equations that are random."""
        is_random = np.zeros(self.design.layout.n_equations, dtype=bool)
        for one in self.random:
            one.block.view(is_random)[: one.n_random] = True
        return freeze(np.flatnonzero(is_random[self.kept]))

    @property
    def rank(self) -> int:
        """Rank of the fixed effects (fixed groups included)."""
        return len(self.kept) - len(self.random_rows)

    @cached_property
    def nodes(self) -> Nodes:
        """Rows of the kept equations that are transformed together."""
        return find_nodes([one.block for one in self.random], self.kept, self.design.layout.n_equations)

    @cached_property
    def coefficients(self) -> CoefficientMatrices:
        """C as a sum of matrices, on the kept equations; made when first asked for."""
        return build_coefficients(
            self.incidence,
            self.kind,
            self.patterns,
            self.weight_roots,
            [(one.block, None if one.inverse is None else one.inverse.to_csr()) for one in self.random],
            self.kept,
            self.nodes,
        )

    @cached_property
    def analysis(self) -> SparseAnalysis:
        """Of the pattern of C."""
        return SparseAnalysis(self.coefficients, self.order, self.largest_factor)

    @cached_property
    def random_coefficients(self) -> CoefficientMatrices:
        """C of the random effects alone, for maximum likelihood."""
        blocks, transformed = [one.block for one in self.random], self.nodes.transformed
        nodes = find_nodes(blocks, self.kept[self.random_rows], self.design.layout.n_equations, transformed)
        return self.coefficients.restricted(self.random_rows, nodes)

    @cached_property
    def random_analysis(self) -> SparseAnalysis:
        """Of the pattern of the random effects alone."""
        new = np.full(len(self.kept), -1, dtype=np.int64)
        new[self.random_rows] = np.arange(len(self.random_rows))
        order = new[self.order]
        return SparseAnalysis(self.random_coefficients, order[order >= 0])

    @cached_property
    def n_of_kind(self) -> Int64:
        """Records of each kind."""
        n_classes = len(self.design.residual_names)
        return freeze(np.bincount(self.kind, minlength=n_classes * len(self.patterns)))

    def deviations(self, number: int, solution: Float64) -> Float64:
        """U (n_levels, k) of a random block without what fixed groups contribute; zero for these."""
        one = self.random[number]
        values = one.block.view(solution)
        if one.n_random == one.block.n_levels or self.groups is None:
            return values
        found = values.copy()
        found[: one.n_random] -= spread_group_values(self.groups, values[one.n_random :])
        found[one.n_random :] = 0.0
        return found


def build_system(
    design: Design,
    relationships: Mapping[str, RelationshipInverse],
    kept: Int64,
    order: Int64,
    groups: Pedigree | None = None,
    largest_factor: int = 2**62,
) -> MixedModelSystem:
    """Prepare a model for variance components.

    Parameters
    ----------
    design
        The model over its records.
    relationships
        K⁻¹ by the key of its random block; blocks that are not there have independent levels.
    kept, order
        Equations that are not constrained to zero, and their elimination order.
    groups
        The pedigree if its groups are fixed effects.
    largest_factor
        Elements of a factor at which counting them is given up.
    """
    incidence = build_incidence(design)
    patterns, pattern = observed_patterns(design.observed)
    kind = design.residual_class.astype(np.int64) * len(patterns) + pattern
    shared, by_trait = weights_of_records(design)
    weight_roots = by_trait if len(by_trait) else np.repeat(np.sqrt(shared)[:, None], design.n_traits, axis=1)
    random = []
    for block in design.layout.random:
        n_random = block.n_levels - (groups.n_groups if groups is not None and block.relationship == "pedigree" else 0)
        random.append(RandomBlock(block, relationships.get(block.key), n_random))
    return MixedModelSystem(
        design,
        incidence,
        freeze(kind.astype(np.int32)),
        freeze(patterns),
        freeze(weight_roots),
        tuple(random),
        kept,
        order,
        groups,
        largest_factor,
    )
