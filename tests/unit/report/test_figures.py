"""Pictures of trends."""

from __future__ import annotations

import pandas as pd
import pytest

from breedeval.errors import MissingExtraError
from breedeval.report import figures

pytest.importorskip("matplotlib")

FRAME = pd.DataFrame(
    {
        "birth_year": pd.array([2001, 2002, 2004, None], dtype="Int64"),
        "n": [10, 20, 15, 99],
        "mean_inbreeding": [0.01, None, 0.03, 0.9],
        "max_inbreeding": [0.1, 0.2, 0.3, 0.9],
    }
)
PANELS = {"animals": ["n"], "inbreeding": ["mean_inbreeding", "max_inbreeding"]}


def test_svg_has_labels_as_text_and_the_same_bytes_on_every_run():
    picture = figures.draw_trend(FRAME, PANELS, along="birth_year", title="herd.csv")
    text = picture.decode()
    for label in ("animals", "inbreeding", "max inbreeding", "birth year", "herd.csv", "2004"):
        assert f">{label}<" in text
    assert picture == figures.draw_trend(FRAME, PANELS, along="birth_year", title="herd.csv")


def test_rows_without_a_year_are_not_drawn():
    whole = figures.draw_trend(FRAME, PANELS, along="birth_year")
    assert whole == figures.draw_trend(FRAME.iloc[:3], PANELS, along="birth_year")


def test_png():
    assert figures.draw_trend(FRAME, {"animals": ["n"]}, along="birth_year", form="png").startswith(b"\x89PNG")


def test_one_year_alone():
    assert figures.draw_trend(FRAME.iloc[:1], PANELS, along="birth_year").startswith(b"<?xml")


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(figures.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"breedeval\[report\]"):
        figures.draw_trend(FRAME, PANELS, along="birth_year")
