"""Rows of a sparse matrix taken together by orthogonal transformations: X becomes Q'X of fewer rows, and X'X stays.

Rows are grouped by the rarest column that they have, the key. A group of more rows than columns is a tall dense matrix, which
reflections (Householder 1958, Journal of the ACM 5:339) turn into a triangle, columns of few rows first and the key last: rows
without an element in a column stay as they are. Rotations (Givens 1958, SIAM Journal 6:26) from the last row to the first then
leave the key in one row only, and the others can be taken together with those of other groups. Each column of a group changes
by rounding errors of its own length only.

A group's matrix is kept in lines of eight numbers, zeros behind its columns.
"""

from __future__ import annotations

import numpy as np

from breedeval.kernels.compile import compiled
from breedeval.kernels.row_arithmetic import add_row, fill_row, scale_row
from breedeval.kernels.words import prefetch

#: Groups of no more rows than columns may have so many times the elements afterwards.
GROWTH = 3
#: Rows that a triangle takes up at once.
TAKEN_UP = 96
#: Where a row begins is asked for so many rows ahead, and the row so many.
FAR, NEAR = 32, 16
#: Of as many numbers as a line has.
LINE = (0,) * 8


@compiled
def count_in_columns(rows, pointer, column, out):
    """Rows that each column is met by, out (p,) zero on entry."""
    for i in rows:
        for q in range(pointer[i], pointer[i + 1]):
            out[column[q]] += 1


@compiled
def rarest_columns(rows, pointer, column, counts, out):
    """The rarest column of each of the rows, the first of equally rare ones; −1 of an empty row."""
    for k in range(rows.shape[0]):
        rarest = -1
        for q in range(pointer[rows[k]], pointer[rows[k] + 1]):
            c = column[q]
            if rarest < 0 or counts[c] < counts[rarest] or (counts[c] == counts[rarest] and c < rarest):
                rarest = c
        out[k] = rarest


@compiled
def survey_groups(low, high, bounds, rows, pointer, column, widest, mark, out_width):
    """Columns of groups low to high, out_width (groups,): 0 where a group is left as it is; returns the most elements of all.

    The rows of group g, whose rarest column is g, are rows[bounds[g]:bounds[g + 1]]; mark (p,) is −1 on entry and at the end.
    """
    most = 0
    pointers, columns = np.uint64(pointer.ctypes.data), np.uint64(column.ctypes.data)
    for g in range(low, high):
        n, width, elements = bounds[g + 1] - bounds[g], 0, 0
        for k in range(bounds[g], bounds[g + 1]):
            if k + FAR < rows.shape[0]:
                prefetch(pointers + np.uint64(8) * np.uint64(rows[k + FAR]))
                prefetch(columns + np.uint64(4) * np.uint64(pointer[rows[k + NEAR]]))
            elements += pointer[rows[k] + 1] - pointer[rows[k]]
            for q in range(pointer[rows[k]], pointer[rows[k] + 1]):
                if mark[column[q]] != g:
                    mark[column[q]] = g
                    width += 1
        after = min(n, width) * width
        out_width[g] = width if n > 1 and width <= widest and (width < n or after <= GROWTH * elements) else 0
        most += after if out_width[g] else elements
    return most


@compiled
def compress_groups(
    low, high, bounds, rows, pointer, column, value, width, negligible, out_place, out_count, out_column, out_value
):
    """Write the rows that groups low to high become; returns how many.

    width: of `survey_groups`; out_place (p,) int32 is −1 on entry and at the end; out_count elements of each new row. Elements
    below `negligible` times the length of their column in the group are rounding errors, and are left out.
    """
    widest = 1
    for g in range(low, high):
        widest = max(widest, width[g])
    stride = 8 * ((widest + 7) // 8)
    work, other = np.zeros((widest + TAKEN_UP) * stride), np.zeros(stride)
    names, met, least = np.empty(widest, dtype=column.dtype), np.empty(widest, dtype=np.int64), np.empty(widest)
    n_rows, free = 0, 0
    for g in range(low, high):
        if not width[g]:
            n_rows, free = _copy_rows(
                bounds[g], bounds[g + 1], rows, pointer, column, value, n_rows, free, out_count, out_column, out_value
            )
            continue
        c = _name_columns(bounds[g], bounds[g + 1], rows, g, pointer, column, out_place, names, met)
        stride, taken, height = 8 * ((c + 7) // 8), bounds[g], 0
        least[:c] = 0.0
        while taken < bounds[g + 1]:
            last = min(bounds[g + 1], taken + TAKEN_UP)
            _take_up(taken, last, height, stride, rows, pointer, column, value, out_place, least, work)
            height, taken = height + last - taken, last
            _triangularize(height, c, stride, other, work)
            height = min(height, c)
        _leave_in_first_row(height, c - 1, stride, other, work)
        for b in range(c):
            least[b] = negligible * np.sqrt(least[b])
            out_place[names[b]] = -1
        for a in range(height):
            begin = free
            for b in range(c):
                if abs(work[a * stride + b]) > least[b]:
                    out_column[free] = names[b]
                    out_value[free] = work[a * stride + b]
                    free += 1
            if free > begin:
                out_count[n_rows] = free - begin
                n_rows += 1
    return n_rows


@compiled
def _copy_rows(begin, end, rows, pointer, column, value, n_rows, free, out_count, out_column, out_value):
    """Copy rows as they are; returns how many rows and elements there are now."""
    for k in range(begin, end):
        first, last = pointer[rows[k]], pointer[rows[k] + 1]
        for q in range(first, last):
            out_column[free] = column[q]
            out_value[free] = value[q]
            free += 1
        out_count[n_rows] = last - first
        n_rows += 1
    return n_rows, free


@compiled
def _name_columns(begin, end, rows, key, pointer, column, out_place, out_names, out_met):
    """Number the columns of a group, those of few rows first and the key last; returns how many there are."""
    c = 0
    for k in range(begin, end):
        for q in range(pointer[rows[k]], pointer[rows[k] + 1]):
            if out_place[column[q]] < 0:
                out_place[column[q]] = c
                out_names[c], out_met[c] = column[q], 0
                c += 1
            out_met[out_place[column[q]]] += 1
    for b in range(c):
        name, met = out_names[b], out_met[b] if out_names[b] != key else end
        back = b
        while back > 0 and out_met[back - 1] > met:
            out_names[back], out_met[back] = out_names[back - 1], out_met[back - 1]
            back -= 1
        out_names[back], out_met[back] = name, met
    for b in range(c):
        out_place[out_names[b]] = b
    return c


@compiled
def _take_up(begin, end, height, stride, rows, pointer, column, value, place, out_squares, out):
    """Put rows below the first `height` ones of `out`, and add the squares of their elements."""
    for k in range(begin, end):
        here = (height + k - begin) * stride
        for b in range(0, stride, 8):
            fill_row(LINE, 0.0, out, here + b)
        for q in range(pointer[rows[k]], pointer[rows[k] + 1]):
            b = place[column[q]]
            out[here + b] += value[q]
            out_squares[b] += value[q] * value[q]


@compiled
def _triangularize(height, c, stride, other, out):
    """Turn the first `height` rows of `out`, of c columns, into a triangle by reflections; other (stride,) is work."""
    for a in range(min(height, c)):
        here, first = a * stride, 8 * (a // 8)
        total = 0.0
        for i in range(a + 1, height):
            total += out[i * stride + a] * out[i * stride + a]
        if total == 0.0:
            continue
        head = out[here + a]
        length = np.sqrt(total + head * head)
        new = -length if head > 0.0 else length
        head -= new  # the reflection is along (head, elements below)
        scale = -2.0 / (head * head + total)
        for b in range(first, stride, 8):
            scale_row(LINE, head, out, here + b, other, b)
        for i in range(a + 1, height):
            v = out[i * stride + a]
            if v != 0.0:
                for b in range(first, stride, 8):
                    add_row(LINE, v, out, i * stride + b, other, b)
        for b in range(first, stride, 8):
            add_row(LINE, scale * head, other, b, out, here + b)
        for i in range(a + 1, height):
            v = out[i * stride + a]
            if v != 0.0:
                for b in range(first, stride, 8):
                    add_row(LINE, scale * v, other, b, out, i * stride + b)
                out[i * stride + a] = 0.0
        out[here + a] = new


@compiled
def _leave_in_first_row(height, c, stride, other, out):
    """Rotate neighboring rows of a triangle, from the last to the first, so that column c is left in the first row only."""
    for i in range(height - 1, 0, -1):
        here, above = i * stride, (i - 1) * stride
        length = np.sqrt(out[here + c] * out[here + c] + out[above + c] * out[above + c])
        if out[here + c] == 0.0:
            continue
        cosine, sine = out[above + c] / length, out[here + c] / length
        for b in range(0, stride, 8):
            scale_row(LINE, cosine, out, above + b, other, b)
            add_row(LINE, sine, out, here + b, other, b)
            scale_row(LINE, cosine, out, here + b, out, here + b)
            add_row(LINE, -sine, out, above + b, out, here + b)
            fill_row(LINE, 0.0, out, above + b)
            add_row(LINE, 1.0, other, b, out, above + b)
        out[here + c] = 0.0
