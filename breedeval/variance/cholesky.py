"""Matrices as products of triangular factors: a parametrization in which every step stays inside the parameter space.

A matrix, scaled to plausible standard deviations, is P'L L'P with L lower triangular and P from pivoting, largest pivots first,
so that a matrix near the boundary shows it in its last pivots. Pivots are not let below the floor; there a variance counts as
zero, or a matrix as singular.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breedeval.arrays import Bool, Float64, Int64
from breedeval.variance.parameters import Matrices, MatrixParameter, Parameters


@dataclass(frozen=True)
class TriangularFactor:
    """One scaled matrix as L L' after pivoting.

    Parameters
    ----------
    parameter
        What the matrix is.
    pivots
        (k,) row of the matrix that each row of L stands for.
    lower
        (k, k) L.
    elements
        Free elements (row, column) of L.
    value
        The matrix itself.
    """

    parameter: MatrixParameter
    pivots: Int64
    lower: Float64
    elements: tuple[tuple[int, int], ...]
    value: Float64

    def matrix(self, lower: Float64 | None = None) -> Float64:
        """The matrix for this or another L, in its own units; pivots below the floor are raised to it."""
        found = (self.lower if lower is None else lower).copy()
        diagonal = np.einsum("ii->i", found)
        diagonal[:] = np.where(np.abs(diagonal) < np.sqrt(self.parameter.floor), np.sqrt(self.parameter.floor), diagonal)
        product = np.empty_like(found)
        product[np.ix_(self.pivots, self.pivots)] = found @ found.T
        scaled = product * np.outer(self.parameter.scale, self.parameter.scale)
        return np.asarray((scaled + scaled.T) / 2.0)

    def jacobian(self) -> Float64:
        """(free elements of the matrix, free elements of L): derivatives of the matrix."""
        size, scale = self.parameter.size, self.parameter.scale
        place = np.empty(size, dtype=np.int64)
        place[self.pivots] = np.arange(size)
        rows = self.parameter.free()
        found = np.zeros((len(rows), len(self.elements)))
        for column, (a, b) in enumerate(self.elements):
            unit = np.zeros((size, size))
            unit[a, b] = 1.0
            change = unit @ self.lower.T
            change = change + change.T
            found[:, column] = [change[place[i], place[j]] * scale[i] * scale[j] for i, j in rows]
        return found

    def curvature(self, derivative: Float64) -> Float64:
        """Positive part of −∂²L/∂L² that comes from the parametrization: of −2 tr(D dL dL'), D with dL = tr(D dΣ)."""
        scale = self.parameter.scale
        values, vectors = np.linalg.eigh(-2.0 * (derivative * np.outer(scale, scale))[np.ix_(self.pivots, self.pivots)])
        positive = (vectors * np.maximum(values, 0.0)) @ vectors.T
        n = len(self.elements)
        found = np.zeros((n, n))
        for x, (a, b) in enumerate(self.elements):
            for y, (c, d) in enumerate(self.elements):
                if b == d:
                    found[x, y] = positive[a, c]
        return found

    def at_boundary(self) -> Bool:
        """(k,) pivots that are at the boundary."""
        return np.asarray(np.diag(self.lower) ** 2 <= self.parameter.boundary)


def factorize_matrix(parameter: MatrixParameter, value: Float64) -> TriangularFactor:
    """Pivoted Cholesky factor of a scaled positive definite matrix (raised to the floor where it is not)."""
    size = parameter.size
    scaled = value / np.outer(parameter.scale, parameter.scale)
    if parameter.structure == "diagonal":
        lower = np.diag(np.sqrt(np.maximum(np.diag(scaled), parameter.floor)))
        return TriangularFactor(parameter, np.arange(size), lower, tuple(parameter.free()), value)
    rest, pivots, lower = scaled.copy(), np.arange(size), np.zeros((size, size))
    for column in range(size):
        best = column + int(np.argmax(np.diag(rest)[column:]))
        for array in (rest, lower):
            array[[column, best]] = array[[best, column]]
        rest[:, [column, best]] = rest[:, [best, column]]
        pivots[[column, best]] = pivots[[best, column]]
        lower[column, column] = np.sqrt(max(rest[column, column], parameter.floor))
        lower[column + 1 :, column] = rest[column + 1 :, column] / lower[column, column]
        below = lower[column + 1 :, column]
        rest[column + 1 :, column + 1 :] -= np.outer(below, below)
    estimated = [i for i in range(size) if parameter.structure != "fixed" and pivots[i] not in parameter.dropped]
    free = tuple((i, j) for i in estimated for j in estimated if j <= i)
    return TriangularFactor(parameter, pivots, lower, free, value)


@dataclass(frozen=True)
class CholeskyPoint:
    """All matrices by their factors, with the derivatives of the log-likelihood in these coordinates φ.

    Parameters
    ----------
    factors
        One for each matrix.
    jacobian
        ∂θ/∂φ.
    gradient, information
        ∂L/∂φ, and a positive semidefinite approximation of −∂²L/∂φ².
    free
        (number of φ,) False where φ is at the floor and the likelihood falls towards the inside.
    """

    factors: tuple[TriangularFactor, ...]
    jacobian: Float64
    gradient: Float64
    information: Float64
    free: Bool

    def step(self, damping: float) -> Float64:
        """Step in φ: a damped Newton step on the free elements (Levenberg; Marquardt 1963, J. SIAM 11:431)."""
        found = np.zeros(len(self.gradient))
        h, g = self.information[np.ix_(self.free, self.free)], self.gradient[self.free]
        largest = float(np.diag(h).max(initial=0.0))
        scale = np.sqrt(np.maximum(np.diag(h), 1e-12 * largest if largest > 0.0 else 1.0))
        scaled = h / np.outer(scale, scale) + (damping + 1e-12) * np.eye(len(g))
        found[self.free] = np.linalg.lstsq(scaled, g / scale, rcond=1e-13)[0] / scale
        return found

    def decrement(self) -> float:
        """Newton decrement √(g'H⁻¹g): how far from the maximum, in standard errors."""
        return float(np.sqrt(max(float(self.step(0.0) @ self.gradient), 0.0)))

    def moved(self, step: Float64) -> Matrices:
        """The matrices after a step in φ."""
        found, first = [], 0
        for factor in self.factors:
            lower = factor.lower.copy()
            for place, (a, b) in enumerate(factor.elements):
                lower[a, b] += step[first + place]
            first += len(factor.elements)
            found.append(factor.matrix(lower) if factor.elements else factor.value)
        return tuple(found)

    @property
    def is_interior(self) -> bool:
        """Whether no matrix that is estimated is at the boundary."""
        return not any(factor.at_boundary().any() for factor in self.factors if factor.elements)

    def sampling_covariance(self, information: Float64) -> Float64:
        """Inverse of the average information of θ; at the boundary, within the directions that stay at it."""
        free = np.ones(len(self.gradient), dtype=bool)
        first = 0
        for factor in self.factors:
            low = factor.at_boundary()
            free[first : first + len(factor.elements)] = [not (a == b and low[a]) for a, b in factor.elements]
            first += len(factor.elements)
        j = self.jacobian[:, free]
        return np.asarray(j @ _pseudo_inverse(j.T @ information @ j) @ j.T)


def cholesky_point(
    parameters: Parameters, values: Matrices, derivatives: Matrices, gradient: Float64, information: Float64
) -> CholeskyPoint:
    """Change the coordinates from θ to triangular factors.

    Parameters
    ----------
    values, derivatives
        Each matrix Σ, and D with dL = tr(D dΣ).
    gradient, information
        ∂L/∂θ and the average information of θ.
    """
    factors = tuple(factorize_matrix(matrix, value) for matrix, value in zip(parameters.matrices, values, strict=True))
    n_phi = sum(len(factor.elements) for factor in factors)
    jacobian, curvature, free = np.zeros((len(gradient), n_phi)), np.zeros((n_phi, n_phi)), np.ones(n_phi, dtype=bool)
    first = 0
    for number, (factor, derivative) in enumerate(zip(factors, derivatives, strict=True)):
        here = slice(first, first + len(factor.elements))
        if factor.elements:
            jacobian[parameters.places(number), here] = factor.jacobian()
            curvature[here, here] = factor.curvature(derivative)
        first = here.stop
    phi = jacobian.T @ gradient
    first = 0
    for factor in factors:
        low = factor.at_boundary()
        for place, (a, b) in enumerate(factor.elements):
            free[first + place] = not (a == b and low[a] and phi[first + place] <= 0)
        first += len(factor.elements)
    return CholeskyPoint(factors, jacobian, phi, _semidefinite(jacobian.T @ information @ jacobian) + curvature, free)


def _semidefinite(matrix: Float64) -> Float64:
    """Without the negative part that rounding leaves where the data are fitted almost exactly: no step may come of it."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2.0)
    return matrix if values.min(initial=0.0) >= 0.0 else np.asarray((vectors * np.maximum(values, 0.0)) @ vectors.T)


def is_inside(parameters: Parameters, values: Matrices) -> bool:
    """Whether every matrix is positive definite and away from the boundary."""
    for parameter, value in zip(parameters.matrices, values, strict=True):
        if parameter.structure == "fixed":
            continue
        kept = np.setdiff1d(np.arange(parameter.size), parameter.dropped)
        scaled = (value / np.outer(parameter.scale, parameter.scale))[np.ix_(kept, kept)]
        try:
            lower = np.linalg.cholesky(scaled)
        except np.linalg.LinAlgError:
            return False
        if (np.diag(lower) ** 2 < 10.0 * parameter.boundary).any():
            return False
    return True


def _pseudo_inverse(matrix: Float64) -> Float64:
    """Inverse where there is information, judged on a unit diagonal; zero elsewhere."""
    if not len(matrix):
        return matrix
    diagonal = np.diag(matrix)
    scale = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    return np.asarray(np.linalg.pinv(matrix / np.outer(scale, scale), rcond=1e-10, hermitian=True) / np.outer(scale, scale))
