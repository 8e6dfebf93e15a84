"""The incidence matrix W of a design, packed for the compiled loops."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array

from breedeval.arrays import NONE, Float64, Int32, Int64, freeze
from breedeval.kernels import incidence as kernels
from breedeval.model.design import Design
from breedeval.model.layout import EquationBlock
from breedeval.model.terms import Term


@dataclass(frozen=True)
class Slots:
    """One entry for each coefficient of each term and trait; see `breedeval.kernels.incidence`. All (s,) int32."""

    term: Int32
    column: Int32
    trait: Int32
    covariate: Int32

    def of_term(self, term: int) -> Slots:
        """The slots of one term."""
        here = self.term == term
        return Slots(*(freeze(a[here]) for a in (self.term, self.column, self.trait, self.covariate)))


@dataclass(frozen=True)
class LevelIndex:
    """Which records each level of a term has: order[pointer[l]:pointer[l + 1]]."""

    pointer: Int64
    order: Int32


@dataclass(frozen=True)
class Incidence:
    """W (m·t, N), never formed.

    Parameters
    ----------
    n_traits
        t.
    n_equations
        N.
    first
        (m, K) int32 first equation of the record's level in each term, −1 where it does not meet the term.
    covariates
        (m, c) float64 covariates of all terms.
    slots, by_term
        All slots, and those of each term.
    blocks
        The block of each term.
    levels
        Index of records by level, for each term.
    """

    n_traits: int
    n_equations: int
    first: Int32
    covariates: Float64
    slots: Slots
    by_term: tuple[Slots, ...]
    blocks: tuple[EquationBlock, ...]
    levels: tuple[LevelIndex, ...]

    @property
    def n_records(self) -> int:
        """Number of records, m."""
        return len(self.first)

    def forward(self, x: Float64, out: Float64) -> Float64:
        """Write W x to `out` (m, t); x is (N,)."""
        s = self.slots
        kernels.forward(x, self.first, self.covariates, s.term, s.column, s.trait, s.covariate, out)
        return out

    def add_backward(self, e: Float64, out: Float64) -> Float64:
        """Add W'e to `out` (N,); e is (m, t)."""
        for k in range(len(self.blocks)):
            self.add_backward_of(k, e, out)
        return out

    def add_backward_of(self, term: int, e: Float64, out: Float64) -> None:
        """Add the part of W'e that belongs to one term to `out` (N,)."""
        block, index, s = self.blocks[term], self.levels[term], self.by_term[term]
        part = out[block.equations]
        slots = (s.column, s.trait, s.covariate)
        kernels.backward(e, index.pointer, index.order, block.n_columns, self.covariates, *slots, part)

    def to_csr(self) -> csr_array:
        """Explicit W, for small systems: rows are traits within records."""
        return self.columns_csr(0, self.n_equations)

    def columns_csr(self, start: int, stop: int) -> csr_array:
        """Columns `start` to `stop` of W: those of the fixed effects, X, for instance."""
        rows, columns, values = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)], [np.empty(0)]
        for term, column, trait, covariate in zip(
            self.slots.term, self.slots.column, self.slots.trait, self.slots.covariate, strict=True
        ):
            block = self.blocks[term]
            if block.first >= stop or block.equations.stop <= start:
                continue
            equation = self.first[:, term].astype(np.int64) + column
            met = np.flatnonzero((self.first[:, term] >= 0) & (equation >= start) & (equation < stop))
            rows.append(met * self.n_traits + trait)
            columns.append(equation[met] - start)
            values.append(np.ones(len(met)) if covariate == NONE else self.covariates[met, covariate])
        triplets = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
        return coo_array(triplets, shape=(self.n_records * self.n_traits, stop - start)).tocsr()


def build_incidence(design: Design) -> Incidence:
    """Pack the terms of a design."""
    blocks = tuple(design.layout.blocks[term.block] for term in design.terms)
    first = np.empty((design.n_records, len(design.terms)), dtype=np.int32)
    for k, (term, block) in enumerate(zip(design.terms, blocks, strict=True)):
        first[:, k] = np.where(term.level >= 0, block.first + term.level * np.int32(block.n_columns), NONE)
    slots, covariates = _pack_slots(design.terms, design.n_records)
    return Incidence(
        n_traits=design.n_traits,
        n_equations=design.layout.n_equations,
        first=freeze(first),
        covariates=covariates,
        slots=slots,
        by_term=tuple(slots.of_term(k) for k in range(len(design.terms))),
        blocks=blocks,
        levels=tuple(_index(term.level, block.n_levels) for term, block in zip(design.terms, blocks, strict=True)),
    )


def _pack_slots(terms: tuple[Term, ...], n_records: int) -> tuple[Slots, Float64]:
    packed: list[tuple[int, int, int, int]] = []
    covariates: list[Float64] = []
    for k, term in enumerate(terms):
        offset = sum(part.shape[1] for part in covariates)
        if term.covariates is not None:
            covariates.append(term.covariates)
        for trait, coefficient in zip(*np.nonzero(term.columns >= 0), strict=True):
            covariate = NONE if term.covariates is None else offset + int(coefficient)
            packed.append((k, int(term.columns[trait, coefficient]), int(trait), covariate))
    columns = np.array(packed, dtype=np.int32).reshape(-1, 4).T
    joined = np.concatenate(covariates, axis=1) if covariates else np.zeros((n_records, 0))
    return Slots(*(freeze(column) for column in columns)), freeze(joined)


def _index(level: Int32, n_levels: int) -> LevelIndex:
    pointer = np.zeros(n_levels + 1, dtype=np.int64)
    order = np.empty(int((level >= 0).sum()), dtype=np.int32)
    kernels.index_levels(level, pointer, order)
    return LevelIndex(freeze(pointer), freeze(order))
