"""Age of parents when their progeny are born, by path."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from breedeval.arrays import NONE, Bool, Int8, Int64, freeze
from breedeval.kernels import descriptions as kernels
from breedeval.pedigree.pedigree import Pedigree
from breedeval.pedigree.table import FEMALE, MALE, SEX_UNKNOWN, YEAR_UNKNOWN

#: The four paths along which genes reach the next generation, by parent and sex of the progeny.
PATHS = ("sire to son", "sire to daughter", "dam to son", "dam to daughter")


@dataclass(frozen=True, eq=False)
class GenerationInterval:
    """Ages of parents at the birth of their progeny, years.

    Parameters
    ----------
    age
        (k,) age of the parent for each pair of a parent and a progeny whose birth years are both known.
    path
        (k,) int8 place in `PATHS`; −1 where the sex of the progeny is not known.
    bred
        (k,) whether the progeny became a parent itself.
    n_negative
        Pairs left out because the parent is born after the progeny.
    """

    age: Int64
    path: Int8
    bred: Bool
    n_negative: int

    @property
    def mean(self) -> float:
        """Generation interval: mean over the paths of the mean age at the birth of progeny that became parents.

        Over all those pairs together where a path has none (as where sexes are unknown); NaN without any pair.
        """
        means = [self._mean(self.bred & (self.path == path)) for path in range(len(PATHS))]
        return self._mean(self.bred) if np.isnan(means).any() else float(np.mean(means))

    def to_frame(self) -> pd.DataFrame:
        """One row a path, for progeny that became parents and for all progeny.

        Columns ``progeny`` (``parents`` or ``all``), ``path``, ``n`` pairs, ``mean``, ``sd``, ``min`` and ``max`` age in years.
        The path ``all`` also holds progeny of unknown sex; ``mean of paths`` weights the four paths equally.
        """
        rows: list[tuple[object, ...]] = []
        for progeny, among in (("parents", self.bred), ("all", np.ones(len(self.age), dtype=np.bool_))):
            of_paths = [self._row(progeny, path, among & (self.path == k)) for k, path in enumerate(PATHS)]
            means = np.array([row[3] for row in of_paths], dtype=np.float64)
            rows += [*of_paths, self._row(progeny, "all", among)]
            mean = float(means.mean())
            rows.append((progeny, "mean of paths", sum(int(str(row[2])) for row in of_paths), mean, np.nan, pd.NA, pd.NA))
        frame = pd.DataFrame(rows, columns=["progeny", "path", "n", "mean", "sd", "min", "max"])
        return frame.astype({"min": "Int64", "max": "Int64", "mean": "float64", "sd": "float64"})

    def _mean(self, among: Bool) -> float:
        return float(self.age[among].mean()) if among.any() else float("nan")

    def _row(self, progeny: str, path: str, among: Bool) -> tuple[object, ...]:
        age = self.age[among]
        if not len(age):
            return (progeny, path, 0, float("nan"), float("nan"), pd.NA, pd.NA)
        sd = float(age.std(ddof=1)) if len(age) > 1 else float("nan")
        return (progeny, path, len(age), float(age.mean()), sd, int(age.min()), int(age.max()))


def generation_interval(pedigree: Pedigree) -> GenerationInterval:
    """Collect the ages of parents at the birth of their progeny.

    Birth years are whole years, so ages are too: on average they are right, one by one they may be half a year off and more.

    Examples
    --------
    >>> import breedeval as be
    >>> interval = generation_interval(be.read_pedigree("pedigrees/herd_book_pedigree.csv"))
    >>> round(interval.mean, 2), interval.n_negative
    (3.58, 0)
    """
    became_parent = pedigree.n_progeny() > 0
    pairs = [_pairs(pedigree, parent, became_parent, 2 * k) for k, parent in enumerate((pedigree.sire, pedigree.dam))]
    age, path, bred = (np.concatenate(column) for column in zip(*pairs, strict=True))
    possible = age >= 0
    return GenerationInterval(
        freeze(age[possible]), freeze(path[possible]), freeze(bred[possible]), int(len(age) - possible.sum())
    )


def mean_generation_interval(pedigree: Pedigree) -> float:
    """``generation_interval(pedigree).mean`` without an array of ages.

    Examples
    --------
    >>> import breedeval as be
    >>> round(mean_generation_interval(be.read_pedigree("pedigrees/herd_book_pedigree.csv")), 2)
    3.58
    """
    is_parent = np.zeros(pedigree.n_animals, dtype=np.bool_)
    total, number = np.zeros(len(PATHS) + 1, dtype=np.int64), np.zeros(len(PATHS) + 1, dtype=np.int64)
    for parent in (pedigree.sire, pedigree.dam):
        kernels.mark_parents(parent, is_parent)
    for first, parent in ((0, pedigree.sire), (2, pedigree.dam)):
        path_of_sex = np.empty(3, dtype=np.int64)
        path_of_sex[[SEX_UNKNOWN, MALE, FEMALE]] = len(PATHS), first, first + 1
        years = (pedigree.birth_year, YEAR_UNKNOWN)
        kernels.sum_ages(parent, *years, path_of_sex, pedigree.sex, is_parent, total, number)
    if number[: len(PATHS)].all():
        return float(np.mean(total[: len(PATHS)] / number[: len(PATHS)]))
    return float(total.sum() / number.sum()) if number.any() else float("nan")


def _pairs(
    pedigree: Pedigree, parent: np.ndarray[tuple[int], np.dtype[np.int32]], became_parent: Bool, first_path: int
) -> tuple[Int64, Int8, Bool]:
    """Age, path and whether bred, for one side of the pedigree."""
    year = pedigree.birth_year
    child = np.flatnonzero((parent != NONE) & (parent < pedigree.n_animals) & (year != YEAR_UNKNOWN))
    child = child[year[parent[child]] != YEAR_UNKNOWN]
    age = year[child].astype(np.int64) - year[parent[child]]
    sex = pedigree.sex[child]
    path = np.where(sex == MALE, first_path, np.where(sex == FEMALE, first_path + 1, NONE)).astype(np.int8)
    return age, path, became_parent[child]
