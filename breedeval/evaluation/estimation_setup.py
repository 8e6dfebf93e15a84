"""The likelihood of a configuration, ready to be maximized."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from breedeval.arrays import Float64, Int64
from breedeval.equations.mme import MixedModelEquations, build_equations
from breedeval.errors import ConfigError, DataError, count_of
from breedeval.evaluation.config import EvaluationConfig
from breedeval.evaluation.dependencies import Dependencies, find_dependencies
from breedeval.evaluation.estimation_memory import memory_of_estimation
from breedeval.evaluation.inputs import Inputs, prepare
from breedeval.evaluation.observer import Observer, Silence
from breedeval.evaluation.plan import MAX_ELEMENTS, MAX_EQUATIONS, MAX_OPERATIONS
from breedeval.evaluation.problem import kept_order
from breedeval.evaluation.sampled_estimation import memory_of_samples
from breedeval.evaluation.stored_inbreeding import read_stored
from breedeval.evaluation.stored_variances import written_variances
from breedeval.io.relationship_hdf5 import read_hdf5_arrays
from breedeval.model.layout import IDENTITY
from breedeval.model.variances import Covariance, ResidualCovariance, Variances
from breedeval.nearest import did_you_mean
from breedeval.results.provenance import StageClock
from breedeval.solvers.elimination_order import FactorSize
from breedeval.variance.expressions import parse_expression
from breedeval.variance.hypotheses import names_of_tests
from breedeval.variance.parameters import Matrices, Parameters
from breedeval.variance.quantities import Quantity, standard_quantities
from breedeval.variance.start import build_parameters, plausible_variances, refuse_constant_traits
from breedeval.variance.system import DeterminedInverse, MixedModelSystem, RelationshipInverse, build_system

Method = Literal["auto", "ai", "em", "ml", "mc"]


@dataclass(frozen=True)
class Prepared:
    """Everything before the first round."""

    inputs: Inputs
    system: MixedModelSystem
    parameters: Parameters
    start: Matrices
    quantities: list[Quantity]
    method: Method
    dependencies: Dependencies


def prepare_estimation(
    config: EvaluationConfig, clock: StageClock | None = None, observer: Observer | None = None, method: Method | None = None
) -> Prepared:
    """Read the files, lay out the model, and find how and from where what is to be estimated.

    Raises
    ------
    ConfigError, DataError
        As `estimate`.
    """
    clock, observer = clock or StageClock(), observer or Silence()
    written, stored = written_variances(config), read_stored(config)
    inputs = prepare(config, clock, observer, written, partial=True, stored=stored, read_hdf5=read_hdf5_arrays)
    refuse_constant_traits(inputs.design)
    observer.stage("setting up the equations")
    with clock.stage("equations"):
        method = method or config.estimate.method
        equations = build_equations(inputs.design, _unit_variances(inputs), inputs.inverses)
        dependencies = find_dependencies(equations, inputs)
        kept = np.setdiff1d(np.arange(equations.order), dependencies.constrained)
        n_fixed = sum(block.n_equations for block in inputs.design.layout.fixed)
        _refuse_saturated(config, int(inputs.design.observed.sum()), int((kept < n_fixed).sum()))
        for line in dependencies.lines:
            observer.say(line)
        if method == "auto" and equations.order > MAX_EQUATIONS:
            method, why = "mc", f"{count_of(equations.order, 'equation')}, too many to factorize"
            observer.say(f"method: mc (auto: {why})")
        system = _system(inputs, method, kept, equations)
        parameters, start = _parameters(config, inputs, kept, observer)
        quantities = _quantities(config, parameters)
    if method == "auto":
        observer.stage("analyzing the equations")
        with clock.stage("analysis"):
            size = system.analysis.size
        fits = 0 <= size.elements <= MAX_ELEMENTS and size.operations <= MAX_OPERATIONS
        method = "ai" if fits else "mc"
        if not fits:
            observer.say(f"method: mc (auto: {_why_not(size)})")
            system = _system(inputs, method, kept, equations)
    if method == "mc":
        observer.say(
            f"equations: {len(kept):,}, solved by iteration; {len(parameters.elements)} (co)variances to estimate; "
            f"memory of the run about {memory_of_samples(system, parameters):,.0f} MiB"
        )
        return Prepared(inputs, system, parameters, start, quantities, method, dependencies)
    with clock.stage("layout of the factor"):
        size = system.analysis.size
        memory = memory_of_estimation(system, parameters, config.estimate, is_ml=method == "ml")
    observer.say(
        f"equations: {len(system.kept):,}; a factor of {size.elements:,} elements, {size.operations:.1e} operations; "
        f"{len(parameters.elements)} (co)variances to estimate; memory of the run about {memory:,.0f} MiB"
    )
    return Prepared(inputs, system, parameters, start, quantities, method, dependencies)


def _why_not(size: FactorSize) -> str:
    if size.elements < 0:
        return f"a factor of more than {MAX_ELEMENTS:,} elements"
    return f"a factor of {size.elements:,} elements and {size.operations:.1e} operations is too large"


def _refuse_saturated(config: EvaluationConfig, n_observations: int, rank: int) -> None:
    """Refuse records of which the fixed effects leave nothing that could vary."""
    if n_observations <= rank:
        raise DataError(
            f"{count_of(n_observations, 'observation')} of {config.records.file} and fixed effects of rank {rank:,}: nothing "
            "is left from which variances could be estimated. Give more records, leave out fixed effects, or make effects with "
            "many levels random."
        )


def _system(inputs: Inputs, method: Method, kept: Int64, equations: MixedModelEquations) -> MixedModelSystem:
    design, genetics = inputs.design, inputs.genetics
    relationships: dict[str, RelationshipInverse] = {}
    for block in design.layout.random:
        if block.relationship == IDENTITY:
            continue
        inverse = inputs.inverses[block.relationship]
        if not isinstance(inverse, RelationshipInverse) or not math.isfinite(inverse.log_determinant):
            inverse = DeterminedInverse(inverse, math.nan) if method == "mc" else DeterminedInverse.of(inverse)
        relationships[block.key] = inverse
    groups = genetics.pedigree if genetics is not None and genetics.group_kind == "fixed" else None
    order = np.empty(0, dtype=np.int64) if method == "mc" else kept_order(equations, inputs, kept)
    return build_system(design, relationships, kept, order, groups, MAX_ELEMENTS if method == "auto" else 2**62)


def _unit_variances(inputs: Inputs) -> Variances:
    """Variances of one, to look at the equations before there are any others."""
    design, residual = inputs.design, inputs.variances.residual
    names = design.residual_names.to_list() if residual.by else ["all"]
    random = {block.key: Covariance(block.columns, np.eye(block.n_columns)) for block in design.layout.random}
    matrices = {name: np.eye(design.n_traits) for name in names}
    return Variances(
        MappingProxyType(random), ResidualCovariance(MappingProxyType(matrices), design.traits, residual.by, residual.up_to)
    )


def _parameters(config: EvaluationConfig, inputs: Inputs, kept: Int64, observer: Observer) -> tuple[Parameters, Matrices]:
    """What is estimated, and where the search starts."""
    design, written = inputs.design, inputs.variances
    plausible = plausible_variances(design, kept)
    structures = config.estimate.structure
    parameters = build_parameters(design, plausible, written.residual, structures)
    _check_names(config, parameters)
    start, found = [], []
    for matrix in parameters.matrices:
        given = _given(written, matrix.name, is_residual=matrix.is_residual)
        if given is None and matrix.structure == "fixed":
            raise ConfigError(
                f"{config.where(('estimate', 'structure'))}: {matrix.name} is fixed: give its value under variances."
            )
        if given is None:
            found.append(f"{matrix.name} {', '.join(f'{x:.4g}' for x in matrix.scale**2)}")
        value = np.diag(matrix.scale**2) if given is None else given
        start.append(np.diag(np.diag(value)) if matrix.structure == "diagonal" else value)
    if found:
        observer.say(f"starting values found for {'; '.join(found)}")
    return parameters, tuple(start)


def _check_names(config: EvaluationConfig, parameters: Parameters) -> None:
    """Refuse keys of variances that the model does not have."""
    tests = config.estimate.tests
    asked = [("structure", key, [*parameters.random_names, "residual"]) for key in config.estimate.structure]
    asked += [("tests", key, list(names_of_tests(parameters))) for key in (() if isinstance(tests, str) else tests)]
    problems = []
    for section, key, known in asked:
        if key not in known:
            place = config.where(("estimate", section, key))
            problems.append(
                f"{place}: estimate.{section}: '{key}' is no variance of this model.{did_you_mean(key, known)} It has "
                f"{', '.join(known)}."
            )
    if problems:
        raise ConfigError("\n".join(problems))


def _given(written: Variances, name: str, *, is_residual: bool) -> Float64 | None:
    if not is_residual:
        return written.random[name].matrix if name in written.random else None
    matrices: Mapping[str, Float64] = written.residual.matrices
    return matrices.get("all" if written.residual.by is None else name)


def _quantities(config: EvaluationConfig, parameters: Parameters) -> list[Quantity]:
    """Those of the model, then those that the user wrote."""
    model = {term.column for one in config.spec.traits for term in one.random if term.kind == "genetic"}
    sire = None if config.pedigree is None else config.pedigree.sire
    found = standard_quantities(parameters, str(sire) if sire in model else None)
    own: dict[str, Any] = {}
    problems = []
    for name, text in config.estimate.functions.items():
        try:
            own[name] = parse_expression(str(text), parameters, own)
        except ConfigError as error:
            problems.append(f"{config.where(('estimate', 'functions', name))}: estimate.functions.{name}: {error.message}")
    if problems:
        raise ConfigError("\n".join(problems))
    return [*found, *(Quantity("function", name, function) for name, function in own.items())]
