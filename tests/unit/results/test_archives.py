"""Results files of past versions are readable for ever."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from breedeval.report.overview import overview
from breedeval.results.store import open_results
from breedeval.results.stored import read_stored_variances
from breedeval.results.stored_estimates import read_estimates
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


@pytest.mark.parametrize("name", ["results_1.1.h5", "results_1.2.h5"])
def test_published_functions_since_version_1_1(name: str) -> None:
    with open_results(ARCHIVES / name) as results:
        assert results.traits == ("gain", "gain_10")
        np.testing.assert_allclose(results.ebv("gain_10")["ebv"], 10 * results.ebv("gain")["ebv"], rtol=1e-12)
        np.testing.assert_allclose(results.ebv("gain_10")["reliability"], results.ebv("gain")["reliability"], rtol=1e-12)
        assert results.definition("gain_10") == "10 × gain (id)"


@pytest.mark.parametrize("path", sorted(ARCHIVES.glob("estimates_1.*.h5")), ids=lambda path: path.name)
def test_estimates_of_version_1(path: Path) -> None:
    """REML estimates of lme4 1.1-31 for its data set sleepstudy (lme4_sleepstudy of the reference data)."""
    stored = read_stored_variances(path)
    assert stored.variances.random["subject"].labels == ("reaction:subject:0", "reaction:subject:1")
    np.testing.assert_allclose(np.diag(stored.variances.random["subject"].matrix), [612.10, 35.07], atol=0.02)
    assert stored.variances.residual.matrices["all"][0, 0] == pytest.approx(654.94, abs=0.01)
    assert read_estimates(path).sentence == "converged"
    if path.name == "estimates_1.0.h5":
        assert stored.terms is None
    else:
        assert stored.terms is not None
        first, second = stored.terms.random["subject"].values()
        assert (first.text, second.text) == ("random(subject, intercept)", "random(subject, slope(days))")
        assert stored.terms.weights == {"reaction": ""}


def test_terms_of_results_of_version_1_2() -> None:
    terms = read_stored_variances(ARCHIVES / "results_1.2.h5").terms
    assert terms is not None
    assert [(term.text, term.relationship) for term in terms.random["genetic"].values()] == [("genetic(id)", "pedigree")]
    assert read_stored_variances(ARCHIVES / "results_1.1.h5").terms is None
