"""Leave out the animals that tell an evaluation nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from breedeval.arrays import NONE, Int32, freeze
from breedeval.kernels import lineage as kernels
from breedeval.pedigree.pedigree import Pedigree
from breedeval.pedigree.row_numbers import row_numbers
from breedeval.pedigree.subset import ancestor_mask, take_animals


def prune_pedigree(pedigree: Pedigree, keep_rows: ArrayLike) -> Pedigree:
    """Reduce a pedigree to what matters for some animals: those with records, and those whose values are wanted.

    Parameters
    ----------
    pedigree
        Any pedigree.
    keep_rows
        (k,) rows of the animals to keep; every animal with a record must be among them.

    Returns
    -------
    Pedigree
        The animals kept and those that connect them, in their old order.

    Notes
    -----
    Two rules, the second again and again:

    1. An animal that is neither kept nor an ancestor of one that is goes.
    2. A founder that is not kept and has a single progeny goes; the progeny's parent is then unknown. A founder whose two
       parents are the same group is replaced by that group. (Unknown parents of two kinds cannot be said in one code: such a
       founder stays, as does one whose single progeny is from selfing.)

    Relationships of the animals left, and so their EBVs and reliabilities, stay the same. Rule 1: the rows of A of those left
    name only parents that are left. Rule 2: a founder s gives its progeny ½u_s with variance ¼ and relates it to nobody else,
    which is what an unknown parent does: d = ½ − ¼F_dam grows by ¼ to ¾ − ¼F_dam. Time in proportion to the animals.

    Examples
    --------
    >>> import breedeval as be
    >>> pedigree = be.read_pedigree("pedigrees/mrode_table_2_1.csv")
    >>> prune_pedigree(pedigree, [pedigree.row_of("3"), pedigree.row_of("4")]).ids.to_list()
    ['1', '4', '3']
    """
    kept = row_numbers(keep_rows, pedigree.n_animals)
    needed = np.flatnonzero(ancestor_mask(pedigree, kept))
    wanted = np.zeros(pedigree.n_animals, dtype=np.bool_)
    wanted[kept] = True
    connected = take_animals(pedigree, needed)
    sire, dam = connected.sire.copy(), connected.dam.copy()
    dropped = np.zeros(len(needed), dtype=np.bool_)
    kernels.drop_founders_of_one(connected.n_progeny(), _last_progeny(connected), wanted[needed], sire, dam, dropped)
    changed = replace(connected, sire=freeze(sire), dam=freeze(dam))
    return take_animals(changed, np.flatnonzero(~dropped))


def _last_progeny(pedigree: Pedigree) -> Int32:
    """(n,) the last progeny of each animal; −1 without."""
    child = np.full(pedigree.n_animals, NONE, dtype=np.int32)
    for parent in (pedigree.sire, pedigree.dam):
        known = np.flatnonzero((parent != NONE) & (parent < pedigree.n_animals))
        child[parent[known]] = known
    return child
