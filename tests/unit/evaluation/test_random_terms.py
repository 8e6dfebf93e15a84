"""Combined classes, several slopes, slopes without intercept: against BLUP by least squares."""

from __future__ import annotations

import numpy as np

from tests.relation_models import LINES, blup, by_level, one_of, reliability


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
