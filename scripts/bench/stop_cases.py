"""Random evaluations: populations, records and models of all kinds, as files that `breedeval evaluate` takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

#: Fewest and most animals; the logarithm is uniform between.
ANIMALS = (4, 1500)
#: Parents are taken from so many animals before.
GENERATION = 0.3
FIXED = [
    "herd",
    "sex",
    "herd:sex",
    "year",
    "x",
    "sex:x",
    "center(w)",
    "log(w)",
    "poly(x, 2)",
    "legendre(x, 3, 0, 12)",
    "spline(x, 4)",
    "herd:w",
]
OTHERS = ["permanent(id)", "permanent(dam)", "random(litter)", "random(herd)", "random(pen)"]
GENETIC = ["genetic(id)", "genetic(id)", "genetic(id)", "genetic(sire)", "genetic(id, legendre(x, 1, 0, 12))"]
GENETIC += ["genetic(id, legendre(x, 2, 0, 12))"]
GROUPS: list[dict[str, Any] | None] = [
    None,
    None,
    {"column": "strain"},
    {"column": "strain", "effect": "random", "variance": 0.5},
    {"column": "strain", "gamma": {"within": 0.4, "between": 0.1}, "effect": "random"},
]


def write_random_evaluation(folder: Path, rng: np.random.Generator) -> Path:
    """Write pedigree.csv, records.csv and evaluation.yaml; the last one's path is returned."""
    folder.mkdir(parents=True, exist_ok=True)
    n = int(np.exp(rng.uniform(*np.log(ANIMALS))))
    names = ["milk", "fat", "weight"][: int(rng.choice([1, 2, 3], p=[0.6, 0.25, 0.15]))]
    pedigree = random_pedigree(rng, n)
    records = random_records(rng, pedigree, names)
    models = {name: random_terms(rng) for name in names}
    formulas = {name: " + ".join(terms) for name, terms in models.items()}
    groups = GROUPS[int(rng.integers(len(GROUPS)))]
    config: dict[str, Any] = {
        "title": "random",
        "pedigree": {"file": "pedigree.csv", "animal": "id", "sire": "sire", "dam": "dam", "unknown": ["0"]},
        "records": {
            "file": "records.csv",
            "classes": ["herd", "sex", "year"],
            "covariates": ["x", "w"],
            "missing": ["", "NA"],
        },
        "model": formulas,
        "variances": random_variances(rng, models),
    }
    if groups is not None:
        config["pedigree"]["groups"] = groups
    pedigree.to_csv(folder / "pedigree.csv", index=False)
    records.to_csv(folder / "records.csv", index=False)
    path = folder / "evaluation.yaml"
    path.write_text(json.dumps(config, indent=1))
    return path


def random_pedigree(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Males even, females odd; few sires or many, parents young or of any age, some unknown."""
    known, n_sires = rng.uniform(0.4, 1.0), rng.integers(1, max(2, n // 4) + 1)
    window = max(4, int(n * rng.choice([GENERATION, 1.0])))
    rows = []
    for i in range(n):
        first = max(0, i - window)
        males = [j for j in range(first, i) if j % 2 == 0][:n_sires]
        females = [j for j in range(first, i) if j % 2]
        sire = f"a{rng.choice(males)}" if males and rng.random() < known else "0"
        dam = f"a{rng.choice(females)}" if females and rng.random() < known else "0"
        rows.append((f"a{i}", sire, dam, "old" if i < n / 2 else "new"))
    return pd.DataFrame(rows, columns=["id", "sire", "dam", "strain"])


def random_records(rng: np.random.Generator, pedigree: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Records with gaps: some animals have several, some none."""
    n = len(pedigree)
    m = max(4, int(n * rng.uniform(0.5, 3)))
    animal = np.sort(rng.integers(0, n, m))
    females = pedigree["id"].to_numpy()[1::2]
    dams = pedigree["dam"].to_numpy()[animal]
    sires = pedigree["sire"].to_numpy()[animal]
    frame = pd.DataFrame(
        {
            "id": pedigree["id"].to_numpy()[animal],
            "dam": np.where(dams == "0", rng.choice(females, m), dams),
            "sire": np.where(sires == "0", "a0", sires),
            "herd": rng.integers(0, max(2, int(m / rng.uniform(3, 40))), m),
            "year": (animal * 8) // n,
            "sex": np.where(animal % 2, "F", "M"),
            "litter": rng.integers(0, m // 3 + 2, m),
            "pen": rng.integers(0, m // 8 + 2, m),
            "x": rng.uniform(0, 12, m).round(2),
            "w": rng.uniform(0.5, 4, m) + rng.choice([0.0, 20.0]),
        }
    )
    for name in names:
        frame[name] = rng.normal(10, 3, m) + frame["year"]
        frame.loc[rng.random(m) < rng.choice([0.0, 0.3]), name] = np.nan
    return frame


def random_terms(rng: np.random.Generator) -> list[str]:
    """Terms of one trait."""
    fixed = [FIXED[k] for k in sorted(rng.choice(len(FIXED), int(rng.integers(0, 4)), replace=False))]
    genetic = [GENETIC[int(rng.integers(len(GENETIC)))]]
    if genetic[0] == "genetic(id)" and rng.random() < 0.3:
        genetic.append("genetic(dam)")
    others = [OTHERS[k] for k in sorted(rng.choice(len(OTHERS), int(rng.integers(0, 3)), replace=False))]
    if "herd" in fixed or "herd:sex" in fixed:
        others = [term for term in others if term != "random(herd)"]
    return ["1", *fixed, *genetic, *others]


def random_variances(rng: np.random.Generator, models: dict[str, list[str]]) -> dict[str, Any]:
    """(Co)variances of every block, in units of traits that differ by orders of magnitude."""
    labels: dict[str, list[str]] = {}
    for trait, terms in models.items():
        for term in terms:
            kind, _, inside = term.rstrip(")").partition("(")
            if kind not in ("genetic", "permanent", "random"):
                continue
            column = inside.partition(",")[0]
            width = int(inside.split("legendre(x, ")[1][0]) + 1 if "legendre" in inside else 1
            names = [f"{trait}:{column}"] if width == 1 else [f"{trait}:{column}:{k}" for k in range(width)]
            labels.setdefault("genetic" if kind == "genetic" else f"{kind}({column})", []).extend(names)
    unit = {trait: float(10.0 ** rng.uniform(-2, 2)) for trait in models}
    made: dict[str, Any] = {
        block: {"labels": found, "matrix": random_covariance(rng, [unit[name.split(":")[0]] for name in found])}
        for block, found in labels.items()
    }
    return {**made, "residual": random_covariance(rng, list(unit.values()), 1.0)}


def random_covariance(rng: np.random.Generator, units: list[float], size: float | None = None) -> list[list[float]]:
    """Variances of 0.03 to 3 times the squared units, correlations of any size below some 0.9."""
    k = len(units)
    a = rng.normal(size=(k, k))
    matrix = a @ a.T + 0.4 * k * np.eye(k)
    sd = np.sqrt(np.exp(rng.uniform(np.log(0.03), np.log(3), k))) if size is None else np.full(k, np.sqrt(size))
    scale = sd * np.array(units) / np.sqrt(np.diag(matrix))
    scaled = scale[:, None] * matrix * scale
    return ((scaled + scaled.T) / 2).tolist()


def constructed_spectrum(rng: np.random.Generator) -> np.ndarray:
    """Eigenvalues of 60 to 200 equations, a few of them tiny beside clusters, wide or narrow, or all of them in a row."""
    n, n_slow = int(rng.integers(60, 201)), int(rng.integers(1, 6))
    rest = n - n_slow
    fast = [
        lambda: rng.uniform(0.3, 2, rest),
        lambda: np.geomspace(0.05, 2, rest),
        lambda: rng.uniform(0.9, 1.1, rest),
        lambda: 10 ** rng.uniform(-1.5, 0.5, rest),
        lambda: np.geomspace(10 ** rng.uniform(-5, -1), 2, rest),
    ][int(rng.integers(5))]()
    return np.concatenate([10 ** rng.uniform(-6, -1.5, n_slow), fast])


def constructed_system(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A dense C with a constructed spectrum, and the solution x: its slow directions are of all sizes."""
    values = constructed_spectrum(rng)
    vectors, _ = np.linalg.qr(rng.normal(size=(len(values), len(values))))
    parts = rng.normal(size=len(values))
    how = int(rng.integers(3))
    if how == 1:
        parts *= np.where(values < 0.05, 10 ** rng.uniform(-3, 2, len(values)), 1.0)
    elif how == 2:
        parts /= np.sqrt(values)
    return (vectors * values) @ vectors.T, vectors @ parts
