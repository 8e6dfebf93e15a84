"""Several traits, maternal effects, random regressions and slopes: published answers, from the configurations as they ship.

Mrode & Pocrnic (2023), Linear Models for the Prediction of the Genetic Merit of Animals, 4th ed., examples 4.4, 6.1, 6.2,
8.1, 10.2 and 13.1; BLUPF90 as printed in its tutorial; ASReml-R 4.2 on the gryphons of Wilson et al. (2010, J. Anim. Ecol.
79:13); the R package lme4 on the sleep study of Belenky et al. (2003). Columns ``oracle``: generalized least squares on V,
without the mixed model equations; of the four traits, conjugate gradients on sparse equations of another program.
"""

from __future__ import annotations

import json

import h5py
import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

import breedeval as be
from breedeval.errors import BreedevalError
from tests.reference.relationship import tabular_a

#: The books print three decimals, and a few of their last digits are rounded down.
BOOK = 6e-4


def evaluate(root, name, **keywords):
    return be.evaluate(root / "configs" / f"{name}.yaml", **keywords)


def read(path):
    """A configuration as plain data; written back as JSON, it is YAML still."""
    return YAML(typ="safe").load(path.read_text())


def changed(root, name, folder, **sections):
    """Write the configuration `name` with other sections to `folder`."""
    config = read(root / "configs" / f"{name}.yaml")
    for section, values in sections.items():
        config[section] = {**config.get(section, {}), **values}
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps(config))
    return path


def expected(folder, quantity, trait=None, column="oracle"):
    frame = pd.read_csv(folder / "expected.csv", dtype={"level": str})
    frame = frame[(frame["quantity"] == quantity) & (frame["trait"].isna() if trait is None else frame["trait"] == trait)]
    assert len(frame), (quantity, trait)
    return frame.set_index("level")[column].dropna()


def compare(found, wanted, atol):
    assert len(wanted)
    np.testing.assert_allclose(found.loc[wanted.index].to_numpy(float), wanted.to_numpy(float), atol=atol, rtol=0)


def values(run, trait, column, what="value"):
    """EBVs, reliabilities or PEV by animal."""
    (one,) = (v for v in run.breeding_values if (v.trait, v.column) == (trait, column))
    return pd.Series(getattr(one, what), index=run.pedigree.ids.to_list())


def effect(run, name, column):
    return run.effect(name).set_index("level")[column]


def effect_pev(run, name, column):
    block = run.solutions.block(name)
    return pd.Series(block.view(run.solution_pev)[:, column], index=block.levels.to_list())


@pytest.mark.parametrize("name", ["mrode_mt_equal", "mrode_mt_missing"])
def test_mrode_two_traits(root, refdata, name):
    folder, run = refdata(name), evaluate(root, name)
    assert run.traits == ("wwg", "pwg")
    for trait in run.traits:
        compare(values(run, trait, "animal"), expected(folder, "ebv", trait, "published"), BOOK)
        compare(values(run, trait, "animal"), expected(folder, "ebv", trait), 1e-10)
        compare(values(run, trait, "animal", "reliability"), expected(folder, "reliability", trait), 1e-10)
        compare(effect(run, "sex", trait), expected(folder, "sex", trait, "published"), BOOK)
        compare(effect(run, "sex", trait), expected(folder, "sex", trait), 1e-10)
        if name == "mrode_mt_equal":
            compare(values(run, trait, "animal", "pev"), expected(folder, "pev", trait), 1e-9)
            compare(values(run, trait, "animal", "reliability"), expected(folder, "reliability", trait, "published"), BOOK)


@pytest.mark.parametrize("name", ["mrode_mt_equal", "mrode_mt_missing"])
@pytest.mark.parametrize("trait", ["wwg", "pwg"])
def test_mrode_one_of_the_two_traits(root, refdata, tmp_path, name, trait):
    """The book sets the two traits beside each alone; alone, all animals without the trait are there as well."""
    folder, j = refdata(name), ["wwg", "pwg"].index(trait)
    path = changed(root, name, tmp_path)
    config = read(path)
    config["model"] = {trait: config["model"][trait]}
    config["variances"] = {"genetic": [20, 40][j], "residual": [40, 30][j]}
    path.write_text(json.dumps(config))
    run = be.evaluate(path)
    wanted = expected(folder, "univariate_ebv" if name == "mrode_mt_equal" else "univariate", trait)
    compare(values(run, trait, "animal"), wanted.drop(["M", "F"], errors="ignore"), 1e-10)


def test_mrode_maternal(root, refdata):
    folder, run = refdata("mrode_maternal"), evaluate(root, "mrode_maternal")
    assert run.columns("bw") == ("calf", "dam")
    for column, kind in (("calf", "direct"), ("dam", "maternal")):
        compare(values(run, "bw", column), expected(folder, kind, column="published"), BOOK)
        compare(values(run, "bw", column), expected(folder, kind), 1e-10)
        compare(values(run, "bw", column, "reliability"), expected(folder, f"reliability_{kind}"), 1e-10)
    compare(effect(run, "permanent(dam)", "bw:dam"), expected(folder, "mpe"), 1e-10)
    compare(run.animals().set_index("id")["inbreeding"], expected(folder, "inbreeding"), 1e-12)
    fixed = expected(folder, "fixed_herd1_zero")
    herd, pen, mean = effect(run, "herd", "bw"), effect(run, "pen", "bw"), run.effect("intercept").iloc[0]["bw"]
    found = [herd["2"] - herd["1"], herd["3"] - herd["1"], mean + herd["1"] + pen["1"], mean + herd["1"] + pen["2"]]
    np.testing.assert_allclose(found, fixed[["herd2", "herd3", "pen1", "pen2"]], atol=1e-9)


def test_mrode_random_regression(root, refdata):
    folder, run = refdata("mrode_random_regression"), evaluate(root, "mrode_random_regression")
    columns = run.columns("tdy")
    assert columns == ("cow:0", "cow:1", "cow:2")
    permanent = "permanent(cow, legendre(dim, 2, 4, 310))"
    for k, column in enumerate(columns):
        for quantity, found in (
            ("animal_coefficient", values(run, "tdy", column)),
            ("pe_coefficient", effect(run, permanent, f"tdy:{column}")),
        ):
            compare(found, expected(folder, quantity, f"phi{k}", "published"), 1.1e-4)
            compare(found, expected(folder, quantity, f"phi{k}"), 1e-9)
    days, wanted = effect(run, "htd", "tdy"), expected(folder, "htd10_zero")
    compare(days - days["10"], wanted, 1e-9)
    curve, slopes = run.effect("legendre(dim, 4, 4, 310)").iloc[0], expected(folder, "fixed_regression")
    for k in range(1, 5):
        assert curve[f"tdy:{k}"] == pytest.approx(slopes[str(k)], abs=1e-9)
    # the mean, the tenth day and the polynomial of order 0, which is sqrt(1/2) everywhere, are confounded: their sum is not
    level = run.effect("intercept").iloc[0]["tdy"] + days["10"] + np.sqrt(0.5) * curve["tdy:0"]
    assert level == pytest.approx(np.sqrt(0.5) * slopes["0"], abs=1e-9)


def test_mrode_random_regression_sum_over_days(root, refdata):
    """The 305-day values that the book makes of the coefficients, with the day sums of the polynomials as weights."""
    folder, run = refdata("mrode_random_regression"), evaluate(root, "mrode_random_regression")
    params = pd.read_csv(folder / "params.csv").set_index(["name", "row", "col"])["value"]
    weights = params["t_days_6_310"].to_numpy()
    coefficients = pd.concat([values(run, "tdy", column) for column in run.columns("tdy")], axis=1)
    compare(coefficients @ weights, expected(folder, "ebv_305"), 1e-7)
    compare(coefficients @ weights, expected(folder, "ebv_305", column="published"), 0.03)
    # at one day: the genetic variance of the coefficients laid over day 106, from the matrix that the results hold
    t = 2 * (106 - 4) / (310 - 4) - 1
    phi = np.sqrt([0.5, 1.5, 2.5]) * [1, t, (3 * t * t - 1) / 2]
    variance = phi @ run.variances.random["genetic"].matrix @ phi
    assert variance == pytest.approx(expected(folder, "genetic_variance_dim106")["1"], abs=1e-9)


@pytest.mark.parametrize("inbreeding", [True, False])
def test_blupf90_quick_tour_two_traits(root, refdata, tmp_path, inbreeding):
    folder = refdata("blupf90_quicktour")
    run = be.evaluate(changed(root, "blupf90_quicktour_model5", tmp_path, pedigree={"inbreeding": inbreeding}))
    for trait in ("y1", "y2"):
        found = values(run, trait, "animal")
        compare(found, expected(folder, f"model5_ebv{'' if inbreeding else '_noF'}", trait), 1e-10)
        if not inbreeding:  # its iterations stop near 2e-6
            compare(found, expected(folder, "model5_ebv_noF", trait, "published"), 6e-6)


@pytest.mark.parametrize("inbreeding", [True, False])
def test_blupf90_four_traits(root, refdata, tmp_path, inbreeding):
    oracle = pd.read_csv(refdata("blupf90_sim4641") / "ebv_mt_oracle.csv", dtype={"animal": str}).set_index("animal")
    run = be.evaluate(changed(root, "blupf90_sim4641_four_traits", tmp_path, pedigree={"inbreeding": inbreeding}))
    assert run.record["counts"]["records"]["used_by_trait"] == {"y1": 4641, "y2": 4404, "y3": 4398, "y4": 4384}
    for trait in ("y1", "y2", "y3", "y4"):
        compare(values(run, trait, "animal"), oracle[f"ebv_{trait}{'' if inbreeding else '_noF'}"], 1e-8)
        assert values(run, trait, "animal", "reliability").between(0.3, 0.95).all()


def test_gryphons_two_traits(root, refdata):
    folder, run = refdata("gryphon"), evaluate(root, "gryphon_two_traits")
    wanted = expected(folder, "bivariate_b_fixed", column="published")
    for trait in ("bwt", "tarsus"):
        sex, mean = effect(run, "sex", trait), run.effect("intercept").iloc[0][trait]
        # standard errors are 0.15 to 0.5; the (co)variances are printed with seven digits
        assert mean + sex["1"] == pytest.approx(wanted[trait], abs=1e-5)
        assert sex["2"] - sex["1"] == pytest.approx(wanted[f"{trait} sex2"], abs=1e-5)
    v = run.variances.random["genetic"].matrix
    correlation = expected(folder, "bivariate_b_genetic_correlation", column="published")["1"]
    assert v[0, 1] / np.sqrt(v[0, 0] * v[1, 1]) == pytest.approx(correlation, abs=1e-6)


@pytest.mark.parametrize("name", ["gryphon_two_traits", "blue_tits_two_traits"])
def test_two_traits_by_least_squares(root, refdata, name):
    """EBVs and reliabilities from V with dense matrices, built here from the files alone."""
    folder, config = refdata(name.removesuffix("_two_traits")), root / "configs" / f"{name}.yaml"
    run, section = be.evaluate(config), read(config)
    traits, nests = tuple(section["model"]), [key for key in section["variances"] if key not in ("genetic", "residual")]
    pedigree = pd.read_csv(folder / "pedigree.csv", dtype=str)
    data = pd.read_csv(folder / "data.csv", dtype={"animal": str, "sex": str})
    row, sire, dam = parents_first(pedigree)
    a = tabular_a(sire, dam)
    there = [data.index[data[trait].notna()] for trait in traits]
    which = np.repeat([0, 1], [len(t) for t in there])
    observed = np.concatenate(there)
    animal = data["animal"].map(row).to_numpy()[observed]
    sigma = {key: np.array(matrix) for key, matrix in section["variances"].items()}

    def between(key):
        return sigma[key][np.ix_(which, which)]

    v = between("genetic") * a[np.ix_(animal, animal)] + between("residual") * (observed[:, None] == observed)
    for key in nests:
        codes = data[key].to_numpy()[observed]
        v += between(key) * (codes[:, None] == codes)
    columns = pd.get_dummies(data["sex"]).astype(float)
    if "hatchdate" in section["records"].get("covariates", []):
        columns["hatchdate"] = data["hatchdate"]
    x = np.hstack([columns.to_numpy()[observed] * (which == j)[:, None] for j in (0, 1)])
    y = np.concatenate([data.loc[t, trait] for t, trait in zip(there, traits, strict=True)])
    v_inverse = np.linalg.inv(v)
    p = v_inverse - v_inverse @ x @ np.linalg.solve(x.T @ v_inverse @ x, x.T @ v_inverse)
    for j, trait in enumerate(traits):
        covariance = sigma["genetic"][j][which] * a[:, animal]
        variance = sigma["genetic"][j, j] * np.diag(a)
        names = list(row)
        compare(values(run, trait, "animal"), pd.Series(covariance @ (p @ y), index=names), 1e-9)
        explained = np.einsum("ij,ij->i", covariance @ p, covariance)
        compare(values(run, trait, "animal", "reliability"), pd.Series(explained / variance, index=names), 1e-9)


def parents_first(pedigree):
    """Row of each animal, rows of its sire and its dam (−1 unknown), parents before their progeny."""
    parents = {a: (s, d) for a, s, d in pedigree[["animal", "sire", "dam"]].itertuples(index=False)}
    row = {}
    waiting = list(parents)
    while waiting:
        ready = [a for a in waiting if all(p == "0" or p in row for p in parents[a])]
        assert ready
        for animal in ready:
            row[animal] = len(row)
        waiting = [a for a in waiting if a not in row]
    rows = {**row, "0": -1}
    return row, [rows[parents[a][0]] for a in row], [rows[parents[a][1]] for a in row]


@pytest.mark.parametrize("name", ["mrode_dominance", "dominance_matrix"])
def test_mrode_dominance(root, refdata, name):
    """Dominance relationships from the pedigree, and the same from the file of the book's D."""
    folder, run = refdata("mrode_dominance"), evaluate(root, name)
    term = "dominance(pig)" if name == "mrode_dominance" else 'random(pig, relationship = "D")'
    additive, dominance = values(run, "ww", "pig"), run.effect(term).set_index("level").iloc[:, 0]
    for quantity, found in (("additive", additive), ("dominance", dominance), ("total", additive + dominance)):
        compare(found, expected(folder, quantity, column="published"), BOOK)
        compare(found, expected(folder, quantity), 1e-10)
    compare(effect(run, "pen", "ww"), expected(folder, "pen"), 1e-9)


def test_sleep_study(root, refdata):
    folder, run = refdata("lme4_sleepstudy"), evaluate(root, "lme4_sleepstudy")
    name, fixed = "random(subject, slope(days))", expected(folder, "sleepstudy_corr_fixed", column="published")
    assert run.effect("intercept").iloc[0]["reaction"] == pytest.approx(fixed["mean"], abs=1e-8)
    assert run.effect("days").iloc[0]["reaction"] == pytest.approx(fixed["days"], abs=1e-8)
    for k, label in enumerate(["(Intercept)", "Days"]):
        found = effect(run, name, f"reaction:subject:{k}")
        compare(found, expected(folder, f"sleepstudy_corr_blup_Subject_{label}", column="published"), 1e-6)
        # the oracle stands at its own REML estimates, which differ from lme4's in the seventh digit
        compare(effect_pev(run, name, k), expected(folder, f"sleepstudy_corr_pev_Subject_{label}"), 1e-4)


def test_classes_of_residual_variance(root, refdata, tmp_path):
    """One variance for all classes is no class; a class with k times the variance is a weight of 1/k."""
    folder, name = refdata("blupf90_hetres"), "blupf90_hetres"
    data = pd.read_csv(folder / "data.csv")
    data["weight"] /= data["class"].map({1: 1.0, 2: 1.5, 3: 4.0})
    data.to_csv(tmp_path / "data.csv", index=False)
    by_class = {"by": "class", "matrices": {"1": 40, "2": 60, "3": 160}}
    run = be.evaluate(changed(root, name, tmp_path, variances={"residual": by_class}))
    weights = be.evaluate(
        changed(root, name, tmp_path, variances={"residual": 40}, records={"file": str(tmp_path / "data.csv")})
    )
    for what in ("value", "reliability"):
        compare(values(run, "y", "animal", what), values(weights, "y", "animal", what), 1e-9)


@pytest.mark.parametrize(
    "name",
    [
        "blupf90_sim4641_four_traits",
        "blupf90_sim4641_repeat",
        "blupf90_hetres",
        "gryphon_repeat",
        "gryphon_two_traits",
        "merino_maternal",
        "mrode_maternal",
        "mrode_random_regression",
    ],
)
@pytest.mark.parametrize("preconditioner", ["incomplete_cholesky", "block", "diagonal"])
def test_direct_and_iterative_agree(root, refdata, tmp_path, name, preconditioner):
    refdata("gryphon")
    direct = be.evaluate(changed(root, name, tmp_path, solver={"method": "direct"}))
    solver = {"method": "pcg", "ebv_error": 1e-8, "preconditioner": preconditioner, "threads": 1}
    iterative = be.evaluate(changed(root, name, tmp_path, solver=solver, accuracy={"method": "none"}))
    assert iterative.solve.final.ebv_error <= 1e-8
    for a, b in zip(direct.breeding_values, iterative.breeding_values, strict=True):
        assert (a.trait, a.column) == (b.trait, b.column)
        np.testing.assert_allclose(b.value, a.value, atol=1e-8 * np.sqrt(a.variance), rtol=0)
        assert (a.reliability >= 0).all()
        assert (a.reliability <= 1).all()
        assert b.reliability is None


@pytest.mark.parametrize(
    "solver",
    [
        {"method": "direct"},
        {"method": "pcg", "preconditioner": "diagonal"},
        {"method": "pcg", "preconditioner": "block"},
        {"method": "pcg", "preconditioner": "incomplete_cholesky"},
    ],
    ids=["direct", "diagonal", "block", "incomplete_cholesky"],
)
def test_units_of_traits_do_not_matter(root, refdata, tmp_path, solver):
    """Traits of very different size in one run: the EBVs of the run in usual units, in the user's units."""
    units = np.array([1e6, 1.0, 1e-4, 1e3])
    data = pd.read_csv(refdata("blupf90_sim4641") / "data.csv")
    data[["y1", "y2", "y3", "y4"]] *= units
    data.to_csv(tmp_path / "data.csv", index=False)
    name = "blupf90_sim4641_four_traits"
    usual = read(root / "configs" / f"{name}.yaml")["variances"]
    variances = {key: (np.array(matrix) * np.outer(units, units)).tolist() for key, matrix in usual.items()}
    records = {"file": str(tmp_path / "data.csv")}
    run = be.evaluate(changed(root, name, tmp_path, records=records, variances=variances, solver=solver))
    for unit, a, b in zip(units, evaluate(root, name).breeding_values, run.breeding_values, strict=True):
        np.testing.assert_allclose(b.value / unit, a.value, atol=1e-4 * np.sqrt(a.variance), rtol=0)


def test_results_file_names_every_column(root, refdata, tmp_path):
    refdata("merino")
    path = tmp_path / "merino.h5"
    run = evaluate(root, "merino_maternal", results=path)
    with h5py.File(path) as file:
        assert sorted(file["ebv"]) == ["birwt", "weanwt"]
        for one in run.breeding_values:
            part = file["ebv"][one.trait][one.column]
            np.testing.assert_array_equal(part["value"], one.value)
            np.testing.assert_array_equal(part["reliability"], one.reliability)
            assert part.attrs["genetic_variance"] == one.variance
        genetic = file["variances/genetic"]
        # the order of the model, whatever the order in the configuration: traits within terms
        assert list(genetic["labels"].asstr()) == ["birwt:animal", "weanwt:animal", "birwt:dam", "weanwt:dam"]
        assert genetic["matrix"][0, 1] == 0.15
        assert genetic["matrix"][0, 2] == -0.010
        assert list(file["variances/permanent/labels"].asstr()) == ["birwt:dam", "weanwt:dam"]
        assert list(file["variances/residual/labels"].asstr()) == ["birwt", "weanwt"]
        assert list(file["effects/year"].attrs["columns"]) == ["birwt", "weanwt"]
        assert list(file["effects/rear_type"].attrs["columns"]) == ["weanwt"]
    with be.open_results(path) as stored:
        assert stored.columns("weanwt") == ("animal", "dam")
        pd.testing.assert_frame_equal(stored.ebv("weanwt", "dam"), run.ebv("weanwt", "dam"))


def test_a_trait_without_breeding_values_has_residual_covariances(root, refdata, tmp_path):
    folder, path, out = refdata("mrode_mt_missing"), tmp_path / "config.yaml", tmp_path / "results.h5"
    assert folder.is_dir()
    config = read(root / "configs" / "mrode_mt_missing.yaml")
    config["model"]["pwg"] = "0 + sex"
    config["variances"]["genetic"] = 20
    path.write_text(json.dumps(config))
    run = be.evaluate(path, out)
    assert run.traits == ("wwg",)
    with h5py.File(out) as file:
        residual = file["variances/residual"]
        assert residual["matrix"].shape == (2, 2)
        assert list(residual["labels"].asstr()) == ["wwg", "pwg"]


@pytest.mark.parametrize("metafounders", [False, True])
def test_groups_for_each_trait(root, refdata, tmp_path, metafounders):
    """Two traits that are not correlated are two evaluations, with groups of unknown parents in both."""
    data = pd.read_csv(refdata("mrode_upg") / "data.csv")
    data["twice"] = data["wwg"] * 2 + data.index
    data.to_csv(tmp_path / "data.csv", index=False)
    config = read(root / "configs" / "mrode_groups.yaml")
    config["records"]["file"] = str(tmp_path / "data.csv")
    if metafounders:
        config["pedigree"]["groups"]["gamma"] = {"labels": ["G1", "G2"], "matrix": [[0.4, 0.1], [0.1, 0.6]]}
    formula = config["model"]["wwg"]

    def run(traits):
        genetic, residual = np.diag([{"wwg": 20, "twice": 70}[t] for t in traits]), np.diag([40] * len(traits))
        config["model"] = dict.fromkeys(traits, formula)
        config["variances"] = {"genetic": genetic.tolist(), "residual": residual.tolist()}
        path = tmp_path / "config.yaml"
        path.write_text(json.dumps(config))
        return be.evaluate(path)

    together = run(["wwg", "twice"])
    for trait in ("wwg", "twice"):
        alone = run([trait])
        for what in ("value", "reliability"):
            compare(values(together, trait, "animal", what), values(alone, trait, "animal", what), 1e-9)


FAULTS = [
    ("mrode_mt_missing", ["genetic", "labels"], ["wwg:animal", "pwg:anmal"], ["'pwg:anmal'", "Did you mean 'pwg:animal'", ":"]),
    ("mrode_mt_missing", ["residual", "labels"], ["wwg", "xwg"], ["variances.residual", "'xwg'", "Needed are wwg, pwg"]),
    ("mrode_mt_missing", ["residual", "labels"], ["wwg", "wwg"], ["stands 2 times", "'pwg' is missing"]),
    ("mrode_mt_equal", ["genetic"], 20, ["one number (20) where 2 effects", "in the order wwg:animal, pwg:animal"]),
    ("mrode_mt_equal", ["genetic"], [[20, 18]], ["a matrix of 1 × 2", "Give a matrix of 2 × 2"]),
    ("mrode_mt_equal", ["residual"], [[40, 12], [11, 30]], ["not symmetric", "(wwg, pwg) is 12", "(pwg, wwg) is 11"]),
    ("mrode_mt_equal", ["genetic"], [[20, 38], [38, 40]], ["not positive definite", "-9.29", "bend: true"]),
    ("mrode_maternal", ["genetic", "labels"], ["bw:calf", "bw:cow"], ["'bw:cow'", "'bw:dam' is missing"]),
    (
        "mrode_random_regression",
        ["genetic"],
        {"labels": ["tdy:cow:1"], "matrix": [[1]]},
        ["'tdy:cow:0', 'tdy:cow:2' are missing"],
    ),
    ("mrode_maternal", ["genetic"], 150, ["in the order bw:calf, bw:dam"]),
    ("mrode_random_regression", ["permanent"], [[1, 0], [0, 1]], ["a matrix of 2 × 2", "tdy:cow:0, tdy:cow:1, tdy:cow:2"]),
    ("blupf90_hetres", ["residual", "matrices"], {"1": 60, "2": 63}, ["no matrix for class '3' of column class"]),
]


@pytest.mark.parametrize(("name", "place", "wrong", "texts"), FAULTS)
def test_covariances_that_do_not_match_the_model(root, refdata, tmp_path, name, place, wrong, texts):
    refdata("gryphon")
    path = tmp_path / "config.yaml"
    config = read(root / "configs" / f"{name}.yaml")
    section = config["variances"]
    for key in place[:-1]:
        section = section[key]
    section[place[-1]] = wrong
    path.write_text(json.dumps(config))
    with pytest.raises(BreedevalError) as caught:
        be.evaluate(path)
    for text in texts:
        assert text in str(caught.value)


def test_a_trait_without_records_is_named_with_its_own_reasons(root, refdata, tmp_path):
    data = pd.read_csv(refdata("mrode_mt_missing") / "data.csv")
    data["pwg"] = np.nan
    data.loc[0, "wwg"] = np.nan
    data.to_csv(tmp_path / "data.csv", index=False)
    path = changed(root, "mrode_mt_missing", tmp_path, records={"file": str(tmp_path / "data.csv")})
    with pytest.raises(BreedevalError, match=r"used for 'pwg'\. Why records were left out: pwg missing: 6 records\. Check"):
        be.evaluate(path)


def test_a_slope_without_variation_is_refused(root, refdata, tmp_path):
    data = pd.read_csv(refdata("lme4_sleepstudy") / "data.csv")
    data["room"] = 3
    data.to_csv(tmp_path / "data.csv", index=False)
    config = read(root / "configs" / "lme4_sleepstudy.yaml")
    config["records"].update(file=str(tmp_path / "data.csv"), covariates=["days", "room"])
    config["model"] = {"reaction": "days + random(subject, slope(room))"}
    path = tmp_path / "config.yaml"
    path.write_text(json.dumps(config))
    with pytest.raises(BreedevalError, match=r"slope\(room\).*every room is 3"):
        be.evaluate(path)
