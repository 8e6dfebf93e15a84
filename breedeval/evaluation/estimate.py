"""Variance components: from a configuration to estimates, in memory and in a file."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from breedeval.errors import count_of
from breedeval.evaluation.config import EvaluationConfig, read_config
from breedeval.evaluation.estimation_setup import Method, Prepared, prepare_estimation
from breedeval.evaluation.interruption import Interruption
from breedeval.evaluation.observer import Observer, Silence
from breedeval.evaluation.run import WORTH_THREADS, clear_leftovers, refuse_input, use_threads
from breedeval.evaluation.sampled_estimation import estimate_by_sampling
from breedeval.evaluation.taken_variances import refuse_other_classes
from breedeval.evaluation.variance_files import variance_files, with_start
from breedeval.results.estimates import EstimationResults, write_estimates
from breedeval.results.new_file import check_results_place
from breedeval.results.provenance import StageClock, now, run_record
from breedeval.results.stored import read_stored_variances
from breedeval.variance.components import (
    Estimate,
    boundary_sentences,
    estimates_of,
    fit_of,
    fixed_effects_of,
    with_intervals,
)
from breedeval.variance.hypotheses import likelihood_ratio_test
from breedeval.variance.identifiability import undetermined_sentences
from breedeval.variance.maximize import Ending, Maximum, Round, maximize


def estimate(
    config: str | os.PathLike[str] | EvaluationConfig,
    results: str | os.PathLike[str] | None = None,
    method: Method | None = None,
    threads: int | None = None,
    observer: Observer | None = None,
    start: str | os.PathLike[str] | None = None,
) -> EstimationResults:
    """Estimate (co)variances: the same as the command of this name.

    Parameters
    ----------
    config
        Path of a configuration, or one that was read with ``for_estimation=True``. Variances in it are starting values; where
        there are none, sensible ones are found.
    results
        Path of the file to write; None writes nothing.
    method
        Instead of the one configured: ``ai``, ``em`` and ``mc`` for REML, ``ml`` for maximum likelihood, or ``auto``.
    threads
        Threads to use; by default as configured, else all cores.
    observer
        Told of stages, facts and rounds; by default nobody is.
    start
        File of estimates of this model to go on from; by default the configuration's variances.

    Returns
    -------
    EstimationResults
        Look at ``converged`` before use.

    Raises
    ------
    ConfigError, DataError
        If the configuration or a file is wrong; all problems are named together.
    OutputError
        If the file cannot be written.

    Examples
    --------
    >>> import breedeval as be
    >>> found = be.estimate("configs/herd_book.yaml")
    >>> found.converged, found.variances.random["genetic"].labels
    (True, ('milk:id',))
    """
    config = config if isinstance(config, EvaluationConfig) else read_config(config, for_estimation=True)
    observer, clock = observer or Silence(), StageClock()
    path = None if results is None else Path(results)
    if path is not None:
        refuse_input(path, config)
        check_results_place(path, what="estimates")
        clear_leftovers(path, observer)
    if start is not None:
        config, asked = with_start(config, Path(start)), config
        refuse_other_classes(asked, str(start), read_stored_variances(Path(start)).variances.residual)
    use_threads(threads or config.solver.threads)
    prepared = prepare_estimation(config, clock, observer, method)
    method = prepared.method
    if threads is None and config.solver.threads is None and len(prepared.system.kept) < WORTH_THREADS:
        use_threads(1)
    observer.stage("maximizing the likelihood")
    with clock.stage("maximization"):
        maximum, signal = _maximize(config, prepared, observer, path)
        _tell(maximum, observer)
    estimates = _estimates(config, prepared, maximum, clock, observer)
    found = _collect(config, prepared, maximum, estimates, method, clock, signal)
    if path is not None:
        write_estimates(path, found)
        observer.say(f"estimates: {path}")
    return found


def _maximize(
    config: EvaluationConfig, prepared: Prepared, observer: Observer, path: Path | None
) -> tuple[Maximum, int | None]:
    """Where there is a file to write, Ctrl-C ends the search after a round, and not the run; its number is returned."""
    interruption = Interruption(observer, "the (co)variances of this round will be written")

    def report(one: Round) -> bool:
        observer.say(one.sentence())
        return interruption.is_heard

    with nullcontext() if path is None else interruption.listening():
        return _search(config, prepared, observer, report), interruption.signal


def _search(config: EvaluationConfig, prepared: Prepared, observer: Observer, report: Callable[[Round], bool]) -> Maximum:
    section, method = config.estimate, prepared.method
    if method == "mc":
        return estimate_by_sampling(
            config, prepared.system, prepared.parameters, prepared.start, prepared.dependencies, observer, report
        )
    what = {"em": "REML by expectation maximization", "ml": "maximum likelihood"}.get(method, "REML by average information")
    observer.say(f"method: {what}, until within {section.tolerance:g} standard errors of the maximum")
    return maximize(
        prepared.system,
        prepared.parameters,
        prepared.start,
        "ml" if method == "ml" else "reml",
        "em" if method == "em" else "ai",
        section.tolerance,
        section.max_rounds or (5000 if method == "em" else 100),
        report,
    )


def _tell(maximum: Maximum, observer: Observer) -> None:
    """How it ended."""
    observer.say(f"{maximum.ending.sentence} ({count_of(len(maximum.rounds) - 1, 'round')})")
    for line in (*boundary_sentences(maximum), *undetermined_sentences(maximum)):
        observer.warn(line)
    if maximum.noise is not None:
        observer.say(
            f"Monte Carlo: {count_of(maximum.noise.n_samples, 'sample')}; error of the estimates up to "
            f"{maximum.noise.relative:.2f} standard errors, which is within the standard errors given; "
            "the log-likelihood is not computed"
        )
    if maximum.ending.code != "converged":
        observer.warn("these are no estimates yet: the likelihood is not at its maximum")


def _estimates(
    config: EvaluationConfig, prepared: Prepared, maximum: Maximum, clock: StageClock, observer: Observer
) -> list[Estimate]:
    """(Co)variances, their functions with intervals if asked for, tests, fixed effects."""
    section = config.estimate
    covariance = maximum.sampling_covariance
    found = estimates_of(maximum, covariance, prepared.quantities)
    if maximum.noise is not None:
        if section.intervals != "none" or section.tests not in ((), "none"):
            observer.warn("profile intervals and likelihood-ratio tests need the likelihood: not by method mc")
        return found
    if section.intervals == "profile" and maximum.ending.code == "converged":
        observer.stage("profile likelihood")
        with clock.stage("profile likelihood"):
            found = list(with_intervals(maximum, found, prepared.quantities, section.level))
    if maximum.ending is Ending.INTERRUPTED:
        return [*found, *fixed_effects_of(maximum)]
    tested = list(prepared.parameters.random_names) if section.tests == "all" else section.tests
    for name in () if tested == "none" else tested:
        observer.stage(f"testing {name}")
        with clock.stage(f"test of {name}"):
            test = likelihood_ratio_test(maximum, name, section.tolerance, section.max_rounds or 100)
        if test is None:
            observer.warn(f"{name}: the model without it did not converge; no test")
        else:
            found.append(Estimate("likelihood ratio test", name, test.statistic, note=test.sentence()))
    return [*found, *fixed_effects_of(maximum)]


def _collect(
    config: EvaluationConfig,
    prepared: Prepared,
    maximum: Maximum,
    estimates: list[Estimate],
    method: Method,
    clock: StageClock,
    signal: int | None,
) -> EstimationResults:
    account = prepared.inputs.design.account
    files = {"config": config.source.path, "records": config.records.file}
    if config.pedigree is not None:
        files["pedigree"] = config.pedigree.file
        if config.pedigree.stored_inbreeding is not None:
            files["stored inbreeding"] = config.pedigree.stored_inbreeding
    files.update({f"variances {path.name}": path for path in variance_files(config)})
    counts = {
        "records": {"read": account.n_read, "used": account.n_used, "dropped": dict(account.dropped)},
        "equations": prepared.inputs.design.layout.n_equations,
    }
    sampling = None if maximum.noise is None else {"seed": config.estimate.seed, "samples": maximum.noise.n_samples}
    choices: dict[str, Any] = {
        "sampling": sampling,
        "method": method,
        "ending": maximum.ending.sentence,
        "signal": signal,
        "boundary": [*boundary_sentences(maximum), *undetermined_sentences(maximum)],
    }
    return EstimationResults(
        title=config.title,
        created=now(),
        maximum=maximum,
        estimates=tuple(estimates),
        covariance=maximum.sampling_covariance,
        fit=fit_of(maximum),
        config_text=config.config_text,
        record=run_record(clock, files, counts, choices),
        variance_terms=prepared.inputs.variance_terms,
    )
