"""The second door from names to numbers: the model's terms laid over the records that are used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from breedeval.arrays import NONE, Bool, Float64, Int32, Int64, freeze
from breedeval.errors import RecordsError
from breedeval.model.bases import Basis
from breedeval.model.covariance import RandomBlockSpec, coefficient_label, random_blocks
from breedeval.model.covariates import fit_basis
from breedeval.model.layout import FIXED, EquationBlock, Layout
from breedeval.model.levels import column_products, crossed, present
from breedeval.model.pens import find_pen_mates
from breedeval.model.places import show_in
from breedeval.model.records import RecordTable
from breedeval.model.relations import Relations
from breedeval.model.spec import Covariable, FixedTerm, ModelSpec, RandomTerm
from breedeval.model.terms import Term
from breedeval.model.usable import RecordAccount, UsableRecords
from breedeval.model.weights import Weight
from breedeval.names import Names
from breedeval.pedigree.pedigree import Pedigree


@dataclass(frozen=True)
class Design:
    """Everything the equations need to know of the records and the model.

    Parameters
    ----------
    traits
        Names of the t traits.
    layout
        Blocks of equations.
    terms
        Terms, each pointing at a block.
    observations
        (m, t) float64, zero where not observed.
    observed
        (m, t) which observations count.
    residual_class, residual_names
        (m,) int32 class of the residual (co)variance of each record, and the names of the classes.
    weights
        (m,) factor of the inverse residual variance, or None.
    rows
        (m,) row of each record in its file.
    account
        Records used and dropped.
    notes
        Ranges, knots and means taken from the data.
    bases
        Functions of covariates in the model, with what was taken from the data.
    trait_weights
        (m, t) factors that differ between traits, one where not observed; or None.
    """

    traits: tuple[str, ...]
    layout: Layout
    terms: tuple[Term, ...]
    observations: Float64
    observed: Bool
    residual_class: Int32
    residual_names: Names
    weights: Float64 | None
    rows: Int64
    account: RecordAccount
    notes: tuple[str, ...]
    bases: Mapping[Covariable, Basis] = field(default_factory=dict)
    trait_weights: Float64 | None = None

    @property
    def n_records(self) -> int:
        """Number of records used, m."""
        return len(self.observations)

    @property
    def n_traits(self) -> int:
        """Number of traits, t."""
        return len(self.traits)


def build_design(
    spec: ModelSpec,
    table: RecordTable,
    usable: UsableRecords,
    animals: Mapping[str, Int32],
    pedigree: Pedigree | None,
    weight: Weight = None,
    residual_by: str | None = None,
    relations: Relations | None = None,
) -> Design:
    """Lay the terms of `spec` over the usable records.

    Parameters
    ----------
    spec, table
        The model and the records.
    usable
        From `breedeval.model.usable.find_usable`.
    animals
        Row in the pedigree of each name of each genetic column, from `breedeval.model.usable.find_animals`.
    pedigree
        Needed when the model has a genetic term.
    weight, residual_by
        Columns of the weights and of the class of residual (co)variance.
    relations
        Related levels, and the sires behind ``sire_mgs``, where the model has such terms.

    Raises
    ------
    RecordsError
        If a covariate does not vary or is outside a function's domain.
    """
    return _DesignBuilder(spec, table, usable, animals, pedigree, relations or Relations()).build(weight, residual_by)


class _DesignBuilder:
    """Collects blocks and terms in the order of the formulas; thrown away when the design is made."""

    def __init__(
        self,
        spec: ModelSpec,
        table: RecordTable,
        usable: UsableRecords,
        animals: Mapping[str, Int32],
        pedigree: Pedigree | None,
        relations: Relations,
    ) -> None:
        self._spec, self._table, self._usable = spec, table, usable
        self._animals, self._pedigree, self._relations = animals, pedigree, relations
        self._blocks: list[EquationBlock] = []
        self._terms: list[Term] = []
        self._notes: dict[str, None] = {}
        self._bases: dict[Covariable, Basis] = {}

    def build(self, weight: Weight, residual_by: str | None) -> Design:
        fixed = dict.fromkeys(term for model in self._spec.traits for term in model.fixed)
        for term in fixed:
            self._add_fixed(term)
        for block in random_blocks(self._spec):
            self._add_random(block)
        rows, observed = self._usable.rows, self._usable.observed
        values = np.column_stack([self._table.numbers[trait][rows] for trait in self._spec.trait_names])
        if residual_by is None:
            residual_names, residual_class = Names.of(["all"]), np.zeros(len(rows), dtype=np.int32)
        else:
            residual_names, residual_class = present(self._table.classes[residual_by], rows)
        return Design(
            traits=self._spec.trait_names,
            layout=Layout(tuple(self._blocks)),
            terms=tuple(self._terms),
            observations=freeze(np.where(observed, values, 0.0)),
            observed=freeze(observed),
            residual_class=freeze(residual_class),
            residual_names=residual_names,
            weights=freeze(self._table.numbers[weight][rows]) if isinstance(weight, str) else None,
            trait_weights=self._trait_weights(weight) if isinstance(weight, Mapping) else None,
            rows=rows,
            account=self._usable.account,
            notes=tuple(self._notes),
            bases=MappingProxyType(self._bases),
        )

    def _trait_weights(self, weight: Mapping[str, str]) -> Float64:
        weights = np.ones(self._usable.observed.shape)
        for trait, column in weight.items():
            j = self._spec.trait_names.index(trait)
            there = self._usable.observed[:, j]
            weights[there, j] = self._table.numbers[column][self._usable.rows[there]]
        return freeze(weights)

    def _add_fixed(self, term: FixedTerm) -> None:
        traits = [j for j, model in enumerate(self._spec.traits) if term in model.fixed]
        rows = self._usable.rows
        if term.classes:
            levels, level = crossed([self._table.classes[c] for c in term.classes], rows)
        else:
            levels, level = Names.of([term.name]), np.zeros(len(rows), dtype=np.int32)
        covariates = column_products([self._evaluate(c, term) for c in term.covariables])
        n_coefficients = 1 if covariates is None else covariates.shape[1]
        columns = np.full((len(self._spec.traits), n_coefficients), NONE, dtype=np.int32)
        labels: list[str] = []
        for k in range(n_coefficients):
            for j in traits:
                columns[j, k] = len(labels)
                trait = self._spec.trait_names[j]
                labels.append(trait if n_coefficients == 1 else f"{trait}:{k}")
        self._append_block(EquationBlock(term.name, levels, tuple(labels), self._next, FIXED))
        self._append_term(term.name, level, covariates, columns)

    def _add_random(self, block: RandomBlockSpec) -> None:
        first = block.terms[0]
        related = self._relations.levels.get(first.related_by)
        level_of: Int32 | None = None
        if first.kind == "genetic":
            if self._pedigree is None:
                raise RecordsError("A genetic term needs a pedigree. Add a section pedigree: to the configuration.")
            levels = self._pedigree.ids.joined(self._pedigree.groups)
        elif related is not None:
            levels = related.levels
        else:
            levels, level_of = self._levels_met(block)
        extra = (0, "") if related is None else (len(related.extra), related.extra_name)
        self._append_block(EquationBlock(block.name, levels, block.labels, self._next, first.related_by, block.key, *extra))
        for term in block.terms:
            if term.pen is not None:
                self._append_social(block, term, term.pen)
                continue
            covariates = self._random_covariates(term)
            columns = self._random_columns(block, term, covariates)
            if term.by_sire_mgs:
                self._add_sire_mgs(term, covariates, columns)
            else:
                self._append_term(term.name, self._rows_of(term) if level_of is None else level_of, covariates, columns)

    def _levels_met(self, block: RandomBlockSpec) -> tuple[Names, Int32]:
        """Levels of independent classes: those of records that have a trait with the effect."""
        traits = [j for j, model in enumerate(self._spec.traits) if set(block.terms) & set(model.random)]
        met = np.flatnonzero(self._usable.observed[:, traits].any(axis=1))
        levels, level = crossed([self._table.classes[c] for c in block.terms[0].columns], self._usable.rows[met])
        full = np.full(len(self._usable.rows), NONE, dtype=np.int32)
        full[met] = level
        return levels, full

    def _rows_of(self, term: RandomTerm) -> Int32:
        """Row of each record among levels whose names were known before the records."""
        if term.relationship is None:
            return self._animal_rows(term.column)
        column = self._table.classes[term.column]
        rows = self._relations.levels[term.related_by].names.find(column.names)
        return np.append(rows, np.int32(NONE))[column.codes[self._usable.rows]].astype(np.int32)

    def _add_sire_mgs(self, term: RandomTerm, covariates: Float64 | None, columns: Int32) -> None:
        """Meet the sire with 1 and the maternal grandsire with ½; a male that is both with 1½, in one place."""
        codes = self._table.classes[term.column].codes[self._usable.rows]
        sire = np.append(self._relations.sires[term.column], np.int32(NONE))[codes].astype(np.int32)
        grandsire = np.append(self._relations.grandsires[term.column], np.int32(NONE))[codes].astype(np.int32)
        is_both = (sire == grandsire) & (sire >= 0)
        values = np.ones((len(codes), 1)) if covariates is None else covariates
        self._append_term(term.name, sire, freeze(values * np.where(is_both, 1.5, 1.0)[:, None]), columns)
        self._append_term(term.name, np.where(is_both, np.int32(NONE), grandsire), freeze(values * 0.5), columns)

    def _append_social(self, block: RandomBlockSpec, term: RandomTerm, pen: str) -> None:
        """A term whose records meet the animals that shared their pen."""
        table = self._table.classes
        animal = np.append(self._animals[term.column], np.int32(NONE))[table[term.column].codes].astype(np.int32)
        mates = find_pen_mates(animal, table[pen].codes, self._usable.rows)
        self._notes[mates.sentence(pen)] = None
        covariates = mates.diluted(term.dilution) if term.dilution else None
        columns = self._random_columns(block, term, covariates)
        self._append_term(term.name, mates.animal, covariates, columns, mates.pointer)

    def _random_columns(self, block: RandomBlockSpec, term: RandomTerm, covariates: Float64 | None) -> Int32:
        n_coefficients = 1 if covariates is None else covariates.shape[1]
        columns = np.full((len(self._spec.traits), n_coefficients), NONE, dtype=np.int32)
        for j, model in enumerate(self._spec.traits):
            if term not in model.random:
                continue
            for k in range(n_coefficients):
                columns[j, k] = block.labels.index(coefficient_label(model.trait, term, k))
        return columns

    def _random_covariates(self, term: RandomTerm) -> Float64 | None:
        if term.covariable is not None:
            return freeze(self._evaluate(term.covariable, term))
        if not term.slopes:
            return None
        columns = [np.ones((len(self._usable.rows), 1))] if term.intercept else []
        for slope in term.slopes:
            values = self._evaluate(slope, term)
            if term.intercept:
                self._refuse_constant_slope(term, slope, values)
            columns.append(values)
        return freeze(np.hstack(columns))

    def _refuse_constant_slope(self, term: RandomTerm, slope: Covariable, values: Float64) -> None:
        """A slope on a constant cannot be told from the intercept beside it."""
        x = self._table.numbers[slope.column][self._usable.rows]
        there = ~np.isnan(x)
        if np.ptp(values[there]) == 0.0:
            raise RecordsError(
                f"{term.name}: every {slope.column} is {x[there][0]:g}; a slope needs at least two values. "
                f"Take slope({slope.text}) out.{show_in(self._spec, term.name)}"
            )

    def _animal_rows(self, column: str) -> Int32:
        codes = self._table.classes[column].codes[self._usable.rows]
        return np.append(self._animals[column], np.int32(NONE))[codes].astype(np.int32)

    def _evaluate(self, covariable: Covariable, term: FixedTerm | RandomTerm) -> Float64:
        """Values of a covariable on the used records; zero where missing (another trait's records)."""
        rows = self._usable.rows
        x = self._table.numbers[covariable.column][rows]
        there = ~np.isnan(x)
        try:
            basis = fit_basis(covariable, x[there], rows[there], self._table.source)
            values = basis.evaluate(x[there])
        except RecordsError as error:
            raise RecordsError(f"{error.message}{show_in(self._spec, term.name)}") from None
        if not values.any():
            raise RecordsError(
                f"{covariable.text} is zero in every record used: its regression cannot be estimated. Take it out."
                f"{show_in(self._spec, term.name)}"
            )
        if basis.note:
            self._notes[basis.note] = None
        self._bases[covariable] = basis
        full = np.zeros((len(rows), values.shape[1]))
        full[there] = values
        return full

    @property
    def _next(self) -> int:
        return self._blocks[-1].first + self._blocks[-1].n_equations if self._blocks else 0

    def _append_block(self, block: EquationBlock) -> None:
        self._blocks.append(block)

    def _append_term(
        self, name: str, level: Int32, covariates: Float64 | None, columns: Int32, pointer: Int64 | None = None
    ) -> None:
        self._terms.append(Term(name, len(self._blocks) - 1, freeze(level), covariates, freeze(columns), pointer))
