"""Small matrices times the numbers of a node, worked on as vectors.

A matrix (w, k) lies row by row at one place of a flat array of float32 or float64, w numbers of a partner to k of a node; its
rows are widened to float64. `own` and `partner` are any tuples of k and of w numbers, as in `breedeval.kernels.row_arithmetic`.
Places are counted flat and are not negative. Products are rounded before they are added.
"""

from __future__ import annotations

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

#: Bytes of a line of the cache.
LINE = 64


@intrinsic
def prefetch_matrix(_, own, partner, value, v):
    """Ask for the matrix at value[v] before it is needed; v may be behind the end, or before the beginning."""

    def generate(context, builder, signature, arguments):
        own, partner, value, _ = signature.args
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        function = builder.module.declare_intrinsic("llvm.prefetch", [pointer], kind)
        start = builder.bitcast(_data(context, builder, value, arguments[2], arguments[3]), pointer)
        for first in range(0, own.count * partner.count * value.dtype.bitwidth // 8, LINE):
            # To read, to be kept in all caches, data.
            builder.call(function, [builder.gep(start, [_integer(first)]), number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(own, partner, value, v), generate


@intrinsic
def subtract_product(_, own, partner, value, v, x, j, out, o):
    """out[o : o + k] -= M'x[j : j + w], M at value[v]."""

    def generate(context, builder, signature, arguments):
        own, partner, value, _, x, _, out, _ = signature.args
        k, w = own.count, partner.count
        rows = _rows(context, builder, value, arguments[2:4], k, w)
        total = _sum_of_products(builder, rows, _data(context, builder, x, arguments[4], arguments[5]), k)
        _subtract(builder, total, _data(context, builder, out, arguments[6], arguments[7]), k)
        return context.get_dummy_value()

    return types.void(own, partner, value, v, x, j, out, o), generate


@intrinsic
def subtract_transposed(_, own, partner, value, v, y, e, out, o):
    """out[o : o + w] -= M y[e : e + k], M at value[v]: with the same bits as `subtract_product` of the transpose of M."""

    def generate(context, builder, signature, arguments):
        own, partner, value, _, y, _, out, _ = signature.args
        k, w = own.count, partner.count
        columns = _transpose(builder, _rows(context, builder, value, arguments[2:4], k, w), k, w)
        numbers = _data(context, builder, y, arguments[4], arguments[5])
        total = _sum_of_products(builder, columns, numbers, w)
        _subtract(builder, total, _data(context, builder, out, arguments[6], arguments[7]), w)
        return context.get_dummy_value()

    return types.void(own, partner, value, v, y, e, out, o), generate


def _sum_of_products(builder, vectors, numbers, n):
    """The sum of vectors of n elements, each times a number."""
    total = None
    for b, vector in enumerate(vectors):
        number = builder.load(builder.gep(numbers, [_integer(b)]))
        product = builder.fmul(vector, _spread(builder, number, n))
        total = product if total is None else builder.fadd(total, product)
    return total


def _subtract(builder, vector, out, n):
    there = builder.bitcast(out, ir.VectorType(ir.DoubleType(), n).as_pointer())
    builder.store(builder.fsub(builder.load(there, align=8), vector), there, align=8)


def _transpose(builder, rows, k, w):
    """Columns, w numbers each, of rows of k numbers."""
    columns = []
    for a in range(k):
        column = ir.Constant(ir.VectorType(ir.DoubleType(), w), ir.Undefined)
        for b, row in enumerate(rows):
            number = builder.extract_element(row, ir.IntType(32)(a))
            column = builder.insert_element(column, number, ir.IntType(32)(b))
        columns.append(column)
    return columns


def _rows(context, builder, kind, place, k, w):
    """The rows of a matrix as vectors of float64.

    A row that is not as long as a register is cut out of one, which must not begin so late that it ends behind the matrix.
    """
    start = _data(context, builder, kind, *place)
    single = context.get_value_type(kind.dtype)
    n = 1 << (k - 1).bit_length()
    if n > k * w:
        n = k
    rows = []
    for b in range(w):
        first = min(b * k, k * w - n)
        here = builder.bitcast(builder.gep(start, [_integer(first)]), ir.VectorType(single, n).as_pointer())
        row = builder.load(here, align=kind.dtype.bitwidth // 8)
        if n > k:
            lanes = [b * k - first + a for a in range(k)]
            row = builder.shuffle_vector(row, row, ir.Constant(ir.VectorType(ir.IntType(32), k), lanes))
        if kind.dtype != types.float64:
            row = builder.fpext(row, ir.VectorType(ir.DoubleType(), k))
        rows.append(row)
    return rows


def _data(context, builder, kind, array, place):
    """Where an element of an array is."""
    return builder.gep(context.make_array(kind)(context, builder, array).data, [place])


def _integer(value):
    return ir.IntType(64)(value)


def _spread(builder, number, n):
    """A vector of n times one number."""
    kind = ir.VectorType(ir.DoubleType(), n)
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), number, ir.IntType(32)(0))
    return builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(ir.IntType(32), n), [0] * n))
