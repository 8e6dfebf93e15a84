"""Preconditioned conjugate gradients for several right-hand sides that share every pass over records and pedigree.

Each column has steps of its own, exactly those of `breedeval.solvers.pcg`; only the memory is read together. Columns that are
done leave the others alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breedeval.arrays import Bool, Float64, Int64, freeze
from breedeval.kernels.vectors import dot_columns, next_direction_columns, step_columns
from breedeval.operators import Preconditioner, SymmetricOperator

#: Columns are packed anew when no more than this part of them is still at work.
PACK_BELOW = 0.75


@dataclass(frozen=True)
class ColumnsResult:
    """Solutions of several right-hand sides.

    Parameters
    ----------
    solution
        (N, c).
    rounds
        (c,) rounds of each column.
    residual
        (c,) true ‖b − Cx‖ / ‖b‖ at the end.
    converged
        (c,) whether the true residual is at most the tolerance asked (ten times it, where rounding error shows).
    """

    solution: Float64
    rounds: Int64
    residual: Float64
    converged: Bool


def pcg_columns(
    operator: SymmetricOperator,
    b: Float64,
    preconditioner: Preconditioner,
    tolerance: float = 1e-6,
    max_rounds: int = 5_000,
    start: Float64 | None = None,
    energy: Float64 | None = None,
) -> ColumnsResult:
    """Solve C X = B.

    Parameters
    ----------
    operator
        C (N, N).
    b
        (N, c) right-hand sides, each in the range of C.
    preconditioner
        M⁻¹, applied to (N, c).
    tolerance
        Each column stops when ‖b − Cx‖ / ‖b‖ is at most this.
    max_rounds
        Most rounds.
    start
        (N, c) first guess; zero by default.
    energy
        (c,) r'M⁻¹r, about the squared energy norm of the error, at which each column stops, in the place of the tolerance; what
        ‖b − Cx‖ says depends on the units of covariates.

    Notes
    -----
    Five arrays of the size of `b`. A round of 16 columns takes a few times that of one column; see ``scripts/bench/solve``.
    """
    n_columns = b.shape[1]
    x = np.zeros_like(b) if start is None else np.array(start, dtype=np.float64)
    rounds = np.zeros(n_columns, dtype=np.int64)
    size = np.sqrt(_squares(b))
    size[size == 0.0] = 1.0
    active = np.arange(n_columns)
    state = _State.of(operator, b, preconditioner, x)
    for _ in range(max_rounds):
        left = np.sqrt(state.rr) > tolerance * size[active] if energy is None else state.rz > energy[active]
        working = left & (state.rz > 0.0)
        if not working.any():
            break
        if working.mean() <= PACK_BELOW:
            x[:, active] = state.x
            active, state = active[working], state.packed(working)
            working = np.ones(len(active), dtype=bool)
        state.round(operator, preconditioner, working)
        rounds[active[working]] += 1
    x[:, active] = state.x
    residual = np.sqrt(_squares(b - operator.multiply(x))) / size
    converged = residual <= 10.0 * tolerance
    if energy is not None:
        converged = np.ones(n_columns, dtype=bool)
        converged[active] = state.rz <= np.maximum(energy[active], 0.0)
    return ColumnsResult(freeze(x), freeze(rounds), freeze(residual), freeze(converged))


@dataclass
class _State:
    """The vectors of the columns at work, side by side."""

    x: Float64
    r: Float64
    p: Float64
    rz: Float64
    rr: Float64
    z: Float64
    q: Float64

    @classmethod
    def of(cls, operator: SymmetricOperator, b: Float64, preconditioner: Preconditioner, x: Float64) -> _State:
        r = b - operator.multiply(x)
        z = preconditioner.apply(r, np.empty_like(r))
        return cls(x.copy(), r, z.copy(), _products(r, z), _squares(r), z, np.empty_like(r))

    def round(self, operator: SymmetricOperator, preconditioner: Preconditioner, working: Bool) -> None:
        """One round; columns that do not work stay where they are."""
        operator.multiply(self.p, self.q)
        pq = _products(self.p, self.q)
        alpha = np.divide(self.rz, pq, out=np.zeros_like(pq), where=working & (pq > 0.0))
        step_columns(alpha, self.p, self.q, self.x, self.r)
        preconditioner.apply(self.r, self.z)
        rz = _products(self.r, self.z)
        beta = np.divide(rz, self.rz, out=np.zeros_like(rz), where=working & (self.rz > 0.0))
        next_direction_columns(self.z, beta, self.p)
        stuck = working & ~(pq > 0.0)
        self.rz, self.rr = np.where(stuck, 0.0, np.where(working, rz, self.rz)), _squares(self.r)

    def packed(self, working: Bool) -> _State:
        """Only the columns that work."""
        x, r, p = (np.ascontiguousarray(a[:, working]) for a in (self.x, self.r, self.p))
        return _State(x, r, p, self.rz[working], self.rr[working], np.empty_like(x), np.empty_like(x))


def _products(x: Float64, y: Float64) -> Float64:
    out = np.empty(x.shape[1])
    dot_columns(x, y, out)
    return out


def _squares(x: Float64) -> Float64:
    return _products(np.ascontiguousarray(x), np.ascontiguousarray(x))
