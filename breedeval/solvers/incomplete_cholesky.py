"""Incomplete Cholesky preconditioner: C ≈ L D L' on the pattern of C, with an exact factor of the last equations."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breedeval.arrays import Float64, Int8, Int32, Int64, empty_columns, freeze
from breedeval.kernels import incomplete_alike as kernels
from breedeval.kernels.columns import column_groups
from breedeval.kernels.factor_storage import find_runs, find_splits
from breedeval.kernels.incomplete_cholesky import Pattern, factorize, fill_dense
from breedeval.kernels.threads import cut_range, map_parts, n_threads
from breedeval.kernels.triangular import multiply_dense
from breedeval.lower_triangle import LowerTriangle
from breedeval.solvers.factor_storage import FactorStorage

#: A pivot below this part of what it was before the elimination is called zero: of a random effect, and of an equation that may
#: depend on others, by the precision of the elements.
TOLERANCE = {np.dtype(np.float32): (1e-9, 1e-6), np.dtype(np.float64): (1e-13, 1e-10)}

#: Shorter runs of nodes are eliminated by one thread.
SHORTEST_RUN = 4_096
#: What the last nodes are of all work, about.
LAST_NODES = 0.15


@dataclass(frozen=True)
class IncompleteCholesky:
    """z = (L D L')⁻¹ r.

    Parameters
    ----------
    factor
        L, but for the last equations.
    inverse
        D⁻¹ of the nodes before these.
    dense_equations, dense_inverse
        (T,) last equations and (T, T) the inverse of what elimination leaves of them.
    width
        Equations a node if all nodes are alike, else 0.
    n_elements
        Elements of L between two nodes, as many as the triangle has.
    n_failed
        Pivots of random effects that were replaced by their first value: L D L' is not to be trusted if there are any.
    n_dependent
        Equations that proved dependent.
    seconds
        Taken by the factorization.
    """

    factor: FactorStorage
    inverse: Float64
    dense_equations: Int64
    dense_inverse: Float64
    width: int
    n_elements: int
    n_failed: int
    n_dependent: int
    seconds: float
    name: str = "incomplete Cholesky"

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
        widths = triangle.segments[:, 2]
        uniform = int(widths[0]) if (widths == widths[0]).all() else 0
        pattern = _pattern(triangle, uniform)
        diagonal = triangle.diagonal
        if shift:
            diagonal *= 1.0 + shift
        equations, places = _dense_equations(triangle)
        dense = np.zeros((len(equations), len(equations)))
        fill_dense(pattern, triangle.value, diagonal, dense)
        first_values = dense.diagonal().copy()
        tolerance, counts = TOLERANCE[triangle.value.dtype], np.zeros(2, dtype=np.int64)
        _factorize(pattern, np.array(tolerance), triangle.value, diagonal, dense, counts)
        dense_inverse, n_null = _invert_dense(dense, first_values, tolerance[1])
        n_elements = len(triangle.row)
        return cls(
            factor=FactorStorage.of(triangle, places),
            inverse=freeze(diagonal),
            dense_equations=freeze(equations),
            dense_inverse=freeze(dense_inverse),
            width=uniform,
            n_elements=n_elements,
            n_failed=int(counts[0]),
            n_dependent=int(counts[1]) + n_null,
            seconds=time.perf_counter() - began,
        )

    @property
    def n_bytes(self) -> int:
        """Memory of all arrays."""
        return self.factor.n_bytes + self.inverse.nbytes + self.dense_equations.nbytes + self.dense_inverse.nbytes

    def apply(self, r: Float64, out: Float64) -> Float64:
        """Write z to `out`; both (N,) or (N, c). The same bits for any number of threads."""
        if out.ndim == 2:
            self.apply_with_products(r, out)
            return out
        np.copyto(out, r)
        last = self.dense_equations
        shares, dense = self.factor.forward(len(last), out), np.empty(len(last))
        multiply_dense(self.dense_inverse, out[last] - shares, dense)
        self.factor.backward(self.inverse, dense, out)
        out[last] = dense
        return out

    def apply_with_products(self, r: Float64, out: Float64) -> Float64:
        """Write z (N, c) to `out` and return r'z of each column (c,): the sum of y'D⁻¹y, where L y = r."""
        r, groups = np.ascontiguousarray(r), column_groups(r.shape[1], self.factor.widest)
        if len(groups) == 1 and groups[0].width == r.shape[1]:
            return self._apply_group(r, out)
        products = np.empty(r.shape[1])
        for group in groups:
            here = slice(group.first, group.first + group.n)
            some, z = empty_columns(len(r), group.width), empty_columns(len(r), group.width)
            some[:, : group.n], some[:, group.n :] = r[:, here], 0.0
            products[here] = self._apply_group(some, z)[: group.n]
            out[:, here] = z[:, : group.n]
        return products

    def _apply_group(self, r: Float64, out: Float64) -> Float64:
        last = self.dense_equations
        left = r[last] - self.factor.forward_columns(r, len(last), out)
        dense = self.dense_inverse @ left
        products = self.factor.backward_columns(self.inverse, dense, out)
        out[last] = dense
        products += (left * dense).sum(axis=0)
        return products


def _pattern(triangle: LowerTriangle, uniform: int) -> Pattern:
    segments = triangle.segments
    sizes = (segments[:, 1] - np.maximum(segments[:, 0], triangle.n_sparse)).clip(min=0) * segments[:, 2]
    place = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    return Pattern(
        segments, triangle.pointer, triangle.row, triangle.value_pointer, triangle.n_sparse, uniform, place.astype(np.int64)
    )


def _factorize(
    pattern: Pattern, tolerance: Float64, value: NDArray[Any], diagonal: Float64, dense: Float64, counts: Int64
) -> None:
    original = diagonal.copy()
    if not pattern.uniform:
        factorize(pattern, original, tolerance, value, diagonal, dense, counts)
        return
    alike, n = (0,) * pattern.uniform, pattern.n_sparse
    structure, out = (pattern.pointer, pattern.row, n), (value, diagonal, dense)
    pivots = (pattern.segments, original, tolerance)
    for low, high, is_shared in _runs(pattern):
        if is_shared:
            _eliminate_by_threads(alike, low, high, pivots, structure, out, counts)
        else:
            kernels.eliminate(alike, low, high, _owners(1), *pivots, *structure, *out, counts)


def _runs(pattern: Pattern) -> list[tuple[int, int, bool]]:
    """First and end node of runs, and whether threads may share them: these are not linked with each other."""
    n = pattern.n_sparse
    if n_threads() == 1:
        return [(0, n, False)]
    split, ends = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    find_splits(pattern.pointer, pattern.row, n, split)
    found, low, begin = [], 0, 0
    for end in ends[: find_runs(pattern.pointer, split, pattern.row, pattern.segments, ends)].tolist():
        if end - begin >= SHORTEST_RUN:
            found += [(low, begin, False)] if low < begin else []
            found.append((begin, end, True))
            low = end
        begin = end
    return [*found, (low, n, False)] if low < n else found


def _eliminate_by_threads(
    alike: tuple[int, ...],
    low: int,
    high: int,
    pivots: tuple[Any, ...],
    structure: tuple[Any, ...],
    out: tuple[Any, ...],
    counts: Int64,
) -> None:
    """Eliminate nodes that are not linked with each other, the same bits for any number of threads."""
    (value, diagonal, _), (segments, original, tolerance), pointer = out, pivots, structure[0]
    owners, threads = _owners(n_threads()), list(range(n_threads()))
    ranges = [(low + first, low + end) for first, end in cut_range(high - low, smallest=1)]

    def invert(nodes: tuple[int, int]) -> Any:
        return kernels.invert_pivots(alike, nodes[0], nodes[1], segments, original, tolerance, diagonal)

    def scale(nodes: tuple[int, int]) -> None:
        kernels.scale_columns(alike, nodes[0], nodes[1], pointer, diagonal, value)

    for failed in map_parts(invert, ranges):
        counts += failed
    list(map_parts(lambda thread: kernels.eliminate_shared(alike, low, high, thread, owners, *structure, *out), threads))
    list(map_parts(scale, ranges))


def _owners(threads: int) -> Int8:
    """(64,) the thread that owns each node; the first has fewer, as it owns all the last nodes."""
    share = 1.0 if threads == 1 else max(0.0, 1.0 / threads - LAST_NODES)
    rest = np.linspace(1, threads, kernels.SLOTS - round(share * kernels.SLOTS), endpoint=False)
    return np.concatenate([np.zeros(round(share * kernels.SLOTS)), rest]).astype(np.int8)


def _dense_equations(triangle: LowerTriangle) -> tuple[Int64, Int32]:
    """The last equations, and the place of each node's first one among them (0 for other nodes)."""
    parts, places, n = [np.empty(0, dtype=np.int64)], np.zeros(triangle.n_nodes, dtype=np.int32), 0
    for begin, end, width, _, _ in triangle.segments:
        if end > triangle.n_sparse:
            parts.append((triangle.equation[begin:end, None].astype(np.int64) + np.arange(width)).ravel())
            places[begin:end] = n + width * np.arange(end - begin)
            n += width * (end - begin)
    return np.concatenate(parts), places


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
