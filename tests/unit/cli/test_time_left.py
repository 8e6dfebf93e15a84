"""How long a solution will still take."""

from __future__ import annotations

import math

import pytest

from breedeval.cli.time_left import TimeLeft


def test_steady_decrease_is_foreseen_exactly() -> None:
    left = TimeLeft(1e-6)
    for second in range(9):
        left.add(100.0 + second, 10.0 ** (2 - second / 2))
    assert left.share == pytest.approx(0.5)
    assert left.seconds(108.0) == pytest.approx(8.0)


@pytest.mark.parametrize("value", [math.inf, math.nan, 0.0, -1.0])
def test_unknown_values_say_nothing(value: float) -> None:
    left = TimeLeft(1e-4)
    left.add(0.0, value)
    assert left.share == 0.0
    assert math.isnan(left.seconds(1.0))
    assert left.words(1.0) == ""


def test_a_round_that_goes_up_takes_nothing_back() -> None:
    left = TimeLeft(1e-4)
    left.add(0.0, 1.0)
    assert left.add(1.0, 1e-2) == left.add(2.0, 5e-1) == pytest.approx(0.5)


def test_words_in_minutes() -> None:
    left = TimeLeft(1e-4)
    left.add(0.0, 1.0)
    left.add(90.0, 1e-2)
    assert left.words(90.0) == "about 1 min 30 s left"
