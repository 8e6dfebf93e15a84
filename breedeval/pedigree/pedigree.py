"""The pedigree, frozen: ids outside, rows inside, parents before progeny."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breedeval.arrays import NONE, Int8, Int32
from breedeval.errors import count_of
from breedeval.names import Names


@dataclass(frozen=True)
class Pedigree:
    """Animals in an order in which parents stand before their progeny.

    Parameters
    ----------
    ids
        (n,) the animals' names as the user writes them. The order is internal; use :meth:`row_of` to find an animal.
    sire, dam
        (n,) int32 row of the parent; −1 unknown; n + j stands for unknown-parent group j.
    sex
        (n,) int8: 0 unknown, 1 male, 2 female, from the file where it says so, else from the use as a parent.
    birth_year
        (n,) int32; ``breedeval.pedigree.table.YEAR_UNKNOWN`` where not known.
    groups
        (g,) names of the unknown-parent groups; empty without groups.
    source
        Name of the file.

    Examples
    --------
    >>> import breedeval as be
    >>> pedigree = be.read_pedigree("pedigrees/mrode_table_2_1.csv")
    >>> pedigree.n_animals
    6
    """

    ids: Names
    sire: Int32
    dam: Int32
    sex: Int8
    birth_year: Int32
    groups: Names
    source: str = "memory"

    @property
    def n_animals(self) -> int:
        """Number of animals, n."""
        return len(self.sire)

    @property
    def n_groups(self) -> int:
        """Number of unknown-parent groups, g."""
        return len(self.groups)

    def __len__(self) -> int:
        return self.n_animals

    def row_of(self, animal_id: str) -> int:
        """Return the row of an animal.

        Raises
        ------
        UnknownNameError
            If no animal has this id.
        """
        return self.ids.row_of(animal_id, f"in {self.source}, which has {count_of(len(self), 'animal')}")

    def parent_ids(self, row: int) -> tuple[str | None, str | None]:
        """Names of the sire and the dam of the animal in `row`; None where unknown."""
        return self._name(int(self.sire[row])), self._name(int(self.dam[row]))

    def _name(self, code: int) -> str | None:
        if code == NONE:
            return None
        return self.ids[code] if code < self.n_animals else self.groups[code - self.n_animals]

    def n_progeny(self) -> Int32:
        """(n,) number of progeny of each animal, as sire and as dam."""
        n = self.n_animals
        counts = np.zeros(n, dtype=np.int64)
        for parent in (self.sire, self.dam):
            counts += np.bincount(parent[(parent >= 0) & (parent < n)], minlength=n)
        return counts.astype(np.int32)
