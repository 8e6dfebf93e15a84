"""Breeding values that books and other programs give, from the configurations as they ship.

Mrode & Pocrnic (2023), Linear Models for the Prediction of the Genetic Merit of Animals, 4th ed., examples 4.1, 4.2, 5.1, 10.1;
BLUPF90 as printed in its tutorial; ASReml-R 4.2 on the gryphons of Wilson et al. (2010, J. Anim. Ecol. 79:13); the R package
gremlin on the blue tits of Hadfield et al. (2007). Columns ``oracle``: generalized least squares on V, without the mixed model
equations.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import breedeval as be

CONFIGS = sorted((Path(__file__).resolve().parents[2] / "configs").glob("*.yaml"))

#: The book prints three decimals, and a few of its last digits are rounded down.
BOOK = 6e-4


def evaluate(root, name):
    return be.evaluate(root / "configs" / f"{name}.yaml")


def evaluate_without_inbreeding(root, name, folder):
    """As programs do that set up A⁻¹ as if no animal were inbred."""
    text = (root / "configs" / f"{name}.yaml").read_text()
    assert text.count("  dam: dam\n") == 1
    path = folder / f"{name}.yaml"
    path.write_text(text.replace("  dam: dam\n", "  dam: dam\n  inbreeding: false\n"))
    return be.evaluate(path)


def expected(folder, quantity, trait=None, column="oracle"):
    frame = pd.read_csv(folder / "expected.csv", dtype={"level": str})
    frame = frame[(frame["quantity"] == quantity) & (frame["trait"].isna() if trait is None else frame["trait"] == trait)]
    assert len(frame), quantity
    return frame.set_index("level")[column].dropna()


def compare_values(found, wanted, atol):
    np.testing.assert_allclose(found.loc[wanted.index].to_numpy(float), wanted.to_numpy(float), atol=atol, rtol=0)


def by_animal(run, column="ebv"):
    return run.ebv().set_index("id")[column]


def pev(run):
    values = run.breeding_values[0]
    return pd.Series(values.pev, index=run.pedigree.ids.to_list())


def effect(run, name):
    table = run.effect(name)
    return table.set_index("level")[table.columns[1]]


def test_mrode_animal(root, refdata):
    folder, run = refdata("mrode_animal"), evaluate(root, "mrode_animal")
    compare_values(by_animal(run), expected(folder, "ebv", column="published"), BOOK)
    compare_values(by_animal(run), expected(folder, "ebv"), 1e-10)
    compare_values(pev(run), expected(folder, "pev"), 1e-9)
    compare_values(pev(run) / 40, expected(folder, "pev_over_var_e", column="published"), BOOK)
    compare_values(by_animal(run, "reliability"), expected(folder, "reliability"), 1e-10)
    compare_values(effect(run, "sex"), expected(folder, "sex"), 1e-10)


def test_mrode_sire(root, refdata):
    folder, run = refdata("mrode_sire"), evaluate(root, "mrode_sire")
    compare_values(by_animal(run), expected(folder, "sire", column="published"), BOOK)
    compare_values(by_animal(run), expected(folder, "sire"), 1e-10)
    compare_values(pev(run), expected(folder, "pev_sire"), 1e-10)
    compare_values(by_animal(run, "reliability"), expected(folder, "reliability_sire"), 1e-10)
    compare_values(effect(run, "sex"), expected(folder, "sex"), 1e-10)


def test_mrode_repeatability(root, refdata):
    folder, run = refdata("mrode_repeatability"), evaluate(root, "mrode_repeatability")
    compare_values(by_animal(run), expected(folder, "ebv", column="published"), BOOK)
    compare_values(by_animal(run), expected(folder, "ebv"), 1e-9)
    compare_values(pev(run), expected(folder, "pev_ebv"), 1e-9)
    compare_values(by_animal(run, "reliability"), expected(folder, "reliability"), 1e-10)
    compare_values(effect(run, "permanent(id)"), expected(folder, "pe"), 1e-9)
    block = run.solutions.block("permanent(id)")
    found = pd.Series(block.view(run.solution_pev)[:, 0], index=block.levels.to_list())
    compare_values(found, expected(folder, "pev_pe"), 1e-9)
    fixed = expected(folder, "fixed_HYS1_HYS3_zero")  # other constraints: compare what is estimable
    hys, parity = effect(run, "hys"), effect(run, "parity")
    for one, two, lactation in (("1", "2", "1"), ("3", "4", "2")):
        assert hys[two] - hys[one] == pytest.approx(fixed[f"HYS{two}"] - fixed[f"HYS{one}"], abs=1e-9)
        assert hys[one] + parity[lactation] == pytest.approx(fixed[f"HYS{one}"] + fixed[f"parity{lactation}"], abs=1e-9)


def test_mrode_fixed_regression(root, refdata):
    folder, run = refdata("mrode_fixed_regression"), evaluate(root, "mrode_fixed_regression")
    compare_values(by_animal(run), expected(folder, "ebv_daily", column="published"), 1e-4)
    compare_values(by_animal(run), expected(folder, "ebv_daily"), 1e-10)
    compare_values(by_animal(run, "reliability"), expected(folder, "reliability"), 1e-10)
    compare_values(effect(run, "permanent(cow)"), expected(folder, "pe_daily"), 1e-10)
    curve = run.effect("legendre(dim, 4)").iloc[0]
    slopes = expected(folder, "fixed_regression")
    for k in range(1, 5):  # the polynomial of order 0 is confounded with the mean
        assert curve[f"tdy:{k}"] == pytest.approx(slopes[str(k)], abs=1e-9)
    days, wanted = effect(run, "htd"), expected(folder, "htd10_zero")
    compare_values(days - days["10"], wanted, 1e-9)


@pytest.mark.parametrize("model", [3, 4])
@pytest.mark.parametrize("inbreeding", [True, False])
def test_blupf90_quick_tour(root, refdata, tmp_path, model, inbreeding):
    folder, name = refdata("blupf90_quicktour"), f"blupf90_quicktour_model{model}"
    run = evaluate(root, name) if inbreeding else evaluate_without_inbreeding(root, name, tmp_path)
    kind = "" if inbreeding else "_noF"
    wanted = expected(folder, f"model{model}_ebv{kind}")
    compare_values(by_animal(run), wanted, 1e-10)
    if not inbreeding:
        compare_values(by_animal(run), expected(folder, f"model{model}_ebv_noF", column="published"), 4e-6)
    if model == 3 and inbreeding:
        compare_values(by_animal(run, "reliability"), expected(folder, "model3_reliability"), 1e-10)
    if model == 3 and not inbreeding:
        a, s, contrasts = effect(run, "A"), effect(run, "S"), expected(folder, "model3_noF_contrasts")
        found = [a["2"] - a["1"], a["3"] - a["1"], s["2"] - s["1"], run.effect("x").iloc[0]["y1"]]
        np.testing.assert_allclose(found, contrasts[["A2-A1", "A3-A1", "S2-S1", "x"]], atol=1e-10)


@pytest.mark.parametrize("inbreeding", [True, False])
def test_blupf90_simulated_population(root, refdata, tmp_path, inbreeding):
    oracle = pd.read_csv(refdata("blupf90_sim4641") / "ebv_oracle.csv", dtype={"animal": str}).set_index("animal")
    name = "blupf90_sim4641"
    run = evaluate(root, name) if inbreeding else evaluate_without_inbreeding(root, name, tmp_path)
    kind = "" if inbreeding else "_noF"
    compare_values(by_animal(run), oracle[f"ebv_y1{kind}"], 1e-8)
    compare_values(by_animal(run, "reliability"), oracle[f"reliability_y1{kind}"], 1e-8)
    if inbreeding:
        compare_values(run.animals().set_index("id")["inbreeding"], oracle["F"], 1e-11)


def test_gryphons(root, refdata):
    folder, run = refdata("gryphon"), evaluate(root, "gryphon_model2")
    oracle = pd.read_csv(folder / "ebv_model2_oracle.csv", dtype={"animal": str}).set_index("animal")
    # The oracle stands at its own REML estimates, which differ from ASReml's in the seventh digit.
    compare_values(by_animal(run), oracle["ebv"], 2e-6)
    compare_values(by_animal(run, "reliability"), oracle["reliability"], 2e-6)
    fixed = expected(folder, "model2_fixed", column="published")
    sex, mean = effect(run, "sex"), effect(run, "intercept").iloc[0]
    assert mean + sex["1"] == pytest.approx(fixed["mean_sex1"], abs=2e-6)
    assert sex["2"] - sex["1"] == pytest.approx(fixed["sex2"], abs=2e-6)


@pytest.mark.parametrize("trait", ["tarsus", "back"])
def test_blue_tits(root, refdata, trait):
    folder, run = refdata("blue_tits"), evaluate(root, f"blue_tits_{trait}")
    oracle = pd.read_csv(folder / "ebv_univariate_oracle.csv", dtype={"animal": str}).set_index("animal")
    atol = 2e-7 if trait == "tarsus" else 2e-5  # gremlin's estimates of back are good to five digits
    compare_values(by_animal(run), oracle[f"{trait}_ebv"], atol)
    compare_values(by_animal(run, "reliability"), oracle[f"{trait}_reliability"], atol)
    fixed = expected(folder, "univariate_fixed", trait)
    sex, mean = effect(run, "sex"), effect(run, "intercept").iloc[0]
    found = [mean + sex["Fem"], sex["Male"] - sex["Fem"], sex["UNK"] - sex["Fem"], run.effect("hatchdate").iloc[0][trait]]
    np.testing.assert_allclose(found, fixed[["mean(Fem)", "Male", "UNK", "hatchdate"]], atol=1e-6)


@pytest.mark.parametrize("name", ["holstein_milk", "merino", "globulus", "gryphon_model3", "gryphon_model4"])
def test_direct_and_iterative_agree(root, refdata, tmp_path, name):
    refdata(name.partition("_model")[0])
    text = (root / "configs" / f"{name}.yaml").read_text()
    runs = []
    for method in ("direct", "pcg"):
        path = tmp_path / f"{method}.yaml"
        path.write_text(f"{text}\nsolver: {{method: {method}, ebv_error: 1.0e-9, threads: 1}}\n")
        runs.append(be.evaluate(path))
    direct, iterative = (run.breeding_values[0] for run in runs)
    sd = np.sqrt(direct.variance)
    np.testing.assert_allclose(iterative.value, direct.value, atol=1e-8 * sd, rtol=0)
    for block in runs[0].solutions.layout.fixed:
        a, b = (block.view(run.solutions.values) for run in runs)
        np.testing.assert_allclose(a, b, atol=1e-7 * sd, err_msg=block.name)
    assert np.isfinite(direct.value).all()
    assert 0.05 < direct.value.std() / sd < 1.5
    assert (direct.reliability >= 0).all()
    assert (direct.reliability <= 1).all()


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_configuration_runs(refdata, path):
    if "BREEDEVAL_REFDATA" in path.read_text():
        refdata("gryphon")  # skips without the data
    run = be.evaluate(path)
    assert run.solve.status.is_good
    for values in run.breeding_values:
        assert np.isfinite(values.value).all()
        if values.reliability is not None:
            assert (values.reliability >= 0).all()
            assert (values.reliability <= 1).all()


def test_four_traits_of_a_simulated_population_need_few_rounds(root, refdata, tmp_path):
    """A quarter of the 185 rounds that the tutorial's own program takes to this criterion, ‖b − Cx‖² / ‖b‖² ≤ 1e-12."""
    refdata("blupf90_sim4641")
    text = (root / "configs/blupf90_sim4641_four_traits.yaml").read_text()
    path = tmp_path / "four_traits.yaml"
    assert "\nsolver:" not in text
    solver = "solver: {method: pcg, preconditioner: incomplete_cholesky, stop: residual_squared, tolerance: 1.0e-12}\n"
    path.write_text(text + "\n" + solver + "accuracy: {method: none}\n")
    solve = be.evaluate(path).solve
    assert solve.final.residual_squared <= 1e-12
    assert solve.rounds <= 45
