"""Which animals an inverse relationship matrix links, in an order of elimination: progeny before dams, sires, groups last."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array, csr_array, tril

from breedeval.arrays import Float64, Int32, Int64, freeze
from breedeval.kernels import parent_links as kernels
from breedeval.operators import SymmetricOperator
from breedeval.relationship.a_inverse import NumeratorInverse
from breedeval.relationship.groups import GroupedInverse


@dataclass(frozen=True)
class RelationshipLinks:
    """The lower triangle of K⁻¹ without its diagonal, by columns.

    Parameters
    ----------
    n_animals
        n. Position p ≥ n (groups) is level p of the matrix.
    order, position
        (n,) int32 level at each of the other positions, and position of each level.
    pointer
        (n + g + 1,) int64.
    row, value
        Positions (ascending within a column) and elements.
    """

    n_animals: int
    order: Int32
    position: Int32
    pointer: Int64
    row: Int32
    value: Float64

    @property
    def per_level(self) -> float:
        """Mean number of other levels that a level is linked to."""
        return 2.0 * len(self.row) / max(len(self.pointer) - 1, 1)


def relationship_links(inverse: SymmetricOperator) -> RelationshipLinks:
    """Take the links from the list of parents where the operator has one, else from its explicit matrix.

    Examples
    --------
    >>> import breedeval as be
    >>> pedigree = be.read_pedigree("pedigrees/mrode_table_2_1.csv")
    >>> links = relationship_links(be.NumeratorInverse(pedigree, be.compute_inbreeding(pedigree)))
    >>> links.n_animals, len(links.row)
    (6, 10)
    """
    if isinstance(inverse, NumeratorInverse):
        return _from_parents(inverse)
    if isinstance(inverse, GroupedInverse):
        return _with_precision(_from_parents(inverse.a_inverse), inverse.precision)
    return _from_matrix(inverse.to_csr())


def _from_parents(inverse: NumeratorInverse) -> RelationshipLinks:
    sire, dam, precision, n = inverse.sire, inverse.dam, inverse.precision, len(inverse.sire)
    level, order = np.zeros(n, dtype=np.int32), np.empty(n, dtype=np.int32)
    position = np.arange(inverse.order, dtype=np.int32)
    kernels.sort_by_level(level, kernels.elimination_levels(sire, dam, level), order, position[:n])
    pointer = np.zeros(inverse.order + 1, dtype=np.int64)
    kernels.count_links(sire, dam, position, pointer)
    row, value = np.empty(pointer[-1], dtype=np.int32), np.empty(pointer[-1])
    kernels.fill_links(sire, dam, precision, position, pointer[:-1].copy(), row, value)
    merged = np.empty_like(pointer)
    n_links = kernels.merge_links(pointer, merged, row, value)
    return RelationshipLinks(
        n, freeze(order), freeze(position[:n]), freeze(merged), freeze(row[:n_links]), freeze(value[:n_links])
    )


def _with_precision(links: RelationshipLinks, precision: Float64) -> RelationshipLinks:
    """Add a matrix to the rows of the groups, which stand last."""
    order = len(links.pointer) - 1
    below = csc_array((links.value, links.row, links.pointer), shape=(order, order))
    lower = np.tril(precision, k=-1)
    column, row = np.nonzero(lower.T)
    extra = csc_array((lower[row, column], (row + links.n_animals, column + links.n_animals)), shape=(order, order))
    return _of_csc(links.order, links.position, csc_array(below + extra))


def _from_matrix(matrix: csr_array) -> RelationshipLinks:
    """Of any symmetric matrix, the last row first."""
    backwards = csr_array(matrix[::-1])[:, ::-1]
    order = freeze(np.arange(matrix.shape[0], dtype=np.int32)[::-1])
    return _of_csc(order, order, csc_array(tril(backwards, k=-1, format="csc")))


def _of_csc(order: Int32, position: Int32, below: csc_array) -> RelationshipLinks:
    below.sort_indices()
    pointer, row = below.indptr.astype(np.int64), below.indices.astype(np.int32)
    return RelationshipLinks(len(order), order, position, freeze(pointer), freeze(row), freeze(below.data))
