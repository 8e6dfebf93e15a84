"""Columns of the lower triangle of C = W'R⁻¹W + K⁻¹ ⊗ Σ⁻¹, each gathered by itself from the records of its level.

A *node* is the equations of one level of one block, numbered in the order of elimination; the elements between two nodes are a
small matrix. A column writes nothing but its own rows and values, so any number of threads gives the same bits.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np

from breedeval.kernels.compile import compiled, compiled_parallel, inlined
from breedeval.kernels.words import prefetch

#: Records are asked for so many ahead, and the marks of their nodes so many.
FAR, NEAR = 16, 8


class Records(NamedTuple):
    """What records say, the same for all columns.

    `node` (m, K) int32 of the record's level in each term, −1 without. `slots` (s, 3) column, trait and covariate (−1: one) of
    each coefficient, those of term t from slot_pointer[t] on. `alike` (K,): −2, or if its columns are the traits in order, all
    with the same covariate, that one (−1: one). `kind` (m,), `inverses` (q, t, t), `weights` (m,): R⁻¹; `active`
    (q, K, K) which terms it joins, looked at only if `has_gaps`. `roots` (m, t) of weights by trait, or (0, t). Where records
    meet any number of levels of a term, `meet_term` and `meet_node` from meet_pointer[i] on have all that record i meets, and
    `node` is not looked at; else meet_pointer has no element.
    """

    node: Any
    slots: Any
    slot_pointer: Any
    alike: Any
    covariates: Any
    kind: Any
    inverses: Any
    weights: Any
    active: Any
    has_gaps: Any
    roots: Any
    meet_pointer: Any
    meet_term: Any
    meet_node: Any


class Columns(NamedTuple):
    """A run of columns of one block.

    `span` (5,): first node, column of the links for its first node (−1: no links), equations a node, first element of the
    diagonal, first node that records do not link to. `level` (nodes,) int32 of each node; `terms` (u,) of the block; the
    records of level l are order[pointers[u, l]:pointers[u, l + 1]].
    """

    span: Any
    level: Any
    terms: Any
    pointers: Any
    order: Any


class Links(NamedTuple):
    """K⁻¹ by columns of positions, and Σ⁻¹ (k, k); `shift` (3,): number of animals, their first node, that of groups."""

    pointer: Any
    row: Any
    value: Any
    shift: Any
    precision: Any


@compiled
def count_columns(lo, hi, columns, records, links, segments, out_mark, out_rows, out, out_wide):
    """Elements out (n,) and values out_wide (n,) of columns lo to hi.

    out_mark (n,) int32, −1 on entry and at the end; out_rows (n,) int32 work.
    """
    places = _places(records, out_mark)
    for p in range(lo, hi):
        n_rows = _collect(p, columns, records, links, places, 0, out_mark, out_rows)
        width = 0
        for q in range(n_rows):
            out_mark[out_rows[q]] = -1
            width += segments[_segment(out_rows[q], segments), 2]
        out[p] = n_rows
        out_wide[p] = width * columns.span[2]


@compiled
def fill_columns(
    lo, hi, columns, records, links, segments, pointer, value_pointer, out_mark, out_work, out_row, out_value, out_diagonal
):
    """Rows and values of columns lo to hi.

    `segments` as in `breedeval.lower_triangle`; out_mark (n,) int32 is −1 on entry and at the end; out_work (rows, widest,
    widest). What two terms of a record add to the same node goes to out_diagonal, which has the rest already.
    """
    places = _places(records, out_mark)
    for p in range(lo, hi):
        begin, end = pointer[p], pointer[p + 1]
        _collect(p, columns, records, links, places, begin, out_mark, out_row)
        _sort_rows(out_row, begin, end)
        for q in range(begin, end):
            out_mark[out_row[q]] = q - begin
        out_work[: end - begin] = 0.0
        _add_records(p, columns, records, out_mark, out_work, out_diagonal)
        _add_links(p, columns, links, out_mark, out_work)
        s, v = 0, value_pointer[p]
        for q in range(begin, end):
            while out_row[q] >= segments[s, 1]:
                s += 1
            for a in range(segments[s, 2]):
                for b in range(columns.span[2]):
                    out_value[v] = out_work[q - begin, a, b]
                    v += 1
            out_mark[out_row[q]] = -1


@compiled
def fill_single_columns(lo, hi, columns, records, links, out_mark, out_work, out_count, out_row, out_value, out_diagonal):
    """As `fill_columns` where every node is one equation and every term one slot; out_work (rows,).

    The records of a level are gone through once, without counting first: a row gets its place when it is first met, and the
    rows are sorted at the end. out_row and out_value begin with column lo; out_count (n,) elements of each column.
    """
    span, nodes, slots, order, free = columns.span, records.node, records.slots, columns.order, 0
    places = _places(records, out_mark)
    for p in range(lo, hi):
        begin = free
        level = columns.level[p - span[0]]
        for u in range(columns.terms.shape[0]):
            t = columns.terms[u]
            for q in range(columns.pointers[u, level], columns.pointers[u, level + 1]):
                _ask_ahead(q, p, span[4], order, nodes, places)
                i = columns.order[q]
                kind, own = records.kind[i], records.weights[i]
                if slots[t, 2] >= 0:
                    own *= records.covariates[i, slots[t, 2]]
                for other in range(nodes.shape[1]):
                    node = nodes[i, other]
                    if node < p or node >= span[4] or (node == p and other == t):
                        continue
                    if records.has_gaps and not records.active[kind, t, other]:
                        continue
                    z = own * records.inverses[kind, slots[other, 1], slots[t, 1]]
                    if slots[other, 2] >= 0:
                        z *= records.covariates[i, slots[other, 2]]
                    if node == p:
                        out_diagonal[span[3] + p - span[0]] += z
                        continue
                    at = out_mark[np.uint64(node)]
                    if at >= 0:
                        out_work[np.uint64(at)] += z
                    else:
                        out_mark[np.uint64(node)] = free - begin
                        out_row[np.uint64(free)] = node
                        out_work[np.uint64(free - begin)] = z
                        free += 1
        if span[1] >= 0:
            c = span[1] + p - span[0]
            for q in range(links.pointer[c], links.pointer[c + 1]):
                node = _link_node(links.row[q], links.shift)
                z = links.value[q] * links.precision[0, 0]
                at = out_mark[np.uint64(node)]
                if at >= 0:
                    out_work[np.uint64(at)] += z
                else:
                    out_mark[np.uint64(node)] = free - begin
                    out_row[np.uint64(free)] = node
                    out_work[np.uint64(free - begin)] = z
                    free += 1
        for q in range(begin, free):
            out_value[q] = out_work[q - begin]
        _sort_rows_and_reset(out_row, out_value, begin, free, out_work, out_mark)
        out_count[p] = free - begin


@compiled
def _sort_rows_and_reset(out_row, out_value, begin, end, out_work, out_mark):
    """Sort a column's rows and values; out_work has the values in the order of out_mark."""
    if end - begin > 24:
        out_row[begin:end].sort()
        for q in range(begin, end):
            out_value[q] = out_work[out_mark[out_row[q]]]
            out_mark[out_row[q]] = -1
        return
    for q in range(begin, end):
        row, value = out_row[q], out_value[q]
        out_mark[np.uint64(row)] = -1
        back = q
        while back > begin and out_row[back - 1] > row:
            out_row[back] = out_row[back - 1]
            out_value[back] = out_value[back - 1]
            back -= 1
        out_row[back] = row
        out_value[back] = value


@compiled_parallel
def find_nodes(first, place, position, out):
    """Out (m, K) int32: node of each record in each term, −1 without.

    first (m, K) first equation of the record's level; place (K, 6) int64: first equation of the term's block, equations a
    level, levels before the split, first node of these, where their positions begin among `position` (−1: they stand in
    order), node of the first level behind the split.
    """
    for i in numba.prange(first.shape[0]):
        for t in range(first.shape[1]):
            if first[i, t] < 0:
                out[i, t] = -1
                continue
            level = (first[i, t] - place[t, 0]) // place[t, 1]
            if level < place[t, 2]:
                out[i, t] = place[t, 3] + (level if place[t, 4] < 0 else position[place[t, 4] + level])
            else:
                out[i, t] = place[t, 5] + level - place[t, 2]


@inlined
def _link_node(position, shift):
    return shift[1] + position if position < shift[0] else shift[2] + position - shift[0]


@inlined
def _segment(node, segments):
    s = 0
    while node >= segments[s, 1]:
        s += 1
    return s


@inlined
def _collect(p, columns, records, links, places, free, out_mark, out_row):
    """Write the rows of column p, each once, from `free` on; marks them by zero. Returns where they end."""
    span, nodes, order = columns.span, records.node, columns.order
    meet_pointer, meet_term, meet_node = records.meet_pointer, records.meet_term, records.meet_node
    is_ragged = meet_pointer.shape[0] > 0
    level = columns.level[p - span[0]]
    for u in range(columns.terms.shape[0]):
        t = columns.terms[u]
        for q in range(columns.pointers[u, level], columns.pointers[u, level + 1]):
            _ask_ahead(q, p, span[4], order, nodes, places)
            i = order[q]
            lo, hi = (meet_pointer[i], meet_pointer[i + 1]) if is_ragged else (0, nodes.shape[1])
            for e in range(lo, hi):
                other, node = (np.int64(meet_term[e]), meet_node[e]) if is_ragged else (e, nodes[i, e])
                if p < node < span[4] and out_mark[node] < 0:
                    if records.has_gaps and not records.active[records.kind[i], t, other]:
                        continue
                    out_mark[node] = 0
                    out_row[free] = node
                    free += 1
    if span[1] >= 0:
        c = span[1] + p - span[0]
        for q in range(links.pointer[c], links.pointer[c + 1]):
            node = _link_node(links.row[q], links.shift)
            if out_mark[node] < 0:
                out_mark[node] = 0
                out_row[free] = node
                free += 1
    return free


@compiled
def _places(records, mark):
    """Address and bytes a record (or a node) of what is to be asked for; the arrays must be held as long as these are used."""
    nodes, kind, covariates = records.node, records.kind, records.covariates
    return (
        (np.uint64(nodes.ctypes.data), np.uint64(nodes.itemsize * nodes.shape[1])),
        (np.uint64(records.weights.ctypes.data), np.uint64(records.weights.itemsize)),
        (np.uint64(kind.ctypes.data), np.uint64(kind.itemsize)),
        (np.uint64(covariates.ctypes.data), np.uint64(covariates.itemsize * covariates.shape[1])),
        (np.uint64(mark.ctypes.data), np.uint64(mark.itemsize)),
    )


@inlined
def _ask_ahead(q, p, end, order, nodes, places):
    """Ask for the records that come after the q-th in order, and for the marks of the nodes that they meet after node p."""
    if q + FAR < order.shape[0]:
        i = np.uint64(order[q + FAR])
        for k in range(4):
            prefetch(places[k][0] + places[k][1] * i)
        i = np.uint64(order[q + NEAR])
        for other in range(nodes.shape[1]):
            if p < nodes[i, other] < end:
                prefetch(places[4][0] + places[4][1] * np.uint64(nodes[i, other]))


@inlined
def _add_records(p, columns, records, mark, out_work, out_diagonal):
    span, nodes, slots, by_trait = columns.span, records.node, records.slots, records.roots.shape[0] > 0
    meet_pointer, meet_term, meet_node = records.meet_pointer, records.meet_term, records.meet_node
    is_ragged = meet_pointer.shape[0] > 0
    level = columns.level[p - span[0]]
    diagonal = span[3] + (p - span[0]) * span[2] * span[2]
    for u in range(columns.terms.shape[0]):
        t = columns.terms[u]
        for q in range(columns.pointers[u, level], columns.pointers[u, level + 1]):
            i = columns.order[q]
            lo, hi = (meet_pointer[i], meet_pointer[i + 1]) if is_ragged else (0, nodes.shape[1])
            for e in range(lo, hi):
                other, node = (np.int64(meet_term[e]), meet_node[e]) if is_ragged else (e, nodes[i, e])
                if node < p or node >= span[4] or (node == p and other == t):
                    continue
                if records.has_gaps and not records.active[records.kind[i], t, other]:
                    continue
                if node > p and records.alike[t] > -2 and records.alike[other] > -2:
                    _add_traits(i, t, other, records, mark[node], out_work)
                    continue
                for a in range(records.slot_pointer[t], records.slot_pointer[t + 1]):
                    za = records.weights[i]
                    if slots[a, 2] >= 0:
                        za *= records.covariates[i, slots[a, 2]]
                    for b in range(records.slot_pointer[other], records.slot_pointer[other + 1]):
                        z = za * records.inverses[records.kind[i], slots[b, 1], slots[a, 1]]
                        if by_trait:
                            z *= records.roots[i, slots[b, 1]] * records.roots[i, slots[a, 1]]
                        if slots[b, 2] >= 0:
                            z *= records.covariates[i, slots[b, 2]]
                        if node == p:
                            out_diagonal[diagonal + slots[b, 0] * span[2] + slots[a, 0]] += z
                        else:
                            out_work[mark[node], slots[b, 0], slots[a, 0]] += z


@inlined
def _add_traits(i, t, other, records, at, out):
    """What record i adds to the matrix of two terms whose columns are the traits; out (rows, t or more, t or more)."""
    z = records.weights[i]
    if records.alike[t] >= 0:
        z *= records.covariates[i, records.alike[t]]
    if records.alike[other] >= 0:
        z *= records.covariates[i, records.alike[other]]
    q, n = np.uint64(records.kind[i]), records.inverses.shape[1]
    for b in range(n):
        for a in range(n):
            out[np.uint64(at), np.uint64(b), np.uint64(a)] += z * records.inverses[q, np.uint64(b), np.uint64(a)]


@inlined
def _add_links(p, columns, links, mark, out_work):
    span = columns.span
    if span[1] < 0:
        return
    c = span[1] + p - span[0]
    for q in range(links.pointer[c], links.pointer[c + 1]):
        at = mark[_link_node(links.row[q], links.shift)]
        for a in range(span[2]):
            for b in range(span[2]):
                out_work[at, a, b] += links.value[q] * links.precision[a, b]


@inlined
def _sort_rows(out_row, begin, end):
    if end - begin > 24:
        out_row[begin:end].sort()
        return
    for q in range(begin + 1, end):
        row = out_row[q]
        back = q
        while back > begin and out_row[back - 1] > row:
            out_row[back] = out_row[back - 1]
            back -= 1
        out_row[back] = row
