"""A term says for each record which level of a block it meets, with which covariate, in which column for which trait."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breedeval.arrays import Float64, Int32, Int64


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
        (m,) int32 level of each record, −1 where the record does not meet the effect; of a ragged term the levels of all
        records one behind the other.
    covariates
        (m, c) float64, or None for a single coefficient of one.
    columns
        (t, c) int32 column of the block for each trait and coefficient; −1 where a trait lacks the effect.
    pointer
        (m + 1,) int64 for a ragged term, whose record i meets the levels ``level[pointer[i]:pointer[i + 1]]``, each with the
        record's covariates; None where a record meets one level.
    """

    name: str
    block: int
    level: Int32
    covariates: Float64 | None
    columns: Int32
    pointer: Int64 | None = None

    @property
    def is_ragged(self) -> bool:
        """Whether a record meets any number of levels."""
        return self.pointer is not None

    def meetings(self) -> tuple[Int64, Int32]:
        """(e,) records and (e,) levels: each pair of a record and a level that it meets, by record."""
        if self.pointer is None:
            record = np.flatnonzero(self.level >= 0)
            return record, self.level[record]
        return np.repeat(np.arange(len(self.pointer) - 1), np.diff(self.pointer)), self.level
