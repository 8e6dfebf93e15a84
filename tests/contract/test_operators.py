"""What every symmetric operator must do."""

from __future__ import annotations

import numpy as np
import pytest

from breedeval.operators import KroneckerOperator, SymmetricOperator
from breedeval.relationship.a_inverse import NumeratorInverse
from breedeval.relationship.dominance import dominance_levels
from breedeval.relationship.inbreeding import compute_inbreeding
from breedeval.relationship.numerator import Numerator
from breedeval.relationship.sire_mgs import compute_male_inbreeding, male_inverse, male_pedigree
from breedeval.relationship.stored_inverse import StoredInverse
from breedeval.relationship.subset_inverse import SubsetInverse
from tests.factories import make_pedigree, with_groups

ROWS = [
    ("a", None, None),
    ("b", None, None),
    ("c", "a", "b"),
    ("d", "c", "c"),
    ("e", "c", None),
    ("f", None, "a"),
    ("g", "f", "d"),
    ("h", "d", "f"),
]


def plain(kind):
    pedigree = make_pedigree(ROWS)
    return kind(pedigree, compute_inbreeding(pedigree))


def grouped(kind):
    pedigree = make_pedigree(ROWS)
    n = len(pedigree)
    sire, dam = (np.where(parent == -1, n + j, parent) for j, parent in enumerate((pedigree.sire, pedigree.dam)))
    pedigree = with_groups(pedigree, sire, dam, ["g1", "g2"])
    return kind(pedigree, compute_inbreeding(pedigree))


def of_subset(pedigree, inbreeding):
    # Parents, a mate and a grandparent are among the animals left out, in no order.
    return SubsetInverse(pedigree, inbreeding, [6, 3, 7, 5])


def of_males(pedigree, inbreeding):
    males = male_pedigree(pedigree)
    return male_inverse(males, compute_male_inbreeding(males))


OPERATORS = {
    "A⁻¹": lambda: plain(NumeratorInverse),
    "A⁻¹ with groups": lambda: grouped(NumeratorInverse),
    "A": lambda: plain(Numerator),
    "A, groups as unknown": lambda: grouped(Numerator),
    "A₂₂⁻¹": lambda: plain(of_subset),
    "A₂₂⁻¹, groups as unknown": lambda: grouped(of_subset),
    "D⁻¹": lambda: plain(lambda *parts: dominance_levels(*parts).inverse),
    "sires and maternal grandsires": lambda: plain(of_males),
    "stored, dense": lambda: StoredInverse(np.array([[2.0, -1.0, 0.5], [-1.0, 3.0, 0.0], [0.5, 0.0, 1.0]])),
}


@pytest.fixture(params=OPERATORS.values(), ids=OPERATORS.keys())
def operator(request):
    return request.param()


@pytest.fixture
def x(operator):
    return np.random.default_rng(1).normal(size=(operator.order, 3))


def test_is_a_symmetric_operator(operator):
    assert isinstance(operator, SymmetricOperator)


def test_linear(operator, x):
    combined = operator.multiply(2.0 * x[:, 0] - 3.0 * x[:, 1])
    np.testing.assert_allclose(combined, 2.0 * operator.multiply(x[:, 0]) - 3.0 * operator.multiply(x[:, 1]), atol=1e-12)


def test_symmetric(operator, x):
    np.testing.assert_allclose(x.T @ operator.multiply(x), operator.multiply(x).T @ x, atol=1e-12)
    matrix = operator.to_csr().toarray()
    np.testing.assert_array_equal(matrix, matrix.T)


def test_equals_its_matrix_and_diagonal(operator, x):
    matrix = operator.to_csr().toarray()
    np.testing.assert_allclose(operator.multiply(x), matrix @ x, atol=1e-12)
    np.testing.assert_allclose(operator.diagonal(), np.diag(matrix), atol=1e-14)


def test_leaves_x_alone(operator, x):
    before = x.copy()
    x.flags.writeable = False
    operator.multiply(x)
    np.testing.assert_array_equal(x, before)


def test_writes_to_out_and_returns_it(operator, x):
    out = np.full_like(x, np.nan)
    assert operator.multiply(x, out) is out
    np.testing.assert_array_equal(out, operator.multiply(x))
    column = np.full(operator.order, np.nan)
    assert operator.multiply(x[:, 0], column) is column
    np.testing.assert_array_equal(column, operator.multiply(x[:, 0]))


def test_columns_are_as_one_by_one(operator, x):
    together = operator.multiply(x)
    assert together.shape == x.shape
    for j in range(x.shape[1]):
        np.testing.assert_allclose(together[:, j], operator.multiply(np.ascontiguousarray(x[:, j])), rtol=1e-14, atol=1e-15)


def test_any_memory_layout_of_x(operator, x):
    np.testing.assert_array_equal(operator.multiply(np.asfortranarray(x)), operator.multiply(x))


def test_wrong_shapes_are_refused(operator, x):
    with pytest.raises(ValueError, match="x has shape"):
        operator.multiply(x[1:])
    with pytest.raises(ValueError, match="out has shape"):
        operator.multiply(x, np.empty(operator.order))
    with pytest.raises(ValueError, match="shares memory"):
        operator.multiply(x, x)


@pytest.mark.parametrize("n_columns", [1, 4])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_times_a_matrix_beside_it(operator, k, n_columns):
    """(K ⊗ S) x for vectors side by side, by one thread and by the loops for many threads."""
    if not isinstance(operator, KroneckerOperator):
        pytest.skip("goes through its own product")
    rng = np.random.default_rng(k)
    root = rng.normal(size=(k, k))
    matrix, x = root @ root.T, rng.normal(size=(operator.order * k, n_columns))
    flat = x.reshape(operator.order, -1)
    out = np.full_like(flat, np.nan)
    operator.multiply_kronecker(flat, matrix, out)
    wanted = np.kron(operator.to_csr().toarray(), matrix) @ x
    np.testing.assert_allclose(out.reshape(x.shape), wanted, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(operator.multiply_shared(flat, matrix), out)
