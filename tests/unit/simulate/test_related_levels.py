"""Effects have the covariance K of their levels: exactly, by the matrix that makes them, and over many draws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array, diags_array

from breedeval.errors import ConfigError, NotPositiveDefiniteError
from breedeval.model.formula import parse_formula
from breedeval.model.records import ClassColumn, RecordTable
from breedeval.model.relations import Relations
from breedeval.model.spec import ModelSpec
from breedeval.model.variances import build_variances
from breedeval.names import Names
from breedeval.relationship.a_inverse import NumeratorInverse
from breedeval.relationship.dominance import dominance_levels
from breedeval.relationship.groups import GroupedInverse
from breedeval.relationship.inbreeding import compute_inbreeding
from breedeval.relationship.metafounders import compute_inbreeding_with_metafounders
from breedeval.relationship.related import RelatedLevels
from breedeval.relationship.sire_mgs import compute_male_inbreeding, male_inverse, male_pedigree
from breedeval.relationship.stored_inverse import StoredInverse
from breedeval.simulate import related_levels
from breedeval.simulate.breeding_values import draw_transmitting_abilities
from breedeval.simulate.effects import FixedEffects, Kinship, draw_effects
from breedeval.simulate.phenotypes import simulate_records
from breedeval.simulate.related_levels import root_of
from breedeval.source import Source
from tests.factories import make_pedigree
from tests.random_models import grouped_pedigree, random_rows
from tests.reference.relationship import dominance, males_by_recursion, tabular_a, tabular_with_metafounders

GAMMA = np.array([[0.4, 0.1], [0.1, 0.6]])
#: Genetic (co)variances of two correlated effects.
G = np.array([[2.0, -0.6], [-0.6, 1.0]])
N_DRAWS = 4000


def rows_of(n=25, seed=3):
    return random_rows(np.random.default_rng(seed), n)


def dense_k(n=12):
    """Some covariances of levels, every one related to every other."""
    a = np.random.default_rng(4).normal(size=(n, n))
    return a @ a.T / n + 0.2 * np.eye(n)


def cases():
    """Name, K⁻¹ as an operator, K from a textbook's rules."""
    pedigree = make_pedigree(rows_of())
    sire, dam = pedigree.sire.tolist(), pedigree.dam.tolist()
    a, inbreeding = tabular_a(sire, dam), compute_inbreeding(pedigree)
    yield "pedigree", NumeratorInverse(pedigree, inbreeding), a, len(a)
    grouped = grouped_pedigree(rows_of())
    of_gamma = NumeratorInverse(grouped, compute_inbreeding_with_metafounders(grouped, GAMMA))
    joint = tabular_with_metafounders(grouped.sire.tolist(), grouped.dam.tolist(), GAMMA)
    yield "metafounders", GroupedInverse(of_gamma, np.linalg.inv(GAMMA)), joint, len(joint)
    related = dominance_levels(pedigree, inbreeding)
    yield "dominance", related.inverse, dominance(a, sire, dam), pedigree.n_animals
    males = male_pedigree(pedigree)
    of_males = males_by_recursion(males.pedigree.sire.tolist(), males.maternal_grandsire.tolist())
    yield "males", male_inverse(males, compute_male_inbreeding(males)), of_males, len(of_males)
    yield "dense", StoredInverse(np.linalg.inv(dense_k())), dense_k(), 12
    chain = diags_array([-np.ones(29), np.full(30, 2.5), -np.ones(29)], offsets=[-1, 0, 1], format="csr")
    yield "sparse", StoredInverse(csr_array(chain)), np.linalg.inv(chain.toarray()), 30


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case[0])
def test_the_matrix_that_makes_effects_is_a_root_of_k(case):
    _, inverse, k, n = case
    root = root_of(inverse, "an effect")(np.eye(inverse.order))
    np.testing.assert_allclose((root @ root.T)[:n, :n], k, atol=1e-11)


def test_the_matrix_that_makes_transmitting_abilities_is_a_root_of_k(monkeypatch):
    males = male_pedigree(make_pedigree(rows_of(60)))
    assert (males.maternal_grandsire >= 0).any()
    m = len(males.maternal_grandsire)
    monkeypatch.setattr("breedeval.simulate.breeding_values.draw_correlated", lambda rng, n, covariance: np.eye(n))
    root = draw_transmitting_abilities(np.random.default_rng(1), males, compute_male_inbreeding(males), np.eye(m))
    expected = males_by_recursion(males.pedigree.sire.tolist(), males.maternal_grandsire.tolist())
    np.testing.assert_allclose(root @ root.T, expected, atol=1e-13)


def test_no_relationship_leaves_deviates_as_they_are():
    z = np.random.default_rng(1).normal(size=(4, 2))
    assert root_of(None, "herd")(z) is z


def test_many_levels_of_a_sparse_inverse():
    """u'K⁻¹u is z'z, whatever the elimination order."""
    n, rng = 30_000, np.random.default_rng(2)
    links = rng.integers(0, n, (2, n))
    link = csr_array((np.ones(n), (links[0], links[1])), shape=(n, n))
    laplacian = link + link.T
    inverse = csr_array(diags_array(np.asarray(laplacian.sum(axis=0)) + 1.0) - laplacian)
    z = rng.normal(size=(n, 2))
    u = root_of(StoredInverse(inverse), "farm")(z)
    np.testing.assert_allclose(u.T @ (inverse @ u), z.T @ z, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("wide", [2, 40])
def test_an_inverse_that_is_none_is_refused_by_its_effect(wide):
    wrong = np.eye(wide)
    wrong[0, 1] = wrong[1, 0] = 2.0
    with pytest.raises(NotPositiveDefiniteError, match="farm"):
        root_of(StoredInverse(csr_array(wrong)), "farm")


def test_a_factor_that_is_too_large_is_refused_by_its_effect(monkeypatch):
    monkeypatch.setattr(related_levels, "LARGEST_FACTOR", 3)
    chain = diags_array([-np.ones(29), np.full(30, 2.5), -np.ones(29)], offsets=[-1, 0, 1], format="csr")
    with pytest.raises(ConfigError, match=r"farm has 30 levels.*Take a part"):
        root_of(StoredInverse(csr_array(chain)), "farm")


def structure_of(columns):
    m = len(next(iter(columns.values())))
    classes = {}
    for name, texts in columns.items():
        names = sorted(set(texts))
        classes[name] = ClassColumn(Names.of(names), np.array([names.index(text) for text in texts], dtype=np.int32))
    return RecordTable(Source("a test"), m, classes, {})


def covariance_of_draws(formulas, variances, structure, kinship, pedigree, relations, block_name):
    """Covariance of all levels × columns of one block over many draws, and the number of levels and columns."""
    spec = ModelSpec(tuple(parse_formula(t, f, classes=[], covariates=[]) for t, f in formulas.items()))
    checked = build_variances(variances, spec)
    rng = np.random.default_rng(6)
    design = simulate_records(rng, pedigree, spec, checked, structure, relations=relations).design
    place = [block.name for block in design.layout.blocks].index(block_name)
    draws = np.empty((N_DRAWS, design.layout.blocks[place].n_equations))
    for i in range(N_DRAWS):
        draws[i] = draw_effects(rng, design, checked, FixedEffects(), kinship)[place].ravel()
    return draws.T @ draws / N_DRAWS


def assert_sampled(found, expected):
    """Every element within 4.5 standard errors: one of 147,000 leaves them by chance."""
    variance = np.diag(expected)
    standard_error = np.sqrt((np.outer(variance, variance) + expected**2) / N_DRAWS)
    assert np.abs((found - expected) / standard_error).max() < 4.5


def test_draws_of_levels_with_a_relationship_of_their_own():
    lines = Names.of([f"L{i}" for i in range(12)])
    levels = {"given K": RelatedLevels(lines, StoredInverse(np.linalg.inv(dense_k())), np.diag(dense_k()))}
    structure = structure_of({"line": [f"L{i % 9}" for i in range(30)]})
    formulas = dict.fromkeys(("y", "t"), 'random(line, relationship = "K")')
    found = covariance_of_draws(
        formulas,
        {"line": G.tolist(), "residual": [[1, 0], [0, 1]]},
        structure,
        Kinship(levels=levels),
        None,
        Relations(levels),
        'random(line, relationship = "K")',
    )
    assert_sampled(found, np.kron(dense_k(), G))


def test_draws_of_dominance_effects():
    pedigree = make_pedigree(rows_of(18))
    a = tabular_a(pedigree.sire.tolist(), pedigree.dam.tolist())
    expected = dominance(a, pedigree.sire.tolist(), pedigree.dam.tolist())
    assert (np.abs(expected - np.eye(18)) > 0).any()
    levels = {"dominance": dominance_levels(pedigree, compute_inbreeding(pedigree))}
    structure = structure_of({"id": pedigree.ids.to_list()})
    found = covariance_of_draws(
        {"y": "dominance(id)"},
        {"dominance": 3.0, "residual": 1},
        structure,
        Kinship(levels=levels),
        pedigree,
        None,
        "dominance(id)",
    )
    assert_sampled(found[:18, :18], 3.0 * expected)


def test_draws_of_sires_and_maternal_grandsires():
    pedigree = make_pedigree(rows_of(60))
    males = male_pedigree(pedigree)
    known = [name for i, name in enumerate(pedigree.ids.to_list()) if pedigree.sire[i] >= 0]
    kinship = Kinship(males.pedigree, compute_male_inbreeding(males), males=males)
    formulas = dict.fromkeys(("y", "t"), "genetic(sire_mgs(id))")
    variances = {"genetic": G.tolist(), "residual": [[1, 0], [0, 1]]}
    structure = structure_of({"id": known})
    found = covariance_of_draws(formulas, variances, structure, kinship, pedigree, None, "genetic(sire_mgs(id))")
    k = males_by_recursion(males.pedigree.sire.tolist(), males.maternal_grandsire.tolist())
    assert_sampled(found, np.kron(k, G))


def test_draws_of_direct_and_social_effects_of_metafounders():
    grouped = grouped_pedigree(rows_of(15))
    inbreeding = compute_inbreeding_with_metafounders(grouped, GAMMA)
    structure = structure_of({"id": grouped.ids.to_list(), "pen": [f"P{i % 4}" for i in range(15)]})
    found = covariance_of_draws(
        {"y": "genetic(id) + social(id, pen)"},
        {"genetic": G.tolist(), "residual": 1},
        structure,
        Kinship(grouped, inbreeding, GAMMA),
        grouped,
        None,
        "genetic(id) + social(id, pen)",
    )
    k = tabular_with_metafounders(grouped.sire.tolist(), grouped.dam.tolist(), GAMMA)
    assert_sampled(found, np.kron(k, G))
