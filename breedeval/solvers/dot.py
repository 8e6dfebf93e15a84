"""The product of two vectors."""

from __future__ import annotations

from breedeval.arrays import Float64, freeze
from breedeval.kernels import vectors


def dot(x: Float64, y: Float64) -> float:
    """Return x'y for vectors (N,); the same bits for any number of threads.

    Vectors of solvers may be written to or not: both are taken as read-only, so that one loop is compiled for all.

    Examples
    --------
    >>> import numpy as np
    >>> dot(np.ones(3), np.ones(3))
    3.0
    """
    return float(vectors.dot(freeze(x), freeze(y)))
