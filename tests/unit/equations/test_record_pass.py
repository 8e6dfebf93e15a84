"""W'R⁻¹W x in one pass over records: every kind of term, one trait and several, one vector and several."""

from __future__ import annotations

from dataclasses import replace

import numba
import numpy as np
import pytest

from breedeval.equations.curves import find_coefficients
from breedeval.equations.incidence import build_incidence
from breedeval.equations.record_pass import plan_record_pass
from breedeval.equations.residual import build_residual_inverse
from breedeval.kernels.record_coefficients import ORDERED, SMALL, WIDE
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
    """Blocks and terms: a curve of seven coefficients, each for all traits (more than are taken together); two of families, of
    three coefficients trait by trait, the first three of the seven, the second with records that do not meet it; one whose
    covariates stand in another order; two of families and of animals with covariates of their own, the latter hardly ever the
    same in two records.
    """
    level, family = np.zeros(M, np.int32), (animal // 4).astype(np.int32)
    side_by_side = np.arange(7 * n_traits, dtype=np.int32).reshape(7, n_traits).T
    by_trait = np.arange(3 * n_traits, dtype=np.int32).reshape(n_traits, 3)
    some = np.where(rng.random(M // 4 + 1).repeat(4)[:M] < 0.3, -1, family).astype(np.int32)
    shared, own = rng.normal(size=(M, 7)), rng.normal(size=(M, 3))
    made = {
        "curve": (level, side_by_side, shared),
        "of families": (family, by_trait, shared[:, :3]),
        "of some": (some, by_trait, shared[:, 1:4]),
        "backward": (level, by_trait[:, ::-1], rng.normal(size=(M, 3))),
        "other": (family, by_trait, own),
        "changing": (animal, by_trait, own),
    }
    blocks, terms = [], []
    for name, (met, columns, covariates) in made.items():
        labels = tuple(f"{name}:{j}" for j in range(columns.size))
        names = Names.of(str(i) for i in range(met.max() + 1))
        blocks.append(EquationBlock(name, names, labels, first, "identity", name))
        terms.append(Term(name, 6 + len(terms), met, covariates.copy(), columns.copy()))
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


def curves_in(n_traits):
    incidence = build_incidence(make_design(n_traits, np.random.default_rng(5), ragged=False, curves=True))
    return incidence, find_coefficients(incidence)


def test_covariates_that_several_terms_have_stand_there_once():
    incidence, _ = curves_in(1)
    assert incidence.covariates.shape[1] == 3 + 7 + 3 + 3  # those of herd, pair and permanent, and of the curves


def test_curves_are_of_terms_whose_levels_repeat():
    _, found = curves_in(3)
    assert np.unique(found.curves.parts[:, 1]).tolist() == [0, 7, 8, 9, 10, 11]
    assert np.unique(np.repeat(np.arange(13), np.diff(found.pointer))).tolist() == [1, 2, 3, 4, 5, 6, 12]
    assert found.repeats[[0, 3, 7]].tolist() == [True, False, True]


def test_coefficients_side_by_side_are_one_part():
    _, found = curves_in(3)
    of_term = {k: found.curves.parts[found.curves.parts[:, 1] == k] for k in (0, 7, 8, 10)}
    assert {k: parts[:, 5].tolist() for k, parts in of_term.items()} == {0: [1], 7: [5, 2], 8: [3] * 3, 10: [1] * 9}
    assert {k: parts[:, 2].tolist() for k, parts in of_term.items()} == {
        0: [-1],
        7: [-1] * 2,
        8: [0, 1, 2],
        10: [0] * 3 + [1] * 3 + [2] * 3,
    }
    assert of_term[7][:, 4].tolist() == [1, 7]  # behind the place without covariate of either group
    assert set(of_term[8][:, 4]) == {1}


def test_runs_meet_the_same_levels_throughout():
    incidence, found = curves_in(1)
    terms = [0, 7, 8, 9, 10, 11]
    run = np.repeat(np.arange(len(found.curves.levels)), np.diff(found.curves.starts))
    np.testing.assert_array_equal(found.curves.levels[run], incidence.first[:, terms])
    assert len(found.curves.levels) < M / 3


@pytest.mark.parametrize(("n_different", "is_coded"), [(150, True), (300, False)])
def test_rows_of_covariates_that_many_records_have_stand_there_once(n_different, is_coded):
    rng = np.random.default_rng(2)
    incidence, _ = curves_in(1)
    different = rng.normal(size=(n_different, incidence.covariates.shape[1]))
    different[0], different[1] = 0.0, -0.0
    covariates = different[np.arange(M) % n_different]
    curves = find_coefficients(replace(incidence, covariates=covariates)).curves
    table = curves.arrays(covariates)[-1]
    assert (table is not covariates) == is_coded
    first, column = curves.groups[:, 0], curves.groups[:, 2]
    used = np.concatenate([np.arange(a, a + n) for a, n in zip(first, column, strict=True)])
    row = curves.row if is_coded else np.arange(M)
    assert used.min() == (0 if is_coded else 3)
    np.testing.assert_array_equal(table[row][:, used], covariates[:, 3:])


def test_days_that_repeat_give_the_same_product():
    incidence, _ = curves_in(1)
    design = make_design(1, np.random.default_rng(5), ragged=False, curves=True)
    rng = np.random.default_rng(7)
    covariates = rng.normal(size=(150, incidence.covariates.shape[1]))[rng.integers(0, 150, M)]
    incidence = replace(incidence, covariates=covariates)
    residual = build_residual_inverse(design, ResidualCovariance({"all": np.eye(1)}, design.traits))
    record_pass, w = plan_record_pass(incidence, residual), incidence.to_csr()
    assert record_pass.coefficients.curves.rows.shape == (150, 13)
    for shape in ((w.shape[1],), (w.shape[1], 16)):
        x = rng.normal(size=shape)
        out = np.zeros(shape)
        record_pass.add_product(x, out)
        expected = w.T @ (residual.to_csr() @ (w @ x))
        np.testing.assert_allclose(out, expected, rtol=0, atol=1e-11 * abs(expected).max())


def of_one_term(incidence, term, covariate):
    """W of one term alone, with other covariates."""
    slots = replace(incidence.slots.of_term(term), term=np.zeros(3, np.int32), covariate=np.array(covariate, np.int32))
    first, here = incidence.first[:, term : term + 1], slice(term, term + 1)
    only = replace(incidence, first=first, slots=slots, by_term=(slots,))
    return replace(only, blocks=incidence.blocks[here], levels=incidence.levels[here])


def test_covariates_with_others_between_them():
    incidence = of_one_term(curves_in(1)[0], 8, [0, 5, 6])
    residual = build_residual_inverse(
        make_design(1, np.random.default_rng(5), False), ResidualCovariance({"all": np.eye(1)}, ("t0",))
    )
    record_pass, w = plan_record_pass(incidence, residual), incidence.to_csr()
    curves = record_pass.coefficients.curves
    assert curves.groups.tolist() == [[0, 0, 2], [5, 3, 2]]
    assert curves.parts[:, 4:].tolist() == [[1, 1], [4, 2]]
    x, out = np.random.default_rng(1).normal(size=w.shape[1]), np.zeros(w.shape[1])
    record_pass.add_product(x, out)
    np.testing.assert_allclose(out, w.T @ (residual.to_csr() @ (w @ x)), rtol=0, atol=1e-11)


def test_no_curves_where_no_level_of_one_repeats():
    incidence = of_one_term(curves_in(1)[0], 8, [3, 4, 5])
    shuffled = replace(incidence, first=np.random.default_rng(3).permutation(incidence.first))
    assert find_coefficients(shuffled).curves is None


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
