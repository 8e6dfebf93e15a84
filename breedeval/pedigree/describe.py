"""A pedigree in numbers."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from breedeval.arrays import Float64, Int32
from breedeval.kernels import descriptions as kernels
from breedeval.pedigree.completeness import Completeness, compute_completeness
from breedeval.pedigree.pedigree import Pedigree
from breedeval.pedigree.table import FEMALE, MALE, SEX_UNKNOWN, YEAR_UNKNOWN

#: A coefficient of inbreeding below this is rounding error.
_NOT_INBRED = 1e-12

_QUANTITY = {
    "n_animals": "animals",
    "n_founders": "founders (no parent known)",
    "n_one_parent": "one parent known",
    "n_both_parents": "both parents known",
    "n_sires": "sires",
    "n_dams": "dams",
    "n_both_roles": "sires that are dams as well",
    "n_without_progeny": "animals without progeny",
    "n_males": "males",
    "n_females": "females",
    "n_sex_unknown": "sex unknown",
    "max_level": "longest path to a founder (generations)",
    "first_birth_year": "first birth year",
    "last_birth_year": "last birth year",
    "n_birth_year_known": "birth year known",
    "mean_progeny_per_sire": "progeny per sire, mean",
    "max_progeny_per_sire": "progeny per sire, largest",
    "mean_progeny_per_dam": "progeny per dam, mean",
    "max_progeny_per_dam": "progeny per dam, largest",
    "n_full_sib_families": "full-sib families",
    "mean_full_sib_family": "full-sib family, mean size",
    "max_full_sib_family": "full-sib family, largest",
    "n_inbred": "inbred animals",
    "mean_inbreeding": "inbreeding, mean",
    "max_inbreeding": "inbreeding, largest",
}


@dataclass(frozen=True)
class PedigreeDescription:
    """Counts and means of a pedigree; None where the pedigree does not say.

    A parent that is an unknown-parent group counts as unknown. A full-sib family is one pair of known parents. Levels count
    from 0, the founders. The three last are None unless inbreeding was given.
    """

    n_animals: int
    n_founders: int
    n_one_parent: int
    n_both_parents: int
    n_sires: int
    n_dams: int
    n_both_roles: int
    n_without_progeny: int
    n_males: int
    n_females: int
    n_sex_unknown: int
    max_level: int
    first_birth_year: int | None
    last_birth_year: int | None
    n_birth_year_known: int
    mean_progeny_per_sire: float
    max_progeny_per_sire: int
    mean_progeny_per_dam: float
    max_progeny_per_dam: int
    n_full_sib_families: int
    mean_full_sib_family: float
    max_full_sib_family: int
    n_inbred: int | None = None
    mean_inbreeding: float | None = None
    max_inbreeding: float | None = None

    def to_frame(self) -> pd.DataFrame:
        """Two columns: quantity in words, value."""
        values = [getattr(self, field.name) for field in fields(self)]
        known = [(_QUANTITY[field.name], v) for field, v in zip(fields(self), values, strict=True) if v is not None]
        frame = pd.DataFrame({"quantity": [quantity for quantity, _ in known]})
        frame["value"] = pd.Series([value for _, value in known], dtype=object)
        return frame


def describe_pedigree(
    pedigree: Pedigree, inbreeding: ArrayLike | None = None, *, completeness: Completeness | None = None
) -> PedigreeDescription:
    """Count what a pedigree holds.

    Parameters
    ----------
    pedigree
        Any pedigree.
    inbreeding
        (n,) coefficients, from :func:`compute_inbreeding`; leave out to skip what is said about them.
    completeness
        From :func:`compute_completeness`, where it is there already.

    Examples
    --------
    >>> import breedeval as be
    >>> description = describe_pedigree(be.read_pedigree("pedigrees/mrode_table_2_1.csv"))
    >>> description.n_founders, description.n_both_parents, description.max_level
    (2, 3, 3)
    """
    n = pedigree.n_animals
    as_sire, as_dam = np.zeros(n, dtype=np.int32), np.zeros(n, dtype=np.int32)
    counts = kernels.count_progeny(pedigree.sire, pedigree.dam, as_sire, as_dam)
    n_founders, n_one, n_sires, n_dams, n_both, n_neither = (int(count) for count in counts)
    of_sires, of_dams = int(as_sire.sum(dtype=np.int64)), int(as_dam.sum(dtype=np.int64))
    work = np.empty(n, dtype=np.int32), np.empty(of_dams, dtype=np.int32)
    families = (int(count) for count in kernels.count_families(pedigree.sire, pedigree.dam, as_dam, *work))
    n_families, n_full_sibs, largest_family = families
    longest = (compute_completeness(pedigree) if completeness is None else completeness).longest
    years = _known_years(pedigree)
    counted = PedigreeDescription(
        n_animals=n,
        n_founders=n_founders,
        n_one_parent=n_one,
        n_both_parents=n - n_founders - n_one,
        n_sires=n_sires,
        n_dams=n_dams,
        n_both_roles=n_both,
        n_without_progeny=n_neither,
        n_males=int((pedigree.sex == MALE).sum()),
        n_females=int((pedigree.sex == FEMALE).sum()),
        n_sex_unknown=int((pedigree.sex == SEX_UNKNOWN).sum()),
        max_level=int(longest.max(initial=0)),
        first_birth_year=int(years.min()) if len(years) else None,
        last_birth_year=int(years.max()) if len(years) else None,
        n_birth_year_known=len(years),
        mean_progeny_per_sire=_mean(of_sires, n_sires),
        max_progeny_per_sire=int(as_sire.max(initial=0)),
        mean_progeny_per_dam=_mean(of_dams, n_dams),
        max_progeny_per_dam=int(as_dam.max(initial=0)),
        n_full_sib_families=n_families,
        mean_full_sib_family=_mean(n_full_sibs, n_families),
        max_full_sib_family=largest_family,
    )
    return counted if inbreeding is None else _with_inbreeding(counted, np.asarray(inbreeding, dtype=np.float64))


def _known_years(pedigree: Pedigree) -> Int32:
    known = pedigree.birth_year != YEAR_UNKNOWN
    return pedigree.birth_year if known.all() else pedigree.birth_year[known]


def _mean(total: int, number: int) -> float:
    return total / number if number else 0.0


def _with_inbreeding(counted: PedigreeDescription, coefficients: Float64) -> PedigreeDescription:
    return replace(
        counted,
        n_inbred=int((coefficients > _NOT_INBRED).sum()),
        mean_inbreeding=float(coefficients.mean()) if len(coefficients) else 0.0,
        max_inbreeding=float(coefficients.max(initial=0.0)),
    )
