"""Coefficients of inbreeding of an earlier run, found again by id."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breedeval.arrays import NONE, Float64, Int32
from breedeval.errors import DataError, UnknownNameError, count_of, name_some
from breedeval.kernels import same_order as kernels
from breedeval.names import Names


@dataclass(frozen=True, eq=False)
class StoredInbreeding:
    """Coefficients by id.

    Parameters
    ----------
    ids
        (k,) names of the animals, in any order. The order of the pedigree that they were computed with is the fastest.
    coefficients
        (k,) F of each.

    Raises
    ------
    DataError
        If the lengths differ.

    Examples
    --------
    >>> import breedeval as be
    >>> pedigree = be.read_pedigree("pedigrees/mrode_table_2_1.csv")
    >>> stored = StoredInbreeding(Names.of(["3", "5"]), np.array([0.0, 0.125]))
    >>> stored.by_row(pedigree.ids).tolist()
    [nan, nan, nan, 0.0, 0.125, nan]
    """

    ids: Names
    coefficients: Float64

    def __post_init__(self) -> None:
        if len(self.ids) != len(self.coefficients):
            raise DataError(
                f"{count_of(len(self.coefficients), 'stored coefficient')} of inbreeding for "
                f"{count_of(len(self.ids), 'animal')}. Give one for each."
            )

    def by_row(self, ids: Names) -> Float64:
        """(n,) the coefficient of each of ``ids``; NaN for an animal that is not among the stored ones.

        Raises
        ------
        UnknownNameError
            If stored animals are not among ``ids``.
        DataError
            If an animal is stored twice.
        """
        rows = self._rows(ids)
        if (missing := np.flatnonzero(rows == NONE)).size:
            names = self.ids.take(missing).to_list()
            raise UnknownNameError(
                f"{count_of(len(names), 'animal')} with a stored coefficient of inbreeding not in the pedigree: "
                f"{name_some(names)}. Leave them out, or add them to the pedigree.",
                name=names[0],
                names=names,
            )
        found = np.full(len(ids), np.nan)
        found[rows] = self.coefficients
        self._refuse_twice(rows, len(ids))
        return found

    def _rows(self, ids: Names) -> Int32:
        rows = np.full(len(self.ids), NONE, dtype=np.int32)
        n_found = kernels.follow_texts(ids.buffer, ids.offsets, self.ids.buffer, self.ids.offsets, rows)
        if n_found < len(rows):
            rows[n_found:] = ids.find(self.ids.take(np.arange(n_found, len(rows))))
        return rows

    def _refuse_twice(self, rows: Int32, n: int) -> None:
        seen = np.zeros(n, dtype=np.bool_)
        seen[rows] = True
        if np.count_nonzero(seen) < len(rows):
            twice = self.ids.take(rows_met_before(rows)).to_list()
            raise DataError(
                f"Stored coefficients of inbreeding name an animal twice: {name_some(twice)}. Leave one of them out."
            )


def rows_met_before(rows: Int32) -> Int32:
    """Places in ``rows`` whose value stands there earlier.

    Examples
    --------
    >>> rows_met_before(np.array([4, 2, 4], dtype=np.int32)).tolist()
    [2]
    """
    first = np.unique(rows, return_index=True)[1]
    return np.setdiff1d(np.arange(len(rows), dtype=np.int32), first.astype(np.int32))
