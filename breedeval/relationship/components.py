"""Inverse of a relationship matrix: each set of levels that are related to each other is inverted for itself."""

from __future__ import annotations

import numpy as np
from scipy.linalg import LinAlgError, cholesky, eigvalsh
from scipy.linalg.lapack import dpotri
from scipy.sparse import block_diag, csr_array
from scipy.sparse.csgraph import connected_components

from breedeval.arrays import Float64, Int64
from breedeval.errors import DataError, NotPositiveDefiniteError, count_of
from breedeval.names import Names

#: Largest set of related levels that is inverted: a dense matrix of 3.2 GB.
LARGEST_COMPONENT = 20_000
#: A pivot below this part of the diagonal is rounding error: levels depend on each other.
SINGULAR = 1e-10
#: Up to this order the smallest eigenvalue is computed for a message.
_EIGENVALUE_UP_TO = 3_000
_STRIP = 512


def invert_by_components(matrix: csr_array | Float64, names: Names, remedy: str = "") -> tuple[csr_array | Float64, float]:
    """Invert a symmetric positive definite matrix.

    Parameters
    ----------
    matrix
        (n, n) dense or sparse, exactly symmetric.
    names
        (n,) its levels, for messages.
    remedy
        What a user can do about a singular matrix.

    Returns
    -------
    inverse : of the kind of `matrix`
    log_determinant : float
        log|K| of the matrix itself.

    Raises
    ------
    NotPositiveDefiniteError
        Saying whether it is singular or indefinite, at which level, with the smallest eigenvalue where it is not too large.
    DataError
        If more than 20,000 levels are related to each other.

    Notes
    -----
    Time grows with the cube of the largest set of related levels, memory with the sum of squares of all sets.
    """
    if isinstance(matrix, np.ndarray):
        return _inverted(matrix, np.arange(len(matrix)), names, remedy)
    n_components, component = connected_components(matrix, directed=False)
    order = np.argsort(component, kind="stable")
    ends = np.cumsum(np.bincount(component, minlength=n_components))
    if n_components == 1:
        dense, log_determinant = _inverted(matrix.toarray(), order, names, remedy)
        return csr_array(dense), log_determinant
    sizes = np.diff(ends, prepend=0)
    _refuse_large(int(sizes.max(initial=0)))
    parts, total = [], 0.0
    permuted = csr_array(matrix[order][:, order])
    for start, stop in zip(ends - sizes, ends, strict=True):
        dense, log_determinant = _inverted(permuted[start:stop, start:stop].toarray(), order[start:stop], names, remedy)
        parts.append(dense)
        total += log_determinant
    back = np.argsort(order)
    whole = csr_array(block_diag(parts, format="csr")) if parts else csr_array(matrix.shape)
    return csr_array(whole[back][:, back]), total


def _inverted(matrix: Float64, rows: Int64, names: Names, remedy: str) -> tuple[Float64, float]:
    """Inverse of one set of levels, whose places among `names` are `rows`, and its log-determinant."""
    _refuse_large(len(matrix))
    diagonal = matrix.diagonal().copy()
    if (diagonal <= 0).any():
        place = int(np.flatnonzero(diagonal <= 0)[0])
        raise NotPositiveDefiniteError(
            f"not positive definite: the diagonal of level '{names[int(rows[place])]}' is {diagonal[place]:g}. "
            "The relationship of a level with itself must be positive.",
            level=names[int(rows[place])],
        )
    try:
        lower = cholesky(matrix, lower=True)
    except LinAlgError as error:
        raise _refused(matrix, _failing_pivot(error), rows, names, remedy) from error
    pivot = lower.diagonal() ** 2
    weakest = int(np.argmin(pivot / diagonal))
    if pivot[weakest] < SINGULAR * diagonal[weakest]:
        raise _refused(matrix, weakest, rows, names, remedy)
    inverse, info = dpotri(lower, lower=1, overwrite_c=1)
    assert info == 0
    _mirror(inverse)
    return np.asarray(inverse, dtype=np.float64), float(np.log(pivot).sum())


def _mirror(lower: Float64) -> None:
    """Copy the lower triangle to the upper one, a strip at a time."""
    for start in range(0, len(lower), _STRIP):
        part = slice(start, min(start + _STRIP, len(lower)))
        lower[:start, part] = lower[part, :start].T
        square = np.tril(lower[part, part])
        lower[part, part] = square + np.tril(square, -1).T


def _failing_pivot(error: LinAlgError) -> int:
    """0-based row of the leading minor that the message names."""
    digits = str(error).split("-th")[0]
    return int(digits) - 1 if digits.isdigit() else 0


def _refused(matrix: Float64, row: int, rows: Int64, names: Names, remedy: str) -> NotPositiveDefiniteError:
    level = names[int(rows[row])]
    smallest = float(eigvalsh(matrix, subset_by_index=[0, 0])[0]) if len(matrix) <= _EIGENVALUE_UP_TO else None
    shown = "" if smallest is None else f" Its smallest eigenvalue is {smallest:.3g}."
    twin = _twin(matrix, row)
    same = "" if twin is None else f", which is the same as '{names[int(rows[twin])]}'"
    if twin is not None if smallest is None else smallest > -1e-8 * float(matrix.diagonal().max()):
        what = (
            f"singular: the elimination fails at level '{level}'{same}.{shown} Clones, twins or levels that are combinations "
        )
        return NotPositiveDefiniteError(
            f"{what}of others leave it without an inverse. Give levels that are the same one name{remedy}.",
            level=level,
            smallest_eigenvalue=smallest,
        )
    return NotPositiveDefiniteError(
        f"not positive definite: the elimination fails at level '{level}'.{shown} It is no relationship matrix: correct "
        f"it{remedy}.",
        level=level,
        smallest_eigenvalue=smallest,
    )


def _twin(matrix: Float64, row: int) -> int | None:
    """The earlier level with correlation one, if there is one."""
    if row == 0:
        return None
    diagonal = matrix.diagonal()
    correlation = matrix[row, :row] / np.sqrt(np.abs(diagonal[row] * diagonal[:row]))
    best = int(np.argmin(np.abs(correlation - 1.0)))
    return best if abs(correlation[best] - 1.0) < 1e-8 else None


def _refuse_large(n: int) -> None:
    if n > LARGEST_COMPONENT:
        raise DataError(
            f"{count_of(n, 'level')} are related to each other, more than the {LARGEST_COMPONENT:,} for which a relationship "
            "matrix is inverted. Invert it elsewhere and give the inverse (kind: inverse)."
        )
