"""(Co)variances as the model uses them: labelled, checked, positive definite."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from types import MappingProxyType
from typing import Any

from breedeval.arrays import Float64
from breedeval.errors import VarianceError, count_of, name_some
from breedeval.model.covariance import Problem, assign_variance_keys, random_blocks
from breedeval.model.covariance_matrix import read_matrix
from breedeval.model.spec import ModelSpec


@dataclass(frozen=True)
class Covariance:
    """A (co)variance matrix `matrix` (k, k) of effects named by `labels` (``trait:column`` or ``trait:column:coefficient``)."""

    labels: tuple[str, ...]
    matrix: Float64


@dataclass(frozen=True)
class ResidualCovariance:
    """Residual (co)variances (t, t) of the traits in `labels`: one matrix, or one for each class of the column `by`.

    A single matrix stands under the name ``all``. With the bounds `up_to` the column `by` is a covariate, and the classes are
    its intervals up to each bound (bounds included) and above the last.
    """

    matrices: Mapping[str, Float64]
    labels: tuple[str, ...]
    by: str | None = None
    up_to: tuple[float, ...] = ()

    @property
    def class_column(self) -> str | None:
        """Column of classes; for intervals of a covariate, the one that `breedeval.model.residual_classes` adds."""
        return f"residual class of {self.by}" if self.up_to else self.by


@dataclass(frozen=True)
class Variances:
    """All (co)variances of a model: one `Covariance` for each random block, by the key of `random_blocks`.

    `notes` say which matrices were bent.
    """

    random: Mapping[str, Covariance]
    residual: ResidualCovariance
    notes: tuple[str, ...] = ()


def build_variances(
    written: Mapping[str, object],
    spec: ModelSpec,
    where: Callable[[tuple[str, ...]], str] | None = None,
    *,
    partial: bool = False,
) -> Variances:
    """Check the section ``variances`` of a configuration against the model.

    Parameters
    ----------
    written
        The section as it was read: numbers, lists and mappings by key.
    spec
        The model.
    where
        Gives the file and line of a key path, such as ``("variances", "genetic")``, for messages.
    partial
        Whether some may be missing, as where they are estimated; classes of the residual then need no matrices.

    Returns
    -------
    Variances
        Read-only float64 matrices in the order of the model's labels.

    Raises
    ------
    VarianceError
        With every problem found.

    Examples
    --------
    >>> from breedeval.model.formula import parse_formula
    >>> spec = ModelSpec((parse_formula("milk", "genetic(id)", classes=[], covariates=[]),))
    >>> variances = build_variances({"genetic": 0.25, "residual": 0.75}, spec)
    >>> variances.random["genetic"].labels, variances.random["genetic"].matrix.tolist()
    (('milk:id',), [[0.25]])
    """
    blocks = random_blocks(spec)
    assigned, problems = assign_variance_keys(written, blocks, spec.trait_names, partial=partial)
    notes: list[str] = []
    random: dict[str, Covariance] = {}
    for block in blocks:
        key = assigned.get(block.key)
        if key is None:
            continue
        matrix = _read((key,), written[key], block.labels, problems, notes)
        if matrix is not None:
            random[block.key] = Covariance(block.labels, matrix)
    residual = ResidualCovariance({}, spec.trait_names)
    if "residual" in written:
        residual = _residual(written["residual"], spec.trait_names, problems, notes, partial)
    if problems:
        raise variance_error(problems, where)
    return Variances(MappingProxyType(random), residual, tuple(notes))


def variance_error(problems: list[Problem], where: Callable[[tuple[str, ...]], str] | None) -> VarianceError:
    """Make one error of all problems."""
    lines = []
    for path, message in problems:
        full = ("variances", *path)
        place = "" if where is None else f"{where(full)}: "
        lines.append(f"{place}{'.'.join(full)}: {message}")
    if len(lines) == 1:
        return VarianceError(lines[0], problems=tuple(problems))
    return VarianceError("\n".join([f"{count_of(len(lines), 'problem')} in variances.", *lines]), problems=tuple(problems))


def _read(
    path: tuple[str, ...], written: object, labels: tuple[str, ...], problems: list[Problem], notes: list[str]
) -> Float64 | None:
    try:
        matrix, note = read_matrix(written, labels)
    except VarianceError as error:
        problems.append((path, error.message))
        return None
    if note is not None:
        notes.append(f"variances.{'.'.join(path)}: {note}")
    return matrix


def _residual(
    written: object, traits: tuple[str, ...], problems: list[Problem], notes: list[str], partial: bool
) -> ResidualCovariance:
    if isinstance(written, Mapping) and "up_to" in written:
        return _residual_by_intervals(written, traits, problems, notes, partial)
    if not isinstance(written, Mapping) or not {"by", "matrices"} & set(written):
        matrix = _read(("residual",), written, traits, problems, notes)
        return ResidualCovariance(MappingProxyType({} if matrix is None else {"all": matrix}), traits)
    by, matrices = written.get("by"), written.get("matrices")
    if partial and isinstance(by, str) and set(written) == {"by"}:
        return ResidualCovariance({}, traits, by)
    unknown = [key for key in written if key not in ("by", "matrices")]
    if unknown or not isinstance(by, str) or not isinstance(matrices, Mapping) or not matrices:
        wrong = f"{name_some(unknown)} cannot stand here" if unknown else "it needs a column (by) and matrices by its values"
        usage = "Write residual: {by: herd_class, matrices: {small: 0.6, large: 0.4}}."
        problems.append((("residual",), f"{wrong}. {usage}"))
        return ResidualCovariance({}, traits)
    found = {}
    for value, one in matrices.items():
        matrix = _read(("residual", "matrices", str(value)), one, traits, problems, notes)
        if matrix is not None:
            found[str(value)] = matrix
    return ResidualCovariance(MappingProxyType(found), traits, by)


def _residual_by_intervals(
    written: Mapping[Any, object], traits: tuple[str, ...], problems: list[Problem], notes: list[str], partial: bool
) -> ResidualCovariance:
    by, up_to, matrices = written.get("by"), written.get("up_to"), written.get("matrices")
    usage = "Write residual: {by: dim, up_to: [35, 100], matrices: [4.2, 3.6, 3.1]}, one matrix more than bounds."
    wrong = ""
    if set(written) - {"by", "up_to", "matrices"}:
        wrong = f"{name_some(set(written) - {'by', 'up_to', 'matrices'})} cannot stand here"
    elif not isinstance(by, str):
        wrong = "the covariate (by) is missing"
    elif not isinstance(up_to, list | tuple) or not up_to or any(_no_number(bound) for bound in up_to):
        wrong = "up_to is a list of numbers, the upper bounds of the intervals"
    elif any(b <= a for a, b in pairwise(up_to)):
        wrong = "the bounds of up_to must ascend"
    elif partial and matrices is None:
        return ResidualCovariance({}, traits, by, tuple(float(bound) for bound in up_to))
    elif not isinstance(matrices, list | tuple) or len(matrices) != len(up_to) + 1:
        found = f"{len(matrices)} " if isinstance(matrices, list | tuple) else "no list of "
        wrong = f"{found}matrices for {len(up_to) + 1} intervals (the last is above {up_to[-1]:g})"
    if wrong or not isinstance(by, str) or not isinstance(up_to, list | tuple) or not isinstance(matrices, list | tuple):
        problems.append((("residual",), f"{wrong}. {usage}"))
        return ResidualCovariance({}, traits)
    bounds = tuple(float(bound) for bound in up_to)
    found_matrices = {}
    for name, one in zip(interval_names(bounds), matrices, strict=True):
        matrix = _read(("residual", "matrices", name), one, traits, problems, notes)
        if matrix is not None:
            found_matrices[name] = matrix
    return ResidualCovariance(MappingProxyType(found_matrices), traits, by, bounds)


def interval_names(up_to: tuple[float, ...]) -> tuple[str, ...]:
    """Name the intervals between bounds.

    Examples
    --------
    >>> interval_names((35.0, 100.0))
    ('up to 35', 'above 35 up to 100', 'above 100')
    """
    bounds = [f"{bound:.15g}" for bound in up_to]
    middle = [f"above {low} up to {high}" for low, high in pairwise(bounds)]
    return (f"up to {bounds[0]}", *middle, f"above {bounds[-1]}")


def _no_number(value: object) -> bool:
    return isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value)
