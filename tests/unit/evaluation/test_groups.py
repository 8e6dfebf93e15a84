"""Groups and metafounders from the configuration to breeding values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import breedeval as be
from breedeval.errors import ConfigError, PedigreeError, VarianceError
from breedeval.evaluation.config import read_config
from breedeval.evaluation.observer import Silence
from tests.reference.relationship import tabular_with_metafounders

PEDIGREE = """id,sire,dam,year,origin,gs,gd
a,0,0,2000,local,s1,d1
b,0,0,2001,local,s1,d1
c,0,0,2002,import,s2,d1
d,0,0,2003,import,s2,d1
e,a,0,2004,import,s2,d2
f,a,b,2004,local,,
g,c,d,2005,local,,
h,e,f,2006,local,,
i,g,f,2006,local,,
j,g,h,2008,local,,
"""
RECORDS = "id,herd,y\nc,1,3.1\nd,2,2.2\ne,1,4.5\nf,2,1.2\ng,1,2.0\nh,2,3.3\ni,1,0.7\nj,2,2.9\nj,1,3.5\n"


def evaluate(folder: Path, groups: str, *, pedigree: str = PEDIGREE, more: str = "") -> be.EvaluationResults:
    (folder / "pedigree.csv").write_text(pedigree)
    (folder / "records.csv").write_text(RECORDS)
    config = folder / "run.yaml"
    config.write_text(
        f"pedigree: {{file: pedigree.csv, animal: id, sire: sire, dam: dam, birth_year: year, groups: {groups}}}\n"
        "records: {file: records.csv, classes: [herd]}\n"
        "model: {y: herd + genetic(id)}\n"
        f"variances: {{genetic: 1.5, residual: 2.0}}\n{more}"
    )
    return be.evaluate(config, folder / "run.h5")


def dense(
    run: be.EvaluationResults, covariance: np.ndarray, q: np.ndarray, records: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """EBVs u + Qg by generalized least squares with g as fixed effects, and PEV of u; covariance (n, n) of u."""
    ids = run.pedigree.ids.to_list()
    z = np.array([[float(i == record) for i in ids] for record in records["id"]])
    herds = sorted(records["herd"].astype(str).unique())
    x = np.array([[float(h == herd) for h in herds] for herd in records["herd"].astype(str)])
    w = np.hstack([x, z @ q])
    g, v = 1.5 * covariance, z @ (1.5 * covariance) @ z.T + 2.0 * np.eye(len(z))
    vi = np.linalg.inv(v)
    weights = np.linalg.pinv(w.T @ vi @ w)
    b = weights @ w.T @ vi @ records["y"]
    u = g @ z.T @ vi @ (records["y"] - w @ b)
    p = vi - vi @ w @ weights @ w.T @ vi
    pev = np.diag(g - g @ z.T @ p @ z @ g)
    return u + q @ b[len(herds) :], pev


def shares(run: be.EvaluationResults) -> np.ndarray:
    """Q by its definition: an animal has half of each parent's shares."""
    n, g = run.pedigree.n_animals, run.pedigree.n_groups
    q = np.zeros((n, g))
    for i in range(n):
        for parent in (run.pedigree.sire[i], run.pedigree.dam[i]):
            q[i] += 0.5 * (np.eye(g)[parent - n] if parent >= n else q[parent])
    return q


@pytest.mark.parametrize("groups", ["{column: origin}", "{sire_column: gs, dam_column: gd}", "{by: [birth_year], min_size: 4}"])
@pytest.mark.parametrize("method", ["direct", "pcg", "pcg, preconditioner: incomplete_cholesky"])
def test_fixed_groups_equal_generalized_least_squares(tmp_path: Path, groups: str, method: str) -> None:
    run = evaluate(tmp_path, groups, more=f"solver: {{method: {method}, ebv_error: 1e-10}}\n")
    a = tabular_with_metafounders(run.pedigree.sire, run.pedigree.dam, np.zeros((run.pedigree.n_groups,) * 2))
    n = run.pedigree.n_animals
    expected, pev = dense(run, a[:n, :n], shares(run), pd.read_csv(tmp_path / "records.csv"))
    ebv = run.ebv()["ebv"].to_numpy()  # which groups are zero is a convention: it moves all EBVs alike
    np.testing.assert_allclose(ebv - ebv.mean(), expected - expected.mean(), rtol=0, atol=1e-8)
    np.testing.assert_allclose(run.breeding_values[0].pev, pev, rtol=0, atol=1e-8)
    np.testing.assert_allclose(run.ebv()["reliability"], 1 - pev / (1.5 * np.diag(a)[:n]), rtol=0, atol=1e-8)


@pytest.mark.parametrize("solver", ["direct", "pcg, preconditioner: incomplete_cholesky, ebv_error: 1e-12"])
def test_random_groups_and_metafounders_are_a_covariance(tmp_path: Path, solver: str) -> None:
    more = f"solver: {{method: {solver}}}\n"
    gamma = np.array([[0.6, 0.2], [0.2, 0.9]])
    run = evaluate(tmp_path, "{column: origin, gamma: {labels: [local, import], matrix: [[0.9, 0.2], [0.2, 0.6]]}}", more=more)
    n = run.pedigree.n_animals
    assert run.pedigree.groups.to_list() == ["import", "local"]
    covariance = tabular_with_metafounders(run.pedigree.sire, run.pedigree.dam, gamma)[:n, :n]
    expected, pev = dense(run, covariance, np.zeros((n, 1)), pd.read_csv(tmp_path / "records.csv"))
    np.testing.assert_allclose(run.ebv()["ebv"], expected, rtol=0, atol=1e-9)
    np.testing.assert_allclose(run.inbreeding, np.diag(covariance) - 1, rtol=0, atol=1e-12)
    np.testing.assert_allclose(run.breeding_values[0].pev, pev, rtol=0, atol=1e-9)

    run = evaluate(tmp_path, "{column: origin, effect: random, variance: 0.7}", more=more)
    a = tabular_with_metafounders(run.pedigree.sire, run.pedigree.dam, np.zeros((2, 2)))[:n, :n]
    covariance = a + 0.7 * shares(run) @ shares(run).T
    expected, pev = dense(run, covariance, np.zeros((n, 1)), pd.read_csv(tmp_path / "records.csv"))
    np.testing.assert_allclose(run.ebv()["ebv"], expected, rtol=0, atol=1e-9)
    np.testing.assert_allclose(run.ebv()["reliability"], 1 - pev / (1.5 * np.diag(covariance)), rtol=0, atol=1e-9)


def test_inbred_unknown_parents_change_the_mendelian_variances(tmp_path: Path) -> None:
    inbred = PEDIGREE + "k,j,h,2010,local,,\nl,k,j,2012,local,,\nm,0,0,2012,local,s1,d1\n"
    run = evaluate(tmp_path, "{by: [birth_year], min_size: 4, inbred: true}", pedigree=inbred)
    pedigree, n = run.pedigree, run.pedigree.n_animals
    means = np.array(
        [run.inbreeding[pedigree.row_of("m")] if j == pedigree.n_groups - 1 else 0.0 for j in range(pedigree.n_groups)]
    )
    assert means[-1] > 0.05

    def f(parent: int) -> float:
        return 2 * means[parent - n] - 1 if parent >= n else run.inbreeding[parent]

    p = np.zeros((n, n))
    for i in range(n):
        for parent in (pedigree.sire[i], pedigree.dam[i]):
            if parent < n:
                p[i, parent] += 0.5
    d = np.array([0.5 - 0.25 * (f(s) + f(m)) for s, m in zip(pedigree.sire, pedigree.dam, strict=True)])
    t = np.linalg.inv(np.eye(n) - p)
    expected, _ = dense(run, t @ np.diag(d) @ t.T, shares(run), pd.read_csv(tmp_path / "records.csv"))
    ebv = run.ebv()["ebv"].to_numpy()
    np.testing.assert_allclose(ebv - ebv.mean(), expected - expected.mean(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("effect", ["", ", effect: random, variance: 0.7"])
@pytest.mark.parametrize("way", ["ignored", "inbred"])
def test_reliability_is_relative_to_the_variance_that_the_model_gives_the_animal(tmp_path: Path, way: str, effect: str) -> None:
    """Where that is not 1 + F: inbreeding ignored (Mendelian variances without it), or unknown parents inbred."""
    inbred = PEDIGREE + "k,j,h,2010,local,,\nl,k,j,2012,local,,\nm,0,0,2012,local,s1,d1\n"
    groups = "{column: origin" if way == "ignored" else "{by: [birth_year], min_size: 4, inbred: true"
    groups += effect + "}" + (", inbreeding: false" if way == "ignored" else "")
    run = evaluate(tmp_path, groups, pedigree=inbred, more="solver: {method: direct}\n")
    pedigree, n = run.pedigree, run.pedigree.n_animals
    t, d = np.eye(n), np.ones(n)
    latest = run.inbreeding[pedigree.row_of("m")]
    for i in range(n):
        for parent in (pedigree.sire[i], pedigree.dam[i]):
            if parent < n:
                t[i] += 0.5 * t[parent]
            if way == "ignored":
                d[i] -= 0.25 * (parent < n)
            else:
                of_group = latest if parent == n + pedigree.n_groups - 1 else 0.0
                d[i] -= 0.25 * (2 * of_group if parent >= n else 1 + run.inbreeding[parent])
    q = shares(run)
    covariance = t @ np.diag(d) @ t.T + (0.7 * q @ q.T if effect else 0.0)
    _, pev = dense(run, covariance, np.zeros((n, 1)) if effect else q, pd.read_csv(tmp_path / "records.csv"))
    np.testing.assert_allclose(run.ebv()["reliability"], 1 - pev / (1.5 * np.diag(covariance)), rtol=0, atol=1e-6)


@pytest.mark.parametrize("groups", ["{column: origin, gamma: {within: 0.5}}", "{by: [birth_year], inbred: true}"])
def test_inbreeding_cannot_be_ignored_where_groups_imply_it(tmp_path: Path, groups: str) -> None:
    with pytest.raises(ConfigError, match="inbreeding: false does not go with"):
        evaluate(tmp_path, groups + ", inbreeding: false")


def test_codes_in_the_place_of_parents_are_groups_and_no_animals(tmp_path: Path) -> None:
    coded = PEDIGREE.replace(",0,0,", ",-1,-2,").replace("e,a,0,", "e,a,-2,")
    run = evaluate(tmp_path, "{codes: negative}", pedigree=coded)
    assert run.pedigree.n_animals == 10
    assert run.pedigree.groups.to_list() == ["-2", "-1"]
    same = evaluate(tmp_path, '{codes: ["-1", "-2"]}', pedigree=coded)
    np.testing.assert_array_equal(run.ebv()["ebv"], same.ebv()["ebv"])


def test_results_file_holds_the_groups(tmp_path: Path) -> None:
    run = evaluate(tmp_path, "{column: origin}")
    with be.open_results(tmp_path / "run.h5") as results:
        groups = results.effect("genetic groups")
        assert groups["level"].to_list() == ["import", "local"]
        assert groups["constrained"].to_list() == [True, False]
        assert groups["y:id"].iloc[0] == 0.0
        assert results.base("y").startswith("groups of unknown parents")
        animals = results.animals().set_index("id")
        assert animals["sire"].isna()["a"]
        assert animals.loc["f", "dam"] == "b"
    assert run.record["counts"]["pedigree"]["group_kind"] == "fixed"


def test_a_base_of_animals_holds_with_groups(tmp_path: Path) -> None:
    run = evaluate(tmp_path, "{column: origin}", more="base: {animals: {birth_year: [2000, 2003]}}\n")
    born = (run.animals()["birth_year"] <= 2003).to_numpy()
    assert abs(run.ebv()["ebv"].to_numpy()[born].mean()) < 1e-12


@pytest.mark.parametrize(
    ("groups", "error", "message"),
    [
        ("{codes: [x1]}", PedigreeError, "no group"),
        ("{column: origin, gamma: {labels: [a, b], matrix: [[1, 0], [0, 1]]}}", VarianceError, "labels 'a', 'b'"),
        ("{column: origin, gamma: {within: 0.1, between: 0.2}}", VarianceError, "positive definite"),
        ("{column: origin, by: [sex]}", ConfigError, "one of column"),
        ("{column: origin, effect: random}", ConfigError, "need a variance"),
        ("{sire_column: gs}", ConfigError, "go together"),
        ("{column: origin, inbred: true}", ConfigError, "needs groups by birth_year"),
        ("{by: [breed]}", ConfigError, "birth_year"),
        ("{column: orign}", ValueError, "origin"),
    ],
)
def test_wrong_groups_are_refused(tmp_path: Path, groups: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        evaluate(tmp_path, groups)
    assert not (tmp_path / "run.h5").exists()


def test_published_examples(refdata, root: Path) -> None:
    """Mrode & Pocrnic (2023) example 4.4, with BLUPF90's 8 decimals; ggTutorial of Wolak & Reid (2017)."""
    folder = refdata("mrode_upg")
    expected = pd.read_csv(folder / "expected.csv")
    chosen = expected[expected["quantity"] == "solution_G1_zero"].set_index("level")["oracle"]
    run = be.evaluate(root / "configs/mrode_groups.yaml")
    for animal, value in run.ebv().set_index("id")["ebv"].items():
        assert value == pytest.approx(chosen[animal], abs=1e-8)
    block = run.solutions.layout.genetic
    assert block is not None
    assert block.view(run.solutions.values)[-1, 0] == pytest.approx(chosen["G2"], abs=1e-8)
    sex = run.effect("sex").set_index("level")["wwg"]
    assert sex["M"] == pytest.approx(chosen["M"], abs=1e-8)
    inverse = pd.read_csv(folder / "ainv_with_groups.csv", dtype={"row": str}).set_index("row")
    config = read_config(root / "configs/mrode_groups.yaml")
    assert config.pedigree is not None
    ours = be.NumeratorInverse(run.pedigree, be.compute_inbreeding(run.pedigree)).to_csr().toarray()
    names = [*run.pedigree.ids, *run.pedigree.groups]
    np.testing.assert_allclose(ours, inverse.loc[names, names].to_numpy(), rtol=0, atol=1e-10)

    oracle = pd.read_csv(refdata("genetic_groups_sim") / "ebv_oracle.csv", dtype={"animal": str}).set_index("animal")
    run = be.evaluate(root / "configs/genetic_groups_sim.yaml")
    ebv = run.ebv().set_index("id")["ebv"]
    np.testing.assert_allclose(ebv.loc[oracle.index], oracle["ebv_groups"], rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("groups", "again"),
    [("{column: origin}", "a,0,0,2000,import,s1,d1\n"), ("{sire_column: gs, dam_column: gd}", "e,a,0,2004,import,s2,d1\n")],
)
def test_rows_of_an_animal_that_name_different_groups_are_refused(tmp_path, groups, again):
    with pytest.raises(PedigreeError, match=rf"1 animal whose unknown parent has one group .*: '{again[0]}' .*line 12\)"):
        evaluate(tmp_path, groups, pedigree=PEDIGREE + again)
    f_knows_both_parents = evaluate(tmp_path, groups, pedigree=PEDIGREE + "f,a,b,2004,import,s2,d2\n")
    np.testing.assert_allclose(f_knows_both_parents.ebv("y")["ebv"], evaluate(tmp_path, groups).ebv("y")["ebv"], atol=1e-6)


def test_groups_without_a_birth_year_are_told(tmp_path):
    pedigree = PEDIGREE.replace(",2000,", ",,").replace(",2001,", ",,")
    evaluate(tmp_path, "{by: [birth_year], min_size: 4, gamma: {rate: 0.01}}", pedigree=pedigree)
    config = read_config(tmp_path / "run.yaml")
    told = Told()
    be.evaluate(config, observer=told)
    assert "1 group without any birth year taken to be of the earliest: 'year unknown'" in told.lines


class Told(Silence):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)
