"""What several threads read is what one thread reads."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from breedeval import equal_texts
from breedeval import names as names_module
from breedeval.errors import TableError
from breedeval.io import column_codes, cut_rows
from breedeval.io.pedigree_file import read_pedigree_table
from breedeval.io.tables import read_table
from breedeval.names import NameTable
from breedeval.pedigree.build import build_pedigree
from tests.threads import threads_kept


@pytest.fixture
def small_parts(monkeypatch):
    """Makes parts so small that a short file has many; gives back the number of threads."""
    monkeypatch.setattr(cut_rows, "_PART", 64)
    monkeypatch.setattr(equal_texts, "_SMALLEST_PART", 16)
    monkeypatch.setattr(equal_texts, "_PARTITION", 32)
    monkeypatch.setattr(names_module, "_SMALLEST_PART", 16)
    monkeypatch.setattr(names_module, "_SMALLEST_REGION", 16)
    monkeypatch.setattr(names_module, "_CHUNK", 200)
    monkeypatch.setattr(column_codes, "_SMALLEST_PART", 16)
    with threads_kept():
        yield


def both(work):
    """What `work` gives with one thread and with all."""
    results = []
    for threads in (1, numba.config.NUMBA_NUM_THREADS):
        numba.set_num_threads(threads)
        results.append(work())
    return results


def fields(path: str, columns: tuple[str, ...]) -> list[tuple]:
    table = read_table(path, list(columns))
    return [(table.source.line_of_row(i), *(table.ids(key).text(i) for key in columns)) for i in range(table.n_rows)]


@pytest.mark.parametrize("blank", ["", "\n", "\n \n\n"])
def test_rows_lines_and_blank_lines(tmp_path, small_parts, blank):
    path = tmp_path / "file.csv"
    path.write_text("id,x\n" + "".join(f"A{i},{i % 7}\n{blank if i % 5 == 0 else ''}" for i in range(300)), encoding="utf-8")
    one, many = both(lambda: fields(str(path), ("id", "x")))
    assert one == many
    assert [row[1:] for row in one] == [(f"A{i}", f"{i % 7}") for i in range(300)]
    lines = path.read_text(encoding="utf-8").split("\n")
    assert all(lines[line - 1] == f"{a},{x}" for line, a, x in one)


@pytest.mark.parametrize("text", ["id,x\nA,1", "id,x\nA,1\n\n\n", 'id,x\n"A\n",1\nB,2\n', '"id","x"\n' + "A,1\n" * 100])
def test_ends_and_quotes(tmp_path, small_parts, text):
    path = tmp_path / "file.csv"
    path.write_text(text, encoding="utf-8")
    one, many = both(lambda: fields(str(path), ("id", "x")))
    assert one == many


def test_faulty_rows_of_all_parts_are_listed_in_order(tmp_path, small_parts):
    path = tmp_path / "file.csv"
    rows = [b"A,1"] * 300
    rows[3], rows[150], rows[290], rows[200] = b"A", b"A,1,2", b"A", b"\xe4,1"
    path.write_bytes(b"id,x\n" + b"\n".join(rows) + b"\n")

    def refused() -> TableError:
        with pytest.raises(TableError) as caught:
            read_table(str(path), ["id"])
        return caught.value

    one, many = both(refused)
    assert str(one) == str(many)
    assert many.facts["lines"] == (5, 152, 202, 292)
    assert "line 202: byte 0xe4 is not utf-8" in str(many)
    assert "3 rows have not 2 fields as the header has (line 5: 1, line 152: 3, line 292: 1)" in str(many)


def test_a_field_longer_than_narrow_lengths_can_say(tmp_path, small_parts):
    path = tmp_path / "file.csv"
    rows = [(f"A{i}", "x" * (70_000 if i == 150 else 3)) for i in range(300)]
    path.write_text("id,x\n" + "".join(f"{a},{x}\n" for a, x in rows), encoding="utf-8")
    one, many = both(lambda: fields(str(path), ("id", "x")))
    assert one == many == [(i + 2, *row) for i, row in enumerate(rows)]


@pytest.mark.parametrize("few", [1, 3, 1 << 14])
def test_few_and_many_distinct_texts(tmp_path, small_parts, monkeypatch, few):
    monkeypatch.setattr(column_codes, "_FEW", few)
    path = tmp_path / "file.csv"
    texts = [["M", "", "2019-05-17", "a text of 8", "a text too long for a key"][i * i % 5] for i in range(300)]
    path.write_text("id,x\n" + "".join(f"A{i},{x}\n" for i, x in enumerate(texts)), encoding="utf-8")

    def work() -> tuple[list[str], list[int]]:
        names, codes = column_codes.encode_column(read_table(path, ["x"]).ids("x"), [""])
        return names.to_list(), codes.tolist()

    one, many = both(work)
    distinct = [text for text in dict.fromkeys(texts) if text]
    assert one == many == (distinct, [distinct.index(text) if text else -1 for text in texts])


def test_codes_do_not_depend_on_threads(small_parts):
    texts = [f"NL{(i * i) % 997:06d}" for i in range(3000)]
    encoded = [item.encode() for item in texts]
    offsets = np.concatenate([[0], np.cumsum([len(item) for item in encoded])])
    buffer, lengths = np.frombuffer(b"".join(encoded), dtype=np.uint8), np.diff(offsets).astype(np.int32)

    def work() -> tuple[list[int], list[str]]:
        table = NameTable()
        return table.encode(buffer, offsets[:-1], lengths).tolist(), table.freeze().to_list()

    one, many = both(work)
    twin: dict[str, int] = {}
    assert one == many == ([twin.setdefault(item, len(twin)) for item in texts], list(twin))


def test_a_whole_pedigree(tmp_path, small_parts):
    path = tmp_path / "file.csv"
    rows = [
        f"A{i},{f'A{i // 3}' if i else 0},{f'D{i // 2}' if i % 4 else '.'},{2000 + i // 100},{'MF'[i % 2]}" for i in range(500)
    ]
    path.write_text("id,sire,dam,birth_year,sex\n" + "\n".join(reversed(rows)) + "\n", encoding="utf-8")
    told: list[tuple[str, float]] = []

    def work() -> tuple:
        table = read_pedigree_table(path, progress=lambda *step: told.append(step))
        built = build_pedigree(table, progress=lambda *step: told.append(step))
        p = built.pedigree
        return p.ids.to_list(), p.sire.tolist(), p.dam.tolist(), p.sex.tolist(), p.birth_year.tolist(), built.report.lines()

    one, many = both(work)
    assert one == many
    assert all(0 <= share <= 1 for _, share in told)
    assert {"cutting rows", "checking", "parents before progeny"} <= {doing for doing, _ in told}
