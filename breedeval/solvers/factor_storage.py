"""How an incomplete factor is kept for its solves: by columns, by rows for threads, in runs of nodes that these share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breedeval.arrays import Float64, Int32, Int64, freeze
from breedeval.kernels import factor_storage as kernels
from breedeval.kernels import triangular, triangular_columns
from breedeval.kernels.threads import n_threads
from breedeval.lower_triangle import LowerTriangle

#: Shorter runs are left to one thread; so many nodes are the piece that a thread takes.
SHORTEST_RUN, PIECE = 8_192, 1_024
#: Pieces of nodes whose shares in the last equations are summed by themselves, for any number of threads, and fewest nodes of
#: one.
DENSE_PIECES, FEWEST_NODES = 16, 4_096


@dataclass(frozen=True)
class Elements:
    """Elements of L of all nodes, with partners of one width.

    Parameters
    ----------
    width
        Equations of a partner.
    begin, split, end
        (n,) elements of each node; from split on, those with the last equations.
    index
        First equation of the partner; of the last equations its place among them.
    value
        Their matrices.
    base
        (S,): the matrix of element q of a node in segment s begins at value[base[s] + q · width · own width].
    """

    width: int
    begin: Int64
    split: Int64
    end: Int64
    index: Int32
    value: NDArray[Any]
    base: Int64


@dataclass(frozen=True)
class Run:
    """Nodes low to high of segment s; not linked with each other if `shared`."""

    low: int
    high: int
    segment: int
    shared: bool


@dataclass(frozen=True)
class FactorStorage:
    """L for its two solves, without the last equations' own factor.

    One thread needs the columns only; rows are made when several threads first ask for them.

    Parameters
    ----------
    segments
        (S, 5) as in the triangle.
    diagonal
        (S,) where D⁻¹ of node 0 would begin if all nodes were of the segment.
    equation
        (n,) int32 first equation of each node.
    columns
        Elements with later nodes, by their width.
    whole, runs
        All nodes in their order, for one thread: a run a segment; and cut further for several threads.
    pieces
        Bounds of pieces of nodes.
    """

    segments: Int64
    diagonal: Int64
    equation: Int32
    columns: tuple[Elements, ...]
    whole: tuple[Run, ...]
    runs: tuple[Run, ...]
    pieces: Int64

    @classmethod
    def of(cls, triangle: LowerTriangle, dense_place: Int32) -> FactorStorage:
        """From L in the triangle's arrays, of which `row` is used up; dense_place (n,) is read for the last nodes."""
        segments, n_sparse = triangle.segments, triangle.n_sparse
        widths = tuple(int(w) for w in segments[:, 2])
        split = np.empty(n_sparse, dtype=np.int64)
        kernels.find_splits(triangle.pointer, triangle.row, n_sparse, split)
        bounds = np.empty(n_sparse, dtype=np.int64)
        n_runs = kernels.find_runs(triangle.pointer, split, triangle.row, segments, bounds)
        place = np.concatenate([triangle.equation[:n_sparse], dense_place[n_sparse:]])
        columns: tuple[Elements, ...]
        if len(set(widths)) == 1:
            kernels.nodes_to_places(place, triangle.row)
            ends = freeze(triangle.pointer[1 : n_sparse + 1])
            begin, row, value = freeze(triangle.pointer[:n_sparse]), freeze(triangle.row), freeze(triangle.value)
            columns = (Elements(widths[0], begin, freeze(split), ends, row, value, freeze(np.zeros(len(segments), np.int64))),)
        else:
            columns = tuple(_columns(triangle, w, split, place) for w in sorted(set(widths)))
        whole = [Run(int(s[0]), min(int(s[1]), n_sparse), k, False) for k, s in enumerate(segments) if s[0] < n_sparse]
        n_pieces = max(1, min(DENSE_PIECES, n_sparse // FEWEST_NODES))
        made = cls(
            freeze(segments),
            freeze(segments[:, 3] - segments[:, 0] * segments[:, 2] ** 2),
            freeze(triangle.equation[:n_sparse]),
            columns,
            tuple(whole),
            tuple(_cut(whole, bounds[:n_runs])),
            freeze(np.linspace(0, n_sparse, n_pieces + 1).astype(np.int64)),
        )
        if n_threads() > 1:
            _ = made.rows
        return made

    @property
    def widths(self) -> tuple[int, ...]:
        """(S,) equations a node of each segment."""
        return tuple(self.segments[:, 2].tolist())

    @property
    def widest(self) -> int:
        """Most equations of a node that is not one of the last, which are solved by a matrix of their own."""
        return max((self.widths[run.segment] for run in self.whole), default=1)

    @cached_property
    def rows(self) -> tuple[Elements, ...]:
        """Elements with earlier nodes, by segments of one width that stand one behind the other."""
        node = np.empty(int(self.equation.max(initial=-1)) + 1, dtype=np.int32)
        kernels.number_nodes(self.equation, node)
        parts = [self._rows(list(runs), node) for _, runs in groupby(self.whole, lambda run: self.widths[run.segment])]
        return tuple(part for part in parts if len(part.index)) or tuple(parts[:1])

    @property
    def n_bytes(self) -> int:
        """Memory of all arrays."""
        found: list[NDArray[Any]] = [self.equation]
        for part in (*self.columns, *self.__dict__.get("rows", ())):
            found += [part.begin, part.split, part.end, part.index, part.value]
        owners = [a.base if isinstance(a.base, np.ndarray) else a for a in found]
        return sum({id(a): a.nbytes for a in owners}.values())

    def _rows(self, runs: list[Run], node: Int32) -> Elements:
        """Elements with earlier nodes, those of `runs`, whose width is the same; node (N,) the number of each node."""
        width, n = self.widths[runs[0].segment], len(self.equation)
        begin = np.zeros(n + 1, dtype=np.int64)
        for run in runs:
            for part in self.columns:
                kernels.count_rows(run.low, run.high, part.begin, part.split, part.index, node, begin)
        np.cumsum(begin, out=begin)
        base = _bases(self.segments, begin, width)
        index = np.empty(begin[-1], dtype=np.int32)
        value = np.empty(_n_values(self.segments, begin, width), dtype=self.columns[0].value.dtype)
        to = (node, base, self.equation, begin[:-1].copy(), index, value)
        for run in runs:
            for part in self.columns:
                what = (part.begin, part.split, part.index, part.value, part.base[run.segment])
                kernels.transpose((0,) * part.width, (0,) * width, run.low, run.high, self.segments, *what, *to)
        ends = freeze(begin[1:])
        return Elements(width, freeze(begin[:-1]), ends, ends, freeze(index), freeze(value), base)

    def _parts(self, elements: tuple[Elements, ...], run: Run) -> list[Elements]:
        """Those with the nodes of the same segment last: of these, partners must be final before a node is."""
        return sorted(elements, key=lambda part: part.width == self.widths[run.segment])

    def forward(self, n_dense: int, out: Float64) -> Float64:
        """Replace r by y of L y = r, all but the last equations; returns (T,) what elimination takes from these, L_T y."""
        shares = np.zeros((len(self.pieces) - 1, n_dense))
        if n_threads() > 1:
            self._forward_by_rows(out)
            if n_dense:
                self._dense_shares(out, shares)
        else:
            self._forward_by_columns(out, shares)
        total: Float64 = -shares.sum(axis=0)
        return total

    def _forward_by_columns(self, out: Float64, shares: Float64) -> None:
        for run in self.whole:
            own = (0,) * self.widths[run.segment]
            for part in reversed(self._parts(self.columns, run)):
                spans = (self.equation, part.begin, part.split, part.end, part.index, part.value, part.base[run.segment])
                where = (own, (0,) * part.width, run.low, run.high, self.pieces)
                triangular.forward_by_columns(*where, *spans, out, shares)

    def _forward_by_rows(self, out: Float64) -> None:
        for run in self.runs:
            own = (0,) * self.widths[run.segment]
            for part in self.rows:
                if part.begin[run.low] == part.end[run.high - 1]:
                    continue
                what = (self.equation, part.begin, part.end, part.index, part.value, part.base[run.segment], out)
                if run.shared:
                    triangular.forward_by_threads(own, (0,) * part.width, run.low, run.high, PIECE, *what)
                else:
                    triangular.forward(own, (0,) * part.width, run.low, run.high, *what)

    def _dense_shares(self, y: Float64, shares: Float64) -> None:
        for run in self.whole:
            own = (0,) * self.widths[run.segment]
            for part in self.columns:
                what = (self.equation, part.split, part.end, part.index, part.value, part.base[run.segment], y, shares)
                triangular.dense_shares(own, (0,) * part.width, run.low, run.high, self.pieces, *what)

    def backward(self, inverse: Float64, dense: Float64, out: Float64) -> None:
        """Replace y by z of L'z = D⁻¹y; dense (T,) is the solution of the last equations."""
        threads = n_threads() > 1
        for run in reversed(self.runs if threads else self.whole):
            own, d = (0,) * self.widths[run.segment], int(self.diagonal[run.segment])
            is_first = True
            for part in self._parts(self.columns, run):
                spans = (self.equation, part.begin, part.split, part.end, part.index, part.value, part.base[run.segment])
                if run.shared:
                    where = (own, (0,) * part.width, run.low, run.high, PIECE)
                    triangular.backward_by_threads(*where, *spans, inverse, d, is_first, dense, out)
                else:
                    triangular.backward(own, (0,) * part.width, run.low, run.high, *spans, inverse, d, is_first, dense, out)
                is_first = False

    def forward_columns(self, r: Float64, n_dense: int, out: Float64) -> Float64:
        """Write y of L y = r, r and out (N, c), all but the last equations; returns (T, c) what these lose by it, L_T y."""
        shares = np.zeros((len(self.pieces) - 1, n_dense, out.shape[1]))
        if n_threads() > 1:
            self._take_columns(r, out)
            self._dense_shares_of_columns(out, shares)
        else:
            np.copyto(out, r)
            self._give_columns(out, shares)
        total: Float64 = shares.sum(axis=0)
        return total

    def _give_columns(self, out: Float64, shares: Float64) -> None:
        columns = (0,) * out.shape[1]
        for run in self.whole:
            own = (0,) * self.widths[run.segment]
            for part in reversed(self._parts(self.columns, run)):
                spans = (self.equation, part.begin, part.split, part.end, part.index, part.value, part.base[run.segment])
                where = (columns, columns * len(own), own, (0,) * part.width, run.low, run.high, self.pieces)
                triangular_columns.give_columns(*where, *spans, out, shares)

    def _take_columns(self, r: Float64, out: Float64) -> None:
        columns = (0,) * out.shape[1]
        for run in self.runs:
            own = (0,) * self.widths[run.segment]
            is_first = True
            for part in self.rows:
                if not is_first and part.begin[run.low] == part.end[run.high - 1]:
                    continue
                what = (self.equation, part.begin, part.end, part.index, part.value, part.base[run.segment], is_first, r, out)
                where = (columns, columns * len(own), own, (0,) * part.width, run.low, run.high)
                if run.shared:
                    triangular_columns.forward_columns_by_threads(*where, PIECE, *what)
                else:
                    triangular_columns.forward_columns(*where, *what)
                is_first = False

    def _dense_shares_of_columns(self, y: Float64, shares: Float64) -> None:
        columns = (0,) * y.shape[1]
        for run in self.whole if shares.shape[1] else ():
            own = (0,) * self.widths[run.segment]
            for part in self.columns:
                what = (self.equation, part.split, part.end, part.index, part.value, part.base[run.segment], y, shares)
                where = (columns, own, (0,) * part.width, run.low, run.high, self.pieces)
                triangular_columns.dense_shares_of_columns(*where, *what)

    def backward_columns(self, inverse: Float64, dense: Float64, out: Float64) -> Float64:
        """As `backward` for dense (T, c) and out (N, c); returns y'D⁻¹y of each column (c,)."""
        columns = (0,) * out.shape[1]
        product = np.zeros(len(columns))
        for run in reversed(self.runs):
            own, d = (0,) * self.widths[run.segment], int(self.diagonal[run.segment])
            is_first = True
            pieces = np.zeros(((run.high - run.low + PIECE - 1) // PIECE if run.shared else 1, len(columns)))
            for part in self._parts(self.columns, run):
                spans = (self.equation, part.begin, part.split, part.end, part.index, part.value, part.base[run.segment])
                where = (columns, columns * len(own), own, (0,) * part.width, run.low, run.high)
                what = (*spans, inverse, d, is_first, dense, out)
                if run.shared:
                    triangular_columns.backward_columns_by_threads(*where, PIECE, *what, pieces)
                else:
                    triangular_columns.backward_columns(*where, *what, pieces[0])
                is_first = False
            product += pieces.sum(axis=0)
        return product


def _bases(segments: Int64, begin: Int64, width: int) -> Int64:
    """Where the matrices of each segment begin, if they stand one behind the other, less those of the elements before."""
    n = len(begin) - 1
    first, last = np.minimum(segments[:, 0], n), np.minimum(segments[:, 1], n)
    sizes = (begin[last] - begin[first]) * segments[:, 2] * width
    return freeze(np.cumsum(sizes) - sizes - begin[first] * segments[:, 2] * width)


def _n_values(segments: Int64, begin: Int64, width: int) -> int:
    n = len(begin) - 1
    elements = begin[np.minimum(segments[:, 1], n)] - begin[np.minimum(segments[:, 0], n)]
    return int((elements * segments[:, 2]).sum()) * width


def _columns(triangle: LowerTriangle, width: int, split: Int64, place: Int32) -> Elements:
    """Elements with later nodes of one width."""
    segments, n = triangle.segments, triangle.n_sparse
    begin, middle = np.zeros(n + 1, dtype=np.int64), np.empty(n, dtype=np.int64)
    kernels.count_partners(segments, width, triangle.pointer, split, triangle.row, begin, middle)
    base = _bases(segments, begin, width)
    index = np.empty(begin[-1], dtype=np.int32)
    value = np.empty(_n_values(segments, begin, width), dtype=triangle.value.dtype)
    what = (triangle.pointer, triangle.row, triangle.value_pointer, triangle.value, place, begin, base)
    kernels.take_partners(segments, width, *what, index, value)
    return Elements(width, freeze(begin[:-1]), freeze(middle), freeze(begin[1:]), freeze(index), freeze(value), base)


def _cut(whole: list[Run], ends: Int64) -> list[Run]:
    """Runs that threads may share, and between them those that are too short for it, joined."""
    found = []
    for run in whole:
        low = run.low
        inner = ends[(ends > run.low) & (ends <= run.high)].tolist()
        begin = low
        for end in inner:
            if end - begin >= SHORTEST_RUN:
                if low < begin:
                    found.append(Run(low, begin, run.segment, False))
                found.append(Run(begin, end, run.segment, True))
                low = end
            begin = end
        if low < run.high:
            found.append(Run(low, run.high, run.segment, False))
    return found
