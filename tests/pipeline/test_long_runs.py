"""Long runs: checkpoints, runs that go on after a kill, and a first guess from older results."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import breedeval as be
from breedeval.errors import InterruptedRunError, MemoryShortError, OutputError, ResultsError
from breedeval.evaluation import checkpoint as checkpoints
from breedeval.evaluation import forecast, solution, storage
from breedeval.evaluation.observer import Silence
from breedeval.results import scratch
from breedeval.simulate.dairy import simulate_dairy
from breedeval.simulate.files import write_population
from breedeval.solvers.pcg import Recurrence

require = scratch.Scratch.require
ROOT = Path(__file__).resolve().parents[2]
SOLVER = "solver: {{method: pcg, preconditioner: diagonal, checkpoint_minutes: {minutes}, stop: residual, tolerance: 1e-11}}\n"


@pytest.fixture(scope="module")
def herd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A herd book with its evaluation."""
    folder = tmp_path_factory.mktemp("herd")
    write_population(simulate_dairy(np.random.default_rng(1), n_animals=3_000), folder)
    return folder


def write_config(folder: Path, name: str = "run.yaml", minutes: float = 1e-9, solver: str = SOLVER) -> Path:
    path = folder / name
    text = (folder / "evaluation.yaml").read_text()
    path.write_text(text + solver.format(minutes=minutes) + "accuracy: {method: none}\n")
    return path


class KilledError(Exception):
    """Stands for a process that is killed."""


@contextmanager
def kill_at(monkeypatch: pytest.MonkeyPatch, rounds: int) -> Iterator[None]:
    """Let the run die at the end of a round, after the checkpoint that is written there."""
    keep = solution.Checkpoints.keep

    def keep_and_die(self: solution.Checkpoints, state: object) -> bool:
        keep(self, state)  # type: ignore[arg-type]
        if state.rounds == rounds:  # type: ignore[attr-defined]
            raise KilledError
        return False

    with monkeypatch.context() as patch:
        patch.setattr(solution.Checkpoints, "keep", keep_and_die)
        yield


def test_a_run_that_was_killed_ends_with_the_same_bits(herd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, checkpoint = write_config(herd), tmp_path / "run.checkpoint"
    straight = be.evaluate(config)
    with kill_at(monkeypatch, 30), pytest.raises(KilledError):
        be.evaluate(config, checkpoint=checkpoint)
    assert checkpoint.exists()
    resumed = be.evaluate(config, checkpoint=checkpoint)
    assert np.array_equal(resumed.ebv("milk")["ebv"], straight.ebv("milk")["ebv"])
    assert resumed.solve.rounds == straight.solve.rounds
    np.testing.assert_array_equal([c.residual for c in resumed.solve.history], [c.residual for c in straight.solve.history])
    assert not checkpoint.exists(), "a run that is done needs no checkpoint"


def test_checkpoint_of_other_equations_is_refused(herd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = tmp_path / "run.checkpoint"
    with kill_at(monkeypatch, 5), pytest.raises(KilledError):
        be.evaluate(write_config(herd), checkpoint=checkpoint)
    other = write_config(herd, "other.yaml")
    other.write_text(other.read_text().replace("  residual: ", "  residual: 1"))
    with pytest.raises(ResultsError, match="is a checkpoint of other equations"):
        be.evaluate(other, checkpoint=checkpoint)


@pytest.mark.parametrize("content", [b"", b"no HDF5"])
def test_checkpoint_that_is_something_else(herd: Path, tmp_path: Path, content: bytes) -> None:
    checkpoint = tmp_path / "run.checkpoint"
    checkpoint.write_bytes(content)
    with pytest.raises(ResultsError, match="cannot be read as a checkpoint"):
        be.evaluate(write_config(herd), checkpoint=checkpoint)
    assert checkpoint.read_bytes() == content


def test_interruption_writes_the_checkpoint(herd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, checkpoint = write_config(herd, minutes=1e9), tmp_path / "run.checkpoint"
    keep = solution.Checkpoints.keep

    def signal_once(self: solution.Checkpoints, state: object) -> bool:
        if state.rounds == 12:  # type: ignore[attr-defined]
            os.kill(os.getpid(), signal.SIGINT)
        return keep(self, state)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(solution.Checkpoints, "keep", signal_once)
        with pytest.raises(InterruptedRunError, match="go on from the checkpoint"):
            be.evaluate(config, checkpoint=checkpoint)
    straight, resumed = be.evaluate(config), be.evaluate(config, checkpoint=checkpoint)
    assert np.array_equal(resumed.ebv("milk")["ebv"], straight.ebv("milk")["ebv"])


@pytest.mark.parametrize("there_before", [True, False])
def test_interruption_whose_checkpoint_cannot_be_written(
    herd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there_before: bool
) -> None:
    config, path = write_config(herd, minutes=1e-9 if there_before else 1e9), tmp_path / "run.checkpoint"
    keep, write = solution.Checkpoints.keep, checkpoints.write_checkpoint

    def signal_once(self: solution.Checkpoints, state: object) -> bool:
        if state.rounds == 12:  # type: ignore[attr-defined]
            os.kill(os.getpid(), signal.SIGINT)
        return keep(self, state)  # type: ignore[arg-type]

    def write_until_full(path: Path, state: Recurrence, of: str) -> None:
        if state.rounds >= 12:
            raise OutputError("The disk is full.")
        write(path, state, of)

    monkeypatch.setattr(solution.Checkpoints, "keep", signal_once)
    monkeypatch.setattr(checkpoints, "write_checkpoint", write_until_full)
    then = "goes on from the checkpoint before" if there_before else "begins anew, as there is no checkpoint"
    with pytest.raises(InterruptedRunError, match=f"The disk is full. The same command {then}"):
        be.evaluate(config, checkpoint=path)
    assert path.exists() == there_before


def test_kill_at_any_moment(herd: Path, tmp_path: Path) -> None:
    solver = (
        "solver: {{method: pcg, preconditioner: diagonal, checkpoint_minutes: {minutes}, stop: residual, tolerance: 1e-300}}\n"
    )
    config, checkpoint, log = write_config(herd, "long.yaml", solver=solver), tmp_path / "run.checkpoint", tmp_path / "log"
    with log.open("w") as stream:
        command = [sys.executable, "-m", "breedeval", "evaluate", str(config), "-o", str(tmp_path / "out.h5")]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen([*command, "--checkpoint", str(checkpoint)], env=environment, stderr=stream)
        try:
            while "round 4:" not in log.read_text() and process.poll() is None:
                time.sleep(0.005)
        finally:
            process.kill()
        process.wait()
    assert checkpoint.exists(), log.read_text()
    finishing = write_config(herd, "long.yaml")
    straight, resumed = be.evaluate(finishing), be.evaluate(finishing, checkpoint=checkpoint)
    assert np.array_equal(resumed.ebv("milk")["ebv"], straight.ebv("milk")["ebv"])
    assert not (tmp_path / "out.h5").exists()


def without_last_year(herd: Path, folder: Path) -> Path:
    """Copy a herd book without the records of the last year."""
    for name in ("pedigree.csv", "evaluation.yaml"):
        (folder / name).write_text((herd / name).read_text())
    header, *lines = (herd / "records.csv").read_text().splitlines()
    column = header.split(",").index("herd_year")
    years = sorted({line.split(",")[column].rsplit("-", 1)[-1] for line in lines})
    kept = [line for line in lines if not line.split(",")[column].endswith(f"-{years[-1]}")]
    (folder / "records.csv").write_text("\n".join([header, *kept]) + "\n")
    return folder


def test_start_from_older_results(herd: Path, tmp_path: Path) -> None:
    older = tmp_path / "older.h5"
    be.evaluate(write_config(without_last_year(herd, tmp_path)), results=older)
    config = write_config(herd)
    cold, warm = be.evaluate(config), be.evaluate(config, start=older)
    assert warm.solve.rounds < cold.solve.rounds
    scale = cold.ebv("milk")["ebv"].std()
    np.testing.assert_allclose(warm.ebv("milk")["ebv"], cold.ebv("milk")["ebv"], rtol=0, atol=1e-7 * scale)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_year_of_records_added_to_ten_saves_two_rounds_of_five(tmp_path: Path, seed: int) -> None:
    cold, warm = rounds_without_and_with_start(20_000, seed, tmp_path)
    assert warm <= 0.6 * cold


def rounds_without_and_with_start(n: int, seed: int, folder: Path) -> tuple[int, int]:
    herd, older = folder / "herd", folder / "older.h5"
    write_population(simulate_dairy(np.random.default_rng(seed), n_animals=n, years=13), herd)
    (folder / "without").mkdir()
    solver = "solver: {{method: pcg, preconditioner: incomplete_cholesky}}\n"
    be.evaluate(write_config(without_last_year(herd, folder / "without"), solver=solver), results=older)
    config = write_config(herd, solver=solver)
    cold, warm = be.evaluate(config), be.evaluate(config, start=older)
    tight = write_config(herd, "tight.yaml", solver="solver: {{method: pcg, stop: residual, tolerance: 1e-12}}\n")
    error = (warm.ebv("milk")["ebv"] - be.evaluate(tight).ebv("milk")["ebv"]).abs().max()
    assert error <= 1e-4 * np.sqrt(432_000)
    return cold.solve.rounds, warm.solve.rounds


def test_start_from_the_same_evaluation_stops_at_once(herd: Path, tmp_path: Path) -> None:
    config, older = write_config(herd), tmp_path / "older.h5"
    be.evaluate(config, results=older)
    text = config.read_text().replace("tolerance: 1e-11", "tolerance: 1e-9")
    config.write_text(text)
    assert be.evaluate(config, start=older).solve.rounds <= 1


@pytest.mark.parametrize("solver", ["preconditioner: incomplete_cholesky", "preconditioner: block"])
def test_records_on_disk_give_the_same_bits(herd: Path, tmp_path: Path, solver: str) -> None:
    text = f"solver: {{{{method: pcg, {solver}, records: {{where}}}}}}\n"
    found = {}
    for where in ("memory", "disk"):
        config = write_config(herd, f"{where}.yaml", solver=text.replace("{where}", where))
        found[where] = be.evaluate(config, results=tmp_path / f"{where}.h5")
    np.testing.assert_array_equal(found["disk"].solutions.values, found["memory"].solutions.values)
    assert found["disk"].solve.rounds == found["memory"].solve.rounds
    assert {path.name for path in tmp_path.iterdir()} == {"memory.h5", "disk.h5"}, "nothing is left of the records on disk"


def test_interrupted_run_leaves_no_records_on_disk(herd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(solution.Checkpoints, "keep", interrupt)
    config = write_config(herd, "disk.yaml", solver="solver: {{method: pcg, records: disk}}\n")
    with pytest.raises(KeyboardInterrupt):
        be.evaluate(config, results=tmp_path / "run.h5")
    assert not list(tmp_path.iterdir())


def test_short_memory_is_refused_before_the_solution(herd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast, "available_memory_mib", lambda: 1.0)
    with pytest.raises(MemoryShortError, match=r"needs about [\d,]+ MiB more memory, and 1 MiB are .*preconditioner: block"):
        be.evaluate(write_config(herd, "short.yaml", solver="solver: {{method: pcg, preconditioner: incomplete_cholesky}}\n"))


def test_records_go_to_disk_when_memory_is_short(herd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    class Listener(Silence):
        def say(self, line: str) -> None:
            said.append(line)

    monkeypatch.setattr(storage, "available_memory_mib", lambda: 1.0)
    config = write_config(herd, "auto.yaml", solver="solver: {{method: pcg, preconditioner: block}}\n")
    be.evaluate(config, observer=Listener())
    assert any("on disk in" in line and "auto: 1 MiB of memory" in line for line in said)


def test_full_disk_is_refused_before_the_solution(herd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch.shutil, "disk_usage", lambda _: SimpleNamespace(free=10_000_000))
    monkeypatch.setattr(scratch.Scratch, "require", lambda self, _: require(self, 10**9))
    config = write_config(herd, "disk.yaml", solver="solver: {{method: pcg, records: disk}}\n")
    with pytest.raises(OutputError, match=r"need about 1,000 MB, and .* has 10 MB free\. Make room"):
        be.evaluate(config, results=tmp_path / "run.h5")
