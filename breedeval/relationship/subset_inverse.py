"""The inverse of A of some of the animals, as an operator, without A of these animals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csc_array, csr_array
from scipy.sparse.linalg import splu

from breedeval.arrays import NONE, Float64, Int64, freeze
from breedeval.errors import NotConvergedError, NotPositiveDefiniteError, count_of, name_some
from breedeval.kernels import absorption as kernels
from breedeval.names import Names
from breedeval.pedigree.pedigree import Pedigree
from breedeval.pedigree.row_numbers import row_numbers
from breedeval.pedigree.subset import ancestor_mask, take_animals
from breedeval.relationship.a_inverse import NumeratorInverse, product_arrays
from breedeval.relationship.ancestry import gamma_of
from breedeval.relationship.groups import GroupedInverse
from breedeval.relationship.inbreeding import Inbreeding

#: Residual relative to the right-hand side at which a solve is as exact as its products.
_TOLERANCE = 1e-13
_MOST_ROUNDS = 2_000
#: An eigenvalue of Γ below this part of its largest element is rounding error.
_SMALLEST_EIGENVALUE = 1e-13
#: Largest order for which the matrix is made.
_LARGEST_DENSE = 20_000


class SparseFactor(Protocol):
    """A factorized symmetric positive definite matrix."""

    def solve(self, b: Float64) -> Float64:
        """Return the solution for b (n,)."""

    def log_determinant(self) -> float:
        """Logarithm of the determinant."""


class SubsetInverse:
    """A₂₂⁻¹, where A₂₂ is A of some of the animals.

    Parameters
    ----------
    pedigree, inbreeding
        The pedigree, and :func:`compute_inbreeding` of it: parents in unknown-parent groups count as unknown, also where the
        groups are fixed effects. Or coefficients relative to metafounders, from
        :func:`compute_inbreeding_with_metafounders`: then A is A(Γ), and the metafounders are among the ancestors.
    rows
        (k,) rows of the animals, in the order that the operator shall have; each once.
    factorize
        Factorizes a sparse symmetric positive definite matrix (both triangles, compressed columns), as the factorizations of
        ``breedeval.solvers`` do. Without it the solve inside a product is by conjugate gradients.

    Raises
    ------
    ValueError
        If an animal is given twice.
    NotPositiveDefiniteError
        If an animal has no Mendelian variance left, or Γ is singular: A has no inverse.

    Notes
    -----
    With 2 for these animals and 1 for those of their ancestors that are not among them, A₂₂⁻¹ x = A²²x − A²¹(A¹¹)⁻¹A¹²x, the
    blocks being those of the inverse of A of both (Masuda and others 2017, J. Anim. Sci. 95:49; Strandén and others 2017,
    J. Anim. Breed. Genet. 134:264). All other animals play no part. In other words: find the values of the ancestors for which
    A⁻¹ times all values is zero in their rows; it is then A₂₂⁻¹ x in the others.

    A factor of A¹¹ fills in: of 119,000 ancestors of 20,000 animals it had 70 million elements. So the solve is by conjugate
    gradients, with products through the list of parents, and preconditioned by an elimination along the pedigree that leaves
    out the links between mates. On the same example that takes 27 rounds to the last digits (the diagonal as preconditioner
    218), with nothing stored but the pedigree.

    Examples
    --------
    >>> import breedeval as be
    >>> pedigree = be.read_pedigree("pedigrees/mrode_table_2_1.csv")
    >>> inbreeding = be.compute_inbreeding(pedigree)
    >>> rows = [pedigree.row_of("5"), pedigree.row_of("6")]
    >>> inverse = SubsetInverse(pedigree, inbreeding, rows)
    >>> bool(np.allclose(inverse.to_csr() @ be.Numerator(pedigree, inbreeding).subset(rows), np.eye(2)))
    True
    """

    def __init__(
        self,
        pedigree: Pedigree,
        inbreeding: Inbreeding,
        rows: ArrayLike,
        *,
        factorize: Callable[[csc_array], SparseFactor] | None = None,
    ) -> None:
        chosen = row_numbers(rows, pedigree.n_animals)
        _require_distinct(pedigree, chosen)
        gamma = gamma_of(pedigree, inbreeding)
        closure = np.flatnonzero(ancestor_mask(pedigree, chosen))
        part = _closed_part(pedigree, closure, with_groups=len(gamma) > 0)
        variance = freeze(inbreeding.mendelian_variance[closure])
        self._n_animals = len(closure)
        of_animals = NumeratorInverse(part, Inbreeding(freeze(inbreeding.coefficients[closure]), variance))
        precision = _precision(gamma)
        self._inverse = GroupedInverse(of_animals, precision) if len(gamma) else of_animals
        self._place = np.searchsorted(closure, chosen)
        fixed = np.zeros(len(closure) + len(gamma), dtype=np.bool_)
        fixed[self._place] = True
        self._others = np.flatnonzero(~fixed)
        share, pivot_inverse, information = np.empty(len(closure)), np.empty(len(closure)), np.zeros(len(fixed))
        kernels.absorb_progeny(part.sire, part.dam, variance, fixed, information, share, pivot_inverse)
        self._elimination = (part.sire, part.dam, share, pivot_inverse)
        self._of_groups = np.linalg.inv(precision + np.diag(information[len(closure) :])).astype(np.float64)
        self._factor = None if factorize is None or not len(self._others) else factorize(self._ancestor_block())

    @property
    def order(self) -> int:
        """Number of animals, k."""
        return len(self._place)

    @property
    def n_other_ancestors(self) -> int:
        """Ancestors that are not among these animals, and metafounders: the order of A¹¹."""
        return len(self._others)

    @cached_property
    def log_determinant(self) -> float:
        """log|A₂₂|, of the matrix itself and not of its inverse: log|A| of both parts plus log|A¹¹|.

        This alone needs a factor of A¹¹, which is made by SuperLU if none was asked for: minutes for 100,000 ancestors.
        """
        if not len(self._others):
            return self._inverse.log_determinant
        if self._factor is not None:
            return self._inverse.log_determinant + self._factor.log_determinant()
        options = {"SymmetricMode": True}
        factor = splu(self._ancestor_block(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options)
        return self._inverse.log_determinant + float(np.log(factor.U.diagonal()).sum())

    def multiply(self, x: Float64, out: Float64 | None = None) -> Float64:
        """Return A₂₂⁻¹ x for x of shape (k,) or (k, m), column by column; written to `out` (same shape, not x) if given.

        Raises
        ------
        NotConvergedError
            If the values of the ancestors cannot be found, as where animals are almost fully inbred.
        """
        x, out = product_arrays(x, out, self.order)
        if x.ndim == 1:
            out[:] = self._product(x)
        else:
            for column in range(x.shape[1]):
                out[:, column] = self._product(x[:, column])
        return out

    def diagonal(self) -> Float64:
        """(k,) diagonal of A₂₂⁻¹; costs a product for each animal with a parent, a mate or progeny outside the subset."""
        out: Float64 = self._inverse.diagonal()[self._place]
        matrix = self._inverse.to_csr()[self._place][:, self._others]
        unit = np.zeros(self.order)
        for row in np.flatnonzero(np.diff(matrix.indptr)):
            unit[row] = 1.0
            out[row] = self._product(unit)[row]
            unit[row] = 0.0
        return out

    def to_csr(self) -> csr_array:
        """A₂₂⁻¹ as a matrix, for tests and small subsets; most of it may be different from 0.

        Raises
        ------
        ValueError
            If there are more than 20,000 animals.
        """
        if self.order > _LARGEST_DENSE:
            raise ValueError(f"the inverse for {self.order:,} animals is too large to be made; use multiply")
        matrix = self.multiply(np.eye(self.order))
        return csr_array(0.5 * (matrix + matrix.T))

    def _product(self, x: Float64) -> Float64:
        """A₂₂⁻¹ x for one column."""
        values = np.zeros(self._inverse.order)
        values[self._place] = x
        across = self._inverse.multiply(values)
        if len(self._others):
            residual = -across
            residual[self._place] = 0.0
            across += self._inverse.multiply(self._solve(residual))
        return across[self._place]

    def _solve(self, b: Float64) -> Float64:
        """Values (of all animals of the closed part) of the ancestors, A¹¹ values = b; 0 in the rows of the subset, as b."""
        x = np.zeros_like(b)
        if self._factor is not None:
            x[self._others] = self._factor.solve(np.ascontiguousarray(b[self._others]))
            return x
        goal = _TOLERANCE * float(np.sqrt(b @ b))
        r, z, q = b, np.empty_like(b), np.empty_like(b)
        p, rz = np.zeros_like(b), 1.0
        for _ in range(_MOST_ROUNDS):
            if float(np.sqrt(r @ r)) <= goal:
                return x
            self._precondition(r, z)
            rz, before = float(r @ z), rz
            p *= rz / before
            p += z
            self._inverse.multiply(p, q)
            q[self._place] = 0.0
            step = rz / float(p @ q)
            x += step * p
            r -= step * q
        raise NotConvergedError(
            f"The inverse relationship matrix of {self.order:,} animals could not be multiplied: the values of their "
            f"{self.n_other_ancestors:,} other ancestors were not found in {_MOST_ROUNDS:,} rounds (residual "
            f"{float(np.sqrt(r @ r)) / goal * _TOLERANCE:.1e} of the right-hand side). Hand in `factorize`."
        )

    def _precondition(self, r: Float64, out: Float64) -> None:
        """Approximate values for r: the pedigree eliminated upwards, then groups, and down again."""
        sire, dam, share, _ = self._elimination
        kernels.apply_up(r, *self._elimination, out)
        if len(self._of_groups):
            out[self._n_animals :] = self._of_groups @ out[self._n_animals :]
        kernels.apply_down(sire, dam, share, out)

    def _ancestor_block(self) -> csc_array:
        return csc_array(self._inverse.to_csr()[self._others][:, self._others])


def _precision(gamma: Float64) -> Float64:
    """Γ⁻¹; (0, 0) without metafounders."""
    if len(gamma) and not np.linalg.eigvalsh(gamma)[0] > _SMALLEST_EIGENVALUE * np.abs(gamma).max():
        raise NotPositiveDefiniteError(
            f"The relationship matrix of {len(gamma)} metafounders is singular, so A of their descendants may have no inverse. "
            "Merge groups that are the same, or make relationships between them smaller than those within."
        )
    return np.linalg.inv(gamma).astype(np.float64)


def _closed_part(pedigree: Pedigree, rows: Int64, with_groups: bool) -> Pedigree:
    """The animals in these rows, which hold all their ancestors; groups count as unknown if they are no metafounders."""
    part = take_animals(pedigree, rows)
    if with_groups or not part.n_groups:
        return part
    n = part.n_animals
    sire, dam = (freeze(np.where(parent < n, parent, NONE).astype(np.int32)) for parent in (part.sire, part.dam))
    return replace(part, sire=sire, dam=dam, groups=Names.of([]))


def _require_distinct(pedigree: Pedigree, rows: Int64) -> None:
    values, counts = np.unique(rows, return_counts=True)
    twice = values[counts > 1]
    if len(twice):
        named = name_some(pedigree.ids.take(twice))
        raise ValueError(f"{count_of(len(twice), 'animal')} given more than once: {named}. Give each animal once.")
