"""Incomplete factorization as in `breedeval.kernels.incomplete_cholesky` where all nodes have the same width.

What column p takes from the elements of other columns is written where these are, all over the memory: so the places that the
next columns will need are asked for ahead. Columns that are not linked with each other may be worked on by threads: each goes
through all of them, and writes only to the columns of nodes that it owns. Every element is taken from in the order of the
columns, whatever the number of threads.

`owner` (SLOTS,) int8 says which thread owns a node, by its number, and `thread` which one this is; thread 0 owns all the last
nodes.

`nodes` is any tuple of k numbers: its length, the width of a node, is known when the loops are compiled.
"""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled, inlined
from breedeval.kernels.incomplete_cholesky import advance, invert_pivot
from breedeval.kernels.words import prefetch

#: Where a column begins is asked for so many elements ahead, and its elements so many.
FAR, NEAR = 48, 24
#: So many nodes side by side have one owner, as a power of two: lines of cache are not shared by threads.
LOG_SIDE_BY_SIDE = 4
#: Length of `owner`.
SLOTS = 64
#: So few rows are gone through one by one.
FEW = 16
#: Elements of a column with the last nodes are gone through from behind if they are not more than so many.
LONGEST_TAIL = 64


@compiled
def invert_pivots(nodes, low, high, segments, original, tolerance, out_diagonal):
    """Replace the pivots of nodes low to high by their inverses; returns how many failed, by what is expected (two numbers)."""
    k, s = len(nodes), 0
    inverse, counts = np.empty((k, k)), np.zeros(2, dtype=np.int64)
    for p in range(low, high):
        while p >= segments[s, 1]:
            s += 1
        may_depend = segments[s, 4]
        counts[may_depend] += invert_pivot(p * k * k, k, original, tolerance[may_depend], inverse, out_diagonal)
    return counts[0], counts[1]


@compiled
def scale_columns(nodes, low, high, pointer, diagonal, out_value):
    """Multiply the elements of columns low to high by the inverses of their pivots."""
    k = len(nodes)
    scaled = np.empty(k * k)
    for p in range(low, high):
        for q in range(pointer[p], pointer[p + 1]):
            _multiply(k, out_value, q * k * k, diagonal, p * k * k, scaled, 0)
            for a in range(k * k):
                out_value[q * k * k + a] = scaled[a]


@compiled
def eliminate_shared(nodes, low, high, thread, owner, pointer, row, n_sparse, out_value, out_diagonal, out_dense):
    """Take columns low to high, not linked with each other and with inverted pivots, from what a thread owns."""
    k = len(nodes)
    longest = _longest(low, high, pointer)
    column, scaled = np.empty(longest * k * k), np.empty(longest * k * k)
    tail, dense = np.full(out_dense.shape[0] // k, -1, dtype=np.int32), out_dense.reshape(-1)
    for p in range(low, high):
        _load_column(nodes, p, pointer, row, n_sparse, out_value, out_diagonal, column, scaled)
        _update(k, p, thread, owner, pointer, row, n_sparse, column, scaled, tail, out_value, out_diagonal, dense)


@compiled
def eliminate(
    nodes,
    low,
    high,
    owner,
    segments,
    original,
    tolerance,
    pointer,
    row,
    n_sparse,
    out_value,
    out_diagonal,
    out_dense,
    out_counts,
):
    """Eliminate nodes low to high one after the other: what the three functions above do, if one thread owns all nodes."""
    k, s = len(nodes), 0
    longest = _longest(low, high, pointer)
    column, scaled, inverse = np.empty(longest * k * k), np.empty(longest * k * k), np.empty((k, k))
    tail, dense = np.full(out_dense.shape[0] // k, -1, dtype=np.int32), out_dense.reshape(-1)
    for p in range(low, high):
        while p >= segments[s, 1]:
            s += 1
        may_depend = segments[s, 4]
        out_counts[may_depend] += invert_pivot(p * k * k, k, original, tolerance[may_depend], inverse, out_diagonal)
        _load_column(nodes, p, pointer, row, n_sparse, out_value, out_diagonal, column, scaled)
        _update(k, p, 0, owner, pointer, row, n_sparse, column, scaled, tail, out_value, out_diagonal, dense)
        first = pointer[p] * k * k
        for a in range((pointer[p + 1] - pointer[p]) * k * k):
            out_value[first + a] = scaled[a]


@compiled
def _longest(low, high, pointer):
    longest = 0
    for p in range(low, high):
        longest = max(longest, pointer[p + 1] - pointer[p])
    return longest


@inlined
def _owns(thread, owner, node):
    return owner[np.uint64((node >> LOG_SIDE_BY_SIDE) & (SLOTS - 1))] == thread


@inlined
def _load_column(nodes, p, pointer, row, n_sparse, value, diagonal, column, scaled):
    """Copy column p, and multiply its elements by the inverse of its pivot; asks for what the next ones need."""
    k, begin, n = len(nodes), pointer[p], row.shape[0]
    begins, rows = np.uint64(pointer.ctypes.data), np.uint64(row.ctypes.data)
    values, diagonals = np.uint64(value.ctypes.data), np.uint64(diagonal.ctypes.data)
    size = np.uint64(k * k)
    for q in range(begin, pointer[p + 1]):
        if q + FAR < n:
            node = row[q + FAR]
            if node < n_sparse:
                prefetch(begins + np.uint64(8) * np.uint64(node))
            node = row[q + NEAR]
            if node < n_sparse:
                first = np.uint64(pointer[node])
                prefetch(diagonals + np.uint64(8) * size * np.uint64(node))
                prefetch(rows + np.uint64(4) * first)
                prefetch(values + np.uint64(value.itemsize) * size * first)
        o = (q - begin) * k * k
        for a in range(k * k):
            column[o + a] = value[q * k * k + a]
        _multiply(k, column, o, diagonal, p * k * k, scaled, o)


@inlined
def _update(k, p, thread, owner, pointer, row, n_sparse, column, scaled, tail, out_value, out_diagonal, out_dense):
    """Take column p from every pair of its rows that is linked, the earlier of which the thread owns.

    tail (T,) is −1 on entry and at the end; in between it has the elements of column p with the last nodes. out_dense has the
    rows of a square one behind the other.
    """
    begin, end, size, order = pointer[p], pointer[p + 1], k * k, tail.shape[0] * k
    split = end
    while split > begin and row[split - 1] >= n_sparse:
        split -= 1
        tail[row[split] - n_sparse] = split - begin
    for q in range(begin, split):
        node = row[q]
        if not _owns(thread, owner, node):
            continue
        here = (q - begin) * size
        _subtract(k, column, here, scaled, here, node * size, k, out_diagonal)
        target, stop, past = pointer[node], pointer[node + 1], end
        if q + 1 == end or target == stop or row[stop - 1] < row[q + 1]:
            continue
        if stop - target <= LONGEST_TAIL or row[stop - LONGEST_TAIL] < n_sparse:
            past = split
            while stop > target and row[stop - 1] >= n_sparse:
                stop -= 1
                other = tail[row[stop] - n_sparse]
                if other >= 0:
                    _subtract(k, column, other * size, scaled, here, stop * size, k, out_value)
        _update_column(k, begin, q + 1, past, target, stop, row, column, scaled, here, out_value)
    for q in range(split, end):
        node = row[q] - n_sparse
        tail[node] = -1
        if thread == 0:
            for other in range(q, end):
                there = ((row[other] - n_sparse) * order + node) * k
                _subtract(k, column, (other - begin) * size, scaled, (q - begin) * size, there, order, out_dense)


@inlined
def _update_column(k, begin, other, past, target, stop, row, column, scaled, here, out_value):
    """Match the rows of a column from `other` on, before `past`, with those of another from `target` on, before `stop`."""
    while other < past and target < stop:
        if row[other] < row[target]:
            other = other + 1 if past - other < FEW else advance(row, other, past, row[target])
        elif row[target] < row[other]:
            target = target + 1 if stop - target < FEW else advance(row, target, stop, row[other])
        else:
            _subtract(k, column, (other - begin) * k * k, scaled, here, target * k * k, k, out_value)
            other += 1
            target += 1


@inlined
def _multiply(k, x, o, y, t, out, v):
    """out[v ...] = x[o ...] times y[t ...], matrices (k, k)."""
    for a in range(k):
        for b in range(k):
            total = 0.0
            for z in range(k):
                total += x[np.uint64(o + a * k + z)] * y[np.uint64(t + z * k + b)]
            out[np.uint64(v + a * k + b)] = total


@inlined
def _subtract(k, x, o, y, t, v, stride, out):
    """Take x[o ...] times the transpose of y[t ...] from out[v ...], matrices (k, k); rows of out are `stride` apart."""
    for a in range(k):
        for b in range(k):
            total = 0.0
            for z in range(k):
                total += x[np.uint64(o + a * k + z)] * y[np.uint64(t + b * k + z)]
            out[np.uint64(v + a * stride + b)] -= total
