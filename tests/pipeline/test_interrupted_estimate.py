"""An estimation that is interrupted leaves a file from which the next one goes on."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest

import breedeval as be
from breedeval.cli import console
from breedeval.cli.main import run
from breedeval.evaluation.observer import Silence


class Impatient(Silence):
    """Presses Ctrl-C when a round begins."""

    def __init__(self, at: str, number: int = signal.SIGINT) -> None:
        self.at, self.number, self.warnings = at, number, []

    def say(self, line: str) -> None:
        if line.startswith(self.at):
            os.kill(os.getpid(), self.number)

    def warn(self, line: str) -> None:
        self.warnings.append(line)


@pytest.fixture
def config(refdata, tmp_path: Path) -> Path:
    path = tmp_path / "sleepstudy.yaml"
    sections = {
        "records": {"file": str(refdata("lme4_sleepstudy") / "data.csv"), "covariates": ["days"]},
        "model": {"reaction": "days + random(subject, slope(days))"},
        "estimate": {"tests": "all", "intervals": "profile"},
    }
    path.write_text(json.dumps(sections))
    return path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_goes_on_where_it_was_interrupted(config: Path, tmp_path: Path, number: int) -> None:
    path, observer = tmp_path / "part.h5", Impatient("round 2", number)
    part = be.estimate(config, path, observer=observer)
    assert not part.converged
    assert part.maximum.ending.code == "interrupted"
    assert len(part.maximum.rounds) == 3
    assert any("interrupted" in line for line in observer.warnings)
    assert set(part.table()["kind"]).isdisjoint({"likelihood ratio test"})
    whole, rest = be.estimate(config), be.estimate(config, start=path)
    assert rest.maximum.rounds[0].log_likelihood == pytest.approx(part.maximum.rounds[-1].log_likelihood, abs=1e-9)
    assert len(rest.maximum.rounds) < len(whole.maximum.rounds)
    np.testing.assert_allclose(rest.maximum.theta, whole.maximum.theta, rtol=1e-5)


def test_a_second_time_stops_at_once(config: Path, tmp_path: Path) -> None:
    class Twice(Impatient):
        def warn(self, line: str) -> None:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        be.estimate(config, tmp_path / "part.h5", observer=Twice("round 1"))
    assert not (tmp_path / "part.h5").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_exit_status(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(console.Console, "say", lambda self, line: line.startswith("round 2") and os.kill(os.getpid(), number))
    with pytest.raises(SystemExit) as ended:
        run(["estimate", str(config), "-o", str(tmp_path / "part.h5"), "-q"])
    assert ended.value.code == 128 + number
    assert (tmp_path / "part.h5").exists()


@pytest.fixture
def hears_ctrl_c():
    """A shell without terminal makes its background jobs deaf to Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("hears_ctrl_c")
def test_without_a_file_it_ends(config: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        be.estimate(config, observer=Impatient("round 1"))
