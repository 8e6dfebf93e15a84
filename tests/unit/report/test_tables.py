"""Tables in every form."""

from __future__ import annotations

import io
import json

import pandas as pd
import pytest

from breedeval.report.tables import render_table

FRAME = pd.DataFrame({"id": ["Kühe", "b,c"], "ebv": [0.123456789012345, -1e-7], "year": [2001, -1], "sire": ["x", None]})


def test_aligned_text_has_numbers_to_the_right() -> None:
    assert render_table(FRAME, "table").decode().splitlines() == [
        "id       ebv  year  sire",
        "Kühe  0.1235  2001  x",
        "b,c   -1e-07    -1",
    ]


def test_aligned_text_without_rows() -> None:
    assert render_table(FRAME.iloc[:0], "table").decode() == "id  ebv  year  sire\n(no rows)\n"


def test_csv_is_exact_and_quoted() -> None:
    back = pd.read_csv(io.BytesIO(render_table(FRAME, "csv")))
    assert back["ebv"].tolist() == FRAME["ebv"].tolist()
    assert back["id"].tolist() == FRAME["id"].tolist()


def test_json_is_a_list_of_records_with_null() -> None:
    back = json.loads(render_table(FRAME, "json"))
    assert back[1]["sire"] is None
    assert back[0]["id"] == "Kühe"
    assert [row["ebv"] for row in back] == pytest.approx(FRAME["ebv"].tolist(), rel=1e-12)
    assert "Kühe" in render_table(FRAME, "json").decode()


def test_parquet() -> None:
    pytest.importorskip("pyarrow")
    back = pd.read_parquet(io.BytesIO(render_table(FRAME, "parquet")))
    assert back["ebv"].tolist() == FRAME["ebv"].tolist()
