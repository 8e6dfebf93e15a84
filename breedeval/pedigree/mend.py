"""Mending a pedigree on request: parents and birth years that cannot be right become unknown, and each is listed."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace

import numpy as np

from breedeval.arrays import NONE, Bool, Int32, Int64, freeze
from breedeval.names import Names
from breedeval.pedigree.birth_years import born_in_words, rows_with_senseless_years
from breedeval.pedigree.births import links_born_wrong
from breedeval.pedigree.checks import (
    first_rows,
    loops_of_table,
    rows_repeated,
)
from breedeval.pedigree.table import FEMALE, MALE, SEX_UNKNOWN, YEAR_UNKNOWN, PedigreeTable
from breedeval.pedigree.table_names import sexes_of_names

ROLES = ("sire", "dam")


@dataclass(frozen=True, slots=True)
class MendedLink:
    """A parent (``sire`` or ``dam``) or a ``birth_year`` that was changed: in which row, from what to what, why."""

    row: int
    animal: str
    parent: str
    old_parent: str | None
    new_parent: str | None
    reason: str


def mend_kinds(mend: Collection[str] | str) -> frozenset[str]:
    """Check the names of kinds to mend; ``all`` stands for every kind.

    Raises
    ------
    ValueError
        If a name is not known.
    """
    asked = {mend} if isinstance(mend, str) else set(mend)
    unknown = sorted(asked - set(MENDS) - {"all"})
    if unknown:
        nearest = difflib.get_close_matches(unknown[0], [*MENDS, "all"], 1)
        hint = f" Did you mean '{nearest[0]}'?" if nearest else ""
        raise ValueError(f"'{unknown[0]}' cannot be mended; known are {', '.join([*MENDS, 'all'])}.{hint}")
    return frozenset(MENDS) if "all" in asked else frozenset(asked)


def mend_table(table: PedigreeTable, kinds: Collection[str]) -> tuple[PedigreeTable, tuple[MendedLink, ...]]:
    """Return the table without the problems of these kinds, and every change that was made.

    Parameters
    ----------
    table
        As read.
    kinds
        Names from :func:`mend_kinds`.
    """
    mended: list[MendedLink] = []
    for kind, mender in MENDS.items():
        if kind in kinds:
            editor = _Editor(table)
            mender(editor)
            table = editor.edited()
            mended += editor.changes
    return table, tuple(mended)


class _Editor:
    """Writable copies of a table's parents; notes each change."""

    def __init__(self, table: PedigreeTable) -> None:
        self.table = table
        self.links: dict[str, Int32] = {"sire": table.sire.copy(), "dam": table.dam.copy()}
        self.changes: list[MendedLink] = []

    def set_parent(self, row: int, role: str, new: int, reason: str) -> None:
        old = int(self.links[role][row])
        if old == new:
            return
        self.links[role][row] = new
        self.note(row, role, self._name(old), self._name(new), reason)

    def note(self, row: int, what: str, old: str | None, new: str | None, reason: str) -> None:
        """Remember a change."""
        animal = self._name(int(self.table.animal[row])) or ""
        self.changes.append(MendedLink(row, animal, what, old, new, reason))

    def clear(self, where: Bool, role: str, reason: str) -> None:
        for row in np.flatnonzero(where & (self.links[role] != NONE)).tolist():
            self.set_parent(row, role, NONE, reason)

    def edited(self) -> PedigreeTable:
        """Return the table with the changes so far."""
        return replace(self.table, sire=self.links["sire"], dam=self.links["dam"])

    def _name(self, code: int) -> str | None:
        return None if code == NONE else self.table.names[code]


# --- one mender a kind, in the order in which they work ----------------------------------------------------------------------


def _mend_suspicious_codes(editor: _Editor) -> None:
    table = editor.table
    codes = table.names.find(Names.of([form.form for form in table.suspicious_forms]))
    for role in ROLES:
        where = np.isin(editor.links[role], codes[codes != NONE])
        editor.clear(where, role, "a text that looks like an unknown parent")
    editor.table = replace(table, suspicious_forms=())


def _mend_own_parents(editor: _Editor) -> None:
    for role in ROLES:
        editor.clear(editor.links[role] == editor.table.animal, role, "its own parent")


def _mend_sex_conflicts(editor: _Editor) -> None:
    sex = sexes_of_names(editor.table)
    for role, wrong_sex in (("sire", FEMALE), ("dam", MALE)):
        links = editor.links[role]
        where = (links != NONE) & (sex[links] == wrong_sex)
        editor.clear(where, role, f"the {role} is {'female' if wrong_sex == FEMALE else 'male'}")


def _mend_both_sexes(editor: _Editor) -> None:
    """Keep the use that agrees with the sex column, else the more frequent use, else the use as sire."""
    n = len(editor.table.names)
    as_sire, as_dam = (np.bincount(links[links != NONE], minlength=n) for links in editor.links.values())
    both = (as_sire > 0) & (as_dam > 0)
    sex = sexes_of_names(editor.table)
    is_sire = (sex == MALE) | ((sex == SEX_UNKNOWN) & (as_sire >= as_dam))
    for role, wrong in (("sire", both & ~is_sire), ("dam", both & is_sire)):
        links = editor.links[role]
        other = "dam" if role == "sire" else "sire"
        editor.clear((links != NONE) & wrong[links], role, f"the {role} is otherwise used as a {other}")


def _mend_birth_years(editor: _Editor) -> None:
    table = editor.table
    rows, _ = rows_with_senseless_years(table)
    for row in rows.tolist():
        editor.note(row, "birth_year", born_in_words(table, row), None, "it makes no sense")
    year, day = (_forgotten(births, rows) for births in (table.birth_year, table.birth_day))
    editor.table = replace(table, birth_year=year, birth_day=day)


def _forgotten(births: Int32 | None, rows: Int64) -> Int32 | None:
    """A copy of the births (m,) in which those of `rows` are not known."""
    if births is None:
        return None
    out = births.copy()
    out[rows] = YEAR_UNKNOWN
    return freeze(out)


def _mend_birth_order(editor: _Editor) -> None:
    for role in ROLES:
        editor.clear(links_born_wrong(editor.table, editor.links[role]), role, "born after its progeny")


def _mend_duplicates(editor: _Editor) -> None:
    """Set a parent on which the rows of an animal differ to unknown; fill one that only some of them know."""
    rows = rows_repeated(editor.table)
    for group in _groups_of_animal(editor.table, rows):
        for role in ROLES:
            known = {int(code) for code in editor.links[role][group] if code != NONE}
            agreed = known.pop() if len(known) == 1 else NONE
            reason = "the rows of this animal differ" if agreed == NONE else "known from another row of this animal"
            for row in group:
                editor.set_parent(row, role, agreed, reason)


def _groups_of_animal(table: PedigreeTable, rows: Int64) -> Iterator[list[int]]:
    differs = np.zeros(len(table.names), dtype=np.bool_)
    first = first_rows(table)[table.animal[rows]]
    for links in (table.sire, table.dam):
        differs[table.animal[rows[links[rows] != links[first]]]] = True
    rows = rows[differs[table.animal[rows]]]
    if len(rows):
        for group in np.split(rows, np.flatnonzero(np.diff(table.animal[rows])) + 1):
            yield group.tolist()


def _mend_loops(editor: _Editor) -> None:
    """Cut one link of each loop, until none is left."""
    first_row = first_rows(editor.table)
    rows_of = _rows_of_animals(editor.table)
    while loops := loops_of_table(editor.edited()):
        wrong = {role: links_born_wrong(editor.table, editor.links[role]) for role in ROLES}
        for loop in loops:
            steps = list(zip(loop.tolist(), np.roll(loop, -1).tolist(), strict=True))
            if not all(any(_roles_of_link(editor, rows_of(child), parent)) for child, parent in steps):
                continue  # cut already, with an earlier loop
            child, parent, reason = _weakest_step(editor, steps, rows_of, first_row, wrong)
            for row, role in _roles_of_link(editor, rows_of(child), parent):
                editor.set_parent(row, role, NONE, reason)


def _weakest_step(
    editor: _Editor,
    steps: list[tuple[int, int]],
    rows_of: Callable[[int], list[int]],
    first_row: Int32,
    wrong: dict[str, Bool],
) -> tuple[int, int, str]:
    for child, parent in steps:
        if any(wrong[role][row] for row, role in _roles_of_link(editor, rows_of(child), parent)):
            return child, parent, "on a loop, born after its progeny"
    child, parent = min(steps, key=lambda step: int(first_row[step[0]]))
    return child, parent, "on a loop, its first row in the file"


def _roles_of_link(editor: _Editor, rows: list[int], parent: int) -> list[tuple[int, str]]:
    return [(row, role) for row in rows for role in ROLES if editor.links[role][row] == parent]


def _rows_of_animals(table: PedigreeTable) -> Callable[[int], list[int]]:
    order = np.argsort(table.animal, kind="stable")
    ordered = table.animal[order]

    def rows_of(code: int) -> list[int]:
        start, end = np.searchsorted(ordered, [code, code + 1])
        return [int(row) for row in order[start:end]]

    return rows_of


#: What can be mended and how, in the order of the work: a birth year that makes no sense must not cost an animal its parents.
MENDS: dict[str, Callable[[_Editor], None]] = {
    "suspicious_code": _mend_suspicious_codes,
    "own_parent": _mend_own_parents,
    "birth_year": _mend_birth_years,
    "sex_conflict": _mend_sex_conflicts,
    "both_sexes": _mend_both_sexes,
    "birth_order": _mend_birth_order,
    "duplicate": _mend_duplicates,
    "loop": _mend_loops,
}
