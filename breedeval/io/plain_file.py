"""A large plain text file, read in pieces none of which is kept.

What is read for the first time costs as much in new memory as in work. So a piece of the file is cut while it is in the caches
of the processor; its ids are dealt out, its other columns become codes, and the next piece takes its place. That needs a plain
file: UTF-8 without quotes or a byte-order mark, every line a row with as many fields as the header. If anything else is met,
the file is left to `breedeval.io.delimited_file`, which holds all of it in memory and can name every fault.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from threading import Event, Lock

import numpy as np
from numpy.typing import NDArray

from breedeval.arrays import Int32, UInt8, freeze
from breedeval.equal_texts import TOO_LONG, DealtTexts
from breedeval.io.column_codes import FewTexts
from breedeval.io.cut_rows import Cut, Room, cut_into
from breedeval.io.separator import choose_separator
from breedeval.io.text_bytes import begins_plainly, fill, is_utf8, look_at
from breedeval.io.text_head import SAMPLE, cut_header, first_lines, note_of_last_line
from breedeval.io.text_table import CodedColumn, ColumnKey, TextTable, find_columns
from breedeval.kernels.plain_rows import LINE_FEED
from breedeval.kernels.threads import map_parts, n_threads
from breedeval.names import Names
from breedeval.progress import Progress, part_of
from breedeval.source import Source

#: A smaller file is not worth the trouble.
_SMALLEST = 1 << 24
_PIECE, _NEAR = 1 << 19, 1 << 10
_PARTS_A_THREAD = 4
#: There is room for rows that are so many times as short as those at the beginning; what is not used costs nothing.
_SHORTER = 2
_PACKED = (".gz", ".parquet", ".pq")


_Codes = list[tuple[Names, NDArray[np.uint16]]]


@dataclass(frozen=True)
class PlainTable:
    """Columns of a plain file: those of ids dealt out, in streams from `begins` (columns + 1,) on; the others as codes.

    The first stream and the last are free for further texts, which may have as many bytes as `longest`.
    """

    table: TextTable
    ids: DealtTexts
    begins: tuple[int, ...]
    longest: int


@dataclass(frozen=True)
class PlainFile:
    """The beginning of a large plain file, see `open_plain`.

    Parameters
    ----------
    path
        Name of the file.
    header
        Names of the columns, or the fields of the first line if it is no header.
    """

    path: str
    header: tuple[str, ...]
    separator: int
    begin: int
    line: int
    size: int
    row_bytes: float
    longest: int
    notes: tuple[str, ...]
    progress: Progress | None

    def read(self, ids: Sequence[ColumnKey], others: Sequence[ColumnKey], n_more: int) -> PlainTable | None:
        """Read these columns of all rows; None if the file turns out not to be plain.

        Parameters
        ----------
        ids
            Columns of many different texts.
        others
            Columns of texts few of which are different.
        n_more
            How many texts the first stream and the last have to take each.

        Raises
        ------
        TableError
            If a column is missing.
        """
        places = list(find_columns(self.path, self.header, [*ids, *others]).values())
        slots = np.full(len(self.header), -1, dtype=np.int32)
        slots[places] = np.arange(len(places), dtype=np.int32)
        if self.longest >= TOO_LONG or (slots >= 0).sum() < len(places):
            return None
        bounds = self._part_bounds()
        if bounds is None:
            return None
        n_parts = len(bounds) - 1
        rooms = [self.room(end - first) for first, end in pairwise(bounds)]
        expected = int(len(ids) * self.size / self.row_bytes)
        dealt = DealtTexts([n_more, *rooms * len(ids), n_more], expected, self.longest)
        few = _Reading(self, slots, len(ids), n_parts, dealt).read(bounds)
        if few is None:
            return None
        coded = {str(key): CodedColumn(tuple(part[k] for part in few)) for k, key in enumerate(others)}
        n_rows = sum(dealt.counts[1 : 1 + n_parts])
        if n_rows == 0:
            return None
        first_line = self.line
        source = Source(self.path, lambda row: first_line + int(row), "line")
        begins = (0, *(1 + k * n_parts for k in range(len(ids) + 1)), 2 + len(ids) * n_parts)
        return PlainTable(TextTable(source, n_rows, {}, self.notes, coded), dealt, begins, self.longest)

    def room(self, n_bytes: int) -> int:
        """Room for the rows of so many bytes, more than is needed."""
        return int(_SHORTER * n_bytes / self.row_bytes) + _PIECE

    def _part_bounds(self) -> list[int] | None:
        """Places behind a line feed, about evenly apart, from the first row to the end of the file; None if lines are long."""
        n_parts = max(1, min(_PARTS_A_THREAD * n_threads(), (self.size - self.begin) // _PIECE))
        bounds = [self.begin]
        with open(self.path, "rb") as file:
            for k in range(1, n_parts):
                place = self.begin + (self.size - self.begin) * k // n_parts
                file.seek(place)
                if (found := file.read(_PIECE).find(LINE_FEED)) < 0:
                    return None
                bounds.append(place + found + 1)
        return [*bounds, self.size]


def open_plain(path: str, *, encoding: str, with_header: bool, progress: Progress | None = None) -> PlainFile | None:
    """Look at the beginning of a file; None if it is small or not plain, or cannot be read at all."""
    place = Path(path)
    if path.lower().endswith(_PACKED) or not place.is_file() or not os.access(path, os.R_OK):
        return None
    size = place.stat().st_size
    if size < _SMALLEST or not _is_utf8(encoding):
        return None
    with open(path, "rb") as file:
        head = np.frombuffer(file.read(SAMPLE), dtype=np.uint8)
        file.seek(size - 1)
        last = np.frombuffer(file.read(1), dtype=np.uint8)
    lines = first_lines(head, is_whole=False)
    if not lines or not begins_plainly(head[:8].tobytes()) or not _is_plain(head[: _end_of_lines(head)]):
        return None
    separator, guessed = choose_separator(path, lines, has_header=with_header)
    header = cut_header(head, separator)
    begin, line = (header.end, 2) if with_header else (0, 1)
    sample = _cut_sample(head, begin, separator, len(header.fields))
    if header.line != 2 or sample.n_rows == 0:
        return None
    return PlainFile(
        path, header.fields, separator, begin, line, size, (sample.end - begin) / sample.n_rows, sample.longest,
        (*guessed, *note_of_last_line(last)), progress,
    )  # fmt: skip


def _is_plain(text: UInt8) -> bool:
    seen = look_at(text)
    return not (seen.has_nul or seen.has_quotes) and (not seen.has_high or is_utf8(text))


def _end_of_lines(text: UInt8) -> int:
    """The place behind the last line feed, 0 if there is none."""
    for end in range(len(text), 0, -_NEAR):
        if len(found := np.flatnonzero(text[max(end - _NEAR, 0) : end] == LINE_FEED)):
            return max(end - _NEAR, 0) + int(found[-1]) + 1
    return 0


def _is_utf8(encoding: str) -> bool:
    try:
        return codecs.lookup(encoding).name == "utf-8"
    except LookupError:
        return False


def _cut_sample(head: UInt8, begin: int, separator: int, n_fields: int) -> Cut:
    text = head[: max(_end_of_lines(head), begin)].copy()
    slots = np.arange(n_fields, dtype=np.int32)
    return cut_into(Room.narrow(slots, len(text) // n_fields + 1, len(text)), text, begin, 1, separator, slots)


class _Reading:
    """Threads that read parts of a file; if one meets anything that is not plain, all stop."""

    def __init__(self, file: PlainFile, slots: Int32, n_ids: int, n_parts: int, dealt: DealtTexts) -> None:
        self._file, self._slots, self._n_ids, self._n_parts, self._dealt = file, slots, n_ids, n_parts, dealt
        self._not_plain, self._lock = Event(), Lock()
        self._bytes_read = 0
        self._tell = part_of(file.progress, f"reading {file.path}")

    def read(self, bounds: list[int]) -> list[_Codes] | None:
        """Codes of the columns that are no ids, for each part of the file; None if the file is not plain."""
        read = list(map_parts(lambda k: self._read_part(k, bounds[k], bounds[k + 1]), list(range(self._n_parts))))
        return None if self._not_plain.is_set() else read

    def _read_part(self, k: int, first: int, end: int) -> _Codes:
        n_others = int(self._slots.max(initial=-1)) + 1 - self._n_ids
        few = [FewTexts(self._file.room(end - first)) for _ in range(n_others)]
        piece = np.empty(_PIECE, dtype=np.uint8)
        room = Room.narrow(self._slots, len(piece) // len(self._slots) + 1, len(piece))
        kept = 0  # bytes of a line whose end is in the next piece
        with open(self._file.path, "rb", buffering=0) as file:
            file.seek(first)
            while first < end and not self._not_plain.is_set():
                new = piece[kept : kept + end - first]
                is_filled = len(new) > 0 and fill(file, new)
                first += len(new)
                filled = kept + len(new)
                at_end = filled if first == end else _end_of_lines(piece[:filled])
                if not is_filled or at_end == 0 or not self._take(k, piece[:at_end], room, few):
                    self._not_plain.set()
                kept = filled - at_end
                piece[:kept] = piece[at_end:filled].copy()
                self._tell_read(len(new))
        return [some.freeze() for some in few]

    def _take(self, k: int, text: UInt8, room: Room, few: list[FewTexts]) -> bool:
        """Take the rows of a piece; False if they are not plain."""
        if not _is_plain(text):
            return False
        cut = cut_into(room, text, 0, 0, self._file.separator, self._slots, most_faults=1)
        is_cut = cut.n_rows == cut.line and not cut.n_ragged and cut.longest <= np.iinfo(room.lengths.dtype).max
        letters, rows = freeze(text), slice(cut.n_rows)
        columns = [(letters, freeze(a[rows]), freeze(b[rows])) for a, b in zip(room.starts, room.lengths, strict=True)]
        streams = [1 + column * self._n_parts + k for column in range(self._n_ids)]
        return (
            is_cut
            and all(self._dealt.deal(stream, *column) for stream, column in zip(streams, columns, strict=False))
            and all(some.add(*column) for some, column in zip(few, columns[self._n_ids :], strict=True))
        )

    def _tell_read(self, n_bytes: int) -> None:
        with self._lock:
            self._bytes_read += n_bytes
            self._tell(min(self._bytes_read / self._file.size, 1.0))
