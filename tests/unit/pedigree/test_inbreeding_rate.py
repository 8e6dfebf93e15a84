"""Rate of inbreeding and effective size."""

from __future__ import annotations

import numpy as np
import pytest

from breedeval.pedigree.build import build_pedigree
from breedeval.pedigree.completeness import compute_completeness
from breedeval.pedigree.inbreeding_rate import (
    individual_increases,
    rate_from_birth_years,
    rate_from_individuals,
    rates_by_birth_year,
)
from breedeval.relationship.inbreeding import compute_inbreeding
from tests.factories import make_pedigree, make_table


def unrelated(years):
    return build_pedigree(make_table([(f"x{i}", None, None) for i in range(len(years))], birth_year=years)).pedigree


def test_regression_finds_the_rate_that_made_the_inbreeding():
    years = np.repeat(np.arange(2000, 2020), 3)
    pedigree = unrelated(years.tolist())
    # 1 % a generation of 4 years.
    inbreeding = 1 - 0.99 ** ((pedigree.birth_year - 2000) / 4)
    found = rate_from_birth_years(pedigree, inbreeding, 4.0)
    assert found.rate == pytest.approx(0.01, abs=1e-12)
    assert found.effective_size == pytest.approx(50.0)
    assert found.standard_error == pytest.approx(0.0, abs=1e-10)
    part = rate_from_birth_years(pedigree, inbreeding, 4.0, first_year=2005, last_year=2009)
    assert part.n_animals == 15


def test_regression_equals_least_squares_with_its_standard_error():
    rng = np.random.default_rng(1)
    pedigree = unrelated(rng.integers(2000, 2020, 50).tolist())
    inbreeding = rng.uniform(0, 0.2, 50)
    inbreeding[3] = 1.0  # fully inbred: left out
    used = np.arange(50) != 3
    y, x = np.log(1 - inbreeding[used]), pedigree.birth_year[used].astype(float)
    design = np.column_stack([np.ones(49), x - 2000])
    solution, squares, *_ = np.linalg.lstsq(design, y, rcond=None)
    error = np.sqrt(squares[0] / 47 * np.linalg.inv(design.T @ design)[1, 1])
    found = rate_from_birth_years(pedigree, inbreeding, 5.0)
    assert found.rate == pytest.approx(1 - np.exp(5 * solution[1]))
    assert found.standard_error == pytest.approx(5 * np.exp(5 * solution[1]) * error)


def test_individual_increases():
    found = individual_increases([0.19, 0.0, 0.5], [3.0, 4.0, 1.0])
    assert found[:2].tolist() == pytest.approx([1 - 0.9, 0.0])
    assert np.isnan(found[2])
    rate = rate_from_individuals([0.19, 0.0, 0.5], [3.0, 4.0, 1.0])
    assert (rate.n_animals, rate.rate) == (2, pytest.approx(0.05))
    assert rate.effective_size == pytest.approx(10.0)
    # Gutiérrez and others (2009): 2 Ne² σ / √N.
    assert rate.effective_size_error == pytest.approx(2 * 100 * np.std([0.1, 0.0], ddof=1) / np.sqrt(2))


def test_nothing_to_tell():
    rate = rate_from_individuals([0.0, 0.0], [0.0, 0.5])
    assert rate.n_animals == 0
    assert np.isnan(rate.effective_size)
    assert rate_from_individuals([0.0, 0.0], [2.0, 3.0]).effective_size == np.inf
    assert np.isnan(rate_from_birth_years(unrelated([2000, 2000, 2000, 2000]), [0, 0.1, 0.2, 0], 4.0).rate)


def test_by_birth_year_agrees_with_the_rate_of_each_class():
    rows = [("a", None, None), ("b", None, None), ("c", "a", "b"), ("d", "a", "b"), ("e", "c", "d"), ("f", "e", "c")]
    pedigree = build_pedigree(make_table(rows, birth_year=[2000, 2000, 2002, 2002, 2004, 2004])).pedigree
    inbreeding = compute_inbreeding(pedigree).coefficients
    frame = rates_by_birth_year(pedigree, inbreeding, width=2)
    assert frame["birth_year"].tolist() == [2000, 2002, 2004]
    assert frame["used"].tolist() == [0, 0, 2]
    depth = compute_completeness(pedigree).equivalent
    last = rate_from_individuals(inbreeding, depth, np.flatnonzero(pedigree.birth_year == 2004))
    assert frame["rate"].tolist()[2] == pytest.approx(last.rate)
    assert frame["effective_size"].tolist()[2] == pytest.approx(last.effective_size)
    assert frame["effective_size"].isna().tolist() == [True, True, False]


def test_rates_of_an_empty_pedigree():
    assert len(rates_by_birth_year(make_pedigree([]), [])) == 0
