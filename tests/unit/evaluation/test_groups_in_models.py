"""Groups of unknown parents and metafounders in models of several columns and beside other relationships."""

from __future__ import annotations

import numpy as np
import pytest

from tests.reference.mixed_model import legendre_values
from tests.reference.relationship import dominance, group_shares, tabular_a, tabular_with_metafounders
from tests.relation_models import LINES, TERM, blup, one_of, write_square

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
