"""Parents before progeny: who is whose parent, how old in generations, and the order of rows.

A link is a pair (child, parent) of node numbers. Node numbers below 0, or beyond the last node, stand for "unknown".
"""

from __future__ import annotations

from breedeval.kernels.compile import compiled


@compiled
def count_links(parent, pointers_out):
    """Add the number of links of each parent to pointers_out[parent + 1]; pointers_out (n + 1,) int64 starts as zeros."""
    n = pointers_out.shape[0] - 1
    for i in range(parent.shape[0]):
        if 0 <= parent[i] < n:
            pointers_out[parent[i] + 1] += 1


@compiled
def fill_links(child, parent, next_free_out, children_out):
    """Write the children of each parent, in the order of the links, from next_free_out[parent] on (which moves)."""
    n = next_free_out.shape[0]
    for i in range(parent.shape[0]):
        p = parent[i]
        if 0 <= p < n:
            children_out[next_free_out[p]] = child[i]
            next_free_out[p] += 1


@compiled
def peel_levels(waiting, pointers, children, queue_out, level_out):
    """Level of each node: the number of links on its longest path to a node without parents.

    Kahn (1962, Commun. ACM 5:558): take nodes whose parents are all taken. ``waiting`` (n,) int32 is the number of links to
    parents of each node; it is used up. Nodes on a loop, and all that descend from one, are never taken and keep what level_out
    held. Returns the number of nodes taken; these are queue_out[:taken].
    """
    last = 0
    for i in range(waiting.shape[0]):
        if waiting[i] == 0:
            queue_out[last] = i
            level_out[i] = 0
            last += 1
    first = 0
    while first < last:
        parent = queue_out[first]
        first += 1
        for k in range(pointers[parent], pointers[parent + 1]):
            child = children[k]
            waiting[child] -= 1
            if waiting[child] == 0:
                # The last parent taken has the highest level: the queue runs level by level.
                level_out[child] = level_out[parent] + 1
                queue_out[last] = child
                last += 1
    return last


@compiled
def order_by_dam(level, no_dam, pointers, children, next_free_out, order_out):
    """Order nodes by level, inside a level by the new place of the dam, then by node number.

    ``no_dam`` (m,) lists the nodes without a dam, ``pointers`` and ``children`` the progeny of each dam. next_free_out
    (levels,) holds the first place of each level and moves. One pass: when a level is reached, all dams of its animals have
    been passed in their new order, and each has put her progeny into their levels.
    """
    for k in range(no_dam.shape[0]):
        node = no_dam[k]
        order_out[next_free_out[level[node]]] = node
        next_free_out[level[node]] += 1
    for place in range(order_out.shape[0]):
        dam = order_out[place]
        for k in range(pointers[dam], pointers[dam + 1]):
            node = children[k]
            order_out[next_free_out[level[node]]] = node
            next_free_out[level[node]] += 1


@compiled
def ancestral_levels(sire, dam, level_out):
    """Level of each animal of a pedigree with parents before progeny; 0 for an animal whose parents are unknown."""
    n = sire.shape[0]
    for i in range(n):
        level = 0
        if 0 <= sire[i] < n:
            level = level_out[sire[i]] + 1
        if 0 <= dam[i] < n and level_out[dam[i]] >= level:
            level = level_out[dam[i]] + 1
        level_out[i] = level


@compiled
def shortest_loop(start, pointers, parents, came_from_out, queue_out, path_out):
    """Shortest loop through ``start``: breadth first along the links to parents.

    ``came_from_out`` (n,) int32 holds −1 everywhere, and does so again at the end. The nodes of the loop go to path_out, start
    first, each followed by one of its parents. Returns the number of nodes, 0 if there is no loop.
    """
    queue_out[0] = start
    first, last = 0, 1
    length = 0
    while first < last and length == 0:
        node = queue_out[first]
        first += 1
        for k in range(pointers[node], pointers[node + 1]):
            parent = parents[k]
            if parent == start:
                while node != start:
                    path_out[length] = node
                    length += 1
                    node = came_from_out[node]
                path_out[length] = start
                length += 1
                break
            if came_from_out[parent] < 0:
                came_from_out[parent] = node
                queue_out[last] = parent
                last += 1
    for k in range(last):
        came_from_out[queue_out[k]] = -1
    for k in range(length // 2):
        path_out[k], path_out[length - 1 - k] = path_out[length - 1 - k], path_out[k]
    return length
