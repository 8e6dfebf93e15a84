"""Animals by classes of birth years."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from breedeval.arrays import NONE, Bool, Float64, Int32, Int64, freeze
from breedeval.pedigree.pedigree import Pedigree
from breedeval.pedigree.table import YEAR_UNKNOWN


@dataclass(frozen=True, eq=False)
class BirthClasses:
    """Classes of birth years, and the class of each animal.

    Parameters
    ----------
    first_year
        (c,) first birth year of each class, ascending; classes without animals are left out.
    label
        (n,) int32 class of each animal, −1 where the birth year is not known.
    width
        Years in a class. Classes begin at years divisible by it.
    """

    first_year: Int64
    label: Int32
    width: int = 1

    @classmethod
    def of(cls, pedigree: Pedigree, width: int = 1) -> BirthClasses:
        """Divide the animals of a pedigree.

        Examples
        --------
        >>> import breedeval as be
        >>> classes = BirthClasses.of(be.read_pedigree("pedigrees/herd_book_pedigree.csv"), width=5)
        >>> classes.first_year.tolist()
        [2005, 2010, 2015, 2020]
        """
        if width < 1:
            raise ValueError(f"width is {width} years; at least 1 is expected")
        known = pedigree.birth_year != YEAR_UNKNOWN
        label = np.full(pedigree.n_animals, NONE, dtype=np.int32)
        if not known.any():
            return cls(freeze(np.empty(0, dtype=np.int64)), freeze(label), width)
        step = pedigree.birth_year[known].astype(np.int64) // width
        lowest = int(step.min())
        occurs = np.bincount(step - lowest) > 0
        label[known] = (np.cumsum(occurs) - 1)[step - lowest]
        return cls(freeze((np.flatnonzero(occurs) + lowest) * width), freeze(label), width)

    def __len__(self) -> int:
        return len(self.first_year)

    @property
    def any_unknown(self) -> bool:
        """Whether the birth year of some animal is not known."""
        return bool((self.label == NONE).any())

    def years(self) -> pd.Series[Any]:
        """First year of each class, and a missing value for the animals of unknown birth year if there are any."""
        values = [int(year) for year in self.first_year] + ([pd.NA] if self.any_unknown else [])
        return pd.Series(values, dtype="Int64", name="birth_year")

    def count(self, where: Bool | None = None) -> Int64:
        """Animals in each class, those of unknown birth year last if there are any; only where `where` is true."""
        return self.sum(None if where is None else where.astype(np.float64)).astype(np.int64)

    def sum(self, values: NDArray[Any] | None = None) -> Float64:
        """Sum of `values` (n,) in each class, ones by default."""
        rows = len(self) + self.any_unknown
        place = np.where(self.label == NONE, len(self), self.label)
        return np.bincount(place, weights=values, minlength=rows)[:rows].astype(np.float64)

    def mean(self, values: NDArray[Any]) -> Float64:
        """Mean of `values` (n,) in each class."""
        mean: Float64 = self.sum(values) / self.sum()
        return mean
