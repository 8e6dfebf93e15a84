"""Random groups with a large variance: what only this holds in its place must not be hidden from conjugate gradients."""

from __future__ import annotations

import numpy as np
import pytest

import breedeval as be
from breedeval.evaluation import dependencies
from breedeval.evaluation.config import read_config
from breedeval.evaluation.inputs import prepare
from breedeval.evaluation.observer import Silence
from breedeval.evaluation.problem import set_up
from breedeval.results.provenance import StageClock
from breedeval.simulate.dairy import simulate_dairy
from breedeval.simulate.files import write_population

GENETIC_SD = np.sqrt(432_000)


@pytest.fixture(scope="module")
def herd(tmp_path_factory):
    folder = tmp_path_factory.mktemp("herd")
    write_population(simulate_dairy(np.random.default_rng(1), n_animals=2_000), folder)
    return folder


def config_of(herd, kind, solver="method: pcg, preconditioner: incomplete_cholesky"):
    groups = f"groups: {{by: [birth_year], min_size: 50, {kind}}}"
    text = (herd / "evaluation.yaml").read_text().replace('unknown: ["0"]', f'unknown: ["0"]\n  {groups}')
    path = herd / "grouped.yaml"
    path.write_text(text + f"solver: {{{solver}}}\naccuracy: {{method: none}}\n")
    return path


@pytest.mark.parametrize("kind", ["effect: random, variance: 100", "effect: random, variance: 1", "gamma: {within: 0.6}"])
@pytest.mark.parametrize("tolerance", [1e-2, 1e-4])
def test_estimate_is_above_the_error(herd, kind, tolerance):
    exact = be.evaluate(config_of(herd, kind, "method: direct"))
    solver = f"method: pcg, preconditioner: incomplete_cholesky, ebv_error: {tolerance}"
    stopped = be.evaluate(config_of(herd, kind, solver))
    error = np.abs(stopped.ebv("milk")["ebv"] - exact.ebv("milk")["ebv"]).max() / GENETIC_SD
    assert error <= stopped.solve.final.ebv_error <= 30 * error


def test_a_shift_costs_nothing_but_the_variance_of_groups(herd):
    """All animals and groups up by one and the mean down: no record sees it, nor does A⁻¹."""
    config, clock = read_config(config_of(herd, "effect: random, variance: 100")), StageClock()
    inputs = prepare(config, clock, Silence())
    problem = set_up(config, inputs, clock, Silence())
    (shift,) = problem.dependencies.shifts.T
    assert inputs.genetics is not None
    genetic, n = problem.equations.layout.genetic, inputs.genetics.pedigree.n_animals
    values = genetic.view(shift)
    np.testing.assert_allclose(values, np.full_like(values, values[0, 0]), rtol=1e-9)
    product = problem.equations.multiply(shift)
    expected = np.zeros_like(product)
    covariance = problem.units[genetic.first] ** 2 / GENETIC_SD**2
    genetic.view(expected)[n:] = covariance * values[n:] / 100
    np.testing.assert_allclose(product, expected, atol=1e-9 * np.abs(problem.equations.diagonal() * shift).max())


def test_one_pass_over_the_records_serves_both_searches(herd, monkeypatch):
    """That of dependent fixed effects, and that of shifts."""
    config, clock, passes = read_config(config_of(herd, "effect: random, variance: 1")), StageClock(), []
    compress = dependencies.compress_rows
    monkeypatch.setattr(dependencies, "compress_rows", lambda x, rows: passes.append(x.shape[0]) or compress(x, rows))
    problem = set_up(config, prepare(config, clock, Silence()), clock, Silence())
    assert problem.dependencies.shifts.shape[1] == 1
    assert len(passes) == 1


@pytest.mark.parametrize("kind", ["effect: random, variance: 1", "gamma: {within: 0.6}"])
def test_traits_that_are_not_all_recorded(tmp_path, kind):
    """Rows of missing traits are left out of all columns that are searched alike."""
    (tmp_path / "pedigree.csv").write_text("id,sire,dam,born\n" + "".join(f"a{i},0,0,{2000 + i % 3}\n" for i in range(12)))
    values = ((f"a{i}", 3.0 + i % 5, "" if i % 3 else 2.0 + i % 4) for i in range(12))
    (tmp_path / "records.csv").write_text("id,milk,fat\n" + "".join(f"{a},{milk},{fat}\n" for a, milk, fat in values))
    text = f"""
pedigree:
  {{file: pedigree.csv, animal: id, sire: sire, dam: dam, unknown: ["0"], birth_year: born,
    groups: {{by: [birth_year], {kind}}}}}
records: {{file: records.csv, classes: [], covariates: [], missing: [""]}}
model: {{milk: genetic(id), fat: genetic(id)}}
variances:
  genetic: {{labels: ["milk:id", "fat:id"], matrix: [[1.0, 0.3], [0.3, 1.0]]}}
  residual: {{labels: [milk, fat], matrix: [[2.0, 0.1], [0.1, 2.0]]}}
"""
    path = tmp_path / "two.yaml"
    exact = be.evaluate(_written(path, text + "solver: {method: direct}\n"))
    stopped = be.evaluate(_written(path, text + "solver: {method: pcg}\n"))
    for trait in ("milk", "fat"):
        np.testing.assert_allclose(stopped.ebv(trait)["ebv"], exact.ebv(trait)["ebv"], atol=1e-4)


def _written(path, text):
    path.write_text(text)
    return path
