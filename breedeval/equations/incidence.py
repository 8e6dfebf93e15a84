"""The incidence matrix W of a design, packed for the compiled loops."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array

from breedeval.arrays import NONE, Bool, Float64, Int32, Int64, freeze
from breedeval.kernels import incidence as kernels
from breedeval.model.design import Design
from breedeval.model.layout import EquationBlock
from breedeval.model.terms import Term

#: Records that covariates are compared on first.
SAMPLE = 1_000


@dataclass(frozen=True)
class Slots:
    """One entry for each coefficient of each term and trait; see `breedeval.kernels.incidence`. All (s,) int32."""

    term: Int32
    column: Int32
    trait: Int32
    covariate: Int32

    def of_term(self, term: int) -> Slots:
        """The slots of one term."""
        return self.where(self.term == term)

    def where(self, chosen: Bool) -> Slots:
        """The slots that are `chosen` (s,)."""
        return Slots(*(freeze(a[chosen]) for a in (self.term, self.column, self.trait, self.covariate)))


@dataclass(frozen=True)
class LevelIndex:
    """Which records each level of a term has: order[pointer[l]:pointer[l + 1]]."""

    pointer: Int64
    order: Int32


@dataclass(frozen=True)
class RaggedPart:
    """A term whose records meet any number of levels: first[pointer[i]:pointer[i + 1]] are those of record i.

    `first` (e,) int32 is the first equation of each level met; `slots` are those of the term, number `term`.
    """

    term: int
    pointer: Int64
    first: Int32
    slots: Slots


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
        (m, K) int32 first equation of the record's level in each term, −1 where it does not meet it; −1 in ragged terms.
    covariates
        (m, c) float64 covariates of all terms.
    slots, by_term
        Slots of the terms that are not ragged, and those of each term.
    blocks
        The block of each term.
    levels
        Index of records by level, for each term.
    ragged
        Terms whose records meet any number of levels.
    """

    n_traits: int
    n_equations: int
    first: Int32
    covariates: Float64
    slots: Slots
    by_term: tuple[Slots, ...]
    blocks: tuple[EquationBlock, ...]
    levels: tuple[LevelIndex, ...]
    ragged: tuple[RaggedPart, ...] = ()

    @property
    def n_records(self) -> int:
        """Number of records, m."""
        return len(self.first)

    def forward(self, x: Float64, out: Float64) -> Float64:
        """Write W x to `out` (m, t); x is (N,)."""
        s = self.slots
        kernels.forward(freeze(x), self.first, self.covariates, s.term, s.column, s.trait, s.covariate, out)
        if self.ragged:
            out += self.forward_ragged(x)
        return out

    def forward_ragged(self, x: Float64) -> Float64:
        """Return the part of W x that ragged terms make, for x (N,) or (N, c): (m, t · c), or (0, t · c) if there are none."""
        columns = (0,) * (x.size // len(x))
        out = np.zeros((self.n_records if self.ragged else 0, self.n_traits * len(columns)))
        for part in self.ragged:
            s = part.slots
            slots = (s.column, s.trait, s.covariate)
            kernels.add_forward_ragged(columns, freeze(x.reshape(-1)), part.pointer, part.first, self.covariates, *slots, out)
        return out

    def add_backward(self, e: Float64, out: Float64) -> Float64:
        """Add W'e to `out` (N,); e is (m, t)."""
        for k in range(len(self.blocks)):
            self.add_backward_of(k, e, out)
        return out

    def add_backward_of(self, term: int, e: Float64, out: Float64) -> None:
        """Add the part of W'e that belongs to one term to `out` (N,) or (N, c); e is (m, t · c)."""
        block, index, s = self.blocks[term], self.levels[term], self.by_term[term]
        part, columns = out[block.equations].reshape(-1), (0,) * (out.size // len(out))
        slots = (s.column, s.trait, s.covariate)
        kernels.backward(columns, e, index.pointer, index.order, block.n_columns, self.covariates, *slots, part)

    def to_csr(self) -> csr_array:
        """Explicit W, for small systems: rows are traits within records."""
        return self.columns_csr(0, self.n_equations)

    def columns_csr(self, start: int, stop: int) -> csr_array:
        """Columns `start` to `stop` of W: those of the fixed effects, X, for instance."""
        if not self.ragged:
            return self._plain_columns(start, stop)
        rows, columns, values = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)], [np.empty(0)]
        for term, (block, slots) in enumerate(zip(self.blocks, self.by_term, strict=True)):
            if block.first >= stop or block.equations.stop <= start:
                continue
            record, first = self._meetings(term)
            for column, trait, covariate in zip(slots.column, slots.trait, slots.covariate, strict=True):
                equation = first + column
                here = (equation >= start) & (equation < stop)
                met = record[here]
                rows.append(met * self.n_traits + trait)
                columns.append(equation[here] - start)
                values.append(np.ones(len(met)) if covariate == NONE else self.covariates[met, covariate])
        triplets = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
        return coo_array(triplets, shape=(self.n_records * self.n_traits, stop - start)).tocsr()

    def _plain_columns(self, start: int, stop: int) -> csr_array:
        """The same where every record meets at most one level of a term."""
        blocks = self.blocks
        met = [k for k in range(len(blocks)) if blocks[k].first < stop and blocks[k].equations.stop > start]
        here = np.isin(self.slots.term, met)
        term, slot_column, trait, covariate = (
            freeze(a[here]) for a in (self.slots.term, self.slots.column, self.slots.trait, self.slots.covariate)
        )
        t = self.n_traits
        pointer = np.zeros(self.n_records * t + 1, dtype=np.int64)
        kernels.count_coefficients(self.first, term, slot_column, trait, t, start, stop, pointer[1:])
        np.cumsum(pointer, out=pointer)
        column, value = np.empty(pointer[-1], dtype=np.int32), np.empty(pointer[-1])
        slots = (term, slot_column, trait, covariate)
        kernels.fill_coefficients(self.first, self.covariates, *slots, t, start, stop, pointer, column, value)
        if pointer[-1] <= np.iinfo(np.int32).max:
            pointer = pointer.astype(np.int32)
        matrix = csr_array((value, column, pointer), shape=(self.n_records * self.n_traits, stop - start))
        matrix.sum_duplicates()
        return matrix

    def _meetings(self, term: int) -> tuple[Int64, Int64]:
        """Records and the first equations of the levels that they meet in a term."""
        for part in self.ragged:
            if part.term == term:
                return np.repeat(np.arange(self.n_records), np.diff(part.pointer)), part.first.astype(np.int64)
        record = np.flatnonzero(self.first[:, term] >= 0)
        return record, self.first[record, term].astype(np.int64)


def build_incidence(design: Design) -> Incidence:
    """Pack the terms of a design."""
    blocks = tuple(design.layout.blocks[term.block] for term in design.terms)
    first = np.full((design.n_records, len(design.terms)), NONE, dtype=np.int32)
    slots, covariates = _pack_slots(design.terms, design.n_records)
    ragged = []
    for k, (term, block) in enumerate(zip(design.terms, blocks, strict=True)):
        equation = np.where(term.level >= 0, block.first + term.level * np.int32(block.n_columns), NONE).astype(np.int32)
        if term.pointer is None:
            first[:, k] = equation
        else:
            ragged.append(RaggedPart(k, term.pointer, freeze(equation), slots.of_term(k)))
    plain = ~np.isin(slots.term, [part.term for part in ragged])
    return Incidence(
        n_traits=design.n_traits,
        n_equations=design.layout.n_equations,
        first=freeze(first),
        covariates=covariates,
        slots=slots.where(plain),
        by_term=tuple(slots.of_term(k) for k in range(len(design.terms))),
        blocks=blocks,
        levels=tuple(_index(term, block.n_levels) for term, block in zip(design.terms, blocks, strict=True)),
        ragged=tuple(ragged),
    )


def _pack_slots(terms: tuple[Term, ...], n_records: int) -> tuple[Slots, Float64]:
    """Slots of all terms, and the covariates (m, c), each of which stands there once though several terms may have it."""
    packed: list[tuple[int, int, int, int]] = []
    distinct: list[Float64] = []
    for k, term in enumerate(terms):
        own = () if term.covariates is None else term.covariates.T
        numbers = [_number_of(covariate, distinct) for covariate in own] or [NONE]
        for trait, coefficient in zip(*np.nonzero(term.columns >= 0), strict=True):
            packed.append((k, int(term.columns[trait, coefficient]), int(trait), numbers[coefficient]))
    columns = np.array(packed, dtype=np.int32).reshape(-1, 4).T
    joined = np.stack(distinct, axis=1) if distinct else np.zeros((n_records, 0))
    return Slots(*(freeze(column) for column in columns)), freeze(joined)


def _number_of(covariate: Float64, distinct: list[Float64]) -> int:
    """The number of a covariate (m,) among distinct ones, where it is added if it is new."""
    for number, other in enumerate(distinct):
        if np.array_equal(covariate[:SAMPLE], other[:SAMPLE]) and np.array_equal(covariate, other):
            return number
    distinct.append(covariate)
    return len(distinct) - 1


def _index(term: Term, n_levels: int) -> LevelIndex:
    pointer = np.zeros(n_levels + 1, dtype=np.int64)
    order = np.empty(int((term.level >= 0).sum()), dtype=np.int32)
    kernels.index_levels(freeze(term.level), pointer, order)
    if term.is_ragged:
        order = term.meetings()[0][order].astype(np.int32)
    return LevelIndex(freeze(pointer), freeze(order))
