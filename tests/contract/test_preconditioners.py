"""What the operator of the equations and every preconditioner must do."""

from __future__ import annotations

import numpy as np
import pytest

from breedeval.equations.triangle import assemble_lower_triangle
from breedeval.operators import Preconditioner, SymmetricOperator
from breedeval.solvers.coarse_space import CoarseSpace
from breedeval.solvers.incomplete_cholesky import IncompleteCholesky
from breedeval.solvers.preconditioners import (
    BalancedPreconditioner,
    BlockPreconditioner,
    CorrectedPreconditioner,
    DiagonalPreconditioner,
)
from tests.random_models import one_trait_model, pair, random_frame, random_rows

ANIMAL, DAM = ("genetic", "id", None, None), ("genetic", "dam", None, None)


def two_columns():
    """Direct and maternal effects; some animals are their own dam, so that two terms meet in one level."""
    rng = np.random.default_rng(1)
    rows = random_rows(rng, 20)
    frame = random_frame(rng, rows, 60, ["y"])
    frame["dam"] = np.where(np.arange(60) % 6 == 0, frame["id"], frame["dam"])
    model = {"y": {"fixed": [([], []), (["herd"], []), (["sex"], [])], "random": [ANIMAL, DAM]}}
    return pair(rows, frame, model, {"genetic": (["y:id", "y:dam"], [[2.0, -1.3], [-1.3, 1.0]])}, {"all": [[0.1]]}).model


MODELS = {"one column": lambda: one_trait_model(7).model, "two columns": two_columns}


@pytest.fixture(params=MODELS.values(), ids=MODELS.keys(), scope="module")
def equations(request):
    return request.param().equations


@pytest.fixture(params=["diagonal", "block", "incomplete Cholesky", "corrected", "balanced"])
def preconditioner(request, equations):
    diagonal = DiagonalPreconditioner.of(equations.diagonal())
    if request.param == "diagonal":
        return diagonal
    if request.param == "block":
        return BlockPreconditioner.of(blocks_of(equations))
    if request.param == "incomplete Cholesky":
        return IncompleteCholesky.of(assemble_lower_triangle(equations))
    vectors = np.random.default_rng(2).normal(size=(equations.order, 3))
    if request.param == "corrected":
        return CorrectedPreconditioner.of(diagonal, equations, vectors)
    return balance(BlockPreconditioner.of(blocks_of(equations)), equations, vectors)


def balance(inner, equations, vectors):
    images = tuple(np.ascontiguousarray(equations.multiply(vectors).T))
    space = CoarseSpace.of(equations.diagonal(), tuple(np.ascontiguousarray(vectors.T)), images)
    return BalancedPreconditioner(inner, space)


def blocks_of(equations):
    return [equations.diagonal_blocks(block) for block in equations.layout.blocks]


def test_preconditioner_is_symmetric_and_positive(equations, preconditioner):
    assert isinstance(preconditioner, Preconditioner)
    columns = [preconditioner.apply(column, np.empty(equations.order)) for column in np.eye(equations.order)]
    matrix = np.array(columns)
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-12 * np.abs(matrix).max())
    assert np.linalg.eigvalsh(matrix)[0] > 0


def test_preconditioner_leaves_r_alone_and_returns_out(equations, preconditioner):
    r = np.random.default_rng(3).normal(size=equations.order)
    before, out = r.copy(), np.full_like(r, np.nan)
    r.flags.writeable = False
    assert preconditioner.apply(r, out) is out
    np.testing.assert_array_equal(r, before)
    assert np.isfinite(out).all()


def test_preconditioner_takes_several_columns(equations, preconditioner):
    r = np.random.default_rng(4).normal(size=(equations.order, 3))
    together = preconditioner.apply(r, np.full_like(r, np.nan))
    for column, alone in zip(together.T, r.T, strict=True):
        expected = preconditioner.apply(np.ascontiguousarray(alone), np.empty(equations.order))
        np.testing.assert_allclose(column, expected, rtol=1e-12, atol=1e-14 * np.abs(expected).max())


def test_equation_without_information_stays_at_zero():
    assert DiagonalPreconditioner.of(np.array([2.0, 0.0])).inverse.tolist() == [0.5, 0.0]
    block = np.array([[[1.0, 1.0], [1.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]])
    inverse = BlockPreconditioner.of([block]).inverses[0]
    np.testing.assert_allclose(inverse[0], np.full((2, 2), 0.25))
    assert not inverse[1].any()


def test_equations_are_a_symmetric_operator(equations):
    assert isinstance(equations, SymmetricOperator)
    x = np.random.default_rng(4).normal(size=(equations.order, 3))
    matrix = equations.to_csr().toarray()
    scale = np.abs(matrix).max()
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-13 * scale)
    np.testing.assert_allclose(equations.multiply(x), matrix @ x, atol=1e-12 * scale)
    np.testing.assert_allclose(equations.multiply(np.asfortranarray(x)), matrix @ x, atol=1e-12 * scale)
    np.testing.assert_allclose(equations.diagonal(), np.diag(matrix), atol=1e-12 * scale)
    assert np.linalg.eigvalsh(matrix)[0] > -1e-10 * scale
    out = np.full(equations.order, np.nan)
    before = x[:, 0].copy()
    assert equations.multiply(before, out) is out
    np.testing.assert_array_equal(before, x[:, 0])


def test_equations_refuse_wrong_shapes(equations):
    x = np.ones(equations.order)
    with pytest.raises(ValueError, match="x has shape"):
        equations.multiply(x[1:])
    with pytest.raises(ValueError, match="out has shape"):
        equations.multiply(x, np.empty(equations.order + 1))
    with pytest.raises(ValueError, match="shares memory"):
        equations.multiply(x, x)


def test_correction_leaves_out_what_the_equations_take_to_nothing(equations):
    """A null vector of C among the vectors must not enter with the inverse of a rounding error."""
    matrix = equations.to_csr().toarray()
    values, vectors = np.linalg.eigh(matrix)
    null = vectors[:, values < 1e-12 * values[-1]]
    assert null.shape[1] > 0
    diagonal = DiagonalPreconditioner.of(equations.diagonal())
    corrected = CorrectedPreconditioner.of(diagonal, equations, null)
    r = equations.multiply(np.random.default_rng(1).normal(size=equations.order))
    np.testing.assert_array_equal(corrected.apply(r, np.empty_like(r)), diagonal.apply(r, np.empty_like(r)))


def test_balancing_moves_no_other_eigenvalue_beyond_the_range():
    """Of M⁻¹C: one for what the vectors span, and all others within those without them, which a plain sum does not keep."""
    equations = one_trait_model(7).model.equations
    inner = BlockPreconditioner.of(blocks_of(equations))
    matrix = equations.to_csr().toarray()
    plain, seen = eigenvalues(inner, matrix), equations.multiply(np.random.default_rng(5).normal(size=(equations.order, 2)))
    balanced = balance(inner, equations, seen)
    found = eigenvalues(balanced, matrix)
    rank = np.linalg.matrix_rank(matrix)
    assert plain[-rank] * (1 - 1e-9) <= found[-rank]
    assert found[-1] <= max(plain[-1], 1.0) * (1 + 1e-9)
    slow = balanced.space.vectors
    through = np.array([balanced.apply(matrix @ v, np.empty_like(v)) for v in slow])
    np.testing.assert_allclose(through, slow, atol=1e-9 * np.abs(slow).max())


def eigenvalues(preconditioner, matrix):
    """Of M⁻¹C, ascending."""
    inverse = np.array([preconditioner.apply(column, np.empty(len(matrix))) for column in np.eye(len(matrix))])
    root = np.linalg.cholesky((inverse + inverse.T) / 2)
    return np.linalg.eigvalsh(root.T @ matrix @ root)
