"""The rule that stops PCG: the largest error of an EBV is estimated from above, and not much too high."""

from __future__ import annotations

import numpy as np
import pytest

from breedeval.evaluation.config import read_config
from breedeval.evaluation.inputs import prepare
from breedeval.evaluation.observer import Silence
from breedeval.evaluation.preconditioning import build_preconditioner
from breedeval.evaluation.problem import set_up
from breedeval.results.provenance import StageClock
from breedeval.solvers.pcg import pcg
from breedeval.solvers.stopping import StoppingRule

#: What an evaluation centre would call models of different kinds: several traits, maternal, repeated records, groups, inbred
#: herd book, random regression, heterogeneous residual variance.
CONFIGS = [
    "blue_tits_tarsus",
    "blue_tits_two_traits",
    "blupf90_hetres",
    "blupf90_sim4641_four_traits",
    "genetic_groups_sim",
    "globulus",
    "gryphon_model4",
    "gryphon_two_traits",
    "herd_book",
    "holstein_milk",
    "merino",
    "merino_maternal",
    "mrode_random_regression",
]


@pytest.mark.parametrize("name", CONFIGS)
def test_estimate_is_above_the_largest_error_and_at_most_thirty_times(name, root, refdata, monkeypatch):
    monkeypatch.setenv("BREEDEVAL_REFDATA", str(refdata(".")))
    config, clock = read_config(root / f"configs/{name}.yaml"), StageClock()
    inputs = prepare(config, clock, Silence())
    problem = set_up(config, inputs, clock, Silence())
    equations, b, ebv = problem.equations, problem.equations.right_hand_side, problem.ebv
    nearly = problem.dependencies.nearly(equations.order)
    best = build_preconditioner("incomplete_cholesky", equations, nearly, Silence())
    exact = pcg(equations, b, best, StoppingRule("residual_squared", 1e-25, 2000))
    truth = problem.dependencies.to_constraints(exact.solution)
    for kind in ("incomplete_cholesky", "block"):
        preconditioner = best if kind == "incomplete_cholesky" else build_preconditioner(kind, equations, nearly, Silence())
        result = pcg(equations, b, preconditioner, StoppingRule(), problem.ebv_scale, ebv=ebv)
        difference = (problem.dependencies.to_constraints(result.solution) - truth)[ebv.first : ebv.end]
        error = np.abs(difference.reshape(-1, len(ebv.inverse_sd)) * ebv.inverse_sd).max()
        assert result.status.is_good
        assert error <= 1e-4
        if result.final.ebv_error > 1e-11:  # below is rounding error
            assert error <= result.final.ebv_error <= 30 * error, kind
