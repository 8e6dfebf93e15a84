"""W'R⁻¹W x in one pass over records: every kind of term, one trait and several, one vector and several."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from breedeval.equations.incidence import build_incidence
from breedeval.equations.record_pass import plan_record_pass
from breedeval.equations.residual import build_residual_inverse
from breedeval.equations.stretches import find_stretches
from breedeval.kernels.record_pass import ORDERED, SMALL, WIDE
from breedeval.kernels.stretches import TRAIT, WIDTH
from breedeval.model.design import Design
from breedeval.model.layout import EquationBlock, Layout
from breedeval.model.terms import Term
from breedeval.model.usable import RecordAccount
from breedeval.model.variances import ResidualCovariance
from breedeval.names import Names

M = 9_000  # more than one chunk, so that chunks have to be joined


def pen_mates(rng):
    """A ragged term: up to eight levels a record."""
    pointer = np.concatenate([[0], np.cumsum(rng.integers(0, 9, M))]).astype(np.int64)
    return rng.integers(0, 5_000, pointer[-1]).astype(np.int32), pointer


def curves_of(n_traits, animal, first, rng):
    """Blocks and terms: a curve of seven coefficients, each for all traits (more than are taken together); two of animals, of
    three coefficients trait by trait, the second with records that do not meet it; one whose covariates stand in another order.
    """
    level = np.zeros(M, np.int32)
    side_by_side = np.arange(7 * n_traits, dtype=np.int32).reshape(7, n_traits).T
    by_trait = np.arange(3 * n_traits, dtype=np.int32).reshape(n_traits, 3)
    some = np.where(rng.random(M) < 0.3, -1, animal).astype(np.int32)
    levels = {"curve": level, "of animals": animal, "of some": some, "backward": level}
    columns = {"curve": side_by_side, "of animals": by_trait, "of some": by_trait, "backward": by_trait[:, ::-1]}
    blocks, terms = [], []
    for name, met in levels.items():
        labels = tuple(f"{name}:{j}" for j in range(columns[name].size))
        names = Names.of(str(i) for i in range(met.max() + 1))
        blocks.append(EquationBlock(name, names, labels, first, "identity", name))
        terms.append(Term(name, 6 + len(terms), met, rng.normal(size=(M, columns[name].shape[1])), columns[name].copy()))
        first += len(names) * len(labels)
    return blocks, terms


def make_design(n_traits, rng, ragged, curves=False):
    """Terms: mean, herd with a covariate (small), animal (ordered), dam (wide, some missing), two terms in one wide block, and
    animals again whose levels are numbered in another order, with a covariate (ordered too).
    """
    animal = np.sort(rng.integers(0, 6_000, M)).astype(np.int32)
    sizes = {"mean": 1, "herd": 40, "animal": 6_000, "dam": 7_000, "pair": 5_000, "permanent": 6_000}
    blocks, first = [], 0
    for name, n in sizes.items():
        columns = tuple(f"t{j}:{name}" for j in range(n_traits))
        blocks.append(EquationBlock(name, Names.of(str(i) for i in range(n)), columns, first, "identity", name))
        first += n * n_traits
    columns = np.arange(n_traits, dtype=np.int32)[:, None]
    missing = rng.integers(-1, 7_000, M).astype(np.int32)
    terms = (
        Term("mean", 0, np.zeros(M, np.int32), None, columns),
        Term("herd", 1, rng.integers(0, 40, M).astype(np.int32), rng.normal(size=(M, 1)), columns),
        Term("animal", 2, animal, None, columns),
        Term("dam", 3, missing, None, columns),
        Term("left", 4, np.sort(rng.integers(0, 5_000, M)).astype(np.int32), None, columns),
        Term("right", 4, rng.integers(0, 5_000, M).astype(np.int32), rng.normal(size=(M, 1)), columns),
        Term("permanent", 5, rng.permutation(6_000).astype(np.int32)[animal], rng.normal(size=(M, 1)), columns),
    )
    if curves:
        more_blocks, more_terms = curves_of(n_traits, animal, first, rng)
        blocks, terms = blocks + more_blocks, (*terms, *more_terms)
    if ragged:
        level, pointer = pen_mates(rng)
        terms = (*terms, Term("mates", 4, level, rng.normal(size=(M, 1)), columns, pointer))
    observed = rng.random((M, n_traits)) < 0.8
    observed[:, 0] = True
    account = RecordAccount(M, M, {}, {})
    weights = rng.uniform(0.5, 2.0, M)
    return Design(
        traits=tuple(f"t{j}" for j in range(n_traits)),
        layout=Layout(tuple(blocks)),
        terms=terms,
        observations=np.zeros((M, n_traits)),
        observed=observed,
        residual_class=np.zeros(M, np.int32),
        residual_names=Names.of(["all"]),
        weights=None if ragged else weights,
        trait_weights=rng.uniform(0.5, 2.0, (M, n_traits)) if ragged else None,
        rows=np.arange(M),
        account=account,
        notes=(),
    )


@pytest.fixture(params=[(t, kind) for kind in ("plain", "ragged", "curves") for t in (1, 3)], ids=lambda p: f"{p[0]} {p[1]}")
def parts(request):
    rng = np.random.default_rng(5)
    n_traits, kind = request.param
    design = make_design(n_traits, rng, kind == "ragged", kind == "curves")
    root = rng.normal(size=(n_traits, n_traits)) + 3 * np.eye(n_traits)
    residual = build_residual_inverse(design, ResidualCovariance({"all": root @ root.T}, design.traits))
    incidence = build_incidence(design)
    w = incidence.to_csr()
    return plan_record_pass(incidence, residual), w.T @ residual.to_csr() @ w, rng


def test_every_kind_of_term_is_there(parts):
    record_pass, _, _ = parts
    assert record_pass.target[:7].tolist() == [SMALL, SMALL, ORDERED, WIDE, WIDE, WIDE, ORDERED]
    assert len(record_pass.bounds) > 3


def test_no_level_of_an_ordered_term_is_in_two_chunks(parts):
    record_pass, _, _ = parts
    chunk = np.searchsorted(record_pass.bounds, np.arange(M), side="right")
    for k in np.flatnonzero(record_pass.target == ORDERED):
        first = record_pass.incidence.first[:, k]
        pairs = np.unique(np.stack([first, chunk])[:, first >= 0], axis=1)
        assert len(np.unique(pairs[0])) == pairs.shape[1]


def test_coefficients_of_a_curve_are_taken_together():
    rng = np.random.default_rng(5)
    incidence = build_incidence(make_design(3, rng, ragged=False, curves=True))
    stretches = find_stretches(incidence)
    width, trait = stretches.rows[:, WIDTH], stretches.rows[:, TRAIT]
    of_term = [slice(*stretches.pointer[k : k + 2]) for k in range(11)]
    assert [width[here].tolist() for here in of_term[7:]] == [[5, 2], [3] * 3, [3] * 3, [1] * 9]
    assert [trait[here].tolist() for here in of_term[7:9]] == [[-1, -1], [0, 1, 2]]
    assert width[of_term[0]].tolist() == [0]
    assert stretches.repeats[[0, 3, 7]].tolist() == [True, False, True]


def test_every_ragged_term_is_gathered(parts):
    record_pass, _, _ = parts
    assert {part.term for part in record_pass.incidence.ragged} <= set(record_pass.wide)


def test_equals_the_explicit_matrix(parts):
    record_pass, matrix, rng = parts
    x, start = rng.normal(size=matrix.shape[0]), rng.normal(size=matrix.shape[0])
    out = start.copy()
    record_pass.add_product(x, out)
    np.testing.assert_allclose(out, start + matrix @ x, rtol=0, atol=1e-11 * abs(matrix @ x).max())


def test_several_vectors_at_once(parts):
    record_pass, matrix, rng = parts
    x, start = rng.normal(size=(matrix.shape[0], 4)), rng.normal(size=(matrix.shape[0], 4))
    out = start.copy()
    record_pass.add_product(x, out)
    np.testing.assert_allclose(out, start + matrix @ x, rtol=0, atol=1e-11 * abs(matrix @ x).max())


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="one core")
def test_same_bits_for_any_number_of_threads(parts):
    record_pass, matrix, rng = parts
    x = rng.normal(size=matrix.shape[0])
    results = []
    before = numba.get_num_threads()
    try:
        for threads in (1, 2):
            numba.set_num_threads(threads)
            out = np.zeros_like(x)
            record_pass.add_product(x, out)
            results.append(out)
    finally:
        numba.set_num_threads(before)
    assert np.array_equal(*results)
