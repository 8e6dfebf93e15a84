"""Dominance, and sires with maternal grandsires, from the configuration to solutions: against BLUP by least squares."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest

import breedeval as be
from breedeval.errors import ConfigError
from breedeval.evaluation.config import read_config
from breedeval.evaluation.inputs import prepare
from breedeval.evaluation.observer import Silence
from breedeval.evaluation.start import start_from
from breedeval.results.provenance import StageClock
from tests.reference.mixed_model import legendre_values
from tests.reference.relationship import dominance, males_by_recursion, tabular_a
from tests.relation_models import SOLVERS, blup, by_level, one_of, reliability


@pytest.mark.parametrize("method", ["direct", "pcg", "incomplete_cholesky"])
def test_dominance(run, data, tmp_path, method):
    frame = data[0]
    found = run(
        "herd + genetic(id) + dominance(id)",
        {"genetic": 1.5, "dominance": 0.8, "residual": 2.0},
        pedigree=True,
        solver={**SOLVERS[method], "ebv_error": 1e-10},
    )
    pedigree = found.pedigree
    ids, a = pedigree.ids.to_list(), tabular_a(pedigree.sire.tolist(), pedigree.dam.tolist())
    d, z = dominance(a, pedigree.sire.tolist(), pedigree.dam.tolist()), one_of(frame["id"], ids)
    (u, pev), (v, pev_d) = blup(frame, one_of(frame["herd"]), [(z, 1.5 * a), (z, 0.8 * d)])
    np.testing.assert_allclose(found.ebv("y").set_index("id").loc[ids, "ebv"], u, atol=1e-8)
    np.testing.assert_allclose(found.ebv("y")["reliability"], 1 - pev / (1.5 * np.diag(a)), atol=1e-9)
    values = by_level(found, "dominance(id)")
    assert values.index.tolist() == ids
    np.testing.assert_allclose(values, v, atol=1e-8)
    np.testing.assert_allclose(reliability(found, "dominance(id)")[: len(ids), 0], 1 - pev_d / 0.8, atol=1e-9)
    assert " x " in found.effect("dominance families")["level"][0]
    with h5py.File(tmp_path / "run.h5") as file:
        assert len(file["effects/dominance(id)/level"]) == len(ids)
        assert len(file["effects/dominance families/level"]) == len(found.effect("dominance families"))


def test_a_start_from_older_results_knows_animals_and_families(run, tmp_path):
    model, variances = "herd + genetic(id) + dominance(id)", {"genetic": 1.5, "dominance": 0.8, "residual": 2.0}
    first = run(model, variances, pedigree=True)
    (tmp_path / "run.h5").rename(tmp_path / "old.h5")
    again = be.evaluate(tmp_path / "run.yaml", start=tmp_path / "old.h5")
    for name in ("dominance(id)", "dominance families"):
        np.testing.assert_allclose(by_level(again, name), by_level(first, name), atol=1e-9)
    inputs = prepare(read_config(tmp_path / "run.yaml"), StageClock(), Silence())
    guess = start_from(tmp_path / "old.h5", inputs, Silence())
    np.testing.assert_allclose(guess, first.solutions.values, atol=1e-12)


@pytest.mark.parametrize("regression", ["", ", legendre(x, 1, 0, 10)"])
def test_sire_and_maternal_grandsire(run, data, regression):
    frame, animals, _ = data
    sigma = np.array([[0.4, 0.05], [0.05, 0.1]]) if regression else np.array([[0.4]])
    found = run(
        f"herd + genetic(sire_mgs(id){regression})",
        {"genetic": sigma.tolist() if regression else 0.4, "residual": 2.0},
        pedigree=True,
    )
    parent = animals.set_index("id")
    sire = {i: parent.loc[i, "sire"] for i in parent.index}
    grandsire = {i: sire.get(parent.loc[i, "dam"], "0") for i in parent.index}
    males = found.pedigree.ids.to_list()
    assert set(males) == set(sire.values()) - {"0"}
    row = {name: i for i, name in enumerate(males)} | {"0": -1}
    a = males_by_recursion([row[sire[m]] for m in males], [row[grandsire[m]] for m in males])
    used = frame[[sire[i] != "0" for i in frame["id"]]]
    assert found.record["counts"]["records"]["dropped"] == {"sire of id unknown": len(frame) - len(used)}
    own, mgs = [sire[i] for i in used["id"]], [grandsire[i] for i in used["id"]]
    z = one_of(own, males) + 0.5 * one_of(mgs, males)
    assert (z == 1.5).any()  # a bull on his own daughter
    phi = np.array([legendre_values(v, 1, 0, 10) for v in used["x"]]) if regression else np.ones((len(used), 1))
    z = np.hstack([z * phi[:, [k]] for k in range(phi.shape[1])])
    ((u, pev),) = blup(used, one_of(used["herd"]), [(z, np.kron(sigma, a))])
    n = len(males)
    columns = ("sire_mgs:0", "sire_mgs:1") if regression else ("sire_mgs",)
    assert found.columns("y") == columns
    for j, column in enumerate(columns):
        ebv = found.ebv("y", column)
        np.testing.assert_allclose(ebv["ebv"], u[j * n : (j + 1) * n], atol=1e-8)
        np.testing.assert_allclose(ebv["reliability"], 1 - pev[j * n : (j + 1) * n] / (sigma[j, j] * np.diag(a)), atol=1e-8)


@pytest.mark.parametrize(
    ("model", "groups", "message"),
    [
        ("genetic(sire_mgs(id)) + genetic(dam)", None, "genetic(dam) is one of animals"),
        ("genetic(sire_mgs(id))", {"codes": ["0"]}, "knows no groups of unknown parents"),
    ],
)
def test_sires_and_animals_do_not_mix(run, model, groups, message):
    with pytest.raises(ConfigError) as caught:
        run(model, {"genetic": 1.0, "residual": 2.0}, pedigree=True, groups=groups)
    assert message in str(caught.value)


def test_mended_parents_stand_in_the_record_of_the_run(run, data, tmp_path):
    """The evaluation of a mended pedigree is that of the pedigree without the link, and its record names the link."""
    unknown = data[1].copy()
    unknown.loc[unknown["id"] == "inbred", "sire"] = "0"
    expected = run("herd + genetic(id)", {"genetic": 1.5, "residual": 2.0}, pedigree=unknown).ebv("y").set_index("id")
    own_parent = unknown.assign(sire=unknown["sire"].mask(unknown["id"] == "inbred", "inbred"))
    own_parent.to_csv(tmp_path / "pedigree.csv", index=False)
    config = json.loads((tmp_path / "run.yaml").read_text())
    config["pedigree"]["mend"] = ["own_parent"]
    (tmp_path / "run.yaml").write_text(json.dumps(config))
    found = be.evaluate(tmp_path / "run.yaml", tmp_path / "run.h5").ebv("y").set_index("id")
    np.testing.assert_allclose(found.loc[expected.index, "ebv"], expected["ebv"], atol=1e-9)
    with h5py.File(tmp_path / "run.h5") as file:
        (link,) = json.loads(file["run/record"].asstr()[()])["counts"]["pedigree"]["mended"]
    assert (link["animal"], link["parent"], link["old_parent"], link["new_parent"]) == ("inbred", "sire", "inbred", None)
