"""Models over the whole grammar, drawn by hypothesis: traits, terms, gaps, weights, residual classes, groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.random_models import FIXED, RandomModel, pair, random_frame, random_rows

Term = tuple[str, str, Any, Any]

TRAITS = ["y", "t", "v", "z"]
GENETIC: list[Term] = [
    ("genetic", "id", None, None),
    ("genetic", "id", "legendre(x, 1, 0, 12)", None),
    ("genetic", "id", "legendre(x, 2, -1, 13)", None),
    ("genetic", "id", None, "x"),
    ("genetic", "sire", None, None),
]
WITH_GENETIC: list[Term] = [
    ("genetic", "dam", None, None),
    ("genetic", "dam", None, "center(x)"),
    ("social", "id", "pen", 0.0),
    ("social", "id", "pen", 0.5),
]
OTHERS: list[Term] = [
    ("permanent", "id", None, None),
    ("permanent", "id", "legendre(x, 1, 0, 12)", None),
    ("permanent", "dam", None, None),
    ("random", "litter", None, None),
    ("random", "herd", None, None),
    ("random", "herd", None, "log(w)"),
]


@dataclass(frozen=True)
class Drawn:
    """What hypothesis chose; `build` makes the model of it."""

    traits: dict[str, dict[str, Any]]
    seed: int
    n_animals: int
    n_records: int
    missing: float
    apart: bool
    weight: str | dict[str, str] | None
    by: str | None
    group_variance: float | None

    def build(self) -> RandomModel:
        """The model twice, on a population and records drawn from the seed."""
        rng = np.random.default_rng(self.seed)
        rows = random_rows(rng, self.n_animals)
        names = list(self.traits)
        frame = random_frame(rng, rows, self.n_records, names, 0.05)
        frame["weight of t"] = rng.choice([0.25, 1.0, 3.0], self.n_records)
        for j, trait in enumerate(names):
            frame.loc[rng.random(self.n_records) < self.missing, trait] = np.nan
            if self.apart:  # no two traits in one record
                frame.loc[np.arange(self.n_records) % len(names) != j, trait] = np.nan
        covariances = {block: (labels, covariance(rng, len(labels))) for block, labels in self.labels().items()}
        t = len(names)
        residual = {name: covariance(rng, t) for name in (("small", "large") if self.by else ("all",))}
        groups = self.group_variance if "genetic" in covariances else None
        return pair(rows, frame, self.traits, covariances, residual, self.weight, self.by, groups)

    def labels(self) -> dict[str, list[str]]:
        """Labels of each block, in any order: the configuration names them."""
        found: dict[str, list[str]] = {}
        for trait, model in self.traits.items():
            for kind, column, regression, slope in model["random"]:
                block = "genetic" if kind in ("genetic", "social") else f"{kind}({column})"
                if kind == "social":
                    names = [f"{trait}:social"]
                elif regression is None and slope is None:
                    names = [f"{trait}:{column}"]
                else:
                    n = 2 if slope else int(regression.split(",")[1]) + 1
                    names = [f"{trait}:{column}:{k}" for k in range(n)]
                found.setdefault(block, []).extend(names)
        return found


def covariance(rng: np.random.Generator, k: int) -> list[list[float]]:
    """A positive definite matrix with correlations of any size below some 0.9."""
    a = rng.normal(size=(k, k))
    matrix = a @ a.T + 0.4 * k * np.eye(k)
    return matrix.tolist()


@st.composite
def trait_models(draw: st.DrawFn) -> dict[str, Any]:
    """Fixed and random terms of one trait."""
    chosen = draw(st.lists(st.sampled_from(range(len(FIXED))), max_size=3, unique=True))
    genetic = draw(st.one_of(st.none(), st.sampled_from(GENETIC)))
    others = draw(st.lists(st.sampled_from(OTHERS), max_size=2, unique_by=lambda term: term[:2]))
    beside = draw(st.lists(st.sampled_from(WITH_GENETIC), max_size=2, unique_by=lambda term: term[:2])) if genetic else []
    random = ([genetic] if genetic else []) + beside + others
    fixed = [FIXED[k] for k in sorted(chosen)]
    mean = draw(st.booleans()) or not fixed
    return {"fixed": ([([], [])] if mean else []) + fixed, "random": random or [OTHERS[3]]}


@st.composite
def models(draw: st.DrawFn, most_traits: int = 4) -> Drawn:
    """A model of one to `most_traits` traits."""
    names = TRAITS[: draw(st.integers(1, most_traits))]
    weight = draw(st.sampled_from([None, "weight", {"y": "weight"}, {names[-1]: "weight of t"}]))
    return Drawn(
        traits={name: draw(trait_models()) for name in names},
        seed=draw(st.integers(0, 2**32 - 1)),
        n_animals=draw(st.integers(8, 20)),
        n_records=draw(st.integers(25, 50)),
        missing=draw(st.sampled_from([0.0, 0.1, 0.4])),
        apart=draw(st.booleans()) and len(names) > 1,
        weight=weight,
        by=draw(st.sampled_from([None, None, "kind"])),
        group_variance=draw(st.sampled_from([None, None, 0.7])),
    )
