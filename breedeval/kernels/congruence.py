"""F' C F for a block diagonal F that repeats small matrices, on the upper triangle of C by columns."""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled


@compiled
def transform_blocks(pointer, row, node_of_row, node_start, node_block, factors, values, out):
    """Out (nnz,) = F' C F, where C has the upper triangle `values` and F is block diagonal.

    pointer (n + 1,), row (nnz,): rows ascending; node_of_row (n,), node_start (nodes + 1,): rows that belong together;
    node_block (nodes,): which of factors (b, k, k) a node has, −1 for a single row with a factor of one. Between two nodes all
    elements are stored, or none.
    """
    k_most = factors.shape[1]
    part = np.empty((k_most, k_most))
    half = np.empty((k_most, k_most))
    for node in range(node_start.shape[0] - 1):
        first = node_start[node]
        size = node_start[node + 1] - first
        right = node_block[node]
        offset = 0
        length = pointer[first + 1] - pointer[first]
        while offset < length:
            other = node_of_row[row[pointer[first] + offset]]
            left = node_block[other]
            n_rows = node_start[other + 1] - node_start[other]
            if left < 0 and right < 0:
                out[pointer[first] + offset] = values[pointer[first] + offset]
                offset += 1
                continue
            for j in range(size):
                for i in range(n_rows):
                    if other == node and i > j:
                        part[i, j] = values[pointer[first + i] + offset + j]
                    else:
                        part[i, j] = values[pointer[first + j] + offset + i]
            for i in range(n_rows):
                for j in range(size):
                    total = 0.0
                    if right < 0:
                        total = part[i, j]
                    else:
                        for c in range(size):
                            total += part[i, c] * factors[right, c, j]
                    half[i, j] = total
            for i in range(n_rows):
                for j in range(size):
                    if other == node and i > j:
                        continue
                    total = 0.0
                    if left < 0:
                        total = half[i, j]
                    else:
                        for c in range(n_rows):
                            total += factors[left, c, i] * half[c, j]
                    out[pointer[first + j] + offset + i] = total
            if other == node:
                break
            offset += n_rows
