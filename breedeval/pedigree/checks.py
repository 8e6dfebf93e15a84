"""Everything that is wrong with a pedigree file, found in one go."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from breedeval.arrays import NONE, Bool, Int32, Int64
from breedeval.pedigree.loops import find_loops
from breedeval.pedigree.problems import Problem, ProblemKind
from breedeval.pedigree.table import FEMALE, MALE, SEX_UNKNOWN, YEAR_UNKNOWN, PedigreeTable

_SEX_WORD = {MALE: "male", FEMALE: "female"}


def find_problems(table: PedigreeTable) -> tuple[Problem, ...]:
    """Find everything wrong with a pedigree, fatal problems first.

    Parameters
    ----------
    table
        A pedigree as it was read.

    Returns
    -------
    tuple of Problem
        One for each animal, loop or code concerned. Empty if nothing is wrong.

    Notes
    -----
    A few passes over the rows; time and memory in proportion to the rows and, beyond that, to the problems.

    Examples
    --------
    >>> from breedeval.io.pedigree_file import read_pedigree_table
    >>> find_problems(read_pedigree_table("pedigrees/mrode_table_2_1.csv"))
    ()
    """
    first_row = first_rows(table)
    found: list[Problem] = []
    for finder in (_nameless, _own_parents, _suspicious_codes, _repeated_rows, _both_sexes):
        found += finder(table)
    for finder_by_animal in (_loops, _duplicates, _sex_conflicts, _birth_order):
        found += finder_by_animal(table, first_row)
    rank = {kind: place for place, kind in enumerate(ProblemKind)}
    return tuple(sorted(found, key=lambda problem: rank[problem.kind]))


# --- what checking and mending both need to know -----------------------------------------------------------------------------


def first_rows(table: PedigreeTable) -> Int32:
    """(names,) row in which each name stands first as an animal; −1 if it has no row."""
    out = np.full(len(table.names), NONE, dtype=np.int32)
    rows = np.flatnonzero(table.animal != NONE).astype(np.int32)[::-1]
    # Of several writes to one place the last one stays: backwards, that is the first row.
    out[table.animal[rows]] = rows
    return out


def rows_repeated(table: PedigreeTable) -> Int64:
    """Rows of animals that have several rows, grouped by animal, in file order within the animal."""
    counts = np.bincount(table.animal[table.animal != NONE], minlength=len(table.names))
    rows = np.flatnonzero((table.animal != NONE) & (counts[table.animal] > 1))
    return rows[np.argsort(table.animal[rows], kind="stable")]


def links_born_wrong(table: PedigreeTable, parent: Int32, first_row: Int32) -> Bool:
    """(rows,) True where the parent was born in a later year, or on a later day, than its progeny."""
    wrong = np.zeros(table.n_rows, dtype=np.bool_)
    rows = np.flatnonzero((parent != NONE) & (table.animal != NONE))
    rows = rows[first_row[parent[rows]] != NONE]
    parent_row = first_row[parent[rows]]
    for born in (table.birth_year, table.birth_day):
        if born is not None:
            known = (born[rows] != YEAR_UNKNOWN) & (born[parent_row] != YEAR_UNKNOWN)
            wrong[rows] |= known & (born[parent_row] > born[rows])
    return wrong


def sexes_of_names(table: PedigreeTable) -> Int32:
    """(names,) sex from the sex column: the first row that knows it."""
    sex = np.full(len(table.names), SEX_UNKNOWN, dtype=np.int32)
    if table.sex is not None:
        rows = np.flatnonzero((table.animal != NONE) & (table.sex != SEX_UNKNOWN))[::-1]
        sex[table.animal[rows]] = table.sex[rows]
    return sex


def loops_of_table(table: PedigreeTable) -> list[Int32]:
    """Loops of names over the links of all rows; own parents are left to their own check."""
    child = np.concatenate([table.animal, table.animal])
    parent = np.concatenate([table.sire, table.dam])
    real = (child != NONE) & (parent != NONE) & (child != parent)
    return find_loops(len(table.names), child[real], parent[real])


# --- one finder a kind -------------------------------------------------------------------------------------------------------


def _nameless(table: PedigreeTable) -> Iterator[Problem]:
    rows = np.flatnonzero(table.animal == NONE).tolist()
    if rows:
        message = f"{len(rows):,} without an animal {table.source.where(rows)}. Give the animal's id, or delete the row."
        yield Problem(ProblemKind.NAMELESS, tuple(rows), (), message, count=len(rows))


def _own_parents(table: PedigreeTable) -> Iterator[Problem]:
    as_sire = (table.animal == table.sire) & (table.animal != NONE)
    as_dam = (table.animal == table.dam) & (table.animal != NONE)
    for row in np.flatnonzero(as_sire | as_dam).tolist():
        name = table.names[table.animal[row]]
        roles = " and ".join(role for role, here in (("sire", as_sire[row]), ("dam", as_dam[row])) if here)
        message = f"'{name}' is its own {roles} {table.source.where([row])}. Correct that parent."
        yield Problem(ProblemKind.OWN_PARENT, (row,), (name,), message)


def _suspicious_codes(table: PedigreeTable) -> Iterator[Problem]:
    for form in table.suspicious_forms:
        where = table.source.where([form.first_row])
        if _is_negative_integer(form.form):
            hint = (
                "A negative number often stands for an unknown-parent group; groups are not set up for this pedigree. "
                "Add it to the unknown codes, or set up groups."
            )
        else:
            hint = "Add it to the unknown codes, or, if it is an animal, give it a row of its own."
        message = f"'{form.form}' stands {form.count:,} times in column '{form.column}', first {where}. {hint}"
        yield Problem(ProblemKind.SUSPICIOUS_CODE, (form.first_row,), (form.form,), message, count=form.count)


def _repeated_rows(table: PedigreeTable) -> Iterator[Problem]:
    rows = rows_repeated(table)
    same_animal = table.animal[rows[1:]] == table.animal[rows[:-1]]
    same_parents = (table.sire[rows[1:]] == table.sire[rows[:-1]]) & (table.dam[rows[1:]] == table.dam[rows[:-1]])
    repeats = np.sort(rows[1:][same_animal & same_parents]).tolist()
    if repeats:
        animals = tuple(dict.fromkeys(table.names.take(table.animal[repeats])))
        message = (
            f"{len(repeats):,} with the same parents as before {table.source.where(repeats)}. "
            "Harmless: the first one that is known gives sex and birth year."
        )
        yield Problem(ProblemKind.REPEATED_ROW, tuple(repeats), animals, message, count=len(repeats))


def _loops(table: PedigreeTable, first_row: Int32) -> Iterator[Problem]:
    for loop in loops_of_table(table):
        names = tuple(table.names.take(loop))
        rows = tuple(first_row[loop].tolist())
        path = " → ".join(f"'{name}'" for name in (*names, names[0]))
        message = f"{path} (each followed by its parent) {_where_all(table, rows)}. Remove one of the parents on this path."
        yield Problem(ProblemKind.LOOP, rows, names, message)


def _where_all(table: PedigreeTable, rows: tuple[int, ...]) -> str:
    """Like Source.where, but with every line: a loop is understood only as a whole."""
    lines = [f"{table.source.line_of_row(row):,}" for row in rows]
    return f"({table.source.path}, {table.source.unit}s {', '.join(lines[:-1])} and {lines[-1]})"


def _duplicates(table: PedigreeTable, first_row: Int32) -> Iterator[Problem]:
    rows = rows_repeated(table)
    first = first_row[table.animal[rows]]
    differs = (table.sire[rows] != table.sire[first]) | (table.dam[rows] != table.dam[first])
    if not differs.any():
        return
    concerned = np.zeros(len(table.names), dtype=np.bool_)
    concerned[table.animal[rows[differs]]] = True
    rows = rows[concerned[table.animal[rows]]]
    for group in np.split(rows, np.flatnonzero(np.diff(table.animal[rows])) + 1):
        listed = group.tolist()
        name = table.names[table.animal[listed[0]]]
        pairs = list(dict.fromkeys(_parents_text(table, row) for row in listed))
        message = f"'{name}' has the parents {' or '.join(pairs)} {table.source.where(listed)}. Keep one of these rows."
        yield Problem(ProblemKind.DUPLICATE, tuple(listed), (name,), message)


def _both_sexes(table: PedigreeTable) -> Iterator[Problem]:
    n = len(table.names)
    row_as_sire, row_as_dam = _first_use(table.sire, n), _first_use(table.dam, n)
    for code in np.flatnonzero((row_as_sire != NONE) & (row_as_dam != NONE)).tolist():
        name = table.names[code]
        rows = (int(row_as_sire[code]), int(row_as_dam[code]))
        message = (
            f"'{name}' is used as a sire and as a dam {table.source.where(dict.fromkeys(rows))}. "
            "Usual in plants; in animals one of the two is wrong."
        )
        yield Problem(ProblemKind.BOTH_SEXES, rows, (name,), message)


def _sex_conflicts(table: PedigreeTable, first_row: Int32) -> Iterator[Problem]:
    sex = sexes_of_names(table)
    for parent, role, wrong_sex in ((table.sire, "sire", FEMALE), (table.dam, "dam", MALE)):
        use = _first_use(parent, len(table.names))
        for code in np.flatnonzero((use != NONE) & (sex == wrong_sex)).tolist():
            name = table.names[code]
            rows = (int(first_row[code]), int(use[code]))
            message = (
                f"'{name}' is {_SEX_WORD[wrong_sex]} and used as a {role} {table.source.where(rows)}. "
                "Correct its sex, or that parent."
            )
            yield Problem(ProblemKind.SEX_CONFLICT, rows, (name,), message)


def _birth_order(table: PedigreeTable, first_row: Int32) -> Iterator[Problem]:
    for parent, role in ((table.sire, "sire"), (table.dam, "dam")):
        wrong = links_born_wrong(table, parent, first_row) & (parent != table.animal)
        for row in np.flatnonzero(wrong).tolist():
            parent_row = int(first_row[parent[row]])
            child, older = table.names[table.animal[row]], table.names[parent[row]]
            message = (
                f"'{older}', {role} of '{child}', is born {_born(table, parent_row)}, after its progeny {_born(table, row)} "
                f"{table.source.where([row, parent_row])}. Correct a birth date, or that parent."
            )
            yield Problem(ProblemKind.BIRTH_ORDER, (row, parent_row), (child, older), message)


# --- words -------------------------------------------------------------------------------------------------------------------


def _first_use(parent: Int32, n: int) -> Int32:
    """(n,) first row in which each name stands in this parent column, −1 if in none."""
    out = np.full(n, NONE, dtype=np.int32)
    rows = np.flatnonzero(parent != NONE).astype(np.int32)[::-1]
    out[parent[rows]] = rows
    return out


def _parents_text(table: PedigreeTable, row: int) -> str:
    return " × ".join("unknown" if code == NONE else f"'{table.names[code]}'" for code in (table.sire[row], table.dam[row]))


def _born(table: PedigreeTable, row: int) -> str:
    if table.birth_day is not None and table.birth_day[row] != YEAR_UNKNOWN:
        return str(np.datetime64(int(table.birth_day[row]), "D"))
    if table.birth_year is not None:
        return str(int(table.birth_year[row]))
    return "on an unknown day"


def _is_negative_integer(text: str) -> bool:
    return text.startswith("-") and text[1:].isdigit()
