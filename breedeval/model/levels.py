"""Levels of effects: which names there are and which one each record has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from breedeval.arrays import NONE, Float64, Int32, Int64, freeze
from breedeval.model.records import ClassColumn
from breedeval.names import Names

#: Above so many levels nobody reads them in order, and sorting texts costs more than it gives.
SORTED_UP_TO = 20_000


def present(column: ClassColumn, rows: Int64) -> tuple[Names, Int32]:
    """Levels that occur among `rows`, in the order people expect (very many: as they occur), and the level of each row.

    Returns
    -------
    names : the levels met
    level : (len(rows),) int32, −1 where the column is missing
    """
    codes = column.codes[rows]
    first = np.full(len(column.names) + 1, len(codes), dtype=np.int64)  # the last slot answers for −1
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    met = np.flatnonzero(first[:-1] < len(codes))
    if len(met) > SORTED_UP_TO:
        met = met[np.argsort(first[met])]  # as the records meet them: a pass over records walks through them in step
    names = column.names.take(met)
    if len(met) <= SORTED_UP_TO:
        order = names.sort_order()
        met, names = met[order], names.take(order)
    new_code = np.full(len(column.names) + 1, NONE, dtype=np.int32)  # the last slot answers for −1
    new_code[met] = np.arange(len(met), dtype=np.int32)
    return names, new_code[codes]


def crossed(columns: Sequence[ClassColumn], rows: Int64) -> tuple[Names, Int32]:
    r"""Levels of an interaction: the combinations of classes that occur among `rows`, and the level of each row.

    A combination is named ``a:b``. A colon in the name of a class stands there as ``\:`` and a backslash as ``\\``, so that
    two combinations never have one name.
    """
    names, level = present(columns[0], rows)
    if len(columns) > 1:
        names = _escaped(names)
    for column in columns[1:]:
        other_names, other_level = present(column, rows)
        other_names = _escaped(other_names)
        met = (level >= 0) & (other_level >= 0)
        pair = level[met].astype(np.int64) * len(other_names) + other_level[met]
        pairs, code = np.unique(pair, return_inverse=True)
        left, right = names.take(pairs // len(other_names)), other_names.take(pairs % len(other_names))
        names = Names.of(f"{a}:{b}" for a, b in zip(left, right, strict=True))
        level = np.full(len(rows), NONE, dtype=np.int32)
        level[met] = code
    return names, level


def _escaped(names: Names) -> Names:
    if not np.isin(names.buffer, np.frombuffer(b":\\", dtype=np.uint8)).any():
        return names
    return Names.of(name.replace("\\", "\\\\").replace(":", "\\:") for name in names)


def column_products(parts: Sequence[Float64]) -> Float64 | None:
    """Products of the columns of several covariables, record by record; None when there are none."""
    if not parts:
        return None
    product = parts[0]
    for part in parts[1:]:
        product = (product[:, :, None] * part[:, None, :]).reshape(len(product), -1)
    return freeze(product)
