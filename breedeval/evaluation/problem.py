"""Second half of a run, first step: the equations, what depends in them, and how they will be solved."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array

from breedeval.accuracy.exact import column_pairs, include_pairs
from breedeval.arrays import Float64, Int32, Int64, freeze
from breedeval.equations.mme import MixedModelEquations, build_equations
from breedeval.equations.ordering import elimination_order
from breedeval.evaluation.config import EvaluationConfig
from breedeval.evaluation.dependencies import Dependencies, find_dependencies
from breedeval.evaluation.inputs import Inputs
from breedeval.evaluation.observer import Observer
from breedeval.evaluation.plan import Plan, choose_order, choose_plan, may_factorize
from breedeval.model.units import standardize
from breedeval.results.provenance import StageClock
from breedeval.results.schema import estimated_bytes
from breedeval.solvers.elimination_order import FactorSize
from breedeval.solvers.error_estimate import EbvEquations
from breedeval.solvers.substitution import Substitution, substitute


@dataclass(frozen=True)
class Problem:
    """The equations, ready to be solved.

    Parameters
    ----------
    equations
        C and b, each trait in units of about its residual standard deviation.
    units
        (N,) what a solution is multiplied with to be in the user's units.
    dependencies
        Dependent fixed effects and groups, and what that means for a user.
    kept
        (k,) equations that are not constrained to zero.
    matrix, order
        Explicit C on the kept equations, with substitutions, and its elimination order; None where it is too large to be
        factorized.
    substitution
        What stands in `matrix` in the place of nearly dependent fixed effects; None where nothing does.
    size
        Predicted size of the factor; None if it was not looked at.
    plan
        How to go on.
    ebv_scale
        Square root of the largest relationship of an animal with itself.
    ebv
        Where the EBVs of the animals stand; None without a genetic effect.
    contrasts
        (q, k) weights of the columns of the genetic block in the published functions.
    animal_equations
        (n, k) equations of the animals; None without a genetic effect.
    """

    equations: MixedModelEquations
    units: Float64
    dependencies: Dependencies
    kept: Int64
    matrix: csc_array | None
    order: Int64 | None
    substitution: Substitution | None
    size: FactorSize | None
    plan: Plan
    ebv_scale: float
    ebv: EbvEquations | None
    contrasts: Float64
    animal_equations: Int64 | None


def set_up(config: EvaluationConfig, inputs: Inputs, clock: StageClock, observer: Observer) -> Problem:
    """Build the equations, find dependent fixed effects, and choose how to solve."""
    observer.stage("setting up the equations")
    with clock.stage("equations"):
        standardized = standardize(inputs.design, inputs.variances)
        equations = build_equations(standardized.design, standardized.variances, inputs.inverses)
    observer.say(_size_line(equations))
    with clock.stage("dependencies"):
        dependencies = find_dependencies(equations, inputs)
    for line in dependencies.lines:
        observer.say(line)
    kept = np.delete(np.arange(equations.order), dependencies.constrained)
    contrasts, animals = _contrasts(inputs, standardized.of_equation), _animal_equations(equations, inputs)
    matrix, order, substitution, size, how = None, None, None, None, ""
    if may_factorize(config.solver, config.accuracy, equations.order):
        with clock.stage("explicit equations"):
            matrix, substitution = explicit_equations(equations, dependencies, kept)
            matrix = _with_own_blocks(matrix, kept, contrasts, animals)
            limited = "auto" in (config.solver.method, config.accuracy.method)
            order, size, how = choose_order(matrix, kept_order(equations, inputs, kept), limited=limited)
    has_genetic = equations.layout.genetic is not None
    plan = choose_plan(config.solver, config.accuracy, equations.order, size, has_genetic)
    for reason in (*plan.reasons, *([how] if plan.needs_factor else [])):
        observer.say(reason)
    relationship = None if inputs.genetics is None else inputs.genetics.self_relationship
    scale = math.nan if relationship is None else math.sqrt(float(relationship.max(initial=1.0)))
    return Problem(
        equations,
        standardized.of_equation,
        dependencies,
        kept,
        matrix,
        order,
        substitution,
        size,
        plan,
        scale,
        _ebv_equations(equations, inputs, standardized.of_equation, dependencies),
        contrasts,
        animals,
    )


def explicit_equations(
    equations: MixedModelEquations, dependencies: Dependencies, kept: Int64
) -> tuple[csc_array, Substitution | None]:
    """C on the kept equations, with combinations in the place of nearly dependent fixed effects, and what was substituted."""
    matrix = csc_array(equations.to_csr()[kept][:, kept])
    combinations = dependencies.nearly_kept(kept, equations.order)
    if not combinations.shape[1]:
        return matrix, None

    def multiply(vectors: Float64) -> Float64:
        whole = np.zeros((equations.order, vectors.shape[1]))
        whole[kept] = vectors
        return equations.multiply(whole)[kept]

    return substitute(matrix, combinations, np.flatnonzero(np.isin(kept, dependencies.columns)), multiply)


def expected_size(inputs: Inputs) -> int:
    """Bytes that the results file will need."""
    layout = inputs.design.layout
    genetic = layout.genetic
    n_values = 0 if genetic is None else genetic.n_equations
    n_published = 0 if genetic is None else genetic.n_levels * len(inputs.contrasts)
    if inputs.genetics is None:
        return estimated_bytes(0, 0, 0, layout.n_equations)
    ids = inputs.genetics.pedigree.ids
    return estimated_bytes(len(ids), int(ids.lengths.max(initial=0)), n_values + n_published, layout.n_equations - n_values)


def _contrasts(inputs: Inputs, units: Float64) -> Float64:
    """(q, k) weights of the published functions on solutions in `units` (N,) of solving."""
    genetic = inputs.design.layout.genetic
    if genetic is None:
        return freeze(np.empty((0, 0)))
    rows = [contrast.weights for contrast in inputs.contrasts]
    return freeze(np.array(rows).reshape(len(rows), genetic.n_columns) * genetic.view(units)[0])


def _animal_equations(equations: MixedModelEquations, inputs: Inputs) -> Int64 | None:
    """(n, k) equations of the animals."""
    genetic = equations.layout.genetic
    if genetic is None or inputs.genetics is None:
        return None
    number = genetic.view(np.arange(equations.order))
    return freeze(number[: inputs.genetics.pedigree.n_animals])


def _ebv_equations(
    equations: MixedModelEquations, inputs: Inputs, units: Float64, dependencies: Dependencies
) -> EbvEquations | None:
    """The equations of the animals, and one over their genetic standard deviations in `units` (N,) of solving."""
    genetic = equations.layout.genetic
    if genetic is None or inputs.genetics is None:
        return None
    covariance = inputs.variances.random[genetic.key]
    order = [covariance.labels.index(label) for label in genetic.columns]
    sd = np.sqrt(covariance.matrix.diagonal()[order])
    end = genetic.first + inputs.genetics.pedigree.n_animals * genetic.n_columns
    constrain = None if dependencies.genetic is None else dependencies.to_constraints
    return EbvEquations(genetic.first, end, freeze(genetic.view(units)[0] / sd), constrain)


def _with_own_blocks(matrix: csc_array, kept: Int64, contrasts: Float64, animals: Int64 | None) -> csc_array:
    """The kept equations with every element stored that the prediction error variance of a published function needs."""
    pairs = column_pairs(contrasts)
    if animals is None or not pairs:
        return matrix
    rows = np.searchsorted(kept, animals)
    first, second = np.array(pairs).T
    return include_pairs(matrix, rows[:, first].ravel(), rows[:, second].ravel())


def kept_order(equations: MixedModelEquations, inputs: Inputs, kept: Int64) -> Int64:
    """Elimination order of the kept equations from pedigree and blocks, as rows of the kept matrix."""
    none: Int32 = np.empty(0, dtype=np.int32)
    sire, dam = (none, none) if inputs.genetics is None else (inputs.genetics.pedigree.sire, inputs.genetics.pedigree.dam)
    order = elimination_order(equations.layout, sire, dam, inputs.inverses)
    new_row = np.full(equations.order, -1, dtype=np.int64)
    new_row[kept] = np.arange(len(kept))
    return new_row[order][new_row[order] >= 0]


def _size_line(equations: MixedModelEquations) -> str:
    parts = ", ".join(
        f"{b.name} {b.n_levels:,}" + (f" × {b.n_columns}" if b.n_columns > 1 else "") for b in equations.layout.blocks
    )
    return f"equations: {equations.order:,} ({parts})"
