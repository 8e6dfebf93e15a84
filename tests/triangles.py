"""Lower triangles as dense matrices."""

from __future__ import annotations

import numpy as np

from breedeval.lower_triangle import LowerTriangle


def node_equations(triangle: LowerTriangle) -> list[list[int]]:
    """The equations of each node."""
    nodes = []
    for begin, end, width, _, _ in triangle.segments.tolist():
        nodes += [list(range(first, first + width)) for first in triangle.equation[begin:end].tolist()]
    return nodes


def node_pattern(triangle: LowerTriangle) -> np.ndarray:
    """(n, n) which blocks of the lower triangle are there."""
    pattern = np.zeros((triangle.n_nodes, triangle.n_nodes), dtype=bool)
    for p in range(triangle.n_nodes):
        pattern[triangle.row[triangle.pointer[p] : triangle.pointer[p + 1]], p] = True
    return pattern


def to_dense(triangle: LowerTriangle) -> np.ndarray:
    """The symmetric matrix in the order of the equations."""
    nodes, d = node_equations(triangle), 0
    matrix = np.full((triangle.n_equations, triangle.n_equations), 0.0)
    for p, columns in enumerate(nodes):
        k = len(columns)
        matrix[np.ix_(columns, columns)] = triangle.diagonal[d : d + k * k].reshape(k, k)
        d += k * k
        v = triangle.value_pointer[p]
        for q in range(triangle.pointer[p], triangle.pointer[p + 1]):
            rows = nodes[triangle.row[q]]
            part = triangle.value[v : v + len(rows) * k].reshape(len(rows), k)
            matrix[np.ix_(rows, columns)], matrix[np.ix_(columns, rows)] = part, part.T
            v += len(rows) * k
    return matrix
