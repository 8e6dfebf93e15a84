"""How one pass over the records gives W'R⁻¹W x: which term's share goes where, and how the records are cut.

See `breedeval.kernels.record_pass`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from breedeval.arrays import NONE, Float64, Int32, Int64, freeze
from breedeval.equations.incidence import Incidence
from breedeval.equations.residual import ResidualInverse
from breedeval.kernels import record_pass as kernels
from breedeval.kernels.columns import column_groups

#: Pieces that the records are cut into, for any number of threads.
N_CHUNKS = 16
#: Fewer records a chunk than this do not pay.
FEWEST_RECORDS = 1_024
#: So many chunks are one where several vectors are multiplied at once.
CHUNKS_TO_ONE = 4
#: A term is small when the copies of its equations, one a chunk, have at most this many elements for each record; of several
#: traits twice as many, since each of them would be gathered.
COPIES_A_RECORD = 2.0


@dataclass(frozen=True)
class RecordPass:
    """W'R⁻¹W as one pass over records.

    Parameters
    ----------
    incidence, residual
        W and R⁻¹.
    pointer
        (K + 1,) int64 where the slots of each term begin.
    run
        (K,) int32 first column of a term with one coefficient of one for every trait, in order; −1 for any other.
    target, shift
        (s,) int32, for each slot: where its share goes, and by how much its equation is lowered to be an element of the copies.
    bounds
        (chunks + 1,) records that begin a chunk.
    small
        First equation, number of equations and place among the copies, of each small block.
    wide
        Terms that are gathered from e afterwards.
    """

    incidence: Incidence
    residual: ResidualInverse
    pointer: Int64
    run: Int32
    target: Int32
    shift: Int32
    bounds: Int64
    small: tuple[tuple[int, int, int], ...]
    wide: tuple[int, ...]
    _copies: Float64 = field(repr=False)
    _e: Float64 = field(repr=False)

    @property
    def work(self) -> Float64:
        """(m, t) R⁻¹W x where a term is gathered from it, else (0, t)."""
        return self._e

    def with_arrays(self, incidence: Incidence, residual: ResidualInverse, work: Float64) -> RecordPass:
        """Return the same pass over the same records that stand somewhere else."""
        return replace(self, incidence=incidence, residual=residual, _e=work)

    def add_product(self, x: Float64, out: Float64) -> None:
        """Add W'R⁻¹W x to `out`; x and out (N,) or (N, c). Not for two threads at once on the same object."""
        if x.ndim == 2:
            self._add_columns(x, out)
            return
        w, r, s = self.incidence, self.residual, self.incidence.slots
        added = w.forward_ragged(x)
        target, end = (self.target, self.shift), (self.bounds, self._copies, self._e, out)
        if w.n_traits == 1:
            of_slot = (s.term, s.column, s.covariate, *target)
            kernels.multiply_one_trait(x, added, w.first, w.covariates, *of_slot, r.kind, r.inverses, r.weights, *end)
        else:
            slots = (self.pointer, self.run, s.column, s.trait, s.covariate, *target)
            of_record = (r.kind, r.inverses, r.weights, r.weight_roots)
            kernels.multiply_traits(x, added, w.first, w.covariates, *slots, *of_record, *end)
        for first, n, offset in self.small:
            kernels.add_copies(self._copies[:, offset : offset + n], out[first : first + n])
        for k in self.wide:
            w.add_backward_of(k, self._e, out)

    def _add_columns(self, x: Float64, out: Float64) -> None:
        """For c vectors side by side, by groups of columns that a loop is compiled for."""
        parts = column_groups(x.shape[1])
        if len(parts) == 1 and parts[0].width == x.shape[1]:
            self._add_group(x, out)
            return
        for part in parts:
            here = slice(part.first, part.first + part.n)
            some = np.zeros((len(x), part.width))
            some[:, : part.n] = x[:, here]
            added = np.zeros_like(some)
            self._add_group(some, added)
            out[:, here] += added[:, : part.n]

    def _add_group(self, x: Float64, out: Float64) -> None:
        """With fewer chunks, as each has its copies c times."""
        w, r, s = self.incidence, self.residual, self.incidence.slots
        bounds = np.unique(np.append(self.bounds[::CHUNKS_TO_ONE], self.bounds[-1]))
        n_columns = x.shape[1]
        copies = np.empty((len(bounds) - 1, self._copies.shape[1], n_columns))
        e = np.empty((*self._e.shape, n_columns))
        slots = (s.term, s.column, s.trait, s.covariate, self.target, self.shift)
        of_record = (r.kind, r.inverses, r.weights, r.weight_roots)
        added = np.stack([w.forward_ragged(np.ascontiguousarray(x[:, c])) for c in range(n_columns)], axis=2)
        where = (w.first, w.covariates, *slots, *of_record, bounds, copies, e)
        kernels.multiply_columns((0,) * n_columns, x, added, *where, out)
        for first, n, offset in self.small:
            kernels.add_copies(copies[:, offset : offset + n].reshape(len(copies), -1), out[first : first + n].reshape(-1))
        for k in self.wide:
            for c in range(n_columns):
                column = np.zeros(w.n_equations)
                w.add_backward_of(k, np.ascontiguousarray(e[:, :, c]), column)
                out[w.blocks[k].equations, c] += column[w.blocks[k].equations]


def plan_record_pass(incidence: Incidence, residual: ResidualInverse) -> RecordPass:
    """Choose where each term's share goes, from the levels of the records as they stand."""
    ordered = [k for k in range(len(incidence.blocks)) if _is_ordered(incidence, k)]
    bounds = _bounds(incidence.first[:, ordered])
    limit = COPIES_A_RECORD * min(incidence.n_traits, 2) * incidence.n_records / max(1, len(bounds) - 1)
    target = np.full(len(incidence.blocks), kernels.WIDE, dtype=np.int32)
    target[ordered] = kernels.ORDERED
    shift = np.zeros(len(incidence.blocks), dtype=np.int32)
    small: dict[int, tuple[int, int, int]] = {}
    size = 0
    ragged = [part.term for part in incidence.ragged]
    for k, block in enumerate(incidence.blocks):
        if k in ordered or k in ragged or (block.first not in small and block.n_equations > limit):
            continue
        if block.first not in small:
            small[block.first] = (block.first, block.n_equations, size)
            size += block.n_equations
        target[k], shift[k] = kernels.SMALL, block.first - small[block.first][2]
    wide = tuple(int(k) for k in np.flatnonzero(target == kernels.WIDE))
    of_slot = incidence.slots.term
    return RecordPass(
        incidence,
        residual,
        freeze(np.searchsorted(of_slot, np.arange(len(incidence.blocks) + 1)).astype(np.int64)),
        _runs(incidence),
        freeze(target[of_slot]),
        freeze(shift[of_slot]),
        bounds,
        tuple(small.values()),
        wide,
        np.empty((len(bounds) - 1, size)),
        np.empty((incidence.n_records if wide else 0, incidence.n_traits)),
    )


def _runs(incidence: Incidence) -> Int32:
    """First column of each term whose slots are one a trait, in order, side by side, times one; −1 for the others."""
    runs = np.full(len(incidence.blocks), NONE, dtype=np.int32)
    traits = np.arange(incidence.n_traits)
    for k, slots in enumerate(incidence.by_term):
        plain = len(slots.trait) == len(traits) and (slots.covariate == NONE).all()
        if plain and (slots.trait == traits).all() and (slots.column == slots.column[0] + traits).all():
            runs[k] = slots.column[0]
    return freeze(runs)


def _is_ordered(incidence: Incidence, k: int) -> bool:
    """Whether the levels of term k only grow, so that chunks can be cut between them, and it alone writes to its block."""
    block = incidence.blocks[k]
    alone = sum(other.first == block.first for other in incidence.blocks) == 1
    first = incidence.first[:, k]
    n_runs = 1 + np.count_nonzero(np.diff(first))
    return bool(alone and n_runs > FEWEST_RECORDS and (first[1:] >= first[:-1]).all())


def _bounds(ordered: Int32) -> Int64:
    """Where records may be cut into about equal chunks: where every ordered term begins a level."""
    m = len(ordered)
    n_chunks = max(1, min(N_CHUNKS, m // FEWEST_RECORDS))
    wanted = np.linspace(0, m, n_chunks + 1).astype(np.int64)
    free = np.flatnonzero((ordered[1:] != ordered[:-1]).all(axis=1)) + 1
    places = np.concatenate([free, [m]])
    inner = places[np.minimum(np.searchsorted(places, wanted[1:-1]), len(places) - 1)]
    return freeze(np.unique(np.concatenate([[0], inner, [m]])).astype(np.int64))
