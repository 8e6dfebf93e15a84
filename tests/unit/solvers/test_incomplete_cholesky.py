"""The incomplete factor: equal to its slow twin, exact where nothing is dropped, and a good preconditioner."""

from __future__ import annotations

import numba
import numpy as np
import pandas as pd
import pytest

from breedeval.equations import elimination
from breedeval.equations.triangle import assemble_lower_triangle
from breedeval.evaluation import preconditioning
from breedeval.kernels.incomplete_alike import LONGEST_TAIL, SLOTS
from breedeval.lower_triangle import LowerTriangle
from breedeval.solvers import factor_storage
from breedeval.solvers import incomplete_cholesky as incomplete_cholesky_solver
from breedeval.solvers.incomplete_cholesky import TOLERANCE, IncompleteCholesky, _owners
from breedeval.solvers.preconditioners import BlockPreconditioner
from tests.factories import make_pedigree
from tests.random_models import one_trait_model
from tests.reference.incomplete_cholesky import incomplete_cholesky
from tests.several_trait_models import MODELS, several_trait_model
from tests.small_models import make_model
from tests.triangles import node_equations, node_pattern, to_dense

CASES = [*MODELS, *range(8)]


def model_of(case):
    return (one_trait_model(case) if isinstance(case, int) else several_trait_model(case)).model


def triangle_width(case) -> int:
    """Equations a node, if all are alike."""
    return IncompleteCholesky.of(assemble_lower_triangle(model_of(case).equations)).width


def as_matrix(preconditioner, n: int) -> np.ndarray:
    return np.array([preconditioner.apply(column, np.empty(n)) for column in np.eye(n)])


@pytest.mark.parametrize("exact_part", [True, False], ids=["exact part", "all incomplete"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: getattr(case, "__name__", str(case)))
def test_factor_is_that_of_the_slow_twin(case, exact_part, monkeypatch):
    if not exact_part:
        monkeypatch.setattr(elimination, "MOST_DENSE", 0)
    triangle = assemble_lower_triangle(model_of(case).equations, np.float64)
    zero = TOLERANCE[np.dtype(np.float64)][1]
    c, nodes, pattern = to_dense(triangle), node_equations(triangle), node_pattern(triangle)
    informed = np.flatnonzero(np.diag(c) > 0)
    wanted = incomplete_cholesky(c, nodes, pattern, triangle.n_sparse, zero)[np.ix_(informed, informed)]
    found = as_matrix(IncompleteCholesky.of(triangle), len(c))[np.ix_(informed, informed)]
    np.testing.assert_allclose(found @ wanted, np.eye(len(informed)), atol=1e-7)


def one_known_parent(formulas: dict[str, str], variances: dict[str, object]):
    """Animals with at most one parent known, each with records and so linked to every fixed effect already."""
    rng = np.random.default_rng(3)
    rows = [(f"a{i}", None if i == 0 else f"a{rng.integers(0, i)}", None) for i in range(40)]
    ids = [f"a{i}" for i in [*range(40), *rng.integers(0, 40, 50)]]
    frame = pd.DataFrame({"id": ids, "y": rng.normal(size=90), "x": rng.normal(size=90), "t": rng.normal(size=90)})
    return make_model(frame, formulas, variances, make_pedigree(rows), covariates=["x"])


TWO_TRAITS = {"genetic": [[1.0, 0.3], [0.3, 2.0]], "residual": [[2.0, 0.5], [0.5, 1.0]]}
REPEATABILITY = {"genetic": 1.0, "permanent": 0.5, "residual": 2.0}
NO_FILL = {
    "repeatability": lambda: one_known_parent({"y": "1 + genetic(id) + permanent(id)"}, REPEATABILITY),
    "two traits alike": lambda: one_known_parent({"y": "1 + genetic(id)", "t": "1 + genetic(id)"}, TWO_TRAITS),
    "two traits": lambda: one_known_parent({"y": "x + genetic(id)", "t": "1 + genetic(id)"}, TWO_TRAITS),
}


@pytest.mark.parametrize("make", NO_FILL.values(), ids=NO_FILL.keys())
def test_factor_is_exact_where_elimination_makes_no_fill(make):
    model = make()
    factor = IncompleteCholesky.of(assemble_lower_triangle(model.equations, np.float64))
    matrix = model.equations.to_csr().toarray()
    np.testing.assert_allclose(as_matrix(factor, len(matrix)) @ matrix, np.eye(len(matrix)), atol=1e-10)
    together = factor.apply(matrix, np.empty_like(matrix))
    np.testing.assert_allclose(together, np.eye(len(matrix)), atol=1e-10)


def test_width_of_nodes_that_are_alike_is_seen():
    widths = [IncompleteCholesky.of(assemble_lower_triangle(make().equations)).width for make in NO_FILL.values()]
    assert widths == [1, 2, 0]


@pytest.mark.parametrize("case", CASES, ids=lambda case: getattr(case, "__name__", str(case)))
def test_iteration_ends_at_the_direct_solution(case):
    model = model_of(case)
    found, wanted = model.solve_pcg("incomplete_cholesky"), model.solve_direct("supernodal")
    assert found.status.is_good, found.sentence()
    n_fixed = sum(block.n_equations for block in model.design.layout.fixed)
    np.testing.assert_allclose(found.solution[n_fixed:], wanted.solution[n_fixed:], atol=1e-8)
    np.testing.assert_allclose(model.constrained(found.solution), wanted.solution, atol=1e-6)
    assert found.rounds <= model.solve_pcg("diagonal").rounds


def triangle_of(matrix: np.ndarray, fixed: bool = False) -> LowerTriangle:
    """A full matrix as nodes of one equation."""
    n = len(matrix)
    below = [matrix[p + 1 :, p] for p in range(n)]
    pointer = np.concatenate([[0], np.cumsum([len(b) for b in below])]).astype(np.int64)
    row = np.concatenate([np.arange(p + 1, n) for p in range(n)]).astype(np.int32)
    segments, equation = np.array([[0, n, 1, 0, fixed]], dtype=np.int64), np.arange(n, dtype=np.int32)
    return LowerTriangle(segments, equation, pointer, row, pointer, np.concatenate(below), np.diag(matrix).copy(), n)


def test_complete_pattern_gives_the_inverse():
    matrix = np.array([[4.0, 1.0, -2.0], [1.0, 3.0, 0.5], [-2.0, 0.5, 5.0]])
    np.testing.assert_allclose(as_matrix(IncompleteCholesky.of(triangle_of(matrix)), 3), np.linalg.inv(matrix), rtol=1e-13)


def test_many_last_nodes_get_an_exact_factor():
    n, n_last = 30, 90  # columns whose elements with the last nodes are few, some, and more than are gone through one by one
    rng = np.random.default_rng(1)
    matrix = np.zeros((n + n_last, n + n_last))
    matrix[n:, n:] = rng.normal(size=(n_last, n_last))
    matrix[n:, :n] = rng.normal(size=(n_last, n)) * (rng.random((n_last, n)) < rng.choice([0.05, 0.5, 0.95], n))
    matrix[np.arange(1, n), np.arange(n - 1)] = 0.3  # a chain: no fill but among the last nodes
    matrix[n:, 1:n] += matrix[n:, : n - 1] != 0  # which all columns of the chain must have, once one has it
    matrix[n:, :n] = np.where(np.cumsum(matrix[n:, :n] != 0, axis=1) > 0, matrix[n:, :n] + 0.01, 0.0)
    matrix = np.tril(matrix, -1) + np.tril(matrix, -1).T
    matrix += np.diag(np.abs(matrix).sum(axis=1) + 1.0)
    below = [np.flatnonzero(matrix[p + 1 :, p]) + p + 1 for p in range(len(matrix))]
    pointer = np.concatenate([[0], np.cumsum([len(rows) for rows in below])]).astype(np.int64)
    value = np.concatenate([matrix[rows, p] for p, rows in enumerate(below)])
    segments = np.array([[0, n, 1, 0, 0], [n, len(matrix), 1, n, 0]], dtype=np.int64)
    equation, row = np.arange(len(matrix), dtype=np.int32), np.concatenate(below).astype(np.int32)
    lengths = np.diff(pointer)[:n]
    assert lengths.min() < 60 < LONGEST_TAIL < lengths.max()
    factor = IncompleteCholesky.of(LowerTriangle(segments, equation, pointer, row, pointer, value, np.diag(matrix).copy(), n))
    np.testing.assert_allclose(as_matrix(factor, len(matrix)), np.linalg.inv(matrix), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("case", [case for case in CASES if triangle_width(case)], ids=str)
def test_factors_made_by_any_number_of_threads_have_the_same_bits(case, monkeypatch):
    monkeypatch.setattr(incomplete_cholesky_solver, "SHORTEST_RUN", 2)
    before, made = numba.get_num_threads(), []
    try:
        for threads in (1, 2):
            numba.set_num_threads(threads)
            made.append(IncompleteCholesky.of(assemble_lower_triangle(model_of(case).equations)))
    finally:
        numba.set_num_threads(before)
    for part in ("inverse", "dense_inverse"):
        np.testing.assert_array_equal(*(getattr(factor, part) for factor in made))
    for one, two in zip(*(factor.factor.columns for factor in made), strict=True):
        np.testing.assert_array_equal(one.value, two.value)


@pytest.mark.parametrize("threads", [1, 2, 3, 8, 64])
def test_every_thread_owns_nodes_but_the_first_that_has_the_last_ones(threads):
    n_owned = np.bincount(_owners(threads), minlength=threads)
    assert len(n_owned) == threads
    assert n_owned[0] <= n_owned[1:].min(initial=SLOTS)
    assert n_owned[1:].min(initial=SLOTS) > 0


def test_failing_pivots_are_counted_and_a_shift_mends_them():
    indefinite = np.array([[1.0, 1.2, 0.0], [1.2, 1.0, 0.1], [0.0, 0.1, 1.0]])
    factor = IncompleteCholesky.of(triangle_of(indefinite))
    assert (factor.n_failed, factor.n_dependent) == (1, 0)
    assert np.linalg.eigvalsh(as_matrix(factor, 3))[0] > 0
    shifted = IncompleteCholesky.of(triangle_of(indefinite), 0.5)
    assert shifted.n_failed == 0
    np.testing.assert_allclose(as_matrix(shifted, 3), np.linalg.inv(indefinite + 0.5 * np.eye(3)), rtol=1e-12)


def test_dependent_fixed_effects_keep_their_diagonal():
    columns = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [1.0, 0.0, 1.0]])
    matrix = np.pad(columns.T @ columns, (0, 1))  # the last equation has no information at all
    factor = IncompleteCholesky.of(triangle_of(matrix, fixed=True))
    assert (factor.n_failed, factor.n_dependent) == (0, 1)
    inverse = as_matrix(factor, 4)
    assert np.linalg.eigvalsh(inverse[:3, :3])[0] > 0
    assert not inverse[3].any()
    b = matrix @ np.array([1.0, 2.0, 3.0, 0.0])
    np.testing.assert_allclose(matrix @ (inverse @ b), b, atol=1e-12)


@pytest.mark.parametrize("case", [*MODELS, 1, 2], ids=lambda case: getattr(case, "__name__", str(case)))
def test_any_number_of_threads_gives_the_same_bits(case, monkeypatch):
    monkeypatch.setattr(factor_storage, "SHORTEST_RUN", 2)
    monkeypatch.setattr(factor_storage, "PIECE", 2)
    monkeypatch.setattr(factor_storage, "FEWEST_NODES", 3)
    factor = IncompleteCholesky.of(assemble_lower_triangle(model_of(case).equations))
    assert any(run.shared for run in factor.factor.runs)
    assert len(factor.factor.pieces) > 3
    r, before, found = np.random.default_rng(1).normal(size=model_of(case).equations.order), numba.get_num_threads(), []
    try:
        for threads in (1, 2):
            numba.set_num_threads(threads)
            found.append(factor.apply(r, np.empty_like(r)))
    finally:
        numba.set_num_threads(before)
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("case", [MODELS[0], 1], ids=lambda case: getattr(case, "__name__", str(case)))
def test_several_columns_have_the_bits_of_any_number_of_threads(case, monkeypatch):
    """Runs that threads share give what all nodes in one piece give, and r'z of each column beside it."""
    equations, before, found = model_of(case).equations, numba.get_num_threads(), []
    whole = IncompleteCholesky.of(assemble_lower_triangle(equations))
    monkeypatch.setattr(factor_storage, "SHORTEST_RUN", 2)
    monkeypatch.setattr(factor_storage, "PIECE", 2)
    monkeypatch.setattr(factor_storage, "FEWEST_NODES", 3)
    factor = IncompleteCholesky.of(assemble_lower_triangle(equations))
    assert any(run.shared for run in factor.factor.runs)
    r = np.random.default_rng(1).normal(size=(equations.order, 6))
    r.flags.writeable = False
    try:
        for threads in (1, 2):
            numba.set_num_threads(threads)
            z = np.full_like(r, np.nan)
            found.append((factor.apply_with_products(r, z), z))
    finally:
        numba.set_num_threads(before)
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)
    products, z = found[0]
    np.testing.assert_allclose(products, (r * z).sum(axis=0), rtol=1e-12)
    np.testing.assert_allclose(z, whole.apply(r, np.empty_like(r)), rtol=1e-12, atol=1e-13 * np.abs(z).max())


@pytest.mark.parametrize("shortest", [1, 3, 6])
def test_nodes_that_threads_share_are_not_linked(shortest, monkeypatch):
    monkeypatch.setattr(factor_storage, "SHORTEST_RUN", shortest)
    triangle = assemble_lower_triangle(model_of(MODELS[0]).equations)
    pattern, n = node_pattern(triangle), triangle.n_sparse
    runs = IncompleteCholesky.of(triangle).factor.runs
    assert [p for run in runs for p in range(run.low, run.high)] == list(range(n))
    assert any(run.shared for run in runs)
    for run in runs:
        if run.shared:
            assert not pattern[run.low : run.high, run.low : run.high].any()
            assert run.high - run.low >= shortest


class Listener:
    def __init__(self) -> None:
        self.said: list[str] = []
        self.warned: list[str] = []

    def say(self, line: str) -> None:
        self.said.append(line)

    def warn(self, line: str) -> None:
        self.warned.append(line)


@pytest.mark.parametrize("failures", [0, 2, 99])
def test_failed_factor_is_tried_again_and_then_given_up(monkeypatch, failures):
    equations, listener = model_of(1).equations, Listener()
    whole, tried = IncompleteCholesky.of, []

    def of(triangle: LowerTriangle, shift: float) -> IncompleteCholesky:
        tried.append(shift)
        if len(tried) <= failures:
            triangle.diagonal[:] *= 0.01
        return whole(triangle, shift)

    monkeypatch.setattr(preconditioning.IncompleteCholesky, "of", of)
    found = preconditioning.build_preconditioner("incomplete_cholesky", equations, np.empty((equations.order, 0)), listener)
    if failures < 4:
        assert isinstance(found, IncompleteCholesky)
        assert tried == list(preconditioning.SHIFTS[: failures + 1])
        assert len(listener.warned) == failures
        assert ("raised by 1.0%" in listener.said[-1]) == (failures == 2)
    else:
        assert isinstance(found, BlockPreconditioner)
        assert "block preconditioner takes its place" in listener.warned[-1]
