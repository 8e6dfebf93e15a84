"""Parents before progeny: who is whose parent, how old in generations, and the order of rows.

A link is a pair (child, parent) of node numbers. Node numbers below 0, or beyond the last node, stand for "unknown".
"""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled, inlined

_DIGIT_BITS = 11
_DIGIT = (1 << _DIGIT_BITS) - 1
_SMALL_DIGIT_BITS = 7
_SMALL_DIGIT = (1 << _SMALL_DIGIT_BITS) - 1


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
def peel_levels(waiting, pointers, children, lowest, queue_out, level_out):
    """Level of each node: the number of links on its longest path to a node without parents, and at least its `lowest`.

    Kahn (1962, Commun. ACM 5:558): take nodes whose parents are all taken. ``waiting`` (n,) int32 is the number of links to
    parents of each node, ``lowest`` (n,) int32 the level it has at least; both are used up. Nodes on a loop, and all that
    descend from one, are never taken and keep what level_out held. Returns the number of nodes taken: queue_out[:taken].
    """
    last = 0
    for i in range(waiting.shape[0]):
        if waiting[i] == 0:
            queue_out[last] = i
            level_out[i] = lowest[i]
            last += 1
    first = 0
    while first < last:
        parent = queue_out[first]
        first += 1
        for k in range(pointers[parent], pointers[parent + 1]):
            child = children[k]
            waiting[child] -= 1
            lowest[child] = max(lowest[child], level_out[parent] + 1)
            if waiting[child] == 0:
                level_out[child] = lowest[child]
                queue_out[last] = child
                last += 1
    return last


@compiled
def start_levels(sire, dam, first, last, not_known, height_out, waiting_out):
    """Height of the nodes first to last − 1, in one pass as they stand; a node whose parents are not known yet has to wait.

    The height is one more than the links on the longest path to a node without parents; parents are codes, −1 unknown.
    height_out (n + 1,), of any unsigned type, comes with ``not_known``, its highest value, everywhere but in its last place,
    which is for the unknown parent and 0; a node that has to wait, or is too high for the type, keeps it. waiting_out
    (last − first,) int32 lists those that wait. Returns how many do. Threads may do parts of the nodes at a time: whether one
    sees what another has just found changes who waits, and no height.
    """
    n = sire.shape[0]
    n_left = 0
    for i in range(first, last):
        waiting_out[n_left] = i
        n_left += _rise(i, sire[i], dam[i], n, not_known, height_out)
    return n_left


@inlined
def _rise(node, sire, dam, n, not_known, height_out):
    """Height of a node from those of its parents; True if it has to wait.

    No branches: half of them would be guessed wrong, and each guess would wait for memory.
    """
    s, d = np.uint32(sire if sire >= 0 else n), np.uint32(dam if dam >= 0 else n)
    highest = np.int64(max(height_out[s], height_out[d]))
    waits = highest + 1 >= not_known
    height_out[node] = not_known if waits else highest + 1
    return waits


@compiled
def count_births(born, oldest, counts_out):
    """Add to counts_out (c,) int64 the births (k,) int32 of the years from oldest on; the first takes earlier ones too."""
    for i in range(born.shape[0]):
        counts_out[max(born[i] - oldest, 0)] += 1


@compiled
def sort_by_birth(born, sire, dam, first, end, oldest, next_free_out, links_out):
    """Write the nodes first to end − 1 with their parents to the year of birth, inside a year as they stand.

    born, sire, dam (n,) int32; next_free_out (c,) int64: where the next node of each year goes, see `count_births`; it moves.
    links_out (3, n) int32 takes node, sire, dam.
    """
    for i in range(first, end):
        year = max(born[i] - oldest, 0)
        at = np.uint64(next_free_out[year])
        links_out[0, at], links_out[1, at], links_out[2, at] = i, sire[i], dam[i]
        next_free_out[year] += 1


@compiled
def sorted_levels(links, first, end, not_known, height_out, waiting_out):
    """As `start_levels`, for the places first to end − 1 of what `sort_by_birth` wrote: parents are not looked up."""
    n = height_out.shape[0] - 1
    n_left = 0
    for k in range(first, end):
        i = np.uint32(links[0, k])
        waiting_out[n_left] = i
        n_left += _rise(i, links[1, k], links[2, k], n, not_known, height_out)
    return n_left


@compiled
def resume_levels(sire, dam, not_known, height_out, waiting_out, n_waiting):
    """Another pass, over the nodes that wait; see `start_levels`. If it finds no height, nodes are on a loop or behind one."""
    n = sire.shape[0]
    n_left = 0
    for k in range(n_waiting):
        i = np.uint32(waiting_out[k])
        waiting_out[n_left] = i
        n_left += _rise(i, sire[i], dam[i], n, not_known, height_out)
    return n_left


@compiled
def count_levels(level, counts_out):
    """Add the number of nodes of each level to counts_out (levels,) int64."""
    for i in range(level.shape[0]):
        counts_out[level[i]] += 1


@compiled
def sort_by_level(level, next_free_out, nodes_out):
    """Nodes by level, inside a level as they stand; next_free_out (levels,) int64 holds the first place of each, and moves."""
    for i in range(level.shape[0]):
        nodes_out[next_free_out[level[i]]] = i
        next_free_out[level[i]] += 1


@compiled
def _sort_by_key(key_out, node_out, key_spare, node_spare, low, high, counts):
    """Sort nodes by keys (low to high), equal keys as they stand: counting sorts from the lowest digit of 11 bits up."""
    m = key_out.shape[0]
    shift = 0
    while (high - low) >> shift > 0:
        counts[:] = 0
        for k in range(m):
            counts[((key_out[k] - low) >> shift) & _DIGIT] += 1
        total = 0
        for digit in range(_DIGIT + 1):
            here = counts[digit]
            counts[digit] = total
            total += here
        for k in range(m):
            digit = ((key_out[k] - low) >> shift) & _DIGIT
            key_spare[counts[digit]] = key_out[k]
            node_spare[counts[digit]] = node_out[k]
            counts[digit] += 1
        for k in range(m):
            key_out[k] = key_spare[k]
            node_out[k] = node_spare[k]
        shift += _DIGIT_BITS


@compiled
def order_by_dam(dam, first_places, first_level, last_level, largest, order_out, place_out, dam_place_out):
    """Order nodes of the levels first_level to last_level − 1 by the new place of the dam (unknown first), then as they stand.

    order_out (n,) int32 comes with the nodes by level and leaves with the order; level l is from first_places[l] on to
    first_places[l + 1], none of these is larger than `largest`. place_out (n,) int32: new place of each node.
    dam_place_out (n,) int32: place of the dam of the node that comes k-th, −1 if she is unknown. Dams of a level stand in
    levels before it, so their places are known.
    """
    n = dam.shape[0]
    key_spare, node_spare = np.empty(largest, dtype=np.int32), np.empty(largest, dtype=np.int32)
    counts = np.zeros(_DIGIT + 1, dtype=np.int64)
    for level in range(first_level, last_level):
        first, end = first_places[level], first_places[level + 1]
        low, high = n, -1
        for k in range(first, end):
            d = dam[np.uint32(order_out[k])]
            key = place_out[np.uint32(d)] if d >= 0 else -1
            dam_place_out[k] = key
            low, high = min(low, key), max(high, key)
        _sort_by_key(dam_place_out[first:end], order_out[first:end], key_spare, node_spare, low, high, counts)
        for k in range(first, end):
            place_out[np.uint32(order_out[k])] = k


@compiled
def key_nodes(dam, place, nodes, shift, counts_out, items_out):
    """Items of nodes (m,) to be sorted by the place of the dam: place + 1 (0 if she is unknown) above the node, 32 bits each.

    items_out (m,) uint64; counts_out (d,) int64: how many items have each value in the bits from 32 + shift on.
    """
    high = np.uint64(32 + shift)
    for k in range(nodes.shape[0]):
        d = dam[np.uint32(nodes[k])]
        key = np.uint64(place[np.uint32(d)] + 1 if d >= 0 else 0)
        item = (key << np.uint64(32)) | np.uint64(nodes[k])
        items_out[k] = item
        counts_out[item >> high] += 1


@compiled
def deal_items(items, shift, next_free_out, items_out):
    """Copy items to the bucket of their high bits, see `key_nodes`; next_free_out (d,) int64 moves with each."""
    high = np.uint64(32 + shift)
    for k in range(items.shape[0]):
        bucket = items[k] >> high
        items_out[next_free_out[bucket]] = items[k]
        next_free_out[bucket] += 1


@compiled
def settle_items(items_out, spare_out, shift, ends, first, last, before, order_out, place_out, dam_place_out):
    """Sort the items of the buckets first to last − 1 by their keys, equal keys as they stand, and write what they say.

    ends (d + 1,) int64: bucket b is from ends[b] on to ends[b + 1] of items_out and spare_out (m,) uint64, and `before` places
    further in order_out and dam_place_out, see `order_by_dam`. Keys of a bucket differ in `shift` bits.
    """
    counts = np.zeros(_SMALL_DIGIT + 1, dtype=np.int64)
    for bucket in range(first, last):
        begin, end = ends[bucket], ends[bucket + 1]
        if begin == end:
            continue
        here, there = items_out, spare_out
        bit = 0
        while bit < shift and end - begin > 1:
            right = np.uint64(32 + bit)
            counts[:] = 0
            for k in range(begin, end):
                counts[(here[k] >> right) & np.uint64(_SMALL_DIGIT)] += 1
            total = begin
            for digit in range(_SMALL_DIGIT + 1):
                n_here = counts[digit]
                counts[digit] = total
                total += n_here
            for k in range(begin, end):
                digit = (here[k] >> right) & np.uint64(_SMALL_DIGIT)
                there[counts[digit]] = here[k]
                counts[digit] += 1
            here, there = there, here
            bit += _SMALL_DIGIT_BITS
        for k in range(begin, end):
            node = here[k] & np.uint64(0xFFFFFFFF)
            order_out[before + k] = np.int32(node)
            dam_place_out[before + k] = np.int64(here[k] >> np.uint64(32)) - 1
            place_out[node] = before + k


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
    first, each followed by one of its parents. Returns the number of nodes, 0 if there is no loop; and the nodes looked at.
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
    return length, last
