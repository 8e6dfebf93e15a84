"""Lines of eight float64 numbers, which fill one line of cache, each handled by one instruction or two.

A line is given by its address, see `breedeval.kernels.words`. Products and sums are rounded one by one, as they are written.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

#: Numbers in a line.
WIDTH = 8
#: A line's address is shifted to the left by this.
LOG_BYTES = np.uint64(6)
_LINE = ir.VectorType(ir.DoubleType(), WIDTH)


def _load(builder, address):
    return builder.load(builder.inttoptr(address, _LINE.as_pointer()), align=8)


def _store(builder, value, address):
    builder.store(value, builder.inttoptr(address, _LINE.as_pointer()), align=8)


def _all(value):
    """Line of constants."""
    return ir.Constant(_LINE, [value] * WIDTH)


def _spread(builder, number):
    """Line of copies of a number."""
    first = builder.insert_element(ir.Constant(_LINE, ir.Undefined), number, ir.IntType(32)(0))
    order = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(first, ir.Constant(_LINE, ir.Undefined), order)


@intrinsic
def put_zeros(context, to):
    """Line of zeros."""

    def generate(target, builder, signature, arguments):
        _store(builder, _all(0.0), arguments[0])
        return target.get_dummy_value()

    return types.void(types.uint64), generate


@intrinsic
def add_half(context, to, source):
    """Add half of a line to another."""

    def generate(target, builder, signature, arguments):
        half = builder.fmul(_all(0.5), _load(builder, arguments[1]))
        _store(builder, builder.fadd(_load(builder, arguments[0]), half), arguments[0])
        return target.get_dummy_value()

    return types.void(types.uint64, types.uint64), generate


@intrinsic
def scale_and_add_mean(context, to, factor, one, other):
    """Multiply a line by a number and add the mean of two others."""

    def generate(target, builder, signature, arguments):
        total = builder.fadd(_load(builder, arguments[2]), _load(builder, arguments[3]))
        own = builder.fmul(_spread(builder, arguments[1]), _load(builder, arguments[0]))
        _store(builder, builder.fadd(own, builder.fmul(_all(0.5), total)), arguments[0])
        return target.get_dummy_value()

    return types.void(types.uint64, types.float64, types.uint64, types.uint64), generate
