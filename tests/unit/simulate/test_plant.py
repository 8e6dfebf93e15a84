"""A plant breeding program: exact inbreeding by selfing, the variance between lines of a cross, plots as told."""

from __future__ import annotations

import numpy as np
import pytest

from breedeval.errors import ConfigError
from breedeval.names import Names
from breedeval.pedigree.pedigree import Pedigree
from breedeval.relationship.inbreeding import compute_inbreeding
from breedeval.simulate.plant import simulate_plant
from breedeval.simulate.plant_plan import PlantPlan
from breedeval.simulate.plant_program import PlantProgram


@pytest.fixture(scope="module")
def program() -> PlantProgram:
    rng = np.random.default_rng(4)
    grown = PlantProgram(rng, PlantPlan(n_animals=40_000, years=8, interaction_share=0.2))
    for year in range(8):
        grown.add_year(rng, year)
    return grown


def test_inbreeding_is_that_of_the_whole_pedigree(program: PlantProgram) -> None:
    n = len(program.year)
    zeros = np.zeros(n, dtype=np.int8), np.zeros(n, dtype=np.int32)
    pedigree = Pedigree(Names.of([""] * n), program.true_sire, program.true_dam, *zeros, Names.of([]))
    np.testing.assert_allclose(program.inbreeding, compute_inbreeding(pedigree).coefficients, atol=1e-12)
    assert program.inbreeding.max() > 0.93


def test_lines_of_a_cross_of_founders_vary_as_selfing_makes_them(program: PlantProgram) -> None:
    plan = program.plan
    n_lines = plan.crosses_per_year * plan.lines_per_cross
    first = plan.n_animals - plan.years * plan.crosses_per_year * plan.plants_per_cross
    finished = first + plan.crosses_per_year + (plan.selfings - 1) * n_lines + np.arange(n_lines)
    families = program.values[finished].reshape(plan.crosses_per_year, plan.lines_per_cross, 2)
    rest = (families - families.mean(axis=1, keepdims=True)).reshape(-1, 2)
    freedom = plan.crosses_per_year * (plan.lines_per_cross - 1)
    found = rest.T @ rest / freedom
    # four selfings of a non-inbred F1: ½ + ¼ + ⅛ + 1/16 of the variance
    expected = 15 / 16 * plan.genetic_covariance
    standard_error = np.sqrt((np.outer(np.diag(expected), np.diag(expected)) + expected**2) / freedom)
    assert freedom > 1000
    assert np.abs((found - expected) / standard_error).max() < 4


def test_plots_of_a_line_in_a_trial_differ_by_block_and_residual(program: PlantProgram) -> None:
    """With two plots of each line, half the variance of their difference: block and residual, without genes and interaction."""
    found, number = np.zeros(2), 0
    for plots in program.plots:
        order = np.argsort(plots.line, kind="stable")
        pair = plots.value[order].reshape(-1, 2, 2)
        difference = pair[:, 0] - pair[:, 1]
        found += (difference**2).sum(axis=0) / 2
        number += len(difference)
    expected = np.diag(program.plan.block_covariance + program.plan.residual_covariance)
    # more than 15,000 pairs in 1,200 blocks: residuals 1.2 %, blocks 4 % of their tenth
    assert number > 15_000
    assert found / number / expected == pytest.approx([1.0, 1.0], abs=0.05)


def test_means_of_lines_in_two_trials_differ_by_the_interaction(program: PlantProgram) -> None:
    plan, found, number = program.plan, 0.0, 0
    for one, other in zip(program.plots[::2], program.plots[1::2], strict=True):
        means = [np.bincount(p.line, p.value[:, 0])[np.unique(p.line)] / plan.blocks for p in (one, other)]
        difference = means[0] - means[1]
        found += ((difference - difference.mean()) ** 2).sum() / 2
        number += len(difference) - 1
    plot = plan.block_covariance[0, 0] + plan.residual_covariance[0, 0]
    # 8,000 lines: the standard error is 1.6 %
    assert found / number / (plan.interaction_variance + plot / 2) == pytest.approx(1.0, abs=0.07)


def test_parents_are_used_both_ways_and_of_several_years(program: PlantProgram) -> None:
    crossed = np.flatnonzero((program.true_sire >= 0) & (program.true_sire != program.true_dam))
    mothers, fathers = program.true_dam[crossed], program.true_sire[crossed]
    assert len(crossed) == 8 * program.plan.crosses_per_year
    assert np.isin(mothers, fathers).mean() > 0.9
    age = program.year[crossed] - program.year[mothers]
    assert len(np.unique(age)) > 1
    assert np.all(program.year[crossed] >= np.maximum(program.year[mothers], program.year[fathers]))


def test_selection_makes_a_trend_in_yield(program: PlantProgram) -> None:
    last = program.year == program.year.max()
    gain = program.values[last, 0].mean() - program.values[program.true_sire < 0, 0].mean()
    assert gain > np.sqrt(program.plan.genetic_covariance[0, 0])


def test_founders_have_the_genetic_covariances() -> None:
    plan = PlantPlan(n_animals=9000, founders=8000, years=1)
    values = PlantProgram(np.random.default_rng(1), plan).values[:8000]
    expected = plan.genetic_covariance
    standard_error = np.sqrt((np.outer(np.diag(expected), np.diag(expected)) + expected**2) / 8000)
    assert np.abs((values.T @ values / 8000 - expected) / standard_error).max() < 4


def test_selfed_plants_keep_their_parent_and_crosses_forget_as_told() -> None:
    animals = simulate_plant(np.random.default_rng(1), n_animals=30_000, years=5, lines_per_cross=2, unknown_sire=0.2).animals
    selfed = (animals.true_sire == animals.true_dam) & (animals.true_sire >= 0)
    assert np.array_equal(animals.sire[selfed], animals.dam[selfed])
    crossed = (animals.true_sire != animals.true_dam) & (animals.true_sire >= 0)
    # binomial, 3,300 crosses: five standard errors are 0.035
    assert (animals.sire[crossed] < 0).mean() == pytest.approx(0.2, abs=0.035)


def test_impossible_settings_are_refused_and_named() -> None:
    with pytest.raises(ConfigError, match=r"n_animals is 500, too few for a cross a year \(at least 870\)"):
        simulate_plant(np.random.default_rng(1), n_animals=500)
    with pytest.raises(ConfigError, match="founders is 5, fewer than parents, 20"):
        simulate_plant(np.random.default_rng(1), founders=5)
    with pytest.raises(ConfigError, match="selfings is 0, not positive"):
        simulate_plant(np.random.default_rng(1), selfings=0)
