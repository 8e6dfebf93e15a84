"""Read coefficients of inbreeding that an earlier run has written."""

from __future__ import annotations

import os

import numpy as np

from breedeval.arrays import NONE, Float64, Int32, freeze
from breedeval.errors import EXAMPLES_SHOWN, TableError, count_of, name_some
from breedeval.io.column_codes import encode_column
from breedeval.io.number_column import number_values
from breedeval.io.tables import open_table
from breedeval.io.text_table import TextTable
from breedeval.names import Names
from breedeval.relationship.stored_inbreeding import NOT_STORED, StoredInbreeding

_ANIMAL, _VALUE, _PARENTS = "animal", "inbreeding", ("sire", "dam")


def read_stored_inbreeding(path: str | os.PathLike[str], *, encoding: str = "utf-8") -> StoredInbreeding:
    """Read a table of ``breedeval pedigree inbreeding``.

    Parameters
    ----------
    path
        With columns ``animal`` and ``inbreeding``; those of ``sire`` and ``dam``, empty where unknown, let changed parents be
        found.
    encoding
        How the letters are coded.

    Raises
    ------
    TableError
        If the file cannot be read, a column is missing, an animal stands there twice, or something is no number.
    """
    file = open_table(path, encoding=encoding)
    with_parents = all(part in file.header for part in _PARENTS)
    table = file.read([_ANIMAL, _VALUE, *(_PARENTS if with_parents else ())])
    names, codes = encode_column(table.ids(_ANIMAL), ("",))
    _refuse_rows(table, names, codes)
    values, wrong = number_values(_VALUE, table.columns[_VALUE], ())
    if wrong is not None:
        raise TableError(f"{table.source.path}: {wrong.describe(table.source)}")
    _refuse_impossible(table, names, values)
    parents = [_places(table, part, names) for part in _PARENTS] if with_parents else []
    sire, dam = parents if parents else (np.empty(0, dtype=np.int32),) * 2
    return StoredInbreeding(names, freeze(values), sire, dam, table.source)


def _refuse_rows(table: TextTable, names: Names, codes: Int32) -> None:
    """Each row has an animal of its own: then the codes are the rows."""
    if len(names) == len(codes):
        return
    nameless = np.flatnonzero(codes == NONE)
    if nameless.size:
        raise TableError(f"{count_of(len(nameless), 'row')} without an animal {table.source.where(nameless)}. Name it.")
    is_repeated = np.bincount(codes, minlength=len(names)) > 1
    listed = names.take(np.flatnonzero(is_repeated)).to_list()
    raise TableError(
        f"{count_of(len(listed), 'animal')} with several coefficients of inbreeding: {name_some(listed)} "
        f"{table.source.where(np.flatnonzero(is_repeated[codes]))}. Leave one row each."
    )


def _refuse_impossible(table: TextTable, names: Names, values: Float64) -> None:
    rows = np.flatnonzero((values < 0) | (values > 1))
    if rows.size:
        shown = name_some((f"{names[row]}: {values[row]:g}" for row in rows[:EXAMPLES_SHOWN].tolist()), of=len(rows))
        raise TableError(
            f"{count_of(len(rows), 'coefficient')} of inbreeding below 0 or above 1: {shown} {table.source.where(rows)}. "
            "Correct them, or leave the rows out."
        )


def _places(table: TextTable, part: str, names: Names) -> Int32:
    """Place of each parent among the names, −1 if it is empty, `NOT_STORED` if it is not there."""
    parents, codes = encode_column(table.ids(part), ("",))
    found = names.find(parents)
    places = np.append(np.where(found == NONE, np.int32(NOT_STORED), found), np.int32(NONE))
    return freeze(places[codes].astype(np.int32))
