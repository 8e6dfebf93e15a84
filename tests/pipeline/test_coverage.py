"""Intervals hold the values that data were simulated with as often as they say."""

from __future__ import annotations

import importlib.util
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest
from scipy.stats import binom

SCRIPT = Path(__file__).parents[2] / "scripts" / "bench" / "coverage"


@pytest.mark.slow
def test_coverage_and_bias():
    """Counts that a coverage of 95 % would give in all but one case of ten thousand; no end is missing; no bias."""
    loader = SourceFileLoader("coverage_script", str(SCRIPT))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    script = importlib.util.module_from_spec(spec)
    loader.exec_module(script)
    n = 40
    found = script.coverage(n, 600, 5)
    assert (found["found"] == 1.0).all(), found.to_string()
    assert (found["profile"] * n >= binom.ppf(1e-4, n, 0.95)).all(), found.to_string()
    assert ((found["mean"] - found["truth"]).abs() < 4.0 * found["error_of_mean"]).all(), found.to_string()
