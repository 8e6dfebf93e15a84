"""Memory of this process, and how much more the machine has for it."""

from __future__ import annotations

import os
from pathlib import Path

from breedeval.results.provenance import peak_memory_mib

_STATM = Path("/proc/self/statm")
_MEMINFO = Path("/proc/meminfo")
_CGROUPS = Path("/proc/self/cgroup")
_CGROUP_ROOT = Path("/sys/fs/cgroup")
#: Limit and present use of a group of processes: of the second and the first version of control groups.
_V2 = ("memory.max", "memory.current")
_V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes")


def resident_memory_mib() -> float:
    """Resident memory of this process now, in MiB; where the system does not say, the largest so far."""
    try:
        pages = int(_STATM.read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return peak_memory_mib()
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def available_memory_mib() -> float | None:
    """Memory that this process may still take without swapping, in MiB; None where the system does not say.

    The smaller of what the machine has left (MemAvailable of Linux) and what the limit of a container or of a batch job leaves;
    pages of files that the system can drop at once count as free in both.
    """
    found = [mib for mib in (_of_machine(_MEMINFO), _of_groups(_CGROUPS, _CGROUP_ROOT)) if mib is not None]
    return min(found, default=None)


def _of_machine(meminfo: Path) -> float | None:
    try:
        lines = meminfo.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return int(rest.split()[0]) / 1024
    return None


def _of_groups(cgroups: Path, root: Path) -> float | None:
    """What the limits of the control groups of this process, and of the groups that hold them, leave."""
    try:
        lines = cgroups.read_text().splitlines()
    except OSError:
        return None
    found: list[float] = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        files, base = (_V1, root / "memory") if controllers else (_V2, root)
        group = base / path.lstrip("/")
        for folder in (group, *group.parents):
            found += _left(folder, *files)
            if folder == base:
                break
    return min(found, default=None)


def _left(folder: Path, limit_file: str, usage_file: str) -> list[float]:
    """What the limit of one group leaves, in MiB, in a list that is empty without a limit."""
    try:
        limit = int((folder / limit_file).read_text())
        usage = int((folder / usage_file).read_text())
        statistics = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return []
    droppable = int(statistics.get("inactive_file", 0)) + int(statistics.get("active_file", 0))
    return [max(0.0, (limit - usage + droppable) / 2**20)]
