"""The examples of README.md and docs/ run, and give what they say."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from ruamel.yaml import YAML

from breedeval.evaluation.schema import config_schema

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


class Block(NamedTuple):
    kind: str
    text: str


def blocks_of(page: Path, *kinds: str) -> list[Block]:
    return [block for block in map(Block._make, BLOCK.findall(page.read_text(encoding="utf-8"))) if block.kind in kinds]


def pages_with(*kinds: str) -> list[object]:
    return [pytest.param(page, id=page.name) for page in PAGES if blocks_of(page, *kinds)]


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like the project's, with the command breedeval, in which examples may write."""
    for name in ("pedigrees", "configs"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "results").mkdir()
    command = tmp_path / "bin" / "breedeval"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m breedeval "$@"\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", pages_with("console"))
def test_commands_print_what_the_page_shows(page: Path, sandbox: Path) -> None:
    for block in blocks_of(page, "console"):
        for command, shown in commands_of(block.text):
            run = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=sandbox)
            assert run.returncode == 0, f"$ {command}\n{run.stderr}"
            assert matches(shown, run.stdout), f"$ {command}\n--- the page shows\n{shown}\n--- it prints\n{run.stdout}"


def commands_of(text: str) -> list[tuple[str, str]]:
    """Each line that begins with ``$``, and what stands below it."""
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]
    return [(part.partition("\n")[0], part.partition("\n")[2]) for part in parts]


def matches(shown: str, printed: str) -> bool:
    """Whether a command prints what is shown; a line ``...`` stands for any lines, blanks at line ends do not count."""
    pattern = "".join(r"(?:.*\n)*?" if line == "..." else re.escape(line) + r"\n" for line in lines_of(shown))
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in lines_of(printed))) is not None


def lines_of(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]


@pytest.mark.parametrize(
    ("shown", "printed", "expected"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\n...\nd\n", "a\nb\nc\nd\n", True),
        ("a\n...\n", "a\nb\nc", True),
        ("a\n...\nd\n", "a\nb\nc\n", False),
        ("a.b\n", "axb\n", False),
        ("", "", True),
        ("", "a", False),
    ],
)
def test_comparison_of_output(shown: str, printed: str, expected: bool) -> None:
    assert matches(shown, printed) == expected


@pytest.mark.parametrize("page", pages_with("python"))
def test_python_gives_what_the_page_shows(page: Path, sandbox: Path) -> None:
    text = "\n".join(block.text for block in blocks_of(page, "python"))
    test = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    assert test.examples, "a block of Python has no example"
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    runner.run(test, out=report.append)
    assert not runner.failures, "".join(report)


@pytest.mark.parametrize("page", pages_with("yaml"))
def test_yaml_is_yaml(page: Path) -> None:
    for block in blocks_of(page, "yaml"):
        assert isinstance(YAML(typ="safe").load(block.text), dict)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_page_on_the_configuration_names_every_key_and_no_other() -> None:
    text = (ROOT / "docs/config.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in text.splitlines() if line.startswith("| `"))))
    schema = config_schema()
    keys = {key for name in sections_of(schema) for key in schema["$defs"][name]["properties"]}
    in_values = {"labels", "matrix", "bend", "by", "up_to", "matrices", "file"}
    assert named == keys | in_values
    for section in schema["properties"]:
        assert f"`{section}`" in text


def sections_of(schema: dict) -> list[str]:
    """The sections whose keys stand in a table of the page."""
    wanted = (
        "PedigreeSection",
        "RecordsSection",
        "SolverSection",
        "AccuracySection",
        "PublishedSection",
        "RelationshipSection",
        "EstimateSection",
    )
    return [name for name in schema["$defs"] if name in wanted]
