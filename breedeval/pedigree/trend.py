"""What changes from birth year to birth year."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from breedeval.arrays import NONE, Int32, Int64
from breedeval.pedigree.birth_classes import BirthClasses
from breedeval.pedigree.completeness import compute_completeness
from breedeval.pedigree.pedigree import Pedigree

#: As in the description of a pedigree: below this a coefficient is rounding error.
_NOT_INBRED = 1e-12


def birth_year_trend(pedigree: Pedigree, inbreeding: ArrayLike, *, width: int = 1) -> pd.DataFrame:
    """Tell how numbers, parents, completeness and inbreeding change with birth years.

    Parameters
    ----------
    pedigree
        Any pedigree; unknown-parent groups count as unknown.
    inbreeding
        (n,) coefficients, from :func:`compute_inbreeding`.
    width
        Birth years in a class.

    Returns
    -------
    DataFrame
        One row a class (the animals of unknown birth year last): ``birth_year`` (its first), ``n`` animals, ``sires`` and
        ``dams`` they come from, ``sire_known`` and ``dam_known`` (shares), ``equivalent_generations`` (mean),
        ``mean_inbreeding``, ``inbred`` (share), ``mean_inbreeding_inbred`` (mean of the inbred), ``max_inbreeding``.

    Examples
    --------
    >>> import breedeval as be
    >>> pedigree = be.read_pedigree("pedigrees/herd_book_pedigree.csv")
    >>> trend = birth_year_trend(pedigree, be.compute_inbreeding(pedigree), width=10)
    >>> trend["birth_year"].tolist(), int(trend["n"].sum()) == len(pedigree)
    ([2000, 2010, 2020], True)
    """
    coefficients = np.asarray(inbreeding, dtype=np.float64)
    classes = BirthClasses.of(pedigree, width)
    known = [(parent != NONE) & (parent < pedigree.n_animals) for parent in (pedigree.sire, pedigree.dam)]
    inbred = coefficients > _NOT_INBRED
    n_inbred = classes.count(inbred)
    sum_inbred = classes.sum(np.where(inbred, coefficients, 0.0))
    return pd.DataFrame(
        {
            "birth_year": classes.years(),
            "n": classes.count(),
            "sires": _distinct_parents(classes, pedigree.sire, pedigree.n_animals),
            "dams": _distinct_parents(classes, pedigree.dam, pedigree.n_animals),
            "sire_known": classes.mean(known[0]),
            "dam_known": classes.mean(known[1]),
            "equivalent_generations": classes.mean(compute_completeness(pedigree).equivalent),
            "mean_inbreeding": classes.mean(coefficients),
            "inbred": classes.mean(inbred),
            "mean_inbreeding_inbred": np.divide(sum_inbred, n_inbred, out=np.full(len(n_inbred), np.nan), where=n_inbred > 0),
            "max_inbreeding": _largest(classes, coefficients),
        }
    )


def _distinct_parents(classes: BirthClasses, parent: Int32, n: int) -> Int64:
    """Number of different parents of the animals in each class."""
    rows = len(classes) + classes.any_unknown
    known = np.flatnonzero((parent != NONE) & (parent < n))
    place = np.where(classes.label[known] == NONE, len(classes), classes.label[known]).astype(np.int64)
    pairs = np.sort(place * n + parent[known])
    first = np.ones(len(pairs), dtype=np.bool_)
    first[1:] = pairs[1:] != pairs[:-1]
    return np.bincount(pairs[first] // max(1, n), minlength=rows).astype(np.int64)


def _largest(classes: BirthClasses, values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[float]:
    rows = len(classes) + classes.any_unknown
    largest = np.full(rows, -np.inf)
    np.maximum.at(largest, np.where(classes.label == NONE, len(classes), classes.label), values)
    return largest.tolist()
