"""Diagonal and block-diagonal preconditioners, and corrections for a few directions in which a preconditioner is slow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from breedeval.arrays import Float64, freeze
from breedeval.errors import count_of
from breedeval.kernels.blocks import multiply_blocks
from breedeval.kernels.columns import MOST_NUMBERS
from breedeval.kernels.vectors import scale
from breedeval.operators import Preconditioner, SymmetricOperator
from breedeval.solvers.coarse_space import CoarseSpace, add_combination

#: Eigenvalues of a block below this part of its largest belong to directions that the equations do not see.
NULL_EIGENVALUE = 1e-12


@dataclass(frozen=True)
class DiagonalPreconditioner:
    """z = r / diag(C). An equation with a zero diagonal is left at zero."""

    inverse: Float64
    name: str = "diagonal"

    @classmethod
    def of(cls, diagonal: Float64) -> DiagonalPreconditioner:
        """From the diagonal of C (N,)."""
        return cls(freeze(np.divide(1.0, diagonal, out=np.zeros_like(diagonal), where=diagonal > 0)))

    def apply(self, r: Float64, out: Float64) -> Float64:
        """Write M⁻¹ r to `out`."""
        scale((0,) * (r.size // len(r)), r.reshape(-1), self.inverse, out.reshape(-1))
        return out


@dataclass(frozen=True)
class BlockPreconditioner:
    """z = blockdiag(C)⁻¹ r with one k × k block a level; consecutive runs of blocks of one size are applied together."""

    inverses: tuple[Float64, ...]
    name: str = "block"

    @classmethod
    def of(cls, blocks: Sequence[Float64]) -> BlockPreconditioner:
        """From the diagonal blocks of C: arrays (n_levels, k, k), in the order of the equations."""
        return cls(tuple(freeze(_invert(block)) for block in blocks))

    def apply(self, r: Float64, out: Float64) -> Float64:
        """Write M⁻¹ r to `out`."""
        first, columns = 0, (0,) * (r.size // len(r))
        for inverse in self.inverses:
            n, k, _ = inverse.shape
            part = slice(first, first + n * k)
            here, there = r[part].reshape(n, -1), out[part].reshape(n, -1)
            if k > MOST_NUMBERS:
                there[:] = np.matmul(inverse, here.reshape(n, k, -1)).reshape(there.shape)
            else:
                multiply_blocks((0,) * k, columns, inverse, freeze(here), there)
            first += n * k
        return out


@dataclass(frozen=True)
class CorrectedPreconditioner:
    """z = M⁻¹r + V (V'CV)⁻¹ V'r, for a few vectors V that C takes to almost nothing.

    PCG finds such directions last, and until then no estimate made on its way knows of the error along them: it may stop far
    too early. With the correction they have eigenvalues of about one (additive coarse correction; Nabben and Vuik 2006).
    """

    inner: Preconditioner
    space: CoarseSpace

    @classmethod
    def of(cls, inner: Preconditioner, operator: SymmetricOperator, vectors: Float64) -> CorrectedPreconditioner:
        """From M⁻¹, C and V (N, c), c ≥ 1. Vectors that C takes to nothing but rounding errors have no part in it."""
        columns, images = np.ascontiguousarray(vectors.T), np.ascontiguousarray(operator.multiply(vectors).T)
        return cls(inner, CoarseSpace.of(operator.diagonal(), tuple(columns), tuple(images)))

    @property
    def name(self) -> str:
        """Name of M⁻¹ and how many vectors."""
        return f"{self.inner.name} (corrected in {count_of(self.space.n, 'slow direction')})"

    def apply(self, r: Float64, out: Float64) -> Float64:
        """Write z to `out`."""
        self.inner.apply(r, out)
        add_combination(self.space.vectors, self.space.weights(r), out)
        return out


@dataclass(frozen=True)
class BalancedPreconditioner:
    """z = P M⁻¹ P'r + V (V'CV)⁻¹ V'r with P = I − V (V'CV)⁻¹ (CV)': what V spans is solved exactly, the rest by M⁻¹ alone.

    For directions that M⁻¹ is slow in, but C does not take to almost nothing. The plain sum, which these would make larger
    than one, raises the largest eigenvalue of M⁻¹C by what M⁻¹ already does for V; with the projections no eigenvalue leaves
    the range of the others (balancing; Mandel 1993, Communications in Numerical Methods in Engineering 9:233-241).
    """

    inner: Preconditioner
    space: CoarseSpace

    @property
    def name(self) -> str:
        """Name of M⁻¹ and how many vectors."""
        return f"{self.inner.name} (balanced in {count_of(self.space.n, 'slow direction')})"

    def apply(self, r: Float64, out: Float64) -> Float64:
        """Write z to `out`."""
        weights = self.space.weights(r)
        rest = np.array(r)
        add_combination(self.space.images, -weights, rest)
        self.inner.apply(rest, out)
        add_combination(self.space.vectors, weights - self.space.image_weights(out), out)
        return out


def _invert(blocks: Float64) -> Float64:
    """Inverse of each block; pseudo-inverse where a level's columns depend on each other (zero stays zero).

    Each block is scaled to a unit diagonal first, so that what counts as dependent does not hang on the units of the traits.
    """
    if blocks.shape[1] == 1:
        return np.divide(1.0, blocks, out=np.zeros_like(blocks), where=blocks > 0)
    root = np.sqrt(np.einsum("nii->ni", blocks))
    scale = np.divide(1.0, root, out=np.zeros_like(root), where=root > 0)
    values, vectors = np.linalg.eigh(blocks * scale[:, :, None] * scale[:, None, :])
    keep = values > NULL_EIGENVALUE * values[:, -1:]
    weight = np.divide(1.0, values, out=np.zeros_like(values), where=keep)
    scaled = scale[:, :, None] * vectors
    inverse: Float64 = np.einsum("nij,nj,nkj->nik", scaled, weight, scaled)
    return inverse
