"""Unknown-parent groups: which group stands for which unknown parent (Westell 1984; Quaas 1988, J. Dairy Sci. 71:1338).

A group is a parent code of n or more in the pedigree, so everything that walks over parents meets it as a parent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from breedeval.arrays import NONE, Int32, Int64, freeze
from breedeval.errors import EXAMPLES_SHOWN, PedigreeError, count_of, name_some
from breedeval.names import Names
from breedeval.pedigree.pedigree import Pedigree
from breedeval.pedigree.table import FEMALE, MALE, YEAR_UNKNOWN

#: By what unknown parents can be grouped: year of birth of the progeny, sex of the parent, path (sex of progeny and parent).
Criterion = Literal["birth_year", "sex", "path"]


@dataclass(frozen=True)
class ParentGroups:
    """The group of each unknown parent.

    Parameters
    ----------
    names
        (g,) names of the groups.
    sire, dam
        (n,) int32 group of the animal's unknown sire, unknown dam; −1 where the parent is known or no group stands for it.
    """

    names: Names
    sire: Int32
    dam: Int32

    def sizes(self) -> Int64:
        """(g,) unknown parents that each group stands for."""
        codes = np.concatenate([self.sire, self.dam])
        return np.bincount(codes[codes != NONE], minlength=len(self.names)).astype(np.int64)


def with_groups(pedigree: Pedigree, groups: ParentGroups) -> Pedigree:
    """Put groups in the place of unknown parents.

    Raises
    ------
    PedigreeError
        If an unknown parent has no group: then no model with groups is complete.

    Examples
    --------
    >>> import breedeval as be
    >>> pedigree = be.read_pedigree("pedigrees/mrode_table_2_1.csv")
    >>> grouped = with_groups(pedigree, group_by_rule(pedigree, ["sex"]))
    >>> grouped.groups.to_list(), grouped.parent_ids(grouped.row_of("1"))
    (['sires', 'dams'], ('sires', 'dams'))
    """
    refuse_ungrouped(pedigree, groups)
    n = np.int32(pedigree.n_animals)
    parents = (
        freeze(np.where(parent == NONE, n + group, parent).astype(np.int32))
        for parent, group in ((pedigree.sire, groups.sire), (pedigree.dam, groups.dam))
    )
    sire, dam = parents
    return replace(pedigree, sire=sire, dam=dam, groups=groups.names)


def group_by_rule(pedigree: Pedigree, by: Sequence[Criterion], min_size: int = 1) -> ParentGroups:
    """Group unknown parents by birth-year class, sex of the parent, or path.

    Parameters
    ----------
    pedigree
        Without groups.
    by
        Criteria. ``birth_year`` is that of the progeny; years follow each other in classes of at least `min_size` unknown
        parents, inside each sex or path. An unknown year makes a class of its own; too small, it joins the earliest.
        ``path`` tells sires of males, sires of females, dams of males, dams of females (and of progeny of unknown sex) apart.
    min_size
        Smallest number of unknown parents of a group. A sex or path with fewer in all stays one group.

    Returns
    -------
    ParentGroups
        Named after what they hold: ``sires 1990-1994``, ``dams of females year unknown``.
    """
    labels = _strata_labels(by)
    stratum = np.concatenate([_stratum(pedigree, by, parent) for parent in (0, 1)])
    unknown = np.concatenate([pedigree.sire == NONE, pedigree.dam == NONE])
    year = np.tile(pedigree.birth_year, 2)
    names: list[str] = []
    group = np.full(len(unknown), NONE, dtype=np.int32)
    for code, label in enumerate(labels):
        members = np.flatnonzero(unknown & (stratum == code))
        if not len(members):
            continue
        if "birth_year" not in by:
            group[members] = len(names)
            names.append(label)
            continue
        class_of, class_names = _year_classes(year[members], min_size)
        group[members] = len(names) + class_of
        names += [f"{label} {name}".strip() for name in class_names]
    n = pedigree.n_animals
    return ParentGroups(Names.of(names), freeze(group[:n]), freeze(group[n:]))


def _strata_labels(by: Sequence[Criterion]) -> list[str]:
    if "path" in by:
        return [f"{parent} of {progeny}" for parent in ("sires", "dams") for progeny in ("unsexed", "males", "females")]
    return ["sires", "dams"] if "sex" in by else ["unknown" if "birth_year" not in by else ""]


def _stratum(pedigree: Pedigree, by: Sequence[Criterion], parent: int) -> Int64:
    n = pedigree.n_animals
    if "path" in by:
        progeny = np.select([pedigree.sex == MALE, pedigree.sex == FEMALE], [1, 2], 0)
        return np.asarray(3 * parent + progeny, dtype=np.int64)
    return np.full(n, parent if "sex" in by else 0, dtype=np.int64)


def _year_classes(year: Int32, min_size: int) -> tuple[Int64, list[str]]:
    """Class of each member, and names of the classes: consecutive years, each class of at least `min_size`."""
    years, counts = np.unique(year, return_counts=True)  # an unknown year sorts first
    starts: list[int] = []
    size = min_size
    for k, count in enumerate(counts):
        # the class that is open is large enough: begin another, if what is left suffices for it
        if not starts or (size >= min_size and int(counts[k:].sum()) >= min_size):
            starts.append(k)
            size = 0
        size += int(count)
    class_of_year = np.cumsum(np.isin(np.arange(len(years)), starts)) - 1
    names = []
    for first, last in zip(starts, [*starts[1:], len(years)], strict=True):
        low, high = years[first], years[last - 1]
        if high == YEAR_UNKNOWN:
            names.append("year unknown")
        elif low == YEAR_UNKNOWN:
            names.append(f"to {high} or unknown")
        else:
            names.append(f"{low}-{high}" if high > low else f"{low}")
    return class_of_year[np.searchsorted(years, year)], names


def refuse_ungrouped(pedigree: Pedigree, groups: ParentGroups, where: Callable[[Int64], str] | None = None) -> None:
    """Raise `PedigreeError` if an unknown parent has no group; `where` says of rows (k,) of the pedigree where they stand."""
    bare = ((pedigree.sire == NONE) & (groups.sire == NONE)) | ((pedigree.dam == NONE) & (groups.dam == NONE))
    rows = np.flatnonzero(bare)
    if len(rows):
        raise PedigreeError(
            f"{count_of(len(rows), 'animal')} with an unknown parent and no group: "
            f"{name_some(pedigree.ids.take(rows[:EXAMPLES_SHOWN]), of=len(rows))} "
            f"{f'({pedigree.source})' if where is None else where(rows)}. Give every unknown parent a group: "
            "in the column or as a code, with a row for each parent, or by a rule.",
            lines=(),
        )


def describe_groups(groups: ParentGroups) -> list[str]:
    """Sentences with the size of each group."""
    return [f"{name}: {count_of(int(size), 'unknown parent')}" for name, size in zip(groups.names, groups.sizes(), strict=True)]
