"""Equations of simulated dairy populations, by the thousand or by the million."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import breedeval as be
from breedeval.equations.mme import MixedModelEquations, build_equations
from breedeval.model.design import build_design
from breedeval.model.formula import parse_formula
from breedeval.model.records import ClassColumn, RecordTable
from breedeval.model.spec import ModelSpec
from breedeval.model.usable import find_animals, find_usable
from breedeval.model.variances import Variances, build_variances
from breedeval.names import Names
from breedeval.simulate.dairy import DairyPopulation, simulate_dairy
from breedeval.simulate.phenotypes import simulate_records
from breedeval.source import Source

FIXED = "herd_year + lactation + lactation:dim"
GENETIC = [[1.0, 0.4, 0.3], [0.4, 1.0, 0.5], [0.3, 0.5, 1.0]]
RESIDUAL = [[1.7, 0.5, 0.2], [0.5, 1.2, 0.4], [0.2, 0.4, 2.5]]
#: Test days of a lactation in the model ``regression``.
TEST_DAYS = 6


@dataclass(frozen=True)
class Case:
    """A model: formulas, (co)variances, share of missing values, animals if not said otherwise, which lactations."""

    formulas: dict[str, str]
    variances: dict[str, Any]
    missing: float = 0.0
    animals: int = 1_000_000
    first_lactations: bool = False
    test_days: bool = False


CURVE = "legendre(dim, 2, 5, 305)"
CASES = {
    "one": Case({"a": "herd_year + dim + genetic(id)"}, {"genetic": 0.3, "residual": 0.7}, first_lactations=True),
    "repeatability": Case({"a": f"{FIXED} + genetic(id) + permanent(id)"}, {"genetic": 0.3, "permanent": 0.2, "residual": 0.5}),
    "three": Case(
        dict.fromkeys("abc", f"{FIXED} + genetic(id) + permanent(id)"),
        {"genetic": GENETIC, "permanent": [[0.5, 0.1, 0.1], [0.1, 0.5, 0.1], [0.1, 0.1, 0.5]], "residual": RESIDUAL},
        missing=0.3,
        animals=100_000,
    ),
    "regression": Case(
        {"a": f"herd_year + legendre(dim, 4, 5, 305) + genetic(id, {CURVE}) + permanent(id, {CURVE})"},
        {
            "genetic": [[3.3, 0.6, -1.4], [0.6, 0.9, -0.3], [-1.4, -0.3, 1.0]],
            "permanent": [[6.9, -0.25, -1.1], [-0.25, 3.2, 0.17], [-1.1, 0.17, 2.5]],
            "residual": 3.7,
        },
        animals=50_000,
        test_days=True,
    ),
}


def make_equations(case: Case, n_animals: int, seed: int) -> tuple[MixedModelEquations, Variances]:
    rng = np.random.default_rng(seed)
    settings = {"years": 20, "calves_per_sire": 500.0 if n_animals >= 500_000 else 50.0, "records_per_cow": 2.2}
    population = simulate_dairy(rng, n_animals=n_animals, **settings)
    pedigree = read_back(population)
    inbreeding = be.compute_inbreeding(pedigree)
    classes = ["herd_year", "lactation"]
    spec = ModelSpec(tuple(parse_formula(t, f, classes=classes, covariates=["dim"]) for t, f in case.formulas.items()))
    variances = build_variances(case.variances, spec)
    table = record_table(case, population, rng)
    missing = dict.fromkeys(case.formulas, case.missing)
    records = simulate_records(rng, pedigree, spec, variances, table, inbreeding=inbreeding, missing=missing)
    animals = find_animals(spec, records.table, pedigree)
    design = build_design(spec, records.table, find_usable(spec, records.table, animals), animals, pedigree)
    return build_equations(design, variances, {"pedigree": be.NumeratorInverse(pedigree, inbreeding)}), variances


def read_back(population: DairyPopulation) -> Any:
    """The pedigree in the internal order, which reading gives it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pedigree.csv"
        columns = population.pedigree_columns()
        pd.DataFrame({k: c.to_list() if isinstance(c, Names) else c for k, c in columns.items()}).to_csv(path, index=False)
        return be.read_pedigree(path)


def record_table(case: Case, population: DairyPopulation, rng: np.random.Generator) -> RecordTable:
    lactations = population.lactations
    rows = np.flatnonzero(lactations.lactation == 1) if case.first_lactations else np.arange(lactations.n_records)
    if case.test_days:
        rows = np.repeat(rows, TEST_DAYS)
    dim = rng.uniform(5, 305, len(rows)).round() if case.test_days else lactations.days_in_milk[rows].astype(np.float64)
    herd_years = lactations.herd * population.plan.years + lactations.year - population.plan.first_year
    present, herd_year = np.unique(herd_years, return_inverse=True)
    classes = {
        "id": ClassColumn(population.herd_book.ids, lactations.cow[rows]),
        "herd_year": ClassColumn(Names.of([f"h{k}" for k in present]), herd_year[rows].astype(np.int32)),
        "lactation": ClassColumn(Names.of([str(k) for k in range(30)]), lactations.lactation[rows]),
    }
    return RecordTable(Source("a simulation"), len(rows), classes, {"dim": dim})


def genetic_sd(variances: Variances) -> np.ndarray:
    return np.sqrt(variances.random["genetic"].matrix.diagonal())
