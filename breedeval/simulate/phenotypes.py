"""Records of any model of the formula, with known effects, on a pedigree and a design that are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from breedeval.arrays import Bool, Float64, freeze
from breedeval.errors import ConfigError, RecordsError, VarianceError, name_some
from breedeval.model.design import Design, build_design
from breedeval.model.records import RecordTable
from breedeval.model.relations import Relations, refuse_unrelated_levels, sires_of_names
from breedeval.model.residual_classes import with_residual_classes
from breedeval.model.spec import ModelSpec
from breedeval.model.usable import find_animals, find_usable, refuse_unknown_animals
from breedeval.model.variances import ResidualCovariance, Variances
from breedeval.model.weights import Weight
from breedeval.pedigree.pedigree import Pedigree
from breedeval.relationship.dominance import dominance_levels
from breedeval.relationship.inbreeding import Inbreeding, compute_inbreeding
from breedeval.relationship.sire_mgs import MalePedigree, compute_male_inbreeding, male_pedigree
from breedeval.simulate.breeding_values import covariance_root
from breedeval.simulate.effects import FixedEffects, Kinship, draw_effects

#: How terms name the dominance relationships of the pedigree, see `RandomTerm.related_by`.
DOMINANCE = "dominance"


@dataclass(frozen=True)
class SimulatedRecords:
    """Records of a model and the truth behind them.

    Parameters
    ----------
    table
        The records given, with the traits' values simulated; NaN where missing.
    design
        The model laid over these records: what the evaluation of `table` sees.
    effects
        (n_levels, n_columns) true effects of each block of ``design.layout``.
    residuals
        (m, t) true residuals of the design's records; zero where not observed.
    """

    table: RecordTable
    design: Design
    effects: tuple[Float64, ...]
    residuals: Float64

    def effect(self, name: str) -> Float64:
        """True effects (n_levels, n_columns) of the block of this name, such as ``herd`` or ``genetic(id)``."""
        names = [block.name for block in self.design.layout.blocks]
        if name not in names:
            raise ConfigError(f"No effect '{name}' in this model. Effects: {', '.join(names)}.")
        return self.effects[names.index(name)]


def simulate_records(
    rng: np.random.Generator,
    pedigree: Pedigree | None,
    spec: ModelSpec,
    variances: Variances,
    structure: RecordTable,
    *,
    inbreeding: Inbreeding | None = None,
    fixed: FixedEffects | None = None,
    missing: Mapping[str, float] | None = None,
    weight: Weight = None,
    group_covariance: Float64 | None = None,
    unknown_animals: str = "refuse",
    relations: Relations | None = None,
    males: MalePedigree | None = None,
) -> SimulatedRecords:
    """Simulate the traits of a model on a pedigree and on records whose design columns are given.

    A record is the sum of all terms of the model, laid over the records as the evaluation does it, plus a residual: fixed
    effects (`FixedEffects`), breeding values down the pedigree with exact Mendelian variances, other random effects, and
    residuals with the (co)variance of their class, divided by the weight.

    Parameters
    ----------
    rng
        Source of all randomness; the same generator state and input give the same records.
    pedigree
        Animals; None for a model without a genetic term.
    spec
        The model: any formula, any number of traits.
    variances
        (Co)variances of its random terms and residuals.
    structure
        Records with the class and number columns of the model. Traits that are in it stay missing where they are; a trait
        that is not in it is observed on every record.
    inbreeding
        Of `pedigree`, or of `males`; computed if left out.
    fixed
        How fixed effects are made; mean 0 and one residual standard deviation a term by default.
    missing
        Rate at which a further value is missing, by trait.
    weight
        Number column of the weights, or one for each trait that has weights of its own.
    group_covariance
        (g, g) covariance of the means of the groups of `pedigree`, in units of the genetic (co)variances: Γ for metafounders.
        Groups have mean zero without it.
    unknown_animals
        ``drop`` leaves records of animals that are not in the pedigree missing; else they are refused.
    relations
        Related levels of effects whose relationship is not that of the animals. Those of relationship matrices have to be
        given; dominance relationships are otherwise made from `pedigree`.
    males
        The sires of `pedigree`, for a model of sires and maternal grandsires; found if left out.

    Returns
    -------
    SimulatedRecords

    Raises
    ------
    RecordsError
        If records name unknown animals, or a trait has no record left.
    ConfigError
        If settings do not fit the model.

    Examples
    --------
    >>> import breedeval as be
    >>> from breedeval.model.formula import parse_formula
    >>> from breedeval.model.records import ClassColumn
    >>> from breedeval.model.variances import build_variances
    >>> from breedeval.names import Names
    >>> from breedeval.source import Source
    >>> pedigree = be.read_pedigree("pedigrees/mrode_table_2_1.csv")
    >>> spec = ModelSpec((parse_formula("gain", "herd + genetic(id)", classes=["herd"], covariates=[]),))
    >>> variances = build_variances({"genetic": 20, "residual": 40}, spec)
    >>> ids = ClassColumn(Names.of(["4", "5", "6"]), np.arange(3, dtype=np.int32))
    >>> herd = ClassColumn(Names.of(["A"]), np.zeros(3, dtype=np.int32))
    >>> structure = RecordTable(Source("three calves"), 3, {"id": ids, "herd": herd}, {})
    >>> records = simulate_records(np.random.default_rng(1), pedigree, spec, variances, structure)
    >>> records.table.numbers["gain"].shape, records.effect("genetic(id)").shape
    ((3,), (6, 1))
    """
    table = _with_gaps(rng, spec, structure, missing or {})
    animals = find_animals(spec, table, pedigree)
    if pedigree is not None and unknown_animals != "drop":
        refuse_unknown_animals(table, animals, pedigree.source)
    kinship, relations = _related(spec, table, pedigree, inbreeding, relations or Relations(), males)
    refuse_unrelated_levels(spec, table, relations)
    by, classed = variances.residual.class_column, with_residual_classes(table, variances.residual)
    usable = find_usable(spec, classed, animals, weight, by, relations)
    design = build_design(spec, classed, usable, animals, kinship.pedigree, weight, by, relations)
    kinship = replace(kinship, group_covariance=group_covariance)
    effects = draw_effects(rng, design, variances, fixed or FixedEffects(), kinship)
    residuals = _draw_residuals(rng, design, variances.residual)
    values = np.where(design.observed, expected_values(design, effects) + residuals, np.nan)
    return SimulatedRecords(_with_values(table, design, values), design, effects, freeze(residuals))


def _related(
    spec: ModelSpec,
    table: RecordTable,
    pedigree: Pedigree | None,
    inbreeding: Inbreeding | None,
    relations: Relations,
    males: MalePedigree | None,
) -> tuple[Kinship, Relations]:
    """What is not given of the relationships, made from the pedigree."""
    terms = [term for model in spec.traits for term in model.random]
    levels = dict(relations.levels)
    absent = [term.name for term in terms if term.relationship is not None and term.related_by not in levels]
    if absent:
        raise ConfigError(f"{name_some(dict.fromkeys(absent))} needs its relationship among the relations. Give it.")
    if pedigree is None:
        return Kinship(levels=levels), relations
    if any(term.kind == "dominance" for term in terms) and DOMINANCE not in levels:
        levels[DOMINANCE] = dominance_levels(pedigree, compute_inbreeding(pedigree))
    if any(term.by_sire_mgs for term in terms):
        males = males or male_pedigree(pedigree)
        kinship = Kinship(males.pedigree, inbreeding or compute_male_inbreeding(males), males=males, levels=levels)
        return kinship, Relations(levels, *sires_of_names(spec, table, pedigree, males))
    if inbreeding is None and any(term.kind == "genetic" for term in terms):
        inbreeding = compute_inbreeding(pedigree)
    return Kinship(pedigree, inbreeding, levels=levels), Relations(levels)


def expected_values(design: Design, effects: tuple[Float64, ...]) -> Float64:
    """(m, t) sum of all terms of each record and trait, residuals left out."""
    total = np.zeros(design.observations.shape)
    for term in design.terms:
        block = effects[term.block]
        met, levels = term.meetings()
        for j in range(design.n_traits):
            for c, column in enumerate(term.columns[j]):
                if column >= 0:
                    factor = 1.0 if term.covariates is None else term.covariates[met, c]
                    total[:, j] += np.bincount(met, factor * block[levels, column], minlength=len(total))
    return total


def _with_gaps(rng: np.random.Generator, spec: ModelSpec, structure: RecordTable, missing: Mapping[str, float]) -> RecordTable:
    """The table with 0 for each value to be simulated and NaN where it is to be missing.

    Gaps are drawn before the model is laid out: means and ranges of covariates are those of the records that stay.
    """
    problems = [f"{trait!r} is no trait of the model" for trait in missing if trait not in spec.trait_names]
    problems += [
        f"the rate of {trait} is {rate:g}, not from 0 to below 1" for trait, rate in missing.items() if not 0 <= rate < 1
    ]
    if problems:
        raise ConfigError(f"Missing values: {'; '.join(problems)}. Traits: {', '.join(spec.trait_names)}.")
    _refuse_columns(spec, structure)
    numbers = dict(structure.numbers)
    for trait in spec.trait_names:
        absent: Bool = np.isnan(numbers[trait]) if trait in numbers else np.zeros(structure.n_rows, dtype=np.bool_)
        if missing.get(trait, 0.0) > 0:
            absent = absent | (rng.random(structure.n_rows) < missing[trait])
        numbers[trait] = freeze(np.where(absent, np.nan, 0.0))
    return replace(structure, numbers=MappingProxyType(numbers))


def _refuse_columns(spec: ModelSpec, structure: RecordTable) -> None:
    used = [c for m in spec.traits for f in m.fixed for c in f.covariables]
    used += [c for m in spec.traits for r in m.random for c in r.covariables]
    both = [c.column for c in used if c.column in spec.trait_names]
    if both:
        raise ConfigError(f"{name_some(dict.fromkeys(both))} is a trait and a covariate: its values cannot be given and drawn.")
    absent = [name for name in spec.class_columns() if name not in structure.classes]
    absent += [name for name in spec.number_columns() if name not in structure.numbers and name not in spec.trait_names]
    if absent:
        raise RecordsError(f"The model needs the columns {name_some(absent)}, which {structure.source.path} does not have.")


def _draw_residuals(rng: np.random.Generator, design: Design, residual: ResidualCovariance) -> Float64:
    normals = rng.standard_normal(design.observations.shape)
    absent = [name for name in design.residual_names if residual.by is not None and name not in residual.matrices]
    if absent:
        raise VarianceError(f"No residual (co)variance for {name_some(absent)} of {residual.by}. Give one for each.")
    for code, name in enumerate(design.residual_names):
        of_class = design.residual_class == code
        normals[of_class] = normals[of_class] @ covariance_root(residual.matrices[name]).T
    if design.weights is not None:
        normals /= np.sqrt(design.weights)[:, None]
    if design.trait_weights is not None:
        normals /= np.sqrt(design.trait_weights)
    return np.where(design.observed, normals, 0.0)


def _with_values(table: RecordTable, design: Design, values: Float64) -> RecordTable:
    numbers = dict(table.numbers)
    for j, trait in enumerate(design.traits):
        full = np.full(table.n_rows, np.nan)
        full[design.rows] = values[:, j]
        numbers[trait] = freeze(full)
    return replace(table, numbers=MappingProxyType(numbers))
