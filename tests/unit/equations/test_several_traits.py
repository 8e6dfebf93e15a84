"""Several traits, maternal effects, random regressions and slopes: the same equations, with more columns."""

from __future__ import annotations

import numpy as np
import pytest

from tests.random_models import pair, random_frame, random_rows
from tests.several_trait_models import ANIMAL, MODELS, ONE, TWO, several_trait_model, social


@pytest.fixture(params=[*MODELS, social], ids=lambda make: make.__name__, scope="module")
def both(request):
    return several_trait_model(request.param)


def test_equations(both):
    place, c, b = both.to_dense(), *both.dense.equations()
    c, b, equations = c[np.ix_(place, place)], b[place], both.model.equations
    scale = np.abs(c).max()
    np.testing.assert_allclose(equations.to_csr().toarray(), c, atol=1e-12 * scale)
    np.testing.assert_allclose(equations.multiply(np.eye(len(b))), c, atol=1e-12 * scale)
    np.testing.assert_allclose(equations.right_hand_side, b, atol=1e-12 * np.abs(b).max())
    for block in equations.layout.blocks:
        part = c[block.equations, block.equations].reshape(block.n_levels, block.n_columns, block.n_levels, block.n_columns)
        whole, found = np.einsum("iaib->iab", part), equations.diagonal_blocks(block)
        if block.relationship == "pedigree":  # products of two terms that meet in one level may be left out
            np.testing.assert_allclose(np.einsum("iaa->ia", found), np.einsum("iaa->ia", whole), atol=1e-12 * scale)
        else:
            np.testing.assert_allclose(found, whole, atol=1e-12 * scale)


def test_solutions(both):
    model, n_fixed, place = both.model, both.dense.n_fixed, both.to_dense()
    _, u, pev = both.dense.solve_least_squares()
    wanted = place[n_fixed:] - n_fixed
    for result in (
        *(model.solve_pcg(name) for name in ("incomplete_cholesky", "block", "diagonal")),
        model.solve_direct("supernodal"),
    ):
        assert result.status.is_good, result.sentence()
        np.testing.assert_allclose(result.solution[n_fixed:], u[wanted], atol=1e-8)
    np.testing.assert_allclose(model.pev("supernodal")[n_fixed:], pev[wanted], rtol=1e-9)
    assert model.null_space.dimension == n_fixed - np.linalg.matrix_rank(both.dense.x)


def test_uncorrelated_traits_are_two_models():
    rng = np.random.default_rng(8)
    rows = random_rows(rng, 25)
    frame = random_frame(rng, rows, 70, ["y", "t"], 0.0)
    models = {"y": {"fixed": ONE, "random": [ANIMAL]}, "t": {"fixed": TWO, "random": [ANIMAL]}}
    genetic, residual = {"y": 1.2, "t": 0.4}, {"y": 2.0, "t": 0.9}
    labels = ["y:id", "t:id"]
    joint = pair(
        rows, frame, models, {"genetic": (labels, np.diag([1.2, 0.4]).tolist())}, {"all": np.diag([2.0, 0.9]).tolist()}
    )
    together = joint.model.design.layout.genetic.view(joint.model.solve_direct("supernodal").solution)
    for j, t in enumerate("yt"):
        single = pair(rows, frame, {t: models[t]}, {"genetic": ([f"{t}:id"], [[genetic[t]]])}, {"all": [[residual[t]]]})
        alone = single.model.design.layout.genetic.view(single.model.solve_direct("supernodal").solution)
        np.testing.assert_allclose(together[:, j], alone[:, 0], atol=1e-10)
