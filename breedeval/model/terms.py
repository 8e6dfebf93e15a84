"""A term says for each record which level of a block it meets, with which covariate, in which column for which trait."""

from __future__ import annotations

from dataclasses import dataclass

from breedeval.arrays import Float64, Int32


@dataclass(frozen=True)
class Term:
    """One term of the model, for all traits that have it.

    Parameters
    ----------
    name
        Canonical text of the term.
    block
        Number of the block in the layout.
    level
        (m,) int32 level of each record, −1 where the record does not meet the effect.
    covariates
        (m, c) float64, or None for a single coefficient of one.
    columns
        (t, c) int32 column of the block for each trait and coefficient; −1 where a trait lacks the effect.
    """

    name: str
    block: int
    level: Int32
    covariates: Float64 | None
    columns: Int32
