"""Variance components by Monte Carlo: the configured solver put behind the search."""

from __future__ import annotations

from collections.abc import Callable

from breedeval.errors import count_of
from breedeval.evaluation.config import EvaluationConfig
from breedeval.evaluation.dependencies import Dependencies
from breedeval.evaluation.observer import Observer
from breedeval.evaluation.plan import planned_preconditioner
from breedeval.evaluation.preconditioning import build_preconditioner
from breedeval.results.provenance import peak_memory_mib
from breedeval.variance.maximize import Maximum, Round
from breedeval.variance.parameters import Matrices, Parameters
from breedeval.variance.sampled_model import ModelSampler, columns_together
from breedeval.variance.sampled_search import SamplingRules, maximize_by_sampling
from breedeval.variance.system import MixedModelSystem

#: By sampling: arrays of right-hand sides that the solver has, samples whose solutions are kept, and values of an incomplete
#: factor with what it is gathered from, for each equation.
PCG_ARRAYS, EXPECTED_SAMPLES, PRECONDITIONER_ELEMENTS = 9, 30, 40


def estimate_by_sampling(
    config: EvaluationConfig,
    system: MixedModelSystem,
    parameters: Parameters,
    start: Matrices,
    dependencies: Dependencies,
    observer: Observer,
    report: Callable[[Round], bool],
) -> Maximum:
    """Maximize the restricted likelihood by Monte Carlo; `report` as of `breedeval.variance.maximize.maximize`.

    Raises
    ------
    NotConvergedError
        If the equations cannot be solved.
    """
    section = config.estimate
    share = "" if section.monte_carlo_share is None else f" or {section.monte_carlo_share:.2%} of each variance"
    observer.say(
        f"method: REML by average information with traces from simulated data (seed {section.seed}), until the Monte Carlo "
        f"error is {section.monte_carlo_error:g} standard errors{share}, at most {count_of(section.max_samples, 'sample')}"
    )
    kind = planned_preconditioner(config.solver, system.design.layout.n_equations)
    nearly = dependencies.nearly(system.design.layout.n_equations)
    sampler = ModelSampler(
        system,
        parameters,
        lambda equations: build_preconditioner(kind, equations, nearly, observer),
        section.seed,
    )
    rules = SamplingRules(section.monte_carlo_error, section.monte_carlo_share, section.max_samples, section.max_rounds or 100)
    return maximize_by_sampling(sampler, start, rules, report)


def memory_of_samples(system: MixedModelSystem, parameters: Parameters) -> float:
    """MiB that a run by sampling will have used at its height."""
    n, per_sample = system.design.layout.n_equations, system.design.observations.size
    together = columns_together(n)
    more = 8 * n * (PCG_ARRAYS * together + EXPECTED_SAMPLES) + 8 * per_sample * (2 * together + 2 * len(parameters.elements))
    more += 8 * PRECONDITIONER_ELEMENTS * n
    return peak_memory_mib() + more / 2**20
