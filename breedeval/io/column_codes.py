"""Columns of names as integer codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breedeval.arrays import NONE, Bool, Int32, UInt8, freeze
from breedeval.io.text_table import TextColumn
from breedeval.kernels import pedigree_rows
from breedeval.kernels.few_texts import encode_few
from breedeval.kernels.threads import cut_range, map_parts
from breedeval.names import Names, NameTable
from breedeval.pedigree.row_values import values_of_rows

_SMALLEST_PART = 1 << 18
#: Distinct texts that are few (the dates of decades): their table stays in the caches of a processor.
_FEW = 1 << 14


def encode_column(column: TextColumn, missing: Sequence[str]) -> tuple[Names, Int32]:
    """Names of a column without the texts that mean "missing", and the (m,) codes, −1 where missing."""
    table, codes = _encode_parts(column)
    if column.null is not None:
        codes[column.null] = NONE
    names = table.freeze()
    dropped = are_among(names, missing)
    if column.null is not None:
        # A null was read as an empty text, which is no name unless another field is empty.
        dropped |= np.bincount(codes[codes >= 0], minlength=len(names)) == 0
    names, (codes,) = drop_names(names, dropped, codes)
    return names, codes


def _encode_parts(column: TextColumn) -> tuple[NameTable, Int32]:
    """Encode by threads that each collect names of their own; the names are joined in the order of the rows."""
    codes = np.empty(len(column.starts), dtype=np.int32)

    def encode_part(part: tuple[int, int]) -> Names:
        chosen = slice(*part)
        starts, lengths = column.starts[chosen], column.lengths[chosen]
        if (names := _encode_few(column.buffer, starts, lengths, codes[chosen])) is not None:
            return names
        table = NameTable()
        codes[chosen] = table.encode(column.buffer, starts, lengths)
        return table.freeze()

    joined = NameTable()
    parts = cut_range(len(codes), _SMALLEST_PART)
    for part, names in zip(parts, map_parts(encode_part, parts), strict=True):
        recoded = joined.encode(names.buffer, names.offsets[:-1], names.lengths)
        if part[0] > 0:
            pedigree_rows.values_of_rows(codes[slice(*part)], recoded, NONE, codes[slice(*part)])
    return joined, codes


def _encode_few(buffer: UInt8, starts: NDArray[Any], lengths: NDArray[Any], out: Int32) -> Names | None:
    """Encode short texts of which few are distinct; None if they are not."""
    slots, keys = np.zeros(4 * _FEW, dtype=np.int32), np.empty((_FEW, 2), dtype=np.uint64)
    firsts = np.empty(_FEW, dtype=np.int64)
    n = int(encode_few(buffer, starts, lengths, slots, keys, firsts, out))
    if n < 0:
        return None
    spans = zip(starts[firsts[:n]].tolist(), lengths[firsts[:n]].tolist(), strict=True)
    texts = [buffer[start : start + length] for start, length in spans]
    offsets = np.cumsum([0, *(len(text) for text in texts)], dtype=np.int64)
    return Names(freeze(np.concatenate([*texts, np.empty(0, dtype=np.uint8)])), freeze(offsets))


def are_among(names: Names, texts: Sequence[str]) -> Bool:
    """(n,) which of `names` are one of `texts`."""
    found: Bool = Names.of(dict.fromkeys(texts)).find(names) != NONE
    return found


def drop_names(names: Names, dropped: Bool, *columns: Int32) -> tuple[Names, tuple[Int32, ...]]:
    """Take names away; their code becomes −1 in each of `columns`, and the others close up."""
    if not dropped.any():
        return names, columns
    recoded = np.full(len(names), NONE, dtype=np.int32)
    recoded[~dropped] = np.arange(len(names) - int(dropped.sum()), dtype=np.int32)
    return names.take(np.flatnonzero(~dropped)), tuple(values_of_rows(column, recoded, NONE) for column in columns)
