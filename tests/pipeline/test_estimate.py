"""The command estimate, its file, and evaluations and estimations that start from the file."""

from __future__ import annotations

import io
import json

import h5py
import numpy as np
import pandas as pd
import pytest

from breedeval.variance.parameters import MatrixParameter, Parameters
from tests.farm import Farm

RECORDS = 180


def read(farm: Farm) -> str:
    """The configuration."""
    return (farm.folder / "farm.yaml").read_text()


@pytest.fixture
def herd(farm: Farm) -> Farm:
    """Sires with progeny in herds: enough to estimate from, by known values."""
    rng = np.random.default_rng(11)
    sires = [f"s{k}" for k in range(12)]
    value = dict(zip(sires, rng.normal(0, 1.6, 12), strict=True))
    rows, pedigree = ["id,herd,milk,fat,dim,kind"], ["id,sire,dam,born,sex", *(f"{s},0,0,2001,M" for s in sires)]
    for k in range(RECORDS):
        sire = sires[k % 12]
        own = 0.5 * value[sire] + rng.normal(0, 1)
        herd = int(rng.integers(1, 4))
        milk, fat = herd + own + rng.normal(0, 1.8), 0.5 * own + rng.normal(0, 1)
        rows.append(f"p{k},{herd},{milk:.3f},{fat:.3f},{rng.integers(50, 200)},{'ab'[k % 2]}")
        pedigree.append(f"p{k},{sire},0,2004,F")
    farm.write("ped.csv", "\n".join(pedigree) + "\n")
    farm.write("rec.csv", "\n".join(rows) + "\n")
    farm.change("variances:\n  genetic: 0.3\n  residual: 0.7\n", "")
    return farm


def test_table_and_file_agree(herd: Farm) -> None:
    ended = herd.call("estimate", "farm.yaml", "-o", "est.h5", "--format", "csv")
    assert ended.status == 0, ended.err
    table = pd.read_csv(io.StringIO(ended.out)).set_index(["kind", "name"])
    assert "starting values found for genetic" in ended.err
    assert "round 1: log-likelihood" in ended.err
    assert "converged" in ended.err
    with h5py.File("est.h5") as file:
        assert file.attrs["format"] == "breedeval-estimates"
        genetic = file["variances/genetic"]
        assert genetic["labels"].asstr()[:].tolist() == ["milk:id"]
        assert genetic["matrix"][0, 0] == pytest.approx(table["estimate"]["variance", "genetic milk:id"], rel=1e-12)
        assert genetic["standard_error"][0, 0] == pytest.approx(
            table["standard_error"]["variance", "genetic milk:id"], rel=1e-12
        )
        value = file["variances"].attrs["log_likelihood"]
        assert value == genetic.attrs["log_likelihood"] == pytest.approx(table["estimate"]["fit", "log-likelihood"], rel=1e-12)
        history = file["estimation/history"]
        assert history["theta"].shape == (file["estimation"].attrs["rounds"] + 1, 2)
        assert history["step"].asstr()[0] == "start"
        assert np.diff(history["log_likelihood"][:]).min() > -1e-8
        assert file["estimation"].attrs["status"] == "converged"
        assert json.loads(file["run/record"].asstr()[()])["choices"]["method"] == "ai"
        assert "milk" in file["run/config"].asstr()[()]
        total = genetic["matrix"][0, 0] + file["variances/residual/matrix"][0, 0]
    h2 = table["estimate"]["heritability", "milk"]
    assert h2 == pytest.approx(table["estimate"]["variance", "genetic milk:id"] / total, rel=1e-10)


def test_evaluate_takes_the_estimates(herd: Farm) -> None:
    assert herd.call("estimate", "farm.yaml", "-o", "est.h5", "-q").status == 0
    with h5py.File("est.h5") as file:
        genetic, residual = (float(file[f"variances/{name}/matrix"][0, 0]) for name in ("genetic", "residual"))
    herd.write("by_file.yaml", read(herd) + "\nvariances: {file: est.h5}\n")
    herd.write("by_key.yaml", read(herd) + f"\nvariances: {{genetic: {{file: est.h5}}, residual: {residual!r}}}\n")
    herd.write("by_hand.yaml", read(herd) + f"\nvariances: {{genetic: {genetic!r}, residual: {residual!r}}}\n")
    herd.write("mixed.yaml", read(herd) + f"\nvariances: {{file: est.h5, residual: {residual!r}}}\n")
    values = []
    for name in ("by_hand", "by_file", "by_key", "mixed"):
        assert herd.call("check", f"{name}.yaml").status == 0
        ended = herd.call("evaluate", f"{name}.yaml", "-o", f"{name}.h5", "-q")
        assert ended.status == 0, ended.err
        with h5py.File(f"{name}.h5") as file:
            values.append(file["ebv/milk/id/value"][:])
    for other in values[1:]:
        np.testing.assert_array_equal(other, values[0])


def test_going_on_from_a_file(herd: Farm) -> None:
    first = herd.call("estimate", "farm.yaml", "-o", "first.h5")
    assert first.status == 0
    again = herd.call("estimate", "farm.yaml", "-o", "again.h5", "--start", "first.h5")
    assert again.status == 0, again.err
    with h5py.File("first.h5") as one, h5py.File("again.h5") as two:
        assert two["estimation"].attrs["rounds"] <= 1 < one["estimation"].attrs["rounds"]
        here = one["estimation"].attrs["log_likelihood"]
        assert two["estimation"].attrs["log_likelihood"] == pytest.approx(here, abs=1e-8)


def test_too_few_rounds_are_said_and_written(herd: Farm) -> None:
    herd.write("farm.yaml", read(herd) + "\nestimate: {max_rounds: 1}\n")
    ended = herd.call("estimate", "farm.yaml", "-o", "est.h5", "-q")
    assert ended.status == 1
    assert "not at its maximum" in ended.err
    herd.write("use.yaml", read(herd) + "\nvariances: {file: est.h5}\n")
    ended = herd.call("evaluate", "use.yaml", "-o", "out.h5")
    assert ended.status == 0
    assert "the estimation did not converge" in ended.err
    assert herd.call("estimate", "farm.yaml", "-o", "more.h5", "--start", "est.h5", "-q").status in (0, 1)


@pytest.mark.parametrize("method", ["ai", "em", "ml"])
def test_methods(herd: Farm, method: str) -> None:
    herd.write("farm.yaml", read(herd) + "\nestimate: {tolerance: 1e-2}\n")
    ended = herd.call("estimate", "farm.yaml", "-o", f"{method}.h5", "--method", method)
    assert ended.status == 0, ended.err
    with h5py.File(f"{method}.h5") as file:
        assert file["estimation"].attrs["likelihood"] == ("ml" if method == "ml" else "reml")


def test_classes_functions_tests_and_intervals(herd: Farm) -> None:
    herd.write(
        "farm.yaml",
        read(herd).replace("herd]", "herd, kind]")
        + "\nvariances: {residual: {by: kind}}\nestimate:\n  tests: [genetic]\n  intervals: profile\n"
        "  functions: {share: 'genetic / phenotypic[a]', twice: 2*share, gap: 'residual[b] - residual[a,milk]'}\n",
    )
    ended = herd.call("estimate", "farm.yaml", "-o", "est.h5", "--format", "csv")
    assert ended.status == 0, ended.err
    table = pd.read_csv(io.StringIO(ended.out)).set_index(["kind", "name"])
    estimate = table["estimate"]
    assert estimate["function", "share"] == pytest.approx(estimate["heritability", "milk (kind a)"], rel=1e-9)
    assert estimate["function", "twice"] == pytest.approx(2 * estimate["function", "share"], rel=1e-9)
    gap = estimate["variance", "residual b milk"] - estimate["variance", "residual a milk"]
    assert estimate["function", "gap"] == pytest.approx(gap, rel=1e-9)
    assert "χ²(1), p = " in table["note"]["likelihood ratio test", "genetic"]
    with_interval = table[table["upper"].notna() & table["lower"].notna()]
    assert {"variance", "function", "heritability"} <= set(with_interval.index.get_level_values(0))
    assert (with_interval["lower"] <= with_interval["estimate"]).all()
    assert (with_interval["estimate"] <= with_interval["upper"]).all()
    herd.write("use.yaml", read(herd).replace("{residual: {by: kind}}", "{file: est.h5}"))
    assert herd.call("evaluate", "use.yaml", "-o", "out.h5", "-q").status == 0
    with h5py.File("out.h5") as file:
        assert file["variances/residual"].attrs["by"] == "kind"


BAD = [
    ("estimate: {structure: {genetik: diagonal}}", "'genetik' is no variance of this model. Did you mean 'genetic'?"),
    ("estimate: {tests: [herd]}", "estimate.tests: 'herd' is no variance of this model."),
    ("estimate: {structure: {genetic: fixed}}", "genetic is fixed: give its value under variances."),
    ("estimate: {functions: {h: genetic / sum(residual)}}", "there is no 'sum(residual)' in this model."),
    ("estimate: {functions: {h: 'genetic +'}}", "'genetic +' cannot be read"),
    ("estimate: {functions: {h: genetic.__class__}}", "'genetic.__class__' cannot stand here."),
    ("estimate: {functions: {h: 'genetic[milk:dam]'}}", "genetic has no single effect 'milk:dam'."),
    ("estimate: {methods: ai}", "estimate.methods: there is no such key. Did you mean 'method'?"),
    ("estimate: {method: gibbs}", "'gibbs' is not available in this version."),
    ("variances: {genetik: 1}", "'genetik' belongs to no term of the model."),
    ("variances: {file: absent.h5}", "There is no file absent.h5 with variances."),
    ("variances: {file: rec.csv}", "rec.csv cannot be read as HDF5"),
]


@pytest.mark.parametrize(("section", "message"), BAD, ids=[message[:30] for _, message in BAD])
def test_faults_are_named(herd: Farm, section: str, message: str) -> None:
    herd.write("farm.yaml", read(herd) + f"\n{section}\n")
    ended = herd.call("estimate", "farm.yaml", "-o", "est.h5")
    assert ended.status == 1
    assert message in ended.err
    assert "Traceback" not in ended.err
    assert not (herd.folder / "est.h5").exists()


def test_a_file_without_an_effect_of_the_model(herd: Farm) -> None:
    assert herd.call("estimate", "farm.yaml", "-o", "est.h5", "-q").status == 0
    text = read(herd).replace("genetic(id)", "genetic(id) + permanent(id)")
    herd.write("more.yaml", text + "\nvariances: {file: est.h5}\n")
    ended = herd.call("evaluate", "more.yaml", "-o", "out.h5")
    assert ended.status == 1
    assert "est.h5 has no variance of permanent(id). It has 'genetic'." in ended.err


def test_names_of_parameters() -> None:
    scale = np.ones(2)
    genetic = MatrixParameter("genetic", ("y:id", "z:id"), False, "unstructured", scale)
    residual = MatrixParameter("residual", ("y", "z"), True, "diagonal", scale)
    parameters = Parameters((genetic, residual), None)
    assert parameters.names == ("genetic y:id", "genetic y:id,z:id", "genetic z:id", "residual y", "residual z")


def test_show_and_rank_of_a_file_of_estimates(herd: Farm) -> None:
    ended = herd.call("estimate", "farm.yaml", "-o", "est.h5", "-q", "--format", "csv")
    assert ended.status == 0
    shown = herd.call("show", "est.h5", "--format", "csv")
    assert (shown.status, shown.out) == (0, ended.out)
    screen = herd.call("show", "est.h5").out
    assert "restricted maximum likelihood (REML): converged" in screen
    assert f"records: {RECORDS} read, {RECORDS} used" in screen
    assert "heritability" in screen
    animals = herd.call("show", "est.h5", "p1")
    assert animals.status == 2
    assert "est.h5 holds estimates of (co)variances, no animals." in animals.err
    ranked = herd.call("rank", "est.h5")
    assert ranked.status == 1
    assert "est.h5 holds estimates of (co)variances, no breeding values." in ranked.err


@pytest.mark.parametrize("name", ["farm.yaml", "rec.csv", "ped.csv"])
def test_inputs_are_not_written_over(herd: Farm, name: str) -> None:
    before = (herd.folder / name).read_bytes()
    ended = herd.call("estimate", "farm.yaml", "-o", name)
    assert ended.status == 1
    assert f"{name} is a file that this run reads. Give the results another name with -o." in ended.err
    assert (herd.folder / name).read_bytes() == before


def test_files_of_the_wrong_kind(herd: Farm) -> None:
    assert herd.call("estimate", "farm.yaml", "-o", "est.h5", "-q").status == 0
    ended = herd.call("estimate", "est.h5")
    assert "est.h5: this is HDF5, perhaps results, and no configuration." in ended.err
    ended = herd.call("evaluate", "farm.yaml", "-o", "out.h5")
    assert "variances: this key is missing. Add it; 'breedeval estimate' finds (co)variances that nobody knows." in ended.err
    assert herd.call("estimate", "farm.yaml", "-o", "est.h5", "--start", "est.h5", "-q").status == 0


def test_monte_carlo_agrees_with_the_factor(herd: Farm) -> None:
    """Within four of the Monte Carlo errors stated; the same seed gives the same file, another seed another answer."""
    tables = {}
    herd.write("other.yaml", read(herd) + "\nestimate: {method: mc, seed: 2, monte_carlo_error: 0.1}\n")
    herd.write("farm.yaml", read(herd) + "\nestimate: {monte_carlo_error: 0.1}\n")
    for name, arguments in {
        "ai": ("farm.yaml", "--method", "ai"),
        "mc": ("farm.yaml", "--method", "mc"),
        "again": ("farm.yaml", "--method", "mc", "--threads", "1"),
        "seed": ("other.yaml",),
    }.items():
        ended = herd.call("estimate", *arguments, "-o", f"{name}.h5", "--format", "csv")
        assert ended.status == 0, ended.err
        tables[name] = pd.read_csv(io.StringIO(ended.out)).set_index(["kind", "name"])
        assert ("samples" in ended.err) == (name != "ai")
    with h5py.File("mc.h5") as file:
        noise = np.sqrt(np.diag(file["estimation/monte_carlo_covariance"][:]))
        errors = np.sqrt(np.diag(file["estimation/covariance"][:]))
    assert (noise <= 0.1 * errors).all()
    exact, found, seed = (tables[name].loc["variance"]["estimate"] for name in ("ai", "mc", "seed"))
    assert (np.abs(found - exact) < 4.0 * noise + 0.02 * errors).all()
    assert (found == tables["again"].loc["variance"]["estimate"]).all()
    assert (found != seed).all()
    assert (np.abs(seed - exact) < 4.0 * noise + 0.02 * errors).all()


def test_a_share_of_the_variances_will_do(herd: Farm) -> None:
    """Fewer samples than the standard errors ask for, and an error within the share; a tiny share changes nothing."""
    samples, answers = {}, {}
    for name, share in (("none", None), ("wide", 0.2), ("narrow", 1e-6)):
        section = f"{{method: mc, monte_carlo_error: 0.05{'' if share is None else f', monte_carlo_share: {share}'}}}"
        herd.write(f"{name}.yaml", read(herd) + f"\nestimate: {section}\n")
        ended = herd.call("estimate", f"{name}.yaml", "-o", f"{name}.h5")
        assert ended.status == 0, ended.err
        assert ("or 20.00% of each variance" in ended.err) == (name == "wide")
        with h5py.File(f"{name}.h5") as file:
            samples[name] = int(file["estimation"].attrs["samples"])
            answers[name] = [float(file[f"variances/{key}/matrix"][0, 0]) for key in ("genetic", "residual")]
            noise = np.sqrt(np.diag(file["estimation/monte_carlo_covariance"][:]))
        if name == "wide":
            assert (noise <= 0.2 * np.array(answers[name])).all()
    assert samples["wide"] < samples["none"] == samples["narrow"]
    assert answers["none"] == answers["narrow"]
