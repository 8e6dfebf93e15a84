"""Columns of the lower triangle of C = W'R⁻¹W + K⁻¹ ⊗ Σ⁻¹, each gathered by itself from the records of its level.

A *node* is the equations of one level of one block, numbered in the order of elimination; the elements between two nodes are a
small matrix. A column writes nothing but its own rows and values, so any number of threads gives the same bits.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from breedeval.kernels.compile import compiled, inlined
from breedeval.kernels.row_arithmetic import add_row
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
    `node` is not looked at; else meet_pointer has no element. `repeats` (m,): whether a record meets the same levels as the one
    before, with R⁻¹ of the same kind: such records are taken together. `used` has the covariates of each term once (−1: one),
    those of term t from used_pointer[t] on.
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
    repeats: Any
    used: Any
    used_pointer: Any


class Columns(NamedTuple):
    """A run of columns of one block.

    `span` (5,): first node, column of the links for its first node (−1: no links), equations a node, first element of the
    diagonal, first node that records do not link to (the first one, if they link to none). `level` (nodes,) int32 of each
    node; `terms` (u,) of the block; the records of level l are order[pointers[u, l]:pointers[u, l + 1]].
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
    traits,
    widest,
    lo,
    hi,
    columns,
    records,
    links,
    segments,
    pointer,
    value_pointer,
    out_mark,
    out_work,
    out_row,
    out_value,
    out_diagonal,
):
    """Rows and values of columns lo to hi.

    `segments` as in `breedeval.lower_triangle`; out_mark (n,) int32 is −1 on entry and at the end; out_work has room for the
    longest column, a matrix (widest, widest) a row. What records add to the node itself goes to out_diagonal, which has the
    penalties already. `traits` is any tuple of as many numbers as there are traits.
    """
    places, n = _places(records, out_mark), records.covariates.shape[1] + 1
    moments = np.empty((n, n))
    for p in range(lo, hi):
        begin, end = pointer[p], pointer[p + 1]
        _collect(p, columns, records, links, places, begin, out_mark, out_row)
        _sort_rows(out_row, begin, end)
        for q in range(begin, end):
            out_mark[out_row[q]] = q - begin
        for v in range((end - begin) * widest * widest):
            out_work[v] = 0.0
        _add_records(traits, widest, p, columns, records, out_mark, moments, out_work, out_diagonal)
        _add_links(widest, p, columns, links, out_mark, out_work)
        s, v = 0, value_pointer[p]
        for q in range(begin, end):
            while out_row[q] >= segments[s, 1]:
                s += 1
            for a in range(segments[s, 2]):
                for b in range(columns.span[2]):
                    out_value[v] = out_work[np.uint64(((q - begin) * widest + a) * widest + b)]
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
                    if node != p and not p < node < span[4]:
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
    span, nodes, order, repeats = columns.span, records.node, columns.order, records.repeats
    meet_pointer, meet_term, meet_node = records.meet_pointer, records.meet_term, records.meet_node
    is_ragged = meet_pointer.shape[0] > 0
    level = columns.level[p - span[0]]
    for u in range(columns.terms.shape[0] if span[4] > span[0] else 0):
        t = columns.terms[u]
        for q in range(columns.pointers[u, level], columns.pointers[u, level + 1]):
            i = order[q]
            if repeats[i]:
                continue
            _ask_ahead(q, p, span[4], order, nodes, places)
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
        (np.uint64(records.repeats.ctypes.data), np.uint64(records.repeats.itemsize)),
        (np.uint64(mark.ctypes.data), np.uint64(mark.itemsize)),
    )


@inlined
def _ask_ahead(q, p, end, order, nodes, places):
    """Ask for the records that come after the q-th in order, and for the marks of the nodes that they meet after node p."""
    if q + FAR < order.shape[0]:
        i = np.uint64(order[q + FAR])
        for k in range(5):
            prefetch(places[k][0] + places[k][1] * i)
        i = np.uint64(order[q + NEAR])
        for other in range(nodes.shape[1]):
            if p < nodes[i, other] < end:
                prefetch(places[5][0] + places[5][1] * np.uint64(nodes[i, other]))


@inlined
def _add_records(traits, widest, p, columns, records, mark, moments, out_work, out_diagonal):
    """Add what the records of node p make of its column; moments (c + 1, c + 1) is for work."""
    span, nodes, order = columns.span, records.node, columns.order
    meet_pointer, meet_term, meet_node = records.meet_pointer, records.meet_term, records.meet_node
    is_ragged = meet_pointer.shape[0] > 0
    level, width, size = columns.level[p - span[0]], span[2], widest * widest
    diagonal = span[3] + (p - span[0]) * width * width
    slots, slot_pointer, alike, roots = records.slots, records.slot_pointer, records.alike, records.roots
    covariates, weights, repeats = records.covariates, records.weights, records.repeats
    kind, inverses, used, used_pointer = records.kind, records.inverses, records.used, records.used_pointer
    for u in range(columns.terms.shape[0]):
        t, q, end = columns.terms[u], columns.pointers[u, level], columns.pointers[u, level + 1]
        begin, stop, first, last = slot_pointer[t], slot_pointer[t + 1], used_pointer[t], used_pointer[t + 1]
        while q < end:
            i = order[q]
            _add_moments(i, True, first, last, used, covariates, weights, moments)
            q += 1
            while q < end and repeats[order[q]]:
                _add_moments(order[q], False, first, last, used, covariates, weights, moments)
                q += 1
            lo, hi = (meet_pointer[i], meet_pointer[i + 1]) if is_ragged else (0, nodes.shape[1])
            for e in range(lo, hi):
                other, node = (np.int64(meet_term[e]), meet_node[e]) if is_ragged else (e, nodes[i, e])
                if node != p and not p < node < span[4]:
                    continue
                if records.has_gaps and not records.active[kind[i], t, other]:
                    continue
                if alike[t] > -2 and alike[other] > -2:
                    z = moments[np.uint64(alike[t] + 1), np.uint64(alike[other] + 1)]
                    if node == p:
                        _add_traits(traits, z, kind[i], inverses, diagonal, width, out_diagonal)
                    else:
                        _add_traits(traits, z, kind[i], inverses, np.int64(mark[node]) * size, widest, out_work)
                    continue
                for a in range(begin, stop):
                    for b in range(slot_pointer[other], slot_pointer[other + 1]):
                        z = moments[slots[a, 2] + 1, slots[b, 2] + 1] * inverses[kind[i], slots[b, 1], slots[a, 1]]
                        if roots.shape[0] > 0:
                            z *= roots[i, slots[b, 1]] * roots[i, slots[a, 1]]
                        if node == p:
                            out_diagonal[np.uint64(diagonal + slots[b, 0] * width + slots[a, 0])] += z
                        else:
                            out_work[np.uint64(mark[node] * size + slots[b, 0] * widest + slots[a, 0])] += z


@inlined
def _add_moments(i, is_first, begin, end, used, covariates, weights, out):
    """Weighted products of some covariates of record i with all, those used[begin:end]; those of one stand first.

    Out (c + 1, c + 1) is written for the first of several records, else added to.
    """
    for a in range(begin, end):
        row, z = np.uint64(used[a] + 1), weights[np.uint64(i)]
        if used[a] >= 0:
            z *= covariates[np.uint64(i), np.uint64(used[a])]
        out[row, np.uint64(0)] = z if is_first else out[row, np.uint64(0)] + z
        for c in range(np.uint64(covariates.shape[1])):
            product, column = z * covariates[np.uint64(i), c], c + np.uint64(1)
            out[row, column] = product if is_first else out[row, column] + product


@inlined
def _add_traits(traits, z, kind, inverses, start, across, out):
    """Add z R⁻¹ to the matrix of two terms whose columns are the traits; it begins at out[start], its rows so far `across`."""
    for b in range(len(traits)):
        add_row(traits, z, inverses, (np.int64(kind) * len(traits) + b) * len(traits), out, start + b * across)


@inlined
def _add_links(widest, p, columns, links, mark, out_work):
    span = columns.span
    if span[1] < 0:
        return
    c = span[1] + p - span[0]
    for q in range(links.pointer[c], links.pointer[c + 1]):
        at = np.int64(mark[_link_node(links.row[q], links.shift)]) * widest * widest
        for a in range(span[2]):
            for b in range(span[2]):
                out_work[np.uint64(at + a * widest + b)] += links.value[q] * links.precision[a, b]


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
