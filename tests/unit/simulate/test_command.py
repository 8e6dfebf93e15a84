"""``breedeval simulate dairy``: files, the same for the same seed; wrong use is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from breedeval.cli.simulate import simulate
from breedeval.errors import ConfigError
from breedeval.evaluation.config import read_config


def run(*arguments: str | Path) -> int:
    result = CliRunner().invoke(simulate, ["dairy", *map(str, arguments)])
    if isinstance(result.exception, ConfigError):
        raise result.exception
    return result.exit_code


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        assert run("-o", tmp_path / name, "--animals", 800, "--years", 8, "--seed", seed) == 0
    a, b, c = ((tmp_path / name / "records.csv").read_bytes() for name in "abc")
    assert a == b != c


def test_the_configuration_is_ready_and_has_the_variances_of_the_simulation(tmp_path: Path) -> None:
    assert run("-o", tmp_path / "herd", "--animals", 800, "--years", 8, "--h2", 0.333, "--permanent-share", 0.1) == 0
    config = read_config(tmp_path / "herd" / "evaluation.yaml")
    assert config.variances["genetic"] == pytest.approx(0.333 * 1200**2, rel=1e-12)
    assert config.variances["permanent"] == pytest.approx(0.1 * 1200**2, rel=1e-12)
    assert sum(config.variances.values()) == pytest.approx(1200**2, rel=1e-12)
    assert config.pedigree is not None
    assert Path(config.pedigree.file).is_file()
    assert Path(config.records.file).is_file()


def test_what_cannot_be_simulated_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="h2 is 2"):
        run("-o", tmp_path / "herd", "--h2", 2)
    assert run("-o", tmp_path / "herd", "--seed", -1) == 2
    assert list(tmp_path.iterdir()) == []


def test_help_keeps_the_lines_of_its_example() -> None:
    shown = CliRunner().invoke(simulate, ["dairy", "--help"]).output
    assert "\n    breedeval simulate dairy -o herd --animals 5000 --seed 7\n" in shown
