"""Records of any model: the sum of its terms by name, residuals as told, gaps where asked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.polynomial import legendre

from breedeval.errors import ConfigError, RecordsError
from breedeval.model.formula import parse_formula
from breedeval.model.records import ClassColumn, RecordTable
from breedeval.model.relations import Relations
from breedeval.model.spec import ModelSpec
from breedeval.model.variances import Variances, build_variances
from breedeval.names import Names
from breedeval.pedigree.pedigree import Pedigree
from breedeval.relationship.related import RelatedLevels
from breedeval.relationship.stored_inverse import StoredInverse
from breedeval.simulate.beef import simulate_beef
from breedeval.simulate.effects import FixedEffects
from breedeval.simulate.phenotypes import SimulatedRecords, simulate_records
from breedeval.source import Source

CLASSES, COVARIATES = ["herd", "year", "size"], ["dim", "age", "w"]
FORMULAS = {
    "milk": "herd:year + year:dim + legendre(dim, 2, 5, 305) + genetic(id, legendre(dim, 1, 5, 305)) + permanent(id) "
    "+ random(herd, slope(age))",
    "weight": "herd*age + genetic(id) + genetic(dam) + permanent(dam)",
}
VARIANCES = {
    "genetic": {
        "labels": ["milk:id:0", "milk:id:1", "weight:id", "weight:dam"],
        "matrix": [[9, 1, 2, 0], [1, 2, 0.5, 0], [2, 0.5, 6, -2], [0, 0, -2, 4]],
    },
    "permanent(id)": 5,
    "permanent(dam)": 3,
    "herd": [[4, 0.5], [0.5, 1]],
    "residual": {"by": "size", "matrices": {"small": [[16, 6], [6, 25]], "large": [[4, -1], [-1, 9]]}},
}


def spec_of(formulas: Mapping[str, str]) -> ModelSpec:
    return ModelSpec(tuple(parse_formula(t, f, classes=CLASSES, covariates=COVARIATES) for t, f in formulas.items()))


def structure_of(rng: np.random.Generator, pedigree: Pedigree, m: int) -> RecordTable:
    """Records of animals whose dam is known, with classes and covariates at random."""
    rows = rng.choice(np.flatnonzero(pedigree.dam >= 0), size=m)
    classes = {
        "id": ClassColumn(pedigree.ids, rows.astype(np.int32)),
        "dam": ClassColumn(pedigree.ids, pedigree.dam[rows]),
    }
    for name, levels in (("herd", ["H1", "H2", "H3"]), ("year", ["2001", "2002"]), ("size", ["small", "large"])):
        classes[name] = ClassColumn(Names.of(levels), rng.integers(0, len(levels), size=m, dtype=np.int32))
    numbers = {"dim": rng.uniform(5, 305, m), "age": rng.normal(30, 5, m), "w": rng.choice([0.5, 1.0, 4.0], m)}
    return RecordTable(Source("a test"), m, classes, numbers)


@pytest.fixture(scope="module")
def pedigree() -> Pedigree:
    return simulate_beef(np.random.default_rng(1), n_animals=2000, years=10).animals.to_pedigree()


@pytest.fixture(scope="module")
def variances() -> Variances:
    return build_variances(VARIANCES, spec_of(FORMULAS))


@pytest.fixture(scope="module")
def simulated(pedigree: Pedigree, variances: Variances) -> SimulatedRecords:
    rng = np.random.default_rng(2)
    structure = structure_of(rng, pedigree, 30_000)
    fixed = FixedEffects(means={"milk": 100.0, "weight": 500.0})
    return simulate_records(
        rng, pedigree, spec_of(FORMULAS), variances, structure, fixed=fixed, missing={"weight": 0.4}, weight="w"
    )


def effect_by_name(records: SimulatedRecords) -> dict[tuple[str, str, str], float]:
    found = {}
    for block, values in zip(records.design.layout.blocks, records.effects, strict=True):
        for i, level in enumerate(block.levels.to_list()):
            for j, column in enumerate(block.columns):
                found[block.name, level, column] = float(values[i, j])
    return found


def test_each_record_is_the_sum_of_its_terms_by_name(simulated: SimulatedRecords) -> None:
    table, effect = simulated.table, effect_by_name(simulated)
    names = {name: column.names.to_list() for name, column in table.classes.items()}
    used = {int(row): k for k, row in enumerate(simulated.design.rows)}
    genetic = "genetic(id, legendre(dim, 1, 5, 305)) + genetic(id) + genetic(dam)"
    for row in range(0, 30_000, 997):
        herd, year, cow, dam = (names[c][table.classes[c].codes[row]] for c in ("herd", "year", "id", "dam"))
        dim, age = table.numbers["dim"][row], table.numbers["age"][row]
        x = -1 + 2 * (dim - 5) / 300
        phi = [math.sqrt((2 * k + 1) / 2) * legendre.legval(x, np.eye(3)[k]) for k in range(3)]
        milk = effect["intercept", "intercept", "milk"] + effect["herd:year", f"{herd}:{year}", "milk"]
        milk += effect["year:dim", year, "milk"] * dim + effect["permanent(id)", cow, "milk:id"]
        milk += sum(effect["legendre(dim, 2, 5, 305)", "legendre(dim, 2, 5, 305)", f"milk:{k}"] * phi[k] for k in range(3))
        milk += sum(effect[genetic, cow, f"milk:id:{k}"] * phi[k] for k in range(2))
        milk += (
            effect["random(herd, slope(age))", herd, "milk:herd:0"]
            + effect["random(herd, slope(age))", herd, "milk:herd:1"] * age
        )
        assert table.numbers["milk"][row] == pytest.approx(milk + simulated.residuals[used[row], 0], abs=1e-9)
        if np.isnan(table.numbers["weight"][row]):
            continue
        weight = (
            effect["intercept", "intercept", "weight"] + effect["herd", herd, "weight"] + effect["age", "age", "weight"] * age
        )
        weight += effect["herd:age", herd, "weight"] * age + effect["permanent(dam)", dam, "weight:dam"]
        weight += effect[genetic, cow, "weight:id"] + effect[genetic, dam, "weight:dam"]
        assert table.numbers["weight"][row] == pytest.approx(weight + simulated.residuals[used[row], 1], abs=1e-9)


def test_residuals_have_the_covariance_of_their_class_and_weight(simulated: SimulatedRecords, variances: Variances) -> None:
    design = simulated.design
    assert design.weights is not None
    both = design.observed.all(axis=1)
    for code, name in enumerate(design.residual_names):
        expected = variances.residual.matrices[name]
        for weight in (0.5, 1.0, 4.0):
            e = simulated.residuals[both & (design.residual_class == code) & (design.weights == weight)] * np.sqrt(weight)
            found = e.T @ e / len(e)
            # some 3,000 records each: √((v_i v_j + c²) / m)
            standard_error = np.sqrt((np.outer(np.diag(expected), np.diag(expected)) + expected**2) / len(e))
            assert len(e) > 2000
            assert np.abs((found - expected) / standard_error).max() < 4


def test_random_effects_have_their_covariances(simulated: SimulatedRecords) -> None:
    permanent = simulated.effect("permanent(id)")
    # 1,500 animals: the standard error of a variance is var √(2 / n), 4 %
    assert permanent.var() / 5 == pytest.approx(1.0, abs=0.14)
    genetic = simulated.effect("genetic(id, legendre(dim, 1, 5, 305)) + genetic(id) + genetic(dam)")
    order = [list(simulated.design.layout.genetic.columns).index(c) for c in VARIANCES["genetic"]["labels"]]
    founders = genetic[:250, order]  # the first animals of the pedigree, unrelated
    expected = np.array(VARIANCES["genetic"]["matrix"])
    found = founders.T @ founders / len(founders)
    standard_error = np.sqrt((np.outer(np.diag(expected), np.diag(expected)) + expected**2) / len(founders))
    assert np.abs((found - expected) / standard_error).max() < 4


def test_values_are_missing_at_the_rate_asked_for(simulated: SimulatedRecords) -> None:
    # binomial: the standard error is 0.003
    assert np.isnan(simulated.table.numbers["weight"]).mean() == pytest.approx(0.4, abs=0.012)
    assert not np.isnan(simulated.table.numbers["milk"]).any()


def test_fixed_terms_spread_as_much_as_told_and_the_mean_stands_in_the_intercept(pedigree: Pedigree) -> None:
    spec = spec_of({"weight": "herd + age + genetic(id)"})
    variances = build_variances({"genetic": 4, "residual": 25}, spec)
    structure = structure_of(np.random.default_rng(1), pedigree, 3000)
    slopes = []
    for seed in range(200):
        fixed = FixedEffects(means={"weight": 400.0}, spread=2.0)
        records = simulate_records(np.random.default_rng(seed), pedigree, spec, variances, structure, fixed=fixed)
        assert records.effect("intercept").item() == 400.0
        slopes.append(records.effect("age").item() * np.sqrt(np.mean(structure.numbers["age"] ** 2)))
    # what age adds has SD 2 × 5; 200 draws: the standard error is 5 %
    assert np.sqrt(np.mean(np.square(slopes))) == pytest.approx(10.0, rel=0.2)


def test_given_effects_are_taken_as_they_are(pedigree: Pedigree) -> None:
    spec = spec_of({"weight": "0 + herd + genetic(id)"})
    variances = build_variances({"genetic": 4, "residual": 25}, spec)
    structure = structure_of(np.random.default_rng(1), pedigree, 500)
    given = np.array([[10.0], [20.0], [30.0]])
    rng = np.random.default_rng(1)
    records = simulate_records(rng, pedigree, spec, variances, structure, fixed=FixedEffects(given={"herd": given}))
    assert np.array_equal(records.effect("herd"), given)
    with pytest.raises(ConfigError, match=r"given for herd are \(2, 1\), not \(3, 1\)"):
        simulate_records(rng, pedigree, spec, variances, structure, fixed=FixedEffects(given={"herd": given[:2]}))
    with pytest.raises(ConfigError, match=r"'year'.*no fixed term"):
        simulate_records(rng, pedigree, spec, variances, structure, fixed=FixedEffects(given={"year": given}))


def test_the_range_of_a_covariate_is_that_of_the_records_that_stay(pedigree: Pedigree) -> None:
    spec = spec_of({"milk": "legendre(dim, 1) + genetic(id)"})
    variances = build_variances({"genetic": 4, "residual": 25}, spec)
    structure = structure_of(np.random.default_rng(1), pedigree, 50)
    records = simulate_records(np.random.default_rng(1), pedigree, spec, variances, structure, missing={"milk": 0.5})
    stay = structure.numbers["dim"][~np.isnan(records.table.numbers["milk"])]
    assert f"standardized from {stay.min():g} to {stay.max():g}" in records.design.notes[0]


def test_the_same_state_of_the_generator_gives_the_same_records(pedigree: Pedigree, variances: Variances) -> None:
    structure = structure_of(np.random.default_rng(1), pedigree, 200)
    a, b, c = (
        simulate_records(np.random.default_rng(seed), pedigree, spec_of(FORMULAS), variances, structure).table.numbers["milk"]
        for seed in (1, 1, 2)
    )
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


def test_groups_stand_behind_the_animals_and_founders_descend_from_them(pedigree: Pedigree) -> None:
    n = pedigree.n_animals
    codes = [
        np.where(parent < 0, n + place, parent).astype(np.int32) for place, parent in enumerate((pedigree.sire, pedigree.dam))
    ]
    grouped = replace(pedigree, sire=codes[0], dam=codes[1], groups=Names.of(["bulls", "cows"]))
    spec = spec_of({"weight": "herd + genetic(id)"})
    variances = build_variances({"genetic": 4, "residual": 25}, spec)
    structure = structure_of(np.random.default_rng(1), pedigree, 500)
    gamma = 100.0 * np.eye(2)
    records = simulate_records(np.random.default_rng(8), grouped, spec, variances, structure, group_covariance=gamma)
    genetic = records.effect("genetic(id)")[:, 0]
    assert len(genetic) == n + 2
    founders = genetic[:n][pedigree.sire < 0]
    # some 700 founders around the mean of both groups: the standard error is 0.08
    assert abs(genetic[n:]).max() > 3
    assert founders.mean() == pytest.approx(genetic[n:].mean(), abs=0.35)
    with pytest.raises(ConfigError, match="group_covariance"):
        simulate_records(np.random.default_rng(8), grouped, spec, variances, structure, group_covariance=np.eye(3))


def test_what_does_not_fit_the_model_is_refused(pedigree: Pedigree, variances: Variances) -> None:
    rng, structure = np.random.default_rng(1), structure_of(np.random.default_rng(1), pedigree, 100)
    with pytest.raises(ConfigError, match=r"'fat' is no trait.*rate of milk is 1"):
        simulate_records(rng, pedigree, spec_of(FORMULAS), variances, structure, missing={"fat": 0.1, "milk": 1.0})
    lacking = RecordTable(structure.source, 100, structure.classes, {"age": structure.numbers["age"]})
    with pytest.raises(RecordsError, match="'dim'"):
        simulate_records(rng, pedigree, spec_of(FORMULAS), variances, lacking)
    both = spec_of({"age": "herd + genetic(id)", "milk": "age + genetic(id)"})
    two = build_variances({"genetic": [[2, 0], [0, 2]], "residual": [[1, 0], [0, 1]]}, both)
    with pytest.raises(ConfigError, match="'age' is a trait and a covariate"):
        simulate_records(rng, pedigree, both, two, structure)
    with pytest.raises(ConfigError, match="spread"):
        FixedEffects(spread=-1)


def test_weights_of_each_trait_divide_its_own_residuals(pedigree: Pedigree, variances: Variances) -> None:
    def residuals(weight: object) -> np.ndarray:
        rng = np.random.default_rng(7)
        structure = structure_of(np.random.default_rng(6), pedigree, 500)
        return simulate_records(rng, pedigree, spec_of(FORMULAS), variances, structure, weight=weight).residuals  # type: ignore[arg-type]

    plain, of_weight, of_both = residuals(None), residuals({"weight": "w"}), residuals({"milk": "w", "weight": "w"})
    structure = structure_of(np.random.default_rng(6), pedigree, 500)
    w = np.sort(structure.numbers["w"])
    np.testing.assert_array_equal(of_weight[:, 0], plain[:, 0])
    np.testing.assert_allclose(np.sort((plain[:, 1] / of_weight[:, 1]) ** 2), w, rtol=1e-12)
    np.testing.assert_allclose(of_both[:, 1], of_weight[:, 1])
    np.testing.assert_allclose(np.sort((plain[:, 0] / of_both[:, 0]) ** 2), w, rtol=1e-12)


def test_a_relationship_that_is_not_given_is_asked_for_by_name(pedigree: Pedigree) -> None:
    spec = spec_of({"milk": 'random(herd, relationship = "K")'})
    rng = np.random.default_rng(1)
    with pytest.raises(ConfigError, match=r'random\(herd, relationship = "K"\).* needs its relationship'):
        simulate_records(
            rng, pedigree, spec, build_variances({"herd": 1, "residual": 1}, spec), structure_of(rng, pedigree, 50)
        )


def test_levels_that_a_relationship_lacks_are_refused(pedigree: Pedigree) -> None:
    spec = spec_of({"milk": 'random(herd, relationship = "K")'})
    related = RelatedLevels(Names.of(["H1", "H2"]), StoredInverse(np.eye(2)), np.ones(2))
    rng, variances = np.random.default_rng(1), build_variances({"herd": 1, "residual": 1}, spec)
    structure = structure_of(rng, pedigree, 50)
    with pytest.raises(RecordsError, match="'H3'"):
        simulate_records(rng, pedigree, spec, variances, structure, relations=Relations({"given K": related}))
