"""Results files of past versions are readable for ever."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from breedeval.report.overview import overview
from breedeval.results.store import open_results
from breedeval.selection.ranking import rank

ARCHIVES = Path(__file__).resolve().parents[2] / "archives"

#: Solutions of Mrode & Pocrnic (2023), 4th edition, example 4.1.
MRODE = {"1": 0.098, "2": -0.019, "3": -0.041, "4": -0.009, "5": -0.186, "6": 0.177, "7": -0.249, "8": 0.183}


def test_every_archive_is_listed() -> None:
    readme = (ARCHIVES / "README.md").read_text()
    files = sorted(path.name for path in ARCHIVES.glob("*.h5"))
    assert files
    for name in files:
        assert f"`{name}`" in readme


@pytest.mark.parametrize("path", sorted(ARCHIVES.glob("results_1.*.h5")), ids=lambda path: path.name)
def test_files_of_version_1(path: Path) -> None:
    with open_results(path) as results:
        ebv = results.ebv("gain").set_index("id")["ebv"]
        np.testing.assert_allclose(ebv[list(MRODE)], list(MRODE.values()), atol=6e-4)
        assert rank(results, "gain", top=1)["id"].tolist() == ["8"]
        sexes = results.effect("sex").set_index("level")["gain"].to_dict()
        assert sexes == pytest.approx({"M": 4.358, "F": 3.404}, abs=1e-3)
        assert results.record["counts"]["records"]["used"] == 5
        assert "0 + sex + genetic(id)" in results.config_text
        assert results.solver["status"] == "converged"
        assert overview(results)[0] == results.title


def test_published_functions_of_version_1_1() -> None:
    with open_results(ARCHIVES / "results_1.1.h5") as results:
        assert results.traits == ("gain", "gain_10")
        np.testing.assert_allclose(results.ebv("gain_10")["ebv"], 10 * results.ebv("gain")["ebv"], rtol=1e-12)
        np.testing.assert_allclose(results.ebv("gain_10")["reliability"], results.ebv("gain")["reliability"], rtol=1e-12)
        assert results.definition("gain_10") == "10 × gain (id)"
