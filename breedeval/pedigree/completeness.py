"""How much of the ancestry is known: generations, paths, and indices of completeness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from breedeval.arrays import NONE, Bool, Float64, Int32, freeze
from breedeval.kernels import completeness as kernels
from breedeval.kernels import order as order_kernels
from breedeval.pedigree.birth_classes import BirthClasses
from breedeval.pedigree.pedigree import Pedigree
from breedeval.pedigree.row_numbers import row_numbers

#: Ancestors by path: first the parent, then the parent's parent.
PATHS = ("sire", "dam", "sire of sire", "dam of sire", "sire of dam", "dam of dam")


@dataclass(frozen=True, eq=False)
class Completeness:
    """Generations of known ancestors of each animal.

    Parameters
    ----------
    equivalent
        (n,) equivalent complete generations: the sum of (½)^g over all known ancestors, g generations away.
    complete
        (n,) int32 generations in which every ancestor is known.
    longest
        (n,) int32 generations to the furthest known ancestor.
    """

    equivalent: Float64
    complete: Int32
    longest: Int32


def compute_completeness(pedigree: Pedigree) -> Completeness:
    """Count the generations of known ancestors of each animal.

    Unknown-parent groups count as unknown. Equivalent complete generations as Maignel, Boichard & Verrier (1996, Interbull
    Bulletin 14:49). Time in proportion to the animals; 16 bytes an animal.

    Examples
    --------
    >>> import breedeval as be
    >>> pedigree = be.read_pedigree("pedigrees/mrode_table_2_1.csv")
    >>> found, row = compute_completeness(pedigree), pedigree.row_of("6")
    >>> float(found.equivalent[row]), int(found.complete[row]), int(found.longest[row])
    (1.875, 1, 3)
    """
    n = pedigree.n_animals
    equivalent, complete, longest = np.empty(n), np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32)
    kernels.equivalent_generations(pedigree.sire, pedigree.dam, equivalent)
    kernels.complete_generations(pedigree.sire, pedigree.dam, complete)
    order_kernels.ancestral_levels(pedigree.sire, pedigree.dam, longest)
    return Completeness(freeze(equivalent), freeze(complete), freeze(longest))


def index_of_completeness(pedigree: Pedigree, depth: int = 5) -> Float64:
    """(n,) index of pedigree completeness of each animal over a number of generations, from 0 to 1.

    2ab/(a + b), where a is the mean, over the generations 1 to `depth`, of the share of known ancestors on the sire's side
    (the sire himself is generation 1), and b the same on the dam's side. 0 where a parent is unknown, since then no inbreeding
    could be seen. MacCluer and others (1983, J. Hered. 74:394).

    Examples
    --------
    >>> import breedeval as be
    >>> pedigree = be.read_pedigree("pedigrees/mrode_table_2_1.csv")
    >>> index_of_completeness(pedigree, depth=2)[[pedigree.row_of("5"), pedigree.row_of("6")]].tolist()
    [0.8571428571428571, 0.6666666666666666]
    """
    mean_known = _summed_shares(pedigree, depth) / depth
    index = np.empty(pedigree.n_animals)
    kernels.harmonic_mean_of_parents(pedigree.sire, pedigree.dam, mean_known, index)
    return freeze(index)


def completeness_by_depth(pedigree: Pedigree, rows: ArrayLike | None = None, *, depth: int = 5) -> pd.DataFrame:
    """Tell how completeness falls with the depth of the pedigree.

    Parameters
    ----------
    pedigree
        Any pedigree.
    rows
        The animals concerned; all by default.
    depth
        Number of generations.

    Returns
    -------
    DataFrame
        One row a generation: ``generation``, ``known`` (mean share of the ancestors in this generation that are known), and
        ``index`` (mean of :func:`index_of_completeness` to this depth).
    """
    _require_positive(depth)
    chosen = slice(None) if rows is None else row_numbers(rows, pedigree.n_animals)
    share, summed = np.ones(pedigree.n_animals), np.zeros(pedigree.n_animals)
    found, index = [], np.empty(pedigree.n_animals)
    for generation in range(1, depth + 1):
        summed += share
        kernels.harmonic_mean_of_parents(pedigree.sire, pedigree.dam, summed / generation, index)
        share = _shares_one_further(pedigree, share)
        found.append((generation, _mean(share[chosen]), _mean(index[chosen])))
    return pd.DataFrame(found, columns=["generation", "known", "index"])


def completeness_by_path(pedigree: Pedigree, rows: ArrayLike | None = None) -> pd.DataFrame:
    """Count known parents and grandparents.

    Returns
    -------
    DataFrame
        One row a path: ``ancestor`` (one of `PATHS`), ``n`` animals whose ancestor on it is known, and ``known``, their share.
    """
    chosen = slice(None) if rows is None else row_numbers(rows, pedigree.n_animals)
    counts = [(path, known[chosen]) for path, known in _known_by_path(pedigree).items()]
    return pd.DataFrame([(path, int(known.sum()), _mean(known)) for path, known in counts], columns=["ancestor", "n", "known"])


def completeness_by_birth_year(pedigree: Pedigree, *, width: int = 1) -> pd.DataFrame:
    """Tell how completeness changes with birth years.

    Returns
    -------
    DataFrame
        One row a class of `width` birth years (the animals of unknown birth year last): ``birth_year`` (its first), ``n``,
        means of ``equivalent``, ``complete`` and ``longest`` generations, and the share of known ancestors on each of `PATHS`.
    """
    classes, found = BirthClasses.of(pedigree, width), compute_completeness(pedigree)
    frame = pd.DataFrame({"birth_year": classes.years(), "n": classes.count()})
    for name in ("equivalent", "complete", "longest"):
        frame[name] = classes.mean(getattr(found, name))
    for path, known in _known_by_path(pedigree).items():
        frame[path] = classes.mean(known)
    return frame


def _known_by_path(pedigree: Pedigree) -> dict[str, Bool]:
    """(n,) for each path whether the animal has a known ancestor on it."""
    n = pedigree.n_animals
    has = [(parent != NONE) & (parent < n) for parent in (pedigree.sire, pedigree.dam)]
    known = dict(zip(PATHS, has, strict=False))
    for side, parent, is_known in zip(("sire", "dam"), (pedigree.sire, pedigree.dam), has, strict=True):
        for role, has_role in zip(("sire", "dam"), has, strict=True):
            known[f"{role} of {side}"] = is_known & has_role[np.where(is_known, parent, 0)] if n else is_known
    return {path: known[path] for path in PATHS}


def _summed_shares(pedigree: Pedigree, depth: int) -> Float64:
    """(n,) sum, over the generations 0 to depth − 1, of the share of known ancestors; generation 0 is the animal itself."""
    _require_positive(depth)
    share, summed = np.ones(pedigree.n_animals), np.ones(pedigree.n_animals)
    for _ in range(depth - 1):
        share = _shares_one_further(pedigree, share)
        summed += share
    return summed


def _shares_one_further(pedigree: Pedigree, share: Float64) -> Float64:
    further = np.empty_like(share)
    kernels.mean_over_parents(pedigree.sire, pedigree.dam, share, further)
    return further


def _mean(values: Float64 | Bool) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _require_positive(depth: int) -> None:
    if depth < 1:
        raise ValueError(f"depth is {depth} generations; at least 1 is expected")
