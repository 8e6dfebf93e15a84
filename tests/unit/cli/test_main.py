"""How the command line ends: errors as messages, and an exit status."""

from __future__ import annotations

import subprocess
import sys

import pytest

from breedeval.cli import main
from breedeval.errors import ConfigError
from breedeval.version import __version__


def ended(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as left:
        main.run(arguments)
    return int(left.value.code or 0)


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (ConfigError("farm.yaml is wrong."), 1, "Error: farm.yaml is wrong.\n"),
        (MemoryError("1 TiB."), 1, "Error: not enough memory. 1 TiB. 'breedeval check' predicts what a run needs.\n"),
        (PermissionError(13, "Permission denied", "x.csv"), 1, "Error: x.csv: Permission denied."),
        (KeyboardInterrupt(), 130, "Stopped. Nothing was written.\n"),
        (ZeroDivisionError("oh"), 1, "Error: ZeroDivisionError: oh\nThis is not a message that breedeval means you to see."),
    ],
)
def test_errors_become_messages(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, status: int, message: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(main.main, "main", fail)
    assert ended(["check"]) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(message)


def test_debug_shows_the_error_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ConfigError("wrong")

    monkeypatch.setattr(main.main, "main", fail)
    with pytest.raises(ConfigError):
        main.run(["check", "--debug"])


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["--version"]) == 0
    assert capsys.readouterr().out == f"breedeval, version {__version__}\n"
    assert ended(["-h"]) == 0
    said = capsys.readouterr().out
    assert all(command in said for command in main.COMMANDS)


LOADED = """
import sys
from breedeval.cli.main import run
try:
    run({arguments})
except SystemExit:
    pass
print(*(name for name in {modules} if name in sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("arguments", "modules"),
    [
        (["--help"], ["numpy", "pydantic", "ruamel", "numba", "pandas"]),
        (["check", "nothing.yaml"], ["numpy", "numba", "pandas", "scipy", "h5py", "rich"]),
        (["check", "configs/mrode_animal.yaml"], ["pandas", "h5py", "rich"]),
    ],
)
def test_a_command_loads_only_what_it_needs(arguments: list[str], modules: list[str], root) -> None:
    code = LOADED.format(arguments=arguments, modules=modules)
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == ""
