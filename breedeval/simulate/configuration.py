"""The configuration that evaluates a simulated population with the variances it was simulated with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from breedeval.arrays import Float64


@dataclass(frozen=True)
class LabelledMatrix:
    """A (co)variance matrix `matrix` (k, k) of effects named by `labels`."""

    labels: tuple[str, ...]
    matrix: Float64


def configuration_text(
    what: str,
    *,
    classes: Sequence[str],
    covariates: Sequence[str],
    model: Mapping[str, str],
    variances: Mapping[str, LabelledMatrix],
    has_sex: bool = True,
) -> str:
    """Write an evaluation of ``pedigree.csv`` and ``records.csv`` in the same folder.

    Parameters
    ----------
    what
        What is evaluated, for the title.
    classes, covariates
        Columns of the records.
    model
        Formula by trait.
    variances
        By key of the configuration, ``residual`` among them.
    has_sex
        Whether the pedigree has a column of the sex.
    """
    lines = [
        f"# {what}, simulated; the true breeding values are in true_values.csv.",
        f"title: {what}, simulated",
        "",
        "pedigree:",
        "  file: pedigree.csv",
        "  animal: id",
        "  sire: sire",
        "  dam: dam",
        *(["  sex: sex"] if has_sex else []),
        "  birth_year: birth_year",
        '  unknown: ["0"]',
        "",
        "records:",
        "  file: records.csv",
        '  missing: [""]',
        f"  classes: [{', '.join(classes)}]   # names, whatever they look like",
        *([f"  covariates: [{', '.join(covariates)}]   # numbers"] if covariates else []),
        "",
        "model:",
        *(f"  {trait}: {formula}" for trait, formula in model.items()),
        "",
        "variances:   # those of the simulation",
    ]
    for key, covariance in variances.items():
        lines += _matrix_lines(key, covariance)
    return "\n".join(lines) + "\n"


def _matrix_lines(key: str, covariance: LabelledMatrix) -> list[str]:
    if len(covariance.labels) == 1:
        return [f"  {key}: {float(covariance.matrix[0, 0]):.12g}"]
    quoted = ", ".join(f'"{label}"' for label in covariance.labels)
    rows = [f"      - [{', '.join(f'{float(value):.12g}' for value in row)}]" for row in covariance.matrix]
    return [f"  {key}:", f"    labels: [{quoted}]", "    matrix:", *rows]
