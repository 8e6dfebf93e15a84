"""Coefficients of inbreeding of an earlier run, found again by id."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from breedeval.arrays import NONE, Float64, Int32, Int64, freeze
from breedeval.errors import DataError, UnknownNameError, count_of, name_some
from breedeval.kernels import same_order as kernels
from breedeval.names import Names
from breedeval.pedigree.pedigree import Pedigree
from breedeval.source import Source

#: Place of a parent that has no stored coefficient of its own.
NOT_STORED = -2
#: A coefficient of inbreeding below this is rounding error.
_NOT_INBRED = 1e-9


@dataclass(frozen=True, eq=False)
class KnownInbreeding:
    """Stored coefficients by the rows of a pedigree.

    Parameters
    ----------
    coefficients
        (n,) F, NaN where it is not known or does not hold any more.
    changed
        Rows of stored animals that have another parent now.
    n_outdated
        Stored coefficients that do not hold any more: of the animals changed and of their descendants.
    """

    coefficients: Float64
    changed: Int64
    n_outdated: int


@dataclass(frozen=True, eq=False)
class StoredInbreeding:
    """Coefficients by id.

    Parameters
    ----------
    ids
        (k,) names of the animals, in any order. The order of the pedigree that they were computed with is the fastest.
    coefficients
        (k,) F of each.
    sire, dam
        (k,) place among ``ids`` of each parent at that time, −1 unknown, `NOT_STORED` for a parent without a stored
        coefficient; or empty. With them, animals whose parents have changed since are found, and computed again together with
        their descendants. Without them nobody can tell.
    source
        File and line of each, for messages; None if they were not read.

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
    sire: Int32 = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    dam: Int32 = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    source: Source | None = None

    def __post_init__(self) -> None:
        for values, what in ((self.coefficients, "stored coefficient"), (self.sire, "stored sire"), (self.dam, "stored dam")):
            if len(self.ids) != len(values) and (what == "stored coefficient" or len(self.sire) + len(self.dam)):
                raise DataError(
                    f"{count_of(len(values), what)} of inbreeding for {count_of(len(self.ids), 'animal')}. Give one for each."
                )

    @classmethod
    def of(cls, pedigree: Pedigree, coefficients: ArrayLike) -> StoredInbreeding:
        """Keep the coefficients of a pedigree, with its parents.

        Examples
        --------
        >>> import breedeval as be
        >>> pedigree = be.read_pedigree("pedigrees/mrode_table_2_1.csv")
        >>> stored = StoredInbreeding.of(pedigree, be.compute_inbreeding(pedigree))
        >>> stored.find(pedigree).n_outdated
        0
        """
        n = pedigree.n_animals
        sire, dam = (np.where(parent < n, parent, np.int32(NONE)) for parent in (pedigree.sire, pedigree.dam))
        return cls(pedigree.ids, freeze(np.asarray(coefficients, dtype=np.float64)), freeze(sire), freeze(dam))

    @property
    def has_parents(self) -> bool:
        """True if changed parents are found."""
        return len(self.sire) > 0

    def find(self, pedigree: Pedigree) -> KnownInbreeding:
        """Find the coefficients that hold in this pedigree, in which there may be more animals.

        Raises
        ------
        UnknownNameError
            If stored animals are not in the pedigree.
        DataError
            If an animal is stored twice.
        """
        rows, known = self._found(pedigree.ids, f" {pedigree.source}")
        marked = np.zeros(pedigree.n_animals if self.has_parents else 0, dtype=np.bool_)
        n_changed = 0
        if self.has_parents:
            n_changed += kernels.mark_changed(pedigree.sire, self.sire, rows, marked)
            n_changed += kernels.mark_changed(pedigree.dam, self.dam, rows, marked)
        if not n_changed:
            return KnownInbreeding(known, np.empty(0, dtype=np.int64), 0)
        changed = np.flatnonzero(marked)
        kernels.mark_descendants(pedigree.sire, pedigree.dam, marked)
        n_outdated = np.count_nonzero(marked & ~np.isnan(known))
        known[marked] = np.nan
        return KnownInbreeding(known, changed, int(n_outdated))

    def by_row(self, ids: Names) -> Float64:
        """(n,) the coefficient of each of ``ids``, without a look at parents; NaN for an animal that is not stored.

        Raises
        ------
        UnknownNameError
            If stored animals are not among ``ids``.
        DataError
            If an animal is stored twice.
        """
        return self._found(ids)[1]

    def rows_in(self, ids: Names) -> Int32:
        """(k,) place of each stored animal among ``ids``, −1 for one that is not there.

        Animals in the same order, with others between them, are found by walking through both.
        """
        rows = np.empty(len(self.ids), dtype=np.int32)
        n_found = kernels.follow_texts(ids.buffer, ids.offsets, self.ids.buffer, self.ids.offsets, rows)
        if n_found < len(rows):
            rows[n_found:] = ids.find(self.ids.take(np.arange(n_found, len(rows))))
        return rows

    def _found(self, ids: Names, pedigree: str = "") -> tuple[Int32, Float64]:
        """Rows of the stored animals, empty where no parents want them; and coefficients by row of a pedigree of this name."""
        rows = np.empty(len(self.ids) if self.has_parents else 0, dtype=np.int32)
        known = np.empty(len(ids))
        n_found = kernels.follow_values(
            ids.buffer, ids.offsets, self.ids.buffer, self.ids.offsets, self.coefficients, rows, known
        )  # fmt: skip
        if n_found == len(self.ids):
            return rows, known
        rows = self.rows_in(ids)
        if (missing := np.flatnonzero(rows == NONE)).size:
            names = self.ids.take(missing).to_list()
            raise UnknownNameError(
                f"{count_of(len(names), 'animal')} with a stored coefficient of inbreeding not in the pedigree{pedigree}: "
                f"{name_some(names)}{self._where(missing)}. Leave them out, or add them to the pedigree.",
                name=names[0],
                names=names,
            )
        return rows, self._placed(rows, ids)

    def _placed(self, rows: Int32, ids: Names) -> Float64:
        found = np.full(len(ids), np.nan)
        if kernels.put_values(rows, self.coefficients, found) and (again := rows_met_before(rows)).size:
            raise DataError(
                f"Stored coefficients of inbreeding name an animal twice: {name_some(self.ids.take(again).to_list())}"
                f"{self._where(again)}. Leave one of them out."
            )
        return found

    def _where(self, rows: Int32 | Int64) -> str:
        """Where stored animals stand, for a message; nothing if that is not known."""
        return "" if self.source is None else f" {self.source.where(rows)}"


def doubt_of_base(pedigree: Pedigree, coefficients: Float64) -> str:
    """A warning of stored coefficients (n,) that seem to be of another base; empty if nothing speaks for it.

    An animal of an unknown parent is not inbred if unknown parents are unrelated.

    Examples
    --------
    >>> import breedeval as be
    >>> pedigree = be.read_pedigree("pedigrees/mrode_table_2_1.csv")
    >>> doubt_of_base(pedigree, np.array([0.3, 0.0, np.nan, 0.0, 0.125, 0.125])).partition(".")[0]
    "1 animal with an unknown parent is inbred by what is stored: '1'"
    """
    n = pedigree.n_animals
    unknown = (pedigree.sire < 0) | (pedigree.sire >= n) | (pedigree.dam < 0) | (pedigree.dam >= n)
    inbred = np.flatnonzero(unknown & (np.abs(coefficients) > _NOT_INBRED))  # never true of NaN
    if not len(inbred):
        return ""
    verb = "is" if len(inbred) == 1 else "are"
    return (
        f"{count_of(len(inbred), 'animal')} with an unknown parent {verb} inbred by what is stored: "
        f"{name_some(pedigree.ids.take(inbred[:1000]))}. Were these coefficients computed with metafounders or inbred unknown "
        "parents? Then they do not go with the others."
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
