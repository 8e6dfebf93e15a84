"""Names, against lists and dicts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breedeval import names as module
from breedeval.errors import UnknownNameError
from breedeval.names import Names, NameTable

TEXTS = st.lists(st.text(max_size=6), max_size=40)


def _encode(table: NameTable, texts: list[str]) -> list[int]:
    names = Names.of(texts)
    return table.encode(names.buffer, names.offsets[:-1], names.lengths).tolist()


@given(TEXTS)
def test_names_are_the_texts_they_were_made_of(texts):
    names = Names.of(texts)
    assert names.to_list() == list(names) == texts
    assert [names[i] for i in range(len(names))] == texts
    assert names == Names.of(texts)
    assert names != Names.of([*texts, "x"])


@given(TEXTS, TEXTS)
def test_find_against_a_dict(texts, others):
    distinct = list(dict.fromkeys(texts))
    places = {text: i for i, text in enumerate(distinct)}
    assert Names.of(distinct).find(Names.of(others)).tolist() == [places.get(other, -1) for other in others]


@given(TEXTS, st.data())
def test_take_against_a_list(texts, data):
    rows = data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=20)) if texts else []
    assert Names.of(texts).take(rows).to_list() == [texts[row] for row in rows]


def test_take_from_texts_of_one_length_and_of_several():
    texts = [f"NL{i:05d}" for i in range(300)]
    rows = [299, 0, 7, 7, 150]
    assert Names.of(texts).take(rows).to_list() == [texts[row] for row in rows]
    behind = Names.of(["x", *texts])
    assert Names(behind.buffer, behind.offsets[1:]).take(rows).to_list() == [texts[row] for row in rows]
    assert Names.of(["", ""]).take([1, 0, 1]).to_list() == ["", "", ""]
    assert Names.of([*texts, "x"]).take(rows).to_list() == [texts[row] for row in rows]


@given(st.lists(TEXTS, max_size=4))
def test_table_against_a_dict(batches):
    table, twin = NameTable(), {}
    for texts in batches:
        assert _encode(table, texts) == [twin.setdefault(text, len(twin)) for text in texts]
    assert table.freeze().to_list() == list(twin)


def test_table_grows_in_every_part(monkeypatch):
    monkeypatch.setattr(module, "_CHUNK", 1000)
    texts = [f"an animal with a rather long name {i % 30_000}" for i in range(45_000)]
    table = NameTable()
    codes = _encode(table, texts)
    assert codes == [i % 30_000 for i in range(45_000)]
    assert len(table) == 30_000
    assert table.freeze()[29_999] == texts[29_999]


def test_frozen_names_do_not_change_when_the_table_goes_on():
    table = NameTable()
    _encode(table, ["a"])
    names = table.freeze()
    _encode(table, ["b"])
    assert names.to_list() == ["a"]
    assert not names.buffer.flags.writeable


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match=r"'NL24'.*NL42") as caught:
        Names.of(["NL42", "DE1"]).row_of("NL24")
    assert caught.value.facts["nearest"] == ["NL42"]


def test_rows_outside_are_refused():
    with pytest.raises(IndexError):
        Names.of(["a"])[1]
    assert Names.of(["a", "b"])[-1] == "b"


def test_membership_and_array():
    names = Names.of(["a", "ä"])
    assert "ä" in names
    assert "b" not in names
    assert 1 not in names
    assert np.asarray(names).tolist() == ["a", "ä"]


def test_sort_order_puts_numbers_by_value_before_texts():
    names = Names.of(["b", "10", "9", "nan", "a"])
    assert names.take(names.sort_order()).to_list() == ["9", "10", "a", "b", "nan"]
