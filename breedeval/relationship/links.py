"""Which animals an inverse relationship matrix links, in the order of elimination: youngest first, groups last."""

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
        n. Position p < n is level n − 1 − p, position p ≥ n (groups) is level p.
    pointer
        (n + g + 1,) int64.
    row, value
        Positions (ascending within a column) and elements.
    """

    n_animals: int
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
    sire, dam, precision = inverse.sire, inverse.dam, inverse.precision
    pointer = np.zeros(inverse.order + 1, dtype=np.int64)
    kernels.count_links(sire, dam, pointer)
    row, value = np.empty(pointer[-1], dtype=np.int32), np.empty(pointer[-1])
    kernels.fill_links(sire, dam, precision, pointer[:-1].copy(), row, value)
    merged = np.empty_like(pointer)
    n_links = kernels.merge_links(pointer, merged, row, value)
    return RelationshipLinks(len(sire), freeze(merged), freeze(row[:n_links]), freeze(value[:n_links]))


def _with_precision(links: RelationshipLinks, precision: Float64) -> RelationshipLinks:
    """Add a matrix to the rows of the groups, which stand last."""
    order = len(links.pointer) - 1
    below = csc_array((links.value, links.row, links.pointer), shape=(order, order))
    lower = np.tril(precision, k=-1)
    column, row = np.nonzero(lower.T)
    extra = csc_array((lower[row, column], (row + links.n_animals, column + links.n_animals)), shape=(order, order))
    return _of_csc(links.n_animals, csc_array(below + extra))


def _from_matrix(matrix: csr_array) -> RelationshipLinks:
    """Of any symmetric matrix, the last row first."""
    backwards = csr_array(matrix[::-1])[:, ::-1]
    return _of_csc(matrix.shape[0], csc_array(tril(backwards, k=-1, format="csc")))


def _of_csc(n_animals: int, below: csc_array) -> RelationshipLinks:
    below.sort_indices()
    return RelationshipLinks(
        n_animals, freeze(below.indptr.astype(np.int64)), freeze(below.indices.astype(np.int32)), freeze(below.data)
    )
