"""Where records are kept while the equations are solved: in memory, or on disk in one sequential pass a round."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from breedeval.equations.mme import MixedModelEquations
from breedeval.evaluation.config_sections import SolverSection
from breedeval.evaluation.forecast import Forecast
from breedeval.evaluation.inputs import Inputs
from breedeval.evaluation.observer import Observer
from breedeval.evaluation.problem import Problem
from breedeval.model.design import Design
from breedeval.results.memory import available_memory_mib
from breedeval.results.scratch import Scratch

#: Puts an array somewhere and returns what stands for it.
Put = Callable[[NDArray[Any]], Any]


def store_records(
    section: SolverSection, problem: Problem, inputs: Inputs, needs: Forecast, results: Path | None, observer: Observer
) -> tuple[Problem, Inputs]:
    """Put the records on disk if the configuration says so, or if the memory is short without.

    What has an element for each record goes: levels, covariates, weights, observations, work. Solutions, the pedigree and the
    preconditioner stay in memory, as did the records while they were read. The sums are the same, bit by bit.

    Parameters
    ----------
    results
        Results file, beside which the records are put; the system's temporary folder if there is none.

    Raises
    ------
    OutputError
        If there is no room for them.
    """
    available = available_memory_mib()
    is_short = available is not None and needs.more_mib > available
    if section.records == "memory" or (section.records == "auto" and not is_short):
        return problem, inputs
    if problem.plan.solver != "pcg":
        if section.records == "disk":
            observer.warn("records: they stay in memory, as a direct solution reads them once; disk is for solver: method: pcg")
        return problem, inputs
    n_bytes = record_bytes(problem.equations, inputs.design)
    folder = Path(tempfile.gettempdir()) if results is None else results.resolve().parent
    scratch = Scratch(folder)
    scratch.require(n_bytes)
    why = "as configured" if section.records == "disk" else f"auto: {available:,.0f} MiB of memory are available"
    observer.say(f"records: {n_bytes / 1e6:,.0f} MB on disk in {folder} until the run ends ({why})")
    equations = _equations_with(problem.equations, scratch.put, scratch.empty)
    design = _design_with(inputs.design, scratch.put)
    scratch.forget()
    return replace(problem, equations=equations), replace(inputs, design=design)


def record_bytes(equations: MixedModelEquations, design: Design) -> int:
    """Bytes of the arrays that have elements for each record."""
    found: dict[int, int] = {}

    def put(array: NDArray[Any]) -> NDArray[Any]:
        found[id(array)] = array.nbytes
        return array

    def empty(_shape: tuple[int, ...]) -> NDArray[Any]:
        work = equations.record_pass.work
        found[id(work)] = work.nbytes
        return work

    _equations_with(equations, put, empty)
    _design_with(design, put)
    return sum(found.values())


def _equations_with(
    equations: MixedModelEquations, put: Put, empty: Callable[[tuple[int, ...]], NDArray[Any]]
) -> MixedModelEquations:
    w, r = equations.incidence, equations.residual
    levels = tuple(replace(index, order=put(index.order)) for index in w.levels)
    incidence = replace(w, first=put(w.first), covariates=put(w.covariates), levels=levels)
    residual = replace(r, kind=put(r.kind), weights=put(r.weights))
    work = empty(equations.record_pass.work.shape)
    record_pass = equations.record_pass.with_arrays(incidence, residual, work, put)
    return replace(equations, incidence=incidence, residual=residual, record_pass=record_pass)


def _design_with(design: Design, put: Put) -> Design:
    terms = tuple(
        replace(term, level=put(term.level), covariates=None if term.covariates is None else put(term.covariates))
        for term in design.terms
    )
    return replace(
        design,
        terms=terms,
        observations=put(design.observations),
        observed=put(design.observed),
        residual_class=put(design.residual_class),
        weights=None if design.weights is None else put(design.weights),
        rows=put(design.rows),
    )
