"""Part of a pedigree: some animals with their ancestors, their descendants, or both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from breedeval.arrays import NONE, Bool, Int32, Int64, freeze
from breedeval.errors import UnknownNameError, count_of, name_some
from breedeval.kernels import lineage as kernels
from breedeval.names import Names
from breedeval.pedigree.pedigree import Pedigree
from breedeval.pedigree.row_numbers import row_numbers

#: More generations than any pedigree has.
_ALL = 2**31 - 2


def extract_pedigree(
    pedigree: Pedigree, ids: str | Iterable[str], *, ancestors: bool | int = True, descendants: bool | int = False
) -> Pedigree:
    """Take some animals out of a pedigree, with their relatives.

    Parameters
    ----------
    pedigree
        Any pedigree.
    ids
        Names of the animals, or one name.
    ancestors
        True for all ancestors, False for none, or a number of generations: of these animals and of the descendants
        extracted with them. With True, inbreeding and relationships of all that is extracted stay what they were.
    descendants
        True for all descendants of these animals, False for none, or a number of generations.

    Returns
    -------
    Pedigree
        The animals in their old order. A parent that was not extracted is unknown; groups stay groups.

    Raises
    ------
    UnknownNameError
        If an animal is not in the pedigree; all that are not are named.

    Examples
    --------
    >>> import breedeval as be
    >>> pedigree = be.read_pedigree("pedigrees/mrode_table_2_1.csv")
    >>> extract_pedigree(pedigree, ["4"]).ids.to_list()
    ['1', '4']
    >>> extract_pedigree(pedigree, "4", ancestors=False, descendants=1).ids.to_list()
    ['4', '5']
    """
    chosen = rows_of(pedigree, [ids] if isinstance(ids, str) else ids)
    wanted = descendant_mask(pedigree, chosen, descendants)
    return take_animals(pedigree, np.flatnonzero(ancestor_mask(pedigree, np.flatnonzero(wanted), ancestors)))


def rows_of(pedigree: Pedigree, ids: Iterable[str]) -> Int32:
    """(k,) rows of the animals with these names.

    Raises
    ------
    UnknownNameError
        If an animal is not in the pedigree; all that are not are named.
    """
    names = Names.of(ids)
    rows = pedigree.ids.find(names)
    absent = np.flatnonzero(rows == NONE)
    if len(absent):
        listed = list(dict.fromkeys(names.take(absent).to_list()))
        if len(listed) == 1:
            pedigree.row_of(listed[0])  # its message has the nearest names
        raise UnknownNameError(
            f"{count_of(len(listed), 'animal')} of {len(names):,} not in {pedigree.source}: {name_some(listed)}. "
            "Write ids as they stand in the pedigree file.",
            name=listed[0],
            names=listed,
            nearest=[],
        )
    return rows


def ancestor_mask(pedigree: Pedigree, rows: ArrayLike, generations: bool | int = True) -> Bool:
    """(n,) true for the animals in `rows` and for their ancestors, up to a number of generations."""
    distance = _distance(pedigree, rows)
    kernels.mark_ancestors(pedigree.sire, pedigree.dam, _limit(generations), distance)
    return distance >= 0


def descendant_mask(pedigree: Pedigree, rows: ArrayLike, generations: bool | int = True) -> Bool:
    """(n,) true for the animals in `rows` and for their descendants, up to a number of generations."""
    distance = _distance(pedigree, rows)
    kernels.mark_descendants(pedigree.sire, pedigree.dam, _limit(generations), distance)
    return distance >= 0


def take_animals(pedigree: Pedigree, rows: ArrayLike) -> Pedigree:
    """Return the pedigree of the animals in `rows` (k,) ascending; other parents become unknown, groups stay groups."""
    chosen = row_numbers(rows, pedigree.n_animals)
    codes = _new_codes(pedigree, chosen)
    return replace(
        pedigree,
        ids=pedigree.ids.take(chosen),
        sire=freeze(codes[pedigree.sire[chosen]]),
        dam=freeze(codes[pedigree.dam[chosen]]),
        sex=freeze(pedigree.sex[chosen]),
        birth_year=freeze(pedigree.birth_year[chosen]),
    )


def _new_codes(pedigree: Pedigree, chosen: Int64) -> Int32:
    """(n + g + 1,) code of each old parent code in the new pedigree; the last is where −1 looks."""
    n, g, k = pedigree.n_animals, pedigree.n_groups, len(chosen)
    codes = np.full(n + g + 1, NONE, dtype=np.int32)
    codes[chosen] = np.arange(k, dtype=np.int32)
    codes[n : n + g] = np.arange(k, k + g, dtype=np.int32)
    return codes


def _distance(pedigree: Pedigree, rows: ArrayLike) -> Int32:
    distance = np.full(pedigree.n_animals, NONE, dtype=np.int32)
    distance[row_numbers(rows, pedigree.n_animals)] = 0
    return distance


def _limit(generations: bool | int) -> int:
    if generations is True:
        return _ALL
    if generations < 0:
        raise ValueError(f"generations is {generations}; a number from 0, True for all or False for none is expected")
    return int(generations)
