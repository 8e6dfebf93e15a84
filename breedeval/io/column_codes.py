"""Columns of names as integer codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breedeval.arrays import NONE, Bool, Int32, UInt8, freeze
from breedeval.io.text_table import CodedColumn, TextColumn
from breedeval.kernels import pedigree_rows
from breedeval.kernels.few_texts import LONGEST, encode_few
from breedeval.kernels.threads import cut_range, map_parts
from breedeval.names import Names, NameTable
from breedeval.pedigree.row_values import values_of_rows

_SMALLEST_PART = 1 << 18
#: Distinct texts that are few (the dates of decades): their table stays in the caches of a processor.
_FEW = 1 << 14


class FewTexts:
    """Codes of texts few of which are distinct, met piece by piece.

    Parameters
    ----------
    room
        How many texts there may be.
    """

    def __init__(self, room: int) -> None:
        self._slots, self._keys = np.zeros(4 * _FEW, dtype=np.int32), np.empty((_FEW, 2), dtype=np.uint64)
        self._codes = np.empty(room, dtype=np.uint16)
        self._n, self._n_distinct = 0, 0

    def add(self, buffer: UInt8, starts: NDArray[Any], lengths: NDArray[Any]) -> bool:
        """Take more texts; False if they are not few, or too long, or too many: then this is of no use any more."""
        out = self._codes[self._n : self._n + len(starts)]
        if len(out) < len(starts):
            return False
        self._n += len(starts)
        self._n_distinct = int(encode_few(buffer, starts, lengths, self._n_distinct, self._slots, self._keys, out))
        return self._n_distinct >= 0

    def freeze(self) -> tuple[Names, NDArray[np.uint16]]:
        """The distinct texts, and the code of each."""
        letters = self._keys[: self._n_distinct].astype("<u8").view(np.uint8).reshape(-1, 16)
        offsets = np.zeros(len(letters) + 1, dtype=np.int64)
        np.cumsum(letters[:, LONGEST], out=offsets[1:])
        is_used = np.arange(16) < letters[:, LONGEST:]
        return Names(freeze(letters[is_used]), freeze(offsets)), freeze(self._codes[: self._n])


def encode_column(column: TextColumn | CodedColumn, missing: Sequence[str]) -> tuple[Names, Int32]:
    """Names of a column without the texts that mean "missing", and the (m,) codes, −1 where missing."""
    coded = column if isinstance(column, CodedColumn) else CodedColumn(_encode_parts(column))
    joined = NameTable()
    recoded = tuple(joined.encode(names.buffer, names.offsets[:-1], names.lengths) for names, _ in coded.parts)
    names = joined.freeze()
    dropped = are_among(names, missing)
    null = column.null if isinstance(column, TextColumn) else None
    if null is None:
        names, recoded = drop_names(names, dropped, *recoded)
        return names, _joined_codes(coded, recoded)
    codes = _joined_codes(coded, recoded)
    codes[null] = NONE
    # A null was read as an empty text, which is no name unless another field is empty.
    dropped |= np.bincount(codes[codes >= 0], minlength=len(names)) == 0
    names, (codes,) = drop_names(names, dropped, codes)
    return names, codes


def _joined_codes(coded: CodedColumn, recoded: Sequence[Int32]) -> Int32:
    """(m,) what is `recoded` for the codes of each part."""
    ends = np.cumsum([0, *(len(codes) for _, codes in coded.parts)]).tolist()
    out = np.empty(ends[-1], dtype=np.int32)

    def fill(k: int) -> None:
        pedigree_rows.values_of_rows(coded.parts[k][1], recoded[k], NONE, out[ends[k] : ends[k + 1]])

    for _ in map_parts(fill, list(range(len(coded.parts)))):
        pass
    return out


def _encode_parts(column: TextColumn) -> tuple[tuple[Names, NDArray[Any]], ...]:
    """Encode by threads that each collect names of their own."""

    def encode_part(part: tuple[int, int]) -> tuple[Names, NDArray[Any]]:
        starts, lengths = column.starts[slice(*part)], column.lengths[slice(*part)]
        few = FewTexts(len(starts))
        if few.add(column.buffer, starts, lengths):
            return few.freeze()
        table = NameTable()
        codes = table.encode(column.buffer, starts, lengths)
        return table.freeze(), codes

    return tuple(map_parts(encode_part, cut_range(len(column.starts), _SMALLEST_PART)))


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
