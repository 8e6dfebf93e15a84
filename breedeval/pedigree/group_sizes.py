"""How large unknown-parent groups are: parents they stand for, progeny, and the records that tell of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from breedeval.arrays import Float64, Int32, Int64
from breedeval.kernels import contributions as kernels
from breedeval.pedigree.pedigree import Pedigree
from breedeval.pedigree.table import YEAR_UNKNOWN


def group_sizes(pedigree: Pedigree, n_records: ArrayLike | None = None) -> pd.DataFrame:
    """Tell how large each unknown-parent group of a pedigree is.

    Parameters
    ----------
    pedigree
        With groups in the place of unknown parents, see `breedeval.pedigree.groups.with_groups`.
    n_records
        (n,) records of each animal, if they are to be counted.

    Returns
    -------
    DataFrame
        One row a group: ``group``, ``sires`` and ``dams`` (unknown parents that it stands for), ``progeny`` (their animals),
        ``first_year`` and ``last_year`` of their birth; with records ``records`` (of these animals themselves) and
        ``record_equivalents`` (Q'1: records of all descendants, each by the share of its animal's genes that came from the
        group). Equivalents of all groups sum to the number of records.

    Examples
    --------
    >>> import breedeval as be
    >>> from breedeval.pedigree.groups import group_by_rule, with_groups
    >>> pedigree = be.read_pedigree("pedigrees/mrode_table_2_1.csv")
    >>> grouped = with_groups(pedigree, group_by_rule(pedigree, ["sex"]))
    >>> group_sizes(grouped, np.ones(6)).drop(columns=["first_year", "last_year"]).to_numpy().tolist()
    [['sires', 2, 0, 2, 2, 2.5625], ['dams', 0, 3, 3, 3, 3.4375]]
    """
    n, g = pedigree.n_animals, pedigree.n_groups
    slots = [(np.flatnonzero(parent >= n).astype(np.int32), parent) for parent in (pedigree.sire, pedigree.dam)]
    n_sires, n_dams = (np.bincount(parent[rows] - n, minlength=g) for rows, parent in slots)
    progeny, group = progeny_of_groups(pedigree)
    first, last = _birth_years(pedigree.birth_year[progeny], group, g)
    columns: dict[str, object] = {
        "group": pedigree.groups.to_list(),
        "sires": n_sires,
        "dams": n_dams,
        "progeny": np.bincount(group, minlength=g),
        "first_year": first,
        "last_year": last,
    }
    if n_records is not None:
        own = np.asarray(n_records, dtype=np.float64)
        columns["records"] = np.bincount(group, weights=own[progeny], minlength=g).astype(np.int64)
        columns["record_equivalents"] = _traced(pedigree, own)
    return pd.DataFrame(columns)


def progeny_of_groups(pedigree: Pedigree) -> tuple[Int32, Int32]:
    """Animals with an unknown parent of a group, and that group; an animal with both in one group stands once."""
    n = pedigree.n_animals
    of_sire = np.flatnonzero(pedigree.sire >= n).astype(np.int32)
    of_dam = np.flatnonzero((pedigree.dam >= n) & (pedigree.dam != pedigree.sire)).astype(np.int32)
    groups = np.concatenate([pedigree.sire[of_sire], pedigree.dam[of_dam]]) - np.int32(n)
    return np.concatenate([of_sire, of_dam]), groups


def _birth_years(year: Int32, group: Int32, g: int) -> tuple[pd.Series[int], pd.Series[int]]:
    """First and last known birth year of each group."""
    known = year != YEAR_UNKNOWN
    found = pd.Series(year[known]).groupby(group[known]).agg(["min", "max"]).reindex(range(g)).astype("Int64")
    return found["min"], found["max"]


def _traced(pedigree: Pedigree, n_records: Float64) -> Float64:
    """(g,) records by the share of genes that came from each group: two passes over the parents, Q is not formed."""
    n, g = pedigree.n_animals, pedigree.n_groups
    weight = n_records.copy()
    kernels.pass_to_parents(pedigree.sire, pedigree.dam, weight)
    out = np.zeros(g)
    for parent in (pedigree.sire, pedigree.dam):
        rows: Int64 = np.flatnonzero(parent >= n)
        out += np.bincount(parent[rows] - n, weights=0.5 * weight[rows], minlength=g)
    return out
