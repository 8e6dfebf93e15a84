"""What the tests of the whole way share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.farm import Farm


@pytest.fixture
def farm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Farm:
    """A small farm whose evaluation works, in the current folder."""
    monkeypatch.chdir(tmp_path)
    return Farm(tmp_path, capsys)
