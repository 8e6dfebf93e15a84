"""Bad days: no room, no permission, Ctrl-C, kill. The results file is written whole or not at all; the old one stays."""

from __future__ import annotations

import io
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import h5py
import numpy as np
import pytest

from breedeval.results import atomic
from breedeval.results.schema import FORMAT
from breedeval.simulate.dairy import simulate_dairy
from breedeval.simulate.files import write_population
from tests.farm import Farm

ROOT = Path(__file__).resolve().parents[2]
DiskUsage = namedtuple("DiskUsage", ["total", "used", "free"])


def old_results() -> bytes:
    """What is recognized as results of an earlier run."""
    with io.BytesIO() as data:
        with h5py.File(data, "w") as file:
            file.attrs["format"] = FORMAT
        return data.getvalue()


OLD = old_results()


def only_old_is_left(farm: Farm) -> bool:
    """Whether ``out.h5`` is as it was and nothing else was written."""
    return (farm.folder / "out.h5").read_bytes() == OLD and not list(farm.folder.glob(".*partial"))


# --- places that cannot be written ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nowhere/out.h5", "is not there. Make it, or choose another with -o"),
        ("folder", "folder is a folder. Give the name of a file with -o"),
        ("rec.csv", "rec.csv is a file that this run reads"),
        ("./ped.csv", "ped.csv is a file that this run reads"),
        ("farm.yaml", "farm.yaml is a file that this run reads"),
        (os.devnull, "is no ordinary file"),
    ],
)
def test_target_that_cannot_be(farm: Farm, target: str, message: str) -> None:
    (farm.folder / "folder").mkdir()
    before = {path: path.read_bytes() for path in farm.folder.rglob("*") if path.is_file()}
    ended = farm.call("evaluate", "farm.yaml", "-q", "-o", target)
    assert (ended.status, message in ended.err) == (1, True), ended.err
    assert {path: path.read_bytes() for path in farm.folder.rglob("*") if path.is_file()} == before


def test_folder_without_permission_is_refused_before_anything_is_read(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "touch", refuse)  # the mode of a folder does not stop root
    farm.write("rec.csv", "")
    ended = farm.evaluate("-q")
    assert ended.status == 1
    assert f"Results cannot be written to {farm.folder}: Permission denied. Choose another place with -o." in ended.err


@pytest.mark.skipif(os.geteuid() == 0, reason="the mode of a folder does not stop root")
def test_mode_of_the_folder(farm: Farm) -> None:
    (farm.folder / "locked").mkdir(mode=0o500)
    ended = farm.call("evaluate", "farm.yaml", "-q", "-o", "locked/out.h5")
    assert (ended.status, "Permission denied" in ended.err) == (1, True)


def test_disk_that_has_too_little_room_is_refused_before_the_solution(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    (farm.folder / "out.h5").write_bytes(OLD)
    monkeypatch.setattr(atomic.shutil, "disk_usage", lambda _: DiskUsage(1_000_000, 900_000, 100_000))
    ended = farm.evaluate()
    assert ended.status == 1
    assert "The results need about 1 MB" in ended.err
    assert "solution:" not in ended.err
    assert only_old_is_left(farm)


# --- in a process of its own ------------------------------------------------------------------------------------------


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "breedeval", *arguments]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.mark.parametrize("n_bytes", [1_000, 5_000, 28_000])
def test_disk_that_fills_while_results_are_written(farm: Farm, n_bytes: int) -> None:
    # The limit below holds for every file: loops that are compiled and stored now need not be stored then.
    subprocess.run(command("evaluate", "farm.yaml", "-q", "-o", "warm.h5"), env=environment(), check=True)
    (farm.folder / "warm.h5").unlink()
    (farm.folder / "out.h5").write_bytes(OLD)
    ended = subprocess.run(
        command("evaluate", "farm.yaml", "-q", "-o", "out.h5"),
        env=environment(),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1, ended.stderr
    assert ended.stderr == "Error: out.h5 could not be written: File too large. What was there before is untouched.\n"
    assert only_old_is_left(farm)


@pytest.fixture
def long_run(farm: Farm) -> Farm:
    """A farm whose evaluation takes many rounds, with old results."""
    herd = farm.folder / "herd"
    write_population(simulate_dairy(np.random.default_rng(1), n_animals=20_000), herd)
    with (herd / "evaluation.yaml").open("a") as file:
        file.write("solver: {method: pcg, preconditioner: diagonal, stop: residual, tolerance: 1e-300, max_rounds: 1000000}\n")
        file.write("accuracy: {method: none}\n")
    (farm.folder / "out.h5").write_bytes(OLD)
    return farm


def stop_while_solving(farm: Farm, number: int, *more: str) -> tuple[int, str]:
    """Send a signal in the middle of the solution; exit status and standard error."""
    log = farm.folder / "log.txt"
    with log.open("w") as stream:
        process = subprocess.Popen(
            command("evaluate", "herd/evaluation.yaml", "-o", "out.h5", *more),
            env=environment(),
            stderr=stream,
            # A shell without terminal makes its background jobs deaf to Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        try:
            while "round 2:" not in log.read_text() and process.poll() is None:
                time.sleep(0.01)
            process.send_signal(number)
            status = process.wait()
        finally:
            process.kill()
    return status, log.read_text()


def test_ctrl_c_while_solving(long_run: Farm) -> None:
    status, said = stop_while_solving(long_run, signal.SIGINT)
    assert (status, said.splitlines()[-1]) == (130, "Stopped. Nothing was written.")
    assert "Traceback" not in said
    assert only_old_is_left(long_run)


def test_end_by_a_scheduler_while_solving(long_run: Farm) -> None:
    status, said = stop_while_solving(long_run, signal.SIGTERM)
    assert status == 128 + signal.SIGTERM
    assert "Traceback" not in said
    assert only_old_is_left(long_run)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_with_a_checkpoint(long_run: Farm, number: int) -> None:
    """A scheduler tells a run that can go on from one that failed."""
    status, said = stop_while_solving(long_run, number, "--checkpoint", "run.checkpoint")
    assert status == 128 + number
    assert said.splitlines()[-1].startswith("Stopped. The solution was interrupted. Give the same command again")
    assert (long_run.folder / "run.checkpoint").exists()
    assert only_old_is_left(long_run)


def test_kill_while_solving(long_run: Farm) -> None:
    status, _ = stop_while_solving(long_run, signal.SIGKILL)
    assert status == -signal.SIGKILL
    assert only_old_is_left(long_run)


#: Runs the command line, and dies as if killed when half of the file is written.
KILLED_WHILE_WRITING = """
import os, signal, sys
from breedeval.results import results_writer
def die(*_):
    os.kill(os.getpid(), signal.{signal})
results_writer._write_solver = die
from breedeval.cli.main import run
run(["evaluate", "farm.yaml", "-q", "-o", "out.h5"])
"""


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGINT"])
@pytest.mark.parametrize("there_is_an_old_file", [True, False])
def test_stopped_while_writing(farm: Farm, name: str, there_is_an_old_file: bool) -> None:
    if there_is_an_old_file:
        (farm.folder / "out.h5").write_bytes(OLD)
    code = KILLED_WHILE_WRITING.format(signal=name)
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(),
        # A shell without terminal makes its background jobs deaf to Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == {"SIGKILL": -9, "SIGTERM": 143, "SIGINT": 130}[name], ended.stderr
    assert (farm.folder / "out.h5").exists() == there_is_an_old_file
    if there_is_an_old_file:
        assert (farm.folder / "out.h5").read_bytes() == OLD
    left = list(farm.folder.glob(".out.h5.*.partial"))
    assert len(left) == (1 if name == "SIGKILL" else 0), "killed outright, the unfinished file stays under its hidden name"
    again = farm.evaluate()
    assert ("removed 1 unfinished file of killed runs beside" in again.err) == (name == "SIGKILL"), again.err
    assert not list(farm.folder.glob(".*.partial"))


def test_solution_that_is_not_good_enough_is_not_written(farm: Farm) -> None:
    (farm.folder / "out.h5").write_bytes(OLD)
    farm.change("title: Farm", "solver: {method: pcg, max_rounds: 1, ebv_error: 1e-12}\naccuracy: {method: none}")
    ended = farm.evaluate("-q")
    assert ended.status == 1
    assert "The equations are not solved well enough." in ended.err
    assert "Nothing was written." in ended.err
    assert only_old_is_left(farm)


# --- what reads the output --------------------------------------------------------------------------------------------


def test_reader_that_stops_reading(farm: Farm) -> None:
    farm.write("ped.csv", "id,sire,dam\n" + "".join(f"x{i},0,0\n" for i in range(20_000)) + "c,0,0\nd,0,0\ne,0,0\n")
    farm.change(", birth_year: born, sex: sex", "")
    assert farm.evaluate("-q").status == 0
    pipe = f"{shutil.which('env')} {' '.join(command('rank', 'out.h5', '--format', 'csv'))} | head -1"
    ended = subprocess.run(["bash", "-c", pipe], env=environment(), capture_output=True, text=True, check=False)
    assert ended.stdout.startswith("rank,id,ebv")
    assert ended.stderr == ""


def test_full_disk_behind_standard_output(farm: Farm) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    assert farm.evaluate("-q").status == 0
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            command("rank", "out.h5"), env=environment(), stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (ended.returncode, ended.stderr.splitlines()[0]) == (
        1,
        "Error: No space left on device. Is the disk full? May you read and write there?",
    )
