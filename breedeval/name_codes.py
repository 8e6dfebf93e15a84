"""Several columns of names as codes, all at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from numpy.typing import NDArray

from breedeval.arrays import Int32, UInt8, freeze
from breedeval.equal_texts import DealtTexts, TextRows, deal_columns, may_be_matched
from breedeval.names import Names, NameTable


def encode_columns(
    columns: Sequence[tuple[UInt8, NDArray[Any], NDArray[Any]]],
    progress: Callable[[float], None] | None = None,
    first: int = 0,
) -> tuple[Names, list[Int32]]:
    """Give each distinct text of several columns a code, in order of first appearance: down the first column, then the next.

    Parameters
    ----------
    columns
        For each the buffer (b,) uint8, and (m,) starts and lengths of the texts in it.
    progress
        Told the share that is done.
    first
        Codes below it are left out of the names.

    Returns
    -------
    names
        The distinct texts from code `first` on, in the order of their codes.
    codes
        For each column (m,) int32.

    Notes
    -----
    Texts of at most 31 bytes are found by partitions, see `breedeval.equal_texts`; if one is longer, by `NameTable`, which is
    slower.

    Examples
    --------
    >>> from breedeval.names import Names
    >>> some, more = Names.of(["a", "b"]), Names.of(["c", "a"])
    >>> names, codes = encode_columns([(part.buffer, part.offsets[:-1], part.lengths) for part in (some, more)])
    >>> names.to_list(), [column.tolist() for column in codes]
    (['a', 'b', 'c'], [[0, 1], [2, 0]])
    """
    rows = [TextRows.of(*column) for column in columns]
    if not may_be_matched(rows):
        table = NameTable(max(len(starts) for _, starts, _ in columns))
        codes = [table.encode(*column, progress) for column in columns]
        return table.give_away(first), codes
    return dealt_codes(*deal_columns([texts for texts in rows if texts is not None]), progress, first)


def dealt_codes(
    dealt: DealtTexts, begins: Sequence[int], progress: Callable[[float], None] | None = None, first: int = 0
) -> tuple[Names, list[Int32]]:
    """As `encode_columns`, of texts that are dealt out; `begins` (columns + 1,): the stream with which each column begins."""
    together, ends, buffer, offsets = dealt.codes(progress)
    begin = int(offsets[first])
    offsets = offsets[first:]
    if begin:
        offsets -= begin
    codes = [together[ends[a] : ends[b]] for a, b in pairwise(begins)]
    return Names(freeze(buffer[begin:]), freeze(offsets)), codes
