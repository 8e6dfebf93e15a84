"""Animals that are their own ancestors: all of them, as short loops with the full path."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from breedeval.arrays import NONE, Int32
from breedeval.kernels import order as kernels
from breedeval.pedigree.links import LinkIndex, peel


def find_loops(n: int, child: Int32, parent: Int32) -> list[Int32]:
    """Find loops that together contain every node that is on a loop.

    Parameters
    ----------
    n
        Number of nodes.
    child, parent
        (links,) node numbers of both ends of each link; no node its own parent.

    Returns
    -------
    list of (length,) int32
        Each loop from its smallest node not on an earlier loop; every node is followed by one of its parents, the last by
        the first.

    Notes
    -----
    Nodes that can be put into an order are taken away from both sides first, so that a pedigree without loops costs two passes.
    What is left is cut into strongly connected components (Tarjan 1972, SIAM J. Comput. 1:146); within one, the shortest loop
    through each node not yet covered is found breadth first.

    Examples
    --------
    >>> links = np.array([[0, 1], [1, 2], [2, 0], [3, 2]], dtype=np.int32)
    >>> [loop.tolist() for loop in find_loops(4, links[:, 0].copy(), links[:, 1].copy())]
    [[0, 1, 2]]
    """
    return search_loops(n, child, parent)[0]


def search_loops(n: int, child: Int32, parent: Int32, most_work: int | None = None) -> tuple[list[Int32], Int32]:
    """As :func:`find_loops`, but the search ends when it has looked at `most_work` nodes.

    Where columns are mixed up everything is on loops with everything else, and to cover all of it would take hours.

    Returns
    -------
    tuple
        The loops; and (k,) the nodes that are on other loops, which were not looked for.
    """
    child, parent = _on_both_sides(n, child, parent)
    if len(child) == 0:
        return [], child
    component = _components(n, child, parent)
    inside = component[child] == component[parent]
    child, parent = child[inside], parent[inside]
    index = LinkIndex.of(n, child, parent)
    came_from = np.full(n, NONE, dtype=np.int32)
    queue, path = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32)
    covered = np.zeros(n, dtype=np.bool_)
    loops: list[Int32] = []
    nodes, work = np.unique(child), 0
    for node in nodes:
        if most_work is not None and work > most_work:
            break
        if not covered[node]:
            length, looked_at = kernels.shortest_loop(node, index.pointers, index.neighbors, came_from, queue, path)
            covered[path[:length]] = True
            loops.append(path[:length].copy())
            work += int(looked_at)
    return loops, nodes[~covered[nodes]]


def _on_both_sides(n: int, child: Int32, parent: Int32) -> tuple[Int32, Int32]:
    """Links between nodes that neither an order from the oldest nor one from the youngest reaches."""
    from_oldest = peel(n, child, parent)
    if from_oldest.n_left == 0:
        return child[:0], parent[:0]
    left = from_oldest.level == NONE
    keep = left[child] & left[parent]
    child, parent = child[keep], parent[keep]
    left = peel(n, parent, child).level == NONE
    keep = left[child] & left[parent]
    return child[keep], parent[keep]


def _components(n: int, child: Int32, parent: Int32) -> Int32:
    graph = csr_array((np.ones(len(child), dtype=np.int8), (child, parent)), shape=(n, n))
    _, label = connected_components(graph, directed=True, connection="strong")
    component: Int32 = label.astype(np.int32)
    return component
