"""A pedigree in numbers."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from breedeval.arrays import NONE, Bool, Float64, Int32, Int64
from breedeval.kernels import order as kernels
from breedeval.pedigree.families import family_sizes
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


def describe_pedigree(pedigree: Pedigree, inbreeding: ArrayLike | None = None) -> PedigreeDescription:
    """Count what a pedigree holds.

    Parameters
    ----------
    pedigree
        Any pedigree.
    inbreeding
        (n,) coefficients, from :func:`compute_inbreeding`; leave out to skip what is said about them.

    Examples
    --------
    >>> import breedeval as be
    >>> description = describe_pedigree(be.read_pedigree("pedigrees/mrode_table_2_1.csv"))
    >>> description.n_founders, description.n_both_parents, description.max_level
    (2, 3, 3)
    """
    has_sire, has_dam = _is_animal(pedigree, pedigree.sire), _is_animal(pedigree, pedigree.dam)
    n_known = has_sire.astype(np.int8) + has_dam
    as_sire, as_dam = (
        np.bincount(parent[known], minlength=pedigree.n_animals)
        for parent, known in ((pedigree.sire, has_sire), (pedigree.dam, has_dam))
    )
    is_sire, is_dam = as_sire > 0, as_dam > 0
    family = family_sizes(pedigree, "full_sibs")
    years = pedigree.birth_year[pedigree.birth_year != YEAR_UNKNOWN]
    counted = PedigreeDescription(
        n_animals=pedigree.n_animals,
        n_founders=int((n_known == 0).sum()),
        n_one_parent=int((n_known == 1).sum()),
        n_both_parents=int((n_known == 2).sum()),
        n_sires=int(is_sire.sum()),
        n_dams=int(is_dam.sum()),
        n_both_roles=int((is_sire & is_dam).sum()),
        n_without_progeny=int((~is_sire & ~is_dam).sum()),
        n_males=int((pedigree.sex == MALE).sum()),
        n_females=int((pedigree.sex == FEMALE).sum()),
        n_sex_unknown=int((pedigree.sex == SEX_UNKNOWN).sum()),
        max_level=_max_level(pedigree),
        first_birth_year=int(years.min()) if len(years) else None,
        last_birth_year=int(years.max()) if len(years) else None,
        n_birth_year_known=len(years),
        mean_progeny_per_sire=_mean(as_sire[is_sire]),
        max_progeny_per_sire=int(as_sire.max(initial=0)),
        mean_progeny_per_dam=_mean(as_dam[is_dam]),
        max_progeny_per_dam=int(as_dam.max(initial=0)),
        n_full_sib_families=len(family),
        mean_full_sib_family=_mean(family),
        max_full_sib_family=int(family.max(initial=0)),
    )
    return counted if inbreeding is None else _with_inbreeding(counted, np.asarray(inbreeding, dtype=np.float64))


def _is_animal(pedigree: Pedigree, parent: Int32) -> Bool:
    is_animal: Bool = (parent != NONE) & (parent < pedigree.n_animals)
    return is_animal


def _max_level(pedigree: Pedigree) -> int:
    level = np.empty(pedigree.n_animals, dtype=np.int32)
    kernels.ancestral_levels(pedigree.sire, pedigree.dam, level)
    return int(level.max(initial=0))


def _mean(counts: Int64) -> float:
    return float(counts.mean()) if len(counts) else 0.0


def _with_inbreeding(counted: PedigreeDescription, coefficients: Float64) -> PedigreeDescription:
    return replace(
        counted,
        n_inbred=int((coefficients > _NOT_INBRED).sum()),
        mean_inbreeding=float(coefficients.mean()) if len(coefficients) else 0.0,
        max_inbreeding=float(coefficients.max(initial=0.0)),
    )
