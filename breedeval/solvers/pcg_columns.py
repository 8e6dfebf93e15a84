"""Preconditioned conjugate gradients for several right-hand sides that share every pass over records and pedigree.

Each column has steps of its own, exactly those of `breedeval.solvers.pcg`; only the memory is read together. Columns that are
done leave the others alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breedeval.arrays import Bool, Float64, Int64, empty_columns, freeze
from breedeval.kernels.columns import column_groups
from breedeval.kernels.vectors import dot_columns, residual_columns, step_columns
from breedeval.operators import ColumnsPreconditioner, Preconditioner, SymmetricOperator


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
    Six arrays of the size of `b`, of at most 16 columns at once. A round of 16 columns takes a few times that of one; see
    ``scripts/bench/solve``.
    """
    parts = [slice(group.first, group.first + group.n) for group in column_groups(b.shape[1])]
    solved = [
        _solve_group(
            operator,
            b[:, part],
            preconditioner,
            tolerance,
            max_rounds,
            None if start is None else start[:, part],
            None if energy is None else energy[part],
        )
        for part in parts
    ]
    if len(solved) == 1:
        return solved[0]
    return ColumnsResult(
        freeze(np.hstack([part.solution for part in solved])),
        freeze(np.concatenate([part.rounds for part in solved])),
        freeze(np.concatenate([part.residual for part in solved])),
        freeze(np.concatenate([part.converged for part in solved])),
    )


def _solve_group(
    operator: SymmetricOperator,
    right: Float64,
    preconditioner: Preconditioner,
    tolerance: float,
    max_rounds: int,
    start: Float64 | None,
    energy: Float64 | None,
) -> ColumnsResult:
    """Columns that are worked on together, with empty ones beside them up to a number that loops are compiled for."""
    n = right.shape[1]
    b, x = _widened(right), _widened(np.zeros_like(right) if start is None else start)
    rounds = np.zeros(b.shape[1], dtype=np.int64)
    size = np.sqrt(_squares(b))
    size[size == 0.0] = 1.0
    limit = None if energy is None else np.append(energy, np.zeros(b.shape[1] - n))
    active = np.arange(b.shape[1])
    state = _State.of(operator, b, preconditioner, x)
    for _ in range(max_rounds):
        left = np.sqrt(state.rr) > tolerance * size[active] if limit is None else state.rz > limit[active]
        working = left & (state.rz > 0.0)
        if not working.any():
            break
        keep = _fewer(working)
        if len(keep) < len(active):
            x[:, active] = state.x
            active, working, state = active[keep], working[keep], state.packed(keep)
        state.round(operator, preconditioner, working)
        rounds[active[working]] += 1
    x[:, active] = state.x
    met = np.ones(b.shape[1], dtype=bool)
    if limit is not None:
        met[active] = state.rz <= np.maximum(limit[active], 0.0)
    del state
    residual = (np.sqrt(_squares(b - operator.multiply(x))) / size)[:n]
    converged = residual <= 10.0 * tolerance if limit is None else met[:n]
    return ColumnsResult(freeze(np.ascontiguousarray(x[:, :n])), freeze(rounds[:n]), freeze(residual), freeze(converged))


def _widened(columns: Float64) -> Float64:
    """A copy with columns of zeros up to the next number that loops are compiled for."""
    (group,) = column_groups(columns.shape[1])
    out = empty_columns(len(columns), group.width)
    out[:, : group.n], out[:, group.n :] = columns, 0.0
    return out


def _fewer(working: Bool) -> Int64:
    """Columns to go on with: those at work, and others up to a number that loops are compiled for."""
    (group,) = column_groups(int(working.sum()))
    return np.sort(np.argsort(~working, kind="stable")[: group.width])


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
        r, z, q = (empty_columns(*b.shape) for _ in range(3))
        np.subtract(b, operator.multiply(x, q), out=r)
        rz = _precondition(preconditioner, r, z)
        return cls(_copy(x), r, _copy(z), rz, _squares(r), z, q)

    def round(self, operator: SymmetricOperator, preconditioner: Preconditioner, working: Bool) -> None:
        """One round; columns that do not work stay where they are."""
        operator.multiply(self.p, self.q)
        pq = _products(self.p, self.q)
        alpha = np.divide(self.rz, pq, out=np.zeros_like(pq), where=working & (pq > 0.0))
        columns, rr = (0,) * len(alpha), np.empty_like(alpha)
        residual_columns(columns, alpha, self.q, self.r, rr)
        rz = _precondition(preconditioner, self.r, self.z)
        beta = np.divide(rz, self.rz, out=np.zeros_like(rz), where=working & (self.rz > 0.0))
        step_columns(columns, alpha, self.z, beta, self.p, self.x)
        stuck = working & ~(pq > 0.0)
        self.rz, self.rr = np.where(stuck, 0.0, np.where(working, rz, self.rz)), rr

    def packed(self, keep: Int64) -> _State:
        """Only some of the columns."""
        x, r, p = (_copy(a[:, keep]) for a in (self.x, self.r, self.p))
        return _State(x, r, p, self.rz[keep], self.rr[keep], empty_columns(*x.shape), empty_columns(*x.shape))


def _precondition(preconditioner: Preconditioner, r: Float64, z: Float64) -> Float64:
    """Write M⁻¹ r to z and return r'z of each column."""
    if isinstance(preconditioner, ColumnsPreconditioner):
        return preconditioner.apply_with_products(r, z)
    return _products(r, preconditioner.apply(r, z))


def _copy(columns: Float64) -> Float64:
    out = empty_columns(*columns.shape)
    np.copyto(out, columns)
    return out


def _products(x: Float64, y: Float64) -> Float64:
    out = np.empty(x.shape[1])
    dot_columns((0,) * len(out), x, y, out)
    return out


def _squares(x: Float64) -> Float64:
    return _products(np.ascontiguousarray(x), np.ascontiguousarray(x))
