"""Doubts about models, records and files that stop no run: each is said, with what it concerns and how many there are."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import breedeval as be
from breedeval.errors import NotConvergedError, NotPositiveDefiniteError, ResultsError
from breedeval.evaluation import factorization, relations
from breedeval.evaluation.observer import Silence
from breedeval.results.store import ResultsFile


class Listener(Silence):
    """Keeps what it hears."""

    def __init__(self):
        self.said, self.warned = [], []

    def say(self, line):
        self.said.append(line)

    def warn(self, line):
        self.warned.append(line)


@pytest.fixture
def run(tmp_path):
    """Evaluate some records of 20 animals; returns the results and what was said."""

    def evaluate(model, variances, frame=None, start=None, results=None, **sections):
        frame = records() if frame is None else frame
        frame.to_csv(tmp_path / "records.csv", index=False)
        pd.DataFrame({"id": [f"a{k}" for k in range(20)], "sire": "0", "dam": "0"}).to_csv(tmp_path / "p.csv", index=False)
        config = {
            "pedigree": {"file": "p.csv", "animal": "id", "unknown": ["0"]},
            "records": {"file": "records.csv", "classes": ["herd", "year"], "covariates": ["x"]},
            "model": {"y": model},
            "variances": variances,
            **sections,
        }
        (tmp_path / "run.yaml").write_text(json.dumps(config))
        listener = Listener()
        path = None if results is None else tmp_path / results
        return be.evaluate(tmp_path / "run.yaml", path, observer=listener, start=start), listener

    return evaluate


def records(m=120):
    rng = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "id": rng.choice([f"a{k}" for k in range(20)], m),
            "herd": rng.choice(["h:1", "h"], m),
            "year": rng.choice(["1:2", "2", "2001"], m),
            "pen": [f"p{k}" for k in range(m)],
            "x": rng.integers(0, 5, m) * 3 + 2000,
            "y": rng.normal(10, 2, m).round(3),
        }
    )


def test_combinations_with_colons_start_from_an_older_file_by_name(run, tmp_path):
    """h:1 of year 2 and h of year 1:2 are two levels, and each finds its own solution again."""
    variances = {"herd:year": 1.0, "genetic": 1.0, "residual": 3.0}
    solver = {"solver": {"method": "pcg", "ebv_error": 1e-10}}
    first, _ = run("x + random(herd:year) + genetic(id)", variances, results="old.h5", **solver)
    with ResultsFile(tmp_path / "old.h5") as old:
        names, _, solution = old.solutions("random(herd:year)")
    assert sorted(names) == ["h:1\\:2", "h:2", "h:2001", "h\\:1:1\\:2", "h\\:1:2", "h\\:1:2001"]
    assert len(np.unique(solution.round(9))) == 6
    again, listener = run("x + random(herd:year) + genetic(id)", variances, start=tmp_path / "old.h5", **solver)
    assert any(line.startswith("start: 28 of 28 solutions") for line in listener.said)
    assert again.solve.rounds < first.solve.rounds
    np.testing.assert_allclose(again.ebv("y")["ebv"], first.ebv("y")["ebv"], atol=1e-8)


def test_a_first_guess_without_any_label_of_the_model_is_told(run, tmp_path):
    run("0 + herd + random(year)", {"year": 1.0, "residual": 3.0}, results="old.h5")
    solver = {"solver": {"method": "pcg"}}
    _, listener = run("x + genetic(id)", {"genetic": 1.0, "residual": 3.0}, start=tmp_path / "old.h5", **solver)
    (warning,) = [line for line in listener.warned if line.startswith("start:")]
    assert "none of 22 solutions" in warning
    assert "'herd', 'random(year)'" in warning
    _, listener = run("0 + herd + genetic(id)", {"genetic": 1.0, "residual": 3.0}, start=tmp_path / "old.h5", **solver)
    assert not [line for line in listener.warned if line.startswith("start:")]
    assert any("start: 2 of 22" in line and "none of 'genetic(id) (20)'" in line for line in listener.said)


@pytest.mark.parametrize(
    ("model", "pointed", "n"),
    [
        ("herd + bspline(x, 8) + random(id)", "bspline(x, 8)", 8),
        ("herd + random(id, bspline(x, 7))", "random(id, bspline(x, 7))", 7),
        ("herd:legendre(x, 5) + random(id)", "herd:legendre(x, 5)", 6),
    ],
)
@pytest.mark.parametrize("method", ["direct", "pcg"])
def test_a_curve_with_more_coefficients_than_values_is_named(run, model, pointed, n, method):
    variances = {"id": np.eye(7).tolist() if "(id, b" in model else 1.0, "residual": 3.0}
    _, listener = run(model, variances, solver={"method": method})
    (warning,) = [line for line in listener.warned if "coefficients" in line]
    assert f"has {n} coefficients, but x has only 5 distinct values" in warning
    assert "Take 5 coefficients at most" in warning
    formula, carets = warning.splitlines()[-2:]
    assert formula[carets.index("^") : carets.rindex("^") + 1] == pointed


def test_a_curve_with_enough_values_is_not_doubted(run):
    _, listener = run("herd + bspline(x, 5) + random(id)", {"id": 1.0, "residual": 3.0})
    assert not [line for line in listener.warned if "coefficients" in line]


HARD = "herd:poly(x, 9) + legendre(x, 6) + genetic(id)"


def fail(matrix, order):
    raise NotPositiveDefiniteError("A pivot.", row=1)


def test_without_a_factor_the_program_goes_on_by_iteration(run, monkeypatch):
    monkeypatch.setattr(factorization, "factorize", fail)
    _, listener = run("herd:poly(x, 2) + genetic(id)", {"genetic": 1.0, "residual": 3.0})
    (warning,) = [line for line in listener.warned if "factorization" in line]
    assert warning.startswith("solver: pcg with the block preconditioner (the factorization failed: the pivot of herd:poly")
    assert warning.endswith("reliabilities: none (there is no factor)")


def test_what_iteration_cannot_solve_either_is_refused(run):
    """Ninth powers of a year: with these EBVs are wrong by half a genetic standard deviation when the residual is 1e-7."""
    with pytest.raises(NotConvergedError, match="stagnated"):
        run(HARD, {"genetic": 1.0, "residual": 3.0})


def test_what_is_found_without_a_factor_is_the_same(run, monkeypatch):
    model, variances = "x + herd + genetic(id)", {"genetic": 1.0, "residual": 3.0}
    plain, _ = run(model, variances)
    assert plain.ebv("y")["reliability"].notna().all()
    monkeypatch.setattr(factorization, "factorize", fail)
    found, _ = run(model, variances)
    assert any("the factorization failed" in reason for reason in found.record["choices"]["plan"])
    assert "reliability" not in found.ebv("y").dropna(axis=1).columns
    np.testing.assert_allclose(found.ebv("y")["ebv"], plain.ebv("y")["ebv"], atol=1e-4)


@pytest.mark.parametrize("sections", [{"solver": {"method": "direct"}}, {"accuracy": {"method": "exact"}}])
def test_where_a_factor_is_asked_for_its_failure_names_the_term(run, monkeypatch, sections):
    monkeypatch.setattr(factorization, "factorize", fail)
    with pytest.raises(NotPositiveDefiniteError) as caught:
        run("herd:poly(x, 2) + genetic(id)", {"genetic": 1.0, "residual": 3.0}, **sections)
    assert "the pivot of herd:poly(x, 2) h" in str(caught.value)
    assert "method: auto" in str(caught.value)
    formula, carets = str(caught.value).splitlines()[-2:]
    assert formula[carets.index("^") : carets.rindex("^") + 1] == "herd:poly(x, 2)"


@pytest.mark.parametrize("method", ["direct", "auto"])
def test_a_preconditioner_that_is_not_used_is_told(run, method):
    solver = {"method": method, "preconditioner": "diagonal"}
    found, listener = run("herd + genetic(id)", {"genetic": 1.0, "residual": 3.0}, solver=solver)
    sentence = "preconditioner: diagonal is not used, a direct solution needs none"
    assert sentence in listener.said
    assert sentence in found.record["choices"]["plan"]
    _, listener = run("herd + genetic(id)", {"genetic": 1.0, "residual": 3.0}, solver={"method": "direct"})
    assert not [line for line in listener.said if line.startswith("preconditioner")]


def test_pens_of_one_animal_each_have_no_social_effect(run):
    variances = {"genetic": [[1.0, 0.1], [0.1, 0.5]], "residual": 3.0}
    _, listener = run("herd + genetic(id) + social(id, pen)", variances)
    (warning,) = [line for line in listener.warned if "alone" in line]
    assert "social(id, pen): every animal is alone in its pen" in warning
    assert warning.splitlines()[-1].strip() == "^" * len("social(id, pen)")
    frame = records()
    frame.loc[:1, "pen"] = "together"
    frame.loc[0, "id"], frame.loc[1, "id"] = "a0", "a1"
    _, listener = run("herd + genetic(id) + social(id, pen)", variances, frame)
    assert not [line for line in listener.warned if "alone" in line]


@pytest.mark.parametrize(
    ("residual", "sentence"),
    [
        (
            {"by": "herd", "matrices": {"h": 3.0, "h:1": 2.0, "elsewhere": 1.0}},
            "by herd: no record used for 1 matrix: 'elsewhere'.",
        ),
        ({"by": "x", "up_to": [10, 2006, 9000], "matrices": [1, 2, 3, 4]}, "2 matrices: 'up to 10', 'above 9000'."),
    ],
)
def test_residual_matrices_without_records_are_told(run, residual, sentence):
    _, listener = run("year + genetic(id)", {"genetic": 1.0, "residual": residual})
    (warning,) = [line for line in listener.warned if "no record used" in line]
    assert warning.endswith(sentence)
    _, listener = run("year + genetic(id)", {"genetic": 1.0, "residual": {"by": "herd", "matrices": {"h": 3.0, "h:1": 2.0}}})
    assert not [line for line in listener.warned if "no record used" in line]


def test_an_inverse_that_is_too_large_to_be_checked_is_told(run, tmp_path, monkeypatch):
    n = 2_500
    names = [f"a{k}" for k in range(n)]
    rows = [(names[k], names[k], 2.5) for k in range(n)] + [(names[k], names[k + 1], -1.0) for k in range(n - 1)]
    pd.DataFrame(rows).to_csv(tmp_path / "k.csv", index=False, header=False)
    sections = {"relationships": {"K": {"file": "k.csv", "kind": "inverse"}}, "solver": {"method": "pcg"}}
    _, listener = run('herd + random(id, relationship = "K")', {"id": 1.0, "residual": 3.0}, **sections)
    assert not [line for line in listener.warned if "not checked" in line]
    monkeypatch.setattr(relations, "MAX_ELEMENTS", 100)
    _, listener = run('herd + random(id, relationship = "K")', {"id": 1.0, "residual": 3.0}, **sections)
    (warning,) = [line for line in listener.warned if "not checked" in line]
    assert "relationship 'K': a factor of the inverse of 2,500 levels has more than 100 elements" in warning


def test_a_first_guess_that_a_direct_solution_does_not_use_is_said_and_must_be_one(run, tmp_path):
    variances = {"genetic": 1.0, "residual": 2.0}
    run("herd + genetic(id)", variances, results="old.h5")
    _, heard = run("herd + genetic(id)", variances, start=tmp_path / "old.h5", solver={"method": "direct"})
    assert f"{tmp_path / 'old.h5'} is not used: a direct solution has no rounds, and so no use for a first guess" in heard.said
    _, heard = run("herd + genetic(id)", variances, start=tmp_path / "old.h5", solver={"method": "pcg"})
    assert not [line for line in heard.said if "not used" in line]
    with pytest.raises(ResultsError, match=r"There is no file .*nothing\.h5"):
        run("herd + genetic(id)", variances, start=tmp_path / "nothing.h5", solver={"method": "direct"})
