"""(Co)variances as the model uses them: labelled, checked, positive definite."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from breedeval.arrays import Float64
from breedeval.errors import VarianceError, count_of, name_some
from breedeval.model.covariance import Problem, assign_variance_keys, random_blocks, refuse_stored
from breedeval.model.covariance_matrix import read_matrix
from breedeval.model.spec import ModelSpec


@dataclass(frozen=True)
class Covariance:
    """A (co)variance matrix `matrix` (k, k) of effects named by `labels` (``trait:column`` or ``trait:column:coefficient``)."""

    labels: tuple[str, ...]
    matrix: Float64


@dataclass(frozen=True)
class ResidualCovariance:
    """Residual (co)variances (t, t) of the traits in `labels`: one matrix, or one for each value of the class column `by`.

    A single matrix stands under the name ``all``.
    """

    matrices: Mapping[str, Float64]
    labels: tuple[str, ...]
    by: str | None = None


@dataclass(frozen=True)
class Variances:
    """All (co)variances of a model: one `Covariance` for each random block, by the key of `random_blocks`.

    `notes` say which matrices were bent.
    """

    random: Mapping[str, Covariance]
    residual: ResidualCovariance
    notes: tuple[str, ...] = ()


def build_variances(
    written: Mapping[str, object], spec: ModelSpec, where: Callable[[tuple[str, ...]], str] | None = None
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
    assigned, problems = assign_variance_keys(written, blocks, spec.trait_names)
    stored = refuse_stored(written)
    problems += stored
    notes: list[str] = []
    random: dict[str, Covariance] = {}
    skip = {path for path, _ in stored}
    for block in blocks:
        key = assigned.get(block.key)
        if key is None or (key,) in skip:
            continue
        matrix = _read((key,), written[key], block.labels, problems, notes)
        if matrix is not None:
            random[block.key] = Covariance(block.labels, matrix)
    residual = ResidualCovariance({}, spec.trait_names)
    if "residual" in written and ("residual",) not in skip:
        residual = _residual(written["residual"], spec.trait_names, problems, notes)
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


def _residual(written: object, traits: tuple[str, ...], problems: list[Problem], notes: list[str]) -> ResidualCovariance:
    if not isinstance(written, Mapping) or not {"by", "matrices"} & set(written):
        matrix = _read(("residual",), written, traits, problems, notes)
        return ResidualCovariance(MappingProxyType({} if matrix is None else {"all": matrix}), traits)
    by, matrices = written.get("by"), written.get("matrices")
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
