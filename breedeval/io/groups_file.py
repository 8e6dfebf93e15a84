"""Read from a pedigree file which group stands for each unknown parent."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from breedeval.arrays import NONE, Int32
from breedeval.io.column_codes import encode_column
from breedeval.io.pedigree_columns import Choice, choose_columns, named_columns
from breedeval.io.tables import open_table
from breedeval.io.text_table import ColumnKey, has_header
from breedeval.io.unknown_forms import default_forms
from breedeval.names import Names
from breedeval.source import Source

_NEGATIVE = re.compile(r"-[1-9]\d*")


@dataclass(frozen=True)
class GroupRows:
    """Groups of the unknown parents, row by row of the file.

    Parameters
    ----------
    source
        File and line of each row.
    animals, animal
        Names of the animals, and (rows,) codes into them; −1 for a row without animal.
    groups, sire, dam
        Names of the groups, and (rows,) codes into them; −1 where the row names no group.
    """

    source: Source
    animals: Names
    animal: Int32
    groups: tuple[Names, Names]
    sire: Int32
    dam: Int32


def read_group_columns(
    path: str | os.PathLike[str],
    choices: Mapping[str, Choice],
    sire_group: ColumnKey,
    dam_group: ColumnKey,
    *,
    missing: Sequence[str] = (),
    encoding: str = "utf-8",
) -> GroupRows:
    """Read groups that stand in columns of their own.

    Parameters
    ----------
    path
        The pedigree file.
    choices
        Its columns, as for `breedeval.io.pedigree_file.read_pedigree_table`.
    sire_group, dam_group
        Columns of the group of an unknown sire and of an unknown dam; may be the same.
    missing
        Texts in them that name no group.
    """
    keys = [*named_columns(choices).values(), sire_group, dam_group]
    file = open_table(path, encoding=encoding, with_header=has_header(os.fspath(path), keys))
    animal_key = choose_columns(file.path, file.header, choices).keys["animal"]
    table = file.read(list(dict.fromkeys([animal_key, sire_group, dam_group])))
    animals, animal = encode_column(table.ids(animal_key), ("",))
    sires, sire = encode_column(table.ids(sire_group), ("", *missing))
    dams, dam = encode_column(table.ids(dam_group), ("", *missing))
    return GroupRows(table.source, animals, animal, (sires, dams), sire, dam)


def read_group_codes(
    path: str | os.PathLike[str], choices: Mapping[str, Choice], codes: Sequence[str] | None, *, encoding: str = "utf-8"
) -> tuple[GroupRows, tuple[str, ...]]:
    """Read groups that stand in the columns of sire and dam in the place of an unknown parent.

    Parameters
    ----------
    codes
        The texts that are groups; None for negative whole numbers.

    Returns
    -------
    rows : GroupRows
    found : the texts that are groups, which are then no animals
    """
    file = open_table(path, encoding=encoding, with_header=has_header(os.fspath(path), list(named_columns(choices).values())))
    columns = choose_columns(file.path, file.header, choices).keys
    table = file.read([columns[part] for part in ("animal", "sire", "dam") if part in columns])
    animals, animal = encode_column(table.ids(columns["animal"]), ("",))
    parents = {part: encode_column(table.ids(columns[part]), ()) for part in ("sire", "dam")}
    if codes is None:
        listed = (name for names, _ in parents.values() for name in names)
        codes = sorted({name for name in listed if _NEGATIVE.fullmatch(name)}, key=int, reverse=True)
    groups = Names.of(codes)
    of_row = []
    for names, code in parents.values():
        place = np.append(groups.find(names), np.int32(NONE))  # the last answers for a row without a text
        of_row.append(place[code].astype(np.int32))
    return GroupRows(table.source, animals, animal, (groups, groups), of_row[0], of_row[1]), tuple(codes)


def unknown_with_groups(unknown: Sequence[str] | None, groups: Sequence[str]) -> tuple[str, ...]:
    """Forms of an unknown parent when codes of groups stand in the columns of the parents as well."""
    return (*(default_forms() if unknown is None else unknown), *groups)
