"""Simulated herd-books: plausible lives, the breeding values the infinitesimal model asks for, the same for the same seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from breedeval.errors import ConfigError
from breedeval.pedigree.table import FEMALE, MALE
from breedeval.relationship.inbreeding import ancestral_levels, compute_inbreeding
from breedeval.simulate.dairy import DairyPopulation, simulate_dairy
from breedeval.simulate.plan import FIRST_CALVING


@pytest.fixture(scope="module")
def population() -> DairyPopulation:
    return simulate_dairy(np.random.default_rng(5), n_animals=30_000, years=15)


def test_the_same_seed_gives_the_same_population_and_another_one_does_not(population: DairyPopulation) -> None:
    again = simulate_dairy(np.random.default_rng(5), n_animals=30_000, years=15)
    other = simulate_dairy(np.random.default_rng(6), n_animals=30_000, years=15)
    assert np.array_equal(again.herd_book.breeding_value, population.herd_book.breeding_value)
    assert np.array_equal(again.lactations.milk, population.lactations.milk)
    assert not np.array_equal(other.herd_book.sire, population.herd_book.sire)


def test_parents_are_of_the_right_sex_and_old_enough(population: DairyPopulation) -> None:
    book = population.herd_book
    for parent, sex in ((book.true_sire, MALE), (book.true_dam, FEMALE)):
        known = np.flatnonzero(parent >= 0)
        assert len(known) > 20_000
        assert np.all(book.sex[parent[known]] == sex)
        assert np.all(book.birth_year[known] - book.birth_year[parent[known]] >= FIRST_CALVING)
        assert np.all(parent[known] < known)


def test_a_dam_has_a_lactation_in_the_year_of_her_calf_and_at_most_one_calf_a_year(population: DairyPopulation) -> None:
    book = population.herd_book
    calves = np.flatnonzero(book.true_dam >= 0)
    dams = book.true_dam[calves]
    lactation = book.birth_year[calves] - book.birth_year[dams] - FIRST_CALVING + 1
    assert np.all((lactation >= 1) & (lactation <= book.lactations[dams]))
    births = dams.astype(np.int64) * 10_000 + book.birth_year[calves]
    assert len(np.unique(births)) == len(births)
    assert np.array_equal(book.herd[calves], book.herd[dams])


def test_parents_are_forgotten_in_the_stated_share_and_never_invented() -> None:
    book = simulate_dairy(
        np.random.default_rng(2), n_animals=40_000, years=10, unknown_sire=0.3, unknown_dam=0.0, records_per_cow=0.5
    ).herd_book
    known = book.true_sire >= 0
    forgotten = known & (book.sire < 0)
    # binomial, more than 25,000 animals: five standard errors are 0.015
    assert abs(forgotten[known].mean() - 0.3) < 0.015
    assert np.array_equal(book.sire[book.sire >= 0], book.true_sire[book.sire >= 0])
    assert np.array_equal(book.dam, book.true_dam)


def test_founders_have_the_genetic_variance_and_mendelian_sampling_half_of_it(population: DairyPopulation) -> None:
    book, variance = population.herd_book, population.plan.genetic_variance
    founders = book.true_sire < 0
    value = book.breeding_value
    mendelian = value - 0.5 * (value[book.true_sire] + value[book.true_dam])
    # the standard error of a variance is var √(2/n): 3,500 founders, 2,000 calves of one early year with non-inbred parents
    assert value[founders].var() / variance == pytest.approx(1.0, abs=0.12)
    early = ~founders & (book.birth_year <= 2004)
    assert early.sum() > 2000
    assert mendelian[early].var() / variance == pytest.approx(0.5, abs=0.08)


def test_inbred_parents_lower_the_mendelian_variance() -> None:
    # two bulls a year for forty years make F of the parents large; gene drops at few loci are rough, so several populations
    found, expected = zip(*(mendelian_variance_of_late_births(seed) for seed in range(12)), strict=True)
    assert np.mean(expected) < 0.4
    standard_error = np.std(found, ddof=1) / np.sqrt(12)
    assert standard_error < 0.02
    assert abs(np.mean(found) - np.mean(expected)) < 3 * standard_error
    # a simulation that forgets inbreeding would stay at one half
    assert np.mean(found) < 0.5 - 4 * standard_error


def mendelian_variance_of_late_births(seed: int) -> tuple[float, float]:
    """Variance of Mendelian samplings in genetic variances, and what inbreeding of the parents by the pedigree says it is."""
    book = simulate_dairy(
        np.random.default_rng(seed), n_animals=8_000, years=40, calves_per_sire=1e9, last_bull_age=2, records_per_cow=0
    ).herd_book
    inbreeding = compute_inbreeding(replace(book, sire=book.true_sire, dam=book.true_dam).to_pedigree()).coefficients
    rows = np.flatnonzero((book.birth_year >= 2038) & (book.true_sire >= 0))
    sires, dams, value = book.true_sire[rows], book.true_dam[rows], book.breeding_value
    mendelian = value[rows] - 0.5 * (value[sires] + value[dams])
    expected = 0.5 * (1 - 0.5 * (inbreeding[sires].mean() + inbreeding[dams].mean()))
    return mendelian.var() / 432_000.0, expected


def test_selection_of_bulls_makes_a_trend(population: DairyPopulation) -> None:
    book = population.herd_book
    first, last = (book.breeding_value[book.birth_year == year].mean() for year in (2002, 2015))
    assert last - first > np.sqrt(population.plan.genetic_variance)


@pytest.fixture(scope="module")
def with_genomic_proofs() -> DairyPopulation:
    return simulate_dairy(
        np.random.default_rng(1), n_animals=20_000, years=25, genomic_share=0.3, embryo_share=0.05, calves_per_donor=4.0
    )


def test_young_parents_make_as_many_generations_as_a_national_herd_book_has(with_genomic_proofs: DairyPopulation) -> None:
    assert ancestral_levels(with_genomic_proofs.herd_book.to_pedigree()).max() >= 17


def test_yearlings_are_parents_in_the_shares_asked_for(with_genomic_proofs: DairyPopulation) -> None:
    book = with_genomic_proofs.herd_book
    calves = np.flatnonzero((book.true_dam >= 0) & (book.birth_year > 2004))
    dams = book.true_dam[calves]
    age = book.birth_year[calves] - book.birth_year[dams]
    assert age.min() == 1
    per_year = [(age[book.birth_year[calves] == year] == 1).mean() for year in range(2005, 2026)]
    assert np.abs(np.array(per_year) - 0.05).max() < 0.005  # 800 births a year, to a whole calf
    _, per_donor = np.unique(dams[age == 1], return_counts=True)
    assert per_donor.mean() == pytest.approx(4.0, abs=0.1)
    assert np.array_equal(book.herd[calves], book.herd[dams])
    n_sires = round(800 / with_genomic_proofs.plan.calves_per_sire)
    for year in (2010, 2020):
        sires = np.unique(book.true_sire[book.birth_year == year])
        sires = sires[sires >= 0]
        young = (year - book.birth_year[sires] == 1).sum()
        assert young <= round(0.3 * n_sires) < young + 3  # a sire may be drawn for no dam
        assert len(sires) <= n_sires


def test_yearlings_with_genomic_proofs_are_better_than_others_of_their_year(with_genomic_proofs: DairyPopulation) -> None:
    book = with_genomic_proofs.herd_book
    used = np.flatnonzero(book.true_dam >= 0)
    donors = np.unique(book.true_dam[used][book.birth_year[used] - book.birth_year[book.true_dam[used]] == 1])
    heifers = book.sex == FEMALE
    lead = [
        book.breeding_value[donors[book.birth_year[donors] == year]].mean()
        - book.breeding_value[heifers & (book.birth_year == year)].mean()
        for year in range(2005, 2024)
    ]
    assert np.mean(lead) > 0.5 * np.sqrt(with_genomic_proofs.plan.genetic_variance)


def test_no_yearling_is_a_parent_unless_asked_for(population: DairyPopulation) -> None:
    assert population.plan.genomic_share == population.plan.embryo_share == 0.0
    asked = simulate_dairy(np.random.default_rng(5), n_animals=30_000, years=15, genomic_reliability=0.9, calves_per_donor=2.0)
    assert np.array_equal(asked.herd_book.breeding_value, population.herd_book.breeding_value)


def test_a_population_is_a_pedigree_with_parents_first(population: DairyPopulation) -> None:
    pedigree = population.herd_book.to_pedigree()
    assert pedigree.n_animals == 30_000
    assert np.all(pedigree.sire < np.arange(30_000))
    assert pedigree.ids[0] == "NL000001"
    assert pedigree.row_of("NL030000") == 29_999


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"h2": 1.2}, ["h2 is 1.2", "between 0 and 1"]),
        ({"h2": 0.8, "permanent_share": 0.3}, ["no residual variance"]),
        ({"n_animals": 15, "years": 2}, ["n_animals is 15", "years is 2"]),
        ({"animals": 50}, ["'animals'", "n_animals"]),
        ({"records_per_cow": 6.0}, ["records_per_cow is 6", "at most"]),
        ({"h2": float("nan")}, ["h2 is nan"]),
        (
            {"genomic_share": 1.5, "genomic_reliability": 0.0},
            ["genomic_share is 1.5", "reliability is 0.0, not positive"],
        ),
        ({"embryo_share": 0.1, "calves_per_donor": 0.0}, ["calves_per_donor is 0.0"]),
    ],
)
def test_impossible_settings_are_refused_and_named(settings: dict[str, float], words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        simulate_dairy(np.random.default_rng(1), **{"n_animals": 2000, **settings})
    for word in words:
        assert word in str(caught.value)
