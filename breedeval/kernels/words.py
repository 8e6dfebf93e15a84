"""Bytes of a text eight at a time, as one unsigned number (the first byte is the lowest).

A byte of a word is tested by arithmetic on all eight at once (Warren, Hacker's Delight, 2nd edition, section 6-1: find first
0-byte). Memory is read by address (``array.ctypes.data``): a compiled function that takes an array and is called in a hot loop
costs more by the counting of references than by its work. Who computes an address holds the array, and stays inside it.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from breedeval.kernels.compile import compiled

ONES = np.uint64(0x0101010101010101)
HIGHS = np.uint64(0x8080808080808080)
LOWS = np.uint64(0x7F7F7F7F7F7F7F7F)
_PLACES = np.uint64(0x0001020304050607)
_EIGHT = np.uint64(8)
_LINE_FEEDS = np.uint64(0x0A0A0A0A0A0A0A0A)
_QUOTES = np.uint64(0x2222222222222222)
_ROUND = 255


@intrinsic
def load_word(context, address):
    """Eight bytes of memory from address on, as a word."""

    def generate(target, builder, signature, arguments):
        place = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.load(place, align=1)

    return types.uint64(types.uint64), generate


@intrinsic
def load_byte(context, address):
    """One byte of memory."""

    def generate(target, builder, signature, arguments):
        return builder.load(builder.inttoptr(arguments[0], ir.IntType(8).as_pointer()))

    return types.uint8(types.uint64), generate


@intrinsic
def store_word(context, address, word):
    """Write eight bytes to memory."""

    def generate(target, builder, signature, arguments):
        builder.store(arguments[1], builder.inttoptr(arguments[0], ir.IntType(64).as_pointer()), align=1)
        return target.get_dummy_value()

    return types.void(types.uint64, types.uint64), generate


@intrinsic
def store_byte(context, address, byte):
    """Write one byte to memory."""

    def generate(target, builder, signature, arguments):
        builder.store(arguments[1], builder.inttoptr(arguments[0], ir.IntType(8).as_pointer()))
        return target.get_dummy_value()

    return types.void(types.uint64, types.uint8), generate


@intrinsic
def equal_bytes(context, address, one, other):
    """Which of 64 bytes of memory are one of two bytes, as 64 bits; that of the first byte is the lowest."""

    def generate(target, builder, signature, arguments):
        kind = ir.VectorType(ir.IntType(8), 64)
        text = builder.load(builder.inttoptr(arguments[0], kind.as_pointer()), align=1)
        everywhere = ir.Constant(ir.VectorType(ir.IntType(32), 64), [0] * 64)
        equal = []
        for byte in arguments[1:]:
            first = builder.insert_element(ir.Constant(kind, ir.Undefined), byte, ir.IntType(32)(0))
            equal.append(builder.icmp_unsigned("==", text, builder.shuffle_vector(first, first, everywhere)))
        return builder.bitcast(builder.or_(*equal), ir.IntType(64))

    return types.uint64(types.uint64, types.uint8, types.uint8), generate


@intrinsic
def lowest_bit(context, bits):
    """Place (0 to 63) of the lowest bit that is set, of which there is one at least."""

    def generate(target, builder, signature, arguments):
        return builder.cttz(arguments[0], ir.IntType(1)(1))

    return types.int64(types.uint64), generate


@intrinsic
def prefetch(context, address):
    """Ask for the memory at address before it is needed; any address is allowed."""

    def generate(target, builder, signature, arguments):
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        function = builder.module.declare_intrinsic("llvm.prefetch", [pointer], kind)
        # To read, to be kept in all caches, data.
        builder.call(function, [builder.inttoptr(arguments[0], pointer), number(0), number(3), number(1)])
        return target.get_dummy_value()

    return types.void(types.uint64), generate


@intrinsic
def count_bits(context, word):
    """Number of bits that are set."""

    def generate(target, builder, signature, arguments):
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


@compiled
def load_short(address, length, end):
    """Fewer than eight bytes (and one at least) as a word, zeros behind them; memory ends at `end`."""
    if address + _EIGHT <= end:
        return load_word(address) & ((np.uint64(1) << (_EIGHT * np.uint64(length))) - np.uint64(1))
    word = np.uint64(0)
    for j in range(length - 1, -1, -1):
        word = (word << _EIGHT) | np.uint64(load_byte(address + np.uint64(j)))
    return word


@compiled
def zero_bytes(word):
    """High bit of the lowest byte of word that is zero (bits above it mean nothing); 0 if none is."""
    return (word - ONES) & ~word & HIGHS


@compiled
def lowest_byte(marks):
    """Place (0 to 7) of the lowest byte whose high bit is set."""
    lowest = marks & (~marks + np.uint64(1))
    return np.int64(((lowest >> np.uint64(7)) * _PLACES) >> np.uint64(56))


@compiled
def survey(words):
    """What a text (k,) uint64 holds: (line feeds, whether there is a NUL, a byte beyond ASCII, a quote)."""
    n_line_feeds = np.uint64(0)
    nul, high, quote = np.uint64(0), np.uint64(0), np.uint64(0)
    for first in range(0, words.shape[0], _ROUND):
        counts = np.uint64(0)  # eight counters of a byte each, which 255 words cannot overflow
        for k in range(first, min(first + _ROUND, words.shape[0])):
            word = words[k]
            t = word ^ _LINE_FEEDS
            counts += (~(((t & LOWS) + LOWS) | t | LOWS)) >> np.uint64(7)
            nul |= (word - ONES) & ~word & HIGHS
            high |= word & HIGHS
            t = word ^ _QUOTES
            quote |= (t - ONES) & ~t & HIGHS
        # Bytes pairwise into 16 bits, then summed by one multiplication.
        pairs = (counts & np.uint64(0x00FF00FF00FF00FF)) + ((counts >> _EIGHT) & np.uint64(0x00FF00FF00FF00FF))
        n_line_feeds += (pairs * np.uint64(0x0001000100010001)) >> np.uint64(48)
    return np.int64(n_line_feeds), nul != 0, high != 0, quote != 0
