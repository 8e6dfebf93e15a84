"""The lower triangle of a symmetric matrix in an order of elimination: what the equations give and a preconditioner takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from breedeval.arrays import Float64, Int32, Int64


@dataclass(frozen=True)
class LowerTriangle:
    """Blocks of equations that are eliminated together (nodes) and the elements between them.

    Parameters
    ----------
    segments
        (S, 5) int64, one row a run of nodes of the same width: first node, end node, equations a node, place of the first
        element in `diagonal`, and whether dependent equations are to be expected (1: fixed effects).
    equation
        (n,) int32 first equation of each node.
    pointer
        (n + 1,) elements of each column: ``row[pointer[p]:pointer[p + 1]]``.
    row
        int32 nodes, ascending within a column, all behind the column's own.
    value_pointer
        (n + 1,) where the values of each column begin.
    value
        float32 or float64, a matrix (width of row, width of column) for each element.
    diagonal
        A matrix (width, width) a node.
    n_sparse
        Nodes from here on are few and meet almost everything: they are worth an exact factor.
    left_out
        Names of effects whose levels have too many links among them: these elements are not there.
    """

    segments: Int64
    equation: Int32
    pointer: Int64
    row: Int32
    value_pointer: Int64
    value: NDArray[Any]
    diagonal: Float64
    n_sparse: int
    left_out: tuple[str, ...] = ()

    @property
    def n_nodes(self) -> int:
        """Number of nodes, n."""
        return len(self.pointer) - 1

    @property
    def n_equations(self) -> int:
        """Number of equations, N."""
        return int(((self.segments[:, 1] - self.segments[:, 0]) * self.segments[:, 2]).sum())

    @property
    def n_bytes(self) -> int:
        """Memory of all arrays."""
        unique = {
            id(a): a.nbytes for a in (self.equation, self.pointer, self.row, self.value_pointer, self.value, self.diagonal)
        }
        return sum(unique.values())
