"""Social genetic effects: example 9.1 of Mrode & Pocrnic (2023), Linear Models for the Prediction of the Genetic Merit of
Animals, 4th ed. (example 8.1 of the 3rd): growth of nine pigs in three pens, with the solutions that the book prints."""

from __future__ import annotations

import numpy as np
import pytest

import breedeval as be

#: The book prints three decimals, and a few of their last digits are rounded down.
BOOK = 6e-4

DIRECT = [0.296, -0.483, 0.188, 0.296, -0.483, 0.188, 0.125, 0.522, -0.874, 0.536, -0.488, 0.399, -0.572, 0.153, 0.199]
SOCIAL = [-0.044, 0.028, 0.017, -0.044, 0.028, 0.017, -0.076, -0.099, 0.009, -0.003, 0.083, 0.060, 0.019, 0.005, 0.002]
OTHERS = {"sex": [8.243, 6.004], "random(pen)": [-0.269, 0.359, -0.090], "random(litter)": [0.333, -0.515, 0.183]}


@pytest.fixture(scope="module", params=["direct", "pcg", "pcg\n  preconditioner: incomplete_cholesky"])
def run(root, request, tmp_path_factory):
    text = (root / "configs/mrode_social.yaml").read_text().replace("../pedigrees", str(root / "pedigrees"))
    path = tmp_path_factory.mktemp("social") / "mrode_social.yaml"
    path.write_text(text.replace("method: direct", f"method: {request.param}\n  ebv_error: 1e-10\n  threads: 1"))
    return be.evaluate(path)


def test_direct_and_social_breeding_values(run):
    assert run.columns("gain") == ("pig", "social")
    for column, wanted in (("pig", DIRECT), ("social", SOCIAL)):
        found = run.ebv("gain", column).set_index("id")["ebv"]
        np.testing.assert_allclose(found[[str(k) for k in range(1, 16)]], wanted, atol=BOOK)


def test_other_effects(run):
    for name, wanted in OTHERS.items():
        np.testing.assert_allclose(run.effect(name).iloc[:, 1], wanted, atol=BOOK, err_msg=name)


def test_pens_are_described(run):
    assert "pens (pen): 3 animals" in run.record["choices"]["notes"]


def test_records_are_those_of_the_animal_itself(run):
    assert run.animals().set_index("id")["n_records"].to_dict() == {str(k): int(k > 6) for k in range(1, 16)}
