"""Which preconditioner a run takes, and what it says of it."""

from __future__ import annotations

import json

import pytest
from ruamel.yaml import YAML

import breedeval as be
from breedeval.equations.triangle import FactorBytes
from breedeval.evaluation import forecast as forecasts
from breedeval.evaluation import plan
from breedeval.evaluation.config import read_config
from breedeval.evaluation.config_sections import AccuracySection, SolverSection
from breedeval.evaluation.forecast import forecast
from breedeval.evaluation.inputs import prepare
from breedeval.evaluation.observer import Silence
from breedeval.evaluation.plan import WORTH_INCOMPLETE, choose_plan
from breedeval.evaluation.problem import set_up
from breedeval.results.provenance import StageClock


@pytest.mark.parametrize(
    ("written", "n", "wanted"),
    [
        ("auto", WORTH_INCOMPLETE, "incomplete_cholesky"),
        ("auto", WORTH_INCOMPLETE - 1, "block"),
        ("incomplete_cholesky", 5, "incomplete_cholesky"),
        ("block", 10**7, "block"),
        ("diagonal", 10**7, "diagonal"),
    ],
)
def test_choice(written, n, wanted):
    solver = SolverSection(method="pcg", preconditioner=written)
    assert choose_plan(solver, AccuracySection(), n, None, True).preconditioner == wanted


class Listener(Silence):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def small_run(root, folder):
    config = YAML(typ="safe").load((root / "configs" / "herd_book.yaml").read_text())
    config |= {"solver": {"method": "pcg", "threads": 1}, "accuracy": {"method": "none"}}
    for section in ("pedigree", "records"):
        config[section]["file"] = str((root / "configs" / config[section]["file"]).resolve())
    path = folder / "run.yaml"
    path.write_text(json.dumps(config))
    return path


def test_run_says_what_it_took_and_what_it_cost(root, tmp_path):
    listener = Listener()
    run = be.evaluate(small_run(root, tmp_path), observer=listener)
    said = "\n".join(listener.lines)
    assert "solver: incomplete Cholesky preconditioner, stop when ebv_error" in said
    assert "coefficients, " in said
    assert "factorized in" in said
    assert run.solve.method == "PCG with incomplete Cholesky preconditioner"
    assert "preconditioner" in [stage["name"] for stage in run.record["stages"]]


def test_check_counts_the_memory_of_the_factor(root, tmp_path, monkeypatch):
    config = read_config(small_run(root, tmp_path))

    def more() -> float:
        inputs = prepare(config, StageClock(), Silence())
        return forecast(set_up(config, inputs, StageClock(), Silence())).more_mib

    with_factor = more()
    monkeypatch.setattr(plan, "WORTH_INCOMPLETE", 10**9)
    assert with_factor > more()


def test_memory_of_a_start_from_older_results_is_foreseen(root, tmp_path, monkeypatch):
    """Guess, slow direction and their products stand side by side before the vectors of PCG are made."""
    config = read_config(small_run(root, tmp_path))
    problem = set_up(config, prepare(config, StageClock(), Silence()), StageClock(), Silence())
    monkeypatch.setattr(forecasts, "predict_factor_bytes", lambda _: FactorBytes(0, 0))
    more = [forecast(problem, starts=starts).more_mib for starts in (False, True)]
    assert more[1] - more[0] > 80 * problem.equations.order / 2**20
