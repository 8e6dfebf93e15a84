"""Records whose dam is not known, kept by an unknown dam of their own: the model of known dams, exactly."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import breedeval as be
from breedeval.errors import BreedevalError
from tests.random_models import random_frame, random_rows
from tests.reference.relationship import tabular_a

GENETIC, PERMANENT, RESIDUAL = np.array([[2.0, -0.6], [-0.6, 1.1]]), 0.7, 3.0
PHANTOM = {"phantom_dams": {"animal": "id", "dam": "dam"}}
MATERNAL = "herd + genetic(id) + genetic(dam) + permanent(dam)"


@pytest.fixture
def run(tmp_path):
    def evaluate(pedigree, records, section=None, groups=None, model=MATERNAL):
        pedigree.fillna("0").to_csv(tmp_path / "pedigree.csv", index=False)
        records.to_csv(tmp_path / "records.csv", index=False)
        config = {
            "pedigree": {"file": "pedigree.csv", "animal": "id", "unknown": ["0"], "groups": groups or "none"},
            "records": {"file": "records.csv", "classes": ["herd"], **(section or {})},
            "model": {"y": model},
            "variances": {
                "genetic": {"labels": ["y:id", "y:dam"], "matrix": GENETIC.tolist()},
                "permanent": PERMANENT,
                "residual": RESIDUAL,
            },
            "solver": {"method": "direct"},
        }
        path = tmp_path / "maternal.yaml"
        path.write_text(json.dumps(config, indent=1))
        return be.evaluate(path)

    return evaluate


@pytest.fixture
def farm():
    """Pedigree, and records of which a third have no dam: founders, animals with a known dam, and some with two records."""
    rng = np.random.default_rng(3)
    rows = random_rows(rng, 40)
    frame = random_frame(rng, rows, 90, ["y"], 0.0)[["id", "herd", "y"]]
    pedigree = pd.DataFrame(rows, columns=["id", "sire", "dam"])
    frame["dam"] = frame["id"].map(pedigree.set_index("id")["dam"])
    frame.loc[rng.random(90) < 0.1, "dam"] = None  # known to the pedigree, not to the records
    return pedigree, frame


def named_by_hand(pedigree, frame):
    """The same with a name for each unknown dam in both files; her progeny is hers only where the pedigree knows no dam."""
    needy = frame.loc[frame["dam"].isna(), "id"].unique()
    phantom = {animal: f"unknown dam of {animal}" for animal in needy}
    frame = frame.assign(dam=frame["dam"].fillna(frame["id"].map(phantom)))
    filled = pedigree["dam"].fillna(pedigree["id"].map(phantom))
    founders = pd.DataFrame({"id": list(phantom.values()), "sire": None, "dam": None})
    return pd.concat([pedigree.assign(dam=filled), founders], ignore_index=True), frame


def ebv(one, column):
    return one.ebv("y", column).set_index("id").sort_index()[["ebv", "reliability"]]


def test_as_if_every_unknown_dam_had_a_name(run, farm):
    pedigree, frame = farm
    assert frame["dam"].isna().sum() > 20
    found, wanted = run(pedigree, frame, PHANTOM), run(*named_by_hand(pedigree, frame))
    for column in ("id", "dam"):
        pd.testing.assert_frame_equal(ebv(found, column), ebv(wanted, column), rtol=1e-9, atol=1e-10)
    assert found.record["counts"]["records"]["used"] == len(frame)
    assert run(pedigree, frame).record["counts"]["records"]["dropped"] == {"dam missing": int(frame["dam"].isna().sum())}


def test_variance_of_a_record_with_unknown_dam(run):
    """Generalized least squares without phantoms: an unknown dam adds var(m) + cov(a, m) + var(pe) to the animal's record."""
    rng = np.random.default_rng(4)
    pedigree = pd.DataFrame(
        [(f"a{i}", None, None) for i in range(6)]
        + [(f"a{6 + i}", f"a{i % 3}", None if i % 3 == 0 else f"a{3 + i % 3}") for i in range(12)],
        columns=["id", "sire", "dam"],
    )
    kept = pedigree.iloc[6:].reset_index(drop=True)
    frame = pd.DataFrame({"id": kept["id"], "dam": kept["dam"], "herd": 1, "y": rng.normal(size=12)})
    place = {name: i for i, name in enumerate(pedigree["id"])}
    a = tabular_a([place.get(s, -1) for s in pedigree["sire"]], [place.get(d, -1) for d in pedigree["dam"]])
    animal, dam = [place[x] for x in frame["id"]], np.array([place.get(d, -1) for d in frame["dam"]])
    known = dam >= 0
    direct, maternal = np.eye(18)[animal], np.where(known[:, None], np.eye(18)[dam], 0.0)
    own = np.where(known[:, None], 0.0, 0.5 * direct)  # relationship of the unknown dam with the animal itself
    with_direct = GENETIC[0, 0] * a @ direct.T + GENETIC[0, 1] * (a @ maternal.T + own.T)
    v = direct @ with_direct + GENETIC[1, 0] * maternal @ a @ direct.T + GENETIC[1, 1] * maternal @ a @ maternal.T
    v += GENETIC[1, 0] * own @ direct.T + PERMANENT * maternal @ maternal.T + RESIDUAL * np.eye(12)
    v += np.diag(np.where(known, 0.0, GENETIC[1, 1] + PERMANENT))
    inverse, one = np.linalg.inv(v), np.ones((12, 1))
    p = inverse - inverse @ one @ np.linalg.inv(one.T @ inverse @ one) @ one.T @ inverse
    found = ebv(run(pedigree, frame, PHANTOM, model=MATERNAL.replace("herd", "1")), "id").loc[pedigree["id"]]
    np.testing.assert_allclose(found["ebv"], with_direct @ p @ frame["y"], atol=1e-10)
    explained = np.einsum("ij,jk,ik->i", with_direct, p, with_direct)
    np.testing.assert_allclose(found["reliability"], explained / (GENETIC[0, 0] * np.diag(a)), atol=1e-10)


def test_what_was_done_is_recorded(run, farm):
    pedigree, frame = farm
    n, animals = int(frame["dam"].isna().sum()), frame.loc[frame["dam"].isna(), "id"].nunique()
    notes = run(pedigree, frame, PHANTOM).record["choices"]["notes"]
    assert f"{n} records without dam kept: an unknown dam for each of {animals} animals" in notes


def test_animals_that_are_parents_alone_in_the_pedigree(run, farm):
    """An animal without a row of its own gets one; its dam is the phantom."""
    pedigree, frame = farm
    founders = pedigree[pedigree["sire"].isna() & pedigree["dam"].isna()]["id"]
    parents = founders[founders.isin(pedigree["sire"]) | founders.isin(pedigree["dam"])]
    assert frame.loc[frame["id"].isin(parents), "dam"].isna().any()
    rowless = pedigree[~pedigree["id"].isin(parents)]
    one, other = run(rowless, frame, PHANTOM), run(pedigree, frame, PHANTOM)
    pd.testing.assert_frame_equal(ebv(one, "id"), ebv(other, "id"), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(
    ("phantom", "more", "message"),
    [
        ({"animal": "idd", "dam": "dam"}, {}, "'idd' stands in no genetic() of the model"),
        ({"animal": "id", "dam": "mother"}, {}, "'mother' stands in no term of the model as a dam"),
        ({"animal": "id"}, {}, "records.phantom_dams.dam: this key is missing"),
        ({"animal": "id", "dam": "dam"}, {"groups": {"codes": "negative"}}, "cannot be of a group"),
    ],
)
def test_wrong_sections(run, farm, phantom, more, message):
    with pytest.raises(BreedevalError) as caught:
        run(*farm, {"phantom_dams": phantom}, **more)
    assert message in str(caught.value)


def test_a_name_that_is_taken(run, farm):
    pedigree, frame = farm
    taken = f"unknown dam of {frame.loc[frame['dam'].isna(), 'id'].iloc[0]}"
    pedigree = pd.concat([pedigree, pd.DataFrame({"id": [taken], "sire": [None], "dam": [None]})])
    with pytest.raises(BreedevalError, match=r"1 animal in .* named as unknown dams would be"):
        run(pedigree, frame, PHANTOM)
