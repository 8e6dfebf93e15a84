"""Texts that are equal, and columns of them as codes, against a dict."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breedeval import equal_texts as module
from breedeval import names as names_module
from breedeval.equal_texts import TextRows, deal_columns
from breedeval.name_codes import encode_columns
from breedeval.names import Names
from tests.threads import threads_kept

#: Short ones, so that many are equal; NUL bytes at ends; lengths about those of two, three, four and five words.
TEXT = st.one_of(st.text("ab\0", max_size=3), st.sampled_from(["a" * n for n in (7, 8, 11, 12, 19, 20, 27, 28, 31)]))
COLUMNS = st.lists(st.lists(TEXT, max_size=30), min_size=1, max_size=4)


@pytest.fixture
def small_parts(monkeypatch):
    """Many partitions and parts even of few texts."""
    monkeypatch.setattr(module, "_PARTITION", 16)
    monkeypatch.setattr(module, "_SMALLEST_PART", 8)
    with threads_kept():
        yield


def encoded(columns: list[list[str]], first: int = 0) -> tuple[list[str], list[list[int]]]:
    names = [Names.of(column) for column in columns]
    found, codes = encode_columns([(part.buffer, part.offsets[:-1], part.lengths) for part in names], first=first)
    return found.to_list(), [column.tolist() for column in codes]


def encoded_twin(columns: list[list[str]]) -> tuple[list[str], list[list[int]]]:
    twin: dict[str, int] = {}
    codes = [[twin.setdefault(text, len(twin)) for text in column] for column in columns]
    return list(twin), codes


@given(COLUMNS)
def test_codes_of_columns_against_a_dict(columns):
    assert encoded(columns) == encoded_twin(columns)


@given(COLUMNS)
def test_first_places_against_a_list(columns):
    names = [Names.of(column) for column in columns]
    rows = [TextRows.of(part.buffer, part.offsets[:-1], part.lengths) for part in names]
    texts = [text for column in columns for text in column]
    dealt, _ = deal_columns(rows)
    assert dealt.first_places().tolist() == [texts.index(text) for text in texts]


@pytest.mark.parametrize("longest", [11, 12, 19, 20, 27, 28, 31, 32, 70])
@pytest.mark.parametrize("threads", [1, numba.config.NUMBA_NUM_THREADS])
def test_partitions_threads_and_lengths(small_parts, longest, threads):
    # From 32 bytes on the other way is taken; nobody sees a difference.
    numba.set_num_threads(threads)
    rng = np.random.default_rng(5)
    columns = [[f"NL{n:0{longest - 2}d}" for n in rng.integers(0, 300, size=400)] for _ in range(3)]
    columns.insert(0, ["", "0", "NL" + "0" * (longest - 2)])
    names, codes = encoded_twin(columns)
    assert encoded(columns) == (names, codes)
    assert encoded(columns, first=3) == (names[3:], codes)


def test_one_text_most_of_the_time(small_parts):
    columns = [[f"A{i}" for i in range(500)], ["0"] * 480 + ["A7"] * 20]
    assert encoded(columns) == encoded_twin(columns)


def test_who_is_too_long_is_refused():
    names = Names.of(["a" * 32])
    assert TextRows.of(names.buffer, names.offsets[:-1], names.lengths) is None


@pytest.mark.parametrize("suffix", ["", "of a length that does not fit into a key"])
def test_many_names_are_found_as_few_are(monkeypatch, small_parts, suffix):
    monkeypatch.setattr(names_module, "_MANY", 100)
    known = Names.of([f"NL{i * 7 % 1009:05d}{suffix}" for i in range(1000)])
    others = [f"NL{i:05d}{suffix}" for i in range(1100)]
    place = {text: row for row, text in enumerate(known)}
    assert known.find(Names.of(others)).tolist() == [place.get(text, -1) for text in others]
    assert known.find(Names.of(others[:50])).tolist() == [place.get(text, -1) for text in others[:50]]
