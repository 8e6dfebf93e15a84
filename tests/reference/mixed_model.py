"""Henderson's equations and BLUP the slow way: dense matrices, terms read off the records one by one; nothing of breedeval.

A model is plain data. ``traits`` maps a trait to ``{"fixed": [(classes, covariates), ...], "random": [(kind, column,
regression, slope), ...]}``, with the texts of covariates as in a formula; a social effect is ``("social", column, pen,
dilution)``, with everyone in `records` in the pen named there. BLUP comes twice: from the equations (Henderson
1973) and from V = Z G Z' + R by generalized least squares (Henderson 1963), which know nothing of each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan, log, pi, sqrt
from typing import Any

import numpy as np
import pandas as pd
from scipy.linalg import block_diag

from tests.reference.curves import spline_values

Key = tuple[str, str, str]


@dataclass
class DenseModel:
    """X (o, p), Z (o, q), G (q, q), R (o, o) and y (o,) of o observations; a key (effect, level, column) for each equation."""

    x: np.ndarray
    z: np.ndarray
    g: np.ndarray
    r: np.ndarray
    y: np.ndarray
    keys: list[Key]
    n_used: int

    @property
    def n_fixed(self) -> int:
        """Number of fixed effects, p."""
        return self.x.shape[1]

    def equations(self) -> tuple[np.ndarray, np.ndarray]:
        """Henderson's C and right-hand side."""
        w = np.hstack([self.x, self.z])
        r_inverse = np.linalg.inv(self.r)
        c = w.T @ r_inverse @ w
        c[self.n_fixed :, self.n_fixed :] += np.linalg.inv(self.g)
        return c, w.T @ r_inverse @ self.y

    def solve_equations(self) -> tuple[np.ndarray, np.ndarray]:
        """BLUP of the random effects and its prediction error variance, from C."""
        c, b = self.equations()
        inverse = np.linalg.pinv(c, rcond=1e-11, hermitian=True)
        return (inverse @ b)[self.n_fixed :], np.diag(inverse)[self.n_fixed :]

    def solve_least_squares(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Fitted values of the fixed effects, BLUP of the random effects and its prediction error variance, from V."""
        root = np.linalg.cholesky(self.z @ self.g @ self.z.T + self.r)
        root_inverse = np.linalg.inv(root)
        # the projection on the columns of X, from an orthonormal basis: squares of X would lose half the digits
        left, singular = self._directions(root_inverse)
        basis = left[:, singular > 1e-10]
        projection = basis @ basis.T
        p = root_inverse.T @ (np.eye(len(self.y)) - projection) @ root_inverse
        gz = self.g @ self.z.T
        fit = root @ projection @ root_inverse @ self.y
        return fit, gz @ p @ self.y, np.diag(self.g - gz @ p @ gz.T)

    def _directions(self, root_inverse: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Left singular vectors and singular values of X, whitened by V, its columns of length one."""
        x = root_inverse @ self.x
        norms = np.linalg.norm(x, axis=0)
        left, singular, _ = np.linalg.svd(x[:, norms > 0] / norms[norms > 0], full_matrices=False)
        return left, singular

    def lost_digits(self) -> float:
        """Relative error that any solution of the equations may have: squared condition of the fixed effects times rounding."""
        root = np.linalg.cholesky(self.z @ self.g @ self.z.T + self.r)
        _, singular = self._directions(np.linalg.inv(root))
        kept = singular[singular > 1e-10]
        return float((kept.max() / kept.min()) ** 2 * np.finfo(float).eps) if len(kept) else 0.0

    def log_likelihood(self, likelihood: str, columns: Sequence[int]) -> float:
        """With all constants, from V; ``reml`` or ``ml``, on independent columns of X."""
        v = self.z @ self.g @ self.z.T + self.r
        v_inverse = np.linalg.inv(v)
        x = self.x[:, list(columns)]
        n, p = x.shape
        information = x.T @ v_inverse @ x
        projection = v_inverse - v_inverse @ x @ np.linalg.inv(information) @ x.T @ v_inverse if p else v_inverse
        total = np.linalg.slogdet(v)[1] + self.y @ projection @ self.y
        if likelihood == "reml":
            total += (np.linalg.slogdet(information)[1] if p else 0.0) - p * log(2 * pi)
        return float(-0.5 * (total + n * log(2 * pi)))


def legendre_values(x: float, order: int, low: float, high: float) -> list[float]:
    """Normalized Legendre polynomials by Bonnet's recurrence (k + 1) P_(k+1) = (2k + 1) t P_k − k P_(k−1)."""
    t = 2 * (x - low) / (high - low) - 1
    p = [1.0, t]
    for k in range(1, order):
        p.append(((2 * k + 1) * t * p[k] - k * p[k - 1]) / (k + 1))
    return [sqrt((2 * k + 1) / 2) * p[k] for k in range(order + 1)]


def covariate_values(text: str, values: Sequence[float]) -> list[list[float]]:
    """Columns of a covariate such as ``x``, ``log(x)`` or ``poly(x, 2)``, for records without a missing value."""
    function, _, inside = text.rstrip(")").partition("(")
    arguments = [part.strip() for part in inside.split(",")]
    if not inside:
        return [[v] for v in values]
    if function == "log":
        return [[log(v)] for v in values]
    if function == "sqrt":
        return [[sqrt(v)] for v in values]
    if function in ("spline", "bspline"):
        return spline_values(text, values)
    if function == "center":
        return [[v - sum(values) / len(values)] for v in values]
    degree = int(arguments[1])
    if function == "poly":
        return [[v**k for k in range(1, degree + 1)] for v in values]
    assert function == "legendre"
    low, high = (float(arguments[2]), float(arguments[3])) if len(arguments) == 4 else (min(values), max(values))
    return [legendre_values(v, degree, low, high) for v in values]


def column_of(text: str) -> str:
    """The column that a covariate's text is about."""
    return text.partition("(")[2].rstrip(")").split(",")[0].strip() or text


def dense_model(
    records: pd.DataFrame,
    traits: Mapping[str, Mapping[str, Any]],
    covariances: Mapping[str, tuple[Sequence[str], Sequence[Sequence[float]]]],
    residual: Mapping[str, Sequence[Sequence[float]]],
    animals: Sequence[str] = (),
    relationship: np.ndarray | None = None,
    weight: str | Mapping[str, str] | None = None,
    residual_by: str | None = None,
) -> DenseModel:
    """Build all matrices.

    ``covariances`` gives labels and matrix by block: ``genetic``, or kind(column). ``residual`` gives a matrix by class, or
    under ``all``. ``weight`` is a column, or a column by trait: elements of R are divided by sqrt(w_i w_j).
    """
    names = list(traits)
    weights = {t: weight if weight is None or isinstance(weight, str) else weight.get(t) for t in names}
    seen = {t: [_complete(row, t, traits[t], weights[t], residual_by) for row in records.to_dict("records")] for t in names}
    used = [i for i in range(len(records)) if any(seen[t][i] for t in names)]
    rows = records.iloc[used].to_dict("records")
    there = [[t for t in names if seen[t][i]] for i in used]
    observations = [(i, t) for i in range(len(rows)) for t in there[i]]
    fixed = _fixed_columns(rows, traits, observations)
    mates = _pen_mates(records.to_dict("records"), rows, traits)
    random, g = _random_columns(rows, traits, observations, covariances, list(animals), relationship, mates)
    r = []
    for row, which in zip(rows, there, strict=True):
        of_class = np.array(residual["all" if residual_by is None else str(row[residual_by])], dtype=float)
        place = [names.index(t) for t in which]
        root = np.sqrt([1.0 if weights[t] is None else row[weights[t]] for t in which])
        r.append(of_class[np.ix_(place, place)] / np.outer(root, root))
    o = len(observations)
    return DenseModel(
        x=np.column_stack(list(fixed.values())) if fixed else np.zeros((o, 0)),
        z=np.column_stack(list(random.values())) if random else np.zeros((o, 0)),
        g=g,
        r=block_diag(*r),
        y=np.array([rows[i][t] for i, t in observations]),
        keys=[*fixed, *random],
        n_used=len(used),
    )


def _complete(row: Mapping[str, Any], trait: str, model: Mapping[str, Any], weight: str | None, by: str | None) -> bool:
    needed = [trait, *[c for c in (weight, by) if c]]
    for classes, covariates in model["fixed"]:
        needed += [*classes, *map(column_of, covariates)]
    for kind, column, regression, slope in model["random"]:
        needed += [column, regression] if kind == "social" else [column, *(column_of(c) for c in (regression, slope) if c)]
    return all(not _missing(row[c]) for c in needed) and (weight is None or row[weight] > 0)


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and isnan(value))


def _evaluate(text: str, rows: Sequence[Mapping[str, Any]]) -> list[list[float]]:
    """Columns of a covariate; zeros for a record where it is missing."""
    there = [i for i, row in enumerate(rows) if not _missing(row[column_of(text)])]
    values = covariate_values(text, [float(rows[i][column_of(text)]) for i in there])
    full = [[0.0] * len(values[0]) for _ in rows]
    for i, found in zip(there, values, strict=True):
        full[i] = found
    return full


def _products(texts: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[list[float]]:
    product = [[1.0] for _ in rows]
    for text in texts:
        product = [[a * b for a in left for b in right] for left, right in zip(product, _evaluate(text, rows), strict=True)]
    return product


def _fixed_columns(
    rows: Sequence[Mapping[str, Any]], traits: Mapping[str, Mapping[str, Any]], observations: Sequence[tuple[int, str]]
) -> dict[Key, np.ndarray]:
    found: dict[Key, np.ndarray] = {}
    place = {observation: k for k, observation in enumerate(observations)}
    for trait, model in traits.items():
        for classes, covariates in model["fixed"]:
            name = ":".join([*classes, *covariates]) or "intercept"
            products = _products(covariates, rows)
            for i, row in enumerate(rows):
                if any(_missing(row[c]) for c in classes):
                    continue
                level = ":".join(str(row[c]) for c in classes) or name
                for k, value in enumerate(products[i]):
                    label = trait if len(products[i]) == 1 else f"{trait}:{k}"
                    column = found.setdefault((name, level, label), np.zeros(len(observations)))
                    if (i, trait) in place:
                        column[place[(i, trait)]] = value
    return found


def _random_columns(
    rows: Sequence[Mapping[str, Any]],
    traits: Mapping[str, Mapping[str, Any]],
    observations: Sequence[tuple[int, str]],
    covariances: Mapping[str, tuple[Sequence[str], Sequence[Sequence[float]]]],
    animals: list[str],
    relationship: np.ndarray | None,
    mates: Mapping[tuple[str, str], Sequence[Sequence[str]]],
) -> tuple[dict[Key, np.ndarray], np.ndarray]:
    found: dict[Key, np.ndarray] = {}
    parts = []
    for block, (labels, sigma) in covariances.items():
        kind, _, column = block.rstrip(")").partition("(")
        if kind == "genetic":
            assert relationship is not None
            levels, k = animals, relationship
        else:
            having = [t for t, model in traits.items() if (kind, column) in [term[:2] for term in model["random"]]]
            levels = list(dict.fromkeys(str(rows[i][column]) for i, t in observations if t in having))
            k = np.eye(len(levels))
        parts.append(np.kron(k, np.array(sigma, dtype=float)))
        found.update({(block, level, label): np.zeros(len(observations)) for level in levels for label in labels})
        for trait, model in traits.items():
            for term_kind, term_column, regression, slope in model["random"]:
                if kind == "genetic" and term_kind == "social":
                    for place, (i, t) in enumerate(observations):
                        others = mates[(term_column, regression)][i] if t == trait else []
                        for other in others:
                            found[(block, other, f"{trait}:social")][place] += len(others) ** -float(slope)
                    continue
                if term_kind != kind or column not in ("", term_column):
                    continue
                values = _products([regression] if regression else [], rows)
                if slope:  # the intercept and what stands in slope()
                    values = [[1.0, *s] for s in _evaluate(slope, rows)]
                for place, (i, t) in enumerate(observations):
                    if t != trait:
                        continue
                    for c, value in enumerate(values[i]):
                        label = f"{trait}:{term_column}" + (f":{c}" if regression or slope else "")
                        found[(block, str(rows[i][term_column]), label)][place] += value
    return found, block_diag(*parts) if parts else np.zeros((0, 0))


def _pen_mates(
    everyone: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]], traits: Mapping[str, Mapping[str, Any]]
) -> dict[tuple[str, str], list[list[str]]]:
    """The other animals in the pen of each row, by columns of the animal and of the pen."""
    terms = {(term[1], term[2]) for model in traits.values() for term in model["random"] if term[0] == "social"}
    return {
        (column, pen): [
            sorted({o[column] for o in everyone if o[pen] == row[pen] and not _missing(o[pen])} - {row[column]}) for row in rows
        ]
        for column, pen in terms
    }
