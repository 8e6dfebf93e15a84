"""Memory that is there, as Linux tells it."""

from __future__ import annotations

from pathlib import Path

import pytest

from breedeval.results import memory


def test_memory_of_the_machine(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal:  2048000 kB\nMemFree:   10 kB\nMemAvailable:  1024000 kB\n")
    assert memory._of_machine(tmp_path / "meminfo") == pytest.approx(1000.0)
    assert memory._of_machine(tmp_path / "nothing") is None


@pytest.mark.parametrize(
    ("line", "folder", "limit", "usage"),
    [
        ("0::/job/step", "job", "memory.max", "memory.current"),
        ("4:memory:/job/step", "memory/job", "memory.limit_in_bytes", "memory.usage_in_bytes"),
    ],
)
def test_limit_of_a_group_above(tmp_path: Path, line: str, folder: str, limit: str, usage: str) -> None:
    group = tmp_path / folder
    (group / "step").mkdir(parents=True)
    (group / limit).write_text(f"{500 * 2**20}\n")
    (group / usage).write_text(f"{450 * 2**20}\n")
    (group / "memory.stat").write_text(f"active_file {20 * 2**20}\ninactive_file {30 * 2**20}\n")
    (tmp_path / "cgroup").write_text(f"1:cpu:/other\n{line}\n")
    assert memory._of_groups(tmp_path / "cgroup", tmp_path) == pytest.approx(100.0)


def test_no_limit(tmp_path: Path) -> None:
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "memory.max").write_text("max\n")
    (tmp_path / "cgroup").write_text("0::/job\n")
    assert memory._of_groups(tmp_path / "cgroup", tmp_path) is None


def test_resident_memory_is_at_most_the_largest() -> None:
    assert 0 < memory.resident_memory_mib() <= memory.peak_memory_mib() * 1.05
