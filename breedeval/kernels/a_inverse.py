"""Products with the inverse of the numerator relationship matrix, through the list of parents.

A⁻¹ = (I − P)' D⁻¹ (I − P), where P has ½ for each parent (Henderson 1976, Biometrics 32:69). A parent code of n or more is an
unknown-parent group: the same row of (I − P) with a column behind the animals (Quaas 1988, J. Dairy Sci. 71:1338). Vectors
have n + g rows, codes run to n + g − 1, and −1 is unknown.
"""

from __future__ import annotations

from breedeval.kernels.compile import compiled


@compiled
def multiply_one(x, sire, dam, precision, pointers, progeny, out):
    """A⁻¹ x for one column; x and out (n + g,), not the same array.

    z_i = (x_i − ½x_s − ½x_d) / d_i is written to out; then each row gathers −½ z from its progeny. Progeny stand behind
    their parents, so walking down the rows each z is read before it is replaced. Groups come first: their progeny stand
    before them.
    """
    n = sire.shape[0]
    for i in range(n):
        z = x[i]
        if sire[i] >= 0:
            z -= 0.5 * x[sire[i]]
        if dam[i] >= 0:
            z -= 0.5 * x[dam[i]]
        out[i] = z * precision[i]
    for row in range(n, x.shape[0]):
        out[row] = 0.0
        for k in range(pointers[row], pointers[row + 1]):
            out[row] -= 0.5 * out[progeny[k]]
    for row in range(n):
        total = 0.0
        for k in range(pointers[row], pointers[row + 1]):
            total += out[progeny[k]]
        out[row] -= 0.5 * total


@compiled
def multiply_columns(x, sire, dam, precision, pointers, progeny, out):
    """A⁻¹ x for k columns side by side; x and out (n + g, k). The steps of `multiply_one`, a row at a time."""
    n = sire.shape[0]
    k_columns = x.shape[1]
    for i in range(n):
        s, d, b = sire[i], dam[i], precision[i]
        for c in range(k_columns):
            z = x[i, c]
            if s >= 0:
                z -= 0.5 * x[s, c]
            if d >= 0:
                z -= 0.5 * x[d, c]
            out[i, c] = z * b
    for row in range(n, x.shape[0]):
        for c in range(k_columns):
            out[row, c] = 0.0
        for k in range(pointers[row], pointers[row + 1]):
            child = progeny[k]
            for c in range(k_columns):
                out[row, c] -= 0.5 * out[child, c]
    for row in range(n):
        for k in range(pointers[row], pointers[row + 1]):
            child = progeny[k]
            for c in range(k_columns):
                out[row, c] -= 0.5 * out[child, c]


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
