"""What changes from birth year to birth year, and the pedigree in one screen."""

from __future__ import annotations

import numpy as np
import pytest

from breedeval.errors import PedigreeError
from breedeval.pedigree.build import build_pedigree
from breedeval.pedigree.reference import reference_rows
from breedeval.pedigree.summary import summarize_pedigree
from breedeval.pedigree.trend import birth_year_trend
from breedeval.relationship.inbreeding import compute_inbreeding
from tests.factories import make_pedigree, make_table

ROWS = [("a", None, None), ("b", None, None), ("c", "a", "b"), ("d", "a", "b"), ("e", "c", "d"), ("f", None, "d")]
YEARS = [2001, None, 2003, 2003, 2007, 2007]


@pytest.fixture
def pedigree():
    return build_pedigree(make_table(ROWS, birth_year=YEARS)).pedigree


def test_trend_by_hand(pedigree):
    frame = birth_year_trend(pedigree, compute_inbreeding(pedigree))
    assert frame["birth_year"].tolist()[:3] == [2001, 2003, 2007]
    assert frame["birth_year"].isna().tolist() == [False, False, False, True]
    assert frame["n"].tolist() == [1, 2, 2, 1]
    assert frame["sires"].tolist() == [0, 1, 1, 0]
    assert frame["dams"].tolist() == [0, 1, 1, 0]
    assert frame["sire_known"].tolist() == [0, 1, 0.5, 0]
    assert frame["equivalent_generations"].tolist() == [0, 1, (2 + 1) / 2, 0]
    assert frame["mean_inbreeding"].tolist() == [0, 0, 0.125, 0]
    assert frame["inbred"].tolist() == [0, 0, 0.5, 0]
    assert frame["mean_inbreeding_inbred"].tolist()[2] == 0.25
    assert np.isnan(frame["mean_inbreeding_inbred"].tolist()[0])
    assert frame["max_inbreeding"].tolist() == [0, 0, 0.25, 0]


def test_classes_of_years(pedigree):
    frame = birth_year_trend(pedigree, compute_inbreeding(pedigree), width=5)
    assert frame["birth_year"].tolist()[:2] == [2000, 2005]
    assert frame["n"].tolist() == [3, 2, 1]


def test_reference_populations(pedigree):
    names = {choice: {pedigree.ids[int(row)] for row in reference_rows(pedigree, choice)} for choice in ("auto", "no_progeny")}
    assert names == {"auto": {"e", "f"}, "no_progeny": {"e", "f"}}
    assert len(reference_rows(pedigree, "last_years", years=5)) == 4
    assert len(reference_rows(pedigree, "all")) == 6
    without = make_pedigree(ROWS)
    assert {without.ids[int(row)] for row in reference_rows(without)} == {"e", "f"}
    with pytest.raises(PedigreeError, match="No birth year"):
        reference_rows(without, "last_years")
    with pytest.raises(ValueError, match="no reference population"):
        reference_rows(pedigree, "young")
    with pytest.raises(ValueError, match="years is 0"):
        reference_rows(pedigree, "last_years", years=0)


def test_summary_holds_what_is_known(pedigree):
    frame = summarize_pedigree(pedigree, compute_inbreeding(pedigree)).set_index("quantity")["value"]
    assert frame["animals"] == 6
    assert frame["reference population (animals)"] == 2
    assert frame["reference: inbreeding, mean"] == 0.125
    # e: a and b a half each; f: a quarter each, and a half from its unknown sire.
    assert frame["effective number of founders"] == pytest.approx(1 / (2 * 0.375**2 + 0.25**2))
    assert "generation interval (years)" in frame
    without = make_pedigree(ROWS)
    assert (
        "generation interval (years)"
        not in summarize_pedigree(without, compute_inbreeding(without)).set_index("quantity").index
    )
    empty = make_pedigree([])
    assert summarize_pedigree(empty, compute_inbreeding(empty))["value"].iloc[0] == 0
