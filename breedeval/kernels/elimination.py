"""What a sparse Cholesky factor will look like before it is made: pattern in elimination order, tree, supernodes, rows."""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled


@compiled
def permuted_pattern(pointer, row, place, both, out_pointer, out_row):
    """Elements left of the diagonal, by rows, of a symmetric matrix in elimination order.

    pointer (n + 1,), row: by columns; place (n,) position of a row in the order; both: whether both triangles are stored, of
    which the lower is read. Writes out_pointer (n + 1,) and out_row (as long as row is enough): positions k < i of row i, in
    no order.
    """
    n = pointer.shape[0] - 1
    out_pointer[:] = 0
    for c in range(n):
        for p in range(pointer[c], pointer[c + 1]):
            if row[p] > c or (row[p] < c and not both):
                out_pointer[max(place[row[p]], place[c]) + 1] += 1
    for i in range(n):
        out_pointer[i + 1] += out_pointer[i]
    for c in range(n):
        for p in range(pointer[c], pointer[c + 1]):
            if row[p] > c or (row[p] < c and not both):
                i, k = max(place[row[p]], place[c]), min(place[row[p]], place[c])
                out_row[out_pointer[i]] = k
                out_pointer[i] += 1
    for i in range(n, 0, -1):
        out_pointer[i] = out_pointer[i - 1]
    out_pointer[0] = 0


@compiled
def postorder(parent, counts, out):
    """Columns so that each follows its descendants in the elimination tree, the child with most elements last.

    parent (n,) −1 at a root; counts (n,) elements of a column. The last child stands beside its parent, and becomes one
    supernode with it most often.
    """
    n = parent.shape[0]
    largest = np.full(n, -1, dtype=np.int64)
    first, following = np.full(n, -1, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    for j in range(n):
        p = parent[j]
        if p >= 0 and (largest[p] < 0 or counts[j] >= counts[largest[p]]):
            largest[p] = j
    for j in range(n):
        if parent[j] >= 0 and largest[parent[j]] == j:
            first[parent[j]] = j
    for j in range(n - 1, -1, -1):
        p = parent[j]
        if p >= 0 and largest[p] != j:
            following[j] = first[p]
            first[p] = j
    stack, k = np.empty(n, dtype=np.int64), 0
    for root in range(n):
        if parent[root] >= 0:
            continue
        top = 0
        stack[0] = root
        while top >= 0:
            j = stack[top]
            if first[j] >= 0:
                top += 1
                stack[top] = first[j]
                first[j] = following[first[j]]
            else:
                out[k] = j
                k += 1
                top -= 1


@compiled
def find_supernodes(parent, counts, few, some, many, out_first):
    """Group neighboring columns of nearly the same rows (Liu, Ng and Peyton 1993; Ashcraft and Grimes 1989 for the merging).

    parent, counts (n,) in postorder, counts without the diagonal. Writes the first column of each group to out_first (n + 1,),
    and returns how many. Groups are first those of exactly the same rows. Then, from the last to the first, one is merged with
    that behind it if its parent is there and few zeros come in: any share for up to four columns, else the shares few (16
    columns), some (48), many (more).
    """
    n = parent.shape[0]
    if n == 0:
        out_first[0] = 0
        return 0
    n_exact = 0
    for j in range(n):
        if j == 0 or parent[j - 1] != j or counts[j - 1] != counts[j] + 1:
            out_first[n_exact] = j
            n_exact += 1
    out_first[n_exact] = n
    kept = n_exact
    end = n  # of the group that grows
    true_elements = 0.0
    for s in range(n_exact - 1, -1, -1):
        begin, last = out_first[s], out_first[s + 1] - 1
        exact = 0.0
        for j in range(begin, last + 1):
            exact += counts[j] + 1
        width = end - begin
        merged = last + 1 < end and last + 1 <= parent[last] < end
        if merged:
            size = 0.5 * width * (width + 1.0) + float(width) * counts[end - 1]
            zeros = 1.0 - (true_elements + exact) / size
            merged = width <= 4 or zeros < (few if width <= 16 else some if width <= 48 else many)
        if merged:
            true_elements += exact
        else:
            if last + 1 < n:
                out_first[kept] = last + 1
                kept -= 1
            end = last + 1
            true_elements = exact
    out_first[kept] = 0
    found = n_exact - kept + 1
    for k in range(found):
        out_first[k] = out_first[kept + k]
    out_first[found] = n
    return found


@compiled
def split_wide(first, widest, out_first):
    """Cut groups of more columns than `widest` into panels of about the same width; returns how many there are now."""
    found = 0
    for s in range(first.shape[0] - 1):
        width = first[s + 1] - first[s]
        panels = (width + widest - 1) // widest
        for k in range(panels):
            out_first[found] = first[s] + width * k // panels
            found += 1
    out_first[found] = first[-1]
    return found


@compiled
def supernode_rows(pointer, row, parent, first, owner, out_pointer, out_rows, fill):
    """Rows below the diagonal block of each supernode, ascending, by row subtrees.

    pointer, row: of `permuted_pattern`; parent (n,); first (s + 1,); owner (n,) supernode of a column. Writes out_pointer (s +
    1,) where `fill` is false, out_rows where it is true.
    """
    n_super = first.shape[0] - 1
    above = np.full(n_super, -1, dtype=np.int32)
    mark = np.full(n_super, -1, dtype=np.int64)
    place = np.zeros(n_super, dtype=np.int64)
    for s in range(n_super):
        last = first[s + 1] - 1
        if parent[last] >= 0:
            above[s] = owner[parent[last]]
        if fill:
            place[s] = out_pointer[s]
    for i in range(pointer.shape[0] - 1):
        mark[owner[i]] = i
        for p in range(pointer[i], pointer[i + 1]):
            s = owner[row[p]]
            while mark[s] != i:
                mark[s] = i
                if fill:
                    out_rows[place[s]] = i
                place[s] += 1
                s = above[s]
    if not fill:
        out_pointer[0] = 0
        for s in range(n_super):
            out_pointer[s + 1] = out_pointer[s] + place[s]


@compiled
def element_places(row, column, first, owner, row_pointer, rows, value_pointer, out):
    """Where elements of a symmetric matrix stand in the blocks of its supernodes.

    row, column (m,): in elimination order, of either triangle; the rest as of `supernodal.factorize`. Writes out (m,): the
    place of the element in the lower triangle, −1 if it has none.
    """
    for p in range(row.shape[0]):
        i, j = max(row[p], column[p]), min(row[p], column[p])
        s = owner[j]
        width = first[s + 1] - first[s]
        low, high = row_pointer[s], row_pointer[s + 1]
        height = width + high - low
        if i < first[s + 1]:
            at = i - first[s]
        else:
            while high - low > 1:
                middle = (low + high) // 2
                if rows[middle] <= i:
                    low = middle
                else:
                    high = middle
            if low == row_pointer[s + 1] or rows[low] != i:
                out[p] = -1
                continue
            at = width + low - row_pointer[s]
        out[p] = value_pointer[s] + at + (j - first[s]) * height


@compiled
def put_values(entry, is_read, values, out):
    """Add the elements of a matrix that are read to their places; out begins as zeros."""
    for p in range(entry.shape[0]):
        if is_read[p]:
            out[entry[p]] += values[p]
