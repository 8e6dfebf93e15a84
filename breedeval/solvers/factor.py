"""What a factorization offers, whichever engine made it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from breedeval.arrays import Float64, Int64
from breedeval.errors import NotPositiveDefiniteError


@dataclass(frozen=True)
class LowerFactor:
    """P C P' = L D L': `lower` is the unit lower triangle by columns without its diagonal.

    Row i of P C P' is row ``permutation[i]`` of C.
    """

    pointer: Int64
    row: Int64
    lower: Float64
    pivot: Float64
    permutation: Int64


class SelectedInverse(Protocol):
    """Elements of C⁻¹ on the pattern of L (Takahashi, Fagan and Chin 1973); the inverse is never formed.

    Notes
    -----
    Memory: once more the numbers of the factor. Time: that of one to three factorizations.
    """

    @property
    def diagonal(self) -> Float64:
        """(n,) diagonal, in the order of the matrix that was factorized."""

    def elements(self, first: Int64, second: Int64) -> Float64:
        """(m,) elements of C⁻¹ in rows `first` and columns `second`; NaN where the pattern has no such element.

        Every element that C itself stores is there, zeros included.
        """


class Factor(Protocol):
    """What gives solutions with C and elements of C⁻¹."""

    @property
    def engine(self) -> str:
        """Name of the engine."""

    def solve(self, b: Float64) -> Float64:
        """Return C⁻¹ b for b (n,) or (n, k)."""

    def inverse_on_pattern(self) -> SelectedInverse:
        """C⁻¹ on the pattern of L, for any of its elements."""


class Factorization(Factor, Protocol):
    """A factorized symmetric positive definite matrix."""

    def log_determinant(self) -> float:
        """log|C|."""

    def lower_factor(self) -> LowerFactor:
        """The factor itself."""

    def pivots(self) -> Float64:
        """(n,) pivot of each row of the matrix."""

    def selected_inverse(self) -> Float64:
        """Elements of C⁻¹ at the stored elements of C, in the order of its data."""

    def inverse_diagonal(self) -> Float64:
        """(n,) diagonal of C⁻¹."""


class Analysis(Protocol):
    """The symbolic part of a factorization, made once for a pattern."""

    @property
    def n_values(self) -> int:
        """Numbers that a factor takes."""

    def factorize(self, values: Float64) -> Factorization:
        """Factorize the matrix of this pattern with the values (nnz,), in the order of the data of the analyzed matrix."""


def not_positive_definite(row: int) -> NotPositiveDefiniteError:
    """A pivot that was not positive, as an error; `row` of the matrix as given."""
    return NotPositiveDefiniteError(
        f"A pivot that had to be positive was not (row {row + 1}). Check that every (co)variance matrix is positive definite "
        "and every weight positive, and that no covariate is nearly a combination of others and the mean, as powers of a year "
        "are: center it, or take legendre().",
        row=row,
    )
