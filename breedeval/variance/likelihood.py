r"""The log-likelihood through the mixed model equations.

With V = Z G Z' + R and the fixed effects' columns X of full rank p (dependent columns are taken out), the restricted
log-likelihood of n observations is

−2 log L = log|V| + log|X'V⁻¹X| + y'Py + (n − p) log 2π,   and by maximum likelihood   log|V| + y'Py + n log 2π.

By Henderson's equations log|V| + log|X'V⁻¹X| = log|R| + log|G| + log|C| (Harville 1977, J. Am. Stat. Assoc. 72:320), log|V| =
log|R| + log|G| + log|C_uu|, and y'Py = ê'R⁻¹ê + û'G⁻¹û. No term log|X'X| is added.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from breedeval.arrays import Float64, freeze
from breedeval.equations.residual import ResidualInverse, invert_patterns, weights_of_records
from breedeval.errors import NotPositiveDefiniteError
from breedeval.variance.equations import FactorizedEquations, factorize_equations
from breedeval.variance.parameters import Matrices
from breedeval.variance.system import MixedModelSystem

Likelihood = Literal["reml", "ml"]
LOG_2PI = math.log(2.0 * math.pi)


@dataclass(frozen=True)
class LogLikelihood:
    """A log-likelihood in its parts; all determinants are logarithms.

    Parameters
    ----------
    likelihood
        ``reml`` or ``ml``.
    residual, random, equations
        log|R|, log|G|, and log|C| (``reml``) or log|C_uu| (``ml``).
    quadratic
        y'Py.
    n
        Observations less fixed effects (``reml``), or observations (``ml``): how often log 2π is in.
    """

    likelihood: Likelihood
    residual: float
    random: float
    equations: float
    quadratic: float
    n: int

    @property
    def without_2pi(self) -> float:
        """Without the terms in 2π, as ASReml, gremlin and DFREML print it."""
        return -0.5 * (self.residual + self.random + self.equations + self.quadratic)

    @property
    def value(self) -> float:
        """With all constants, as lme4 prints it."""
        return self.without_2pi - 0.5 * self.n * LOG_2PI


@dataclass(frozen=True)
class Point:
    """The model at one set of (co)variances.

    Parameters
    ----------
    system, matrices
        The model and its (co)variance matrices.
    likelihood
        Which likelihood counts.
    inverses, roots
        Σ⁻¹ and F, Σ = F F', of each random block.
    residual
        R⁻¹.
    equations
        C, factorized.
    solution
        (N,) all effects; zero where constrained.
    transformed
        (N,) the same with v in the place of u = F v where a block is transformed.
    errors
        (m, t) ê, zero where not observed.
    log_likelihood
        Of these (co)variances.
    """

    system: MixedModelSystem
    matrices: Matrices
    likelihood: Likelihood
    inverses: Matrices
    roots: Matrices
    residual: ResidualInverse
    equations: FactorizedEquations
    solution: Float64
    transformed: Float64
    errors: Float64
    log_likelihood: LogLikelihood

    @property
    def transformed_blocks(self) -> tuple[int, ...]:
        """Numbers of the random blocks that `transformed` has other coordinates for."""
        return self.system.nodes.transformed

    def transform(self, b: Float64) -> Float64:
        """F'b for b (N, c); see `FactorizedEquations`."""
        kept = self.system.kept
        found = b.copy()
        found[kept] = self.equations.transform(b[kept])
        return found

    def solve_transformed(self, b: Float64) -> Float64:
        """(F'CF)⁻¹ b for b (N, c), with zeros where equations are constrained."""
        found = np.zeros_like(b)
        found[self.system.kept] = self.equations.factor.solve(b[self.system.kept])
        return found

    @cached_property
    def traces(self) -> Float64:
        """∂(log|C|)/∂c_k, or of log|C_uu|, for every coefficient; see `FactorizedEquations.traces`."""
        return self.counted.traces()

    @cached_property
    def counted(self) -> FactorizedEquations:
        """The equations whose determinant is in the likelihood: all of them, or those of the random effects."""
        if self.likelihood == "reml":
            return self.equations
        return _random_equations(self.system, self.residual.inverses, self.inverses, self.roots)


def evaluate_point(system: MixedModelSystem, matrices: Matrices, likelihood: Likelihood) -> Point:
    """Solve the equations and compute the log-likelihood at given (co)variances.

    Parameters
    ----------
    matrices
        Positive definite: one for each random block, then one for each residual class.

    Raises
    ------
    NotPositiveDefiniteError
        If a pivot of C, or of a matrix, is not positive.

    Notes
    -----
    Costs one factorization of C (with ``ml`` one more of its random part) and one solution.
    """
    n_random = len(system.random)
    roots = tuple(matrix_root(matrix) for matrix in matrices)[:n_random]
    inverses = tuple(np.linalg.inv(matrix).astype(np.float64) for matrix in matrices[:n_random])
    by_kind, log_determinants = invert_patterns(matrices[n_random:], system.patterns)
    residual = ResidualInverse(system.kind, by_kind, log_determinants, *weights_of_records(system.design))
    equations = factorize_equations(system.coefficients, system.analysis, by_kind, inverses, roots)
    transformed, solution, errors = _solve(system, residual, equations)
    counted = equations if likelihood == "reml" else _random_equations(system, by_kind, inverses, roots)
    found = LogLikelihood(
        likelihood,
        residual=float(log_determinants @ system.n_of_kind - 2.0 * np.log(system.weight_roots[system.design.observed]).sum()),
        random=sum(
            one.block.n_columns * one.log_determinant + one.n_random * float(np.linalg.slogdet(matrix)[1])
            for one, matrix in zip(system.random, matrices, strict=False)
        ),
        equations=counted.log_determinant,
        quadratic=_quadratic(system, residual, inverses, transformed, errors),
        n=system.n_observations - (system.rank if likelihood == "reml" else 0),
    )
    return Point(
        system,
        matrices,
        likelihood,
        inverses,
        roots,
        residual,
        equations,
        freeze(solution),
        freeze(transformed),
        freeze(errors),
        found,
    )


def _random_equations(system: MixedModelSystem, by_kind: Float64, inverses: Matrices, roots: Matrices) -> FactorizedEquations:
    return factorize_equations(system.random_coefficients, system.random_analysis, by_kind, inverses, roots)


def matrix_root(matrix: Float64) -> Float64:
    """Lower triangular F with Σ = F F', exact to the last digit of each variance whatever their units.

    A trial step that goes very far may end at a matrix that is positive definite but for rounding errors: that is refused.
    """
    scale = np.sqrt(np.diag(matrix))
    try:
        return np.asarray(scale[:, None] * np.linalg.cholesky(matrix / np.outer(scale, scale)))
    except np.linalg.LinAlgError as error:
        raise NotPositiveDefiniteError(
            "A (co)variance matrix is not positive definite in the digits that a number has. Give other starting values."
        ) from error


def _quadratic(
    system: MixedModelSystem, residual: ResidualInverse, inverses: Matrices, transformed: Float64, errors: Float64
) -> float:
    """Y'Py = ê'R⁻¹ê + û'G⁻¹û."""
    total = float(np.einsum("ij,ij", errors, residual.multiply(errors, np.empty_like(errors))))
    for number, one in enumerate(system.random):
        forms = one.quadratic_forms(system.deviations(number, transformed))
        weights = np.eye(len(forms)) if number in system.nodes.transformed else inverses[number]
        total += float((forms * weights).sum())
    return total


def _solve(
    system: MixedModelSystem, residual: ResidualInverse, equations: FactorizedEquations
) -> tuple[Float64, Float64, Float64]:
    """All solutions in both coordinates, and ê."""
    design = system.design
    work = np.empty_like(design.observations)
    residual.multiply(design.observations, work)
    b = system.incidence.add_backward(work, np.zeros(design.layout.n_equations))
    transformed, solution = np.zeros(len(b)), np.zeros(len(b))
    v = equations.solve_transformed(b[system.kept][:, None])
    transformed[system.kept] = v[:, 0]
    solution[system.kept] = equations.coefficients.nodes.multiply(v, equations.roots)[:, 0]
    errors = design.observations - system.incidence.forward(solution, work)
    errors[~design.observed] = 0.0
    return transformed, solution, errors
