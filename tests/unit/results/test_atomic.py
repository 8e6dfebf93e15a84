"""A file is there whole, or as it was."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import h5py
import pytest

from breedeval.errors import OutputError
from breedeval.results.atomic import check_writable, remove_leftovers, written_whole
from breedeval.results.sink import Sink

ROOT = Path(__file__).resolve().parents[3]


def fail_half_way(path: Path, error: BaseException) -> None:
    with written_whole(path) as temporary:
        temporary.write_text("half")
        raise error


def test_file_gets_its_name_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with written_whole(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
        assert temporary.parent == tmp_path
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_nothing_is_left_of_an_unfinished_file(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error):
        fail_half_way(tmp_path / "a.txt", error())
    assert os.listdir(tmp_path) == []


def test_leftovers_of_dead_processes_are_removed(tmp_path: Path) -> None:
    path = tmp_path / "a[1].txt"
    code = "import os, pathlib, sys; from breedeval.results.atomic import written_whole as w\n"
    code += "with w(pathlib.Path(sys.argv[1])) as t:\n    t.write_text('half'); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", code, str(path)], check=False, env={**os.environ, "PYTHONPATH": str(ROOT)})
    (tmp_path / ".other.txt.01234567.partial").touch()
    assert len(os.listdir(tmp_path)) == 2
    with written_whole(path) as alive:
        alive.write_text("whole")
        assert remove_leftovers(path) == (1, 4)
        assert sorted(os.listdir(tmp_path)) == sorted([".other.txt.01234567.partial", alive.name])
    assert path.read_text() == "whole"
    assert remove_leftovers(path) == (0, 0)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(28, "No space left on device"), "a.txt could not be written: No space left on device."),
        (
            OSError("Unable to write (file write failed: errno = 28, error message = 'No space'\n, more)"),
            "No space left on device",
        ),
        (OSError("something else\nin two lines"), "a.txt could not be written: something else."),
    ],
)
def test_cause_is_said_in_a_few_words(tmp_path: Path, error: OSError, message: str) -> None:
    with pytest.raises(OutputError) as caught:
        fail_half_way(tmp_path / "a.txt", error)
    assert message in str(caught.value)
    assert "What was there before is untouched." in str(caught.value)
    assert "\n" not in str(caught.value)


def test_places_that_cannot_take_a_file(tmp_path: Path) -> None:
    check_writable(tmp_path / "a.txt", 1000)
    for path, message in (
        (tmp_path / "none" / "a.txt", "is not there"),
        (tmp_path, "is a folder"),
        (Path(os.devnull), "is no ordinary file"),
    ):
        with pytest.raises(OutputError, match=message):
            check_writable(path)
    with pytest.raises(OutputError, match="The results need about"):
        check_writable(tmp_path / "a.txt", 10**18)
    assert os.listdir(tmp_path) == []


def test_sink_keeps_the_error_from_hdf5_and_raises_it_at_the_end(tmp_path: Path) -> None:
    class Full:
        def __init__(self, path: Path) -> None:
            self._file = path.open("w+b", buffering=0)

        def write(self, data: memoryview) -> int:
            if self._file.tell() + len(data) > 4000:
                raise OSError(28, "No space left on device")
            return self._file.write(data)

        def __getattr__(self, name: str) -> object:
            return getattr(self._file, name)

    def write() -> None:
        with Sink(tmp_path / "a.h5") as sink:
            sink._file = Full(tmp_path / "a.h5")  # type: ignore[assignment]
            with h5py.File(sink, "w") as file:
                for name in "abc":
                    file[name] = [1.0] * 1000
                    file[name].attrs["text"] = "x" * 500
                written.append(float(file["a"][3]))

    written: list[float] = []
    with pytest.raises(OSError, match="No space left"):
        write()
    assert len(written) == 1, "HDF5 saw no error"


def test_sink_leaves_another_error_alone(tmp_path: Path) -> None:
    with pytest.raises(KeyError), Sink(tmp_path / "a.h5"):
        raise KeyError
