"""The way to the maximum of the (restricted) likelihood, round by round.

A round tries the plain average information step first. Where that leaves the parameter space or lowers the likelihood, it takes
the step in triangular factors, damped until the likelihood rises; and where that fails, a step of expectation maximization,
which never lowers it (Dempster, Laird and Rubin 1977, J. R. Stat. Soc. B 39:1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Literal

import numpy as np

from breedeval.arrays import Float64, freeze
from breedeval.errors import NotPositiveDefiniteError, count_of
from breedeval.variance.cholesky import CholeskyPoint, cholesky_point, factorize_matrix, is_inside
from breedeval.variance.derivatives import gradient_matrices
from breedeval.variance.information import average_information
from breedeval.variance.likelihood import Likelihood, Point, evaluate_point
from breedeval.variance.parameters import Matrices, Parameters
from breedeval.variance.sampled_model import SampledModel
from breedeval.variance.system import MixedModelSystem

Method = Literal["ai", "em"]
StepKind = Literal["start", "AI", "AI on Cholesky factors", "EM", "shorter"]

#: Damped steps that are tried before a step of expectation maximization.
MOST_TRIALS = 8
#: A log-likelihood is known up to this share of its size.
ROUNDING = 1e-11
#: A step that changes every (co)variance by less than this, relative to plausible sizes, is none.
NO_CHANGE = 1e-10
#: A log-likelihood that rises by less in all of so many rounds is flat.
FLAT_ROUNDS, FLAT_RISE = 20, 1e-3


class Ending(Enum):
    """How a maximization ended: code, sentence."""

    CONVERGED = ("converged", "converged")
    ROUNDS = (
        "most_rounds",
        "stopped at the most rounds before it converged: allow more (estimate: max_rounds), or go on from here",
    )
    INTERRUPTED = ("interrupted", "interrupted before it converged: go on from here (--start)")
    FLAT = (
        "flat",
        "the likelihood is flat: it hardly rose in the last rounds although (co)variances still changed. The data tell too "
        "little of them: take effects or covariances out of the model (estimate: structure), or give their values",
    )
    STUCK = (
        "stuck",
        "no step raises the likelihood any more although the gradient is not zero: rounding error, or a model that the "
        "data do not hold",
    )

    @property
    def code(self) -> str:
        """For files."""
        return self.value[0]

    @property
    def sentence(self) -> str:
        """For people."""
        return self.value[1]


@dataclass(frozen=True)
class Round:
    """One round.

    Parameters
    ----------
    number
        From 0, the start.
    kind
        Step that led here.
    log_likelihood
        With all constants.
    change
        Largest change of an element of θ by the step, relative to the product of the standard deviations it belongs to.
    gradient
        Largest derivative, each multiplied by the same product.
    decrement
        Distance from the maximum in standard errors, as average information sees it.
    theta
        (Co)variances.
    n_samples, noise, tolerance
        By Monte Carlo: samples, largest Monte Carlo error in standard errors, and error of the solutions as a share of the
        noise of one sample.
    """

    number: int
    kind: StepKind
    log_likelihood: float
    change: float
    gradient: float
    decrement: float
    theta: Float64
    n_samples: int = 0
    noise: float = 0.0
    tolerance: float = 0.0

    def sentence(self) -> str:
        """A line for a person."""
        if self.n_samples:
            return (
                f"round {self.number}: {self.kind}, {count_of(self.n_samples, 'sample')}, largest change {self.change:.1e}, "
                f"gradient {self.gradient:.1e}, {self.decrement:.1e} standard errors to go, Monte Carlo error {self.noise:.2f} "
                "standard errors"
            )
        return (
            f"round {self.number}: log-likelihood {self.log_likelihood:.6f}, {self.kind}, largest change {self.change:.1e}, "
            f"gradient {self.gradient:.1e}, {self.decrement:.1e} standard errors to go"
        )


@dataclass(frozen=True)
class MonteCarloNoise:
    """What sampling adds to the uncertainty of the estimates.

    Parameters
    ----------
    n_samples
        Samples of the last round.
    covariance
        (p, p) (co)variances of the estimates that come from sampling.
    relative
        Largest of the Monte Carlo errors, in standard errors of the estimate.
    """

    n_samples: int
    covariance: Float64
    relative: float


@dataclass(frozen=True)
class Maximum:
    """Where a maximization ended.

    Parameters
    ----------
    parameters, point
        What was estimated; the model at the last (co)variances.
    ending
        How it ended.
    rounds
        Every round.
    gradient, information
        Derivatives and average information of θ there.
    cholesky
        The same in triangular factors.
    noise
        Where the traces were sampled.
    """

    parameters: Parameters
    point: Point | SampledModel
    ending: Ending
    rounds: tuple[Round, ...]
    gradient: Float64
    information: Float64
    cholesky: CholeskyPoint
    noise: MonteCarloNoise | None = None

    @cached_property
    def sampling_covariance(self) -> Float64:
        """Of the estimates, the noise of sampled traces included."""
        of_data = self.cholesky.sampling_covariance(self.information)
        return freeze(of_data if self.noise is None else of_data + self.noise.covariance)

    @property
    def exact_point(self) -> Point:
        """The point with its log-likelihood."""
        if not isinstance(self.point, Point):
            raise AssertionError("the log-likelihood is not known by Monte Carlo")
        return self.point

    @property
    def theta(self) -> Float64:
        """The estimates."""
        return self.parameters.vector(self.point.matrices)


def maximize(
    system: MixedModelSystem,
    parameters: Parameters,
    start: Matrices,
    likelihood: Likelihood = "reml",
    method: Method = "ai",
    tolerance: float = 1e-5,
    max_rounds: int = 100,
    report: Callable[[Round], bool | None] | None = None,
) -> Maximum:
    """Maximize the likelihood over the (co)variances.

    Parameters
    ----------
    start
        Positive definite matrices in the order of `parameters`.
    method
        ``ai``, or ``em``: steps of expectation maximization only.
    tolerance
        Stop within so many standard errors of the maximum.
    report
        Called with every round; the search ends there if it says True.
    """
    return _Search(system, parameters, likelihood, method, tolerance, max_rounds, report).run(start)


class _Search:
    """One maximization; thrown away when it ends."""

    def __init__(
        self,
        system: MixedModelSystem,
        parameters: Parameters,
        likelihood: Likelihood,
        method: Method,
        tolerance: float,
        max_rounds: int,
        report: Callable[[Round], bool | None] | None,
    ) -> None:
        self._system, self._parameters, self._likelihood = system, parameters, likelihood
        self._method, self._tolerance, self._max_rounds, self._report = method, tolerance, max_rounds, report
        self._damping = 0.0
        self._rounds: list[Round] = []

    def run(self, start: Matrices) -> Maximum:
        raised = tuple(
            value if matrix.structure == "fixed" else factorize_matrix(matrix, value).matrix()
            for matrix, value in zip(self._parameters.matrices, start, strict=True)
        )
        point, kind = evaluate_point(self._system, raised, self._likelihood), "start"
        before = self._parameters.vector(raised)
        while True:
            derivatives = gradient_matrices(point)
            gradient = self._parameters.gradient(derivatives)
            information = average_information(point, self._parameters)
            cholesky = cholesky_point(self._parameters, point.matrices, derivatives, gradient, information)
            stop = self._note(point, kind, before, gradient, cholesky)  # type: ignore[arg-type]
            ending = None
            if self._rounds[-1].decrement <= self._tolerance:
                ending = Ending.CONVERGED
            elif stop:
                ending = Ending.INTERRUPTED
            elif self._is_flat():
                ending = Ending.FLAT
            elif len(self._rounds) > self._max_rounds:
                ending = Ending.ROUNDS
            else:
                before = self._parameters.vector(point.matrices)
                found = self._next(point, derivatives, gradient, information, cholesky)
                if found is None or self._stands_still(found[0], before):
                    near = self._rounds[-1].decrement <= 100.0 * self._tolerance
                    ending = Ending.CONVERGED if near else Ending.STUCK
                else:
                    point, kind = found
            if ending is not None:
                return Maximum(self._parameters, point, ending, tuple(self._rounds), gradient, information, cholesky)

    def _is_flat(self) -> bool:
        """Whether average information goes on and on without a higher likelihood to show for it."""
        if self._method == "em" or len(self._rounds) <= FLAT_ROUNDS:
            return False
        return self._rounds[-1].log_likelihood - self._rounds[-1 - FLAT_ROUNDS].log_likelihood < FLAT_RISE

    def _stands_still(self, point: Point, before: Float64) -> bool:
        change = np.abs((self._parameters.vector(point.matrices) - before) / self._parameters.scales())
        return bool(change.max(initial=0.0) < NO_CHANGE)

    def _note(self, point: Point, kind: StepKind, before: Float64, gradient: Float64, cholesky: CholeskyPoint) -> bool:
        """Keep and report the round; whether the search shall end."""
        theta, scale = self._parameters.vector(point.matrices), self._parameters.scales()
        change = float(np.abs((theta - before) / scale).max(initial=0.0))
        slope = float(np.abs(gradient * scale).max(initial=0.0))
        value = point.log_likelihood.value
        self._rounds.append(Round(len(self._rounds), kind, value, change, slope, cholesky.decrement(), freeze(theta)))
        return self._report is not None and bool(self._report(self._rounds[-1]))

    def _next(
        self, point: Point, derivatives: Matrices, gradient: Float64, information: Float64, cholesky: CholeskyPoint
    ) -> tuple[Point, StepKind] | None:
        """The next point and the step that leads there; None where no step raises the likelihood."""
        if self._method == "em":
            expected = self._try(henderson_step(point, self._parameters, derivatives), point)
            expected = expected or self._try(em_step(point, self._parameters, derivatives), point)
            return None if expected is None else (expected, "EM")
        plain = self._plain_step(point, gradient, information)
        found = None if plain is None else self._try(plain, point)
        if found is not None:
            self._damping *= 0.1
            return found, "AI"
        for _ in range(MOST_TRIALS):
            found = self._try(cholesky.moved(cholesky.step(self._damping)), point)
            if found is not None:
                self._damping = 0.1 * self._damping if self._damping > 1e-4 else 0.0
                return found, "AI on Cholesky factors"
            self._damping = max(10.0 * self._damping, 1e-2)
        self._damping = 1.0
        found = self._try(em_step(point, self._parameters, derivatives), point)
        return None if found is None else (found, "EM")

    def _plain_step(self, point: Point, gradient: Float64, information: Float64) -> Matrices | None:
        """Average information step in θ; None where it leaves the parameter space."""
        scale = np.sqrt(np.maximum(np.diag(information), 1e-300))
        step = np.linalg.lstsq(information / np.outer(scale, scale), gradient / scale, rcond=1e-12)[0] / scale
        moved = self._parameters.changed(point.matrices, self._parameters.vector(point.matrices) + step)
        return moved if is_inside(self._parameters, moved) else None

    def _try(self, matrices: Matrices, point: Point) -> Point | None:
        """The point at `matrices` if its likelihood is higher."""
        try:
            found = evaluate_point(self._system, matrices, self._likelihood)
        except NotPositiveDefiniteError:
            return None
        old = point.log_likelihood.value
        return found if found.log_likelihood.value >= old - ROUNDING * max(abs(old), 1.0) else None


def em_step(point: Point, parameters: Parameters, derivatives: Matrices) -> Matrices:
    """`expectation_step` from a point."""
    return expectation_step(point.system, parameters, point.matrices, derivatives)


def expectation_step(system: MixedModelSystem, parameters: Parameters, matrices: Matrices, derivatives: Matrices) -> Matrices:
    """Expectation maximization: Σ + (2/q) Σ D Σ, which for a random block is (U'K⁻¹U + T)/q.

    With missing traits the same formula holds for the residual of a class of n records: their errors, too, are expected.
    """
    found = []
    n_patterns = len(system.patterns)
    for number, (parameter, value) in enumerate(zip(parameters.matrices, matrices, strict=True)):
        if parameter.structure == "fixed":
            found.append(value)
            continue
        if number < len(system.random):
            n = system.random[number].n_random
        else:
            of_class = number - len(system.random)
            n = int(system.n_of_kind[of_class * n_patterns : (of_class + 1) * n_patterns].sum())
        moved = value + (2.0 / n) * value @ derivatives[number] @ value
        moved = np.diag(np.diag(moved)) if parameter.structure == "diagonal" else (moved + moved.T) / 2.0
        found.append(factorize_matrix(parameter, parameter.without_dropped(moved)).matrix())
    return tuple(found)


def henderson_step(point: Point, parameters: Parameters, derivatives: Matrices) -> Matrices:
    """`em_step` with the residual variance, where there is one, at y'ê/(n − p), as Mrode & Pocrnic (2023), 17.7."""
    found = list(em_step(point, parameters, derivatives))
    last = parameters.matrices[-1]
    if last.size == 1 and len(found) == len(point.system.random) + 1 and last.structure != "fixed":
        found[-1] = point.matrices[-1] * (point.log_likelihood.quadratic / point.log_likelihood.n)
    return tuple(found)
