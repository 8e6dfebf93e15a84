"""A pedigree in numbers."""

from __future__ import annotations

from breedeval.pedigree.build import build_pedigree
from breedeval.pedigree.describe import describe_pedigree
from breedeval.relationship.inbreeding import compute_inbreeding
from tests.factories import make_pedigree, make_table, with_groups

ROWS = [("a", None, None), ("b", None, None), ("c", "a", "b"), ("d", "a", "b"), ("e", "c", "d"), ("f", None, "d")]


def test_counts():
    found = describe_pedigree(make_pedigree(ROWS))
    assert (found.n_animals, found.n_founders, found.n_one_parent, found.n_both_parents) == (6, 2, 1, 3)
    assert (found.n_sires, found.n_dams, found.n_both_roles, found.n_without_progeny) == (2, 2, 0, 2)
    assert (found.n_males, found.n_females, found.n_sex_unknown) == (2, 2, 2)
    assert found.max_level == 2
    assert (found.mean_progeny_per_sire, found.max_progeny_per_sire) == (1.5, 2)
    assert (found.mean_progeny_per_dam, found.max_progeny_per_dam) == (2.0, 2)
    assert (found.n_full_sib_families, found.mean_full_sib_family, found.max_full_sib_family) == (2, 1.5, 2)
    assert found.first_birth_year is None
    assert found.n_inbred is None


def test_inbreeding_and_birth_years():
    pedigree = build_pedigree(make_table(ROWS, birth_year=[2001, None, 2003, 2004, 2007, 2006])).pedigree
    found = describe_pedigree(pedigree, compute_inbreeding(pedigree))
    assert (found.first_birth_year, found.last_birth_year, found.n_birth_year_known) == (2001, 2007, 5)
    assert (found.n_inbred, found.mean_inbreeding, found.max_inbreeding) == (1, 0.25 / 6, 0.25)


def test_groups_are_no_parents():
    pedigree = with_groups(make_pedigree([("a", None, None), ("b", "a", None)]), [2, 0], [2, 2], ["g"])
    found = describe_pedigree(pedigree)
    assert (found.n_founders, found.n_one_parent, found.n_dams, found.max_level) == (1, 1, 0, 1)


def test_frame_has_a_row_for_each_known_quantity():
    frame = describe_pedigree(make_pedigree(ROWS)).to_frame()
    assert list(frame.columns) == ["quantity", "value"]
    values = dict(zip(frame["quantity"], frame["value"], strict=True))
    assert values["animals"] == 6
    assert "first birth year" not in values


def test_an_empty_pedigree():
    pedigree = make_pedigree([])
    assert describe_pedigree(pedigree, compute_inbreeding(pedigree)).max_inbreeding == 0.0
