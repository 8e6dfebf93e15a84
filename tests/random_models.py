"""Random small populations, records and models, each as breedeval takes it and as the dense twin does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from breedeval.pedigree.pedigree import Pedigree
from tests.factories import Row, make_pedigree, with_groups
from tests.reference.mixed_model import DenseModel, dense_model
from tests.reference.relationship import tabular_a
from tests.small_models import SmallModel, make_model

Effect = tuple[list[str], list[str]]

#: Fixed effects to choose from: classes and covariates.
FIXED: list[Effect] = [
    (["herd"], []),
    (["sex"], []),
    (["herd", "sex"], []),
    ([], ["x"]),
    (["sex"], ["x"]),
    (["herd"], ["center(x)"]),
    ([], ["log(w)"]),
    ([], ["poly(x, 2)"]),
    ([], ["legendre(x, 3)"]),
    (["sex"], ["legendre(x, 2, 0, 12)"]),
    ([], ["x", "w"]),
    ([], ["spline(x, 4)"]),
    (["sex"], ["spline(x, knots(0, 5, 12))"]),
    ([], ["bspline(x, quantiles(5), 0, 12, degree(2))"]),
    (["herd", "sex"], ["x", "w"]),
]
#: Random effects beside the genetic one.
RANDOM = [("permanent", "id"), ("permanent", "dam"), ("random", "litter"), ("random", "herd")]
CLASSES, COVARIATES = ["herd", "sex"], ["x", "w"]


@dataclass
class RandomModel:
    """One model twice."""

    text: str
    frame: pd.DataFrame
    model: SmallModel
    dense: DenseModel

    def to_dense(self) -> np.ndarray:
        """Place of each equation of `model` in the dense equations."""
        place = {key: i for i, key in enumerate(self.dense.keys)}
        return np.array([place[key] for key in self.model.equation_keys()])


def random_rows(rng: np.random.Generator, n: int) -> list[Row]:
    """Animals 'a0', 'a1', ... with males even and females odd, unknown parents and inbreeding."""
    rows: list[Row] = []
    for i in range(n):
        sire = f"a{2 * rng.integers(0, i // 2)}" if i > 3 and rng.random() < 0.8 else None
        dam = f"a{2 * rng.integers(0, i // 2) + 1}" if i > 3 and rng.random() < 0.8 else None
        rows.append((f"a{i}", sire, dam))
    return rows


def relationship(pedigree: Pedigree, group_variance: float | None = None) -> np.ndarray:
    """A of a pedigree by the tabular method; with random groups, (co)variances of u = Qg + a and of g."""
    n = pedigree.n_animals
    parents = [(int(s), int(d)) for s, d in zip(pedigree.sire, pedigree.dam, strict=True)]
    a = tabular_a([s if s < n else -1 for s, _ in parents], [d if d < n else -1 for _, d in parents])
    if group_variance is None:
        return a
    q = np.vstack([np.zeros((n, pedigree.n_groups)), np.eye(pedigree.n_groups)])
    for i, (s, d) in enumerate(parents):
        q[i] = (q[s] + q[d]) / 2
    whole = group_variance * q @ q.T
    whole[:n, :n] += a
    return whole


def grouped_pedigree(rows: list[Row]) -> Pedigree:
    """The pedigree with unknown sires in group 'GS' and unknown dams in 'GD'."""
    plain = make_pedigree(rows)
    n = plain.n_animals
    sire, dam = np.where(plain.sire < 0, n, plain.sire), np.where(plain.dam < 0, n + 1, plain.dam)
    return with_groups(plain, sire.tolist(), dam.tolist(), ["GS", "GD"])


def random_frame(rng: np.random.Generator, rows: list[Row], m: int, traits: list[str], missing: float = 0.05) -> pd.DataFrame:
    """Records with holes."""
    picked = [rows[i] for i in rng.integers(0, len(rows), m)]
    data: dict[str, Any] = {
        "id": [row[0] for row in picked],
        "dam": [row[2] or f"a{2 * rng.integers(0, 4) + 1}" for row in picked],
        "sire": [row[1] or "a0" for row in picked],
        "herd": [f"h{k}" for k in rng.integers(1, 5, m)],
        "sex": rng.choice(["M", "F"], m).tolist(),
        "litter": [str(k) for k in rng.integers(1, 12, m)],
        "pen": [f"p{k}" for k in np.random.default_rng(m).integers(1, max(2, m // 4), m)],
        "kind": rng.choice(["small", "large"], m).tolist(),
        "x": rng.uniform(0, 12, m).round(2),
        "w": rng.uniform(0.5, 4, m),
        "weight": rng.choice([0.0, 0.5, 1.0, 2.0, 3.7], m, p=[0.03, 0.27, 0.3, 0.2, 0.2]),
    }
    for trait in traits:
        data[trait] = rng.normal(10, 3, m)
    for column in ("herd", "sex", "litter", "x", "kind", "weight", *traits):
        holes = rng.random(m) < missing
        numeric = column in ("x", "weight", *traits)
        data[column] = [(np.nan if numeric else None) if hole else v for v, hole in zip(data[column], holes, strict=True)]
    return pd.DataFrame(data)


def one_trait_model(seed: int) -> RandomModel:
    """A random model of one trait."""
    rng = np.random.default_rng(seed)
    rows = random_rows(rng, int(rng.integers(8, 30)))
    frame = random_frame(rng, rows, int(rng.integers(30, 80)), ["y"])
    chosen = rng.choice(len(FIXED), int(rng.integers(0, 4)), replace=False)
    fixed: list[Effect] = [FIXED[k] for k in sorted(chosen)]
    intercept = bool(rng.random() < 0.7) or not fixed
    genetic = ["id", "sire", None][int(rng.choice(3, p=[0.7, 0.2, 0.1]))]
    others = [RANDOM[k] for k in sorted(rng.choice(4, int(rng.integers(0 if genetic else 1, 3)), replace=False))]
    if (["herd"], []) in fixed and rng.random() < 0.8:
        others = [term for term in others if term != ("random", "herd")] or [("random", "litter")]
    weight = "weight" if rng.random() < 0.4 else None
    by = "kind" if rng.random() < 0.3 else None
    random = ([("genetic", genetic)] if genetic else []) + others
    residual = {"small": [[0.7]], "large": [[2.5]]} if by else {"all": [[1.7]]}
    size = {f"{kind}({column})": float(rng.uniform(0.2, 3)) for kind, column in random}
    return pair(
        rows,
        frame,
        {"y": {"fixed": ([([], [])] if intercept else []) + fixed, "random": [(k, c, None, None) for k, c in random]}},
        {
            name if "genetic" not in name else "genetic": ([f"y:{name[:-1].partition('(')[2]}"], [[v]])
            for name, v in size.items()
        },
        residual,
        weight,
        by,
    )


def pair(
    rows: list[Row],
    frame: pd.DataFrame,
    traits: dict[str, dict[str, Any]],
    covariances: dict[str, tuple[list[str], list[list[float]]]],
    residual: dict[str, list[list[float]]],
    weight: str | dict[str, str] | None = None,
    by: str | None = None,
    group_variance: float | None = None,
) -> RandomModel:
    """Build one model twice."""
    pedigree = make_pedigree(rows) if group_variance is None else grouped_pedigree(rows)
    formulas = {trait: formula(model) for trait, model in traits.items()}
    written: dict[str, object] = {key: {"labels": list(lab), "matrix": matrix} for key, (lab, matrix) in covariances.items()}
    written["residual"] = {"by": by, "matrices": residual} if by else residual["all"]
    uses_pedigree = "genetic" in covariances
    model = make_model(
        frame,
        formulas,
        written,
        pedigree if uses_pedigree else None,
        CLASSES,
        COVARIATES,
        weight,
        by,
        group_variance=group_variance,
    )
    a = relationship(pedigree, group_variance)
    animals = [*pedigree.ids.to_list(), *pedigree.groups.to_list()]
    dense = dense_model(frame, traits, covariances, residual, animals, a, weight, by)
    return RandomModel(f"{formulas} weight={weight} by={by}", frame, model, dense)


def formula(model: dict[str, Any]) -> str:
    """The formula of one trait as a user writes it."""
    terms = [] if ([], []) in model["fixed"] else ["0"]
    terms += [":".join([*classes, *covariates]) for classes, covariates in model["fixed"] if classes or covariates]
    for kind, column, regression, slope in model["random"]:
        if kind == "social":
            terms.append(f"social({column}, {regression}{f', {slope}' if slope else ''})")
            continue
        extra = f", {regression}" if regression else ""
        extra += f", slope({slope})" if slope else ""
        terms.append(f"{kind}({column}{extra})")
    return " + ".join(terms) or "1"
