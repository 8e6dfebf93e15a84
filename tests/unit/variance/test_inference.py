"""Intervals, tests and the boundary, against lme4 and the asymptotic theory."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import chi2

import breedeval as be
from breedeval.evaluation.config import read_config
from breedeval.evaluation.estimation_setup import prepare_estimation
from breedeval.variance.constrained import maximize_given
from breedeval.variance.hypotheses import mixture_p_value
from breedeval.variance.maximize import maximize
from breedeval.variance.profile import profile_interval
from breedeval.variance.quantities import Quantity


def write(path, sections):
    path.write_text(json.dumps(sections))
    return path


def sleepstudy(folder, tmp_path, **sections):
    config = {
        "records": {"file": str(folder / "data.csv"), "covariates": ["days"]},
        "model": {"reaction": "days + random(subject, slope(days))"},
    }
    return write(tmp_path / "sleepstudy.yaml", {**config, **sections})


def dyestuff(folder, tmp_path, trait, **sections):
    config = {"records": {"file": str(folder / "data.csv")}, "model": {trait: "1 + random(batch)"}}
    return write(tmp_path / "dyestuff.yaml", {**config, **sections})


def test_profile_intervals_of_the_sleep_study(refdata, tmp_path):
    """lme4 1.1, confint(lmer(Reaction ~ Days + (Days | Subject))), as printed in Bates et al. (2015), J. Stat. Softw. 67(1):
    standard deviations and their correlation; that command profiles the likelihood, not the restricted one."""
    path = sleepstudy(refdata("lme4_sleepstudy"), tmp_path, estimate={"method": "ml", "intervals": "profile"})
    table = be.estimate(path).table().set_index(["kind", "name"])[["lower", "upper"]]
    first, second = "reaction:subject:0", "reaction:subject:1"
    printed = {
        ("variance", f"subject {first}"): (14.381, 37.716),
        ("variance", f"subject {second}"): (3.801, 8.753),
        ("variance", "residual reaction"): (22.898, 28.858),
    }
    for key, limits in printed.items():
        np.testing.assert_allclose(np.sqrt(table.loc[key].to_numpy()), limits, rtol=3e-4)
    correlation = table.loc[("subject correlation", f"{first},{second}")].to_numpy()
    np.testing.assert_allclose(correlation, (-0.482, 0.685), atol=6e-4)


def test_profile_intervals_of_dyestuff(refdata, tmp_path):
    """lme4, confint(lmer(Yield ~ 1 + (1 | Batch), Dyestuff)) as printed in its documentation: standard deviations."""
    path = dyestuff(refdata("lme4_dyestuff"), tmp_path, "yield1", estimate={"method": "ml", "intervals": "profile"})
    table = be.estimate(path).table().set_index(["kind", "name"])[["lower", "upper"]]
    for name, limits in (("batch yield1:batch", (12.198, 84.063)), ("residual yield1", (38.230, 67.658))):
        np.testing.assert_allclose(np.sqrt(table.loc[("variance", name)].to_numpy()), limits, rtol=1e-3)


def half_sibs(rng, heritability, n_sires=40, n_progeny=6):
    """Records of half-sib families in herds; sire of each."""
    sire = np.repeat(np.arange(n_sires), n_progeny)
    herd = rng.integers(0, 8, len(sire))
    breeding = 0.5 * rng.normal(size=n_sires)[sire] + np.sqrt(0.75) * rng.normal(size=len(sire))
    y = np.sqrt(heritability) * breeding + np.sqrt(1 - heritability) * rng.normal(size=len(sire)) + 0.3 * herd
    return sire, herd, y


class DenseLikelihood:
    """Restricted log-likelihood but for a constant, in the eigenvectors of the relationship matrix."""

    def __init__(self, sire, herd, y):
        relationship = np.where(sire[:, None] == sire, 0.25, 0.0) + 0.75 * np.eye(len(y))
        self.roots, vectors = np.linalg.eigh(relationship)
        self.x, self.y = vectors.T @ (herd[:, None] == np.unique(herd)), vectors.T @ y

    def value(self, h2, phenotypic=None):
        """At a heritability and a phenotypic variance; without this, where it is highest (by its formula)."""
        v = h2 * self.roots + (1 - h2)
        weighted = self.x / v[:, None]
        information = self.x.T @ weighted
        rest = self.y - self.x @ np.linalg.solve(information, weighted.T @ self.y)
        freedom, square = len(self.y) - self.x.shape[1], float((rest**2 / v).sum())
        phenotypic = square / freedom if phenotypic is None else phenotypic
        determinants = np.log(v).sum() + np.linalg.slogdet(information)[1]
        return -0.5 * (freedom * np.log(phenotypic) + square / phenotypic + determinants)

    def given_residual(self, residual):
        """The highest value at a residual variance."""
        return highest(lambda h2: self.value(h2, residual / (1 - h2)))[1]


def highest(function):
    """Where a function of a number between zero and one is highest, and its value there."""
    found = minimize_scalar(lambda x: -function(x), bounds=(1e-6, 1 - 1e-6), method="bounded", options={"xatol": 1e-9})
    return found.x, -found.fun


@pytest.mark.parametrize("seed", range(4))
def test_profiles_against_dense_ones(tmp_path, seed):
    """The ends are where the dense likelihood, at its highest over what else varies, has fallen by half of χ²(0.95)."""
    sire, herd, y = half_sibs(np.random.default_rng(seed), 0.45)
    lines = [f"P{i},S{s},0" for i, s in enumerate(sire)]
    (tmp_path / "pedigree.csv").write_text("id,sire,dam\n" + "\n".join(lines) + "\n")
    lines = [f"P{i},h{h},{value!r}" for i, (h, value) in enumerate(zip(herd, y.tolist(), strict=True))]
    (tmp_path / "records.csv").write_text("id,herd,y\n" + "\n".join(lines) + "\n")
    config = {
        "pedigree": {"file": "pedigree.csv", "animal": "id", "sire": "sire", "dam": "dam", "unknown": ["0"]},
        "records": {"file": "records.csv", "classes": ["herd"]},
        "model": {"y": "herd + genetic(id)"},
        "estimate": {"intervals": "profile"},
    }
    found = be.estimate(write(tmp_path / "config.yaml", config))
    dense = DenseLikelihood(sire, herd, y)
    best, top = highest(dense.value)
    profiles = {
        ("heritability", "y", best, 1e-6, 1 - 1e-6): dense.value,
        ("variance", "residual y", found.estimate("variance", "residual y").estimate, 0.002, 5.0): dense.given_residual,
    }
    for (kind, name, middle, low, high), profile in profiles.items():
        estimate = found.estimate(kind, name)
        assert estimate.estimate == pytest.approx(middle, abs=2e-4)

        def excess(value, profile=profile):
            return 2 * (top - profile(value)) - chi2.ppf(0.95, 1)

        for end, edge in ((estimate.lower, low), (estimate.upper, high)):
            expected = edge if excess(edge) < 0 else brentq(excess, *sorted((edge, middle)))
            assert end == pytest.approx(expected, abs=2e-4 if expected != edge else 3e-3), (kind, edge)


def test_interval_from_the_boundary(refdata, tmp_path):
    """The profile of a variance estimated as zero: its interval begins at zero and ends where the likelihood has fallen."""
    prepared = prepare_estimation(read_config(dyestuff(refdata("lme4_dyestuff"), tmp_path, "yield2"), for_estimation=True))
    maximum = maximize(prepared.system, prepared.parameters, prepared.start)
    quantity = Quantity("variance", "batch", lambda e: e.element(0, 0, 0))
    interval = profile_interval(maximum, quantity, float("nan"), 0.95)
    assert interval.lower == 0.0
    at_end = maximize_given(maximum, maximum.point, quantity, interval.upper)
    assert at_end is not None
    fall = maximum.point.log_likelihood.value - at_end.log_likelihood.value
    assert 2.0 * fall == pytest.approx(chi2.ppf(0.95, 1), abs=2e-3)


def test_likelihood_ratio_at_the_boundary(refdata, tmp_path):
    """Against the fit of the model without the effect: ordinary least squares, whose restricted likelihood has a formula."""
    folder = refdata("lme4_dyestuff")
    found = be.estimate(dyestuff(folder, tmp_path, "yield1", estimate={"tests": "all"}))
    y = np.genfromtxt(folder / "data.csv", delimiter=",", skip_header=1)[:, 1]
    n, square = len(y), float(((y - y.mean()) ** 2).sum())
    without = -0.5 * ((n - 1) * (np.log(2 * np.pi * square / (n - 1)) + 1) + np.log(n))
    test = found.estimate("likelihood ratio test", "batch")
    statistic = 2 * (found.fit.log_likelihood - without)
    assert test.estimate == pytest.approx(statistic, abs=1e-4)
    assert f"p = {0.5 * chi2.sf(statistic, 1):.3g}" in test.note
    zero = be.estimate(dyestuff(folder, tmp_path, "yield2", estimate={"tests": "all"}))
    assert zero.estimate("likelihood ratio test", "batch").note.endswith("p = 1")


@pytest.mark.parametrize("structure", ["unstructured", "diagonal"])
@pytest.mark.parametrize("method", ["ai", "ml"])
def test_likelihood_ratio_of_a_random_slope(refdata, tmp_path, structure, method):
    """Against the fit of the model whose formula has no such effect; one column of several leaves a mixture, not a bound."""
    folder = refdata("lme4_sleepstudy")
    names = [f"subject reaction:subject:{k}" for k in (0, 1)]
    estimate = {"tests": names, "structure": {"subject": structure}}
    found = be.estimate(sleepstudy(folder, tmp_path, estimate=estimate), method=method)
    formulas = ("days + random(subject, 0 + slope(days))", "days + random(subject)")
    degrees = 1 if structure == "diagonal" else 2
    for name, formula in zip(names, formulas, strict=True):
        less = be.estimate(sleepstudy(folder, tmp_path, model={"reaction": formula}), method=method)
        statistic = 2 * (found.fit.log_likelihood - less.fit.log_likelihood)
        test = found.estimate("likelihood ratio test", name)
        assert test.estimate == pytest.approx(statistic, abs=2e-4)
        assert test.note.startswith(f"½ χ²({degrees - 1}) + ½ χ²({degrees}), p = ")


def test_a_test_of_what_the_model_has_not_is_refused(refdata, tmp_path):
    path = sleepstudy(refdata("lme4_sleepstudy"), tmp_path, estimate={"tests": ["subject reaction:subject:2"]})
    with pytest.raises(be.errors.ConfigError, match="subject reaction:subject:1"):
        be.estimate(path)


def test_mixture():
    assert mixture_p_value(0.0, 0, 1) == 1.0
    assert mixture_p_value(3.0, 1, 2) == pytest.approx(0.5 * chi2.sf(3.0, 1) + 0.5 * chi2.sf(3.0, 2))


def test_fixed_effects_and_wald(refdata, tmp_path):
    """Fixed effects and standard errors of lme4 (README of the set); the statistic of one coefficient is its t squared."""
    folder = refdata("lme4_sleepstudy")
    found = be.estimate(sleepstudy(folder, tmp_path))
    mean, days = (found.estimate("fixed effect", name) for name in ("intercept", "days"))
    assert (mean.estimate, mean.standard_error) == pytest.approx((251.405104848, 6.82455688375), rel=1e-5)
    assert (days.estimate, days.standard_error) == pytest.approx((10.4672859596, 1.5457888021), rel=1e-5)
    assert found.estimate("Wald test", "days").estimate == pytest.approx((days.estimate / days.standard_error) ** 2, rel=1e-10)


def test_information_criteria(refdata, tmp_path):
    """lme4, lmer(Reaction ~ Days + (Days | Subject), REML = FALSE): AIC, BIC and log-likelihood of Bates et al. (2015)."""
    found = be.estimate(sleepstudy(refdata("lme4_sleepstudy"), tmp_path), method="ml")
    assert found.fit.log_likelihood == pytest.approx(-875.97, abs=5e-3)
    assert (found.fit.aic, found.fit.bic) == pytest.approx((1763.9, 1783.1), abs=0.05)


def test_fixed_matrices_stay(refdata, tmp_path):
    given = {"subject": [[500.0, 5.0], [5.0, 30.0]], "residual": 600}
    path = sleepstudy(refdata("lme4_sleepstudy"), tmp_path, variances=given, estimate={"structure": {"subject": "fixed"}})
    found = be.estimate(path)
    assert found.variances.random["subject"].matrix.tolist() == given["subject"]
    assert found.converged
    assert len(found.maximum.theta) == 1
