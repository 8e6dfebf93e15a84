"""Read a pedigree file."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from breedeval.arrays import NONE, Int8, Int32, Int64, freeze
from breedeval.errors import PedigreeError, count_of
from breedeval.io.birth import Unreadable, describe, read_birth_date, read_birth_year, read_sex, today
from breedeval.io.column_codes import drop_names
from breedeval.io.id_texts import DealtIds, IdTexts, PlacedIds
from breedeval.io.invisible import note_on_ends
from breedeval.io.pedigree_columns import PARTS, Choice, PedigreeColumns, choose_columns, named_columns, usual_names
from breedeval.io.plain_file import open_plain
from breedeval.io.tables import open_table
from breedeval.io.text_table import ColumnKey, TextTable, has_header
from breedeval.io.unknown_forms import (
    DEFAULT_LIST,
    count_forms,
    default_forms,
    listed_forms,
    no_longer_than,
    suspicious_codes,
    suspicious_forms,
)
from breedeval.kernels import pedigree_rows as kernels
from breedeval.kernels.threads import map_parts
from breedeval.names import Names
from breedeval.pedigree.build import build_pedigree
from breedeval.pedigree.pedigree import Pedigree
from breedeval.pedigree.table import YEAR_UNKNOWN, PedigreeTable, UnknownForm
from breedeval.progress import Progress, part_of
from breedeval.source import Source

_PARENTS = ("sire", "dam")
_ID_PARTS = ("animal", *_PARENTS)
_EMPTY = ""


@dataclass(frozen=True)
class _Ids:
    names: Names
    animal: Int32
    sire: Int32
    dam: Int32
    unknown_forms: tuple[UnknownForm, ...]
    suspicious_forms: tuple[UnknownForm, ...]


@dataclass(frozen=True)
class _Birth:
    year: Int32 | None = None
    day: Int32 | None = None
    sex: Int8 | None = None
    notes: tuple[str, ...] = ()


def read_pedigree(
    path: str | os.PathLike[str],
    *,
    animal: Choice = None,
    sire: Choice = None,
    dam: Choice = None,
    birth_year: Choice = None,
    birth_date: Choice = None,
    sex: Choice = None,
    unknown: Sequence[str] | None = None,
    encoding: str = "utf-8",
    mend: Collection[str] = (),
    progress: Progress | None = None,
) -> Pedigree:
    """Read a pedigree file, check it and put parents before progeny.

    Parameters
    ----------
    path
        A text file (separated by commas, semicolons, tabs or white space; ``.gz`` or not) or a ``.parquet`` file.
    animal, sire, dam, birth_year, birth_date, sex
        Name of the column; None to recognize it by its usual names; False if there is none. Numbers from 1 say that the file
        has no header.
    unknown
        Texts that mean "parent unknown", exactly as written; None for the usual ones (empty, zeros, NA and so on).
    encoding
        How the letters are coded.
    mend
        Kinds of problems that may be repaired; see `breedeval.pedigree.build.build_pedigree`.
    progress
        Called with what is being done and the share of it that is done, from time to time.

    Returns
    -------
    Pedigree
        Parents that have no row of their own are in it as founders.

    Raises
    ------
    TableError
        If the file is not readable as a table, or a column is not there.
    PedigreeError
        If the pedigree says something impossible; every problem is named.

    Examples
    --------
    >>> import breedeval as be
    >>> pedigree = be.read_pedigree("pedigrees/mrode_table_2_1.csv")
    >>> pedigree.n_animals, pedigree.parent_ids(pedigree.row_of("5"))
    (6, ('4', '3'))
    """
    table = read_pedigree_table(
        path, animal=animal, sire=sire, dam=dam, birth_year=birth_year, birth_date=birth_date, sex=sex, unknown=unknown,
        encoding=encoding, progress=progress,
    )  # fmt: skip
    return build_pedigree(table, mend=mend, progress=progress).pedigree


def read_pedigree_table(
    path: str | os.PathLike[str],
    *,
    animal: Choice = None,
    sire: Choice = None,
    dam: Choice = None,
    birth_year: Choice = None,
    birth_date: Choice = None,
    sex: Choice = None,
    unknown: Sequence[str] | None = None,
    encoding: str = "utf-8",
    progress: Progress | None = None,
) -> PedigreeTable:
    """Read a pedigree file as it is: what it says is not checked yet, and rows may be without an animal (code −1).

    Parameters as of `read_pedigree`.

    Raises
    ------
    TableError
        If the file is not readable as a table, or a column is not there.
    PedigreeError
        If an animal has the name of an unknown parent, or a year or a date cannot be read; all are named together.
    """
    unknown = (unknown,) if isinstance(unknown, str) else unknown  # not one code a letter
    choices: dict[str, Choice] = dict(zip(PARTS, (animal, sire, dam, birth_year, birth_date, sex), strict=True))
    columns, table, texts = _read_columns(os.fspath(path), choices, encoding, unknown, progress)
    problems: list[str] = []
    ids = _read_ids(table, texts, columns.keys, unknown, problems, progress)
    part_of(progress, "births and sexes")(0.0)
    birth = _read_birth(table, columns, unknown, problems)
    if problems:
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise PedigreeError(
            f"{table.source.path} cannot be read as a pedigree:\n{listed}", path=table.source.path, problems=tuple(problems)
        )
    return PedigreeTable(
        source=table.source,
        names=ids.names,
        animal=ids.animal,
        sire=ids.sire,
        dam=ids.dam,
        birth_year=birth.year,
        birth_day=birth.day,
        sex=birth.sex,
        unknown_forms=ids.unknown_forms,
        suspicious_forms=ids.suspicious_forms,
        read_on=today(),
        notes=(*table.notes, *columns.describe(), *birth.notes, *note_on_ends(ids.names)),
    )


def _read_columns(
    path: str,
    choices: Mapping[str, Choice],
    encoding: str,
    unknown: Sequence[str] | None,
    progress: Progress | None,
) -> tuple[PedigreeColumns, TextTable, IdTexts]:
    """Read a large plain file without keeping its text, any other one as a whole."""
    with_header = has_header(path, list(named_columns(choices).values()))
    plain = open_plain(path, encoding=encoding, with_header=with_header, progress=progress)
    if plain is not None:
        columns = choose_columns(plain.path, plain.header, choices)
        ids = {part: key for part, key in columns.keys.items() if part in _ID_PARTS}
        others = [key for part, key in columns.keys.items() if part not in ids]
        n_more = len(suspicious_forms()) + len(unknown or ())
        if (read := plain.read(list(ids.values()), others, n_more)) is not None:
            return columns, read.table, DealtIds(list(ids), read)
    file = open_table(path, encoding=encoding, with_header=with_header, progress=progress)
    columns = choose_columns(file.path, file.header, choices)
    table = file.read(list(columns.keys.values()))
    return columns, table, PlacedIds({part: table.ids(columns.keys[part]) for part in _ID_PARTS if part in columns.keys})


def _read_ids(
    table: TextTable,
    texts: IdTexts,
    keys: Mapping[str, ColumnKey],
    unknown: Sequence[str] | None,
    problems: list[str],
    progress: Progress | None,
) -> _Ids:
    """Names as codes. The forms of "unknown" are the first codes, so that no name has to be taken away afterwards."""
    # A form that is longer than every text is not in the file, and long texts are slower to find.
    given = tuple(dict.fromkeys(no_longer_than(texts.longest, default_forms() if unknown is None else unknown)))
    # A null of Parquet is coded as the empty text, which is a form of "unknown" then; else it may be a fault.
    forms = Names.of(given if _EMPTY in given else (*given, _EMPTY))
    n_forms = len(forms)
    n_given = n_forms if texts.has_nulls else len(given)
    names, codes, odd = _encode(forms, texts, part_of(progress, "names of animals and parents"))
    problems += _header_as_row(table.source, names, n_forms, codes, keys)
    problems += _animals_named_unknown(table.source, forms, codes["animal"], given=unknown is not None)
    met = _take_forms_away(n_forms, codes)
    unknown_forms, suspicious_forms = (
        [form for part in _PARENTS if part in keys for form in listed_forms(forms, chosen, *met[part], str(keys[part]))]
        for chosen in (range(n_given), range(n_given, n_forms))
    )
    if met["animal"][0][n_given:].any():
        suspicious_forms = []
    suspicious = suspicious_codes(odd, names)
    if len(suspicious):
        names, more = _without_suspicious(names, codes, suspicious, keys)
        suspicious_forms = _by_column_and_count([*suspicious_forms, *more])
    for part in _PARENTS:
        if part not in codes:
            codes[part] = np.full(table.n_rows, NONE, dtype=np.int32)
    animal, sire, dam = (freeze(codes[part]) for part in _ID_PARTS)
    return _Ids(names, animal, sire, dam, tuple(unknown_forms), tuple(suspicious_forms))


def _encode(forms: Names, texts: IdTexts, progress: Callable[[float], None]) -> tuple[Names, dict[str, Int32], set[int]]:
    """Names of the columns that are no form; codes of each column, the forms first; which names look like "unknown"."""
    suspicious = Names.of(no_longer_than(texts.longest, suspicious_forms()))
    n_forms = len(forms)
    # The suspicious forms come last: who has a code below all that is new there was met in a column.
    names, (_, *codes, met) = texts.encode(forms, suspicious, progress)
    n_names = max([n_forms, *(int(some.max(initial=-1)) + 1 for some in codes)])
    odd = set((met[(met >= n_forms) & (met < n_names)] - n_forms).tolist())
    offsets = names.offsets[: n_names - n_forms + 1]
    met_names = Names(names.buffer[: int(offsets[-1])], offsets)
    return met_names, dict(zip(texts.parts, codes, strict=True)), odd


def _by_column_and_count(forms: list[UnknownForm]) -> list[UnknownForm]:
    columns = list(dict.fromkeys(form.column for form in forms))
    return sorted(forms, key=lambda form: (columns.index(form.column), -form.count, form.first_row))


def _take_forms_away(n_forms: int, codes: Mapping[str, Int32]) -> dict[str, tuple[Int64, Int64]]:
    """Leave the forms out of the codes; for each column how often each form stands in it, and where first."""
    met = {part: (np.zeros(n_forms, dtype=np.int64), np.zeros(n_forms, dtype=np.int64)) for part in codes}
    for _ in map_parts(lambda part: kernels.take_forms_away(codes[part], *met[part]), list(codes)):
        pass
    return met


def _without_suspicious(
    names: Names, codes: dict[str, Int32], suspicious: Int32, keys: Mapping[str, ColumnKey]
) -> tuple[Names, list[UnknownForm]]:
    """Take parents away that look like "unknown" and have no row of their own; `codes` are changed."""
    is_suspicious = np.zeros(len(names) + 1, dtype=np.bool_)  # one place more, where the code −1 looks
    is_suspicious[suspicious] = True
    animal = codes["animal"]
    is_suspicious[animal[is_suspicious[animal]]] = False
    found: list[UnknownForm] = []
    for part in _PARENTS:
        if part in codes:
            rows = np.flatnonzero(is_suspicious[codes[part]]).astype(np.int32)
            found += count_forms(names, codes[part][rows], rows, str(keys[part]))
    names, recoded = drop_names(names, is_suspicious[:-1], *codes.values())
    codes.update(zip(codes, recoded, strict=True))
    return names, found


def _header_as_row(
    source: Source, names: Names, n_forms: int, codes: Mapping[str, Int32], keys: Mapping[str, ColumnKey]
) -> list[str]:
    """A problem if columns were chosen by number, but the first row names them: its words would be animals."""
    if not isinstance(keys["animal"], int) or not len(codes["animal"]):
        return []
    first = {part: names[int(code[0]) - n_forms] for part, code in codes.items() if code[0] >= n_forms}
    if not usual_names(first):
        return []
    words = ", ".join(f"'{text}'" for text in first.values())
    choice = ", ".join(f"{part} = '{text}'" for part, text in first.items())
    return [
        f"{words} look like the names of columns {source.where([0])}, but columns are chosen by number, which is for files "
        f"without such a line: choose them by name ({choice}), or delete the line."
    ]


def _animals_named_unknown(source: Source, forms: Names, animal: Int32, *, given: bool) -> list[str]:
    """Problems: animals whose name is a code for "unknown". An empty one is left to the checks of the pedigree."""
    rows = np.flatnonzero(animal < len(forms))
    rows = rows[forms.lengths[animal[rows]] > 0]
    codes, first = np.unique(animal[rows], return_index=True)
    problems: list[str] = []
    for code in codes[np.argsort(first)]:
        chosen = rows[animal[rows] == code]
        form, where, n = forms[int(code)], source.where(chosen), count_of(len(chosen), "row")
        remedy = (
            f"take '{form}' out of `unknown`" if given else f"give a list `unknown` without it (the default is: {DEFAULT_LIST})"
        )
        problems.append(
            f"{n} with the animal '{form}' {where}, which also means an unknown parent: {remedy}, or rename the animal."
        )
    return problems


def _read_birth(table: TextTable, columns: PedigreeColumns, unknown: Sequence[str] | None, problems: list[str]) -> _Birth:
    missing = list(dict.fromkeys([*default_forms(), *(unknown or ())]))
    keys = columns.keys
    year, day, year_of_day, sex = None, None, None, None
    notes: tuple[str, ...] = ()
    if "sex" in keys:
        sex, notes = read_sex(str(keys["sex"]), table.texts(keys["sex"]), missing)
    if "birth_year" in keys:
        name = str(keys["birth_year"])
        year, wrong = read_birth_year(name, table.coded.get(name) or table.columns[name], missing)
        problems += _unreadable(table.source, columns, "birth_year", wrong)
    if "birth_date" in keys:
        day, year_of_day, wrong = read_birth_date(str(keys["birth_date"]), table.texts(keys["birth_date"]), missing)
        problems += _unreadable(table.source, columns, "birth_date", wrong)
    if year is not None and year_of_day is not None:
        apart = np.flatnonzero((year != year_of_day) & (year != YEAR_UNKNOWN) & (year_of_day != YEAR_UNKNOWN))
        if len(apart):
            problems.append(
                f"{count_of(len(apart), 'row')} whose birth year is not that of the birth date {table.source.where(apart)}."
            )
        year = freeze(np.where(year == YEAR_UNKNOWN, year_of_day, year))
    return _Birth(year_of_day if year is None else year, day, sex, notes)


def _unreadable(source: Source, columns: PedigreeColumns, part: str, wrong: Unreadable | None) -> list[str]:
    if wrong is None:
        return []
    chosen = f"; if this is not the {part.replace('_', ' ')}, set `{part}: none`" if part in columns.recognized else ""
    return [f"{describe(wrong, source)}: correct them, or leave the field empty{chosen}."]
