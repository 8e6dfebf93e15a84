"""What all tests share: where the reference data are, and how to run from the root of the project."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# The first call of a compiled function takes seconds: no deadline.
settings.register_profile("breedeval", deadline=None)
settings.load_profile("breedeval")

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run the tests marked slow as well")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--slow"):
        return
    skip = pytest.mark.skip(reason="slow; run with --slow")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the project."""
    return ROOT


@pytest.fixture(scope="session")
def refdata() -> Callable[[str], Path]:
    """Gives the folder of a reference data set; skips the test where BREEDEVAL_REFDATA is unset."""

    def folder(name: str) -> Path:
        home = os.environ.get("BREEDEVAL_REFDATA")
        if not home:
            pytest.skip("BREEDEVAL_REFDATA is not set")
        path = Path(home).resolve() / name
        assert path.is_dir(), f"{path} is not there"
        return path

    return folder
