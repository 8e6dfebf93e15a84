"""Solutions of L D L' z = r for an incomplete factor; vectors are in the order of the equations.

Indices that are not negative are said to be unsigned: that saves a comparison for each element of L.
"""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled


@compiled
def rows_to_equations(segments, out_row):
    """Replace nodes by their first equations, in place."""
    for q in range(out_row.shape[0]):
        s = 0
        while out_row[q] >= segments[s, 1]:
            s += 1
        out_row[q] = segments[s, 2] + (out_row[q] - segments[s, 0]) * segments[s, 3]


@compiled
def forward_alike(width, segments, n_sparse, pointer, row, value, inverse, work, out):
    """Solve L D y = r in place for nodes that are all alike; `row` holds their first equations, work (k,).

    `width` is any tuple of k numbers: its length is known when the loop is compiled. The last nodes are left as they come.
    """
    k = len(width)
    for s in range(segments.shape[0]):
        equation = segments[s, 2]
        for p in range(segments[s, 0], min(segments[s, 1], n_sparse)):
            for b in range(k):
                work[b] = out[equation + b]
            v = pointer[p] * k * k
            for q in range(pointer[p], pointer[p + 1]):
                for a in range(k):
                    total = 0.0
                    for b in range(k):
                        total += value[np.uint64(v + a * k + b)] * work[np.uint64(b)]
                    out[np.uint64(row[q] + a)] -= total
                v += k * k
            for a in range(k):
                total = 0.0
                for b in range(k):
                    total += inverse[p * k * k + a * k + b] * work[b]
                out[equation + a] = total
            equation += segments[s, 3]


@compiled
def backward_alike(width, segments, n_sparse, pointer, row, value, work, out):
    """Solve L'z = y in place; see `forward_alike`. L is read as one stream from its end to its beginning."""
    k = len(width)
    for s in range(segments.shape[0] - 1, -1, -1):
        end = min(segments[s, 1], n_sparse)
        equation = segments[s, 2] + (end - 1 - segments[s, 0]) * segments[s, 3]
        for p in range(end - 1, segments[s, 0] - 1, -1):
            for b in range(k):
                work[b] = out[equation + b]
            for q in range(pointer[p + 1] - 1, pointer[p] - 1, -1):
                v = q * k * k
                for b in range(k):
                    total = 0.0
                    for a in range(k):
                        total += value[np.uint64(v + a * k + b)] * out[np.uint64(row[q] + a)]
                    work[np.uint64(b)] -= total
            for b in range(k):
                out[equation + b] = work[b]
            equation -= segments[s, 3]


@compiled
def forward_blocks(segments, n_sparse, pointer, row, value_pointer, value, inverse, work, out):
    """As `forward_alike` for nodes of different widths; `row` holds nodes, work (widest,)."""
    for s in range(segments.shape[0]):
        k, equation = segments[s, 4], segments[s, 2]
        for p in range(segments[s, 0], min(segments[s, 1], n_sparse)):
            r, v = s, value_pointer[p]
            for q in range(pointer[p], pointer[p + 1]):
                while row[q] >= segments[r, 1]:
                    r += 1
                other = segments[r, 2] + (row[q] - segments[r, 0]) * segments[r, 3]
                for a in range(segments[r, 4]):
                    total = 0.0
                    for b in range(k):
                        total += value[v] * out[equation + b]
                        v += 1
                    out[other + a] -= total
            d = segments[s, 5] + (p - segments[s, 0]) * k * k
            for a in range(k):
                total = 0.0
                for b in range(k):
                    total += inverse[d + a * k + b] * out[equation + b]
                work[a] = total
            for a in range(k):
                out[equation + a] = work[a]
            equation += segments[s, 3]


@compiled
def backward_blocks(segments, n_sparse, pointer, row, value_pointer, value, work, out):
    """As `backward_alike` for nodes of different widths."""
    for s in range(segments.shape[0] - 1, -1, -1):
        k, end = segments[s, 4], min(segments[s, 1], n_sparse)
        equation = segments[s, 2] + (end - 1 - segments[s, 0]) * segments[s, 3]
        for p in range(end - 1, segments[s, 0] - 1, -1):
            r, v = segments.shape[0] - 1, value_pointer[p + 1]
            for b in range(k):
                work[b] = out[equation + b]
            for q in range(pointer[p + 1] - 1, pointer[p] - 1, -1):
                while row[q] < segments[r, 0]:
                    r -= 1
                other = segments[r, 2] + (row[q] - segments[r, 0]) * segments[r, 3]
                v -= segments[r, 4] * k
                for a in range(segments[r, 4]):
                    z = out[other + a]
                    for b in range(k):
                        work[b] -= value[v + a * k + b] * z
            for b in range(k):
                out[equation + b] = work[b]
            equation -= segments[s, 3]


@compiled
def multiply_dense(matrix, equation, work, out):
    """Replace the last nodes' part of a vector, out[equation], by its product with a symmetric matrix (T, T); work (T,)."""
    for a in range(equation.shape[0]):
        total = 0.0
        for b in range(equation.shape[0]):
            total += matrix[a, b] * out[equation[b]]
        work[a] = total
    for a in range(equation.shape[0]):
        out[equation[a]] = work[a]


@compiled
def forward_columns_alike(columns, width, segments, n_sparse, pointer, row, value, inverse, work, out):
    """As `forward_alike` for c columns, out (N, c), each element of L read once for all; work (k, c).

    `columns` is any tuple of c numbers.
    """
    k, n_columns = len(width), len(columns)
    for s in range(segments.shape[0]):
        equation = segments[s, 2]
        for p in range(segments[s, 0], min(segments[s, 1], n_sparse)):
            for b in range(k):
                for c in range(n_columns):
                    work[b, c] = out[np.uint64(equation + b), np.uint64(c)]
            for q in range(pointer[p], pointer[p + 1]):
                for a in range(k):
                    other = np.uint64(row[q] + a)
                    for b in range(k):
                        x = np.float64(value[np.uint64((q * k + a) * k + b)])
                        for c in range(n_columns):
                            out[other, np.uint64(c)] -= x * work[np.uint64(b), np.uint64(c)]
            for a in range(k):
                here = np.uint64(equation + a)
                for c in range(n_columns):
                    total = 0.0
                    for b in range(k):
                        total += inverse[np.uint64((p * k + a) * k + b)] * work[np.uint64(b), np.uint64(c)]
                    out[here, np.uint64(c)] = total
            equation += segments[s, 3]


@compiled
def backward_columns_alike(columns, width, segments, n_sparse, pointer, row, value, work, out):
    """As `backward_alike` for c columns; see `forward_columns_alike`."""
    k, n_columns = len(width), len(columns)
    for s in range(segments.shape[0] - 1, -1, -1):
        end = min(segments[s, 1], n_sparse)
        equation = segments[s, 2] + (end - 1 - segments[s, 0]) * segments[s, 3]
        for p in range(end - 1, segments[s, 0] - 1, -1):
            for b in range(k):
                for c in range(n_columns):
                    work[b, c] = out[np.uint64(equation + b), np.uint64(c)]
            for q in range(pointer[p + 1] - 1, pointer[p] - 1, -1):
                for a in range(k):
                    other = np.uint64(row[q] + a)
                    for b in range(k):
                        x = np.float64(value[np.uint64((q * k + a) * k + b)])
                        for c in range(n_columns):
                            work[np.uint64(b), np.uint64(c)] -= x * out[other, np.uint64(c)]
            for b in range(k):
                for c in range(n_columns):
                    out[np.uint64(equation + b), np.uint64(c)] = work[b, c]
            equation -= segments[s, 3]


@compiled
def forward_columns(segments, n_sparse, pointer, row, value_pointer, value, inverse, work, out):
    """As `forward_blocks` for several columns, out (N, c), each element of L read once for all; work (widest, c)."""
    for s in range(segments.shape[0]):
        k, equation = segments[s, 4], segments[s, 2]
        for p in range(segments[s, 0], min(segments[s, 1], n_sparse)):
            r, v = s, value_pointer[p]
            for b in range(k):
                for c in range(out.shape[1]):
                    work[b, c] = out[equation + b, c]
            for q in range(pointer[p], pointer[p + 1]):
                while row[q] >= segments[r, 1]:
                    r += 1
                w = segments[r, 4]
                other = segments[r, 2] + (row[q] - segments[r, 0]) * segments[r, 3]
                for a in range(w):
                    for b in range(k):
                        x = np.float64(value[v + a * k + b])
                        for c in range(out.shape[1]):
                            out[other + a, c] -= x * work[b, c]
                v += w * k
            d = segments[s, 5] + (p - segments[s, 0]) * k * k
            for a in range(k):
                out[equation + a] = 0.0
                for b in range(k):
                    for c in range(out.shape[1]):
                        out[equation + a, c] += inverse[d + a * k + b] * work[b, c]
            equation += segments[s, 3]


@compiled
def backward_columns(segments, n_sparse, pointer, row, value_pointer, value, work, out):
    """As `backward_blocks` for several columns; see `forward_columns`."""
    for s in range(segments.shape[0] - 1, -1, -1):
        k, end = segments[s, 4], min(segments[s, 1], n_sparse)
        equation = segments[s, 2] + (end - 1 - segments[s, 0]) * segments[s, 3]
        for p in range(end - 1, segments[s, 0] - 1, -1):
            r, v = segments.shape[0] - 1, value_pointer[p + 1]
            for b in range(k):
                for c in range(out.shape[1]):
                    work[b, c] = out[equation + b, c]
            for q in range(pointer[p + 1] - 1, pointer[p] - 1, -1):
                while row[q] < segments[r, 0]:
                    r -= 1
                w = segments[r, 4]
                other = segments[r, 2] + (row[q] - segments[r, 0]) * segments[r, 3]
                v -= w * k
                for a in range(w):
                    for b in range(k):
                        x = np.float64(value[v + a * k + b])
                        for c in range(out.shape[1]):
                            work[b, c] -= x * out[other + a, c]
            for b in range(k):
                for c in range(out.shape[1]):
                    out[equation + b, c] = work[b, c]
            equation -= segments[s, 3]
