"""Variance components against published answers, each to the precision that its README states.

ASReml-R 4.2 on the gryphons of Wilson et al. (2010, J. Anim. Ecol. 79:13); gremlin 1.1.0 on the blue tits of Hadfield et al.
(2007); Mrode & Pocrnic (2023), Linear Models for the Prediction of the Genetic Merit of Animals, 4th ed., section 17.7; DFREML
3.1 on the steers of Harvey (1960, USDA ARS-20-8); AIREMLF90 as printed in the tutorial of BLUPF90; lme4 1.1-31;
MixedModels.jl. Columns ``oracle``: average information on the dense V.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import breedeval as be
from breedeval.evaluation.config import read_config
from breedeval.evaluation.estimation_setup import prepare_estimation
from breedeval.variance.maximize import maximize
from tests.published.test_models import expected, read


def config_of(root, name, folder, *, keep_variances=False, **sections):
    """A shipped configuration, without its variances, with other sections; returns the path of the new file."""
    config = read(root / "configs" / f"{name}.yaml")
    if not keep_variances:
        config.pop("variances", None)
    for section, values in sections.items():
        merged = isinstance(values, dict) and section not in ("model", "variances")
        config[section] = {**config.get(section, {}), **values} if merged else values
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps(config))
    return path


def simple(folder, data, model, tmp_path, **sections):
    """A configuration of a data set without pedigree."""
    path = tmp_path / "simple.yaml"
    path.write_text(
        json.dumps({"records": {"file": str(folder / data), **sections.pop("records", {})}, "model": model, **sections})
    )
    return path


def variances(found, kinds=("variance", "covariance"), column="estimate"):
    table = found.table()
    return table[table["kind"].isin(kinds)].set_index("name")[column]


def number(frame, level="1"):
    return float(frame[level])


GRYPHON = {
    1: {"bwt": "1 + genetic(animal)"},
    2: {"bwt": "sex + genetic(animal)"},
    3: {"bwt": "sex + random(byear) + genetic(animal)"},
    4: {"bwt": "sex + random(byear) + random(mother) + genetic(animal)"},
}


@pytest.mark.parametrize("model", GRYPHON)
def test_gryphon_univariate(root, refdata, tmp_path, model):
    folder = refdata("gryphon")
    path = config_of(root, "gryphon_model4", tmp_path, model=GRYPHON[model], estimate={"functions": {}})
    found = be.estimate(path)
    assert found.converged
    for column, quantity in (("estimate", "variance"), ("standard_error", "variance_se")):
        values = variances(found, column=column)
        wanted = expected(folder, f"model{model}_{quantity}", column="published")
        for level, value in wanted.items():
            name = {"animal": "genetic bwt:animal", "residual": "residual bwt"}.get(level, f"{level} bwt:{level}")
            assert values[name] == pytest.approx(value, abs=2e-4), (quantity, level)
    assert found.fit.without_2pi == pytest.approx(
        number(expected(folder, f"model{model}_logl_asreml", column="published")), abs=2e-3
    )
    assert found.fit.log_likelihood == pytest.approx(number(expected(folder, f"model{model}_logl_all_constants")), abs=1e-5)
    if model <= 2:
        h2 = found.estimate("heritability", "bwt")
        assert h2.estimate == pytest.approx(number(expected(folder, f"model{model}_h2", column="published")), abs=2e-5)
        assert h2.standard_error == pytest.approx(number(expected(folder, f"model{model}_h2_se", column="published")), abs=2e-5)


BIVARIATE = {
    "a": dict.fromkeys(("bwt", "tarsus"), "1 + genetic(animal)"),
    "b": dict.fromkeys(("bwt", "tarsus"), "sex + random(byear) + random(mother) + genetic(animal)"),
}


@pytest.mark.parametrize("model", BIVARIATE)
def test_gryphon_bivariate(root, refdata, tmp_path, model):
    folder = refdata("gryphon")
    found = be.estimate(config_of(root, "gryphon_two_traits", tmp_path, model=BIVARIATE[model]))
    assert found.converged
    for column, quantity in (("estimate", "covariance"), ("standard_error", "covariance_se")):
        values = variances(found, column=column)
        for level, value in expected(folder, f"bivariate_{model}_{quantity}", column="published").items():
            assert values[name_of(level)] == pytest.approx(value, abs=2e-3), (quantity, level)
    wanted = number(expected(folder, f"bivariate_{model}_logl_asreml", column="published"))
    assert found.fit.without_2pi == pytest.approx(wanted, abs=2e-3)
    correlation = found.estimate("genetic correlation", "bwt:animal,tarsus:animal")
    for value, quantity in ((correlation.estimate, "correlation"), (correlation.standard_error, "correlation_se")):
        wanted = number(expected(folder, f"bivariate_{model}_genetic_{quantity}", column="published"))
        assert value == pytest.approx(wanted, abs=2e-4)


def name_of(level, column=None):
    """``animal bwt,tarsus`` as the table names it."""
    effect, _, traits = level.partition(" ")
    first, second = traits.split(",")
    if effect == "residual":
        return f"residual {first}" + ("" if first == second else f",{second}")
    key = {"animal": "genetic"}.get(effect, effect)
    return f"{key} {first}:{effect}" + ("" if first == second else f",{second}:{effect}")


@pytest.mark.parametrize("trait", ["tarsus", "back"])
def test_blue_tits_one_trait(root, refdata, tmp_path, trait):
    folder = refdata("blue_tits")
    found = be.estimate(config_of(root, f"blue_tits_{trait}", tmp_path))
    for column, quantity in (("estimate", "variance"), ("standard_error", "variance_se")):
        values = variances(found, column=column)
        for level, value in expected(folder, f"univariate_{quantity}", trait, "published").items():
            name = {"animal": f"genetic {trait}:animal", "residual": f"residual {trait}"}.get(level, f"{level} {trait}:{level}")
            assert values[name] == pytest.approx(value, abs=2e-4)
    assert found.fit.without_2pi == pytest.approx(
        number(expected(folder, "univariate_logl_gremlin", trait, "published")), abs=2e-4
    )
    assert found.fit.log_likelihood == pytest.approx(number(expected(folder, "univariate_logl_all_constants", trait)), abs=1e-5)


def test_blue_tits_two_traits(root, refdata, tmp_path):
    folder = refdata("blue_tits")
    found = be.estimate(config_of(root, "blue_tits_two_traits", tmp_path))
    assert found.converged
    for column, quantity in (("estimate", "covariance"), ("standard_error", "covariance_se")):
        values = variances(found, column=column)
        for level, value in expected(folder, f"bivariate_{quantity}").items():
            assert values[name_of(level)] == pytest.approx(value, abs=2e-5), (quantity, level)
    assert found.fit.log_likelihood == pytest.approx(number(expected(folder, "bivariate_logl_all_constants")), abs=1e-5)
    correlation = found.estimate("genetic correlation", "tarsus:animal,back:animal")
    assert correlation.estimate == pytest.approx(number(expected(folder, "bivariate_genetic_correlation")), abs=1e-4)
    assert correlation.standard_error == pytest.approx(number(expected(folder, "bivariate_genetic_correlation_se")), abs=1e-4)


def mrode(folder, tmp_path, **sections):
    config = {
        "pedigree": {"file": str(folder / "pedigree.csv"), "animal": "animal", "sire": "sire", "dam": "dam", "unknown": ["0"]},
        "records": {"file": str(folder / "data.csv"), "classes": ["sex"]},
        "model": {"wwg": "sex + genetic(calf)"},
        "variances": {"genetic": 0.2, "residual": 0.4},
        **sections,
    }
    path = tmp_path / "mrode.yaml"
    path.write_text(json.dumps(config))
    return path


def test_mrode_iterates(refdata, tmp_path):
    """Average information from the book's starting values, round by round, with the likelihood of each."""
    folder = refdata("mrode_reml")
    found = be.estimate(mrode(folder, tmp_path))
    for place, trait in enumerate(("var_a", "var_e")):
        wanted = expected(folder, "ai_iterate", trait, "published")
        iterates = [one.theta[place] for one in found.rounds[: len(wanted)]]
        np.testing.assert_allclose(iterates, wanted.to_numpy()[: len(iterates)], atol=1e-4)
        oracle = expected(folder, "ai_iterate", trait).to_numpy()
        np.testing.assert_allclose(iterates[:6], oracle[: len(iterates)], atol=2e-7)
    for quantity, atol in (("logl_all_constants", 1e-8),):
        wanted = expected(folder, quantity).to_numpy()
        likelihoods = [one.log_likelihood for one in found.rounds[: len(wanted)]]
        np.testing.assert_allclose(likelihoods, wanted[: len(likelihoods)], atol=atol)
    assert found.fit.without_2pi == pytest.approx(expected(folder, "logl_without_2pi", column="published")["6"], abs=1e-4)
    inverse = expected(folder, "inverse_ai")
    order = ["a", "e"]
    wanted = [[inverse[f"{i},{j}"] for j in order] for i in order]
    np.testing.assert_allclose(found.covariance, wanted, atol=3e-4)
    final = expected(folder, "reml_estimate", column="published")
    np.testing.assert_allclose(found.maximum.theta, [final["var_a"], final["var_e"]], atol=1e-4)


def test_mrode_first_round_of_em(refdata, tmp_path):
    folder = refdata("mrode_reml")
    found = be.estimate(mrode(folder, tmp_path, estimate={"max_rounds": 1}), method="em")
    wanted = expected(folder, "em_first_iterate", column="oracle")
    np.testing.assert_allclose(found.rounds[1].theta, [wanted["var_a"], wanted["var_e"]], atol=1e-8)
    assert found.rounds[1].kind == "EM"


def test_expectation_maximization_ends_where_average_information_does(refdata, tmp_path):
    folder = refdata("mrode_reml")
    found = be.estimate(mrode(folder, tmp_path, estimate={"tolerance": 1e-3}), method="em")
    assert found.converged
    final = expected(folder, "reml_estimate", column="oracle")
    np.testing.assert_allclose(found.maximum.theta, [final["var_a"], final["var_e"]], rtol=5e-3)


def steers(folder, tmp_path, formula, **sections):
    config = {
        "pedigree": {"file": str(folder / "pedigree.csv"), "animal": "animal", "sire": "sire", "dam": "dam", "unknown": ["0"]},
        "records": {"file": str(folder / "data.csv"), "classes": ["line", "age_of_dam"], "covariates": ["age", "weight"]},
        "model": {"adg": formula},
        **sections,
    }
    path = tmp_path / "steers.yaml"
    path.write_text(json.dumps(config))
    return path


def test_harvey_steers(refdata, tmp_path):
    folder = refdata("harvey_steers")
    found = be.estimate(steers(folder, tmp_path, "line + age_of_dam + age + weight + genetic(animal)"))
    wanted = expected(folder, "reml", column="published")
    values = variances(found)
    assert values["genetic adg:animal"] == pytest.approx(wanted["var_a"], abs=1e-4)
    assert values["residual adg"] == pytest.approx(wanted["var_e"], abs=1e-4)
    h2 = found.estimate("heritability", "adg")
    assert h2.estimate == pytest.approx(number(expected(folder, "heritability", column="published")), abs=1e-4)
    assert h2.standard_error == pytest.approx(number(expected(folder, "heritability_se")), abs=1e-4)
    assert found.fit.log_likelihood == pytest.approx(number(expected(folder, "logl_all_constants")), abs=1e-6)


@pytest.mark.parametrize("inbreeding", [True, False])
def test_blupf90(root, refdata, tmp_path, inbreeding):
    folder = refdata("blupf90_sim4641")
    start = {"genetic": 100, "residual": 100}
    path = config_of(root, "blupf90_sim4641", tmp_path, pedigree={"inbreeding": inbreeding}, variances=start)
    found = be.estimate(path)
    suffix = "" if inbreeding else "_noF"
    wanted = expected(folder, f"reml{suffix}")
    values = variances(found)
    assert values["genetic y1:animal"] == pytest.approx(wanted["var_a"], abs=1e-4)
    assert values["residual y1"] == pytest.approx(wanted["var_e"], abs=1e-4)
    if inbreeding:
        return
    printed = expected(folder, "reml_noF", column="published")
    assert values["genetic y1:animal"] == pytest.approx(printed["var_a"], abs=6e-4)
    assert values["residual y1"] == pytest.approx(printed["var_e"], abs=6e-4)
    # BLUPF90 adds a constant of 8220, so the difference between start and end is what compares.
    start_value = number(expected(folder, "minus2logl_noF_at_100_100", column="published"))
    end_value = number(expected(folder, "minus2logl_noF_at_estimate", column="published"))
    ours = -2.0 * (found.rounds[0].log_likelihood - found.fit.log_likelihood)
    assert ours == pytest.approx(start_value - end_value, abs=2e-5)
    sampling = expected(folder, "reml_sampling_variance_noF")
    wanted = [[sampling["a,a"], sampling["a,e"]], [sampling["a,e"], sampling["e,e"]]]
    np.testing.assert_allclose(found.covariance, wanted, rtol=1e-4)
    assert found.estimate("heritability", "y1").estimate == pytest.approx(number(expected(folder, "heritability")), abs=1e-5)


def compare_lme4(found, folder, prefix, names):
    """Variances to 2e-4 relative of the largest; the REML criterion to 1e-5."""
    values, errors = variances(found), variances(found, column="standard_error")
    published = expected(folder, f"{prefix}_covariance", column="published")
    for level, value in published.items():
        assert values[names[level]] == pytest.approx(value, abs=2e-4 * published.max()), level
    for level, value in expected(folder, f"{prefix}_covariance_se").items():
        assert errors[names[level]] == pytest.approx(value, rel=2e-4), level
    printed = [] if prefix == "dyestuff2" else [("fixed", "estimate"), ("fixed_se", "standard_error")]
    for quantity, column in printed:
        effects = variances(found, ("fixed effect",), column)
        for level, value in expected(folder, f"{prefix}_{quantity}", column="published").items():
            assert effects[{"mean": "intercept"}.get(level, level)] == pytest.approx(value, abs=2e-4), (quantity, level)
    criterion = number(expected(folder, f"{prefix}_reml_criterion", column="published"))
    assert -2.0 * found.fit.log_likelihood == pytest.approx(criterion, abs=1e-5)


@pytest.mark.parametrize(("prefix", "trait"), [("dyestuff", "yield1"), ("dyestuff2", "yield2")])
def test_dyestuff(refdata, tmp_path, prefix, trait):
    folder = refdata("lme4_dyestuff")
    found = be.estimate(simple(folder, "data.csv", {trait: "1 + random(batch)"}, tmp_path))
    assert found.converged
    compare_lme4(found, folder, prefix, {"batch": f"batch {trait}:batch", "residual": f"residual {trait}"})
    note = found.estimate("variance", f"batch {trait}:batch").note
    assert note == ("zero: at the boundary" if prefix == "dyestuff2" else "")


@pytest.mark.parametrize("model", ["corr", "uncorr"])
def test_sleepstudy(refdata, tmp_path, model):
    folder = refdata("lme4_sleepstudy")
    structure = {"subject": "diagonal"} if model == "uncorr" else {}
    path = simple(
        folder,
        "data.csv",
        {"reaction": "days + random(subject, slope(days))"},
        tmp_path,
        records={"covariates": ["days"]},
        estimate={"structure": structure},
    )
    found = be.estimate(path)
    first, second = "reaction:subject:0", "reaction:subject:1"
    names = {
        "int,int": f"subject {first}",
        "int,days": f"subject {first},{second}",
        "days,days": f"subject {second}",
        "int": f"subject {first}",
        "days": f"subject {second}",
        "residual": "residual reaction",
    }
    compare_lme4(found, folder, f"sleepstudy_{model}", names)


def test_pastes(refdata, tmp_path):
    folder = refdata("lme4_pastes")
    found = be.estimate(simple(folder, "data.csv", {"strength": "1 + random(batch/cask)"}, tmp_path))
    nested = "batch:cask strength:batch:cask"
    names = {"batch": "batch strength:batch", "cask in batch": nested, "residual": "residual strength"}
    compare_lme4(found, folder, "pastes", names)


def random_start(parameters, rng):
    """Variances within a factor of some hundred of plausible ones, with any correlations."""
    found = []
    for matrix in parameters.matrices:
        scale = matrix.scale * np.exp(rng.normal(0, 1, matrix.size))
        a = rng.normal(size=(matrix.size, matrix.size + 1))
        c = a @ a.T
        c /= np.sqrt(np.outer(np.diag(c), np.diag(c)))
        found.append(c * np.outer(scale, scale))
    return tuple(found)


NO_PEDIGREE = {
    "lme4_dyestuff": {"yield1": "1 + random(batch)"},
    "lme4_sleepstudy": {"reaction": "days + random(subject, slope(days))"},
}
WITH_PEDIGREE = ["gryphon_two_traits", "blue_tits_two_traits", "blue_tits_back", "blupf90_sim4641"]


@pytest.mark.parametrize("name", [*NO_PEDIGREE, *(pytest.param(name, marks=pytest.mark.slow) for name in WITH_PEDIGREE)])
def test_ten_poor_starts_end_at_the_same_maximum(root, refdata, tmp_path, name):
    refdata("gryphon")
    if name in NO_PEDIGREE:
        path = simple(refdata(name), "data.csv", NO_PEDIGREE[name], tmp_path, records={"covariates": ["days"]})
    else:
        path = config_of(root, name, tmp_path)
    prepared = prepare_estimation(read_config(path, for_estimation=True))
    rng = np.random.default_rng(7)
    ends = [maximize(prepared.system, prepared.parameters, random_start(prepared.parameters, rng)) for _ in range(10)]
    assert {end.ending.code for end in ends} == {"converged"}
    values = np.array([end.point.log_likelihood.value for end in ends])
    assert np.ptp(values) < 1e-6
    theta = np.array([end.theta for end in ends])
    np.testing.assert_allclose(theta, theta[:1].repeat(10, axis=0), atol=1e-4 * prepared.parameters.scales().max())


def dense_criterion(frame, y, x, group, between, within):
    """-2 log-likelihood by REML of one random effect, from the dense V and these columns X."""
    z = pd.get_dummies(group).to_numpy(float)
    v = np.linalg.inv(between * z @ z.T + within * np.eye(len(frame)))
    w = x.T @ v @ x
    rest = y - x @ np.linalg.solve(w, x.T @ v @ y)
    terms = -np.linalg.slogdet(v)[1] + np.linalg.slogdet(w)[1] + rest @ v @ rest
    return terms + (len(y) - x.shape[1]) * np.log(2 * np.pi)


def columns_of(first, second):
    """Columns of a crossing of two sets of contrasts, each with a column of ones first."""
    return np.einsum("ni,nj->nij", first, second).reshape(len(first), -1)


def test_cake_criterion_is_that_of_treatment_contrasts(refdata, tmp_path):
    """R's contrasts: treatment for recipe; polynomial, of length one, for the ordered temperatures, which adds 3 log 6."""
    folder = refdata("lme4_cake")
    frame = pd.read_csv(folder / "data.csv")
    model = {"angle": "recipe*temperature + random(recipe:replicate)"}
    found = be.estimate(simple(folder, "data.csv", model, tmp_path, records={"classes": ["recipe", "temperature"]}))
    values = variances(found)
    between, within = values["recipe:replicate angle:recipe:replicate"], values["residual angle"]
    recipe, temperature = (pd.get_dummies(frame[name]).to_numpy(float) for name in ("recipe", "temperature"))
    treatment = [np.column_stack([np.ones(len(frame)), dummies[:, 1:]]) for dummies in (recipe, temperature)]
    powers = np.vander(np.arange(6.0), 6, increasing=True)
    contrasts = np.linalg.qr(powers)[0]
    contrasts[:, 0] = 1.0
    group, y = frame["recipe"] + frame["replicate"].astype(str), frame["angle"].to_numpy(float)
    plain = dense_criterion(frame, y, columns_of(*treatment), group, between, within)
    ordered = dense_criterion(frame, y, columns_of(treatment[0], temperature @ contrasts), group, between, within)
    assert -2.0 * found.fit.log_likelihood == pytest.approx(plain, abs=1e-8)
    assert -2.0 * found.fit.log_likelihood + 3 * np.log(6) == pytest.approx(ordered, abs=1e-8)


@pytest.mark.parametrize("formula", ["a + b + c + x + a:x", "a*b + c", "a + x + a:x + b + c + b:c"])
@pytest.mark.parametrize("seed", [1, 2])
def test_criterion_of_unbalanced_classes_is_that_of_treatment_contrasts(tmp_path, formula, seed):
    """Columns that depend on those before them are left out from the right, as R does."""
    rng = np.random.default_rng(seed)
    n = 80
    frame = pd.DataFrame({name: rng.integers(0, size, n) for name, size in (("a", 5), ("b", 4), ("c", 3), ("g", 9))})
    frame["x"] = rng.normal(size=n).round(3)
    frame["y"] = (rng.normal(size=9)[frame["g"]] + frame["x"] + rng.normal(size=n)).round(4)
    frame.to_csv(tmp_path / "data.csv", index=False)
    records = {"classes": ["a", "b", "c"], "covariates": ["x"]}
    found = be.estimate(simple(tmp_path, "data.csv", {"y": f"{formula} + random(g)"}, tmp_path, records=records))
    one = np.ones((n, 1))
    sets = {name: np.column_stack([one, pd.get_dummies(frame[name]).to_numpy(float)[:, 1:]]) for name in "abc"}
    sets["x"] = np.column_stack([one, frame["x"]])
    crossed = {"a + b + c + x + a:x": "ax b c", "a*b + c": "ab c", "a + x + a:x + b + c + b:c": "ax bc"}[formula]
    x = np.hstack([columns_of(sets[names[0]], sets[names[-1]]) if len(names) > 1 else sets[names] for names in crossed.split()])
    kept: list[int] = []
    for j in range(x.shape[1]):
        if np.linalg.matrix_rank(x[:, [*kept, j]]) > len(kept):
            kept.append(j)
    between, within = found.maximum.theta
    wanted = dense_criterion(frame, frame["y"].to_numpy(), x[:, kept], frame["g"], between, within)
    assert -2.0 * found.fit.log_likelihood == pytest.approx(wanted, abs=1e-8)


def test_penicillin_by_reml(refdata, tmp_path):
    """lme4, lmer(diameter ~ 1 + (1 | plate) + (1 | sample), Penicillin), as printed in J. M. Rosenberg, Comparing crossed
    effects models, https://bookdown.org/jmichaelrosenberg/comparing_crossed_effects_models."""
    folder = refdata("lme4_penicillin")
    found = be.estimate(simple(folder, "data.csv", {"diameter": "1 + random(plate) + random(sample)"}, tmp_path))
    values = np.sqrt(variances(found))
    assert values["plate diameter:plate"] == pytest.approx(0.8467, abs=6e-5)
    assert values["sample diameter:sample"] == pytest.approx(1.9316, abs=6e-5)
    assert values["residual diameter"] == pytest.approx(0.5499, abs=6e-5)
    assert -2.0 * found.fit.log_likelihood == pytest.approx(330.8606, abs=6e-5)
    assert found.estimate("fixed effect", "intercept").estimate == pytest.approx(22.97, abs=6e-3)


def test_maximum_likelihood(refdata, tmp_path):
    """MixedModels.jl, test/pls.jl at its commit 0222b4c: penicillin and dyestuff by ML, to the precision of its own tests."""
    path = simple(refdata("lme4_penicillin"), "data.csv", {"diameter": "1 + random(plate) + random(sample)"}, tmp_path)
    found = be.estimate(path, method="ml")
    values = variances(found)
    assert -2.0 * found.fit.log_likelihood == pytest.approx(332.18834867227616, abs=1e-3)
    assert np.sqrt(values["plate diameter:plate"]) == pytest.approx(0.8455645948223015, abs=1e-4)
    assert np.sqrt(values["sample diameter:sample"]) == pytest.approx(1.770647779277388, abs=1e-4)
    assert values["residual diameter"] == pytest.approx(0.3024263987592062, abs=1e-4)
    mean = found.estimate("fixed effect", "intercept")
    assert mean.estimate == pytest.approx(22.97222222222222, abs=1e-3)
    assert mean.standard_error == pytest.approx(0.7445960346851368, abs=1e-4)
    found = be.estimate(simple(refdata("lme4_dyestuff"), "data.csv", {"yield1": "1 + random(batch)"}, tmp_path), method="ml")
    values = variances(found)
    assert -2.0 * found.fit.log_likelihood == pytest.approx(327.3270598811428, abs=1e-3)
    assert values["residual yield1"] == pytest.approx(2451.2501089607676, abs=1e-3)
    assert np.sqrt(values["batch yield1:batch"] / values["residual yield1"]) == pytest.approx(0.752580, abs=1e-5)
    assert found.estimate("fixed effect", "intercept").standard_error == pytest.approx(17.69455188898009, abs=1e-4)
    assert found.fit.aic == pytest.approx(333.3270598811394, abs=1e-3)
    assert found.fit.bic == pytest.approx(337.5306520261259, abs=1e-3)
