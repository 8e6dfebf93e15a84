"""What breeders know of a candidate: its parents', its own and its progeny's records, up to now."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from breedeval.arrays import NONE, Float64, Int32, Int64

#: Precision of the parents' mean as a prediction, in units of the inverse genetic variance: Mendelian sampling has one half.
_PARENTS = 2.0


class Merit:
    """Sums of deviations from contemporaries, from which candidates are ranked.

    Three sources are weighed by their precision as if they were independent: the mean of the parents' merits at birth, own
    records, and records of progeny (twice their mean). Nothing but records that an evaluation gets as well is used, so that
    BLUP knows of the selection (Henderson 1975, Biometrics 31:423-447).

    Parameters
    ----------
    n_animals
        Animals that there will be.
    h2
        Share of genetic variance in the deviations.
    """

    def __init__(self, n_animals: int, h2: float) -> None:
        self._of_own, self._of_progeny = h2 / (1.0 - h2), h2 / (4.0 - h2)
        self._expected = np.zeros(n_animals)
        self._own_sum, self._own_number = np.zeros(n_animals), np.zeros(n_animals, dtype=np.int32)
        self._progeny_sum, self._progeny_number = np.zeros(n_animals), np.zeros(n_animals, dtype=np.int32)

    def add_births(self, rows: Int64, sires: Int32, dams: Int32) -> None:
        """Take in newborn animals and their known parents; −1 unknown."""
        of_parents = [np.where(parents == NONE, 0.0, self.of(parents)) for parents in (sires, dams)]
        self._expected[rows] = 0.5 * (of_parents[0] + of_parents[1])

    def add_records(self, animals: Int64, sires: Int32, dams: Int32, deviations: Float64) -> None:
        """Take in records: (k,) animals, their known parents, and deviations from contemporaries."""
        n = len(self._expected)
        self._own_sum += np.bincount(animals, deviations, minlength=n)
        self._own_number += np.bincount(animals, minlength=n)
        for parents in (sires, dams):
            known = parents != NONE
            self._progeny_sum += np.bincount(parents[known], deviations[known], minlength=n)
            self._progeny_number += np.bincount(parents[known], minlength=n)

    def of(self, rows: NDArray[np.integer[Any]]) -> Float64:
        """(k,) estimated breeding value of `rows`."""
        own, progeny = self._own_number[rows] * self._of_own, self._progeny_number[rows] * self._of_progeny
        total = _PARENTS * self._expected[rows] + self._of_own * self._own_sum[rows]
        total += 2.0 * self._of_progeny * self._progeny_sum[rows]
        merit: Float64 = total / (_PARENTS + own + progeny)
        return merit


def deviations_within(values: Float64, group: NDArray[np.integer[Any]]) -> Float64:
    """(k,) `values` minus the mean of their group.

    Examples
    --------
    >>> deviations_within(np.array([1.0, 3.0, 5.0]), np.array([0, 0, 7])).tolist()
    [-1.0, 1.0, 0.0]
    """
    sums, numbers = np.bincount(group, values), np.bincount(group)
    deviations: Float64 = values - sums[group] / numbers[group]
    return deviations
