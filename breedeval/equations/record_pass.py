"""How one pass over the records gives W'R⁻¹W x: which term's share goes where, and how the records are cut.

See `breedeval.kernels.record_pass`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from breedeval.arrays import Bool, Float64, Int32, Int64, empty_columns, freeze
from breedeval.equations.curves import Put, RecordCoefficients, find_coefficients
from breedeval.equations.incidence import Incidence, LevelIndex
from breedeval.equations.residual import ResidualInverse
from breedeval.kernels import record_pass as kernels
from breedeval.kernels.record_coefficients import ORDERED, SMALL, WIDE

#: Pieces that the records are cut into, for any number of threads.
N_CHUNKS = 16
#: Fewer records a chunk than this do not pay.
FEWEST_RECORDS = 1_024
#: So many chunks are one where several vectors are multiplied at once.
CHUNKS_TO_ONE = 4
#: Coefficients of several vectors are taken together for so many vectors of one trait at most: with more, compiling takes long
#: and gains nothing.
MOST_COLUMNS = 16
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
    coefficients, single
        Those of all terms, and the same one by one, for several vectors.
    target, shift
        (K,) int32, for each term: where its share goes, and by how much its equations are lowered to be elements of the copies.
    bounds
        (chunks + 1,) records that begin a chunk.
    small
        First equation, number of equations and place among the copies, of each small block.
    wide
        Terms that are gathered from e afterwards.
    """

    incidence: Incidence
    residual: ResidualInverse
    coefficients: RecordCoefficients
    single: RecordCoefficients
    target: Int32
    shift: Int32
    bounds: Int64
    small: tuple[tuple[int, int, int], ...]
    wide: tuple[int, ...]
    _copies: Float64 = field(repr=False)
    _e: Float64 = field(repr=False)
    _of_columns: dict[int, Float64] = field(default_factory=dict, repr=False)

    @property
    def work(self) -> Float64:
        """(m, t) R⁻¹W x where a term is gathered from it, else (0, t)."""
        return self._e

    def with_arrays(self, incidence: Incidence, residual: ResidualInverse, work: Float64, put: Put) -> RecordPass:
        """Return the same pass over the same records that stand somewhere else, where `put` also puts the runs of curves."""
        coefficients = replace(self.coefficients, curves=self.coefficients.curves and self.coefficients.curves.put(put))
        return replace(self, incidence=incidence, residual=residual, coefficients=coefficients, _e=work)

    def add_product(self, x: Float64, out: Float64) -> None:
        """Add W'R⁻¹W x to `out`; x and out (N,) or (N, c). Not for two threads at once on the same object."""
        if x.ndim == 1:
            self._add(self.coefficients, x, out, self.bounds, self._copies, self._e)
        else:
            self._add_columns(x, out)

    def _add_columns(self, x: Float64, out: Float64) -> None:
        """With fewer chunks, as each has its copies c times."""
        bounds = np.unique(np.append(self.bounds[::CHUNKS_TO_ONE], self.bounds[-1]))
        size = self._copies.shape[1] * x.shape[1]
        if size not in self._of_columns:  # kept: new memory costs more than what is done in it
            self._of_columns.clear()
            self._of_columns[size] = empty_columns(len(bounds) - 1, size)
        e = empty_columns(len(self._e), self._e.shape[1] * x.shape[1])
        together = self.incidence.n_traits == 1 and x.shape[1] <= MOST_COLUMNS
        self._add(self.coefficients if together else self.single, x, out, bounds, self._of_columns[size], e)

    def _add(self, s: RecordCoefficients, x: Float64, out: Float64, bounds: Int64, copies: Float64, e: Float64) -> None:
        w, r = self.incidence, self.residual
        c = x.size // len(x)
        curves = None if s.curves is None else s.curves.arrays(w.covariates)
        terms = (s.pointer, s.rows, curves, s.of_traits, s.repeats, self.target, self.shift)
        of_record, end = (r.kind, r.inverses, r.weights, r.weight_roots), (freeze(bounds), copies, e, out.reshape(-1))
        where = (freeze(x.reshape(-1)), w.forward_ragged(x), w.first, w.covariates)
        widths = ((0,) * w.n_traits, (0,) * c, (0,) * (w.n_traits * c))
        kernels.multiply(*widths, *where, *terms, *of_record, *end)
        for first, n, offset in self.small:
            kernels.add_copies(copies[:, offset * c : (offset + n) * c], out[first : first + n].reshape(-1))
        for k in self.wide:
            w.add_backward_of(k, e, out)


def plan_record_pass(incidence: Incidence, residual: ResidualInverse) -> RecordPass:
    """Choose where each term's share goes, from the levels of the records as they stand."""
    apart, bounds = _cut(incidence)
    limit = COPIES_A_RECORD * min(incidence.n_traits, 2) * incidence.n_records / max(1, len(bounds) - 1)
    target = np.full(len(incidence.blocks), WIDE, dtype=np.int32)
    target[apart] = ORDERED
    shift = np.zeros(len(incidence.blocks), dtype=np.int32)
    small: dict[int, tuple[int, int, int]] = {}
    size = 0
    ragged = [part.term for part in incidence.ragged]
    for k, block in enumerate(incidence.blocks):
        if k in apart or k in ragged or (block.first not in small and block.n_equations > limit):
            continue
        if block.first not in small:
            small[block.first] = (block.first, block.n_equations, size)
            size += block.n_equations
        target[k], shift[k] = SMALL, block.first - small[block.first][2]
    wide = tuple(int(k) for k in np.flatnonzero(target == WIDE))
    return RecordPass(
        incidence,
        residual,
        find_coefficients(incidence),
        find_coefficients(incidence, with_curves=False),
        freeze(target),
        freeze(shift),
        bounds,
        tuple(small.values()),
        wide,
        np.empty((len(bounds) - 1, size)),
        np.empty((incidence.n_records if wide else 0, incidence.n_traits)),
    )


def _cut(incidence: Incidence) -> tuple[list[int], Int64]:
    """Terms whose levels lie each within one chunk, and where the chunks begin.

    Such are the effects of an animal where records stand by animal, in whatever order their levels have been numbered.
    """
    m = incidence.n_records
    free = np.ones(max(m - 1, 0), dtype=np.bool_)
    apart: list[int] = []
    ragged = [part.term for part in incidence.ragged]
    for k in sorted(range(len(incidence.blocks)), key=lambda k: (-incidence.blocks[k].n_levels, k)):
        alone = sum(other.first == incidence.blocks[k].first for other in incidence.blocks) == 1
        if k in ragged or not alone:
            continue
        both = free & _between_levels(incidence.levels[k], m)
        if np.count_nonzero(both) >= FEWEST_RECORDS:
            free, apart = both, [*apart, k]
    n_chunks = max(1, min(N_CHUNKS, m // FEWEST_RECORDS))
    wanted = np.linspace(0, m, n_chunks + 1).astype(np.int64)
    places = np.append(np.flatnonzero(free) + 1, m)
    inner = places[np.minimum(np.searchsorted(places, wanted[1:-1]), len(places) - 1)]
    return sorted(apart), freeze(np.unique(np.concatenate([[0], inner, [m]])).astype(np.int64))


def _between_levels(index: LevelIndex, m: int) -> Bool:
    """(m − 1,) whether no level of a term has records both up to record i and behind it."""
    met = np.flatnonzero(np.diff(index.pointer))
    begin, end = index.order[index.pointer[met]], index.order[index.pointer[met + 1] - 1]
    change = np.zeros(m + 1, dtype=np.int32)
    change[begin] += 1
    change[end] -= 1
    free: Bool = np.cumsum(change)[: max(m - 1, 0)] == 0
    return free
