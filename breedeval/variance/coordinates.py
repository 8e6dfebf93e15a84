"""Other coordinates for correlated effects: u = F v with Σ = F F', so that v has the (co)variance I.

Near the boundary of the parameter space Σ⁻¹ has huge elements, and differences that the gradient needs drown in rounding. In
the coordinates v the equations F'W'R⁻¹WF + K⁻¹ ⊗ I are well conditioned whatever Σ is (Bates et al. 2015, J. Stat. Softw.
67(1), use them for mixed models). Effects that stand alone need no change: their equations are only scaled.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from breedeval.arrays import Float64, Int64, distinct, freeze
from breedeval.kernels.congruence import transform_blocks
from breedeval.model.layout import EquationBlock
from breedeval.variance.parameters import Matrices


@dataclass(frozen=True)
class Nodes:
    """Rows of the kept equations that are transformed together: the columns of a level.

    Parameters
    ----------
    start
        (nodes + 1,) first row of each node.
    of_row
        (n,) node of each row.
    block
        (nodes,) random block of a node; −1 for a row that stands alone.
    transformed
        Numbers of the random blocks that are transformed.
    n_levels
        Levels of each of these, by number.
    """

    start: Int64
    of_row: Int64
    block: Int64
    transformed: tuple[int, ...]
    n_levels: tuple[int, ...]

    def complete(self, order: int, keys: Int64) -> Int64:
        """All elements between any two nodes that share one, as column × order + row with row ≤ column, ascending."""
        keys = distinct(keys)
        if not self.transformed:
            return keys
        column, row = np.divmod(keys, order)
        n = len(self.block)
        pairs = distinct(self.of_row[column] * n + self.of_row[row])
        high, low = np.divmod(pairs, n)
        size = np.diff(self.start)
        found = []
        for k_high in np.unique(size):
            for k_low in np.unique(size):
                here = (size[high] == k_high) & (size[low] == k_low)
                columns = self.start[high[here]][:, None, None] + np.arange(k_high)[:, None]
                rows = self.start[low[here]][:, None, None] + np.arange(k_low)
                columns, rows = np.broadcast_arrays(columns, rows)
                upper = rows <= columns
                found.append(columns[upper] * order + rows[upper])
        return np.asarray(np.sort(np.concatenate(found)))

    def transform(self, pointer: Int64, row: Int64, values: Float64, factors: Matrices) -> Float64:
        """F' C F on the upper triangle of C; `factors` are those of all random blocks."""
        if not self.transformed:
            return values
        size = max(len(factor) for factor in factors)
        packed = np.zeros((len(factors), size, size))
        for number, factor in enumerate(factors):
            packed[number, : len(factor), : len(factor)] = factor
        out = np.empty_like(values)
        transform_blocks(pointer, row, self.of_row, self.start, self.block, packed, values, out)
        return out

    def multiply(self, x: Float64, factors: Matrices) -> Float64:
        """F x for x (n, c); F' x by the transposed factors."""
        if not self.transformed:
            return x
        out = x.copy()
        for number in self.transformed:
            k = len(factors[number])
            rows = self.start[:-1][self.block == number]
            here = rows[:, None] + np.arange(k)
            out[here] = np.einsum("ij,ljc->lic", factors[number], x[here])
        return out


def find_nodes(random: Sequence[EquationBlock], kept: Int64, n_equations: int, among: Collection[int] | None = None) -> Nodes:
    """Nodes of the kept equations: the levels of random blocks of several columns, other rows one by one.

    A block of which single columns of a level are constrained (a fixed group) is left as it is, and so are blocks whose number
    is not `among` those given.
    """
    new = np.full(n_equations, -1, dtype=np.int64)
    new[kept] = np.arange(len(kept))
    block_of_row = np.full(len(kept), -1, dtype=np.int64)
    is_first = np.ones(len(kept), dtype=bool)
    transformed, counts = [], []
    for number, block in enumerate(random):
        rows = new[block.equations].reshape(block.n_levels, block.n_columns)
        there = (rows >= 0).all(axis=1)
        if block.n_columns == 1 or (rows[~there] >= 0).any() or (among is not None and number not in among):
            continue
        block_of_row[rows[there]] = number
        is_first[rows[there][:, 1:]] = False
        transformed.append(number)
        counts.append(int(there.sum()))
    first = np.flatnonzero(is_first)
    return Nodes(
        freeze(np.append(first, len(kept))),
        freeze(np.cumsum(is_first) - 1),
        freeze(block_of_row[first]),
        tuple(transformed),
        tuple(counts),
    )
