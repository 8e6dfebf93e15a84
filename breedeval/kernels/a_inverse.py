"""Products with the inverse of the numerator relationship matrix, through the list of parents.

A⁻¹ = (I − P)' D⁻¹ (I − P), where P has ½ for each parent (Henderson 1976, Biometrics 32:69). A parent code of n or more is an
unknown-parent group: the same row of (I − P) with a column behind the animals (Quaas 1988, J. Dairy Sci. 71:1338). Vectors
have n + g rows, codes run to n + g − 1, and −1 is unknown. Parents stand before their progeny.

One thread scatters: 16 bytes an animal are read beside the vectors, and where animals stand by their dams (see
`breedeval.pedigree.build`) the dams are a stream. Several threads gather, through an index of progeny. Both add to a row its
own share first and then those of its progeny in their order, so both give the same bits.

A⁻¹ ⊗ Σ⁻¹ costs no pass of its own: a row's share is multiplied by Σ⁻¹ before it is given to the parents.
"""

from __future__ import annotations

import numba
import numpy as np

from breedeval.kernels.compile import compiled, compiled_parallel
from breedeval.kernels.row_arithmetic import NUMBERS_A_LINE, add_row, fill_row, local_row, prefetch_row, scale_row

#: Animals whose shares are made by one thread, where several make them.
PIECE = 256
#: Rows of the parents are asked for so many animals ahead, where they fill lines of the cache.
AHEAD = 8


@compiled
def multiply_one(x, sire, dam, precision, weight, out):
    """A⁻¹ x times a number, for one column; x and out (n + g,), not the same array.

    z_i = (x_i − ½x_s − ½x_d) / d_i is the row's own share, and −½z_i is added to its parents, which have theirs already.
    """
    n = sire.shape[0]
    out[n:] = 0.0
    for i in range(n):
        s, d = sire[i], dam[i]
        z = x[i]
        if s >= 0:
            z -= 0.5 * x[np.uint32(s)]
        if d >= 0:
            z -= 0.5 * x[np.uint32(d)]
        z *= precision[i] * weight
        out[i] = z
        if s >= 0:
            out[np.uint32(s)] -= 0.5 * z
        if d >= 0:
            out[np.uint32(d)] -= 0.5 * z


@compiled
def multiply_columns(x, sire, dam, precision, out):
    """A⁻¹ x for k columns side by side; x and out (n + g, k). The steps of `multiply_one`, a row at a time."""
    n = sire.shape[0]
    out[n:] = 0.0
    for i in range(n):
        s, d, b = sire[i], dam[i], precision[i]
        for c in range(x.shape[1]):
            z = x[i, c]
            if s >= 0:
                z -= 0.5 * x[s, c]
            if d >= 0:
                z -= 0.5 * x[d, c]
            z *= b
            out[i, c] = z
            if s >= 0:
                out[s, c] -= 0.5 * z
            if d >= 0:
                out[d, c] -= 0.5 * z


@compiled
def multiply_kronecker(width, columns, both, x, sire, dam, precision, matrix, out):
    """(A⁻¹ ⊗ Σ⁻¹) x for c vectors side by side; x and out (n + g, k · c), matrix (k, k) is Σ⁻¹.

    `width`, `columns` and `both` are any tuples of k, c and k · c numbers: their lengths are known when the loop is compiled.
    """
    out[sire.shape[0] :] = 0.0
    _shares(width, columns, both, x, sire, dam, precision, matrix, 0, sire.shape[0], True, out)


@compiled
def _shares(width, columns, both, x, sire, dam, precision, matrix, low, high, to_parents, out):
    """Rows low to high of out (·, k · c) are what those of (I − P) make of x, times Σ⁻¹ / d.

    Where to_parents is true, −½ of each is added to the rows of its parents, which have their own share already.
    """
    work, share, n = local_row(both), local_row(both), len(both)
    for i in range(low, high):
        s, d = np.int64(sire[i]), np.int64(dam[i])
        if n >= NUMBERS_A_LINE:
            later = min(i + AHEAD, high - 1)
            _ask_for(both, max(np.int64(sire[later]), 0) * n, max(np.int64(dam[later]), 0) * n, x, to_parents, out)
        scale_row(both, 1.0, x, i * n, work, 0)
        fill_row(both, 0.0, share, 0)
        if s >= 0:
            add_row(both, -0.5, x, s * n, work, 0)
        if d >= 0:
            add_row(both, -0.5, x, d * n, work, 0)
        scale_row(both, precision[i], work, 0, work, 0)
        for b in range(len(width)):
            if len(columns) == 1:
                add_row(width, work[np.uint64(b)], matrix, b * len(width), share, 0)
                continue
            for a in range(len(width)):
                add_row(columns, matrix[np.uint64(b), np.uint64(a)], work, b * len(columns), share, a * len(columns))
        scale_row(both, 1.0, share, 0, out, i * n)
        if to_parents and s >= 0:
            add_row(both, -0.5, share, 0, out, s * n)
        if to_parents and d >= 0:
            add_row(both, -0.5, share, 0, out, d * n)


@compiled
def _ask_for(both, sire, dam, x, to_parents, out):
    """Have the rows of two parents in the cache when they are needed."""
    prefetch_row(both, x, sire)
    prefetch_row(both, x, dam)
    if to_parents:
        prefetch_row(both, out, sire)
        prefetch_row(both, out, dam)


@compiled_parallel
def gather_one(x, sire, dam, precision, weight, pointers, progeny, bounds, z_out, out):
    """As `multiply_one` by all threads; z_out (n,), and rows bounds[b] to bounds[b + 1] are the work of one thread."""
    n = sire.shape[0]
    for i in numba.prange(n):
        z = x[i]
        if sire[i] >= 0:
            z -= 0.5 * x[np.uint32(sire[i])]
        if dam[i] >= 0:
            z -= 0.5 * x[np.uint32(dam[i])]
        z_out[i] = z * (precision[i] * weight)
    for block in numba.prange(bounds.shape[0] - 1):
        for row in range(bounds[block], bounds[block + 1]):
            total = z_out[row] if row < n else 0.0
            for k in range(pointers[row], pointers[row + 1]):
                total -= 0.5 * z_out[np.uint32(progeny[k])]
            out[row] = total


@compiled_parallel
def gather_columns(x, sire, dam, precision, pointers, progeny, bounds, z_out, out):
    """As `gather_one` for k columns; z_out (n, k)."""
    n, n_columns = sire.shape[0], x.shape[1]
    for i in numba.prange(n):
        for c in range(n_columns):
            z = x[i, c]
            if sire[i] >= 0:
                z -= 0.5 * x[sire[i], c]
            if dam[i] >= 0:
                z -= 0.5 * x[dam[i], c]
            z_out[i, c] = z * precision[i]
    for block in numba.prange(bounds.shape[0] - 1):
        for row in range(bounds[block], bounds[block + 1]):
            for c in range(n_columns):
                out[row, c] = z_out[row, c] if row < n else 0.0
            for k in range(pointers[row], pointers[row + 1]):
                for c in range(n_columns):
                    out[row, c] -= 0.5 * z_out[progeny[k], c]


@compiled_parallel
def gather_kronecker(width, columns, both, x, sire, dam, precision, matrix, pointers, progeny, bounds, z_out, out):
    """As `multiply_kronecker` by all threads; z_out (n, k · c), and the rest as in `gather_one`."""
    n = sire.shape[0]
    for piece in numba.prange((n + PIECE - 1) // PIECE):
        high = min(n, (piece + 1) * PIECE)
        _shares(width, columns, both, x, sire, dam, precision, matrix, piece * PIECE, high, False, z_out)
    for block in numba.prange(bounds.shape[0] - 1):
        for row in range(bounds[block], bounds[block + 1]):
            if row < n:
                scale_row(both, 1.0, z_out, row * len(both), out, row * len(both))
            else:
                fill_row(both, 0.0, out, row * len(both))
            for k in range(pointers[row], pointers[row + 1]):
                add_row(both, -0.5, z_out, np.int64(progeny[k]) * len(both), out, row * len(both))


@compiled
def fill_progeny(sire, dam, next_free_out, progeny_out):
    """Write the progeny of each row, in their order, from next_free_out[row] on (which moves); a selfed one stands twice."""
    for i in range(sire.shape[0]):
        if sire[i] >= 0:
            progeny_out[next_free_out[sire[i]]] = i
            next_free_out[sire[i]] += 1
        if dam[i] >= 0:
            progeny_out[next_free_out[dam[i]]] = i
            next_free_out[dam[i]] += 1


@compiled
def diagonal(sire, dam, precision, out):
    """Diagonal of A⁻¹; out (n + g,). An animal that is both parents of another counts 1 instead of ¼ + ¼."""
    n = sire.shape[0]
    out[:] = 0.0
    for i in range(n):
        b = precision[i]
        out[i] += b
        if sire[i] == dam[i]:
            if sire[i] >= 0:
                out[sire[i]] += b
            continue
        if sire[i] >= 0:
            out[sire[i]] += 0.25 * b
        if dam[i] >= 0:
            out[dam[i]] += 0.25 * b
