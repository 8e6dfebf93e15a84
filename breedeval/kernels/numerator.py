"""Products with the numerator relationship matrix without forming it.

A = T D T', with T the matrix of the shares that animals have in their descendants; T' x runs up the pedigree and T x down
(Colleau 2002, Genet. Sel. Evol. 34:409). Parents that are no rows (negative, or groups) count as unknown.
"""

from __future__ import annotations

from breedeval.kernels.compile import compiled


@compiled
def _copy_rows(x, out):
    """Write x to out, both (n, k): what assigns a slice is compiled many times as long, for the message of its error."""
    for i in range(x.shape[0]):
        for c in range(x.shape[1]):
            out[i, c] = x[i, c]


@compiled
def multiply_columns(x, sire, dam, variance, out):
    """Multiply A by k columns side by side; x and out (n, k), the same array or two."""
    n, k_columns = x.shape
    _copy_rows(x, out)
    for i in range(n - 1, -1, -1):
        s, d = sire[i], dam[i]
        for c in range(k_columns):
            half = 0.5 * out[i, c]
            if 0 <= s < n:
                out[s, c] += half
            if 0 <= d < n:
                out[d, c] += half
            out[i, c] *= variance[i]
    for i in range(n):
        s, d = sire[i], dam[i]
        for c in range(k_columns):
            if 0 <= s < n:
                out[i, c] += 0.5 * out[s, c]
            if 0 <= d < n:
                out[i, c] += 0.5 * out[d, c]


@compiled
def pass_up(x, sire, dam, variance, out, of_groups_out):
    """First half of the product with A(Γ): D T' x to out (n, k), the same array as x or another, and Q' x to of_groups_out.

    Parents n to n + g − 1 are groups; of_groups_out (g, k) starts as zeros. Between the halves the caller multiplies it by Γ.
    """
    n, k_columns = x.shape
    g = of_groups_out.shape[0]
    _copy_rows(x, out)
    for i in range(n - 1, -1, -1):
        for p in (sire[i], dam[i]):
            if 0 <= p < n:
                for c in range(k_columns):
                    out[p, c] += 0.5 * out[i, c]
            elif n <= p < n + g:
                for c in range(k_columns):
                    of_groups_out[p - n, c] += 0.5 * out[i, c]
        for c in range(k_columns):
            out[i, c] *= variance[i]


@compiled
def pass_down(sire, dam, of_groups, out):
    """Second half of the product with A(Γ): each animal gets half of what each parent has, animal or group; out (n, k)."""
    n, k_columns = out.shape
    g = of_groups.shape[0]
    for i in range(n):
        for p in (sire[i], dam[i]):
            if 0 <= p < n:
                for c in range(k_columns):
                    out[i, c] += 0.5 * out[p, c]
            elif n <= p < n + g:
                for c in range(k_columns):
                    out[i, c] += 0.5 * of_groups[p - n, c]


@compiled
def spread_labels(label, first, weight, out):
    """Column c of out (n, k) holds the weight of label ``first + c`` in the rows that bear it, and 0 elsewhere."""
    n, k_columns = out.shape
    for i in range(n):
        for c in range(k_columns):
            out[i, c] = 0.0
        if first <= label[i] < first + k_columns:
            out[i, label[i] - first] = weight[label[i]]


@compiled
def sum_by_label(x, label, out):
    """Add the rows of x (n, k) to those rows of out (g, k) that their labels name; a label below 0 is none."""
    k_columns = x.shape[1]
    for i in range(x.shape[0]):
        if label[i] >= 0:
            for c in range(k_columns):
                out[label[i], c] += x[i, c]
