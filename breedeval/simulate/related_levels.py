"""Levels of an effect with the covariance K from independent standard normal deviates, for any K⁻¹.

The animals of a pedigree are drawn from the oldest to the youngest (`kernels.gene_drop`); other levels from a factor of the
inverse: with K⁻¹ = L L' the levels L'⁻¹ z have the covariance K.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import LinAlgError, cholesky, solve_triangular
from scipy.sparse import csc_array, csr_array

from breedeval.arrays import Float64
from breedeval.errors import ConfigError, NotPositiveDefiniteError
from breedeval.kernels.gene_drop import drop_genes
from breedeval.operators import SymmetricOperator
from breedeval.relationship.a_inverse import NumeratorInverse
from breedeval.relationship.groups import GroupedInverse
from breedeval.relationship.stored_inverse import StoredInverse
from breedeval.solvers.elimination_order import better_order
from breedeval.solvers.supernodal import SupernodalAnalysis

#: Elements of a sparse factor from which levels are not drawn: 3.2 GB.
LARGEST_FACTOR = 400_000_000

#: Turns standard normal deviates (levels, k) into levels with the covariance K.
Root = Callable[[Float64], Float64]


def root_of(inverse: SymmetricOperator | None, name: str) -> Root:
    """How levels with the covariance K are made from standard normal deviates.

    Parameters
    ----------
    inverse
        K⁻¹; None for the identity. Unknown-parent groups of a pedigree without a precision of their own keep the values that
        stand among the deviates.
    name
        The effect, for messages.

    Raises
    ------
    NotPositiveDefiniteError
        If K⁻¹ is not positive definite.
    ConfigError
        If its factor is too large.

    Notes
    -----
    A pedigree costs nothing to prepare. A dense K⁻¹ is factorized densely, a sparse one sparsely, once for all draws.

    Examples
    --------
    >>> root = root_of(StoredInverse(np.array([[4.0, 0.0], [0.0, 1.0]])), "line")
    >>> root(np.ones((2, 1))).tolist()
    [[0.5], [1.0]]
    """
    if inverse is None:
        return lambda z: z
    if isinstance(inverse, NumeratorInverse):
        return lambda z: _dropped(inverse, z)
    if isinstance(inverse, GroupedInverse):
        of_groups = np.linalg.cholesky(np.linalg.inv(inverse.precision))
        return lambda z: _dropped(inverse.a_inverse, z, of_groups)
    elements = inverse.elements if isinstance(inverse, StoredInverse) else inverse.to_csr()
    return _of_dense(elements, name) if isinstance(elements, np.ndarray) else _of_sparse(elements, name)


def _dropped(inverse: NumeratorInverse, z: Float64, of_groups: Float64 | None = None) -> Float64:
    n = len(inverse.sire)
    out = np.array(z, dtype=np.float64)
    if of_groups is not None:
        out[n:] = of_groups @ out[n:]
    drop_genes(inverse.sire, inverse.dam, np.sqrt(1.0 / inverse.precision), out)
    return out


def _of_dense(matrix: Float64, name: str) -> Root:
    try:
        lower = cholesky(matrix, lower=True)
    except LinAlgError as error:
        raise _refused(name) from error
    return lambda z: np.asarray(solve_triangular(lower, z, lower=True, trans="T"), dtype=np.float64)


def _of_sparse(matrix: csr_array, name: str) -> Root:
    pattern = csc_array(matrix)
    order, size, _ = better_order(pattern, np.argsort(np.diff(pattern.indptr), kind="stable"), LARGEST_FACTOR)
    if size.elements < 0:
        raise ConfigError(
            f"{name} has {matrix.shape[0]:,} levels that are so closely related that a factor of their inverse has more than "
            f"{LARGEST_FACTOR:,} elements: no effects are drawn for it. Take a part of the levels."
        )
    try:
        factor = SupernodalAnalysis.of(pattern, order).factorize(pattern.data)
    except NotPositiveDefiniteError as error:
        raise _refused(name) from error
    return factor.solve_transposed


def _refused(name: str) -> NotPositiveDefiniteError:
    return NotPositiveDefiniteError(
        f"The inverse relationship matrix of {name} is not positive definite: no effects have it. Correct the matrix."
    )
