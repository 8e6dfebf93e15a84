"""Incomplete Cholesky preconditioner: C ≈ L D L' on the pattern of C, with an exact factor of the last equations."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breedeval.arrays import Float64, Int32, Int64, freeze
from breedeval.kernels import triangular
from breedeval.kernels.columns import column_groups
from breedeval.kernels.incomplete_cholesky import Pattern, factorize, factorize_alike, fill_dense
from breedeval.lower_triangle import LowerTriangle

#: A pivot below this part of what it was before the elimination is called zero: of a random effect, and of an equation that may
#: depend on others, by the precision of the elements.
TOLERANCE = {np.dtype(np.float32): (1e-9, 1e-6), np.dtype(np.float64): (1e-13, 1e-10)}


@dataclass(frozen=True)
class IncompleteCholesky:
    """z = (L D L')⁻¹ r.

    Parameters
    ----------
    segments, n_sparse, pointer, value_pointer
        As in `LowerTriangle`.
    row
        Nodes; their first equations where all nodes are alike.
    value
        L.
    inverse
        D⁻¹ of the nodes before n_sparse.
    dense_equations, dense_inverse
        (T,) equations of the last nodes and (T, T) the inverse of what elimination leaves of them.
    width
        Equations a node if all nodes are alike, else 0.
    n_failed
        Pivots of random effects that were replaced by their first value: L D L' is not to be trusted if there are any.
    n_dependent
        Equations that proved dependent.
    seconds
        Taken by the factorization.
    """

    segments: Int64
    n_sparse: int
    pointer: Int64
    row: Int32
    value_pointer: Int64
    value: NDArray[Any]
    inverse: Float64
    dense_equations: Int64
    dense_inverse: Float64
    width: int
    n_failed: int
    n_dependent: int
    seconds: float
    name: str = "incomplete Cholesky"
    _work: Float64 = field(default_factory=lambda: np.empty(0), repr=False)

    @classmethod
    def of(cls, triangle: LowerTriangle, shift: float = 0.0) -> IncompleteCholesky:
        """Factorize a triangle in place: it is used up.

        Parameters
        ----------
        triangle
            Of C.
        shift
            The diagonal is multiplied by 1 + shift first.
        """
        began = time.perf_counter()
        segments = triangle.segments
        widths = segments[:, 4]
        uniform = int(widths[0]) if (widths == widths[0]).all() else 0
        pattern = _pattern(triangle, uniform)
        diagonal = triangle.diagonal
        if shift:
            diagonal *= 1.0 + shift
        equations = _dense_equations(triangle)
        dense = np.zeros((len(equations), len(equations)))
        fill_dense(pattern, triangle.value, diagonal, dense)
        first_values = dense.diagonal().copy()
        tolerance, counts = TOLERANCE[triangle.value.dtype], np.zeros(2, dtype=np.int64)
        _factorize(pattern, np.array(tolerance), triangle.value, diagonal, dense, counts)
        dense_inverse, n_null = _invert_dense(dense, first_values, tolerance[1])
        if uniform:
            triangular.rows_to_equations(segments, triangle.row)
        return cls(
            segments=segments,
            n_sparse=triangle.n_sparse,
            pointer=freeze(triangle.pointer),
            row=freeze(triangle.row),
            value_pointer=freeze(triangle.value_pointer),
            value=freeze(triangle.value),
            inverse=freeze(diagonal),
            dense_equations=freeze(equations),
            dense_inverse=freeze(dense_inverse),
            width=uniform,
            n_failed=int(counts[0]),
            n_dependent=int(counts[1]) + n_null,
            seconds=time.perf_counter() - began,
            _work=np.empty(max(len(equations), int(widths.max()))),
        )

    @property
    def n_bytes(self) -> int:
        """Memory of all arrays."""
        unique = {id(a.base if a.base is not None else a): a.nbytes for a in self._arrays()}
        return sum(unique.values())

    def apply(self, r: Float64, out: Float64) -> Float64:
        """Write z to `out`; both (N,) or (N, c). Not for two threads at once on the same object."""
        np.copyto(out, r)
        if out.ndim == 2:
            return self._apply_columns(out)
        where = (self.segments, self.n_sparse, self.pointer, self.row)
        if self.width:
            alike = (0,) * self.width
            triangular.forward_alike(alike, *where, self.value, self.inverse, self._work, out)
            triangular.multiply_dense(self.dense_inverse, self.dense_equations, self._work, out)
            triangular.backward_alike(alike, *where, self.value, self._work, out)
        else:
            triangular.forward_blocks(*where, self.value_pointer, self.value, self.inverse, self._work, out)
            triangular.multiply_dense(self.dense_inverse, self.dense_equations, self._work, out)
            triangular.backward_blocks(*where, self.value_pointer, self.value, self._work, out)
        return out

    def _apply_columns(self, out: Float64) -> Float64:
        """Replace the columns of `out` (N, c) by M⁻¹ times them."""
        groups = column_groups(out.shape[1])
        if not self.width or (len(groups) == 1 and groups[0].width == out.shape[1]):
            return self._apply_group(out)
        for group in groups:
            here = slice(group.first, group.first + group.n)
            some = np.zeros((len(out), group.width))
            some[:, : group.n] = out[:, here]
            out[:, here] = self._apply_group(some)[:, : group.n]
        return out

    def _apply_group(self, out: Float64) -> Float64:
        work = np.empty((int(self.segments[:, 4].max()), out.shape[1]))
        where = (self.segments, self.n_sparse, self.pointer, self.row)
        if self.width:
            alike = ((0,) * out.shape[1], (0,) * self.width, *where, self.value)
            triangular.forward_columns_alike(*alike, self.inverse, work, out)
        else:
            triangular.forward_columns(*where, self.value_pointer, self.value, self.inverse, work, out)
        out[self.dense_equations] = self.dense_inverse @ out[self.dense_equations]
        if self.width:
            triangular.backward_columns_alike(*alike, work, out)
        else:
            triangular.backward_columns(*where, self.value_pointer, self.value, work, out)
        return out

    def _arrays(self) -> list[NDArray[Any]]:
        return [self.pointer, self.row, self.value_pointer, self.value, self.inverse, self.dense_equations, self.dense_inverse]


def _pattern(triangle: LowerTriangle, uniform: int) -> Pattern:
    segments = triangle.segments
    sizes = (segments[:, 1] - np.maximum(segments[:, 0], triangle.n_sparse)).clip(min=0) * segments[:, 4]
    place = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    return Pattern(
        segments, triangle.pointer, triangle.row, triangle.value_pointer, triangle.n_sparse, uniform, place.astype(np.int64)
    )


def _factorize(
    pattern: Pattern, tolerance: Float64, value: NDArray[Any], diagonal: Float64, dense: Float64, counts: Int64
) -> None:
    original = diagonal.copy()
    if pattern.uniform:
        alike = (0,) * pattern.uniform
        structure = (pattern.segments, pattern.pointer, pattern.row, pattern.n_sparse, pattern.dense_place)
        factorize_alike(alike, *structure, original, tolerance, value, diagonal, dense, counts)
    else:
        factorize(pattern, original, tolerance, value, diagonal, dense, counts)


def _dense_equations(triangle: LowerTriangle) -> Int64:
    parts = [np.empty(0, dtype=np.int64)]
    for begin, end, equation, step, width, _, _ in triangle.segments:
        if end > triangle.n_sparse:
            firsts = equation + step * np.arange(end - begin)
            parts.append((firsts[:, None] + np.arange(width)).ravel())
    return np.concatenate(parts)


def _invert_dense(dense: Float64, first_values: Float64, tolerance: float) -> tuple[Float64, int]:
    """Inverse of what elimination left of the last equations, from its lower triangle.

    Scaled by the diagonal before the elimination; directions of which nothing is left keep that diagonal. These are the
    dependent ones, which the fill that was dropped before may even have made negative. Also returns their number.
    """
    if not len(dense):
        return dense, 0
    root = np.sqrt(first_values)
    scale = np.divide(1.0, root, out=np.zeros_like(root), where=root > 0)
    lower = np.tril(dense, k=-1)
    full = (lower + lower.T + np.diag(dense.diagonal())) * scale[:, None] * scale
    values, vectors = np.linalg.eigh(full)
    null = values < tolerance
    weight = 1.0 / np.where(null, 1.0, values)
    inverse: Float64 = (scale[:, None] * vectors * weight) @ (vectors.T * scale)
    return (inverse + inverse.T) / 2, int(null.sum())
