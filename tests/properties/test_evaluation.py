"""What must hold for the evaluation of any population, here one that is simulated and the shipped herd-book."""

from __future__ import annotations

from pathlib import Path

import numba
import numpy as np
import pandas as pd
import pytest

import breedeval as be
from breedeval.simulate.dairy import simulate_dairy
from breedeval.simulate.files import write_population
from breedeval.solvers.pcg import pcg
from breedeval.solvers.stopping import StoppingRule
from tests.random_models import one_trait_model

CONFIG = """
pedigree: {{file: pedigree.csv, animal: id, sire: sire, dam: dam, unknown: ["0"]}}
records: {{file: records.csv, classes: [herd_year, lactation], covariates: [dim]{weight}}}
model:
  {trait}: herd_year + lactation + lactation:dim + genetic(id) + permanent(id)
variances: {{genetic: {genetic!r}, permanent: {permanent!r}, residual: {residual!r}}}
solver: {{method: {method}, ebv_error: {error!r}, threads: 1}}
accuracy: {{method: exact}}
"""
VARIANCES = {"genetic": 432000.0, "permanent": 288000.0, "residual": 720000.0}
SD = VARIANCES["genetic"] ** 0.5


@pytest.fixture(scope="module")
def population(tmp_path_factory):
    """Pedigree and records of 400 animals as text columns."""
    folder = tmp_path_factory.mktemp("population") / "herd"
    write_population(simulate_dairy(np.random.default_rng(11), n_animals=400, years=8, unknown_sire=0.1), folder)
    return tuple(pd.read_csv(folder / f"{name}.csv", dtype=str) for name in ("pedigree", "records"))


@pytest.fixture
def run(tmp_path):
    """Evaluate a pedigree and records."""

    def evaluate(pedigree, records, *, method="direct", trait="milk", scale=1.0, weight=None, error=1e-10):
        folder = Path(tmp_path, str(len(list(tmp_path.iterdir()))))
        folder.mkdir()
        pedigree.to_csv(folder / "pedigree.csv", index=False)
        records.to_csv(folder / "records.csv", index=False)
        variances = {name: value * scale for name, value in VARIANCES.items()}
        column = "" if weight is None else f", weight: {weight}"
        text = CONFIG.format(method=method, trait=trait, weight=column, error=error, **variances)
        (folder / "evaluation.yaml").write_text(text)
        return be.evaluate(folder / "evaluation.yaml")

    return evaluate


@pytest.fixture(scope="module")
def plain(population, tmp_path_factory):
    """The run that others are compared with."""
    folder = tmp_path_factory.mktemp("plain")
    for name, table in zip(("pedigree", "records"), population, strict=True):
        table.to_csv(folder / f"{name}.csv", index=False)
    (folder / "evaluation.yaml").write_text(CONFIG.format(method="direct", trait="milk", weight="", error=1e-10, **VARIANCES))
    return be.evaluate(folder / "evaluation.yaml")


def values(result, column="ebv"):
    return result.ebv().set_index("id")[column]


def pev(result):
    return pd.Series(result.breeding_values[0].pev, index=result.pedigree.ids.to_list())


def assert_same(found, wanted, atol=1e-10 * SD, rtol=0.0):
    np.testing.assert_allclose(found.loc[wanted.index].to_numpy(), wanted.to_numpy(), atol=atol, rtol=rtol)


@pytest.mark.parametrize("method", ["direct", "pcg"])
def test_order_and_names_do_not_matter(population, plain, run, method):
    pedigree, records = population
    rng = np.random.default_rng(2)
    shuffled = run(pedigree.sample(frac=1, random_state=rng), records.sample(frac=1, random_state=rng), method=method)
    backwards = run(pedigree.iloc[::-1], records.iloc[::-1], method=method)
    assert_same(values(shuffled), values(plain))
    assert_same(values(backwards), values(plain))
    new = {name: f"x{i}" for i, name in enumerate(rng.permutation(pedigree["id"]))}
    renamed = run(
        pedigree.assign(**{c: pedigree[c].map(lambda name: new.get(name, name)) for c in ("id", "sire", "dam")}),
        records.assign(id=records["id"].map(new)),
        method=method,
    )
    found = values(renamed).loc[[new[name] for name in values(plain).index]]
    np.testing.assert_allclose(found.to_numpy(), values(plain).to_numpy(), atol=1e-10 * SD)


def test_an_animal_without_information_changes_nobody(population, plain, run):
    pedigree, records = population
    sire, dam = pedigree.loc[pedigree["sire"] != "0", ["sire", "dam"]].iloc[-1]
    more = pd.concat([pedigree, pd.DataFrame({"id": ["new"], "sire": [sire], "dam": [dam]})]).fillna("")
    result = run(more, records)
    assert_same(values(result).drop("new"), values(plain).loc[values(result).drop("new").index])
    expected = (values(plain)[sire] + values(plain)[dam]) / 2
    assert values(result)["new"] == pytest.approx(expected, abs=1e-10 * SD)


@pytest.mark.parametrize("factor", [1e-12, 0.3, 1e12])
def test_all_variances_times_a_factor(population, plain, run, factor):
    # The tolerance is in genetic SD, which small variances make a small part of the records.
    result = run(*population, scale=factor, error=1e-10 * max(1.0, factor**-0.5))
    assert_same(values(result), values(plain), atol=1e-8 * SD)
    assert_same(pev(result), factor * pev(plain), atol=0, rtol=1e-8)
    assert_same(values(result, "reliability"), values(plain, "reliability"), atol=1e-8)


@pytest.mark.parametrize("factor", [1e-6, 2.5, 1e6])
@pytest.mark.parametrize("method", ["direct", "pcg"])
def test_a_trait_in_other_units(population, plain, run, factor, method):
    pedigree, records = population
    scaled = records.assign(milk=[repr(float(v) * factor) for v in records["milk"]])
    result = run(pedigree, scaled, scale=factor**2, method=method)
    assert_same(values(result) / factor, values(plain), atol=1e-8 * SD)


def test_a_weight_of_two_is_the_record_twice(population, run):
    pedigree, records = population
    twice = records.index % 3 == 0
    weighted = run(pedigree, records.assign(w=np.where(twice, 2, 1)), weight="w")
    doubled = run(pedigree, pd.concat([records, records[twice]]))
    assert_same(values(weighted), values(doubled), atol=1e-9 * SD)
    assert_same(pev(weighted), pev(doubled), atol=0, rtol=1e-9)


def test_a_weight_of_zero_is_no_record(population, run):
    pedigree, records = population
    none = records.index % 5 == 0
    weighted = run(pedigree, records.assign(w=np.where(none, 0, 1)), weight="w")
    assert_same(values(weighted), values(run(pedigree, records[~none])), atol=1e-9 * SD)
    assert weighted.record["counts"]["records"]["dropped"] == {"weight w zero": int(none.sum())}


def test_more_records_never_raise_pev(population, plain, run):
    pedigree, records = population
    fewer = run(pedigree, records.iloc[: 2 * len(records) // 3])
    assert (pev(plain) <= pev(fewer).loc[pev(plain).index] * (1 + 1e-9)).all()


def test_reliability_is_a_share(root, plain):
    for result in (plain, be.evaluate(root / "configs" / "herd_book.yaml")):
        reliability = values(result, "reliability")
        assert (reliability >= 0).all()
        assert (reliability < 1).all()
        assert reliability.max() > 0.3


def test_two_threads_give_the_bits_of_one():
    if numba.config.NUMBA_NUM_THREADS < 2:
        pytest.skip("one thread only")
    model = one_trait_model(5).model
    x = np.random.default_rng(3).normal(size=model.equations.order)
    found, before = [], numba.get_num_threads()
    try:
        for threads in (1, 2):
            numba.set_num_threads(threads)
            found.append((model.equations.multiply(x), model.solve_pcg("block").solution, model.solve_pcg("diagonal").solution))
    finally:
        numba.set_num_threads(before)
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("name", ["residual", "ebv_error"])
def test_restart_from_the_solution_stops_at_once(name):
    model = one_trait_model(5).model
    exact = model.solve_direct()
    rule = StoppingRule(name, 1e-6)
    b = model.equations.right_hand_side
    again = pcg(model.equations, b, model.preconditioner(), rule, model.ebv_scale, exact.solution)
    assert again.status.is_good
    assert again.rounds <= 1
    np.testing.assert_allclose(again.solution, exact.solution, rtol=1e-10)
