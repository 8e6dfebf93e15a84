"""The matrix C of the mixed model equations as a sum of fixed matrices with coefficients that change from round to round.

C(θ) = Σ c_k(θ) B_k. The coefficients are elements of R⁻¹ (by residual class, pattern of observed traits and pair of traits) and
of Σ⁻¹ (by random block and pair of columns); the matrices are parts of W'W and K⁻¹. So a round only adds up stored values, and
since ∂log|C|/∂c_k = tr(C⁻¹ B_k), all traces that the gradient needs are one product of the same values with elements of C⁻¹ on
the pattern of C.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array, diags_array, kron

from breedeval.arrays import Bool, Float64, Int32, Int64, freeze
from breedeval.equations.incidence import Incidence
from breedeval.kernels.coefficients import add_up, find_places, inner_products
from breedeval.model.layout import EquationBlock
from breedeval.variance.coordinates import Nodes
from breedeval.variance.parameters import Matrices


@dataclass(frozen=True)
class Coefficient:
    """One c_k: element (`row`, `column`), row ≤ column, of the inverse of matrix `number` among those of its `kind`.

    Of kind ``residual`` the number is that of a residual class and pattern; of kind ``random``, that of a random block.
    """

    kind: str
    number: int
    row: int
    column: int


#: A coefficient and the entries of its matrix: rows, columns, values of the upper triangle.
_Part = tuple[Coefficient, tuple[Int64, Int64, Float64]]


@dataclass(frozen=True)
class CoefficientMatrices:
    """The matrices B_k on the common pattern, the upper triangle of C by columns.

    Parameters
    ----------
    order
        n, rows of C.
    pointer, row
        (n + 1,) and (nnz,) int64: the pattern.
    coefficients
        What each c_k is.
    begin
        (number of coefficients + 1,) where the entries of each B_k begin.
    place, value
        Entries of all B_k: place in the pattern, and value.
    diagonal
        (n,) places of the diagonal.
    nodes
        Rows that are transformed together; between two of them all elements are in the pattern, or none.
    """

    order: int
    pointer: Int64
    row: Int64
    coefficients: tuple[Coefficient, ...]
    begin: Int64
    place: Int64
    value: Float64
    diagonal: Int64
    nodes: Nodes

    def assemble(self, c: Float64) -> Float64:
        """(nnz,) values of Σ c_k B_k."""
        out = np.empty(len(self.row))
        add_up(self.begin, self.place, self.value, c, out)
        return out

    def transform(self, values: Float64, factors: Matrices) -> Float64:
        """F'CF for C of these values."""
        return self.nodes.transform(self.pointer, self.row, values, factors)

    def write_traces(self, inverse: Float64, kind: str, out: Float64) -> None:
        """Write tr(Z B_k) for each k of a kind, from the elements (nnz,) of Z, those off the diagonal taken twice."""
        wanted = np.array([c.kind == kind for c in self.coefficients], dtype=np.bool_)
        inner_products(self.begin, self.place, self.value, wanted, inverse, out)

    def restricted(self, rows: Int64, nodes: Nodes) -> CoefficientMatrices:
        """The same for the sub-matrix of `rows` (ascending)."""
        new = np.full(self.order, -1, dtype=np.int64)
        new[rows] = np.arange(len(rows))
        column = np.repeat(np.arange(self.order), np.diff(self.pointer))
        parts = []
        for k in range(len(self.coefficients)):
            place = self.place[self.begin[k] : self.begin[k + 1]]
            i, j = new[self.row[place]], new[column[place]]
            inside = (i >= 0) & (j >= 0)
            parts.append((i[inside], j[inside], self.value[self.begin[k] : self.begin[k + 1]][inside]))
        return _on_common_pattern(nodes, len(rows), self.coefficients, parts)


def build_coefficients(
    incidence: Incidence,
    kind: Int32,
    patterns: Bool,
    weight_roots: Float64,
    random: Sequence[tuple[EquationBlock, csr_array | None]],
    kept: Int64,
    nodes: Nodes,
) -> CoefficientMatrices:
    """Find all B_k of a model.

    Parameters
    ----------
    incidence
        W.
    kind
        (m,) residual class times the number of patterns plus pattern, of each record.
    patterns
        (·, t) observed traits of each pattern.
    weight_roots
        (m, t) square roots of the weights of the records' traits.
    random
        Random blocks with their K⁻¹; None for the identity.
    kept
        (n,) equations that are not constrained to zero, ascending.
    nodes
        Rows of these that are transformed together.

    Notes
    -----
    Memory: two numbers for each element of each pair of traits in W'W and each pair of columns in a penalty.
    """
    parts = [*_residual_parts(incidence, kind, patterns, weight_roots, kept)]
    new = np.full(incidence.n_equations, -1, dtype=np.int64)
    new[kept] = np.arange(len(kept))
    for number, (block, inverse) in enumerate(random):
        parts += _penalty_parts(number, block, inverse, new)
    return _on_common_pattern(nodes, len(kept), tuple(c for c, _ in parts), [part for _, part in parts])


def _residual_parts(incidence: Incidence, kind: Int32, patterns: Bool, weight_roots: Float64, kept: Int64) -> Iterator[_Part]:
    """Parts of W'W by kind of records and pair of traits."""
    w, t = incidence.to_csr()[:, kept], incidence.n_traits
    for number in np.unique(kind).tolist():
        records = np.flatnonzero(kind == number)
        observed = np.flatnonzero(patterns[number % len(patterns)]).tolist()
        by_trait = {j: csr_array(diags_array(weight_roots[records, j]) @ w[records * t + j]) for j in observed}
        for place, i in enumerate(observed):
            left = csr_array(by_trait[i].T)
            for j in observed[place:]:
                product = coo_array(left @ by_trait[j])
                yield Coefficient("residual", number, i, j), _symmetric_upper(product, symmetric=i == j)


def _penalty_parts(number: int, block: EquationBlock, inverse: csr_array | None, new: Int64) -> Iterator[_Part]:
    """K⁻¹ ⊗ E for each pair of columns of a random block; `new` gives the row of each equation, −1 where constrained."""
    k = block.n_columns
    left = csr_array(diags_array(np.ones(block.n_levels))) if inverse is None else inverse
    for i in range(k):
        for j in range(i, k):
            unit = np.zeros((k, k))
            unit[i, j] = unit[j, i] = 1.0
            whole = coo_array(kron(left, csr_array(unit)))
            row, column = new[block.first + whole.row], new[block.first + whole.col]
            upper = (row >= 0) & (column >= row)
            yield Coefficient("random", number, i, j), (row[upper], column[upper], whole.data[upper])


def _symmetric_upper(product: coo_array, *, symmetric: bool) -> tuple[Int64, Int64, Float64]:
    """Upper triangle of P (`symmetric`) or of P + P'."""
    row, column, value = product.row.astype(np.int64), product.col.astype(np.int64), product.data
    if symmetric:
        upper = row <= column
        return row[upper], column[upper], value[upper]
    low, high = np.minimum(row, column), np.maximum(row, column)
    return low, high, np.where(row == column, 2.0 * value, value)


def _on_common_pattern(
    nodes: Nodes, order: int, coefficients: tuple[Coefficient, ...], parts: list[tuple[Int64, Int64, Float64]]
) -> CoefficientMatrices:
    keys = [column * order + row for row, column, _ in parts]
    diagonal = np.arange(order, dtype=np.int64) * (order + 1)
    pattern = nodes.complete(order, np.concatenate([diagonal, *keys]))
    del keys
    column, row = np.divmod(pattern, order)
    pointer = np.concatenate([[0], np.cumsum(np.bincount(column, minlength=order))]).astype(np.int64)
    begin = np.concatenate([[0], np.cumsum([len(part[2]) for part in parts])]).astype(np.int64)
    place, value = np.empty(begin[-1], dtype=np.int64), np.empty(begin[-1])
    for k, (rows, columns, values) in enumerate(parts):
        here = slice(begin[k], begin[k + 1])
        find_places(pointer, row, rows.astype(np.int64), columns.astype(np.int64), place[here])
        value[here] = values
    return CoefficientMatrices(
        order,
        freeze(pointer),
        freeze(row.astype(np.int64)),
        coefficients,
        freeze(begin),
        freeze(place),
        freeze(value),
        freeze(pointer[1:] - 1),
        nodes,
    )
