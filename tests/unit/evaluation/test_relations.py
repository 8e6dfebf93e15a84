"""Relationships of all kinds from the configuration to solutions: against BLUP by least squares on matrices written out here."""

from __future__ import annotations

import json
from itertools import pairwise

import h5py
import numpy as np
import pandas as pd
import pytest
from scipy.io import mmwrite
from scipy.sparse import csr_array, save_npz

import breedeval as be
from breedeval.errors import BreedevalError, ConfigError, DataError, NotPositiveDefiniteError, RecordsError
from tests.random_models import random_rows
from tests.reference.mixed_model import DenseModel, legendre_values
from tests.reference.relationship import (
    dominance,
    group_shares,
    males_by_recursion,
    tabular_a,
    tabular_with_metafounders,
)

LINES = [f"L{k}" for k in range(9)]


@pytest.fixture(scope="module")
def data():
    """Records of lines in herds, pedigree of animals with inbreeding; two traits, one with gaps."""
    rng = np.random.default_rng(7)
    rows = [*random_rows(rng, 40), ("daughter", "a0", "a1"), ("inbred", "a0", "daughter")]
    m = 70
    picked = [rows[i] for i in rng.integers(4, 42, m - 1)] + rows[-1:]
    frame = pd.DataFrame(
        {
            "id": [row[0] for row in picked],
            "dam": [row[2] or "a1" for row in picked],
            "line": rng.choice(LINES[:7], m),
            "herd": [f"h{k}" for k in rng.integers(1, 4, m)],
            "year": [f"{k}" for k in rng.integers(2001, 2004, m)],
            "x": rng.uniform(0, 10, m).round(2),
            "z": rng.normal(size=m).round(3),
            "y": rng.normal(10, 3, m).round(3),
            "t": rng.normal(5, 2, m).round(3),
        }
    )
    frame.loc[rng.random(m) < 0.2, "t"] = np.nan
    pedigree = pd.DataFrame(rows, columns=["id", "sire", "dam"]).fillna("0")
    a = rng.normal(size=(9, 12))
    return frame, pedigree, a @ a.T / 12


@pytest.fixture
def run(tmp_path, data):
    """Evaluate a model of these records."""

    def evaluate(model, variances, *, pedigree=False, groups=None, folder=tmp_path, **sections):
        frame, animals, _ = data
        frame.to_csv(folder / "records.csv", index=False)
        config = {
            "records": {"file": "records.csv", "covariates": ["x", "z"], "classes": ["herd"]},
            "model": model if isinstance(model, dict) else {"y": model},
            "variances": variances,
            "accuracy": {"method": "exact"},
            **sections,
        }
        if pedigree is not False:
            (animals if pedigree is True else pedigree).to_csv(folder / "pedigree.csv", index=False)
            config["pedigree"] = {"file": "pedigree.csv", "animal": "id", "sire": "sire", "dam": "dam"}
            config["pedigree"] |= {"groups": groups} if groups else {"unknown": ["0"]}
        (folder / "run.yaml").write_text(json.dumps(config))
        return be.evaluate(folder / "run.yaml", folder / "run.h5")

    return evaluate


def one_of(values, levels=None):
    """Matrix of ones: a row a record, a column a level."""
    levels = sorted(set(values)) if levels is None else levels
    return np.array([[float(value == level) for level in levels] for value in values])


def blup(frame, x, parts, residual=2.0, trait="y"):
    """BLUP and PEV of each part (Z, G) of a one-trait model."""
    z = np.hstack([part for part, _ in parts])
    g = np.zeros((z.shape[1], z.shape[1]))
    ends = np.cumsum([0, *(part.shape[1] for part, _ in parts)])
    for (start, stop), (_, covariance) in zip(pairwise(ends), parts, strict=True):
        g[start:stop, start:stop] = covariance
    o = len(frame)
    _, u, pev = DenseModel(x, z, g, residual * np.eye(o), frame[trait].to_numpy(), [], o).solve_least_squares()
    return [(u[start:stop], pev[start:stop]) for start, stop in pairwise(ends)]


def by_level(run, name, column=0):
    frame = run.effect(name).set_index("level")
    return frame.iloc[:, column]


def reliability(run, name):
    return run.effect_reliability[name]


# ---- matrices that a user gives


def write_square(folder, k):
    pd.DataFrame(k, index=LINES, columns=LINES).to_csv(folder / "k.csv")
    return {"file": "k.csv"}


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
TERM = 'random(line, relationship = "K")'


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


@pytest.mark.parametrize("method", ["direct", "pcg"])
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
        solver={"method": method, "stop": "residual", "tolerance": 1e-13},
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
        ("id,L0,L1\nL0,1,0.5\nL1,half,1\n", "column 2: 1 value that are no numbers"),
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


# ---- effects from the pedigree


@pytest.mark.parametrize("method", ["direct", "pcg"])
def test_dominance(run, data, tmp_path, method):
    frame = data[0]
    found = run(
        "herd + genetic(id) + dominance(id)",
        {"genetic": 1.5, "dominance": 0.8, "residual": 2.0},
        pedigree=True,
        solver={"method": method, "ebv_error": 1e-10},
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


# ---- combined classes and slopes


def test_nested_and_crossed_classes(run, data):
    """random(herd/year) is random(herd) + random(herd:year), beside crossed lines."""
    frame = data[0]
    found = run("x + random(herd/year) + random(line)", {"herd": 0.5, "herd:year": 0.9, "line": 1.1, "residual": 2.0})
    both = frame["herd"] + ":" + frame["year"]
    x = np.column_stack([np.ones(len(frame)), frame["x"]])
    parts = [
        (one_of(frame["herd"]), 0.5 * np.eye(3)),
        (one_of(both), 0.9 * np.eye(9)),
        (one_of(frame["line"]), 1.1 * np.eye(7)),
    ]
    wanted = blup(frame, x, parts)
    for name, values, (u, pev) in zip(
        ["random(herd)", "random(herd:year)", "random(line)"], [frame["herd"], both, frame["line"]], wanted, strict=True
    ):
        found_values = by_level(found, name)
        np.testing.assert_allclose(found_values[sorted(set(values))], u, atol=1e-9)
        place = [found_values.index.get_loc(level) for level in sorted(set(values))]
        variance = {"random(herd)": 0.5, "random(herd:year)": 0.9, "random(line)": 1.1}[name]
        np.testing.assert_allclose(reliability(found, name)[place, 0], 1 - pev / variance, atol=1e-9)


def test_several_slopes_in_one_term(run, data):
    frame = data[0]
    sigma = np.array([[1.0, 0.1, 0.2], [0.1, 0.3, 0.0], [0.2, 0.0, 0.5]])
    found = run("x + z + random(line, slope(x), slope(z))", {"line": sigma.tolist(), "residual": 2.0})
    line = one_of(frame["line"])
    z = np.hstack([line, line * frame[["x"]].to_numpy(), line * frame[["z"]].to_numpy()])
    x = np.column_stack([np.ones(len(frame)), frame["x"], frame["z"]])
    ((u, _),) = blup(frame, x, [(z, np.kron(sigma, np.eye(7)))])
    values = found.effect("random(line, slope(x), slope(z))").set_index("level").loc[LINES[:7]]
    assert values.columns.tolist() == ["y:line:0", "y:line:1", "y:line:2", "constrained"]
    np.testing.assert_allclose(values.iloc[:, :3].to_numpy(float), u.reshape(3, 7).T, atol=1e-9)


def test_slopes_that_are_not_correlated_with_intercepts(run, data):
    frame = data[0]
    key = "random(line, 0 + slope(x))"
    found = run(f"x + random(line) + {key}", {"line": 1.0, key: 0.3, "residual": 2.0})
    line = one_of(frame["line"])
    x = np.column_stack([np.ones(len(frame)), frame["x"]])
    (u, _), (v, _) = blup(frame, x, [(line, np.eye(7)), (line * frame[["x"]].to_numpy(), 0.3 * np.eye(7))])
    np.testing.assert_allclose(by_level(found, "random(line)")[LINES[:7]], u, atol=1e-9)
    values = found.effect(key).set_index("level")
    assert values.columns[0] == "y:line:1"
    np.testing.assert_allclose(values.loc[LINES[:7], "y:line:1"].to_numpy(float), v, atol=1e-9)


def test_levels_of_records_without_the_trait_are_left_out(run, data):
    """permanent(id) of t has no level for an animal that has records of y alone."""
    frame = data[0]
    found = run(
        {"y": "herd + genetic(id)", "t": "herd + genetic(id) + permanent(id)"},
        {"genetic": [[1, 0.2], [0.2, 1]], "permanent": 0.5, "residual": [[2, 0], [0, 1]]},
        pedigree=True,
    )
    assert set(found.effect("permanent(id)")["level"]) == set(frame.loc[frame["t"].notna(), "id"])
    assert set(frame["id"]) > set(frame.loc[frame["t"].notna(), "id"])


# ---- groups of unknown parents in models of several columns

GROUPED = {
    "maternal": (
        "herd + genetic(id) + genetic(dam) + permanent(dam)",
        {"genetic": [[1.5, -0.3], [-0.3, 0.8]], "permanent": 0.4, "residual": 2.0},
    ),
    "regression": (
        "herd + genetic(id, legendre(x, 1, 0, 10)) + permanent(id)",
        {"genetic": [[1.5, 0.2], [0.2, 0.4]], "permanent": 0.4, "residual": 2.0},
    ),
    "relationship": (
        f"herd + genetic(id) + {TERM}",
        {"genetic": 1.5, "line": 0.9, "residual": 2.0},
    ),
    "dominance": (
        "herd + genetic(id) + dominance(id)",
        {"genetic": 1.5, "dominance": 0.9, "residual": 2.0},
    ),
}
GAMMA = [[0.6, 0.2], [0.2, 0.9]]


@pytest.mark.parametrize("kind", ["fixed", "random", "metafounders"])
@pytest.mark.parametrize("name", GROUPED)
def test_groups_in_models_of_all_kinds(run, data, tmp_path, name, kind):
    frame, animals, k = data
    text, variances = GROUPED[name]
    groups = {"codes": ["g1", "g2"]}
    groups |= {"fixed": {}, "random": {"effect": "random", "variance": 0.7}}.get(
        kind, {"gamma": {"labels": ["g1", "g2"], "matrix": GAMMA}}
    )
    coded = animals.assign(sire=animals["sire"].replace("0", "g1"), dam=animals["dam"].replace("0", "g2"))
    sections = {"relationships": {"K": write_square(tmp_path, k)}} if name == "relationship" else {}
    found = run(text, variances, pedigree=coded, groups=groups, **sections)
    ids, sire, dam = found.pedigree.ids.to_list(), found.pedigree.sire.tolist(), found.pedigree.dam.tolist()
    assert found.pedigree.groups.to_list() == ["g1", "g2"]
    n, q = len(ids), group_shares(sire, dam, 2)
    known = [[p if p < n else -1 for p in parents] for parents in (sire, dam)]
    a = tabular_a(*known)
    if kind == "metafounders":
        total = tabular_with_metafounders(sire, dam, np.array(GAMMA))[:n, :n]
    else:
        total = a + 0.7 * q @ q.T if kind == "random" else a
    z = one_of(frame["id"], ids)
    phi = np.array([legendre_values(v, 1, 0, 10) for v in frame["x"]])
    of_column = {
        "maternal": [z, one_of(frame["dam"], ids)],
        "regression": [z * phi[:, [0]], z * phi[:, [1]]],
    }.get(name, [z])
    sigma = np.atleast_2d(np.array(variances["genetic"], dtype=float))
    others = {
        "maternal": lambda: (one_of(frame["dam"]), 0.4 * np.eye(frame["dam"].nunique())),
        "regression": lambda: (one_of(frame["id"]), 0.4 * np.eye(frame["id"].nunique())),
        "relationship": lambda: (one_of(frame["line"], LINES), 0.9 * k),
        "dominance": lambda: (z, 0.9 * dominance(a, *known)),
    }[name]()
    zs = np.hstack(of_column)
    fixed = one_of(frame["herd"])
    if kind == "fixed":
        fixed = np.hstack([fixed, *(part @ q for part in of_column)])
    (u, pev), _ = blup(frame, fixed, [(zs, np.kron(sigma, total)), others])
    columns = found.columns("y")
    stored = {v.column: v for v in found.breeding_values}
    block = found.solutions.layout.genetic
    for j, column in enumerate(columns):
        part = slice(j * n, (j + 1) * n)
        values = stored[column].value
        if kind == "fixed":  # what is known of an animal apart from its groups does not depend on which group is zero
            values = values - q @ block.view(found.solutions.values)[n:, j]
        np.testing.assert_allclose(values, u[part], atol=1e-8, err_msg=column)
        own = np.diag(a if kind == "fixed" else total)
        np.testing.assert_allclose(stored[column].pev, pev[part], atol=1e-8)
        np.testing.assert_allclose(stored[column].reliability, 1 - pev[part] / (own * sigma[j, j]), atol=1e-8)
