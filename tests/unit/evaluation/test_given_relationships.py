"""Matrices that users give, from the file to solutions: against BLUP by least squares."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy.io import mmwrite
from scipy.sparse import csr_array, save_npz

from breedeval.cli.main import main
from breedeval.errors import BreedevalError, ConfigError, DataError, NotPositiveDefiniteError, RecordsError
from tests.reference.mixed_model import DenseModel
from tests.relation_models import LINES, SOLVERS, TERM, blup, by_level, one_of, reliability, write_square


def write_square_in_other_order(folder, k):
    order = [3, 1, 2, 0, 4, 8, 6, 7, 5]
    frame = pd.DataFrame(k, index=LINES, columns=LINES).iloc[order[::-1]][[LINES[i] for i in order]]
    frame.to_csv(folder / "k.txt", sep=" ", index_label="line")
    return {"file": "k.txt"}


def write_lower(folder, k):
    text = "\n".join(f"{LINES[i]} {LINES[j]} {k[i, j]!r}" for i in range(9) for j in range(i + 1))
    (folder / "k.txt").write_text(text.replace("np.float64(", "").replace(")", "") + "\n")
    return {"file": "k.txt"}


def write_both_triangles(folder, k):
    rows = [(LINES[i], LINES[j], k[i, j]) for i in range(9) for j in range(9)]
    pd.DataFrame(rows, columns=["one", "other", "value"]).to_csv(folder / "k.csv.gz", index=False)
    return {"file": "k.csv.gz"}


def write_inverse(folder, k):
    pd.DataFrame(np.linalg.inv(k), index=LINES, columns=LINES).to_csv(folder / "k.csv")
    return {"file": "k.csv", "kind": "inverse"}


def write_inverse_elements(folder, k):
    inverse = np.linalg.inv(k)
    rows = [(LINES[i], LINES[j], inverse[i, j]) for i in range(9) for j in range(i + 1)]
    pd.DataFrame(rows).to_csv(folder / "k.csv", index=False, header=False)
    return {"file": "k.csv", "kind": "inverse"}


def write_npz(folder, k):
    np.savez(folder / "k.npz", matrix=k, labels=np.array(LINES))
    return {"file": "k.npz"}


def write_scipy(folder, k):
    save_npz(folder / "k.npz", csr_array(k))
    (folder / "levels.txt").write_text("\n".join(LINES) + "\n")
    return {"file": "k.npz", "labels": "levels.txt"}


def write_hdf5(folder, k):
    with h5py.File(folder / "k.h5", "w") as file:
        file["matrix"], file["labels"] = np.tril(k), LINES
    return {"file": "k.h5"}


def write_matrix_market(folder, k):
    mmwrite(folder / "k.mtx", csr_array(k), symmetry="symmetric", precision=17)
    (folder / "levels.txt").write_text("\n".join(LINES) + "\n")
    return {"file": "k.mtx", "labels": "levels.txt"}


FORMS = [
    write_square,
    write_square_in_other_order,
    write_lower,
    write_both_triangles,
    write_inverse,
    write_inverse_elements,
    write_npz,
    write_scipy,
    write_hdf5,
    write_matrix_market,
]


@pytest.mark.parametrize("write", FORMS, ids=lambda write: write.__name__)
def test_every_form_of_a_relationship(run, data, tmp_path, write):
    frame, _, k = data
    found = run(f"herd + {TERM}", {"line": 1.3, "residual": 2.0}, relationships={"K": write(tmp_path, k)})
    ((u, pev),) = blup(frame, one_of(frame["herd"]), [(one_of(frame["line"], LINES), 1.3 * k)])
    values = by_level(found, TERM)
    assert sorted(values.index) == LINES  # two of them without records
    np.testing.assert_allclose(values[LINES], u, atol=1e-9)
    place = [values.index.get_loc(line) for line in LINES]
    np.testing.assert_allclose(reliability(found, TERM)[place, 0], 1 - pev / (1.3 * np.diag(k)), atol=1e-9)
    assert "relationship K" in found.record["inputs"]
    with h5py.File(tmp_path / "run.h5") as file:
        stored = file["effects"][TERM]
        np.testing.assert_array_equal(stored["reliability"][()], reliability(found, TERM))


@pytest.mark.parametrize("quote", ['"k.csv"', "'k.csv'", "`k.csv`"])
def test_a_file_in_the_formula_is_a_matrix(run, data, tmp_path, quote):
    frame, _, k = data
    write_square(tmp_path, k)
    found = run(f"herd + random(line, relationship = {quote})", {"line": 1.3, "residual": 2.0})
    ((u, _),) = blup(frame, one_of(frame["herd"]), [(one_of(frame["line"], LINES), 1.3 * k)])
    np.testing.assert_allclose(by_level(found, 'random(line, relationship = "k.csv")')[LINES], u, atol=1e-9)


@pytest.mark.parametrize("method", ["direct", "pcg", "incomplete_cholesky"])
def test_two_traits_slopes_and_an_independent_part(run, data, tmp_path, method):
    """y: intercepts and slopes of related lines, and what lines have for themselves; t: intercepts alone."""
    frame, _, k = data
    sigma = np.array([[1.0, 0.3, 0.1], [0.3, 0.8, 0.05], [0.1, 0.05, 0.2]])
    r = np.array([[2.0, 0.5], [0.5, 1.0]])
    model = {"y": 'herd + random(line, slope(x), relationship = "K") + random(line)', "t": f"herd + {TERM}"}
    key = "random(line, relationship = K)"
    found = run(
        model,
        {key: sigma.tolist(), "line": 0.7, "residual": r.tolist()},
        relationships={"K": write_square(tmp_path, k)},
        solver={**SOLVERS[method], "stop": "residual", "tolerance": 1e-13},
    )
    block = next(b for b in found.solutions if b.key == 'random(line, relationship = "K")')
    assert block.columns == ("y:line:0", "t:line", "y:line:1")
    at = frame["t"].notna().to_numpy()
    line, x = one_of(frame["line"], LINES), frame["x"].to_numpy()[:, None]
    z = np.vstack([np.hstack([line, 0 * line, x * line]), np.hstack([0 * line, line, 0 * line])[at]])
    own = np.vstack([line[:, :7], np.zeros((at.sum(), 7))])
    herd = one_of(frame["herd"])
    fixed = np.vstack([np.hstack([herd, 0 * herd]), np.hstack([0 * herd, herd])[at]])
    g = np.zeros((34, 34))
    g[:27, :27], g[27:, 27:] = np.kron(sigma, k), 0.7 * np.eye(7)
    rr = np.kron(r, np.eye(len(frame)))
    keep = np.concatenate([np.arange(len(frame)), len(frame) + np.flatnonzero(at)])
    y = np.concatenate([frame["y"], frame["t"][at]])
    _, u, pev = DenseModel(fixed, np.hstack([z, own]), g, rr[np.ix_(keep, keep)], y, [], 0).solve_least_squares()
    values = found.effect(block.name).set_index("level").loc[LINES, list(block.columns)].to_numpy(float)
    np.testing.assert_allclose(values, u[:27].reshape(3, 9).T, atol=1e-7)
    np.testing.assert_allclose(by_level(found, "random(line)")[LINES[:7]], u[27:], atol=1e-7)
    rel = 1 - pev[:27].reshape(3, 9).T / np.outer(np.diag(k), np.diag(sigma))
    np.testing.assert_allclose(reliability(found, block.name), rel, atol=1e-8)


def test_a_large_sparse_inverse(run, data, tmp_path):
    """Above 2,000 levels the check and the diagonal come from a sparse factor: a chain, whose covariance is known."""
    n, rho = 2_500, 0.9
    levels = LINES + [f"c{k}" for k in range(n - 9)]
    diagonal = np.full(n, 1 + rho**2)
    diagonal[[0, -1]] = 1.0
    inverse = np.diag(diagonal) - rho * (np.eye(n, k=1) + np.eye(n, k=-1))
    row, column = np.nonzero(np.tril(inverse))
    text = "\n".join(f"{levels[i]},{levels[j]},{float(inverse[i, j])!r}" for i, j in zip(row, column, strict=True))
    (tmp_path / "k.csv").write_text("a,b,value\n" + text + "\n")
    found = run(f"herd + {TERM}", {"line": 1.3, "residual": 2.0}, relationships={"K": {"file": "k.csv", "kind": "inverse"}})
    frame = data[0]
    place = np.arange(9)
    k = rho ** np.abs(place[:, None] - place) / (1 - rho**2)
    ((u, pev),) = blup(frame, one_of(frame["herd"]), [(one_of(frame["line"], LINES), 1.3 * k)])
    values = by_level(found, TERM)
    np.testing.assert_allclose(values[LINES], u, atol=1e-8)
    at = [values.index.get_loc(line) for line in LINES]
    np.testing.assert_allclose(reliability(found, TERM)[at, 0], 1 - pev / (1.3 * np.diag(k)), atol=1e-8)


FAULTS = [
    (lambda k: k[:6, :6], {}, RecordsError, ["level of column line", "'L6'", "records.csv, line", "which has 6 levels"]),
    (lambda k: k + np.eye(9, k=1), {}, DataError, ["k.csv: not symmetric: (L0, L1) is"]),
    (lambda k: k - 2 * np.eye(9), {}, NotPositiveDefiniteError, ["Relationship 'K'", "k.csv", "L0"]),
    (lambda k: k - 0.3 * np.eye(9), {}, NotPositiveDefiniteError, ["not positive definite", "smallest eigenvalue is -"]),
    (lambda k: 1 + 0 * k, {}, NotPositiveDefiniteError, ["singular", "'L1', which is the same as 'L0'", "blend: 0.01}}"]),
    (lambda k: 1 + 0 * k, {"kind": "inverse"}, NotPositiveDefiniteError, ["singular"]),
]


@pytest.mark.parametrize(("change", "more", "kind", "texts"), FAULTS)
def test_matrices_that_are_refused(run, data, tmp_path, change, more, kind, texts):
    wrong = change(data[2])
    n = len(wrong)
    pd.DataFrame(wrong, index=LINES[:n], columns=LINES[:n]).to_csv(tmp_path / "k.csv")
    with pytest.raises(BreedevalError) as caught:
        run(f"herd + {TERM}", {"line": 1.3, "residual": 2.0}, relationships={"K": {"file": "k.csv", **more}})
    for text in texts:
        assert text in str(caught.value)
    assert isinstance(caught.value, kind) or kind is DataError


def test_blend_makes_clones_estimable(run, data, tmp_path):
    frame = data[0]
    pd.DataFrame(np.ones((9, 9)), index=LINES, columns=LINES).to_csv(tmp_path / "k.csv")
    found = run(f"herd + {TERM}", {"line": 1.3, "residual": 2.0}, relationships={"K": {"file": "k.csv", "blend": 0.05}})
    k = 0.95 + 0.05 * np.eye(9)
    ((u, _),) = blup(frame, one_of(frame["herd"]), [(one_of(frame["line"], LINES), 1.3 * k)])
    np.testing.assert_allclose(by_level(found, TERM)[LINES], u, atol=1e-8)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not,a,square,file\n1,2,3,4\n", "neither a square with names nor three columns"),
        ("a,b,value\nL0,L0,1\nL1,L0,high\n", "'high' (line 3) Every line is level, level, value"),
        ("id,L0,L1\nL0,1,0.5\nL1,half,1\n", "Column 'L0': 1 value is no number: 'half' (line 3)"),
    ],
)
def test_files_that_are_no_matrix(run, tmp_path, text, message):
    (tmp_path / "k.csv").write_text(text)
    with pytest.raises(BreedevalError) as caught:
        run(f"herd + {TERM}", {"line": 1.3, "residual": 2.0}, relationships={"K": {"file": "k.csv"}})
    assert message.split("(")[0].strip() in str(caught.value)


def test_a_file_that_is_not_there(run):
    with pytest.raises(BreedevalError, match=r"There is no file .*nowhere.csv"):
        run('random(line, relationship = "nowhere.csv")', {"line": 1.3, "residual": 2.0})


def test_a_relationship_that_no_term_uses(run):
    with pytest.raises(ConfigError, match=r"run.yaml:1: relationships.G: no term uses it"):
        run("random(line)", {"line": 1.3, "residual": 2.0}, relationships={"G": {"file": "k.csv"}})


def test_check_reads_hdf5_too(root, data, tmp_path):
    frame, _, k = data
    frame.to_csv(tmp_path / "data.csv", index=False)
    config = {
        "records": {"file": "data.csv", "classes": ["herd"]},
        "model": {"y": f"herd + {TERM}"},
        "relationships": {"K": write_hdf5(tmp_path, k)},
        "variances": {"line": 1.0, "residual": 2.0},
    }
    (tmp_path / "run.yaml").write_text(json.dumps(config))
    ended = CliRunner().invoke(main, ["check", str(tmp_path / "run.yaml")])
    assert ended.exit_code == 0, ended.output
    assert "no problem found" in ended.output
