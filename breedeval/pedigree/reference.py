"""The animals that a statement about a population is about."""

from __future__ import annotations

from typing import Literal

import numpy as np

from breedeval.arrays import Int64
from breedeval.errors import PedigreeError
from breedeval.pedigree.pedigree import Pedigree
from breedeval.pedigree.table import YEAR_UNKNOWN

Reference = Literal["auto", "last_years", "no_progeny", "all"]


def reference_rows(pedigree: Pedigree, choice: Reference = "auto", *, years: int = 1) -> Int64:
    """(k,) rows of a reference population.

    Parameters
    ----------
    pedigree
        Any pedigree.
    choice
        ``last_years``: the animals born in the last birth years; ``no_progeny``: those without progeny; ``all``; ``auto``: the
        first of these where birth years are known, else the second.
    years
        Number of birth years for ``last_years``, counted from the last that occurs.

    Raises
    ------
    PedigreeError
        If ``last_years`` is asked for and no birth year is known.

    Examples
    --------
    >>> import breedeval as be
    >>> pedigree = be.read_pedigree("pedigrees/mrode_table_2_1.csv")
    >>> [pedigree.ids[row] for row in reference_rows(pedigree)]
    ['6']
    """
    known = pedigree.birth_year != YEAR_UNKNOWN
    if choice == "all":
        return np.arange(pedigree.n_animals, dtype=np.int64)
    if choice == "no_progeny" or (choice == "auto" and not known.any()):
        return np.flatnonzero(pedigree.n_progeny() == 0)
    if choice not in ("auto", "last_years"):
        raise ValueError(f"'{choice}' is no reference population; choose auto, last_years, no_progeny or all")
    if not known.any():
        raise PedigreeError(
            f"No birth year is known in {pedigree.source}, so there are no last birth years. Name the column of the birth "
            "year, or take the animals without progeny.",
            problems=(),
        )
    if years < 1:
        raise ValueError(f"years is {years}; at least 1 is expected")
    last = int(pedigree.birth_year[known].max())
    return np.flatnonzero(known & (pedigree.birth_year > last - years))
