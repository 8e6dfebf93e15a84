"""A few directions in which equations are solved exactly, beside a preconditioner for all others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breedeval.arrays import Float64, freeze
from breedeval.kernels.vectors import dot
from breedeval.operators import SymmetricOperator

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
        (c, N) rows of V' and of (CV)'.
    inverse
        (c, c).
    """

    vectors: Float64
    images: Float64
    inverse: Float64

    @classmethod
    def of(cls, operator: SymmetricOperator, vectors: Float64, images: Float64) -> CoarseSpace:
        """From rows (c, N) of V' and of (CV)'. Vectors that C takes to nothing but rounding errors have no part in it."""
        squares = np.array([dot(v, image) for v, image in zip(vectors, images, strict=True)])
        diagonal = operator.diagonal()
        seen = squares > NULL_ENERGY * np.array([dot(v, v * diagonal) for v in vectors])
        scale = 1.0 / np.sqrt(squares[seen])[:, None]
        vectors, images = scale * vectors[seen], scale * images[seen]
        if not seen.any():
            return cls(freeze(vectors), freeze(images), freeze(np.zeros((0, 0))))
        middle = np.array([[dot(v, image) for image in images] for v in vectors])
        values, rotation = np.linalg.eigh((middle + middle.T) / 2)
        keep = values > NULL_EIGENVALUE * max(float(values[-1]), 0.0)
        inverse = (rotation[:, keep] / values[keep]) @ rotation[:, keep].T
        return cls(freeze(vectors), freeze(images), freeze(inverse))

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


def products(rows: Float64, r: Float64) -> Float64:
    """Rows (c, N) times r (N,) or (N, k); with the same bits for any number of threads if r is one vector."""
    if r.ndim == 1:
        return np.array([dot(row, r) for row in rows])
    return rows @ r


def add_rows(rows: Float64, weights: Float64, out: Float64) -> None:
    """Add rows (c, N), each times its weights (c,) or (c, k), to `out` (N,) or (N, k)."""
    for row, weight in zip(rows, weights, strict=True):
        out += np.multiply.outer(row, weight)
