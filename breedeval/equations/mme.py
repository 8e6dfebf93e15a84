"""Henderson's mixed model equations as an operator: C x without C.

C = W'R⁻¹W + blockdiag(0, K⁻¹ ⊗ Σ⁻¹), right-hand side b = W'R⁻¹y (Henderson 1973, Sire evaluation and genetic trends). A product
is the penalties and one pass over the records (see `breedeval.equations.record_pass`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import block_diag, csr_array

from breedeval.arrays import Float64, freeze
from breedeval.equations.incidence import Incidence, build_incidence
from breedeval.equations.penalty import Penalty, build_penalties
from breedeval.equations.record_pass import RecordPass, plan_record_pass
from breedeval.equations.residual import ResidualInverse, build_residual_inverse
from breedeval.kernels.columns import column_groups
from breedeval.kernels.incidence import diagonal_blocks
from breedeval.model.design import Design
from breedeval.model.layout import EquationBlock, Layout
from breedeval.model.variances import Variances
from breedeval.operators import SymmetricOperator
from breedeval.relationship.a_inverse import product_arrays


@dataclass(frozen=True)
class MixedModelEquations:
    """The operator C (N, N) and the right-hand side b (N,).

    Parameters
    ----------
    layout
        Blocks of equations.
    incidence, residual, penalties
        W, R⁻¹ and the penalties of the random blocks.
    right_hand_side
        (N,) b = W'R⁻¹y.
    record_pass
        How a product goes through the records.
    """

    layout: Layout
    incidence: Incidence
    residual: ResidualInverse
    penalties: tuple[Penalty, ...]
    right_hand_side: Float64
    record_pass: RecordPass = field(repr=False)

    @property
    def order(self) -> int:
        """Number of equations, N."""
        return self.layout.n_equations

    def multiply(self, x: Float64, out: Float64 | None = None) -> Float64:
        """Return C x for x (N,) or (N, k), written to `out` if given.

        Not for two threads at once on the same object: the pass over records has work arrays of its own.
        """
        x, out = product_arrays(x, out, self.order)
        if x.ndim == 1:
            self._multiply(x, out)
        else:
            self._multiply_columns(x, out)
        return out

    def _multiply_columns(self, x: Float64, out: Float64) -> None:
        """For any number of vectors, by groups that loops are compiled for."""
        widest = max((penalty.block.n_columns for penalty in self.penalties), default=1)
        groups = column_groups(x.shape[1], max(self.incidence.n_traits, widest))
        if len(groups) == 1 and groups[0].width == x.shape[1]:
            self._multiply(x, out)
            return
        for group in groups:
            here = slice(group.first, group.first + group.n)
            some = np.zeros((len(x), group.width))
            some[:, : group.n] = x[:, here]
            product = np.empty_like(some)
            self._multiply(freeze(some), product)
            out[:, here] = product[:, : group.n]

    def _multiply(self, x: Float64, out: Float64) -> None:
        n_fixed = self.penalties[0].block.first if self.penalties else self.order
        out[:n_fixed] = 0.0
        for penalty in self.penalties:
            penalty.multiply(x, out)
        self.record_pass.add_product(x, out)

    def diagonal(self) -> Float64:
        """(N,) diagonal of C."""
        parts = [np.einsum("ijj->ij", self.diagonal_blocks(block)).ravel() for block in self.layout.blocks]
        return np.concatenate(parts)

    def diagonal_blocks(self, block: EquationBlock) -> Float64:
        """(n_levels, k, k) diagonal blocks of C for the levels of `block`.

        Where two terms of a block meet the same level in one record (an animal that is its own dam) their product is left out;
        what remains is still positive semidefinite.
        """
        out = np.zeros((block.n_levels, block.n_columns, block.n_columns))
        w, r = self.incidence, self.residual
        for owner, index, s in zip(w.blocks, w.levels, w.by_term, strict=True):
            if owner.first == block.first:
                diagonal_blocks(
                    index.pointer,
                    index.order,
                    r.kind,
                    r.inverses,
                    r.weights,
                    r.weight_roots,
                    w.covariates,
                    s.column,
                    s.trait,
                    s.covariate,
                    out,
                )
        for penalty in self.penalties:
            if penalty.block.first == block.first:
                out += penalty.diagonal_blocks()
        return out

    def to_csr(self) -> csr_array:
        """Explicit C, for small systems, direct solution and tests."""
        w = self.incidence.to_csr()
        data = csr_array(w.T @ self.residual.to_csr() @ w)
        if not self.penalties:
            return data
        n_fixed = self.penalties[0].block.first
        fixed = [csr_array((n_fixed, n_fixed))] if n_fixed else []
        return csr_array(data + block_diag([*fixed, *(penalty.to_csr() for penalty in self.penalties)], format="csr"))


def build_equations(design: Design, variances: Variances, inverses: Mapping[str, SymmetricOperator]) -> MixedModelEquations:
    """Set up the equations of a design.

    Parameters
    ----------
    design, variances
        The model, and its (co)variances in the units of the records.
    inverses
        Inverse relationship matrices by the key that blocks name (`EquationBlock.relationship`): ``pedigree`` for A⁻¹ of the
        animals. Their rows are the levels of these blocks.
    """
    incidence = build_incidence(design)
    residual = build_residual_inverse(design, variances.residual)
    penalties = build_penalties(design.layout, variances, inverses)
    work = np.empty((design.n_records, design.n_traits))
    residual.multiply(design.observations, work)
    b = incidence.add_backward(work, np.zeros(design.layout.n_equations))
    return MixedModelEquations(design.layout, incidence, residual, penalties, freeze(b), plan_record_pass(incidence, residual))
