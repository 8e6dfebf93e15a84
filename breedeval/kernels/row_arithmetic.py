"""Rows of a few numbers side by side, worked on as one vector.

A loop over a known number of elements is unrolled before the compiler looks for vector instructions, and is left as so many
single ones. These functions say at once what is meant. `like` is any tuple of as many numbers as a row has: its length is known
when the code is compiled. Rows are given by an array (C order, any shape) and the place of their first element in it, counted
flat, not negative. A product is rounded before it is added, as in a loop.
"""

from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

#: A line of the cache holds so many numbers.
NUMBERS_A_LINE = 8


@intrinsic
def local_row(_, like):
    """Return an uninitialized row (n,) that the compiler may keep in registers; it must not leave the function that makes it.

    An array made by ``np.empty`` lies where others might be, as far as the compiler can tell: every sum that is kept there is
    written and read again at each step.
    """
    return types.Array(types.float64, 1, "C")(like), _local_array(like.count)


@intrinsic
def local_rows(_, several, like):
    """The same for as many rows as `several`, any tuple, has numbers; one behind the other."""
    return types.Array(types.float64, 1, "C")(several, like), _local_array(several.count * like.count)


@intrinsic
def fill_row(_, like, value, out, o):
    """out[o : o + n] = value."""

    def generate(context, builder, signature, arguments):
        _, number, array, place = arguments
        _store(builder, _splat(builder, number, like.count), _pointer(context, builder, out, array, place, like.count))
        return context.get_dummy_value()

    return types.void(like, types.float64, out, o), generate


@intrinsic
def scale_row(_, like, weight, x, p, out, o):
    """out[o : o + n] = weight * x[p : p + n]."""

    def generate(context, builder, signature, arguments):
        number, here, there = _weight_and_places(context, builder, signature, arguments)
        _store(builder, builder.fmul(number, _load(builder, here)), there)
        return context.get_dummy_value()

    return types.void(like, types.float64, x, p, out, o), generate


@intrinsic
def add_row(_, like, weight, x, p, out, o):
    """out[o : o + n] += weight * x[p : p + n]."""

    def generate(context, builder, signature, arguments):
        number, here, there = _weight_and_places(context, builder, signature, arguments)
        product = builder.fmul(number, _load(builder, here))
        _store(builder, builder.fadd(_load(builder, there), product), there)
        return context.get_dummy_value()

    return types.void(like, types.float64, x, p, out, o), generate


@intrinsic
def add_products(_, like, x, p, y, q, out, o):
    """out[o : o + n] += x[p : p + n] * y[q : q + n], element by element."""

    def generate(context, builder, signature, arguments):
        places = [
            _pointer(context, builder, kind, array, place, like.count)
            for kind, array, place in zip(signature.args[1::2], arguments[1::2], arguments[2::2], strict=True)
        ]
        product = builder.fmul(_load(builder, places[0]), _load(builder, places[1]))
        _store(builder, builder.fadd(_load(builder, places[2]), product), places[2])
        return context.get_dummy_value()

    return types.void(like, x, p, y, q, out, o), generate


@intrinsic
def prefetch_row(_, like, x, p):
    """Ask for x[p : p + n] before it is needed."""

    def generate(context, builder, signature, arguments):
        _, kind, _ = signature.args
        _, array, place = arguments
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        of_function = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        function = builder.module.declare_intrinsic("llvm.prefetch", [pointer], of_function)
        start = builder.gep(context.make_array(kind)(context, builder, array).data, [place])
        for first in range(0, like.count, NUMBERS_A_LINE):
            line = builder.bitcast(builder.gep(start, [ir.IntType(64)(first)]), pointer)
            # To read, to be kept in all caches, data.
            builder.call(function, [line, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(like, x, p), generate


def _local_array(n):
    """What generates an array of n numbers on the stack."""

    def generate(context, builder, signature, arguments):
        size = context.get_constant(types.intp, n)
        with builder.goto_entry_block():
            numbers = builder.alloca(ir.ArrayType(ir.DoubleType(), n))
        numbers.align = 64
        row = context.make_array(signature.return_type)(context, builder)
        populate_array(
            row,
            data=builder.bitcast(numbers, ir.DoubleType().as_pointer()),
            shape=cgutils.pack_array(builder, [size]),
            strides=cgutils.pack_array(builder, [context.get_constant(types.intp, 8)]),
            itemsize=context.get_constant(types.intp, 8),
            meminfo=None,
        )
        return row._getvalue()

    return generate


def _weight_and_places(context, builder, signature, arguments):
    """The weight in every element, and where the rows of x and out begin, of the arguments (like, weight, x, p, out, o)."""
    like, _, x, _, out, _ = signature.args
    _, number, x_array, p, out_array, o = arguments
    return (
        _splat(builder, number, like.count),
        _pointer(context, builder, x, x_array, p, like.count),
        _pointer(context, builder, out, out_array, o, like.count),
    )


def _pointer(context, builder, kind, array, place, n):
    """Where a row of n numbers begins."""
    start = builder.gep(context.make_array(kind)(context, builder, array).data, [place])
    return builder.bitcast(start, ir.VectorType(ir.DoubleType(), n).as_pointer())


def _splat(builder, number, n):
    """A vector of n times one number."""
    kind = ir.VectorType(ir.DoubleType(), n)
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), number, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(ir.IntType(32), n), [0] * n))


def _load(builder, pointer):
    return builder.load(pointer, align=8)


def _store(builder, vector, pointer):
    return builder.store(vector, pointer, align=8)
