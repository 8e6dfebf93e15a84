"""Clock, versions, machine, checksums: what a run was made with. The only part that asks for them."""

from __future__ import annotations

import hashlib
import os
import platform
import resource
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from breedeval.version import __version__

_STATUS = Path("/proc/self/status")
_PACKAGES = ("numpy", "scipy", "pandas", "numba", "h5py", "pydantic", "ruamel.yaml", "cvxopt", "pyarrow")


@dataclass(frozen=True)
class Stage:
    """Wall-clock seconds of one stage, and the largest memory of the process up to its end."""

    name: str
    seconds: float
    peak_mib: float


@dataclass
class StageClock:
    """Times the stages of a run, in order."""

    stages: list[Stage] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a block under a name."""
        began = time.perf_counter()
        yield
        self.stages.append(Stage(name, time.perf_counter() - began, peak_memory_mib()))


def peak_memory_mib() -> float:
    """Largest resident memory of this process so far, in MiB."""
    try:
        # Linux counts in the number below that of the program that started this one.
        lines = _STATUS.read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024.0
    except (OSError, ValueError, StopIteration):
        pass
    unit = 1024.0 if platform.system() != "Darwin" else 1024.0 * 1024.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def now() -> str:
    """The time in UTC, ISO 8601 to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """Versions of breedeval, Python and the packages that a result depends on."""
    found = {"breedeval": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """What the run was made on; no name of the host or the user."""
    return {"system": platform.system(), "architecture": platform.machine(), "cores": os.cpu_count()}


def describe_input(path: Path) -> dict[str, Any]:
    """Name, size and SHA-256 of an input file."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {"file": str(path), "bytes": path.stat().st_size, "sha256": digest}


def run_record(
    clock: StageClock, inputs: Mapping[str, Path], counts: Mapping[str, Any], choices: Mapping[str, Any]
) -> dict[str, Any]:
    """Everything that a reader of a results file may ask about the run, ready for JSON."""
    return {
        "versions": versions(),
        "machine": machine(),
        "inputs": {name: describe_input(path) for name, path in inputs.items()},
        "counts": dict(counts),
        "choices": dict(choices),
        "stages": [vars(stage) for stage in clock.stages],
    }
