"""Elimination orders and the size of factors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csc_array, csr_array, kron

from breedeval.solvers import elimination_order
from breedeval.solvers.elimination_order import better_order, minimum_degree_order, predict_size
from tests.reference.elimination import eliminate
from tests.small_models import make_model


def random_pattern(n, density, seed):
    """A symmetric pattern with its diagonal."""
    pattern = np.random.default_rng(seed).random((n, n)) < density
    return (pattern | pattern.T | np.eye(n, dtype=bool)).astype(float)


def elements(pattern, order):
    return eliminate(np.asarray(pattern) != 0, list(order))[1]


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 40), st.floats(0, 0.5), st.integers(0, 2**32 - 1))
def test_minimum_degree_orders_each_once_and_about_as_well_as_the_exact_one(n, density, seed):
    pattern = random_pattern(n, density, seed)
    order = minimum_degree_order(csc_array(pattern))
    assert np.array_equal(np.sort(order), np.arange(n))
    assert elements(pattern, order) <= 1.25 * eliminate(pattern != 0)[1] + 4


@pytest.mark.parametrize("seed", range(5))
def test_a_tree_fills_nothing_in(seed):
    rng = np.random.default_rng(seed)
    pattern = np.eye(300)
    for child, parent in enumerate((rng.random(299) * np.arange(1, 300)).astype(int), start=1):
        pattern[child, parent] = pattern[parent, child] = 1.0
    shuffle = rng.permutation(300)
    pattern = pattern[np.ix_(shuffle, shuffle)]
    assert elements(pattern, minimum_degree_order(csc_array(pattern))) == 299


def test_a_grid_fills_in_as_little_as_by_the_exact_degree():
    path = csr_array(np.eye(18) + np.eye(18, k=1) + np.eye(18, k=-1))
    pattern = kron(path, np.eye(18)) + kron(np.eye(18), path)
    order = minimum_degree_order(csc_array(pattern))
    exact = eliminate(pattern.toarray() != 0)[1]
    assert elements(pattern.toarray(), order) <= 1.05 * exact


def test_several_equations_a_node_stay_together():
    """Equations with the same neighbors are one to minimum degree, as the traits of an animal are."""
    pattern = random_pattern(40, 0.05, 3)
    single = minimum_degree_order(csc_array(pattern))
    together = minimum_degree_order(csc_array(np.kron(pattern, np.ones((3, 3)))))
    blocks = together.reshape(40, 3) // 3
    assert np.all(blocks == blocks[:, :1])
    assert elements(pattern, blocks[:, 0]) <= 1.1 * elements(pattern, single)


def test_rows_that_meet_everything_come_last(monkeypatch):
    pattern = random_pattern(400, 0.003, 1)
    pattern[7, :] = pattern[:, 7] = 1.0
    order = minimum_degree_order(csc_array(pattern))
    assert order[-1] == 7


def test_compaction_of_lists():
    """Lists that grow beyond their first memory: a long chain of cliques."""
    rng = np.random.default_rng(2)
    incidence = np.zeros((600, 250))
    for row in incidence:
        row[rng.integers(0, 250, 3)] = 1.0
    pattern = ((incidence.T @ incidence) != 0) | np.eye(250, dtype=bool)
    order = minimum_degree_order(csc_array(pattern.astype(float)))
    assert elements(pattern, order) <= 1.1 * eliminate(pattern)[1]


@pytest.mark.parametrize("seed", range(6))
def test_predicted_size_is_the_true_size(seed):
    pattern = random_pattern(60, 0.02 + 0.01 * seed, seed)
    order = np.random.default_rng(seed).permutation(60)
    true = elements(pattern, order)
    assert predict_size(csc_array(pattern), order, 10**9).elements == true
    assert predict_size(csc_array(pattern), order, true).elements == true
    assert predict_size(csc_array(pattern), order, true - 1).elements == -1


def test_the_smaller_factor_is_taken(monkeypatch):
    arrow = np.eye(50)
    arrow[0] = arrow[:, 0] = 1.0
    worst, best = np.arange(50), np.arange(50)[::-1].copy()
    order, size, is_given = better_order(csc_array(arrow), worst)
    assert (size.elements, is_given) == (49, False)
    assert elements(arrow, order) == 49
    order, size, is_given = better_order(csc_array(arrow), best)
    assert (size.elements, is_given) == (49, True)
    # one that takes longer to find than it could save is not looked for
    monkeypatch.setattr(elimination_order, "LOOKS_AN_ELEMENT", 0)
    monkeypatch.setattr(elimination_order, "OPERATIONS_A_LOOK", 1e9)
    order, size, is_given = better_order(csc_array(random_pattern(50, 0.1, 1)), worst)
    assert is_given
    assert size.elements == elements(random_pattern(50, 0.1, 1), worst)


def test_crossed_effects_without_a_pedigree():
    """What is left of two crossed effects is the smaller of them, dense: the order of the blocks must not mix them."""
    rng = np.random.default_rng(5)
    n = 3000
    frame = pd.DataFrame(
        {"y": rng.normal(size=n), "s": rng.integers(0, 400, n).astype(str), "d": rng.integers(0, 120, n).astype(str)}
    )
    model = make_model(
        frame, {"y": "random(s) + random(d)"}, {"random(s)": 1.0, "random(d)": 2.0, "residual": 3.0}, classes=["s", "d"]
    )
    given = predict_size(model.matrix, model.order)
    links = len(frame.drop_duplicates(["s", "d"]))
    assert given.elements <= links + 400 + 121 * 120 // 2
    _, size, _ = better_order(model.matrix, model.order)
    assert size.operations <= given.operations
