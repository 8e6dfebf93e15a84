"""Groups and metafounders as rows of the inverse relationship matrix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breedeval.errors import VarianceError
from breedeval.names import Names
from breedeval.pedigree.groups import ParentGroups, with_groups
from breedeval.pedigree.pedigree import Pedigree
from breedeval.relationship.a_inverse import NumeratorInverse
from breedeval.relationship.groups import GroupedInverse
from breedeval.relationship.inbreeding import compute_inbreeding
from breedeval.relationship.metafounders import (
    check_gamma,
    compute_inbreeding_with_metafounders,
    drift_gamma,
    group_shares,
    spread_group_values,
    uniform_gamma,
)
from tests.factories import make_pedigree
from tests.reference.relationship import tabular_with_metafounders

GAMMA = np.array([[0.6, 0.2, -0.1], [0.2, 0.3, 0.05], [-0.1, 0.05, 1.2]])


@st.composite
def grouped_pedigrees(draw: st.DrawFn) -> Pedigree:
    """Up to 12 animals, any of them parent of a later one (selfing too), unknown parents in one of three groups."""
    n = draw(st.integers(1, 12))
    rows: list[tuple[str, str | None, str | None]] = []
    for i in range(n):
        parents = [None if draw(st.booleans()) or i == 0 else f"a{draw(st.integers(0, i - 1))}" for _ in range(2)]
        rows.append((f"a{i}", parents[0], parents[1]))
    pedigree = make_pedigree(rows)
    codes = [np.array([draw(st.integers(0, 2)) for _ in range(n)], dtype=np.int32) for _ in range(2)]
    sire, dam = (np.where(p == -1, c, -1).astype(np.int32) for p, c in zip((pedigree.sire, pedigree.dam), codes, strict=True))
    return with_groups(pedigree, ParentGroups(Names.of(["x", "y", "z"]), sire, dam))


@given(grouped_pedigrees())
def test_metafounders_equal_the_tabular_method(pedigree: Pedigree) -> None:
    n = pedigree.n_animals
    expected = tabular_with_metafounders(pedigree.sire, pedigree.dam, GAMMA)
    inbreeding = compute_inbreeding_with_metafounders(pedigree, GAMMA)
    np.testing.assert_allclose(inbreeding.coefficients, expected.diagonal()[:n] - 1, rtol=0, atol=1e-14)
    inverse = GroupedInverse(NumeratorInverse(pedigree, inbreeding), np.linalg.inv(GAMMA))
    np.testing.assert_allclose(inverse.to_csr().toarray() @ expected, np.eye(n + 3), rtol=0, atol=1e-10)
    np.testing.assert_allclose(inverse.log_determinant, np.linalg.slogdet(expected)[1], rtol=0, atol=1e-10)


@given(grouped_pedigrees())
def test_the_operator_is_its_matrix(pedigree: Pedigree) -> None:
    inverse = GroupedInverse(NumeratorInverse(pedigree, compute_inbreeding(pedigree)), np.eye(3) * 0.7)
    matrix = inverse.to_csr().toarray()
    x = np.arange(2.0 * inverse.order).reshape(-1, 2) % 7 - 3
    np.testing.assert_allclose(inverse.multiply(x), matrix @ x, rtol=0, atol=1e-10)
    np.testing.assert_allclose(inverse.diagonal(), matrix.diagonal(), rtol=0, atol=1e-12)
    np.testing.assert_allclose(matrix, matrix.T, rtol=0, atol=0)


@given(grouped_pedigrees())
def test_shares_sum_to_one_and_carry_group_values(pedigree: Pedigree) -> None:
    shares = group_shares(pedigree)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=0, atol=1e-14)
    values = np.array([[1.0], [-2.0], [5.0]])
    np.testing.assert_allclose(spread_group_values(pedigree, values), shares @ values, rtol=0, atol=1e-13)


def test_without_relationships_metafounders_are_unknown_parents() -> None:
    pedigree = make_pedigree([("c", "a", "b"), ("d", "a", "b"), ("e", "c", "d"), ("a", None, None), ("b", None, None)])
    none = (pedigree.sire == -1).astype(np.int32) - 1
    grouped = with_groups(pedigree, ParentGroups(Names.of(["g"]), none, none))
    tiny = compute_inbreeding_with_metafounders(grouped, np.array([[1e-12]]))
    np.testing.assert_allclose(tiny.coefficients, compute_inbreeding(pedigree).coefficients, rtol=0, atol=1e-11)


@pytest.mark.parametrize(
    ("gamma", "message"),
    [
        (np.eye(2), "2 × 2, but there are 3"),
        (np.array([[0.5, 0.1, 0], [0.2, 0.5, 0], [0, 0, 0.5]]), "not symmetric"),
        (uniform_gamma(3, 0.1, 0.2), "smallest eigenvalue"),
        (np.diag([0.5, 2.0, 0.5]), "must be below 2"),
    ],
)
def test_a_wrong_gamma_is_refused(gamma: np.ndarray, message: str) -> None:
    with pytest.raises(VarianceError, match=message):
        check_gamma(gamma, 3)


def test_drift_makes_a_covariance_of_a_shared_past() -> None:
    gamma = drift_gamma(np.array([2000, 2005, 2010.0]), rate=0.01, start=0.2)
    np.testing.assert_allclose(gamma[0], [0.2 + 1e-6, 0.2, 0.2])
    np.testing.assert_allclose(gamma[1, 2], 0.3)
    check_gamma(gamma, 3)
