"""One (co)variance matrix as the user wrote it: read, put in order, checked, bent if asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from breedeval.arrays import Float64, freeze
from breedeval.errors import VarianceError, name_some
from breedeval.model.covariance import expected_size
from breedeval.nearest import did_you_mean

#: A correlation matrix whose smallest eigenvalue is not above this is taken as singular.
SINGULAR = 1e-12
#: Smallest eigenvalue, on the scale of correlations, of a matrix that was bent.
BENT = 1e-4
_SYMMETRIC = 1e-9

_FORMS = "Write a number, a matrix (a list of rows) or {labels: [...], matrix: [...]}, with bend: true if wanted."


def read_matrix(written: object, labels: tuple[str, ...]) -> tuple[Float64, str | None]:
    """Turn what stands under a key of ``variances`` into a matrix.

    Parameters
    ----------
    written
        A number, a list of rows, or a mapping with ``matrix`` and perhaps ``labels`` and ``bend``.
    labels
        (k,) the order that the model needs.

    Returns
    -------
    matrix : (k, k) float64, read-only
        In the order of `labels`, exactly symmetric, positive definite.
    note : str or None
        What bending changed.

    Raises
    ------
    VarianceError
        If it is not a (co)variance matrix of these effects.

    Examples
    --------
    >>> read_matrix({"labels": ["b", "a"], "matrix": [[4, 1], [1, 2]]}, ("a", "b"))[0].tolist()
    [[2.0, 1.0], [1.0, 4.0]]
    """
    bend = False
    order: object = None
    if isinstance(written, Mapping):
        unknown = [key for key in written if key not in ("labels", "matrix", "bend")]
        if unknown or "matrix" not in written:
            wrong = f"{name_some(unknown)} cannot stand here" if unknown else "'matrix' is missing"
            raise VarianceError(f"{wrong}. {_FORMS}")
        order, bend = written.get("labels"), written.get("bend", False)
        if not isinstance(bend, bool):
            raise VarianceError("bend is true or false.")
        written = written["matrix"]
    matrix = _square(written, labels if order is None else _checked_labels(order, labels))
    if order is not None:
        place = {label: row for row, label in enumerate(order)}  # type: ignore[arg-type,var-annotated]
        rows = [place[label] for label in labels]
        matrix = matrix[np.ix_(rows, rows)]
    _check_symmetric(matrix, labels)
    return _positive_definite((matrix + matrix.T) / 2, labels, bend)


def _checked_labels(order: object, labels: tuple[str, ...]) -> tuple[str, ...]:
    if not isinstance(order, Sequence) or isinstance(order, str) or not all(isinstance(label, str) for label in order):
        raise VarianceError(f"labels is a list of texts. Write labels: [{', '.join(labels)}] in the order of the matrix.")
    problems = []
    for label in dict.fromkeys(order):
        if label not in labels:
            problems.append(f"the label '{label}' is not of this model.{did_you_mean(label, labels)}")
        elif order.count(label) > 1:
            problems.append(f"the label '{label}' stands {order.count(label)} times.")
    absent = [label for label in labels if label not in order]
    if absent:
        what = "label" if len(absent) == 1 else "labels"
        problems.append(f"the {what} {name_some(absent)} {'is' if len(absent) == 1 else 'are'} missing.")
    if problems:
        raise VarianceError(f"{' '.join(problems)} Needed are {', '.join(labels)}.")
    return tuple(order)


def _square(written: object, labels: tuple[str, ...]) -> Float64:
    k = len(labels)
    if not isinstance(written, list | tuple):
        number = _number(written)
        if k > 1:
            raise VarianceError(f"one number ({number:g}) where {k} effects are correlated. {expected_size(labels)}")
        return np.array([[number]])
    rows = [row if isinstance(row, list | tuple) else None for row in written]
    sizes = [-1 if row is None else len(row) for row in rows]
    if sizes != [k] * k:
        if -1 in sizes:
            found = "a list that is not a list of rows"
        elif len(set(sizes)) == 1:
            found = f"a matrix of {len(sizes)} × {sizes[0]}"
        else:
            found = f"rows of {', '.join(map(str, sizes))} numbers"
        raise VarianceError(f"{found}. {expected_size(labels)}")
    return np.array([[_number(value) for value in row or ()] for row in rows])


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        what = "nothing" if value is None else f"'{value}'" if isinstance(value, str) else str(value)
        raise VarianceError(f"{what} where a number is needed. {_FORMS}")
    if not np.isfinite(value):
        raise VarianceError(f"{value} is not a finite number.")
    return float(value)


def _check_symmetric(matrix: Float64, labels: tuple[str, ...]) -> None:
    gap = np.abs(matrix - matrix.T)
    row, column = np.unravel_index(int(np.argmax(gap)), gap.shape)
    if gap[row, column] > _SYMMETRIC * max(float(np.abs(matrix).max()), np.finfo(float).tiny):
        a, b = labels[row], labels[column]
        raise VarianceError(
            f"the matrix is not symmetric: ({a}, {b}) is {matrix[row, column]:g} and ({b}, {a}) is {matrix[column, row]:g}. "
            "Make them equal."
        )


def _positive_definite(matrix: Float64, labels: tuple[str, ...], bend: bool) -> tuple[Float64, str | None]:
    """Check `matrix`, or replace it by the nearest one whose eigenvalues are at least `BENT` on the scale of correlations.

    The scale of correlations makes the verdict the same in any units of the traits. Nearest in the Frobenius norm: N. J. Higham
    (1988), Linear Algebra and its Applications 103: 103-118, theorem 2.1.
    """
    variances = np.diag(matrix)
    if (variances <= 0).any():
        wrong = [f"{label} ({value:g})" for label, value in zip(labels, variances, strict=True) if value <= 0]
        raise VarianceError(
            f"a variance must be positive, this is not: {', '.join(wrong)}. Leave out effects without variance."
        )
    scale = np.sqrt(variances)
    values, vectors = np.linalg.eigh(matrix / np.outer(scale, scale))
    if values[0] > SINGULAR:
        return freeze(matrix), None
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    if not bend:
        raise VarianceError(
            f"the matrix is not positive definite: its smallest eigenvalue is {smallest:.6g}. Correct the matrix, or let the "
            "nearest positive definite one be used by bend: true beside matrix."
        )
    bent = (vectors * np.maximum(values, BENT)) @ vectors.T * np.outer(scale, scale)
    bent = (bent + bent.T) / 2
    change = float((np.abs(bent - matrix) / np.outer(scale, scale)).max())
    moved = f"no element moved by more than {change:.2g} of the product of its standard deviations"
    return freeze(bent), f"bent: the smallest eigenvalue was {smallest:.6g}; {moved}"
