"""Dependent columns of a design matrix, and which coefficients to set to zero.

Candidates are small pivots of the scaled cross-product; each is confirmed on the matrix itself, whose sensitivity is the square
of the cross-product's, so that a nearly dependent covariate is not mistaken for a dependent one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg import qr
from scipy.sparse import csc_array, csr_array, diags_array

from breedeval.arrays import Bool, Float64, Int64, freeze
from breedeval.errors import NotPositiveDefiniteError
from breedeval.kernels.peeling import peel, put_back
from breedeval.solvers.factor import Factorization
from breedeval.solvers.restricted import RestrictedMatrix

#: Added to the unit diagonal of the scaled cross-product, so that it can be factorized; the next one where sums over very many
#: records have larger rounding errors than the last. All are far below `SMALL_PIVOT`.
SHIFTS = (1e-13, 1e-12, 1e-11, 1e-10)
#: Pivots below this are candidates for a dependent column: above the root of the first shift, as two small pivots may share a
#: dependency. Candidates that X does not confirm do no harm.
SMALL_PIVOT = 1e-6
#: ‖X v‖ of a unit null vector on columns of unit length, at most.
CONFIRMED = 1e-11
#: Pivots below this belong to nearly dependent columns.
NEARLY_PIVOT = 1e-4
#: A preferred constraint is taken where this part of its row of the null vectors, at least, does not follow from the rows
#: before; a larger part is asked for where the equations that are left would be nearly dependent.
OWN_PARTS = (0.01, 0.1, 0.3)
#: And its row is larger than this.
SMALLEST_ROW = 1e-6
#: The smallest singular value of X on the columns that are left is at least so many times that of X: its square is what a
#: solution may lose.
ENOUGH = 1e-3
#: Most dependencies for which that is looked at.
MOST_LOOKED_AT = 1_000
#: An element that a column cannot be taken away by, whatever its length.
TINY = 1e-300
#: Rounds of refinement of null vectors.
REFINEMENTS = 2
#: So many nearly dependent combinations are kept.
MOST_NEARLY = 50
#: Rows of X multiplied at once, and elements of their product, at most.
CHUNK, LARGEST_PRODUCT = 100_000, 20_000_000
#: Largest basis (elements) that is kept to move between constraints.
LARGEST_BASIS = 50_000_000


@dataclass(frozen=True)
class NullSpace:
    """All v with X v = 0.

    Parameters
    ----------
    constrained
        (d,) columns of X whose coefficients are set to zero, ascending; the others are then unique.
    basis
        (p, d) null vectors; None where it would be too large to keep.
    nearly
        (p, c) combinations that X takes to almost nothing, but not to nothing.
    """

    constrained: Int64
    basis: Float64 | None
    nearly: Float64

    @property
    def dimension(self) -> int:
        """Number of dependencies, d."""
        return len(self.constrained)

    def nearly_constrained(self) -> Float64:
        """(p, c) the same combinations with the constrained columns at zero; c = 0 where there is no basis to move along."""
        if self.basis is None and self.dimension:
            return self.nearly[:, :0]
        return np.array([self.to_constraints(combination) for combination in self.nearly.T]).reshape(-1, len(self.nearly)).T

    def to_constraints(self, coefficients: Float64) -> Float64:
        """The solution (p,) with the same fitted values whose constrained coefficients are zero."""
        if self.basis is None or not self.dimension:
            return coefficients
        weights = np.linalg.solve(self.basis[self.constrained], coefficients[self.constrained])
        moved = coefficients - self.basis @ weights
        moved[self.constrained] = 0.0
        return moved


def find_null_space(x: csr_array, preferred: Int64) -> NullSpace:
    """Find the null space of a sparse matrix.

    Parameters
    ----------
    x
        (m, p).
    preferred
        Columns whose coefficients a user would like to see at zero, best first. Others are taken when these do not suffice.
    """
    p = x.shape[1]
    length = np.sqrt(np.bincount(x.indices, x.data**2, minlength=p))
    core = _Core.of(x, length)
    scale = np.divide(1.0, length, out=np.zeros(p), where=length > 0)
    inner = scale[core.columns]
    gram = csc_array(core.x.T @ core.x)
    scaled = RestrictedMatrix.of(csc_array(diags_array(inner) @ gram @ diags_array(inner)))
    candidates, nearly = _small_pivots(scaled)
    if p * len(candidates) > LARGEST_BASIS:
        return NullSpace(freeze(np.sort(core.columns[candidates])), None, freeze(np.empty((p, 0))))
    # A dependency may be shared by several small pivots, none of which is about zero: so all of them are looked at together.
    looked_at = np.concatenate([candidates, nearly])
    parts = _confirmed(core.x, inner, _null_vectors(core.x, inner, scaled, looked_at))
    unscale = np.where(length > 0, scale, 1.0)[:, None]
    null, almost = (np.linalg.qr(core.complete(x, unscale[core.columns] * part) / unscale)[0] for part in parts)
    basis = unscale * null
    basis /= np.linalg.norm(basis, axis=0)
    return NullSpace(freeze(_choose_constraints(null, preferred)), freeze(basis), freeze(unscale * almost))


@dataclass(frozen=True)
class _Core:
    """What is left of X when columns that one row alone holds are taken away with that row, again and again.

    Such a coefficient can make its row zero whatever the others are: it depends on nothing, and follows from them.

    Parameters
    ----------
    x, columns
        The rows and columns that are left, and which columns these are.
    rows_away, columns_away
        What was taken away, the last one first.
    """

    x: csr_array
    columns: Int64
    rows_away: Int64
    columns_away: Int64

    @classmethod
    def of(cls, x: csr_array, length: Float64) -> _Core:
        """Of X (m, p) whose columns have these lengths."""
        most = min(x.shape)
        rows, columns = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64)
        left, smallest = np.empty(x.shape[0], dtype=np.bool_), np.maximum(np.sqrt(NEARLY_PIVOT) * length, TINY)
        n = peel(x.indptr, x.indices, x.data, smallest, rows, columns, left)
        inside = np.ones(x.shape[1], dtype=np.bool_)
        inside[columns[:n]] = False
        kept = np.flatnonzero(inside)
        return cls(csr_array(x[np.flatnonzero(left)][:, kept]), kept, freeze(rows[:n][::-1]), freeze(columns[:n][::-1]))

    def complete(self, x: csr_array, coefficients: Float64) -> Float64:
        """(p, d) coefficients of all columns, from those of the core, that make each row taken away zero."""
        whole = np.zeros((x.shape[1], coefficients.shape[1]))
        whole[self.columns] = coefficients
        put_back(self.rows_away, self.columns_away, x.indptr, x.indices, x.data, whole)
        return whole


def _small_pivots(scaled: RestrictedMatrix) -> tuple[Int64, Int64]:
    """Columns with a pivot of about zero, and the worst of those with a small one.

    What rounding leaves of a pivot of zero spoils later ones, so the columns that are kept are looked at again until all of
    their pivots are sound.
    """
    candidates = nearly = np.empty(0, dtype=np.int64)
    kept = np.ones(scaled.matrix.shape[0], dtype=np.bool_)
    while kept.any():
        pivots = np.where(kept, _factor_of_shifted(scaled, kept).pivots(), np.inf)
        nearly = _ascending(pivots, (pivots >= SMALL_PIVOT) & (pivots < NEARLY_PIVOT))[:MOST_NEARLY]
        small = _ascending(pivots, pivots < SMALL_PIVOT)
        if not len(small):
            break
        candidates = np.concatenate([candidates, small])
        kept[small] = False
    return candidates, nearly


def _ascending(values: Float64, chosen: Bool) -> Int64:
    """Where the values that are chosen stand, the smallest first."""
    places = np.flatnonzero(chosen)
    return places[np.argsort(values[places], kind="stable")]


def _factor_of_shifted(scaled: RestrictedMatrix, kept: Bool) -> Factorization:
    """Factor with the smallest shift that makes every pivot positive."""
    for shift in SHIFTS:
        try:
            return scaled.factorize(kept, shift)
        except NotPositiveDefiniteError:
            if shift == SHIFTS[-1]:
                raise
    raise AssertionError("there is a shift")


def _confirmed(x: csr_array, scale: Float64, vectors: Float64) -> tuple[Float64, Float64]:
    """Null vectors and nearly null vectors among the combinations of `vectors`, all of columns of unit length.

    Two columns may both be nearly dependent on others and their difference dependent, so combinations are looked at, not each
    vector by itself. Their singular values are those of a triangle that takes up rows of X in turn: squares would lose what is
    below the root of the rounding error of the largest.
    """
    if not vectors.shape[1]:
        return vectors, vectors
    orthonormal, _ = np.linalg.qr(vectors)
    coefficients = scale[:, None] * orthonormal
    triangle = np.zeros((0, vectors.shape[1]))
    for part in _row_parts(x, vectors.shape[1]):
        triangle = np.asarray(np.linalg.qr(np.vstack([triangle, part @ coefficients]), mode="r"))
    _, found, rotation = np.linalg.svd(triangle)
    values = np.zeros(vectors.shape[1])
    values[: len(found)] = found
    rotated = orthonormal @ rotation.T
    null = values < CONFIRMED
    return rotated[:, null], rotated[:, ~null]


def _null_vectors(x: csr_array, scale: Float64, scaled: RestrictedMatrix, candidates: Int64) -> Float64:
    """One vector for each candidate: itself minus its regression on the columns that are kept.

    The cross-product carries the rounding errors of sums over all records, so the regression is refined by residuals from X.
    """
    p = x.shape[1]
    kept = np.ones(p, dtype=np.bool_)
    kept[candidates] = False
    vectors = np.zeros((p, len(candidates)))
    vectors[candidates, np.arange(len(candidates))] = 1.0
    if kept.any() and len(candidates):
        factor = scaled.factorize(kept)
        vectors -= factor.solve(scaled.matrix[:, candidates].toarray() * kept[:, None])
        for _ in range(REFINEMENTS):
            vectors -= factor.solve(_cross_product(x, scale, vectors) * kept[:, None])
    return vectors


def _cross_product(x: csr_array, scale: Float64, vectors: Float64) -> Float64:
    """S X'X S v for the columns v of `vectors`, S the diagonal `scale`."""
    coefficients = scale[:, None] * vectors
    total = np.zeros_like(vectors)
    for part in _row_parts(x, vectors.shape[1]):
        total += part.T @ (part @ coefficients)
    product: Float64 = scale[:, None] * total
    return product


def _row_parts(x: csr_array, width: int) -> Iterator[csr_array]:
    """Rows of X, so many at once that a product with `width` columns stays small."""
    size = max(1, min(CHUNK, LARGEST_PRODUCT // max(1, width)))
    for first in range(0, x.shape[0], size):
        yield x[first : first + size]


def _choose_constraints(basis: Float64, preferred: Int64) -> Int64:
    """Rows of the basis that are independent, as many of the preferred ones as leave the other columns well determined.

    The singular values of X without these columns are at least those of X times the smallest one of the rows chosen of an
    orthonormal basis.
    """
    best, most = np.empty(0, dtype=np.int64), -1.0
    for part in OWN_PARTS:
        chosen = _independent_rows(basis, preferred, part)
        if len(chosen) > MOST_LOOKED_AT or not len(chosen):
            return chosen
        smallest = float(np.linalg.svd(basis[chosen], compute_uv=False)[-1])
        if smallest > 2.0 * most:
            best, most = chosen, smallest
        if most > ENOUGH:
            break
    return best


def _independent_rows(basis: Float64, preferred: Int64, part: float) -> Int64:
    """Rows of the basis that are independent: the preferred ones in turn, then whatever pivoted QR finds."""
    d = basis.shape[1]
    chosen: list[int] = []
    directions = np.empty((0, d))
    for row in preferred:
        if len(chosen) == d:
            break
        rest = basis[row] - directions.T @ (directions @ basis[row])
        size = float(np.linalg.norm(rest))
        if size > max(SMALLEST_ROW, part * float(np.linalg.norm(basis[row]))):
            directions = np.vstack([directions, rest / size])
            chosen.append(int(row))
    if len(chosen) < d:
        rest_of_rows = basis - (basis @ directions.T) @ directions
        _, _, order = qr(rest_of_rows.T, mode="economic", pivoting=True)
        chosen.extend(int(row) for row in order[: d - len(chosen)])
    return np.array(sorted(chosen), dtype=np.int64)
