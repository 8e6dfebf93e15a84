"""The supernodal engine against dense algebra."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import block_diag
from scipy.sparse import csc_array, tril, triu

from breedeval.errors import NotPositiveDefiniteError
from breedeval.solvers import blas_threads, supernodal_structure
from breedeval.solvers.factorization import analyze, factorize
from breedeval.solvers.supernodal import SupernodalAnalysis
from tests.random_models import one_trait_model
from tests.reference.elimination import first_bad_row

rng_of = np.random.default_rng


def sparse_positive(n, density, seed):
    rng = rng_of(seed)
    a = np.where(rng.random((n, n)) < density, rng.normal(size=(n, n)), 0.0)
    return a @ a.T + np.diag(rng.uniform(0.5, 2, n))


def check(a, order, matrix=None):
    """Everything a factorization gives, against the dense matrix a; matrix: a as it is stored."""
    n = len(a)
    matrix = csc_array(a) if matrix is None else matrix
    analysis = SupernodalAnalysis.of(matrix, np.asarray(order, dtype=np.int64))
    factor = analysis.factorize(matrix.data)
    inverse = np.linalg.inv(a)
    tolerance = {"rtol": 1e-10, "atol": 1e-10 * np.abs(inverse).max(initial=0.0)}
    b = rng_of(n).normal(size=(n, 70))
    np.testing.assert_allclose(factor.solve(b), inverse @ b, rtol=1e-8, atol=1e-9 * np.abs(inverse).max(initial=0.0))
    np.testing.assert_allclose(factor.solve(b[:, 3]), factor.solve(b)[:, 3], rtol=1e-9, atol=1e-10)
    assert factor.log_determinant() == pytest.approx(np.linalg.slogdet(a)[1], rel=1e-11, abs=1e-10)
    column = np.repeat(np.arange(n), np.diff(matrix.indptr))
    np.testing.assert_allclose(factor.selected_inverse(), inverse[matrix.indices, column], **tolerance)
    np.testing.assert_allclose(factor.inverse_diagonal(), np.diag(inverse), **tolerance)
    first, second = rng_of(n).integers(0, n, (2, 3 * n)) if n else np.empty((2, 0), dtype=int)
    found = factor.inverse_on_pattern().elements(first, second)
    np.testing.assert_allclose(found[~np.isnan(found)], inverse[first, second][~np.isnan(found)], **tolerance)
    assert not np.any(np.isnan(found) & (a[first, second] != 0))
    lower = factor.lower_factor()
    unit = csc_array((lower.lower, lower.row, lower.pointer), shape=a.shape).toarray() + np.eye(n)
    assert np.all(np.triu(unit, 1) == 0)
    p = lower.permutation
    np.testing.assert_allclose((unit * lower.pivot) @ unit.T, a[np.ix_(p, p)], atol=1e-11 * np.abs(a).max(initial=1.0))
    return factor


@pytest.mark.parametrize("seed", range(24))
def test_random_matrices(seed):
    n = [3, 10, 40, 120, 250, 500][seed % 6]
    a = sparse_positive(n, [0.003, 0.01, 0.03, 0.2][seed // 6], seed)
    check(a, rng_of(seed).permutation(n))


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 14), st.floats(0, 0.4), st.integers(0, 2**32 - 1))
def test_small_matrices_of_any_pattern(n, density, seed):
    check(sparse_positive(n, density, seed), rng_of(seed).permutation(n))


@pytest.mark.parametrize("widest", [1, 2, 5])
@pytest.mark.parametrize("seed", range(4))
def test_supernodes_cut_into_panels(monkeypatch, widest, seed):
    monkeypatch.setattr(supernodal_structure, "WIDEST", widest)
    a = sparse_positive(150, 0.01 + 0.02 * seed, seed)
    assert check(a, rng_of(seed).permutation(150)).structure.widest <= widest


@pytest.mark.parametrize("zeros", [(0.0, 0.0, 0.0), (1.0, 1.0, 1.0)])
def test_merging_changes_nothing(monkeypatch, zeros):
    monkeypatch.setattr(supernodal_structure, "ZEROS", zeros)
    check(sparse_positive(200, 0.01, 3), rng_of(3).permutation(200))


def shapes():
    """Matrices of special shape, by name."""
    arrow = 10.0 * np.eye(60)
    arrow[0] = arrow[:, 0] = 1.0
    arrow[0, 0] = 100.0
    chain = 2.5 * np.eye(70) - np.eye(70, k=1) - np.eye(70, k=-1)
    dense = sparse_positive(600, 0.5, 1)
    yield "one", np.array([[4.0]])
    yield "none", np.empty((0, 0))
    yield "diagonal", np.diag(np.arange(1.0, 40.0))
    yield "dense", dense
    yield "arrow", arrow
    yield "chain", chain
    yield "disconnected", block_diag(arrow, np.array([[3.0]]), chain, sparse_positive(30, 0.3, 2), np.diag([1.0, 2.0]))


@pytest.mark.parametrize("name", [name for name, _ in shapes()])
@pytest.mark.parametrize("reverse", [False, True])
def test_special_shapes(name, reverse):
    a = dict(shapes())[name]
    check(a, np.arange(len(a))[:: -1 if reverse else 1])


@pytest.mark.parametrize("seed", range(20))
def test_mixed_model_equations(seed):
    model = one_trait_model(seed).model
    check(model.matrix.toarray(), model.order, model.matrix)


@pytest.mark.parametrize("part", [tril, triu])
def test_either_triangle_is_enough(part):
    a = sparse_positive(80, 0.03, 8)
    check(a, rng_of(8).permutation(80), csc_array(part(csc_array(a), format="csc")))


def test_rows_in_any_order_and_elements_in_parts():
    a = sparse_positive(50, 0.05, 4)
    matrix = csc_array(a)
    rng = rng_of(4)
    shuffled = np.concatenate([b + rng.permutation(e - b) for b, e in zip(matrix.indptr, matrix.indptr[1:], strict=False)])
    rows, values = np.repeat(matrix.indices[shuffled], 2), np.repeat(matrix.data[shuffled], 2)
    values[::2] *= 0.25
    values[1::2] *= 0.75
    check(a, rng.permutation(50), csc_array((values, rows, 2 * matrix.indptr), shape=a.shape))


def test_new_values_leave_the_earlier_factor_alone():
    a = csc_array(sparse_positive(90, 0.03, 6))
    analysis = analyze(a)
    first = analysis.factorize(a.data)
    before = first.solve(np.ones(90))
    second = analysis.factorize(2.0 * a.data)
    second.selected_inverse()
    first.selected_inverse()
    np.testing.assert_array_equal(first.solve(np.ones(90)), before)
    np.testing.assert_allclose(second.solve(np.ones(90)), before / 2.0, rtol=1e-12)


@pytest.mark.parametrize("bad", [0, 17, 149])
@pytest.mark.parametrize("value", [-5.0, 0.0, np.nan])
@pytest.mark.parametrize("density", [0.002, 0.02, 0.4])
def test_failing_pivot_is_named(bad, value, density):
    a = sparse_positive(150, density, 11)
    a[bad, bad] = value
    analysis = SupernodalAnalysis.of(csc_array(np.where(np.isnan(a), 1.0, a) + 300 * np.eye(150)), rng_of(1).permutation(150))
    matrix = csc_array(np.where(np.eye(150) == 1, 0.5, 0.0) + np.where(np.isnan(a), 1.0, a))  # the pattern with its diagonal
    values = a[matrix.indices, np.repeat(np.arange(150), np.diff(matrix.indptr))]
    with pytest.raises(NotPositiveDefiniteError, match="pivot") as error:
        analysis.factorize(values)
    assert error.value.facts["row"] == first_bad_row(a, analysis.structure.permutation)


def test_a_diagonal_that_is_not_stored_is_zero():
    with pytest.raises(NotPositiveDefiniteError) as error:
        factorize(csc_array(np.array([[1.0, 0.5, 0.0], [0.5, 0.0, 0.0], [0.0, 0.0, 1.0]])), np.arange(3))
    assert error.value.facts["row"] == 1


def test_threads_of_blas_are_given_back_and_change_no_bit():
    switch = blas_threads._switch()
    if switch is None:
        pytest.skip("the BLAS of this scipy has no switch")
    set_threads, get_threads = switch
    before = get_threads()
    try:
        set_threads(2)
        with pytest.raises(NotPositiveDefiniteError):
            factorize(csc_array(-np.eye(3)))
        assert get_threads() == 2
        matrix = csc_array(sparse_positive(700, 0.1, 1))
        found = []
        for threads in (1, 2):
            set_threads(threads)
            factor = factorize(matrix)
            found.append(np.concatenate([factor.values, factor.solve(np.ones(700)), factor.selected_inverse()]))
        np.testing.assert_array_equal(*found)
        with blas_threads.one_blas_thread():
            assert get_threads() == 1
    finally:
        set_threads(before)
