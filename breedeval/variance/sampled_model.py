"""The model at one set of (co)variances where no factor fits: iterative solutions, traces from simulated data.

For any (co)variance the score is ½ (q(y) − E q(y*)), with q the quadratic forms y'P ∂V/∂θ P y of REML and y* data drawn from
the model: E q(y*) = tr(P ∂V/∂θ). By Henderson's equations q is the same product of U'K⁻¹U (or of ê ê') for real data and
each sample, whatever the model (Garcia-Cortes, Moreno, Varona and Altarriba 1992, J. Anim. Breed. Genet. 109:358; Matilainen,
Mantysaari, Lidauer, Stranden and Thompson 2012, 2013, PLoS ONE 8:e80821). Var(½ q(y*)) is the expected information, so that s
plain samples add 1/s to the variance of the estimates. Two further forms of each sample have known expectations, those of the
drawn effects and of the covariance of drawn and predicted ones, and take noise away as control variates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from breedeval.arrays import Float64, freeze
from breedeval.equations.mme import MixedModelEquations
from breedeval.equations.penalty import Penalty
from breedeval.equations.record_pass import plan_record_pass
from breedeval.equations.residual import ResidualInverse, invert_patterns, weights_of_records
from breedeval.errors import NotConvergedError
from breedeval.kernels.columns import WIDTHS
from breedeval.operators import Preconditioner
from breedeval.solvers.pcg_columns import pcg_columns
from breedeval.variance.draws import Drawn, ModelDraws, residual_roots
from breedeval.variance.likelihood import Likelihood, LogLikelihood, matrix_root
from breedeval.variance.parameters import Matrices, Parameters
from breedeval.variance.sampled_score import SampledScore, expected_score
from breedeval.variance.system import MixedModelSystem

#: Makes a preconditioner for the equations.
Preconditioning = Callable[[MixedModelEquations], Preconditioner]
#: Most bytes of one array of right-hand sides that are solved together.
BYTES_TOGETHER = 500_000_000
#: A preconditioner serves other (co)variances while none has changed by more than this factor.
PRECONDITIONER_FACTOR = 1.3
#: Tolerance of the solutions for average information: its error is of second order.
INFORMATION_TOLERANCE = 1e-4
MOST_PCG_ROUNDS = 2_000


@dataclass(frozen=True)
class SampledModel:
    """The model at one set of (co)variances, solved by iteration.

    Parameters
    ----------
    system, matrices, inverses, roots, residual, solution, errors
        As in `breedeval.variance.likelihood.Point`.
    score
        The score of the data and its Monte Carlo noise.
    equations, preconditioner
        C as an operator.
    last_variates
        Solutions for average information of the round before, by their number, to start from; those of this round take their
        place.
    """

    system: MixedModelSystem
    matrices: Matrices
    inverses: Matrices
    roots: Matrices
    residual: ResidualInverse
    solution: Float64
    errors: Float64
    score: SampledScore
    equations: MixedModelEquations
    preconditioner: Preconditioner
    last_variates: dict[int, Float64]

    likelihood: Likelihood = "reml"
    transformed_blocks: tuple[int, ...] = ()

    @property
    def transformed(self) -> Float64:
        """(N,) all effects: no block has other coordinates."""
        return self.solution

    @property
    def log_likelihood(self) -> LogLikelihood:
        """Not known: its determinants would need the factor."""
        n = self.system.n_observations - self.system.rank
        nan = float("nan")
        return LogLikelihood("reml", nan, nan, nan, nan, n)

    def transform(self, b: Float64) -> Float64:
        """The same."""
        return b

    def solve_transformed(self, b: Float64) -> Float64:
        """C⁻¹ b for b (N, c), good enough for average information."""
        size = np.einsum("ij,ij->j", b, self.preconditioner.apply(b, np.empty_like(b)))
        energy = INFORMATION_TOLERANCE**2 * size
        start = self.last_variates.get(b.shape[1])
        found = pcg_columns(
            self.equations, b, self.preconditioner, max_rounds=MOST_PCG_ROUNDS, start=start, energy=energy
        ).solution
        self.last_variates[b.shape[1]] = found
        return found


class ModelSampler:
    """Evaluates a model at any (co)variances with the same draws, each solution starting from the one before.

    Parameters
    ----------
    system, parameters
        The model and what is estimated.
    preconditioning
        Makes a preconditioner.
    seed
        Of the draws.
    """

    def __init__(
        self, system: MixedModelSystem, parameters: Parameters, preconditioning: Preconditioning, seed: int = 1
    ) -> None:
        self.system, self.parameters = system, parameters
        self._preconditioning, self._draws = preconditioning, ModelDraws(system, seed)
        self._preconditioner: Preconditioner | None = None
        self._made_for: Float64 = np.empty(0)
        self._solutions: dict[int, Float64] = {}
        self._variates: dict[int, Float64] = {}

    def evaluate(self, matrices: Matrices, n_samples: int, tolerance: float) -> SampledModel:
        """Solve for the data and `n_samples` samples, each to this error in the energy norm.

        Parameters
        ----------
        tolerance
            An error e of the solution changes a quadratic form by at most 2 √(e'Ce) times the root of its expectation, and its
            standard deviation is √2 times that root: with `tolerance` in the place of √(e'Ce), the share of noise that a sample
            gets from its solution, whatever the number of records.

        Raises
        ------
        NotConvergedError
            If the equations cannot be solved.
        """
        system = self.system
        n_random = len(system.random)
        inverses = tuple(np.linalg.inv(matrix).astype(np.float64) for matrix in matrices[:n_random])
        roots = tuple(matrix_root(matrix) for matrix in matrices[:n_random])
        by_kind, log_determinants = invert_patterns(matrices[n_random:], system.patterns)
        residual = ResidualInverse(system.kind, by_kind, log_determinants, *weights_of_records(system.design))
        equations = self._equations(inverses, residual)
        preconditioner = self._preconditioner_of(equations, matrices)
        lower = residual_roots(matrices[n_random:], system.patterns)
        together = columns_together(equations.order)
        moments: list[tuple[Matrices, ...]] = []
        for first in range(0, n_samples + 1, together):
            numbers = range(first, min(first + together, n_samples + 1))
            drawn = [self._draws.draw(number, roots, lower) if number else None for number in numbers]
            solved, errors = self._solve(equations, preconditioner, drawn, numbers, tolerance)
            if first == 0:
                solution, own_errors = solved[:, 0].copy(), errors[0]
            moments += [self._moments(solved[:, k], errors[k], one) for k, one in enumerate(drawn)]
        score = expected_score(system, self.parameters, matrices, inverses, by_kind, moments)
        return SampledModel(
            system,
            matrices,
            inverses,
            roots,
            residual,
            freeze(solution),
            freeze(own_errors),
            score,
            equations,
            preconditioner,
            self._variates,
        )

    def _equations(self, inverses: Matrices, residual: ResidualInverse) -> MixedModelEquations:
        system = self.system
        penalties = tuple(
            Penalty(one.block, one.inverse, freeze(inverse)) for one, inverse in zip(system.random, inverses, strict=True)
        )
        b = self._right_hand_side(residual, system.design.observations)
        passes = plan_record_pass(system.incidence, residual)
        return MixedModelEquations(system.design.layout, system.incidence, residual, penalties, freeze(b), passes)

    def _right_hand_side(self, residual: ResidualInverse, y: Float64) -> Float64:
        work = residual.multiply(y, np.empty_like(y))
        return self.system.incidence.add_backward(work, np.zeros(self.system.design.layout.n_equations))

    def _preconditioner_of(self, equations: MixedModelEquations, matrices: Matrices) -> Preconditioner:
        """The last one while the (co)variances are near those it was made for."""
        values = np.concatenate([np.diag(matrix) for matrix in matrices])
        near = len(self._made_for) and np.abs(np.log(values / self._made_for)).max() <= np.log(PRECONDITIONER_FACTOR)
        if self._preconditioner is None or not near:
            self._preconditioner = None  # its memory is free before the next is made
            self._preconditioner, self._made_for = self._preconditioning(equations), values
        return self._preconditioner

    def _start(self, numbers: range) -> Float64:
        """Solutions of the round before, zero for new samples."""
        start = np.zeros((self.system.design.layout.n_equations, len(numbers)))
        last = self._solutions.get(numbers.start)
        if last is not None:
            n = min(last.shape[1], len(numbers))
            start[:, :n] = last[:, :n]
        return start

    def _solve(
        self,
        equations: MixedModelEquations,
        preconditioner: Preconditioner,
        drawn: list[Drawn | None],
        numbers: range,
        tolerance: float,
    ) -> tuple[Float64, list[Float64]]:
        """Solutions (N, c) and errors (m, t) of real and simulated data."""
        system, residual = self.system, equations.residual
        y = [system.design.observations if one is None else self._records(one) for one in drawn]
        b = np.column_stack([self._right_hand_side(residual, values) for values in y])
        found = pcg_columns(
            equations,
            b,
            preconditioner,
            max_rounds=MOST_PCG_ROUNDS,
            start=self._start(numbers),
            energy=np.full(len(numbers), tolerance**2),
        )
        if not found.converged.all():
            raise NotConvergedError(
                f"The mixed model equations of {int((~found.converged).sum())} of {len(numbers)} right-hand sides were not "
                f"solved to {tolerance:g} in {MOST_PCG_ROUNDS} rounds (largest relative residual {found.residual.max():.1e})."
            )
        self._solutions[numbers.start] = found.solution
        errors = []
        for k, values in enumerate(y):
            column = np.ascontiguousarray(found.solution[:, k])
            rest = values - system.incidence.forward(column, np.empty_like(values))
            rest[~system.design.observed] = 0.0
            errors.append(rest)
        return found.solution, errors

    def _records(self, drawn: Drawn) -> Float64:
        """Data with the drawn effects; zero where not observed."""
        y = self.system.incidence.forward(drawn.effects, np.empty_like(drawn.residuals)) + drawn.residuals
        y[~self.system.design.observed] = 0.0
        return y

    def _moments(self, solution: Float64, errors: Float64, drawn: Drawn | None) -> tuple[Matrices, ...]:
        """Quadratic forms of one column: of predictions, and of samples also those with known expectations."""
        system = self.system
        own, mixed, true = [], [], []
        for number, one in enumerate(system.random):
            u = np.ascontiguousarray(system.deviations(number, np.ascontiguousarray(solution)))
            product = u if one.inverse is None else one.inverse.multiply(u)
            own.append(_symmetric(u.T @ product))
            if drawn is not None:
                mixed.append(_symmetric(one.block.view(drawn.effects).T @ product))
                true.append(drawn.forms[number])
        own += list(self._error_forms(errors, errors))
        if drawn is None:
            return (tuple(own),)
        mixed += list(self._error_forms(errors, drawn.residuals))
        true += list(self._error_forms(drawn.residuals, drawn.residuals))
        return tuple(own), tuple(mixed), tuple(true)

    def _error_forms(self, left: Float64, right: Float64) -> Float64:
        """(kinds, t, t) sums of weight × left right', symmetric."""
        system, t = self.system, left.shape[1]
        found = np.zeros((len(system.n_of_kind), t, t))
        for i in range(t):
            for j in range(t):
                products = system.weight_roots[:, i] * left[:, i] * system.weight_roots[:, j] * right[:, j]
                found[:, i, j] = products.sum() if len(found) == 1 else np.bincount(system.kind, products, minlength=len(found))
        return (found + found.transpose(0, 2, 1)) / 2.0


def columns_together(n_equations: int) -> int:
    """How many right-hand sides are solved together."""
    fit = BYTES_TOGETHER // (8 * max(n_equations, 1))
    return max((width for width in WIDTHS if width <= fit), default=WIDTHS[0])


def _symmetric(matrix: Float64) -> Float64:
    return np.asarray((matrix + matrix.T) / 2.0)
