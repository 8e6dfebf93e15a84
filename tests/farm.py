"""A small farm on disk: a pedigree, records and a configuration that are right, to be spoiled one thing at a time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from breedeval.cli.main import run

PEDIGREE = "id,sire,dam,born,sex\na,0,0,2001,M\nb,0,0,2001,F\nc,a,b,2003,M\nd,a,b,2004,F\ne,c,0,2006,F\n"
RECORDS = "id,herd,milk,dim\nc,1,10.5,100\nd,1,11.5,120\ne,2,9.5,80\nd,2,12.5,90\n"
CONFIG = """\
title: Farm
pedigree: {file: ped.csv, animal: id, sire: sire, dam: dam, birth_year: born, sex: sex, unknown: ["0"]}
records:
  file: rec.csv
  classes: [herd]
  covariates: [dim]
model:
  milk: herd + dim + genetic(id)
variances:
  genetic: 0.3
  residual: 0.7
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended: exit status, standard output, standard error."""

    status: int
    out: str
    err: str


class Farm:
    """A folder, which is the current one, with ``ped.csv``, ``rec.csv`` and ``farm.yaml``."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys
        self.write("ped.csv", PEDIGREE)
        self.write("rec.csv", RECORDS)
        self.write("farm.yaml", CONFIG)

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file; texts get exactly these line ends."""
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def change(self, old: str, new: str, name: str = "farm.yaml") -> None:
        """Replace a text that stands once in a file."""
        text = (self.folder / name).read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        self.write(name, text.replace(old, new))

    def call(self, *arguments: str) -> Ended:
        """Run ``breedeval`` in this process."""
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            run(list(arguments))
        captured = self._capsys.readouterr()
        return Ended(int(left.value.code or 0), captured.out, captured.err)

    def evaluate(self, *arguments: str) -> Ended:
        """Run ``breedeval evaluate farm.yaml -o out.h5``."""
        return self.call("evaluate", "farm.yaml", "-o", "out.h5", *arguments)

    def refused(self, *messages: str) -> str:
        """Check and evaluate: both refuse with these messages, no traceback, and leave no file; returns what was said."""
        before = sorted(self.folder.rglob("*"))
        for ended in (self.call("check", "farm.yaml"), self.evaluate("-q")):
            assert ended.status == 1, ended
            for message in messages:
                assert message in ended.err, ended.err
            assert "Traceback" not in ended.err
            assert "not a message that breedeval means you to see" not in ended.err
        assert sorted(self.folder.rglob("*")) == before
        return ended.err
