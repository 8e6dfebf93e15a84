"""Matrices that users give: completed from a triangle, checked, inverted, refused with the level."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from breedeval.errors import DataError, NotPositiveDefiniteError
from breedeval.names import Names
from breedeval.relationship.components import invert_by_components
from breedeval.relationship.given import blended, from_triplets, invert_given, symmetrized

ABC = Names.of(["a", "b", "c"])
K = np.array([[1.2, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 0.8]])


def triplets(matrix, keep):
    row, column = np.nonzero(matrix)
    kept = [keep(i, j) for i, j in zip(row, column, strict=True)]
    row, column = row[kept].astype(np.int64), column[kept].astype(np.int64)
    return row, column, matrix[row, column]


@pytest.mark.parametrize("keep", [lambda i, j: i >= j, lambda i, j: i <= j, lambda i, j: True], ids=["lower", "upper", "both"])
def test_triangles(keep):
    found = from_triplets(ABC, *triplets(K, keep))
    np.testing.assert_array_equal(found.matrix.toarray(), K)


def test_an_element_may_stand_in_either_triangle():
    row, column, value = triplets(K, lambda i, j: i >= j)
    swap = np.array([True, False, True, False])[: len(row)]
    found = from_triplets(ABC, np.where(swap, column, row), np.where(swap, row, column), value)
    np.testing.assert_array_equal(found.matrix.toarray(), K)


@pytest.mark.parametrize(
    ("row", "column", "value", "message"),
    [
        ([0, 1, 1, 0], [0, 0, 1, 0], [1, 0.5, 1, 1], r"1 element more than once.*\(a, a\)"),
        ([0, 1, 1, 0, 2, 2], [0, 0, 1, 1, 2, 0], [1, 0.5, 1, 0.5, 1, 0.2], r"both triangles.*in one only, such as \(a, c\)"),
        ([0, 1, 1, 0, 2], [0, 0, 1, 1, 2], [1, 0.5, 1, 0.4, 1], r"not symmetric: \(a, b\) is 0.4 and \(b, a\) is 0.5"),
    ],
)
def test_triplets_that_contradict(row, column, value, message):
    with pytest.raises(DataError, match=message):
        from_triplets(ABC, np.array(row), np.array(column), np.array(value, dtype=float))


def test_values_that_are_not_finite():
    with pytest.raises(DataError, match="no finite numbers"):
        symmetrized(ABC, np.where(K == 0.5, np.nan, K))


@pytest.mark.parametrize("kind", [np.asarray, csr_array], ids=["dense", "sparse"])
def test_inverse_by_components(kind):
    rng = np.random.default_rng(4)
    blocks = [rng.normal(size=(size, size + 2)) for size in (1, 3, 5, 1)]
    n = 10
    matrix, first = np.zeros((n, n)), 0
    for block in blocks:
        part = slice(first, first + len(block))
        matrix[part, part] = block @ block.T
        first += len(block)
    order = rng.permutation(n)
    matrix = matrix[np.ix_(order, order)]
    inverse, log_determinant = invert_by_components(kind(matrix), Names.of(map(str, range(n))))
    inverse = inverse if isinstance(inverse, np.ndarray) else inverse.toarray()
    np.testing.assert_allclose(inverse, np.linalg.inv(matrix), rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(inverse, inverse.T)
    assert log_determinant == pytest.approx(np.linalg.slogdet(matrix)[1])


@pytest.mark.parametrize("kind", [np.asarray, csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize(
    ("matrix", "texts"),
    [
        ([[1, 0.9, 0], [0.9, 1, 0.9], [0, 0.9, 1]], ["not positive definite", "level 'c'", "smallest eigenvalue is -0.273"]),
        ([[1, 0.2, 0.2], [0.2, 1, 1], [0.2, 1, 1]], ["singular", "level 'c', which is the same as 'b'", "one name or blend"]),
        ([[1, 0, 0], [0, 0, 0], [0, 0, 1]], ["diagonal of level 'b' is 0", "must be positive"]),
    ],
)
def test_what_has_no_inverse_is_refused_by_level(kind, matrix, texts):
    with pytest.raises(NotPositiveDefiniteError) as caught:
        invert_by_components(kind(np.array(matrix, dtype=float)), ABC, " or blend")
    for text in texts:
        assert text in str(caught.value)


def test_blending_shrinks_relationships_between_levels():
    clones = np.array([[1.5, 1.5], [1.5, 1.5]])
    for matrix in (clones, csr_array(clones)):
        found = blended(matrix, 0.02)
        found = found if isinstance(found, np.ndarray) else found.toarray()
        np.testing.assert_allclose(found, [[1.5, 1.47], [1.47, 1.5]])
    given = symmetrized(Names.of(["a", "b"]), clones)
    inverse, own, _ = invert_given(given, 0.02, "")
    np.testing.assert_allclose(inverse @ np.array([[1.5, 1.47], [1.47, 1.5]]), np.eye(2), atol=1e-10)
    assert own.tolist() == [1.5, 1.5]
