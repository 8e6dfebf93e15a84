"""A few directions in which equations are solved exactly, beside a preconditioner for all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from breedeval.arrays import Float64, freeze
from breedeval.solvers.dot import dot

#: Eigenvalues of V'CV below this part of its largest belong to vectors that depend on each other.
NULL_EIGENVALUE = 1e-12
#: v'Cv below this part of v'diag(C)v is rounding error.
NULL_ENERGY = 1e-15


@dataclass(frozen=True)
class CoarseSpace:
    """Vectors V, what C makes of them, and (V'CV)⁻¹.

    Parameters
    ----------
    vectors, images
        c columns (N,) of V and of CV.
    inverse
        (c, c).
    """

    vectors: tuple[Float64, ...]
    images: tuple[Float64, ...]
    inverse: Float64

    @classmethod
    def of(cls, diagonal: Float64, vectors: Sequence[Float64], images: Sequence[Float64]) -> CoarseSpace:
        """From the diagonal of C (N,), columns of V and of CV.

        Vectors that C takes to nothing but rounding errors have no part in it, nor have combinations that others make up.
        """
        pairs = [(v, image) for v, image in zip(vectors, images, strict=True) if _is_seen(v, image, diagonal)]
        middle = np.array([[dot(v, image) for _, image in pairs] for v, _ in pairs]).reshape(len(pairs), len(pairs))
        scale = 1.0 / np.sqrt(middle.diagonal())
        values, rotation = np.linalg.eigh(scale[:, None] * (middle + middle.T) * scale / 2)
        keep = values > NULL_EIGENVALUE * values.max(initial=0.0)
        rotation = scale[:, None] * rotation[:, keep]
        inverse = (rotation / values[keep]) @ rotation.T
        return cls(tuple(v for v, _ in pairs), tuple(image for _, image in pairs), freeze(inverse))

    @property
    def n(self) -> int:
        """Number of vectors, c."""
        return len(self.vectors)

    def weights(self, r: Float64) -> Float64:
        """(V'CV)⁻¹V'r, (c,) or (c, k), for r (N,) or (N, k)."""
        return self.inverse @ products(self.vectors, r)

    def image_weights(self, z: Float64) -> Float64:
        """(V'CV)⁻¹(CV)'z."""
        return self.inverse @ products(self.images, z)


def _is_seen(v: Float64, image: Float64, diagonal: Float64) -> bool:
    """Whether v'Cv is more than rounding error."""
    return bool(dot(v, image) > NULL_ENERGY * dot(v, v * diagonal))


def products(columns: Sequence[Float64], r: Float64) -> Float64:
    """V'r for columns of V and r (N,) or (N, k); with the same bits for any number of threads if r is one vector."""
    if r.ndim == 1:
        return np.array([dot(column, r) for column in columns])
    return np.array([column @ r for column in columns]).reshape(len(columns), r.shape[1])


def add_combination(columns: Sequence[Float64], weights: Float64, out: Float64) -> None:
    """Add columns (N,), each times its weights (c,) or (c, k), to `out` (N,) or (N, k)."""
    for column, weight in zip(columns, weights, strict=True):
        out += np.multiply.outer(column, weight)
