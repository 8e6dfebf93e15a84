"""Arrays on disk for the time of a run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

from breedeval.errors import OutputError
from breedeval.results.scratch import Scratch

resource = pytest.importorskip("resource")


def test_work_takes_its_room_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file with holes would kill the process when the disk is full at the first write to one."""
    taken = []
    make = Scratch._file

    class Closing:
        def __init__(self, stream: BinaryIO) -> None:
            self.stream = stream

        def __enter__(self) -> BinaryIO:
            return self.stream

        def __exit__(self, *_: object) -> None:
            taken.append(512 * os.fstat(self.stream.fileno()).st_blocks)
            self.stream.close()

    monkeypatch.setattr(Scratch, "_file", lambda self: Closing(make(self)))
    work = Scratch(tmp_path).empty((50_000, 2))
    assert taken == [pytest.approx(8 * 100_000, rel=0.01)]
    assert work.shape == (50_000, 2)
    assert not work.any()


@pytest.mark.parametrize("way", [lambda s: s.empty((100_000,)), lambda s: s.put(np.ones(100_000))])
def test_disk_that_takes_no_more(tmp_path: Path, way) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(OutputError, match=r"cannot be written to .*: File too large. Make room"):
            way(Scratch(tmp_path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
