"""A pedigree as a table for people and files."""

from __future__ import annotations

import numpy as np
import pandas as pd

from breedeval.arrays import Int32
from breedeval.names import Names
from breedeval.pedigree.pedigree import Pedigree
from breedeval.pedigree.table import YEAR_UNKNOWN

_SEX_LETTERS = ("", "M", "F")


def pedigree_to_frame(pedigree: Pedigree) -> pd.DataFrame:
    """Write a pedigree as a table, parents before progeny.

    Returns
    -------
    DataFrame
        ``animal``, ``sire``, ``dam`` (missing where unknown; the name of the group where there is one), and where anything is
        known of them ``sex`` (M, F, missing) and ``birth_year``.

    Examples
    --------
    >>> import breedeval as be
    >>> frame = pedigree_to_frame(be.read_pedigree("pedigrees/mrode_table_2_1.csv"))
    >>> frame.loc[2].tolist()[:3]
    ['4', '1', None]
    """
    columns: dict[str, object] = {
        "animal": pedigree.ids.to_list(),
        "sire": _parents(pedigree, pedigree.sire),
        "dam": _parents(pedigree, pedigree.dam),
    }
    if pedigree.sex.any():
        columns["sex"] = pd.Series(np.array(_SEX_LETTERS, dtype=object)[pedigree.sex], dtype=object).replace("", None)
    known = pedigree.birth_year != YEAR_UNKNOWN
    if known.any():
        columns["birth_year"] = pd.Series(pedigree.birth_year, dtype="Int64").where(known)
    return pd.DataFrame(columns)


def _parents(pedigree: Pedigree, codes: Int32) -> pd.Series[str]:
    texts = _joined(pedigree.ids, pedigree.groups)
    names: list[str | None] = [*texts, None]  # −1 looks at the last
    return pd.Series([names[code] for code in codes.tolist()], dtype=object)


def _joined(first: Names, second: Names) -> list[str]:
    return first.to_list() + second.to_list()
