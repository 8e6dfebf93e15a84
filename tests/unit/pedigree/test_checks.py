"""Each kind of problem: found, named, placed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest

from breedeval.errors import PedigreeError, TableError
from breedeval.io.pedigree_file import read_pedigree_table
from breedeval.pedigree.build import build_pedigree
from breedeval.pedigree.checks import find_problems
from breedeval.pedigree.loops import find_loops
from breedeval.pedigree.problems import ProblemKind, summarize
from breedeval.pedigree.table import UnknownForm
from tests.factories import make_table


def only(table):
    (problem,) = find_problems(table)
    return problem


def test_nothing_wrong():
    assert find_problems(make_table([("x", "s", "d"), ("s", None, None)])) == ()


def test_own_parent():
    problem = only(make_table([("s", None, None), ("x", "s", "x")]))
    assert (problem.kind, problem.rows, problem.animals) == (ProblemKind.OWN_PARENT, (1,), ("x",))
    assert "'x' is its own dam (herd.csv, line 3)" in problem.message


def test_loop_with_its_full_path():
    rows = [("a", "b", None), ("b", None, "c"), ("c", "a", None), ("young", "a", None), ("old", None, None), ("b", None, "c")]
    problem = next(p for p in find_problems(make_table(rows)) if p.kind is ProblemKind.LOOP)
    assert problem.animals == ("a", "b", "c")
    assert "'a' → 'b' → 'c' → 'a'" in problem.message
    assert "lines 2, 3 and 4" in problem.message


def test_every_loop_is_named_once():
    rows = [("a", "b", None), ("b", "a", None), ("c", None, "d"), ("d", None, "c"), ("x", "a", "c")]
    loops = [p.animals for p in find_problems(make_table(rows)) if p.kind is ProblemKind.LOOP]
    assert loops == [("a", "b"), ("c", "d")]


def test_a_long_loop_is_named_to_the_end():
    names = [f"x{i}" for i in range(12)]
    rows = [(name, names[(i + 1) % 12], None) for i, name in enumerate(names)]
    problem = only(make_table(rows))
    assert problem.animals == tuple(names)
    assert problem.message.count("→") == 12


def test_loops_that_share_animals_are_covered_by_short_ones():
    # 0 → 1 → 0 and 0 → 2 → 3 → 0, with 4 below and 5 above.
    child = np.array([0, 1, 0, 2, 3, 4, 3], dtype=np.int32)
    parent = np.array([1, 0, 2, 3, 0, 0, 5], dtype=np.int32)
    assert [loop.tolist() for loop in find_loops(6, child, parent)] == [[0, 1], [2, 3, 0]]


def test_duplicate_with_different_parents():
    rows = [("s", None, None), ("x", "s", "d"), ("x", "s", None), ("x", "s", "d")]
    problem = only(make_table([*rows[:3]]))
    assert (problem.kind, problem.rows, problem.animals) == (ProblemKind.DUPLICATE, (1, 2), ("x",))
    assert "'s' × 'd' or 's' × unknown (herd.csv, lines 3 and 4)" in problem.message


def test_repeated_rows_are_counted_in_one_harmless_problem():
    problem = only(make_table([("x", "s", "d"), ("y", None, None), ("x", "s", "d"), ("y", None, None), ("x", "s", "d")]))
    assert (problem.kind, problem.rows, problem.count) == (ProblemKind.REPEATED_ROW, (2, 3, 4), 3)
    assert not problem.kind.fatal


def test_suspicious_codes_and_negative_numbers():
    forms = [UnknownForm("00", "sire", 2, 0), UnknownForm("-5", "dam", 1, 1)]
    table = make_table([("x", "00", None), ("y", "00", "-5")], suspicious=forms)
    zero, negative = find_problems(table)
    assert zero.kind is ProblemKind.SUSPICIOUS_CODE
    assert "'00' stands 2 times in column 'sire'" in zero.message
    assert "Add it to the unknown codes" in zero.message
    assert "unknown-parent group" in negative.message


def test_both_sexes():
    problem = only(make_table([("x", "p", None), ("y", None, "p")]))
    assert (problem.kind, problem.rows, problem.animals) == (ProblemKind.BOTH_SEXES, (0, 1), ("p",))
    assert not problem.kind.fatal


def test_sex_conflict():
    problem = only(make_table([("s", None, None), ("d", None, None), ("x", "s", "d")], sex=["F", "F", None]))
    assert (problem.kind, problem.rows, problem.animals) == (ProblemKind.SEX_CONFLICT, (0, 2), ("s",))


def test_birth_order_by_year_and_by_day_but_not_in_the_same_year():
    rows = [("s", None, None), ("x", "s", None), ("y", "s", None), ("z", "s", None)]
    by_year = only(make_table(rows, birth_year=[2010, 2009, 2010, None]))
    assert (by_year.kind, by_year.rows, by_year.animals) == (ProblemKind.BIRTH_ORDER, (1, 0), ("x", "s"))
    by_day = only(make_table(rows, birth_day=[15_000, 15_000, 14_999, None]))
    assert by_day.animals == ("y", "s")
    assert "2011-01-26, after its progeny 2011-01-25" in by_day.message


def test_birth_order_where_the_first_row_of_an_animal_does_not_know_its_birth():
    rows = [("s", None, None), ("s", None, None), ("x", "s", None), ("y", "s", None), ("x", "s", None)]
    table = make_table(rows, birth_year=[None, 2010, None, 2011, 2009])
    found = [problem for problem in find_problems(table) if problem.kind is ProblemKind.BIRTH_ORDER]
    assert [problem.rows for problem in found] == [(2, 1), (4, 1)]
    assert all("born 2010, after its progeny 2009" in problem.message for problem in found)
    built = build_pedigree(table, mend="birth_order")
    assert [built.pedigree.parent_ids(built.pedigree.row_of(name))[0] for name in "xy"] == [None, "s"]
    assert [problem.kind for problem in built.report.warnings] == [ProblemKind.REPEATED_ROW]


TODAY = 20_000  # 2024-10-04


def founders(years, day=None):
    rows = [(f"x{k}", None, None) for k in range(len(years))]
    return replace(make_table(rows, birth_year=years, birth_day=day), read_on=TODAY)


@pytest.mark.parametrize(
    ("years", "wrong"),
    [
        ([1985, 1990, 2024, None], []),
        ([1985, 1990, 2025, 9999], [2, 3]),  # nobody is born after today
        ([1985, 1990, 20005, 20101231, 10_000], [2, 3, 4]),
        ([19, 85, 198, 1985, 1990, 1991, 1999, 2000], [0, 1, 2]),  # far from the middle one
        ([1935, 1985, 1990], []),  # 50 years are no gap
        ([1934, 1985, 1990], [0]),
        ([1750, 1790, 1830, 1870, 1910, 1950, 2020, 2021], [6, 7]),  # the middle one decides
        ([1, 2, 3, 4, 20], []),  # years of a simulation
        ([1, 2, 3, 4, 1999], [4]),
        ([0, 1985, 1990], [0]),
        ([9999, 9999], [0, 1]),
        ([None, None], []),
    ],
)
def test_birth_years_without_sense(years, wrong):
    problems = find_problems(founders(years))
    assert [problem.rows for problem in problems] == [(row,) for row in wrong]
    assert {problem.kind for problem in problems} <= {ProblemKind.BIRTH_YEAR}
    assert not any(problem.kind.fatal for problem in problems)


def test_birth_years_of_a_table_that_was_not_read_have_no_today():
    years = [2990, 2999, 3001]
    assert find_problems(replace(founders(years), read_on=None)) == ()
    assert len(find_problems(founders(years))) == 3


def test_birth_dates_after_the_day_of_reading():
    problem = only(founders([2024] * 3, [TODAY, TODAY + 1, None]))
    assert problem.animals == ("x1",)
    assert "'x1' is born 2024-10-05, after the day on which the file was read (herd.csv, line 3)." in problem.message


def test_what_is_said_of_birth_years_without_sense():
    far, date = find_problems(founders([19, 1985, 1990, 20101231]))
    assert (
        far.message
        == "'x0' is born 19, far from 2 others (1985 to 1990) (herd.csv, line 2). Correct it, or leave the field empty."
    )
    assert "name its column as the birth date" in date.message


def test_a_column_of_something_else_is_one_problem(monkeypatch):
    monkeypatch.setattr("breedeval.pedigree.checks.MOST_NAMED", 3)
    problem = only(founders([20101230 + k % 2 for k in range(8)] + [1990] * 3))
    assert (problem.rows, problem.count) == ((0, 1, 2, 3, 4), 8)
    assert "8 of 11: '20101230', '20101231', '20101230', '20101231', '20101230' and 3 more, first there" in problem.message
    assert "name its column as the birth date" in problem.message
    assert [problem.count for problem in find_problems(founders([20005] * 5 + [1990] * 5))] == [1, 1, 1, 2]


def test_a_row_without_an_animal_has_no_second_problem_for_its_birth_year():
    table = replace(make_table([("x", None, None), (None, None, None)], birth_year=[1990, 9999]), read_on=TODAY)
    assert only(table).kind is ProblemKind.NAMELESS


def test_row_without_an_animal():
    problem = only(make_table([("x", None, None), (None, "x", None)]))
    assert (problem.kind, problem.rows) == (ProblemKind.NAMELESS, (1,))
    assert problem.kind.fatal


def test_one_error_names_all_kinds():
    rows = [("a", "b", None), ("b", "a", None), ("c", "c", None), ("x", "a", None), ("x", "b", None)]
    with pytest.raises(PedigreeError) as caught:
        build_pedigree(make_table(rows))
    text = str(caught.value)
    for part in ("'a' → 'b' → 'a'", "'c' is its own sire", "'x' has the parents", "mend: own_parent, loop, duplicate"):
        assert part in text
    kinds = {problem.kind for problem in caught.value.facts["problems"]}
    assert kinds == {ProblemKind.LOOP, ProblemKind.OWN_PARENT, ProblemKind.DUPLICATE}
    assert caught.value.facts["lines"] == [2, 3, 4, 5, 6]


def test_a_message_shows_five_of_many_and_facts_carry_all():
    rows = [(f"x{i}", f"x{i}", None) for i in range(400)]
    with pytest.raises(PedigreeError) as caught:
        build_pedigree(make_table(rows))
    assert "400 animals that are their own parents" in str(caught.value)
    assert "and 395 more" in str(caught.value)
    assert str(caught.value).count("is its own sire") == 5
    assert len(caught.value.facts["problems"]) == 400


def test_a_large_knot_of_loops_is_found_in_reasonable_work():
    rng = np.random.default_rng(5)
    child = np.repeat(np.arange(20_000, dtype=np.int32), 2)
    parent = rng.integers(0, 20_000, len(child), dtype=np.int32)
    different = child != parent
    child, parent = child[different], parent[different]
    links = set(zip(child.tolist(), parent.tolist(), strict=True))
    loops = find_loops(20_000, child, parent)
    assert loops
    for loop in loops[:50]:
        nodes = loop.tolist()
        assert all(step in links for step in zip(nodes, [*nodes[1:], nodes[0]], strict=True))


def test_of_very_many_problems_the_first_are_named_and_all_are_counted(monkeypatch):
    monkeypatch.setattr("breedeval.pedigree.checks.MOST_NAMED", 3)
    rows = [(f"x{i}", f"p{i}", f"p{(i + 1) % 50}") for i in range(50)]
    problems = find_problems(make_table(rows))
    assert [problem.count for problem in problems] == [1, 1, 1, 47]
    assert problems[3].rows == tuple(range(3, 50))
    assert "50 animals used as sire and as dam" in summarize(problems)


def test_a_file_of_nothing_but_loops_is_not_followed_to_the_end(monkeypatch):
    monkeypatch.setattr("breedeval.pedigree.checks._MOST_LOOP_WORK", 10)
    rows = [(f"x{i}", f"x{i ^ 1}", None) for i in range(40)]
    *followed, rest = [p for p in find_problems(make_table(rows)) if p.kind is ProblemKind.LOOP]
    assert all(len(problem.animals) == 2 for problem in followed)
    assert len(rest.rows) == 40 - 2 * len(followed) > 0
    assert "further loops, which were not followed" in rest.message


def test_loops_over_the_second_row_of_an_animal_are_found():
    rows = [("a", None, None), ("b", "a", None), ("a", "c", None), ("a", None, "b"), ("c", None, None)]
    (loop,) = [p for p in find_problems(make_table(rows)) if p.kind is ProblemKind.LOOP]
    assert loop.animals == ("a", "b")


def test_what_is_doubtful_is_said_in_the_same_report():
    rows = [("c", "c", None), ("x", "p", None), ("y", None, "p")]
    with pytest.raises(PedigreeError) as caught:
        build_pedigree(make_table(rows))
    assert "'c' is its own sire" in str(caught.value)
    assert "'p' is used as a sire and as a dam" in str(caught.value)
    assert [problem.kind for problem in caught.value.facts["warnings"]] == [ProblemKind.BOTH_SEXES]
    assert caught.value.facts["lines"] == [2, 3, 4]


@pytest.mark.slow
def test_every_fault_of_a_large_pedigree_is_in_one_report(tmp_path, root, monkeypatch):
    monkeypatch.syspath_prepend(str(root / "scripts/bench"))
    dairy, faults = (import_module(name) for name in ("dairy_pedigree", "pedigree_faults"))
    rng = np.random.default_rng(1)
    pedigree = dairy.simulate(rng, 1_000_000)
    clean, of_rows, of_pedigree = (tmp_path / name for name in ("clean.csv", "rows.csv", "pedigree.csv"))
    dairy.write_csv(clean, pedigree, *dairy.shuffled_rows(rng, pedigree))
    faults.scatter_row_faults(rng, clean, of_rows, 1000)
    with pytest.raises(TableError) as caught:
        read_pedigree_table(of_rows)
    assert len(caught.value.facts["lines"]) == 3000
    assert "2,000 rows have not 5 fields" in str(caught.value)
    faults.scatter_pedigree_faults(rng, clean, of_pedigree, 1000)
    with pytest.raises(PedigreeError) as refused:
        build_pedigree(read_pedigree_table(of_pedigree, unknown=["0"]))
    counts = Counter[ProblemKind]()
    for problem in (*refused.value.facts["problems"], *refused.value.facts["warnings"]):
        counts[problem.kind] += problem.count
    assert counts == dict.fromkeys(
        (ProblemKind.NAMELESS, ProblemKind.OWN_PARENT, ProblemKind.LOOP, ProblemKind.DUPLICATE, ProblemKind.SUSPICIOUS_CODE,
         ProblemKind.SEX_CONFLICT, ProblemKind.BIRTH_ORDER, ProblemKind.BIRTH_YEAR), 1000
    )  # fmt: skip
