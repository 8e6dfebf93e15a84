"""A dense matrix as an operator, and matrices whose eigenvalues are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array


@dataclass
class DenseOperator:
    """C as a dense matrix."""

    matrix: np.ndarray

    @property
    def order(self) -> int:
        """Number of equations."""
        return len(self.matrix)

    def multiply(self, x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """C x."""
        product = self.matrix @ x
        if out is None:
            return product
        out[...] = product
        return out

    def diagonal(self) -> np.ndarray:
        """Of C."""
        return np.diag(self.matrix).copy()

    def to_csr(self) -> csr_array:
        """C."""
        return csr_array(self.matrix)


def matrix_of_spectrum(values: np.ndarray, seed: int, parts: np.ndarray | None = None) -> np.ndarray:
    """A matrix with these eigenvalues; with `parts`, the vector that has so much of each of its eigenvectors."""
    vectors, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(values), len(values))))
    return (vectors * np.asarray(values)) @ vectors.T if parts is None else vectors @ parts
