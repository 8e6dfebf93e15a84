"""Groups of unknown parents: the rule, its classes, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from breedeval.errors import PedigreeError
from breedeval.names import Names
from breedeval.pedigree.build import build_pedigree
from breedeval.pedigree.groups import ParentGroups, describe_groups, group_by_rule, with_groups
from breedeval.pedigree.pedigree import Pedigree
from tests.factories import make_pedigree, make_table


def herd(years: list[int | None], sexes: list[str | None]) -> Pedigree:
    rows = [(f"a{k}", None, None) for k in range(len(years))]
    return build_pedigree(make_table(rows, birth_year=years, sex=sexes)).pedigree


def group_names(pedigree: Pedigree, animal: str) -> tuple[str | None, str | None]:
    return pedigree.parent_ids(pedigree.row_of(animal))


def test_classes_of_years_are_consecutive_and_large_enough() -> None:
    years = [1990] * 3 + [1991] * 1 + [1992] * 4 + [1993] * 1
    pedigree = herd(years, [None] * len(years))
    groups = group_by_rule(pedigree, ["birth_year", "sex"], min_size=3)
    assert groups.names.to_list() == ["sires 1990", "sires 1991-1993", "dams 1990", "dams 1991-1993"]
    assert groups.sizes().tolist() == [3, 6, 3, 6]


def test_a_stratum_with_too_few_unknown_parents_stays_one_group() -> None:
    pedigree = herd([1990, 1995], [None, None])
    assert group_by_rule(pedigree, ["birth_year"], min_size=50).names.to_list() == ["1990-1995"]


def test_unknown_years_join_the_earliest_class_only_if_too_few() -> None:
    few = herd([None, 1990, 1990, 1991, 1991], [None] * 5)
    assert group_by_rule(few, ["birth_year"], min_size=4).names.to_list() == ["to 1990 or unknown", "1991"]
    many = herd([None, None, 1990, 1990], [None] * 4)
    assert group_by_rule(many, ["birth_year"], min_size=4).names.to_list() == ["year unknown", "1990"]


def test_paths_tell_parents_of_males_and_females_apart() -> None:
    pedigree = herd([2000, 2000, 2000], ["M", "F", None])
    grouped = with_groups(pedigree, group_by_rule(pedigree, ["path"]))
    assert group_names(grouped, "a0") == ("sires of males", "dams of males")
    assert group_names(grouped, "a1") == ("sires of females", "dams of females")
    assert group_names(grouped, "a2") == ("sires of unsexed", "dams of unsexed")


def test_known_parents_keep_their_place() -> None:
    pedigree = make_pedigree([("c", "a", None), ("a", None, None)])
    grouped = with_groups(pedigree, group_by_rule(pedigree, ["sex"]))
    assert group_names(grouped, "c") == ("a", "dams")
    assert describe_groups(group_by_rule(pedigree, ["sex"])) == ["sires: 1 unknown parent", "dams: 2 unknown parents"]


def test_an_unknown_parent_without_group_is_refused_by_name() -> None:
    pedigree = make_pedigree([("c", "a", None), ("a", None, None)])
    none = np.full(2, -1, dtype=np.int32)
    with pytest.raises(PedigreeError, match=r"2 animals with an unknown parent and no group: 'a', 'c'"):
        with_groups(pedigree, ParentGroups(Names.of(["g"]), none, none))


def test_of_many_without_group_five_are_named_and_all_counted() -> None:
    pedigree = make_pedigree([(f"a{k}", None, None) for k in range(2000)])
    none = np.full(2000, -1, dtype=np.int32)
    with pytest.raises(PedigreeError, match=r"2,000 animals .*'a4' and 1,995 more \(herd\.csv\)"):
        with_groups(pedigree, ParentGroups(Names.of(["g"]), none, none))
