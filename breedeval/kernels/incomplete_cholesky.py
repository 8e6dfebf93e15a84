"""Incomplete factorization C ≈ L D L' without fill: only elements that C has (Meijerink and van der Vorst 1977), by blocks.

Right-looking: column j, once its pivot is final, is taken from every pair of its rows that C links. The rows of two columns are
matched by steps that grow (galloping), so the shorter list decides what it costs: neither a sire with 100,000 progeny nor a
herd of 1,000 cows costs the square of its size. The last nodes, from n_sparse on, are kept as a full matrix and get all fill.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from breedeval.kernels.compile import compiled


class Pattern(NamedTuple):
    """Where the elements are: arrays of `breedeval.lower_triangle.LowerTriangle`.

    `uniform` is the width of all nodes if they are alike, else 0; `dense_place` (S,) is the row of the full matrix where the
    segment's first node begins, meaningless for other segments.
    """

    segments: Any
    pointer: Any
    row: Any
    value_pointer: Any
    n_sparse: Any
    uniform: Any
    dense_place: Any


@compiled
def factorize(pattern, original, tolerance, out_value, out_diagonal, out_dense, out_counts):
    """Factorize in place.

    On entry out_value and out_diagonal hold C, at the end L and D⁻¹; original is a copy of out_diagonal; out_dense (T, T) is
    the full lower triangle of the last nodes. A pivot below `tolerance` (2,) of its first value is replaced by that value:
    tolerance[0] holds for random effects, tolerance[1] for equations that may be dependent; out_counts (2,) counts them.
    """
    segments, pointer = pattern.segments, pattern.pointer
    longest, widest = 0, 0
    for s in range(segments.shape[0]):
        widest = max(widest, segments[s, 2])
    for p in range(pattern.n_sparse):
        longest = max(longest, pointer[p + 1] - pointer[p])
    inverse = np.empty((widest, widest))
    column, scaled = np.empty((longest, widest, widest)), np.empty((longest, widest, widest))
    width = np.empty(longest, dtype=np.int64)
    for s in range(segments.shape[0]):
        k, may_depend = segments[s, 2], segments[s, 4]
        for p in range(segments[s, 0], min(segments[s, 1], pattern.n_sparse)):
            d = segments[s, 3] + (p - segments[s, 0]) * k * k
            out_counts[may_depend] += invert_pivot(d, k, original, tolerance[may_depend], inverse, out_diagonal)
            _scale_column(p, s, pattern, inverse, column, scaled, width, out_value)
            _update(p, s, pattern, column, scaled, width, out_value, out_diagonal, out_dense)


@compiled
def fill_dense(pattern, value, diagonal, out):
    """Put the elements of the last nodes into their full matrix; out (T, T), lower triangle."""
    segments = pattern.segments
    for s in range(segments.shape[0]):
        k = segments[s, 2]
        for p in range(max(segments[s, 0], pattern.n_sparse), segments[s, 1]):
            here = pattern.dense_place[s] + (p - segments[s, 0]) * k
            d = segments[s, 3] + (p - segments[s, 0]) * k * k
            for a in range(k):
                for b in range(k):
                    out[here + a, here + b] = diagonal[d + a * k + b]
            r, v = s, pattern.value_pointer[p]
            for q in range(pattern.pointer[p], pattern.pointer[p + 1]):
                while pattern.row[q] >= segments[r, 1]:
                    r += 1
                there = pattern.dense_place[r] + (pattern.row[q] - segments[r, 0]) * segments[r, 2]
                for a in range(segments[r, 2]):
                    for b in range(k):
                        out[there + a, here + b] = value[v]
                        v += 1


@compiled
def invert_pivot(d, k, original, tolerance, inverse, out_diagonal):
    """Invert one pivot by sweeps; returns how many of its equations had to be cut off from the others."""
    for a in range(k):
        for b in range(k):
            inverse[a, b] = out_diagonal[d + a * k + b]
    cut = np.int64(0)
    for c in range(k):
        pivot = inverse[c, c]
        if not pivot > tolerance * original[d + c * k + c]:
            cut |= np.int64(1) << c
            continue
        for a in range(k):
            if a != c:
                factor = inverse[a, c] / pivot
                for b in range(k):
                    if b != c:
                        inverse[a, b] -= factor * inverse[c, b]
        for a in range(k):
            if a != c:
                inverse[a, c] /= pivot
                inverse[c, a] /= pivot
        inverse[c, c] = -1.0 / pivot
    bad = 0
    for c in range(k):
        if not (cut >> c) & 1:
            continue
        first = original[d + c * k + c]
        bad += first > 0.0
        for a in range(k):
            inverse[a, c] = 0.0
            inverse[c, a] = 0.0
        inverse[c, c] = -1.0 / first if first > 0.0 else 0.0
    for a in range(k):
        for b in range(k):
            inverse[a, b] = -inverse[a, b]
            out_diagonal[d + a * k + b] = inverse[a, b]
    return bad


@compiled
def _scale_column(p, s, pattern, inverse, column, scaled, width, out_value):
    """Copy column p to `column`, and write its product with the inverse of the pivot to `scaled` and out_value."""
    k, r, v = pattern.segments[s, 2], s, pattern.value_pointer[p]
    for q in range(pattern.pointer[p], pattern.pointer[p + 1]):
        while pattern.row[q] >= pattern.segments[r, 1]:
            r += 1
        at = q - pattern.pointer[p]
        width[at] = pattern.segments[r, 2]
        for a in range(width[at]):
            for b in range(k):
                column[at, a, b] = out_value[v + a * k + b]
            for b in range(k):
                total = 0.0
                for c in range(k):
                    total += column[at, a, c] * inverse[c, b]
                scaled[at, a, b] = total
                out_value[v + a * k + b] = total
        v += width[at] * k


@compiled
def _update(p, s, pattern, column, scaled, width, out_value, out_diagonal, out_dense):
    """Take column p from every pair of its rows that is linked."""
    segments, k, r = pattern.segments, pattern.segments[s, 2], s
    begin, end = pattern.pointer[p], pattern.pointer[p + 1]
    for q in range(begin, end):
        c = pattern.row[q]
        while c >= segments[r, 1]:
            r += 1
        at, w = q - begin, segments[r, 2]
        if c >= pattern.n_sparse:
            here = pattern.dense_place[r] + (c - segments[r, 0]) * w
            _update_dense(here, q, r, begin, end, k, pattern, column, scaled, width, out_dense)
            continue
        d = segments[r, 3] + (c - segments[r, 0]) * w * w
        for a in range(w):
            for b in range(w):
                total = 0.0
                for z in range(k):
                    total += scaled[at, a, z] * column[at, b, z]
                out_diagonal[d + a * w + b] -= total
        _update_column(c, r, q, begin, end, k, pattern, column, scaled, width, out_value)


@compiled
def _update_dense(here, q, r, begin, end, k, pattern, column, scaled, width, out_dense):
    at = q - begin
    for other in range(q, end):
        while pattern.row[other] >= pattern.segments[r, 1]:
            r += 1
        there = pattern.dense_place[r] + (pattern.row[other] - pattern.segments[r, 0]) * pattern.segments[r, 2]
        for a in range(width[other - begin]):
            for b in range(width[at]):
                total = 0.0
                for z in range(k):
                    total += scaled[other - begin, a, z] * column[at, b, z]
                out_dense[there + a, here + b] -= total


@compiled
def _update_column(c, r, q, begin, end, k, pattern, column, scaled, width, out_value):
    """Update column c (of segment r) in the rows that it shares with those behind q of the column that is eliminated."""
    row = pattern.row
    other, stop = q + 1, end
    target, last = pattern.pointer[c], pattern.pointer[c + 1]
    while other < stop and target < last:
        if row[other] < row[target]:
            other = advance(row, other, stop, row[target])
        elif row[target] < row[other]:
            target = advance(row, target, last, row[other])
        else:
            v = _value_place(c, r, target, pattern)
            w = width[q - begin]
            for a in range(width[other - begin]):
                for b in range(w):
                    total = 0.0
                    for z in range(k):
                        total += scaled[other - begin, a, z] * column[q - begin, b, z]
                    out_value[v + a * w + b] -= total
            other += 1
            target += 1


@compiled
def advance(row, q, end, least):
    """First place from q on whose row is at least `least`: in growing steps, then by halves."""
    step = 1
    low = q
    while q + step < end and row[q + step] < least:
        low = q + step
        step *= 2
    high = min(q + step, end)
    low += 1
    while low < high:
        middle = (low + high) // 2
        if row[middle] < least:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _value_place(c, r, q, pattern):
    """Where the values of element q of column c begin; r is the segment of c."""
    begin, segments = pattern.pointer[c], pattern.segments
    if pattern.uniform > 0:
        return pattern.value_pointer[c] + (q - begin) * pattern.uniform * pattern.uniform
    w, v = segments[r, 2], pattern.value_pointer[c]
    while begin < q:
        while pattern.row[begin] >= segments[r, 1]:
            r += 1
        past = q if pattern.row[q] < segments[r, 1] else advance(pattern.row, begin, q, segments[r, 1])
        v += (past - begin) * segments[r, 2] * w
        begin = past
    return v
