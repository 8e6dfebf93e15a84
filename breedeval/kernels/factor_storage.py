"""An incomplete factor rearranged for its solves: by columns and by rows, by the width of the partner, cut into runs."""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled


@compiled
def find_splits(pointer, row, n_sparse, out):
    """Where the elements of each column that belong to the last nodes begin; out (n_sparse,)."""
    for p in range(n_sparse):
        q = pointer[p + 1]
        while q > pointer[p] and row[q - 1] >= n_sparse:
            q -= 1
        out[p] = q


@compiled
def nodes_to_places(place, out_row):
    """Replace nodes by place[node], in place."""
    for q in range(out_row.shape[0]):
        out_row[q] = place[np.uint64(out_row[q])]


@compiled
def find_runs(pointer, split, row, segments, out_bounds):
    """Cut the nodes into runs whose nodes are not linked with each other; writes their ends, returns how many there are.

    Nodes stand in an order of elimination; segments are cut as well. out_bounds (n_sparse,).
    """
    last = np.full(split.shape[0], -1, dtype=np.int32)
    for p in range(split.shape[0]):
        for q in range(pointer[p], split[p]):
            last[np.uint64(row[q])] = p
    n_runs, start, s = 0, 0, 0
    for p in range(split.shape[0]):
        if p > 0 and (last[p] >= start or p >= segments[s, 1]):
            out_bounds[n_runs] = p
            n_runs += 1
            start = p
        while p >= segments[s, 1]:
            s += 1
    if split.shape[0]:
        out_bounds[n_runs] = split.shape[0]
        n_runs += 1
    return n_runs


@compiled
def number_nodes(equation, out):
    """Write the number of each node to out (N,) where its first equation is."""
    for p in range(equation.shape[0]):
        out[np.uint64(equation[p])] = p


@compiled
def count_rows(low, high, begin, split, index, node, out):
    """Add the elements of each row in columns low to high to out[row + 1]; out (n + 1,) int64, node (N,) by first equation."""
    for p in range(low, high):
        for q in range(begin[p], split[p]):
            out[np.uint64(node[np.uint64(index[q])] + 1)] += 1


@compiled
def transpose(
    own, partner, low, high, segments, begin, split, index, value, base, node, bases, equation, out_free, out_index, out_value
):
    """Elements of columns low to high, of one segment, by rows; `own` and `partner` are as long as rows and columns are wide.

    The matrix (own, partner) of element q of a column begins at value[base + q · own · partner], its transpose in row i, of
    segment r, at out_value[bases[r] + free · own · partner]; out_free (n,) is where the row begins on entry, and moves.
    """
    k, w = len(own), len(partner)
    for p in range(low, high):
        r = 0
        for q in range(begin[p], split[p]):
            i = node[np.uint64(index[q])]
            while i >= segments[r, 1]:
                r += 1
            free = out_free[np.uint64(i)]
            out_free[np.uint64(i)] = free + 1
            out_index[np.uint64(free)] = equation[p]
            here, there = base + q * k * w, bases[r] + free * k * w
            for a in range(k):
                for b in range(w):
                    out_value[np.uint64(there + b * k + a)] = value[np.uint64(here + a * w + b)]


@compiled
def count_partners(segments, width, pointer, split, row, out_begin, out_split):
    """Elements of each column whose rows have one width: running sums out_begin (n + 1,), and where the last nodes' begin."""
    out_begin[0] = 0
    for s in range(segments.shape[0]):
        for p in range(segments[s, 0], min(segments[s, 1], split.shape[0])):
            r, n = s, out_begin[p]
            for q in range(pointer[p], pointer[p + 1]):
                if q == split[p]:
                    out_split[p] = n
                while row[q] >= segments[r, 1]:
                    r += 1
                n += segments[r, 2] == width
            if split[p] == pointer[p + 1]:
                out_split[p] = n
            out_begin[p + 1] = n


@compiled
def take_partners(segments, width, pointer, row, value_pointer, value, place, begin, base, out_index, out_value):
    """Copy the elements of each column whose rows have one width; place (n,) of nodes.

    base (S,): the matrix of element q of a column in segment s begins at base[s] + q · width · segments[s, 2].
    """
    for s in range(segments.shape[0]):
        for p in range(segments[s, 0], min(segments[s, 1], begin.shape[0] - 1)):
            r, v, free, size = s, value_pointer[p], begin[p], segments[s, 2] * width
            for q in range(pointer[p], pointer[p + 1]):
                while row[q] >= segments[r, 1]:
                    r += 1
                if segments[r, 2] != width:
                    v += segments[r, 2] * segments[s, 2]
                    continue
                out_index[free] = place[row[q]]
                for a in range(size):
                    out_value[base[s] + free * size + a] = value[v + a]
                free += 1
                v += size
