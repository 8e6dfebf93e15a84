"""Columns of names as integer codes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from breedeval.arrays import NONE, Bool, Int32
from breedeval.io.text_table import TextColumn
from breedeval.kernels.threads import cut_range, map_parts
from breedeval.names import Names, NameTable

_SMALLEST_PART = 1 << 18


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
        chosen, table = slice(*part), NameTable()
        codes[chosen] = table.encode(column.buffer, column.starts[chosen], column.lengths[chosen])
        return table.freeze()

    joined = NameTable()
    parts = cut_range(len(codes), _SMALLEST_PART)
    for part, names in zip(parts, map_parts(encode_part, parts), strict=True):
        recoded = joined.encode(names.buffer, names.offsets[:-1], names.lengths)
        if part[0] > 0:
            np.take(recoded, codes[slice(*part)], out=codes[slice(*part)], mode="clip")
    return joined, codes


def are_among(names: Names, texts: Sequence[str]) -> Bool:
    """(n,) which of `names` are one of `texts`."""
    found: Bool = Names.of(dict.fromkeys(texts)).find(names) != NONE
    return found


def drop_names(names: Names, dropped: Bool, *columns: Int32) -> tuple[Names, tuple[Int32, ...]]:
    """Take names away; their code becomes −1 in each of `columns`, and the others close up."""
    if not dropped.any():
        return names, columns
    # One place more, so that the code −1 finds −1.
    recoded = np.full(len(names) + 1, NONE, dtype=np.int32)
    recoded[:-1][~dropped] = np.arange(len(names) - int(dropped.sum()), dtype=np.int32)
    return names.take(np.flatnonzero(~dropped)), tuple(recoded[column] for column in columns)
