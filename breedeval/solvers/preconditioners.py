"""Diagonal and block-diagonal preconditioners."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from breedeval.arrays import Float64, freeze
from breedeval.kernels.blocks import multiply_blocks

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
        return np.multiply(r, self.inverse, out=out)


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
        first = 0
        for inverse in self.inverses:
            n, k, _ = inverse.shape
            part = slice(first, first + n * k)
            if k == 1:
                np.multiply(r[part], inverse[:, 0, 0], out=out[part])
            else:
                multiply_blocks(inverse, r[part].reshape(n, k), out[part].reshape(n, k))
            first += n * k
        return out


def _invert(blocks: Float64) -> Float64:
    """Inverse of each block; pseudo-inverse where a level's columns depend on each other (zero stays zero)."""
    if blocks.shape[1] == 1:
        return np.divide(1.0, blocks, out=np.zeros_like(blocks), where=blocks > 0)
    values, vectors = np.linalg.eigh(blocks)
    keep = values > NULL_EIGENVALUE * values[:, -1:]
    scale = np.divide(1.0, values, out=np.zeros_like(values), where=keep)
    inverse: Float64 = np.einsum("nij,nj,nkj->nik", vectors, scale, vectors)
    return inverse
