"""Unknown-parent groups and metafounders of a run, as the configuration asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from breedeval.arrays import NONE, Float64, Int32, Int64, freeze
from breedeval.errors import PedigreeError, VarianceError, count_of, name_some
from breedeval.evaluation.config_sections import PedigreeSection
from breedeval.evaluation.config_values import NO_COLUMN
from breedeval.evaluation.groups_section import GammaSection, GroupsSection
from breedeval.io.groups_file import GroupRows, read_group_codes, read_group_columns
from breedeval.io.pedigree_columns import Choice
from breedeval.names import Names
from breedeval.pedigree.groups import ParentGroups, group_by_rule, refuse_ungrouped
from breedeval.pedigree.pedigree import Pedigree
from breedeval.pedigree.table import YEAR_UNKNOWN
from breedeval.relationship.inbreeding import Inbreeding, compute_inbreeding
from breedeval.relationship.metafounders import (
    check_gamma,
    compute_inbreeding_with_metafounders,
    drift_gamma,
    uniform_gamma,
)
from breedeval.relationship.unknown_parents import compute_inbreeding_of_unknown_parents
from breedeval.source import Source


@dataclass(frozen=True)
class CodedGroups:
    """Groups read from the file, and the texts in the columns of parents that are groups and no animals."""

    rows: GroupRows
    codes: tuple[str, ...]


def column_choices(section: PedigreeSection) -> dict[str, Choice]:
    """The columns of the pedigree file as its readers take them: False where there is none."""
    parts = ("animal", "sire", "dam", "birth_year", "birth_date", "sex")
    return {part: False if getattr(section, part) == NO_COLUMN else getattr(section, part) for part in parts}


def read_groups(file: Path, choices: Mapping[str, Choice], groups: GroupsSection, encoding: str) -> CodedGroups | None:
    """Read groups that a pedigree file holds, the columns of which are `choices`; None for groups by a rule."""
    if groups.codes is not None:
        codes = None if groups.codes == "negative" else groups.codes
        return CodedGroups(*read_group_codes(file, choices, codes, encoding=encoding))
    if groups.by is not None:
        return None
    sire, dam = (groups.sire_column or groups.column, groups.dam_column or groups.column)
    assert sire is not None
    assert dam is not None
    rows = read_group_columns(file, choices, sire, dam, missing=("NA",), encoding=encoding)
    return CodedGroups(rows, ())


def assign_groups(pedigree: Pedigree, groups: GroupsSection, coded: CodedGroups | None) -> ParentGroups:
    """The group of each unknown parent of a pedigree."""
    if coded is None:
        assert groups.by is not None
        return group_by_rule(pedigree, groups.by, groups.min_size)
    rows = coded.rows
    used = [names.take(np.unique(code[code != NONE])) for names, code in zip(rows.groups, (rows.sire, rows.dam), strict=True)]
    names = Names.of(dict.fromkeys(name for part in used for name in part))
    names = names.take(names.sort_order())
    animal = np.append(pedigree.ids.find(rows.animals), np.int32(NONE))[rows.animal]
    of_parent, contradictions = [], []
    for part, code, parent in zip(rows.groups, (rows.sire, rows.dam), (pedigree.sire, pedigree.dam), strict=True):
        group = np.append(names.find(part), np.int32(NONE))[code]
        of_parent.append(_of_animals(animal, group, parent))
        contradictions.append(_contradicting(animal, group, of_parent[-1]))
    _refuse_contradictions(pedigree, rows, animal, np.union1d(*contradictions))
    groups_of_parents = ParentGroups(names, *of_parent)
    refuse_ungrouped(pedigree, groups_of_parents, lambda bare: _where(rows.source, animal, bare))
    return _without_unused(groups_of_parents)


def _where(source: Source, animal: Int32, bare: Int64) -> str:
    """Where some rows of the pedigree stand in the file; parents that were added stand nowhere as animals."""
    of_animal = np.full(max(int(animal.max(initial=-1)), int(bare.max())) + 1, NONE, dtype=np.int64)
    rows = np.flatnonzero(animal != NONE)[::-1]
    of_animal[animal[rows]] = rows
    listed = of_animal[bare]
    if (listed == NONE).all():
        return f"({source.path}, without a row of their own)"
    return source.where(listed[listed != NONE])


def _of_animals(animal: Int32, group: Int32, parent: Int32) -> Int32:
    """Group of each animal's unknown parent: that of the animal's first row that names one; −1 where the parent is known."""
    out = np.full(len(parent), NONE, dtype=np.int32)
    rows = np.flatnonzero((animal != NONE) & (group != NONE))[::-1]
    out[animal[rows]] = group[rows]
    out[parent != NONE] = NONE
    return freeze(out)


def _contradicting(animal: Int32, group: Int32, of_animal: Int32) -> Int64:
    """(k,) rows that name another group than an earlier row of the same animal, for a parent that is unknown."""
    rows = np.flatnonzero((animal != NONE) & (group != NONE))
    chosen = of_animal[animal[rows]]
    differing: Int64 = rows[(chosen != NONE) & (chosen != group[rows])]
    return differing


def _refuse_contradictions(pedigree: Pedigree, rows: GroupRows, animal: Int32, wrong: Int64) -> None:
    if len(wrong):
        animals = np.unique(animal[wrong])
        verb, named = "has" if len(animals) == 1 else "have", name_some(pedigree.ids.take(animals[:1000]))
        raise PedigreeError(
            f"{count_of(len(animals), 'animal')} whose unknown parent {verb} one group in one row and another in a later one: "
            f"{named} {rows.source.where(wrong)}. Keep one of the rows, or one group.",
            lines=(),
        )


def _without_unused(groups: ParentGroups) -> ParentGroups:
    """A group that stands for no unknown parent has no equation."""
    kept = np.flatnonzero(groups.sizes() > 0)
    new = np.full(len(groups.names) + 1, NONE, dtype=np.int32)
    new[kept] = np.arange(len(kept), dtype=np.int32)
    return ParentGroups(groups.names.take(kept), freeze(new[groups.sire]), freeze(new[groups.dam]))


def build_gamma(gamma: GammaSection, pedigree: Pedigree) -> Float64:
    """Γ in the order of the groups of `pedigree`.

    Raises
    ------
    VarianceError
        If it is no relationship matrix, or its labels are not the groups.
    """
    n = pedigree.n_groups
    if gamma.within is not None:
        return check_gamma(uniform_gamma(n, gamma.within, gamma.between), n)
    if gamma.rate is not None:
        return check_gamma(drift_gamma(mean_years(pedigree), gamma.rate, gamma.start), n)
    labels, names = list(gamma.labels or ()), pedigree.groups.to_list()
    if sorted(labels) != sorted(names):
        raise VarianceError(
            f"gamma has labels {name_some(labels, 20)}, but the groups are {name_some(names, 20)}. Give each group one label."
        )
    order = [labels.index(name) for name in names]
    try:
        matrix = np.array(gamma.matrix, dtype=np.float64)[np.ix_(order, order)]
    except (ValueError, IndexError) as error:
        raise VarianceError(f"gamma: the matrix must have {n} rows and {n} columns, as it has labels.") from error
    return check_gamma(matrix, n)


def inbreeding_with_groups(pedigree: Pedigree, groups: GroupsSection) -> Inbreeding:
    """Inbreeding where unknown parents are metafounders, or as inbred as their time; else they are unrelated.

    Parameters
    ----------
    pedigree
        With these groups in the place of unknown parents.
    """
    if groups.gamma is not None:
        return compute_inbreeding_with_metafounders(pedigree, build_gamma(groups.gamma, pedigree))
    if groups.inbred:
        return compute_inbreeding_of_unknown_parents(pedigree, mean_years(pedigree)).inbreeding
    return compute_inbreeding(pedigree)


def mean_years(pedigree: Pedigree) -> Float64:
    """(g,) mean birth year of the progeny of each group; a group without any takes the earliest year."""
    total, count = _years_of_progeny(pedigree)
    known = pedigree.birth_year != YEAR_UNKNOWN
    earliest = float(pedigree.birth_year[known].min()) if known.any() else 0.0
    years: Float64 = np.divide(total, count, out=np.full(len(count), earliest), where=count > 0)
    return years


def describe_unknown_years(pedigree: Pedigree) -> list[str]:
    """A sentence on groups whose year is not known, and what `mean_years` makes of them."""
    without = np.flatnonzero(_years_of_progeny(pedigree)[1] == 0)
    if not len(without):
        return []
    named = name_some(pedigree.groups.take(without))
    return [f"{count_of(len(without), 'group')} without any birth year taken to be of the earliest: {named}"]


def _years_of_progeny(pedigree: Pedigree) -> tuple[Float64, Float64]:
    """(g,) sum of the known birth years of the progeny of each group, and how many are known."""
    n, g = pedigree.n_animals, pedigree.n_groups
    total, count = np.zeros(g), np.zeros(g)
    known = pedigree.birth_year != YEAR_UNKNOWN
    for parent in (pedigree.sire, pedigree.dam):
        rows = np.flatnonzero((parent >= n) & known)
        total += np.bincount(parent[rows] - n, weights=pedigree.birth_year[rows], minlength=g)
        count += np.bincount(parent[rows] - n, minlength=g)
    return total, count
