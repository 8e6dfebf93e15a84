"""Routines of BLAS and LAPACK (those of scipy) called from compiled loops on parts of arrays, by address.

A routine is called through its address, which a compiled function is handed as a number (`addresses`), so that compiled code
can be kept on disk. Matrices are by columns; an argument that is a place in memory is ``uint64``. Who computes a place holds
the array, and stays inside it.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import get_cython_function_address, intrinsic

from breedeval.kernels.compile import compiled

_ROUTINES = {
    "dgemm": "blas",
    "dgemv": "blas",
    "dsyrk": "blas",
    "dtrsm": "blas",
    "dtrsv": "blas",
    "dpotrf": "lapack",
    "dpotri": "lapack",
}
_GEMM, _GEMV, _SYRK, _TRSM, _TRSV, _POTRF, _POTRI = range(len(_ROUTINES))
_N, _T, _L, _R = np.uint8(ord("N")), np.uint8(ord("T")), np.uint8(ord("L")), np.uint8(ord("R"))
_ONE, _EIGHT = np.int32(1), np.uint64(8)


@cache
def addresses():
    """(k,) uint64 addresses of the routines in this process, as every function here takes them."""
    found = [get_cython_function_address(f"scipy.linalg.cython_{library}", name) for name, library in _ROUTINES.items()]
    return np.array(found, dtype=np.uint64)


@intrinsic
def _call_fortran(context, address, arguments):
    """Call a routine: uint64 is a pointer, any other argument a value whose address Fortran wants."""

    def generate(target, builder, signature, values):
        given = cgutils.unpack_tuple(builder, values[1], len(arguments.types))
        passed = []
        for kind, value in zip(arguments.types, given, strict=True):
            if kind == types.uint64:
                passed.append(builder.inttoptr(value, ir.IntType(8).as_pointer()))
            else:
                passed.append(builder.bitcast(cgutils.alloca_once_value(builder, value), ir.IntType(8).as_pointer()))
        routine = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer()] * len(passed))
        builder.call(builder.inttoptr(values[0], routine.as_pointer()), passed)
        return target.get_dummy_value()

    return types.void(types.uint64, arguments), generate


@compiled
def place_of(array):
    """Address of the first element."""
    return np.uint64(array.ctypes.data)


@compiled
def moved(place, elements):
    """Address so many numbers of eight bytes further on."""
    return place + _EIGHT * np.uint64(elements)


@compiled
def gemm(routines, transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc):
    """C (m, n) := beta C + alpha op(A) op(B), with k the inner extent."""
    ta, tb = _T if transpose_a else _N, _T if transpose_b else _N
    sizes = (np.int32(m), np.int32(n), np.int32(k))
    _call_fortran(
        routines[_GEMM],
        (ta, tb, sizes[0], sizes[1], sizes[2], alpha, a, np.int32(lda), b, np.int32(ldb), beta, c, np.int32(ldc)),
    )


@compiled
def gemv(routines, transpose, m, n, alpha, a, lda, x, beta, y):
    """Y := beta y + alpha op(A) x for A (m, n)."""
    t = _T if transpose else _N
    _call_fortran(routines[_GEMV], (t, np.int32(m), np.int32(n), alpha, a, np.int32(lda), x, _ONE, beta, y, _ONE))


@compiled
def syrk(routines, n, k, alpha, a, lda, beta, c, ldc):
    """Lower triangle of C (n, n) := beta C + alpha A A' for A (n, k)."""
    _call_fortran(routines[_SYRK], (_L, _N, np.int32(n), np.int32(k), alpha, a, np.int32(lda), beta, c, np.int32(ldc)))


@compiled
def trsm(routines, left, transpose, m, n, a, lda, b, ldb):
    """B (m, n) := op(A)⁻¹ B (left) or B op(A)⁻¹, A lower triangular."""
    side, t = _L if left else _R, _T if transpose else _N
    _call_fortran(routines[_TRSM], (side, _L, t, _N, np.int32(m), np.int32(n), 1.0, a, np.int32(lda), b, np.int32(ldb)))


@compiled
def trsv(routines, transpose, n, a, lda, x):
    """X := op(A)⁻¹ x for A (n, n) lower triangular."""
    _call_fortran(routines[_TRSV], (_L, _T if transpose else _N, _N, np.int32(n), a, np.int32(lda), x, _ONE))


@compiled
def potrf(routines, n, a, lda, info):
    """Lower Cholesky factor of A (n, n) in its place; info: place of an int32, 0 or the first pivot (from 1) that failed."""
    _call_fortran(routines[_POTRF], (_L, np.int32(n), a, np.int32(lda), info))


@compiled
def potri(routines, n, a, lda, info):
    """Lower triangle of (L L')⁻¹ in the place of L (n, n)."""
    _call_fortran(routines[_POTRI], (_L, np.int32(n), a, np.int32(lda), info))
