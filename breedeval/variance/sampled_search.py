"""The way to the maximum of the restricted likelihood where it cannot be computed, only its score, with Monte Carlo noise.

The draws stay the same from round to round, so the sampled score is a smooth function of the (co)variances and its root is
found by steps of average information, as exactly as wanted. What is left is how far that root is from the one without noise,
and that is known: I⁻¹ Cov(noise of the score) I⁻¹. Samples are added until it is small beside the sampling (co)variances of the
estimates themselves. As there is no likelihood to compare, a step that went too far is known by the slope at its end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from breedeval.arrays import Float64, freeze
from breedeval.variance.cholesky import CholeskyPoint, cholesky_point, factorize_matrix, is_inside
from breedeval.variance.information import average_information
from breedeval.variance.maximize import Ending, Maximum, MonteCarloNoise, Round, StepKind, expectation_step
from breedeval.variance.parameters import Matrices, Parameters
from breedeval.variance.sampled_model import ModelSampler, SampledModel

#: Samples come in so many, together with the data at first: as many as loops over columns are compiled for.
SAMPLES_TOGETHER = 16
#: The root counts as found within this part of the Monte Carlo error asked for.
CLOSE = 0.1
#: A step went too far where the slope at its end is downwards by more than this part of the slope at its beginning.
TOO_FAR = 0.5
#: Tolerance of the solutions far from the root and near it, in shares of the noise of one sample, and the standard errors where
#: near begins.
FAR_TOLERANCE, NEAR_TOLERANCE, NEAR = 0.1, 0.01, 3.0
#: A step changes no variance by more than this factor.
LARGEST_FACTOR = 5.0


@dataclass(frozen=True)
class SamplingRules:
    """When to stop.

    Parameters
    ----------
    error
        Largest Monte Carlo error, in standard errors of each estimate.
    share
        Largest Monte Carlo error as a share of each variance; where it is met that will do. None: it does not count.
    most_samples
        Most samples, whatever the error.
    max_rounds
        Most rounds.
    """

    error: float = 0.2
    share: float | None = None
    most_samples: int = 400
    max_rounds: int = 100


@dataclass(frozen=True)
class _Here:
    """The present (co)variances with all that a step needs."""

    point: SampledModel
    information: Float64
    cholesky: CholeskyPoint
    noise: MonteCarloNoise


def maximize_by_sampling(
    sampler: ModelSampler,
    start: Matrices,
    rules: SamplingRules | None = None,
    report: Callable[[Round], bool | None] | None = None,
) -> Maximum:
    """Maximize the restricted likelihood by Monte Carlo average information.

    Parameters
    ----------
    start
        Positive definite matrices in the order of the parameters.
    report
        Called with every round.

    Notes
    -----
    A round solves the equations for the data, every sample and every (co)variance.
    """
    return _Search(sampler, rules or SamplingRules(), report).run(start)


class _Search:
    """One maximization; thrown away when it ends."""

    def __init__(self, sampler: ModelSampler, rules: SamplingRules, report: Callable[[Round], bool | None] | None) -> None:
        self._sampler, self._rules, self._report = sampler, rules, report
        self._parameters: Parameters = sampler.parameters
        self._rounds: list[Round] = []

    def run(self, start: Matrices) -> Maximum:
        matrices = tuple(
            value if matrix.structure == "fixed" else factorize_matrix(matrix, value).matrix()
            for matrix, value in zip(self._parameters.matrices, start, strict=True)
        )
        n_samples = min(SAMPLES_TOGETHER - 1, self._rules.most_samples)
        kind: StepKind = "start"
        before: _Here | None = None
        while True:
            here = self._evaluate(matrices, n_samples)
            stop = self._note(here, kind, before)
            ending, more = self._judge(here)
            ending = Ending.INTERRUPTED if ending is None and stop else ending
            if ending is not None:
                gradient = here.point.score.gradient
                rounds = tuple(self._rounds)
                return Maximum(
                    self._parameters, here.point, ending, rounds, gradient, here.information, here.cholesky, here.noise
                )
            comparable = before is not None and before.noise.n_samples == here.noise.n_samples and kind != "shorter"
            back = _shortened(self._parameters, before, here) if before is not None and comparable else None
            if back is not None:
                matrices, kind = back, "shorter"
                continue
            before, n_samples = here, max(n_samples, more)
            matrices, kind = self._next(here)

    def _evaluate(self, matrices: Matrices, n_samples: int) -> _Here:
        near = bool(self._rounds) and self._rounds[-1].decrement <= NEAR
        point = self._sampler.evaluate(matrices, n_samples, NEAR_TOLERANCE if near else FAR_TOLERANCE)
        information = average_information(point, self._parameters, with_last=False)
        derivatives = self._parameters.derivatives(point.score.gradient)
        cholesky = cholesky_point(self._parameters, matrices, derivatives, point.score.gradient, information)
        sampling = cholesky.sampling_covariance(information)
        noise = freeze(sampling @ point.score.noise @ sampling)
        return _Here(point, information, cholesky, MonteCarloNoise(n_samples, noise, relative_noise(noise, sampling)))

    def _judge(self, here: _Here) -> tuple[Ending | None, int]:
        """How the search ends here, if it does, and how many samples the next round takes."""
        last, rules, noise = self._rounds[-1], self._rules, here.noise
        error = max(rules.error, self._error_of_share(here))
        enough = noise.relative <= error or noise.n_samples >= rules.most_samples
        is_exact = last.tolerance <= NEAR_TOLERANCE
        if is_exact and enough and last.decrement <= CLOSE * max(error, 1e-3):
            return Ending.CONVERGED, 0
        if len(self._rounds) > rules.max_rounds:
            return Ending.ROUNDS, 0
        if enough or last.decrement > max(noise.relative, 2.0 * error):
            return None, noise.n_samples
        wanted = int(np.ceil(1.1 * noise.n_samples * (noise.relative / error) ** 2))
        wanted += -(wanted + 1) % SAMPLES_TOGETHER
        return None, min(max(wanted, noise.n_samples + 2), rules.most_samples)

    def _error_of_share(self, here: _Here) -> float:
        """The share of variances that was asked for, in standard errors: those of the variance that is known best by these."""
        if self._rules.share is None:
            return 0.0
        sampling = np.sqrt(np.diag(here.cholesky.sampling_covariance(here.information)))
        theta = self._parameters.vector(here.point.matrices)
        ratios = [
            self._rules.share * theta[place] / error
            for place, ((_, i, j), error) in enumerate(zip(self._parameters.elements, sampling, strict=True))
            if i == j and error > 0
        ]
        return min(ratios, default=0.0)

    def _next(self, here: _Here) -> tuple[Matrices, StepKind]:
        """Average information where that stays inside the parameter space; else by triangular factors; else expectation."""
        parameters, point = self._parameters, here.point
        scale = np.sqrt(np.maximum(np.diag(here.information), 1e-300))
        scaled = here.information / np.outer(scale, scale)
        step = np.linalg.lstsq(scaled, point.score.gradient / scale, rcond=1e-12)[0] / scale
        moved = parameters.changed(point.matrices, parameters.vector(point.matrices) + step)
        if is_inside(parameters, moved) and _is_moderate(point.matrices, moved):
            return moved, "AI"
        for damping in (0.0, 0.1, 1.0):
            moved = here.cholesky.moved(here.cholesky.step(damping))
            if _is_moderate(point.matrices, moved):
                return moved, "AI on Cholesky factors"
        derivatives = parameters.derivatives(point.score.gradient)
        return expectation_step(point.system, parameters, point.matrices, derivatives), "EM"

    def _note(self, here: _Here, kind: StepKind, before: _Here | None) -> bool:
        """Keep and report the round; whether the search shall end."""
        point, parameters = here.point, self._parameters
        theta, scale = parameters.vector(point.matrices), parameters.scales()
        last = theta if before is None else parameters.vector(before.point.matrices)
        near = bool(self._rounds) and self._rounds[-1].decrement <= NEAR
        self._rounds.append(
            Round(
                len(self._rounds),
                kind,
                float("nan"),
                float(np.abs((theta - last) / scale).max(initial=0.0)),
                float(np.abs(point.score.gradient * scale).max(initial=0.0)),
                here.cholesky.decrement(),
                freeze(theta),
                here.noise.n_samples,
                here.noise.relative,
                NEAR_TOLERANCE if near else FAR_TOLERANCE,
            )
        )
        return self._report is not None and bool(self._report(self._rounds[-1]))


def relative_noise(noise: Float64, sampling: Float64) -> float:
    """Largest Monte Carlo error of an estimate, in its standard errors."""
    known = np.diag(sampling) > 0
    return float(np.sqrt((np.diag(noise)[known] / np.diag(sampling)[known]).max(initial=0.0)))


def _is_moderate(old: Matrices, new: Matrices) -> bool:
    ratio = np.concatenate([np.diag(b) / np.diag(a) for a, b in zip(old, new, strict=True)])
    return bool(ratio.max() <= LARGEST_FACTOR)


def _shortened(parameters: Parameters, before: _Here, here: _Here) -> Matrices | None:
    """Where the slope along the last step is expected to be zero, if the step went too far; None if not."""
    step = parameters.vector(here.point.matrices) - parameters.vector(before.point.matrices)
    first, last = float(before.point.score.gradient @ step), float(here.point.score.gradient @ step)
    if not first > 0.0 or last >= -TOO_FAR * first or here.cholesky.decrement() < before.cholesky.decrement():
        return None
    share = max(first / (first - last), 0.1)
    return tuple(a + share * (b - a) for a, b in zip(before.point.matrices, here.point.matrices, strict=True))
