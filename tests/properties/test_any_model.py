"""Any model of the grammar against matrices written out: the same equations, the same solutions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, event, example, given, settings

from breedeval.errors import RecordsError
from breedeval.model.pens import find_pen_mates
from breedeval.simulate.phenotypes import expected_values
from breedeval.solvers.stopping import StoppingRule
from tests.model_strategy import Drawn, models
from tests.threads import threads_kept

#: The same models every time; new ones are for the long test.
FEW = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
MANY = settings(FEW, max_examples=1000, derandomize=False)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    with threads_kept(1):
        yield


def check(drawn):
    try:
        both = drawn.build()
    except RecordsError as error:  # a trait without records, a slope that does not vary: said, not computed
        event(error.message.partition(":")[0][:30])
        assume(False)
    place, n_fixed, model, dense = both.to_dense(), both.dense.n_fixed, both.model, both.dense
    assert len(place) == len(set(place)) == len(dense.keys)
    check_equations(model, *dense.equations(), place)
    lost = dense.lost_digits()
    if lost > 1e-8:  # few records, many terms: nearly dependent fixed effects, whose solutions have few digits from anybody
        event("hardly estimable")
        return
    _, u, pev = dense.solve_least_squares()
    wanted = place[n_fixed:] - n_fixed
    sd = np.sqrt(np.diag(dense.g))[wanted]
    direct = model.solve_direct()
    assert direct.status.is_good, direct.sentence()
    # without a genetic effect no EBV error tells when to stop
    rule = StoppingRule("ebv_error", 1e-10) if model.inbreeding is not None else StoppingRule("residual", 1e-13)
    iterative = model.solve_pcg("block", rule)
    event(f"PCG {iterative.status.name}")  # it says so where rounding errors are larger than what is asked for
    for result in (direct, *([iterative] if iterative.status.is_good else [])):
        error = np.abs(result.solution[n_fixed:] - u[wanted]) / sd
        assert error.max(initial=0.0) < 1e-8, (result.sentence(), both.text)
    np.testing.assert_allclose(model.pev()[n_fixed:], pev[wanted], rtol=1e-7)


def check_equations(model, c, b, place):
    c, b, equations = c[np.ix_(place, place)], b[place], model.equations
    # elements are compared on the scale of their own equations: variances of all sizes meet in one model
    root = np.sqrt(np.diag(c))
    root[root == 0] = 1.0
    scale = np.outer(root, root)
    np.testing.assert_allclose(equations.to_csr().toarray() / scale, c / scale, atol=1e-12, rtol=0)
    # A few columns at a time: loops over more are compiled for each number of them.
    products = [equations.multiply(columns) for columns in np.split(np.eye(len(b)), range(4, len(b), 4), axis=1)]
    np.testing.assert_allclose(np.hstack(products) / scale, c / scale, atol=1e-12, rtol=0)
    np.testing.assert_allclose(equations.diagonal() / root**2, np.diag(c) / root**2, atol=1e-12, rtol=0)
    np.testing.assert_allclose(equations.right_hand_side / root, b / root, atol=1e-12 * np.abs(b / root).max())
    x = np.linspace(-1.0, 2.0, len(b))
    sums = expected_values(model.design, tuple(block.view(x) for block in equations.layout.blocks))
    simulated = equations.incidence.forward(x, np.empty_like(sums))
    np.testing.assert_allclose(sums, simulated, rtol=0, atol=1e-12 * np.abs(simulated).max())
    for block in equations.layout.blocks:
        found = equations.diagonal_blocks(block)
        part = c[block.equations, block.equations].reshape(block.n_levels, block.n_columns, block.n_levels, block.n_columns)
        whole = np.einsum("iaib->iab", part)
        np.testing.assert_allclose(np.einsum("iaa->ia", found), np.einsum("iaa->ia", whole), rtol=1e-11, atol=1e-13)
        assert np.linalg.eigvalsh(found).min(initial=0.0) > -1e-12 * np.abs(found).max()


LITTER = [("random", "litter", None, None)]
#: Three dependencies were found of four: rounding of the first pivots had hidden the last.
HIDDEN_DEPENDENCY = Drawn(
    traits={
        "y": {"fixed": [([], [])], "random": LITTER},
        "t": {"fixed": [(["herd"], ["center(x)"]), (["sex"], ["legendre(x, 2, 0, 12)"])], "random": LITTER},
        "v": {"fixed": [([], [])], "random": LITTER},
    },
    seed=42106497,
    n_animals=13,
    n_records=30,
    missing=0.0,
    apart=True,
    weight="weight",
    by=None,
    group_variance=None,
)


#: The shift of the cross-product was shared by two small pivots, neither of which was small enough to be looked at.
SHARED_DEPENDENCY = Drawn(
    traits={
        "y": {"fixed": [(["sex"], ["spline(x, knots(0, 5, 12))"])], "random": LITTER},
        "t": {"fixed": [([], [])], "random": LITTER},
        "v": {"fixed": [([], [])], "random": LITTER},
    },
    seed=0,
    n_animals=8,
    n_records=25,
    missing=0.0,
    apart=True,
    weight="weight",
    by=None,
    group_variance=None,
)


#: Two of three coefficients set to zero left nearly nothing of the dependency for the third: PEV lost half their digits.
CONSTRAINED_TWICE = Drawn(
    traits={
        "y": {"fixed": [([], [])], "random": LITTER},
        "t": {"fixed": [([], [])], "random": LITTER},
        "v": {"fixed": [([], ["x"]), (["sex"], ["legendre(x, 2, 0, 12)"]), ([], ["spline(x, 4)"])], "random": LITTER},
    },
    seed=3,
    n_animals=12,
    n_records=47,
    missing=0.1,
    apart=False,
    weight=None,
    by=None,
    group_variance=None,
)

SPLINE = "bspline(x, quantiles(5), 0, 12, degree(2))"
#: A candidate that depended on nothing hid one of nine dependencies: squares of ‖X v‖ had lost the small ones.
OVERSHADOWED = Drawn(
    traits={
        "y": {"fixed": [([], [])], "random": [("genetic", "id", None, None)]},
        "t": {"fixed": [([], []), (["herd"], [])], "random": [("genetic", "id", None, None)]},
        "v": {"fixed": [([], ["legendre(x, 3)"]), ([], [SPLINE]), (["herd", "sex"], ["x", "w"])], "random": LITTER},
        "z": {"fixed": [([], [])], "random": LITTER},
    },
    seed=7009,
    n_animals=19,
    n_records=39,
    missing=0.0,
    apart=True,
    weight=None,
    by=None,
    group_variance=None,
)


@FEW
@example(HIDDEN_DEPENDENCY)
@example(SHARED_DEPENDENCY)
@example(CONSTRAINED_TWICE)
@example(OVERSHADOWED)
@given(models())
def test_any_model_equals_its_matrices(drawn):
    check(drawn)


@pytest.mark.slow
@MANY
@given(models())
def test_many_models_equal_their_matrices(drawn):
    check(drawn)


@pytest.mark.parametrize("seed", range(3))
def test_pen_mates_add_up_alike_for_any_number_of_threads(seed):
    rng = np.random.default_rng(seed)
    animal, pen = rng.integers(-1, 4000, 9000).astype(np.int32), rng.integers(-1, 300, 9000).astype(np.int32)
    rows = np.flatnonzero(rng.random(9000) < 0.9)
    mates = find_pen_mates(animal, pen, rows)
    for k in rng.integers(0, len(rows), 200):
        own, where = animal[rows[k]], pen[rows[k]]
        others = set(animal[(pen == where) & (animal >= 0)].tolist()) - {int(own)} if own >= 0 and where >= 0 else set()
        assert mates.animal[mates.pointer[k] : mates.pointer[k + 1]].tolist() == sorted(others)
