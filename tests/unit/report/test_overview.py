"""A run in one screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from breedeval.errors import UnknownNameError
from breedeval.report.overview import animals_table, overview
from breedeval.results.store import open_results

ARCHIVE = Path(__file__).resolve().parents[2] / "archives" / "results_1.0.h5"


def test_overview_tells_what_was_done_with_what_and_how_well() -> None:
    with open_results(ARCHIVE) as results:
        text = "\n".join(overview(results))
    for part in (
        "Pre-weaning gain of beef calves",
        "mrode_example_4_1_records.csv (52 bytes, sha256 b32db2a24d2d…)",
        "pedigree: 8 animals, 3 founders, 0 parents added",
        "records: 5 read, 5 used",
        "equations: 10",
        "gain (id), base: founders",
    ):
        assert part in text


def test_animals_in_the_order_asked_for() -> None:
    with open_results(ARCHIVE) as results:
        table = animals_table(results, ["8", "1"])
        assert table["id"].tolist() == ["8", "1"]
        assert table["sire"].tolist()[0] == "3"
        assert table["ebv gain"].round(3).tolist() == [0.183, 0.098]  # Mrode & Pocrnic (2023), example 4.1
        with pytest.raises(UnknownNameError, match="2 animals not in these results: 'x', 'y'"):
            animals_table(results, ["x", "8", "y"])
