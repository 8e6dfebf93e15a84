"""Sizes of families: progeny of a sire, of a dam, of a pair."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from breedeval.arrays import NONE, Bool, Int32, Int64
from breedeval.pedigree.pedigree import Pedigree

Kind = Literal["sire", "dam", "full_sibs"]
KINDS: tuple[Kind, ...] = ("sire", "dam", "full_sibs")

#: Largest size of each class of a distribution; the last class has no upper end.
_CLASS_ENDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)


def family_sizes(pedigree: Pedigree, kind: Kind) -> Int64:
    """(families,) progeny of each sire, of each dam, or of each pair of known parents that has any.

    Examples
    --------
    >>> import breedeval as be
    >>> pedigree = be.read_pedigree("pedigrees/mrode_table_2_1.csv")
    >>> family_sizes(pedigree, "sire").tolist(), family_sizes(pedigree, "full_sibs").tolist()
    ([2, 1, 1], [1, 1, 1])
    """
    n = pedigree.n_animals
    has_sire, has_dam = _is_animal(pedigree.sire, n), _is_animal(pedigree.dam, n)
    if kind == "full_sibs":
        both = has_sire & has_dam
        return _runs(np.sort(pedigree.sire[both].astype(np.int64) * n + pedigree.dam[both]))
    if kind not in KINDS:
        raise ValueError(f"'{kind}' is no kind of family; choose {', '.join(KINDS)}")
    parent, known = (pedigree.sire, has_sire) if kind == "sire" else (pedigree.dam, has_dam)
    counts = np.bincount(parent[known])
    return counts[counts > 0].astype(np.int64)


def describe_families(pedigree: Pedigree) -> pd.DataFrame:
    """Sizes of families in numbers.

    Returns
    -------
    DataFrame
        One row a kind: ``family``, number of ``families`` and of their ``progeny``, ``mean``, ``sd``, ``median`` and
        ``largest`` size, and ``effective``: Σ²/Σ of squares, the number of equal families with the same chance that two
        progeny, drawn with replacement, are of one.
    """
    rows: list[tuple[object, ...]] = []
    for kind in KINDS:
        sizes = family_sizes(pedigree, kind)
        if not len(sizes):
            rows.append((kind, 0, 0, np.nan, np.nan, np.nan, pd.NA, np.nan))
            continue
        progeny = int(sizes.sum())
        effective = progeny**2 / float((sizes.astype(np.float64) ** 2).sum())
        sd = float(sizes.std(ddof=1)) if len(sizes) > 1 else np.nan
        rows.append((kind, len(sizes), progeny, sizes.mean(), sd, np.median(sizes), int(sizes.max()), effective))
    columns = ["family", "families", "progeny", "mean", "sd", "median", "largest", "effective"]
    return pd.DataFrame(rows, columns=columns).astype({"largest": "Int64", "mean": "float64", "median": "float64"})


def size_distribution(sizes: Int64) -> pd.DataFrame:
    """Count families by class of size.

    Returns
    -------
    DataFrame
        One row a class that occurs: ``size`` (such as ``3–5``), ``families``, ``progeny``, ``share`` of all progeny.

    Examples
    --------
    >>> size_distribution(np.array([1, 4, 3]))["size"].tolist()
    ['1', '3–5']
    """
    label = np.searchsorted(_CLASS_ENDS, sizes)
    families = np.bincount(label, minlength=len(_CLASS_ENDS) + 1)
    progeny = np.bincount(label, weights=sizes, minlength=len(_CLASS_ENDS) + 1).astype(np.int64)
    starts = (1, *(end + 1 for end in _CLASS_ENDS))
    names = [_class_name(start, end) for start, end in zip(starts, (*_CLASS_ENDS, None), strict=True)]
    occurs = np.flatnonzero(families)
    return pd.DataFrame(
        {
            "size": [names[k] for k in occurs],
            "families": families[occurs],
            "progeny": progeny[occurs],
            "share": progeny[occurs] / max(1, progeny.sum()),
        }
    )


def largest_families(pedigree: Pedigree, kind: Literal["sire", "dam"], top: int = 20) -> pd.DataFrame:
    """Name the parents with the most progeny: ``parent``, ``progeny``, ``share`` of all with a known parent of the kind."""
    parent = pedigree.sire if kind == "sire" else pedigree.dam
    counts = np.bincount(parent[_is_animal(parent, pedigree.n_animals)], minlength=pedigree.n_animals)
    rows = np.argsort(-counts, kind="stable")[:top]
    rows = rows[counts[rows] > 0]
    names = pedigree.ids.take(rows).to_list()
    return pd.DataFrame({"parent": names, "progeny": counts[rows], "share": counts[rows] / max(1, counts.sum())})


def _is_animal(parent: Int32, n: int) -> Bool:
    is_animal: Bool = (parent != NONE) & (parent < n)
    return is_animal


def _runs(ordered: Int64) -> Int64:
    """Lengths of the runs of equal values."""
    if not len(ordered):
        return np.empty(0, dtype=np.int64)
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    return np.diff(np.append(starts, len(ordered))).astype(np.int64)


def _class_name(start: int, end: int | None) -> str:
    if end is None:
        return f"{start:,} and more"
    return f"{start:,}" if start == end else f"{start:,}–{end:,}"
