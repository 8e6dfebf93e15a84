"""Everything that is wrong with a pedigree file, found in one go."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from breedeval.arrays import NONE, Int32, Int64
from breedeval.errors import EXAMPLES_SHOWN, count_of, name_some
from breedeval.kernels import pedigree_rows as kernels
from breedeval.kernels.threads import cut_range, map_parts
from breedeval.pedigree.birth_years import YearSpan, born_in_words, rows_with_senseless_years, why_senseless, year_remedy
from breedeval.pedigree.births import Births, births_of, rows_that_know
from breedeval.pedigree.loops import search_loops
from breedeval.pedigree.problems import Problem, ProblemKind
from breedeval.pedigree.row_values import values_of_rows
from breedeval.pedigree.table import FEMALE, MALE, YEAR_UNKNOWN, PedigreeTable
from breedeval.pedigree.table_names import TableNames
from breedeval.progress import Progress, part_of

#: How many problems of a kind are named one by one; the others are counted and their rows listed.
MOST_NAMED = 10_000
#: Nodes looked at in the search for loops before the rest is only counted, and animals of a loop that are written out.
_MOST_LOOP_WORK, _LONGEST_PATH = 30_000_000, 1000
#: Rows for which a second thread pays.
_SMALLEST_PART = 1 << 16
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
        One for each animal, loop or code concerned, for the first `MOST_NAMED` of each kind; one more problem counts the rest.
        Empty if nothing is wrong.

    Notes
    -----
    A few passes over the rows; time and memory in proportion to the rows and, beyond that, to the problems that are named.

    Examples
    --------
    >>> from breedeval.io.pedigree_file import read_pedigree_table
    >>> find_problems(read_pedigree_table("pedigrees/mrode_table_2_1.csv"))
    ()
    """
    return check_names(table, TableNames.of(table))


def check_names(table: PedigreeTable, names: TableNames, progress: Progress | None = None) -> tuple[Problem, ...]:
    """As `find_problems`, where what is known of the names has been computed already."""
    tell = part_of(progress, "checking")
    found: list[Problem] = []
    for done, finder in enumerate(_FINDERS):
        tell(done / len(_FINDERS))
        found += finder(table, names)
    tell(1.0)
    rank = {kind: place for place, kind in enumerate(ProblemKind)}
    return tuple(sorted(found, key=lambda problem: rank[problem.kind]))


# --- what checking and mending both need to know -----------------------------------------------------------------------------


def first_rows(table: PedigreeTable) -> Int32:
    """(names,) row in which each name stands first as an animal; −1 if it has no row."""
    out = np.full(len(table.names), NONE, dtype=np.int32)
    kernels.first_rows(table.animal, out)
    return out


def rows_repeated(table: PedigreeTable) -> Int64:
    """Rows of animals that have several rows, grouped by animal, in file order within the animal."""
    first = values_of_rows(table.animal, first_rows(table), NONE)
    later = np.flatnonzero((first != np.arange(table.n_rows, dtype=np.int32)) & (first != NONE))
    is_repeated = np.zeros(len(table.names), dtype=np.uint8)
    is_repeated[table.animal[later]] = 1
    rows = np.flatnonzero(values_of_rows(table.animal, is_repeated, 0))
    return rows[np.argsort(table.animal[rows], kind="stable")]


def loops_of_table(table: PedigreeTable) -> list[Int32]:
    """Loops of names over the links of all rows, not all of them if there are very many; own parents have their own check."""
    return _loops_among(table, TableNames.of(table).left)[0]


def _loops_among(table: PedigreeTable, nodes: Int32) -> tuple[list[Int32], Int32]:
    """Loops of names all of which are among `nodes` (k,), in ascending order; and names on loops that were not looked for."""
    if len(nodes) == 0:
        return [], nodes
    place = np.full(len(table.names) + 1, NONE, dtype=np.int32)  # the last for "unknown"
    place[nodes] = np.arange(len(nodes), dtype=np.int32)
    of_row = values_of_rows(table.animal, place[:-1], NONE)
    rows = np.flatnonzero(of_row != NONE)
    child = np.concatenate([of_row[rows], of_row[rows]])
    parent = np.concatenate([place[table.sire[rows]], place[table.dam[rows]]])
    real = (child != NONE) & (parent != NONE) & (child != parent)
    loops, others = search_loops(len(nodes), child[real], parent[real], _MOST_LOOP_WORK)
    return [nodes[loop] for loop in loops], nodes[others]


# --- one finder a kind -------------------------------------------------------------------------------------------------------


def _some(
    kind: ProblemKind,
    table: PedigreeTable,
    found: Int64 | Int32,
    name: Callable[[int], Problem],
    rows: Int64 | Int32 | None = None,
) -> Iterator[Problem]:
    """Name the first of what was `found` (k,) one by one; count the others, which stand in `rows` (k,), or `found` itself."""
    for item in found[:MOST_NAMED].tolist():
        yield name(item)
    others = (found if rows is None else rows)[MOST_NAMED:].tolist()
    if others:
        message = f"{len(others):,} more {table.source.where(others)}, which are not named one by one."
        yield Problem(kind, tuple(others), (), message, count=len(others))


def _nameless(table: PedigreeTable, _: TableNames) -> Iterator[Problem]:
    rows = np.flatnonzero(table.animal == NONE).tolist()
    if rows:
        message = f"no name of an animal stands there {table.source.where(rows)}. Give the animal's id, or delete the row."
        yield Problem(ProblemKind.NAMELESS, tuple(rows), (), message, count=len(rows))


def _own_parents(table: PedigreeTable, _: TableNames) -> Iterator[Problem]:
    if not any(kernels.count_own_parents(table.animal, parent) for parent in (table.sire, table.dam)):
        return iter(())
    as_sire = (table.animal == table.sire) & (table.animal != NONE)
    as_dam = (table.animal == table.dam) & (table.animal != NONE)

    def name(row: int) -> Problem:
        animal = table.names[table.animal[row]]
        roles = " and ".join(role for role, here in (("sire", as_sire[row]), ("dam", as_dam[row])) if here)
        message = f"'{animal}' is its own {roles} {table.source.where([row])}. Correct that parent."
        return Problem(ProblemKind.OWN_PARENT, (row,), (animal,), message)

    return _some(ProblemKind.OWN_PARENT, table, np.flatnonzero(as_sire | as_dam), name)


def _suspicious_codes(table: PedigreeTable, _: TableNames) -> Iterator[Problem]:
    for form in table.suspicious_forms:
        where = table.source.where([form.first_row])
        if _is_negative_integer(form.form):
            hint = (
                "A negative number often stands for an unknown-parent group; groups are not set up for this pedigree. "
                "Add it to the unknown codes, or set up groups."
            )
        else:
            hint = "Add it to the unknown codes, or, if it is an animal, give it a row of its own."
        written = form.form if form.form.isprintable() else ascii(form.form)[1:-1]
        message = f"'{written}' stands {count_of(form.count, 'time')} in column '{form.column}', first there {where}. {hint}"
        yield Problem(ProblemKind.SUSPICIOUS_CODE, (form.first_row,), (form.form,), message, count=form.count)


def _repeated_rows(table: PedigreeTable, names: TableNames) -> Iterator[Problem]:
    if names.n_repeated == 0:
        return
    rows = rows_repeated(table)
    same_animal = table.animal[rows[1:]] == table.animal[rows[:-1]]
    same_parents = (table.sire[rows[1:]] == table.sire[rows[:-1]]) & (table.dam[rows[1:]] == table.dam[rows[:-1]])
    repeats = np.sort(rows[1:][same_animal & same_parents])
    if len(repeats):
        animals = tuple(dict.fromkeys(table.names.take(table.animal[repeats[:MOST_NAMED]])))
        listed = repeats.tolist()
        message = (
            f"{len(listed):,} with the same parents as before {table.source.where(listed)}. "
            "Harmless: the first one that is known gives sex and birth year."
        )
        yield Problem(ProblemKind.REPEATED_ROW, tuple(listed), animals, message, count=len(listed))


def _loops(table: PedigreeTable, names: TableNames) -> Iterator[Problem]:
    loops, others = _loops_among(table, names.left)

    def name(k: int) -> Problem:
        on_loop = tuple(table.names.take(loops[k]))
        rows = tuple(names.first_row[loops[k]].tolist())
        path = " → ".join(f"'{animal}'" for animal in (*on_loop[:_LONGEST_PATH], on_loop[0]))
        if len(on_loop) > _LONGEST_PATH:
            path = f"{count_of(len(on_loop), 'animal')}: {path} (those behind the first {_LONGEST_PATH:,} left out)"
        message = f"{path} (each followed by its parent) {_where_all(table, rows)}. Remove one of the parents on this path."
        return Problem(ProblemKind.LOOP, rows, on_loop, message)

    first = names.first_row[np.array([loop[0] for loop in loops], dtype=np.int64)]
    yield from _some(ProblemKind.LOOP, table, np.arange(len(loops)), name, first)
    if len(others):
        rows = names.first_row[others].tolist()
        message = (
            f"{count_of(len(others), 'animal')} on further loops, which were not followed {table.source.where(rows)}. So many "
            "are their own ancestors that the columns of sires, dams or animals may be mixed up."
        )
        yield Problem(ProblemKind.LOOP, tuple(rows), (), message)


def _where_all(table: PedigreeTable, rows: tuple[int, ...]) -> str:
    """Like Source.where, but with every line: a loop is understood only as a whole."""
    lines = [f"{table.source.line_of_row(row):,}" for row in rows[:_LONGEST_PATH]]
    return f"({table.source.path}, {table.source.unit}s {', '.join(lines[:-1])} and {lines[-1]})"


def _duplicates(table: PedigreeTable, names: TableNames) -> Iterator[Problem]:
    if len(names.rows_that_differ) == 0:
        return
    concerned = np.zeros(len(table.names), dtype=np.bool_)
    concerned[table.animal[names.rows_that_differ]] = True
    rows = rows_repeated(table)
    rows = rows[concerned[table.animal[rows]]]
    groups = np.split(rows, np.flatnonzero(np.diff(table.animal[rows])) + 1)

    def name(k: int) -> Problem:
        listed = groups[k].tolist()
        animal = table.names[table.animal[listed[0]]]
        pairs = list(dict.fromkeys(_parents_text(table, row) for row in listed))
        message = f"'{animal}' has the parents {' or '.join(pairs)} {table.source.where(listed)}. Keep one of these rows."
        return Problem(ProblemKind.DUPLICATE, tuple(listed), (animal,), message)

    first = np.array([group[0] for group in groups])
    yield from _some(ProblemKind.DUPLICATE, table, np.arange(len(groups)), name, first)


def _both_sexes(table: PedigreeTable, names: TableNames) -> Iterator[Problem]:
    codes = np.flatnonzero(names.used_as_sire & names.used_as_dam)
    if len(codes) == 0:
        return
    row_as_sire, row_as_dam = (_first_use(parent, codes, len(table.names)) for parent in (table.sire, table.dam))

    def name(code: int) -> Problem:
        animal = table.names[code]
        rows = (int(row_as_sire[code]), int(row_as_dam[code]))
        message = (
            f"'{animal}' is used as a sire and as a dam {table.source.where(dict.fromkeys(rows))}. "
            "Usual in plants; in animals one of the two is wrong."
        )
        return Problem(ProblemKind.BOTH_SEXES, rows, (animal,), message)

    yield from _some(ProblemKind.BOTH_SEXES, table, codes, name, row_as_sire[codes])


def _sex_conflicts(table: PedigreeTable, names: TableNames) -> Iterator[Problem]:
    uses = ((table.sire, names.used_as_sire, "sire", FEMALE), (table.dam, names.used_as_dam, "dam", MALE))
    for parent, used, role, wrong_sex in uses:
        codes = np.flatnonzero(used & (names.sex == wrong_sex))
        if len(codes):
            yield from _used_against_sex(table, names, parent, codes, role, wrong_sex)


def _used_against_sex(
    table: PedigreeTable, names: TableNames, parent: Int32, codes: Int64, role: str, wrong_sex: int
) -> Iterator[Problem]:
    use = _first_use(parent, codes, len(table.names))

    def name(code: int) -> Problem:
        animal = table.names[code]
        rows = (int(names.first_row[code]), int(use[code]))
        message = (
            f"'{animal}' is {_SEX_WORD[wrong_sex]} and used as a {role} {table.source.where(rows)}. "
            "Correct its sex, or that parent."
        )
        return Problem(ProblemKind.SEX_CONFLICT, rows, (animal,), message)

    return _some(ProblemKind.SEX_CONFLICT, table, codes, name, use[codes])


def _birth_order(table: PedigreeTable, names: TableNames) -> Iterator[Problem]:
    first_row = None if names.n_repeated else names.first_row
    births = births_of(table, are_rows=names.are_rows, first_row=first_row)
    if not any(_any_born_wrong(table, born) for born in births):
        return
    known_in = rows_that_know(table)
    for parent, role in ((table.sire, "sire"), (table.dam, "dam")):
        wrong = np.zeros(table.n_rows, dtype=np.bool_)
        for born in births:
            born.mark_wrong(table.animal, parent, wrong)
        yield from _some(ProblemKind.BIRTH_ORDER, table, np.flatnonzero(wrong), _born_after(table, known_in, parent, role))


def _any_born_wrong(table: PedigreeTable, births: Births) -> bool:
    """Whether any parent is born after its progeny: a fast pass, since mostly none is."""

    def count(job: tuple[Int32, slice]) -> int:
        parent, part = job
        rows = (table.animal[part], parent[part], births.of_row[part])
        return int(kernels.count_born_wrong(*rows, births.of_name, YEAR_UNKNOWN))

    parts = [slice(*part) for part in cut_range(table.n_rows, _SMALLEST_PART)]
    return any(list(map_parts(count, [(parent, part) for parent in (table.sire, table.dam) for part in parts])))


def _born_after(table: PedigreeTable, known_in: Int32, parent: Int32, role: str) -> Callable[[int], Problem]:
    def name(row: int) -> Problem:
        own_row, parent_row = (int(known_in[code]) for code in (table.animal[row], parent[row]))
        child, older = table.names[table.animal[row]], table.names[parent[row]]
        message = (
            f"'{older}', {role} of '{child}', is born {born_in_words(table, parent_row)}, "
            f"after its progeny {born_in_words(table, own_row)} "
            f"{table.source.where([row, parent_row])}. Correct a birth date, or that parent."
        )
        return Problem(ProblemKind.BIRTH_ORDER, (row, parent_row), (child, older), message)

    return name


def _birth_years(table: PedigreeTable, _: TableNames) -> Iterator[Problem]:
    rows, span = rows_with_senseless_years(table)

    def name(row: int) -> Problem:
        animal = table.names[table.animal[row]]
        message = (
            f"'{animal}' is born {born_in_words(table, row)}{why_senseless(table, row, span)} {table.source.where([row])}."
        )
        return Problem(ProblemKind.BIRTH_YEAR, (row,), (animal,), f"{message} {year_remedy(table, row)}")

    if span is not None and len(rows) > max(span.n, MOST_NAMED):
        return iter((_other_column(table, rows, span),))
    return _some(ProblemKind.BIRTH_YEAR, table, rows, name)


def _other_column(table: PedigreeTable, rows: Int64, span: YearSpan) -> Problem:
    """One problem where most years make no sense: hardly each for itself."""
    listed = tuple(rows[:EXAMPLES_SHOWN].tolist())
    examples = name_some((born_in_words(table, row) for row in listed), of=len(rows))
    message = (
        f"{len(rows):,} of {len(rows) + span.n:,}: {examples}, first there {table.source.where(listed)}. The column may hold "
        f"something else. {year_remedy(table, listed[0])}"
    )
    return Problem(ProblemKind.BIRTH_YEAR, listed, (), message, count=len(rows))


_FINDERS: tuple[Callable[[PedigreeTable, TableNames], Iterator[Problem]], ...] = (
    _nameless,
    _own_parents,
    _suspicious_codes,
    _repeated_rows,
    _both_sexes,
    _loops,
    _duplicates,
    _sex_conflicts,
    _birth_order,
    _birth_years,
)


# --- words -------------------------------------------------------------------------------------------------------------------


def _first_use(parent: Int32, codes: Int64, n: int) -> Int32:
    """(n,) first row in which each of `codes` stands in this parent column; −1 for other names, and if in none."""
    chosen = np.zeros(n + 1, dtype=np.bool_)  # the last for "unknown"
    chosen[codes] = True
    rows = np.flatnonzero(chosen[parent]).astype(np.int32)[::-1]
    out = np.full(n, NONE, dtype=np.int32)
    # Of several writes to one place the last one stays: backwards, that is the first row.
    out[parent[rows]] = rows
    return out


def _parents_text(table: PedigreeTable, row: int) -> str:
    return " × ".join("unknown" if code == NONE else f"'{table.names[code]}'" for code in (table.sire[row], table.dam[row]))


def _is_negative_integer(text: str) -> bool:
    return text.startswith("-") and text[1:].isdigit()
