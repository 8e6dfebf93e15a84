"""The one door to sparse factorization: analyze a pattern once, then factorize it with as many sets of values as wanted."""

from __future__ import annotations

from typing import Literal

from scipy.sparse import csc_array

from breedeval.arrays import Int64
from breedeval.solvers.cholmod import CholmodAnalysis
from breedeval.solvers.elimination_order import minimum_degree_order
from breedeval.solvers.factor import Analysis, Factorization
from breedeval.solvers.supernodal import SupernodalAnalysis

Engine = Literal["auto", "supernodal", "cholmod"]


def analyze(matrix: csc_array, order: Int64 | None = None, engine: Engine = "auto") -> Analysis:
    """Analyze the pattern of a symmetric matrix, for factorizations with several sets of values.

    Parameters
    ----------
    matrix
        (n, n), both triangles; its values are not looked at.
    order
        (n,) elimination order, best from `breedeval.solvers.elimination_order.better_order`; by default minimum degree.
    engine
        ``auto`` and ``supernodal``: that of the plain install; ``cholmod``: CHOLMOD, which has to be installed.

    Raises
    ------
    MissingExtraError
        If CHOLMOD is wanted and not installed.

    Examples
    --------
    >>> matrix = csc_array([[4.0, 2.0], [2.0, 3.0]])
    >>> factor = analyze(matrix).factorize(matrix.data)
    >>> factor.solve(matrix @ [1.0, 2.0]).round(12).tolist()
    [1.0, 2.0]
    >>> factor.selected_inverse().round(12).tolist()
    [0.375, -0.25, -0.25, 0.5]
    """
    if order is None:
        order = minimum_degree_order(matrix)
    return CholmodAnalysis(matrix, order) if engine == "cholmod" else SupernodalAnalysis.of(matrix, order)


def factorize(matrix: csc_array, order: Int64 | None = None, engine: Engine = "auto") -> Factorization:
    """Factorize a symmetric positive definite matrix (n, n), both triangles, in one go.

    Parameters
    ----------
    matrix, order, engine
        As of :func:`analyze`.

    Raises
    ------
    NotPositiveDefiniteError
        If a pivot is not positive. Fact ``row``: the row of the matrix.
    """
    return analyze(matrix, order, engine).factorize(matrix.data)
