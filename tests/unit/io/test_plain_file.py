"""A file read in pieces says what the same file says that is read as a whole."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from breedeval import equal_texts
from breedeval.errors import DataError
from breedeval.io import column_codes, plain_file
from breedeval.io.pedigree_file import read_pedigree_table
from breedeval.io.plain_file import open_plain
from breedeval.pedigree.build import build_pedigree
from tests.threads import threads_kept

HEADER = "id,sire,dam,born,sex\n"


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Many pieces, parts and partitions of a short file."""
    monkeypatch.setattr(plain_file, "_PIECE", 256)
    monkeypatch.setattr(equal_texts, "_PARTITION", 32)
    monkeypatch.setattr(equal_texts, "_SMALLEST_PART", 16)
    with threads_kept():
        yield


def rows(n: int = 400, letter: str = "A") -> list[str]:
    rng = np.random.default_rng(2)
    order = rng.permutation(n)
    return [
        f"{letter}{i},{f'{letter}{i // 3}' if i > 2 else 0},{f'D{i // 2}' if i % 4 else ''},{2000 + i // 99},{'MF'[i % 2]}"
        for i in order
    ]


def outcome(path: str, monkeypatch, *, in_pieces: bool, **options) -> tuple:
    """All that the table and the pedigree say, or the error."""
    monkeypatch.setattr(plain_file, "_SMALLEST", 0 if in_pieces else 1 << 62)
    try:
        table = read_pedigree_table(path, **options)
        lines = [table.source.line_of_row(row) for row in range(table.n_rows)]
        built = build_pedigree(table)
    except DataError as error:
        return str(error), error.facts.get("lines")
    p = built.pedigree
    columns = [p.sire, p.dam, p.sex, p.birth_year, table.animal, table.sire, table.dam]
    return (p.ids.to_list(), table.names.to_list(), *(column.tolist() for column in columns), lines, built.report.lines())


def is_read_in_pieces(path: str, **options) -> bool:
    plain = open_plain(path, encoding="utf-8", with_header=True)
    return plain is not None and plain.read(["id", "sire", "dam"], ["born", "sex"], 300) is not None


PLAIN = {
    "as usual": HEADER + "\n".join(rows()) + "\n",
    "without a last line end": HEADER + "\n".join(rows()),
    "carriage returns": (HEADER + "\n".join(rows()) + "\n").replace("\n", "\r\n"),
    "semicolons": (HEADER + "\n".join(rows()) + "\n").replace(",", ";"),
    "tabs and blanks": (HEADER + "\n".join(rows()) + "\n").replace(",", " \t "),
    "letters beyond ASCII": HEADER + "\n".join(rows(letter="Kuh-ä♀")) + "\n",
    "loops and other problems": HEADER
    + "\n".join([*rows(), "L1,L2,,2010,M", "L2,L1,,2010,M", "A7,A8,00,2001,M", ",A1,,,"])
    + "\n",
    "animals in several rows": HEADER + "\n".join([*rows(), *rows()[:50]]) + "\n",
}


@pytest.mark.parametrize("threads", [1, numba.config.NUMBA_NUM_THREADS])
@pytest.mark.parametrize("kind", PLAIN)
def test_plain_files(tmp_path, monkeypatch, kind, threads):
    path = tmp_path / "herd.csv"
    path.write_bytes(PLAIN[kind].encode())
    numba.set_num_threads(threads)
    whole = outcome(str(path), monkeypatch, in_pieces=False)
    assert outcome(str(path), monkeypatch, in_pieces=True) == whole
    assert is_read_in_pieces(str(path))


OTHERS = {
    "a quote": b'"A999",0,0,2000,M\n',
    "a blank line": b"\n",
    "a short row": b"A999,0\n",
    "a long row": b"A999,0,0,2000,M,x\n",
    "a byte of another encoding": b"A\xe4,0,0,2000,M\n",
    "a NUL byte": b"A\0,0,0,2000,M\n",
    "a long id": b"A" * 20 + b",0,0,2000,M\n",
    "a very long id": b"A" * 100 + b",0,0,2000,M\n",
    "a line longer than a piece": b"A" * 1000 + b",0,0,2000,M\n",
    "a long text that is no id": b"A999,0,0,2000,male as far as we know\n",
}


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("place", [0, 200, 399])
def test_what_is_not_plain_is_read_as_a_whole(tmp_path, monkeypatch, kind, place):
    path = tmp_path / "herd.csv"
    lines = [row.encode() + b"\n" for row in rows()]
    path.write_bytes(HEADER.encode() + b"".join([*lines[:place], OTHERS[kind], *lines[place:]]))
    monkeypatch.setattr(plain_file, "SAMPLE", 512)
    whole = outcome(str(path), monkeypatch, in_pieces=False)
    assert outcome(str(path), monkeypatch, in_pieces=True) == whole
    if place:
        assert not is_read_in_pieces(str(path))


def test_texts_that_are_not_few(tmp_path, monkeypatch):
    monkeypatch.setattr(column_codes, "_FEW", 2)
    path = tmp_path / "herd.csv"
    path.write_text(PLAIN["as usual"], encoding="utf-8")
    whole = outcome(str(path), monkeypatch, in_pieces=False)
    assert outcome(str(path), monkeypatch, in_pieces=True) == whole
    assert not is_read_in_pieces(str(path))


def test_columns_by_number_and_codes_of_the_user(tmp_path, monkeypatch):
    path = tmp_path / "herd.txt"
    path.write_text("\n".join(rows()) + "\n", encoding="utf-8")
    options = {
        "animal": 1,
        "sire": 2,
        "dam": 3,
        "birth_year": 4,
        "sex": 5,
        "unknown": ["", "0", "D1", "a code longer than ids"],
    }
    whole = outcome(str(path), monkeypatch, in_pieces=False, **options)
    assert outcome(str(path), monkeypatch, in_pieces=True, **options) == whole
    assert len(whole) > 2


def test_progress_rises_to_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(plain_file, "_SMALLEST", 0)
    path = tmp_path / "herd.csv"
    path.write_text(PLAIN["as usual"], encoding="utf-8")
    told: list[float] = []
    read_pedigree_table(str(path), progress=lambda doing, share: told.append(share) if doing.startswith("reading") else None)
    assert len(told) > 10
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("encoding", ["latin-1", "nonsense"])
def test_other_encodings_are_left_to_the_other_way(tmp_path, monkeypatch, encoding):
    monkeypatch.setattr(plain_file, "_SMALLEST", 0)
    path = tmp_path / "herd.csv"
    path.write_text(PLAIN["as usual"], encoding="utf-8")
    assert open_plain(str(path), encoding=encoding, with_header=True) is None
    assert open_plain(str(tmp_path / "no.csv"), encoding="utf-8", with_header=True) is None
