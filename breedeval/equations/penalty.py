"""What a random effect adds to the equations: K⁻¹ ⊗ Σ⁻¹ on its block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, eye_array, kron

from breedeval.arrays import Float64, freeze
from breedeval.kernels.blocks import multiply_middle
from breedeval.kernels.columns import MOST_NUMBERS
from breedeval.model.layout import IDENTITY, EquationBlock, Layout
from breedeval.model.variances import Variances
from breedeval.operators import KroneckerOperator, SymmetricOperator


@dataclass(frozen=True)
class Penalty:
    """K⁻¹ ⊗ Σ⁻¹ of one block.

    Parameters
    ----------
    block
        The block of equations, n_levels × k.
    relationship_inverse
        K⁻¹ (n_levels, n_levels); None for the identity.
    covariance_inverse
        Σ⁻¹ (k, k).
    """

    block: EquationBlock
    relationship_inverse: SymmetricOperator | None
    covariance_inverse: Float64

    def multiply(self, x: Float64, out: Float64) -> None:
        """Write K⁻¹ X Σ⁻¹ to the block's part of `out`; `x` and `out` are of all equations, (N,) or (N, c)."""
        block, inverse = self.block, self.relationship_inverse
        shape = (block.n_levels, -1)
        part, out_part = x[block.equations].reshape(shape), out[block.equations].reshape(shape)
        k, c = block.n_columns, x.size // len(x)
        if isinstance(inverse, KroneckerOperator) and k * c <= MOST_NUMBERS:
            inverse.multiply_kronecker(part, self.covariance_inverse, out_part)
            return
        if inverse is not None:
            inverse.multiply(part, out_part)
            part = out_part
        if k * c > MOST_NUMBERS:
            out_part[:] = np.matmul(self.covariance_inverse, part.reshape(-1, k, c)).reshape(out_part.shape)
            return
        multiply_middle((0,) * k, (0,) * c, (0,) * (k * c), freeze(part), freeze(self.covariance_inverse), out_part)

    def diagonal_blocks(self) -> Float64:
        """(n_levels, k, k) diagonal blocks."""
        inverse = self.relationship_inverse
        weight = np.ones(self.block.n_levels) if inverse is None else inverse.diagonal()
        return weight[:, None, None] * self.covariance_inverse

    def to_csr(self) -> csr_array:
        """Explicit matrix of the block."""
        left = eye_array(self.block.n_levels) if self.relationship_inverse is None else self.relationship_inverse.to_csr()
        return csr_array(kron(left, self.covariance_inverse))


def build_penalties(layout: Layout, variances: Variances, inverses: Mapping[str, SymmetricOperator]) -> tuple[Penalty, ...]:
    """One penalty for each random block; `inverses` holds the inverse of each relationship but the identity, by its key."""
    return tuple(
        Penalty(
            block,
            None if block.relationship == IDENTITY else inverses[block.relationship],
            freeze(np.linalg.inv(variances.random[block.key].matrix).astype(np.float64)),
        )
        for block in layout.random
    )
