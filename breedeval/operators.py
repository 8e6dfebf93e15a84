"""A matrix is what it does: the protocols that equations and solvers share."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from scipy.sparse import csr_array

from breedeval.arrays import Float64


@runtime_checkable
class SymmetricOperator(Protocol):
    """A symmetric matrix known by its products.

    ``order`` is n. ``multiply`` takes x of shape (n,) or (n, k) and leaves it alone; it writes to ``out`` (same shape, made if
    None) and returns it. ``to_csr`` is for tests and systems small enough to be factorized.
    """

    @property
    def order(self) -> int:
        """Number of rows, n."""

    def multiply(self, x: Float64, out: Float64 | None = None) -> Float64:
        """Return the product with x."""

    def diagonal(self) -> Float64:
        """(n,) diagonal."""

    def to_csr(self) -> csr_array:
        """The explicit matrix."""


@runtime_checkable
class KroneckerOperator(SymmetricOperator, Protocol):
    """A symmetric matrix K that multiplies by K ⊗ S as fast as by K."""

    def multiply_kronecker(self, x: Float64, matrix: Float64, out: Float64) -> None:
        """Write (K ⊗ S) x to `out`; x and out (n, k · c) hold c vectors side by side, matrix is the symmetric S (k, k)."""


@runtime_checkable
class Preconditioner(Protocol):
    """An approximate inverse: symmetric, positive (semi)definite, cheap to apply."""

    @property
    def name(self) -> str:
        """For reports."""

    def apply(self, r: Float64, out: Float64) -> Float64:
        """Write M⁻¹ r to `out`, another array, and return it; both (n,) or (n, k)."""


@runtime_checkable
class ColumnsPreconditioner(Preconditioner, Protocol):
    """A preconditioner that knows r'M⁻¹r of several columns without another pass over them."""

    def apply_with_products(self, r: Float64, out: Float64) -> Float64:
        """Write M⁻¹ r (n, k) to `out` and return r'M⁻¹r of each column (k,)."""
