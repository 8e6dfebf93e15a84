"""From a table to a pedigree: order, added parents, sexes, years, mending."""

from __future__ import annotations

from dataclasses import replace

import pytest

from breedeval.errors import PedigreeError
from breedeval.pedigree.build import build_pedigree
from breedeval.pedigree.table import FEMALE, MALE, SEX_UNKNOWN, YEAR_UNKNOWN, UnknownForm
from tests.factories import make_pedigree, make_table

FAMILY = [("x", "s", "d"), ("y", "s", "e"), ("d", None, "e"), ("s", None, None), ("z", "x", "y")]


def parents(built, animal):
    return built.pedigree.parent_ids(built.pedigree.row_of(animal))


def test_parents_first_by_level_then_dam_then_file():
    # Levels: s, e 0; d, y 1; x 2; z 3. In level 1 both have dam e: order of the file.
    assert make_pedigree(FAMILY).ids.to_list() == ["s", "e", "y", "d", "x", "z"]


def test_inside_a_level_progeny_follow_the_order_of_their_dams():
    rows = [(name, None, None) for name in "abc"] + [("x1", None, "c"), ("x2", None, "a"), ("x3", "b", None), ("x4", None, "c")]
    assert make_pedigree(rows).ids.to_list() == ["a", "b", "c", "x3", "x2", "x1", "x4"]


def test_parents_keep_their_progeny_whatever_the_order():
    pedigree = make_pedigree(FAMILY)
    found = {name: pedigree.parent_ids(row) for row, name in enumerate(pedigree.ids)}
    assert found == {**{row[0]: row[1:] for row in FAMILY}, "e": (None, None)}


def test_parents_without_a_row_are_added_and_counted():
    report = build_pedigree(make_table(FAMILY)).report
    assert (report.n_rows, report.n_animals, report.n_added, report.n_founders, report.n_levels) == (5, 6, 1, 2, 4)
    assert any("1 parent without a row of their own added" in line for line in report.lines())


def test_sex_from_the_column_else_from_use():
    table = make_table([("x", "s", "d"), ("y", "p", "p"), ("s", None, None)], sex=["F", None, None])
    pedigree = build_pedigree(table).pedigree
    found = {name: pedigree.sex[row] for row, name in enumerate(pedigree.ids)}
    assert found == {"x": FEMALE, "s": MALE, "d": FEMALE, "p": SEX_UNKNOWN, "y": SEX_UNKNOWN}


def test_birth_year_from_the_first_row_that_knows_it():
    rows = [("x", "s", None), ("x", "s", None), ("s", None, None)]
    pedigree = build_pedigree(make_table(rows, birth_year=[None, 2015, None])).pedigree
    assert pedigree.birth_year[pedigree.row_of("x")] == 2015
    assert pedigree.birth_year[pedigree.row_of("s")] == YEAR_UNKNOWN


def test_birth_year_from_a_date():
    pedigree = build_pedigree(make_table([("x", None, None), ("y", None, None)], birth_day=[364, -1])).pedigree
    assert [pedigree.birth_year[pedigree.row_of(name)] for name in "xy"] == [1970, 1969]


def test_repeated_rows_are_harmless_and_counted():
    built = build_pedigree(make_table([("x", "s", "d"), ("x", "s", "d")]))
    assert built.pedigree.n_animals == 3
    assert built.report.n_repeated_rows == 1


def test_hermaphrodites_and_selfing_are_built():
    built = build_pedigree(make_table([("x", "p", "p"), ("y", "x", "p"), ("z", "y", "x")]))
    assert parents(built, "x") == ("p", "p")
    assert [problem.animals for problem in built.report.warnings] == [("x",), ("p",)]


def test_arrays_are_read_only():
    pedigree = make_pedigree(FAMILY)
    for array in (pedigree.sire, pedigree.dam, pedigree.sex, pedigree.birth_year):
        assert not array.flags.writeable


def test_an_empty_table():
    assert build_pedigree(make_table([])).pedigree.n_animals == 0


# --- mending -----------------------------------------------------------------------------------------------------------------


def test_unknown_kind_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match=r"'loops' cannot be mended.*Did you mean 'loop'"):
        build_pedigree(make_table(FAMILY), mend=["loops"])


def test_only_what_is_named_is_mended():
    table = make_table([("a", "a", None), ("b", "c", None), ("c", "b", None)])
    with pytest.raises(PedigreeError) as caught:
        build_pedigree(table, mend=["own_parent"])
    assert "own sire" not in str(caught.value)
    assert "'b' → 'c' → 'b'" in str(caught.value)


def test_mend_own_parent():
    built = build_pedigree(make_table([("a", "a", "d")]), mend=["own_parent"])
    assert parents(built, "a") == (None, "d")
    (link,) = built.report.mended
    assert (link.animal, link.parent, link.old_parent, link.new_parent, link.reason) == (
        "a",
        "sire",
        "a",
        None,
        "its own parent",
    )


def test_mend_loop_cuts_the_animal_that_stands_first():
    built = build_pedigree(make_table([("c", "a", "d"), ("a", "b", None), ("b", "c", None)]), mend=["loop"])
    assert parents(built, "c") == (None, "d")
    assert parents(built, "a") == ("b", None)
    assert parents(built, "b") == ("c", None)
    assert len(built.report.mended) == 1


def test_mend_loop_cuts_where_the_parent_is_born_later():
    rows = [("c", "a", None), ("a", "b", None), ("b", "c", None)]
    built = build_pedigree(make_table(rows, birth_year=[2010, 2008, 2005]), mend=["loop"])
    assert parents(built, "b") == (None, None)
    assert parents(built, "c") == ("a", None)
    assert "born after" in built.report.mended[0].reason


def test_mend_loops_that_share_links_with_as_few_cuts_as_needed():
    # Both loops run over a → b.
    rows = [("a", "b", None), ("b", "a", "c"), ("c", "a", None)]
    built = build_pedigree(make_table(rows), mend=["loop"])
    assert [link.animal for link in built.report.mended] == ["a"]


def test_mend_loop_on_an_animal_with_repeated_rows():
    built = build_pedigree(make_table([("a", "b", None), ("a", "b", None), ("b", "a", None)]), mend=["loop"])
    assert parents(built, "a") == (None, None)
    assert [link.row for link in built.report.mended] == [0, 1]


def test_mend_duplicate_keeps_what_agrees_and_fills_what_is_unknown():
    rows = [("x", "s", None), ("x", "t", "d"), ("y", "s", "d"), ("y", None, "d")]
    built = build_pedigree(make_table(rows), mend=["duplicate"])
    assert parents(built, "x") == (None, "d")
    assert parents(built, "y") == ("s", "d")
    assert {(link.animal, link.parent, link.old_parent, link.new_parent) for link in built.report.mended} == {
        ("x", "sire", "s", None),
        ("x", "sire", "t", None),
        ("x", "dam", None, "d"),
        ("y", "sire", None, "s"),
    }


def test_mend_suspicious_code_and_do_not_make_it_an_animal():
    table = make_table([("x", "00", "d")], suspicious=[UnknownForm("00", "sire", 1, 0)])
    built = build_pedigree(table, mend=["suspicious_code"])
    assert parents(built, "x") == (None, "d")
    assert sorted(built.pedigree.ids) == ["d", "x"]


def test_mend_sex_conflict():
    table = make_table([("s", None, None), ("x", "s", None), ("y", None, "s")], sex=["M", None, None])
    built = build_pedigree(table, mend=["sex_conflict"])
    assert parents(built, "x") == ("s", None)
    assert parents(built, "y") == (None, None)
    assert built.report.warnings == ()


def test_mend_both_sexes_keeps_the_more_frequent_use():
    table = make_table([("x", "p", None), ("y", None, "p"), ("z", None, "p")])
    built = build_pedigree(table, mend=["both_sexes"])
    assert [parents(built, name) for name in "xyz"] == [(None, None), (None, "p"), (None, "p")]


def test_mend_birth_order():
    table = make_table([("s", None, None), ("x", "s", None), ("y", "s", None)], birth_year=[2010, 2009, 2011])
    built = build_pedigree(table, mend=["birth_order"])
    assert parents(built, "x") == (None, None)
    assert parents(built, "y") == ("s", None)


def test_mend_birth_year_before_a_parent_is_taken_away_for_it():
    rows = [("s", None, None), ("x", "s", None), ("y", "s", None)]
    table = make_table(rows, birth_year=[20005, 2009, 2011], birth_day=[None, 14_244, None])
    built = build_pedigree(table, mend="all")
    assert parents(built, "x") == parents(built, "y") == ("s", None)
    years = dict(zip(built.pedigree.ids, built.pedigree.birth_year.tolist(), strict=True))
    assert years == {"s": YEAR_UNKNOWN, "x": 2009, "y": 2011}
    assert "birth_year of 's' '20005' → unknown" in "\n".join(built.report.lines())
    assert built.report.warnings == ()
    assert table.birth_year.tolist() == [20005, 2009, 2011]


def test_mend_birth_date_with_the_year():
    table = replace(
        make_table([("x", None, None), ("y", None, None)], birth_year=[2031, 2009], birth_day=[22_300, None]), read_on=20_000
    )
    built = build_pedigree(table, mend=["birth_year"])
    assert built.pedigree.birth_year.tolist() == [YEAR_UNKNOWN, 2009]
    assert [(link.parent, link.old_parent, link.new_parent) for link in built.report.mended] == [
        ("birth_year", "2031-01-21", None)
    ]


def test_mend_all_builds_a_file_full_of_errors_and_says_what_was_done():
    rows = [("a", "a", None), ("b", "c", None), ("c", "b", None), ("x", "s", None), ("x", "t", None), ("y", "00", None)]
    table = make_table(rows, suspicious=[UnknownForm("00", "sire", 1, 5)])
    built = build_pedigree(table, mend="all")
    assert {link.animal for link in built.report.mended} == {"a", "b", "x", "y"}
    assert sum(line.startswith("Mended") for line in built.report.lines()) == 4
    assert "sire of 'a' 'a' → unknown" in "\n".join(built.report.lines())
