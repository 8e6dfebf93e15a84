"""Breeding values on a given pedigree have covariance A ⊗ G, exactly by construction and in their draws."""

from __future__ import annotations

import numpy as np
import pytest

from breedeval.errors import ConfigError, VarianceError
from breedeval.names import Names
from breedeval.pedigree.pedigree import Pedigree
from breedeval.relationship.inbreeding import compute_inbreeding
from breedeval.simulate import breeding_values
from breedeval.simulate.breeding_values import covariance_root, draw_breeding_values, draw_group_values, values_from_normals
from tests.reference.simulation import breeding_values_by_loop, relationship_by_table

G = np.array([[20.0, -6.0], [-6.0, 10.0]])
# full sibs, their inbred progeny, selfing (6 and 7), one parent unknown (8)
SIRE = [-1, -1, 0, 0, 2, 4, 5, 6, -1, 8]
DAM = [-1, -1, 1, 1, 3, 3, 5, 6, 7, 2]


def pedigree_of(sire: list[int], dam: list[int], groups: int = 0) -> Pedigree:
    n = len(sire)
    ids = Names.of(str(i) for i in range(n))
    codes = [np.array(parents, dtype=np.int32) for parents in (sire, dam)]
    return Pedigree(ids, *codes, np.zeros(n, np.int8), np.zeros(n, np.int32), Names.of(f"g{j}" for j in range(groups)))


def random_pedigree(rng: np.random.Generator, n: int, groups: int) -> tuple[list[int], list[int]]:
    """Any earlier animal may be a parent, itself twice; one in four parents is unknown or a group."""
    parents = []
    for _ in range(2):
        drawn = [int(rng.integers(0, i)) if i and rng.random() < 0.75 else int(rng.integers(n, n + groups)) for i in range(n)]
        parents.append([-1 if rng.random() < 0.1 else p for p in drawn])
    return parents[0], parents[1]


@pytest.mark.parametrize("seed", range(5))
def test_values_are_those_of_the_loop_over_animals(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breeding_values, "_CHUNK", 7)
    rng = np.random.default_rng(seed)
    sire, dam = random_pedigree(rng, 40, 3)
    pedigree, group_values = pedigree_of(sire, dam, 3), rng.normal(size=(3, 2))
    normals = rng.standard_normal((40, 2))
    expected = breeding_values_by_loop(sire, dam, normals, G, group_values)
    found = values_from_normals(normals, pedigree, compute_inbreeding(pedigree), covariance_root(G), group_values)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11)


def test_draws_use_the_normals_of_the_generator_in_order() -> None:
    pedigree = pedigree_of(SIRE, DAM)
    found = draw_breeding_values(np.random.default_rng(3), pedigree, compute_inbreeding(pedigree), G)
    normals = np.random.default_rng(3).standard_normal((10, 2))
    np.testing.assert_allclose(found, breeding_values_by_loop(SIRE, DAM, normals, G), atol=1e-12)
    assert not found.flags.writeable


def test_covariances_of_draws_are_those_of_relationship_and_traits() -> None:
    copies, n = 20_000, len(SIRE)
    shift = np.repeat(np.arange(copies) * n, n)
    sire, dam = (np.where(np.tile(p, copies) < 0, -1, np.tile(p, copies) + shift).tolist() for p in (SIRE, DAM))
    pedigree = pedigree_of(sire, dam)
    values = draw_breeding_values(np.random.default_rng(5), pedigree, compute_inbreeding(pedigree), G)
    found = values.reshape(copies, 2 * n).T @ values.reshape(copies, 2 * n) / copies
    expected = np.kron(relationship_by_table(SIRE, DAM), G)
    # of a covariance from R independent draws with mean zero: √((v_i v_j + c²) / R); 210 of them
    standard_error = np.sqrt((np.outer(np.diag(expected), np.diag(expected)) + expected**2) / copies)
    assert np.abs((found - expected) / standard_error).max() < 4.5


def test_group_means_have_their_covariance() -> None:
    gamma = np.array([[0.6, 0.3], [0.3, 0.8]])
    rng = np.random.default_rng(1)
    draws = np.array([draw_group_values(rng, gamma, G).ravel() for _ in range(4000)])
    expected = np.kron(gamma, G)
    standard_error = np.sqrt((np.outer(np.diag(expected), np.diag(expected)) + expected**2) / 4000)
    assert np.abs((draws.T @ draws / 4000 - expected) / standard_error).max() < 4


def test_a_matrix_that_is_none_and_sizes_that_do_not_fit_are_refused() -> None:
    pedigree = pedigree_of(SIRE, DAM)
    inbreeding = compute_inbreeding(pedigree)
    with pytest.raises(VarianceError, match="smallest eigenvalue is -"):
        draw_breeding_values(np.random.default_rng(1), pedigree, inbreeding, np.array([[1.0, 2.0], [2.0, 1.0]]))
    with pytest.raises(ConfigError, match="10 coefficients of inbreeding for 3 animals"):
        draw_breeding_values(np.random.default_rng(1), pedigree_of([-1, -1, 0], [-1, -1, 1]), inbreeding, G)
    with pytest.raises(ConfigError, match="group_values"):
        draw_breeding_values(np.random.default_rng(1), pedigree, inbreeding, G, np.zeros((1, 2)))
