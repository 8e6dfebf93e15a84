"""Coefficients of each term that stand side by side, as a pass over the records takes them.

See `breedeval.kernels.stretches`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breedeval.arrays import NONE, Bool, Int32, Int64, freeze
from breedeval.equations.incidence import Incidence, Slots
from breedeval.kernels.stretches import CURVES

#: Coefficients that are taken together.
MOST_TOGETHER = len(CURVES[-1])
#: Levels repeat where fewer than this part of the records have another one than the record before.
MOST_CHANGES = 0.25


@dataclass(frozen=True)
class Stretches:
    """Stretches of all terms that are not ragged.

    Parameters
    ----------
    pointer
        (K + 1,) where those of each term begin.
    rows
        (s, 4) int64: see `breedeval.kernels.stretches`.
    repeats
        (K,) whether most records have the term's level of the record before.
    n_traits
        Traits.
    """

    pointer: Int64
    rows: Int64
    repeats: Bool
    n_traits: int

    @property
    def curves(self) -> int | None:
        """None if none is wider than one: a loop is told so that it need not be compiled for others."""
        return 1 if (self.rows[:, 3] > 1).any() else None

    @property
    def of_traits(self) -> int | None:
        """None if there is one trait, for the same reason; else 1 if any stretch is of one of them, or 0."""
        return None if self.n_traits == 1 else int((self.rows[:, 0] >= 0).any())


def find_stretches(incidence: Incidence, most: int = MOST_TOGETHER) -> Stretches:
    """Join the coefficients of each term.

    Parameters
    ----------
    incidence
        W.
    most
        Largest width of a stretch.
    """
    pointer, rows = [0], []
    for k in range(len(incidence.blocks)):
        rows += _of_term(incidence.slots.of_term(k), incidence.n_traits, most)
        pointer.append(len(rows))
    return Stretches(
        freeze(np.array(pointer, dtype=np.int64)),
        freeze(np.array(rows, dtype=np.int64).reshape(-1, 4)),
        freeze(np.array([_repeats(first) for first in incidence.first.T], dtype=np.bool_)),
        incidence.n_traits,
    )


def _of_term(slots: Slots, n_traits: int, most: int) -> list[list[int]]:
    """Stretches of one term; of all traits if these have the same coefficients side by side."""
    traits = [slots.where(slots.trait == trait) for trait in range(n_traits)]
    first = traits[0]
    if all(
        np.array_equal(other.covariate, first.covariate) and np.array_equal(other.column, first.column + trait)
        for trait, other in enumerate(traits)
    ):
        return _joined(NONE, n_traits, first, most)
    return [row for trait, coefficients in enumerate(traits) for row in _joined(trait, 1, coefficients, most)]


def _joined(trait: int, apart: int, slots: Slots, most: int) -> list[list[int]]:
    """Join coefficients whose covariates follow each other, and whose columns are so far apart."""
    rows: list[list[int]] = []
    for column, covariate in zip(slots.column.tolist(), slots.covariate.tolist(), strict=True):
        if rows and covariate != NONE and rows[-1][3] < most:
            _, start, before, width = rows[-1]
            if width and covariate == before + width and column == start + width * apart:
                rows[-1][3] += 1
                continue
        rows.append([trait, column, covariate, 0 if covariate == NONE else 1])
    return rows


def _repeats(first: Int32) -> bool:
    """Whether levels of records are mostly those of the record before, of all records of a term (m,)."""
    return bool(np.count_nonzero(first[1:] != first[:-1]) < MOST_CHANGES * len(first))
