"""The lower triangle of C in the order of elimination, straight from the terms, R⁻¹ and the penalties."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from breedeval.arrays import Bool, Float64, Int32, Int64, freeze
from breedeval.equations.elimination import Related, Segment, elimination_segments
from breedeval.equations.incidence import Incidence, Slots
from breedeval.equations.mme import MixedModelEquations
from breedeval.kernels.record_nodes import find_nodes, find_repeats
from breedeval.kernels.threads import cut_range, map_parts, n_threads
from breedeval.kernels.triangle_columns import (
    Columns,
    Links,
    Records,
    count_columns,
    fill_columns,
    fill_single_columns,
)
from breedeval.lower_triangle import LowerTriangle
from breedeval.relationship.links import RelationshipLinks, relationship_links

Found = TypeVar("Found")

#: Fewest columns that a thread is started for.
FEWEST_COLUMNS = 20_000

#: Levels with more links than this on average, as of a genomic relationship matrix, are not linked at all in the triangle: its
#: factor would cost the cube of their number. What is left, their diagonal blocks, is positive definite.
MOST_LINKS = 1_000.0

#: Of a block whose levels are not related.
_NO_LINKS = Links(
    freeze(np.empty(0, dtype=np.int64)),
    freeze(np.empty(0, dtype=np.int32)),
    freeze(np.empty(0)),
    freeze(np.zeros(3, dtype=np.int64)),
    freeze(np.empty((0, 0))),
)


def assemble_lower_triangle(equations: MixedModelEquations, dtype: DTypeLike = np.float32) -> LowerTriangle:
    """Gather the lower triangle of C without forming C.

    Parameters
    ----------
    equations
        C as an operator.
    dtype
        Of the elements between nodes; the diagonal is float64.

    Notes
    -----
    Two passes over the records of each level, one where every node is one equation. Records that follow each other and meet the
    same levels, as the test days of a lactation, are taken together: the products of their covariates are summed first. Memory:
    4 bytes an element and its values (twice, while that one pass is put together), 20 bytes a node, and while it is made 4
    bytes a node and thread, 4 bytes a record and term, 1 byte a record, and the links of A⁻¹ (about 36 bytes an animal).
    """
    return _Assembly(equations).build(np.dtype(dtype))


@dataclass(frozen=True)
class FactorBytes:
    """Memory of an incomplete factor: at its highest while it is made, and what is kept of it."""

    making: int
    kept: int


def predict_factor_bytes(equations: MixedModelEquations, dtype: DTypeLike = np.float32) -> FactorBytes:
    """Memory of gathering and factorizing the lower triangle, with as many threads as now; costs one pass over the records."""
    return _Assembly(equations).predict_bytes(np.dtype(dtype))


@dataclass(frozen=True)
class _Part:
    """A segment and the arguments of the loops over its columns."""

    first: int
    n_nodes: int
    columns: Columns
    links: Links


class _Assembly:
    """Holds what all columns need; thrown away when the triangle is made."""

    def __init__(self, equations: MixedModelEquations) -> None:
        self._equations = equations
        self._layout = equations.layout
        self._links = self._find_links()
        related = {number: Related(links.n_animals, links.per_level) for number, links in self._links.items()}
        self._segments = elimination_segments(self._layout, equations.incidence, related)
        counts = [segment.n_levels for segment in self._segments]
        self._first_nodes = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self._n_nodes = int(self._first_nodes[-1])
        self._n_dense = sum(segment.n_levels for segment in self._segments if segment.is_dense)
        self._table = self._segment_table()
        self._records = self._pack_records()
        self._parts = [self._part(s) for s in range(len(self._segments))]

    def predict_bytes(self, dtype: np.dtype[Any]) -> FactorBytes:
        pointer, value_pointer, _ = self._pointers()
        elements = 4 * int(pointer[-1]) + dtype.itemsize * int(value_pointer[-1])
        diagonal = 8 * sum(segment.n_levels * segment.block.n_columns**2 for segment in self._segments)
        n_widths, by_rows, nodes = len(set(self._table[:, 2].tolist())), n_threads() > 1, 8 * self._n_nodes
        links = sum({id(part): part.pointer.nbytes + 12 * len(part.row) for part in self._links.values()}.values())
        records = self._records.node.nbytes + self._records.repeats.nbytes
        # Pieces of columns are put together where all nodes are single equations, else the columns are sorted by their widths.
        gathering = (2 if self._is_single() else 1) * elements + diagonal + links + records + nodes * (2 + n_threads())
        kept = (2 if by_rows else 1) * elements + diagonal + nodes * (1 + 2 * n_widths + by_rows)
        storing = kept + diagonal + nodes * 2 + (elements if n_widths > 1 else 0)
        return FactorBytes(int(max(gathering, storing)), int(kept))

    def _is_single(self) -> bool:
        """Whether every node is one equation, which each record meets once in a term."""
        plain = not len(self._records.meet_pointer) and not len(self._records.roots)
        return bool(plain and (self._table[:, 2] == 1).all() and (np.diff(self._records.slot_pointer) == 1).all())

    def _pointers(self) -> tuple[Int64, Int64, int]:
        """Where rows and values of each column begin, and the length of the longest column."""
        pointer, value_pointer = (np.zeros(self._n_nodes + 1, dtype=np.int64) for _ in range(2))
        for _ in self._over_columns(lambda part, lo, hi: self._count(part, lo, hi, pointer[1:], value_pointer[1:])):
            pass
        longest = int(pointer.max(initial=0))
        np.cumsum(pointer, out=pointer)
        np.cumsum(value_pointer, out=value_pointer)
        return pointer, (pointer if value_pointer[-1] == pointer[-1] else value_pointer), longest

    def build(self, dtype: np.dtype[Any]) -> LowerTriangle:
        diagonal = self._diagonal()
        found = self._fill_single(dtype, diagonal) if self._is_single() else self._fill(dtype, diagonal)
        left_out = tuple(segment.block.name for segment in self._segments if self._is_left_out(segment))
        table, equation = freeze(self._table), freeze(self._node_equations())
        return LowerTriangle(table, equation, *found, diagonal, self._n_nodes - self._n_dense, left_out)

    def _fill(self, dtype: np.dtype[Any], diagonal: Float64) -> tuple[Int64, Int32, Int64, NDArray[Any]]:
        """Pointer, rows, pointer of values and values, with a pass to count them first; completes the diagonal."""
        pointer, value_pointer, longest = self._pointers()
        row, value = np.empty(pointer[-1], dtype=np.int32), np.empty(value_pointer[-1], dtype=dtype)
        widest, traits = int(self._table[:, 2].max()), (0,) * self._equations.incidence.n_traits

        def fill(part: _Part, lo: int, hi: int) -> None:
            mark, where = np.full(self._n_nodes, -1, dtype=np.int32), (part.columns, self._records, part.links)
            work = np.empty(longest * widest * widest)
            fill_columns(traits, widest, lo, hi, *where, self._table, pointer, value_pointer, mark, work, row, value, diagonal)

        for _ in self._over_columns(fill):
            pass
        return pointer, row, value_pointer, value

    def _fill_single(self, dtype: np.dtype[Any], diagonal: Float64) -> tuple[Int64, Int32, Int64, NDArray[Any]]:
        """As `_fill` for nodes of one equation, in one pass: each piece has room for what its columns have at most."""
        pointer = np.zeros(self._n_nodes + 1, dtype=np.int64)

        def fill(part: _Part, lo: int, hi: int) -> tuple[Int32, NDArray[Any]]:
            most = self._most_elements(part, lo, hi)
            row, value = np.empty(most.sum(), dtype=np.int32), np.empty(most.sum(), dtype=dtype)
            mark, work = np.full(self._n_nodes, -1, dtype=np.int32), np.empty(most.max(initial=0))
            where = (part.columns, self._records, part.links, mark, work)
            fill_single_columns(lo, hi, *where, pointer[1:], row, value, diagonal)
            n = int(pointer[lo + 1 : hi + 1].sum())
            return row[:n], value[:n]

        pieces = list(self._over_columns(fill))
        np.cumsum(pointer, out=pointer)
        row, value = np.empty(pointer[-1], dtype=np.int32), np.empty(pointer[-1], dtype=dtype)
        at = 0
        pieces.reverse()
        while pieces:
            rows, values = pieces.pop()
            row[at : at + len(rows)], value[at : at + len(rows)] = rows, values
            at += len(rows)
        return pointer, row, pointer, value

    def _most_elements(self, part: _Part, lo: int, hi: int) -> Int64:
        """(hi − lo,) elements that each column has at most: a record meets a later node in each term once."""
        first, n_later = part.columns.span[0], self._n_later(int(part.columns.span[0]), int(part.columns.span[4]))
        level, links = part.columns.level[lo - first : hi - first], part.columns.span[1]
        most = np.zeros(hi - lo, dtype=np.int64)
        for pointer in part.columns.pointers[: len(part.columns.terms)]:
            most += n_later * (pointer[level + 1] - pointer[level])
        if links >= 0:
            most += np.diff(part.links.pointer[links + lo - first : links + hi - first + 1])
        return np.minimum(most, self._n_nodes)

    def _count(self, part: _Part, lo: int, hi: int, counts: Int64, wide: Int64) -> None:
        mark, rows = np.full(self._n_nodes, -1, dtype=np.int32), np.empty(self._n_nodes, dtype=np.int32)
        count_columns(lo, hi, part.columns, self._records, part.links, self._table, mark, rows, counts, wide)

    def _n_later(self, first: int, end: int) -> int:
        """Terms of which a record may meet a node from `first` on, before `end`."""
        later = {s.number for s, node in zip(self._segments, self._first_nodes, strict=False) if first <= node < end}
        return sum(self._layout.blocks.index(block) in later for block in self._equations.incidence.blocks)

    def _over_columns(self, work: Callable[[_Part, int, int], Found]) -> Iterator[Found]:
        """Give work(part, first, end) for all columns, by threads, in order."""
        pieces = [
            (part, part.first + lo, part.first + hi)
            for part in self._parts
            for lo, hi in cut_range(part.n_nodes, FEWEST_COLUMNS)
        ]
        return map_parts(lambda piece: work(*piece), pieces)

    def _segment_table(self) -> Int64:
        table = np.zeros((len(self._segments), 5), dtype=np.int64)
        elements = 0
        for s, segment in enumerate(self._segments):
            block, k = segment.block, segment.block.n_columns
            table[s] = (*self._first_nodes[s : s + 2], k, elements, not block.is_random)
            elements += segment.n_levels * k * k
        return table

    def _diagonal(self) -> Float64:
        """What the penalties add to the diagonal; records come later."""
        penalties = {penalty.block.first: penalty for penalty in self._equations.penalties}
        parts = []
        for segment in self._segments:
            block = segment.block
            if block.first not in penalties:
                parts.append(np.zeros(segment.n_levels * block.n_columns**2))
                continue
            blocks = penalties[block.first].diagonal_blocks()
            parts.append((blocks[self._levels(segment)] if segment.number in self._links else blocks).ravel())
        return np.concatenate(parts)

    def _levels(self, segment: Segment) -> Int32:
        """Level of each node of a segment."""
        links = self._links.get(segment.number)
        if links is not None and segment.first_level == 0:
            return links.order
        return np.arange(segment.first_level, segment.first_level + segment.n_levels, dtype=np.int32)

    def _node_equations(self) -> Int32:
        parts = [s.block.first + s.block.n_columns * self._levels(s) for s in self._segments]
        return np.concatenate(parts).astype(np.int32, copy=False)

    def _find_links(self) -> dict[int, RelationshipLinks]:
        """Links of each block whose levels are related, by its number; one inverse is looked at once."""
        found: dict[int, RelationshipLinks] = {}
        by_inverse: dict[int, RelationshipLinks] = {}
        for penalty in self._equations.penalties:
            inverse = penalty.relationship_inverse
            if inverse is not None:
                if id(inverse) not in by_inverse:
                    by_inverse[id(inverse)] = relationship_links(inverse)
                found[self._layout.blocks.index(penalty.block)] = by_inverse[id(inverse)]
        return found

    def _is_left_out(self, segment: Segment) -> bool:
        """Whether the links of a segment are too many for a factor that is not of the exact part."""
        return segment.number in self._links and not segment.is_dense and self._links[segment.number].per_level > MOST_LINKS

    def _pack_records(self) -> Records:
        w, r = self._equations.incidence, self._equations.residual
        offsets, n = {}, 0
        for number, links in self._links.items():
            offsets[number], n = n, n + links.n_animals
        position = np.concatenate([np.empty(0, dtype=np.int32), *(links.position for links in self._links.values())])
        numbers = [self._layout.blocks.index(block) for block in w.blocks]
        place = np.array([self._place(k, offsets.get(k, -1)) for k in numbers], dtype=np.int64).reshape(-1, 6)
        every = [np.concatenate([getattr(s, part) for s in w.by_term]) for part in ("column", "trait", "covariate")]
        slots = np.column_stack(every).astype(np.int64)
        pointer = np.concatenate([[0], np.cumsum([len(s.column) for s in w.by_term])]).astype(np.int64)
        node = np.empty(w.first.shape, dtype=np.int32)
        find_nodes(w.first, place, position, node)
        active = _active(w, r.inverses)
        has_gaps = not bool(active.all())
        alike = np.array([_alike(of_term, w.n_traits) for of_term in w.by_term], dtype=np.int64)
        if r.is_weighted_by_trait:
            alike[:] = -2
        of_records = (w.covariates, r.kind, r.inverses, r.weights, active, has_gaps, r.weight_roots)
        meetings, repeats = self._meetings(node, place, position), np.zeros(len(node), dtype=np.bool_)
        if not w.ragged and not r.is_weighted_by_trait:
            find_repeats(freeze(node), r.kind, repeats)
        return Records(freeze(node), slots, pointer, alike, *of_records, *meetings, freeze(repeats), *_used_covariates(w))

    def _meetings(self, node: Int32, place: Int64, position: Int32) -> tuple[Int64, Int32, Int32]:
        """All that each record meets, as pointer, terms and nodes, where a term is ragged; else empty."""
        w = self._equations.incidence
        if not w.ragged:
            return freeze(np.empty(0, dtype=np.int64)), freeze(np.empty(0, np.int32)), freeze(np.empty(0, np.int32))
        record, term = np.nonzero(node >= 0)
        records, terms, nodes = [record], [term], [node[record, term]]
        for part in w.ragged:
            of_part = np.empty((len(part.first), 1), dtype=np.int32)
            find_nodes(freeze(part.first[:, None]), place[part.term : part.term + 1], position, of_part)
            records.append(np.repeat(np.arange(w.n_records), np.diff(part.pointer)))
            terms.append(np.full(len(part.first), part.term))
            nodes.append(of_part[:, 0])
        all_records = np.concatenate(records)
        order = np.argsort(all_records, kind="stable")
        pointer = np.searchsorted(all_records[order], np.arange(w.n_records + 1)).astype(np.int64)
        all_terms, all_nodes = np.concatenate(terms)[order].astype(np.int32), np.concatenate(nodes)[order].astype(np.int32)
        return freeze(pointer), freeze(all_terms), freeze(all_nodes)

    def _place(self, number: int, offset: int) -> tuple[int, ...]:
        own = [s for s, segment in enumerate(self._segments) if segment.number == number]
        segment, block = self._segments[own[0]], self._layout.blocks[number]
        first, last = int(self._first_nodes[own[0]]), int(self._first_nodes[own[-1]])
        return block.first, block.n_columns, segment.n_levels, first, offset, last

    def _part(self, s: int) -> _Part:
        segment, w = self._segments[s], self._equations.incidence
        own = [t for t, block in enumerate(w.blocks) if block.first == segment.block.first]
        offsets = np.cumsum([0, *(len(w.levels[t].order) for t in own)])
        pointers = np.stack([w.levels[t].pointer + offset for t, offset in zip(own, offsets, strict=False)])
        order = np.concatenate([w.levels[t].order for t in own]) if len(own) > 1 else w.levels[own[0]].order
        links, link_column = self._links_of(segment)
        end = self._n_nodes - self._n_dense if segment.spares_dense else self._n_nodes
        first = int(self._table[s, 0])
        if len(own) == 1 and self._n_later(first, end) <= 1:  # beside the term itself
            end = first
        span = np.array([first, link_column, *self._table[s, 2:4], end])
        terms, level = np.array(own, dtype=np.int64), freeze(self._levels(segment))
        columns = Columns(freeze(span), level, freeze(terms), freeze(pointers), freeze(order))
        return _Part(first, segment.n_levels, columns, links)

    def _links_of(self, segment: Segment) -> tuple[Links, int]:
        found = self._links.get(segment.number)
        if found is None or self._is_left_out(segment):
            return _NO_LINKS, -1
        own = [s for s, other in enumerate(self._segments) if other.number == segment.number]
        shift = np.array([found.n_animals, self._first_nodes[own[0]], self._first_nodes[own[-1]]])
        penalty = next(p for p in self._equations.penalties if p.block.first == segment.block.first)
        links = Links(found.pointer, found.row, found.value, freeze(shift), penalty.covariance_inverse)
        return links, segment.first_level


def _used_covariates(incidence: Incidence) -> tuple[Int64, Int64]:
    """Covariates of the terms, each once a term, and where those of each term begin."""
    used = [np.unique(slots.covariate).astype(np.int64) for slots in incidence.by_term]
    return freeze(np.concatenate(used)), freeze(np.cumsum([0, *(len(of_term) for of_term in used)]).astype(np.int64))


def _alike(slots: Slots, n_traits: int) -> int:
    """The covariate that all slots of a term share (−1: one), if they are the traits in order; else −2."""
    traits = np.arange(n_traits)
    if not np.array_equal(slots.trait, traits) or not np.array_equal(slots.column, traits):
        return -2
    return int(slots.covariate[0]) if (slots.covariate == slots.covariate[0]).all() else -2


def _active(incidence: Incidence, inverses: Float64) -> Bool:
    """(q, K, K) whether R⁻¹ of a kind of record joins a trait of one term with a trait of another."""
    n_terms = len(incidence.blocks)
    has = np.zeros((n_terms, incidence.n_traits), dtype=bool)
    for k, slots in enumerate(incidence.by_term):
        has[k, slots.trait] = True
    joined: Bool = np.einsum("at,qts,bs->qab", has.astype(int), (inverses != 0).astype(int), has.astype(int)) > 0
    return freeze(joined)
