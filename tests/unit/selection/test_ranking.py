"""Ranking lists and indices, on values put there by hand."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import pytest

from breedeval.errors import ResultsError, UnknownNameError
from breedeval.selection.index import index_weights
from breedeval.selection.ranking import Candidates, rank


@dataclass(frozen=True)
class Herd:
    """Four animals, as `Evaluated` wants them."""

    with_reliability: bool = True
    years: tuple[int, ...] = (2001, 2003, 2003, -1)
    sexes: tuple[str, ...] = ("M", "F", "F", "")

    traits = ("milk", "fat")

    def columns(self, trait: str) -> tuple[str, ...]:
        return ("id", "dam") if trait == "milk" else ("id",)

    def animals(self) -> pd.DataFrame:
        ids = ["b", "a", "c", "d"]
        zeros = [0, 0, 0, 0]
        return pd.DataFrame(
            {
                "id": ids,
                "sex": self.sexes,
                "birth_year": self.years,
                "inbreeding": zeros,
                "n_records": zeros,
                "n_progeny": zeros,
            }
        )

    def ebv(self, trait: str | None = None, column: str | None = None) -> pd.DataFrame:
        values = {
            ("milk", "id"): [1.0, 1.0, 3.0, -2.0],
            ("milk", "dam"): [4.0, 3.0, 2.0, 1.0],
            ("fat", "id"): [0.0, 10.0, 0.0, 5.0],
        }
        frame = pd.DataFrame({"id": ["b", "a", "c", "d"], "ebv": values[str(trait), column or "id"]})
        if self.with_reliability:
            frame["reliability"] = [0.2, 0.4, 0.6, 0.8]
        return frame


def ids(frame: pd.DataFrame) -> list[str]:
    return frame["id"].tolist()


def test_best_first_and_equal_ones_by_name() -> None:
    ranked = rank(Herd(), "milk")
    assert ids(ranked) == ["c", "a", "b", "d"]
    assert ranked["rank"].tolist() == [1, 2, 3, 4]
    assert ranked["ebv"].tolist() == [3, 1, 1, -2]
    assert ranked["reliability"].tolist() == [0.6, 0.4, 0.2, 0.8]


def test_columns_of_a_trait() -> None:
    assert ids(rank(Herd(), "milk", column="dam")) == ["b", "a", "c", "d"]


@pytest.mark.parametrize(
    ("candidates", "expected"),
    [
        (Candidates(sex="F"), ["c", "a"]),
        (Candidates(born=(2003, None)), ["c", "a"]),
        (Candidates(born=(None, 2002)), ["b"]),
        (Candidates(born=(2002, 2002)), []),
        (Candidates(min_reliability=0.6), ["c", "d"]),
        (Candidates(sex="F", born=(2003, 2003), min_reliability=0.5), ["c"]),
    ],
)
def test_candidates(candidates: Candidates, expected: list[str]) -> None:
    assert ids(rank(Herd(), "milk", candidates=candidates)) == expected


def test_top_counts_among_the_candidates() -> None:
    ranked = rank(Herd(), "milk", top=1, candidates=Candidates(sex="M"))
    assert (ids(ranked), ranked["rank"].tolist()) == (["b"], [1])


def test_index_is_the_weighted_sum() -> None:
    ranked = rank(Herd(), index={"milk": 2, "fat": 0.1})
    assert ids(ranked) == ["c", "a", "b", "d"]
    assert ranked["index"].tolist() == [6, 3, 2, -3.5]
    assert "reliability" not in ranked


def test_what_cannot_be_ranked() -> None:
    with pytest.raises(UnknownNameError, match=r"Name a trait\. There are: 'milk', 'fat'"):
        rank(Herd())
    with pytest.raises(UnknownNameError, match="Did you mean 'milk'"):
        rank(Herd(), "mlik")
    with pytest.raises(UnknownNameError, match="The index weighs 'beef', without breeding values here"):
        rank(Herd(), index={"milk": 1, "beef": 2})


@pytest.mark.parametrize(
    ("herd", "candidates", "message"),
    [
        (Herd(with_reliability=False), Candidates(min_reliability=0.1), "no reliabilities"),
        (Herd(years=(-1, -1, -1, -1)), Candidates(born=(2000, None)), "no birth years"),
        (Herd(sexes=("", "", "", "")), Candidates(sex="F"), "no sexes"),
    ],
)
def test_choice_by_what_is_not_known(herd: Herd, candidates: Candidates, message: str) -> None:
    with pytest.raises(ResultsError, match=message):
        rank(herd, "milk", candidates=candidates)


def test_index_of_a_run() -> None:
    record = {"choices": {"index": {"merit": {"milk": 1.0}}}}
    assert index_weights(record, "merit") == {"milk": 1.0}
    with pytest.raises(UnknownNameError, match="There are: 'merit'"):
        index_weights(record, "net")
