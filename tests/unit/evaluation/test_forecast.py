"""Memory that is foreseen, against what the arrays take."""

from __future__ import annotations

from dataclasses import replace

import numba
import numpy as np
import pytest

from breedeval.equations.triangle import assemble_lower_triangle, predict_factor_bytes
from breedeval.evaluation.config import read_config
from breedeval.evaluation.forecast import forecast
from breedeval.evaluation.inputs import prepare
from breedeval.evaluation.observer import Silence
from breedeval.evaluation.problem import set_up
from breedeval.results.provenance import StageClock
from breedeval.simulate.dairy import simulate_dairy
from breedeval.simulate.files import write_population
from breedeval.simulate.pig import simulate_pig
from breedeval.solvers.incomplete_cholesky import IncompleteCholesky

SOLVER = "solver: {method: pcg, preconditioner: incomplete_cholesky}\naccuracy: {method: none}\n"
GROUPS = 'unknown: ["0"]\n  groups: {by: [birth_year], min_size: 50, effect: random, variance: 1}'


def set_up_of(folder, simulated, change=("", "")):
    write_population(simulated, folder)
    path = folder / "run.yaml"
    path.write_text((folder / "evaluation.yaml").read_text().replace(*change) + SOLVER)
    config = read_config(path)
    return set_up(config, prepare(config, StageClock(), Silence()), StageClock(), Silence())


@pytest.fixture(scope="module")
def problems(tmp_path_factory):
    """Nodes of one equation, and nodes of one, two and three."""
    rng = np.random.default_rng(1)
    dairy = set_up_of(tmp_path_factory.mktemp("dairy"), simulate_dairy(rng, n_animals=3_000))
    return {"dairy": dairy, "pig": set_up_of(tmp_path_factory.mktemp("pig"), simulate_pig(rng, n_animals=2_000))}


@pytest.mark.parametrize("population", ["dairy", "pig"])
@pytest.mark.parametrize(("threads", "within"), [(1, 0.1), (2, 0.35)])
def test_a_factor_keeps_what_is_foreseen(problems, population, threads, within):
    """One thread has no use for the factor's rows; those of several lack what is linked to the last equations."""
    equations, before = problems[population].equations, numba.get_num_threads()
    if threads > numba.config.NUMBA_NUM_THREADS:
        pytest.skip("one core")
    numba.set_num_threads(threads)
    try:
        foreseen = predict_factor_bytes(equations)
        kept = IncompleteCholesky.of(assemble_lower_triangle(equations)).n_bytes
    finally:
        numba.set_num_threads(before)
    assert foreseen.kept == pytest.approx(kept, rel=within)
    assert foreseen.making >= foreseen.kept


def test_directions_of_random_groups_are_foreseen(tmp_path):
    """Each is kept three times: as it was found, side by side with the others, and as C makes of it."""
    problem = set_up_of(tmp_path, simulate_dairy(np.random.default_rng(1), n_animals=3_000), ('unknown: ["0"]', GROUPS))
    assert problem.dependencies.shifts.shape[1] == 1
    none = replace(problem.dependencies, shifts=np.empty((problem.equations.order, 0)))
    without = replace(problem, dependencies=none)
    more = forecast(problem).more_mib - forecast(without).more_mib
    assert more == pytest.approx(3 * 8 * problem.equations.order / 2**20, rel=1e-6)
