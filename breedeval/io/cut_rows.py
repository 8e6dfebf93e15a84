"""Cutting a text into rows and fields, by one thread or by several."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breedeval.arrays import Int32, Int64, UInt8
from breedeval.io.text_bytes import MOST_LINES
from breedeval.kernels.fields import count_line_ends, cut_rows
from breedeval.kernels.plain_rows import LINE_FEED
from breedeval.kernels.threads import map_parts, n_threads

#: Starts, or lengths, of fields (columns, rows).
Places = NDArray[np.uint16] | NDArray[np.uint32] | Int32 | Int64

_PART = 1 << 22


@dataclass(frozen=True)
class Cut:
    """What `cut_rows` found in a text, or in a part of it; see there."""

    starts: Places
    lengths: Places
    lines: Int32
    ragged: Int64
    stray: Int64
    n_rows: int
    end: int
    line: int
    n_ragged: int
    n_like_first: int
    n_stray: int
    unclosed: int
    longest: int


@dataclass(frozen=True)
class Room:
    """Where the rows of a text go; what is not needed costs no memory, and it may be used again."""

    starts: Places
    lengths: Places
    lines: Int32

    @classmethod
    def of(cls, slots: Int32, capacity: int) -> Room:
        """Room for so many rows of those columns that have a slot."""
        return cls._with(slots, capacity, np.int64, np.int32)

    @classmethod
    def narrow(cls, slots: Int32, capacity: int, n_bytes: int) -> Room:
        """Half of the memory, which is half of the time to get it; for fields that are not too long."""
        return cls._with(slots, capacity, np.uint32 if n_bytes <= np.iinfo(np.uint32).max else np.int64, np.uint16)

    @classmethod
    def _with(cls, slots: Int32, capacity: int, place: type, length: type) -> Room:
        shape = int(slots.max(initial=-1)) + 1, capacity
        return cls(np.empty(shape, dtype=place), np.empty(shape, dtype=length), np.empty(capacity, dtype=np.int32))

    def part(self, first: int, end: int) -> Room:
        """Room of these rows."""
        return Room(self.starts[:, first:end], self.lengths[:, first:end], self.lines[first:end])


def cut_part(buffer: UInt8, begin: int, line: int, separator: int, slots: Int32, capacity: int) -> Cut:
    """Cut at most `capacity` rows from `begin` on, which is in line `line`; parameters as of `cut_rows`."""
    return cut_into(Room.of(slots, capacity), buffer, begin, line, separator, slots)


def cut_by_threads(
    buffer: UInt8, begin: int, line: int, separator: int, slots: Int32, progress: Callable[[float], None]
) -> Cut:
    """Cut all rows of a text without quotes, whose parts behind line feeds can be cut on their own."""
    ends = _part_ends(buffer, begin)
    parts = list(zip([begin, *ends[:-1]], ends, strict=True))
    n_lines = list(map_parts(lambda part: int(count_line_ends(buffer[part[0] : part[1]])), parts))
    first_line = np.concatenate([[0], np.cumsum(n_lines)])
    # The last row may lack its line feed.
    capacity = int(first_line[-1]) + 1
    room = Room.narrow(slots, capacity, len(buffer))

    def cut_one(k: int) -> Cut:
        first, end = int(first_line[k]), int(first_line[k + 1]) + (k == len(parts) - 1)
        return cut_into(room.part(first, end), buffer[: parts[k][1]], parts[k][0], line + first, separator, slots)

    def cut_each() -> list[Cut]:
        cuts: list[Cut] = []
        for cut in map_parts(cut_one, list(range(len(parts)))):
            cuts.append(cut)
            progress(len(cuts) / len(parts))
        return cuts

    cuts = cut_each()
    if max(cut.longest for cut in cuts) > np.iinfo(room.lengths.dtype).max:
        room = Room.of(slots, capacity)  # without quotes the text is as it was
        cuts = cut_each()
    return _joined(cuts, room, first_line)


def _part_ends(buffer: UInt8, begin: int) -> list[int]:
    """Places behind a line feed, about evenly apart, the last one the end of the text."""
    n_parts = max(1, min((len(buffer) - begin) // _PART, 8 * n_threads()))
    ends: list[int] = []
    for k in range(1, n_parts):
        place = begin + (len(buffer) - begin) * k // n_parts
        place = max(place, ends[-1] if ends else begin)
        while place < len(buffer) and len(found := np.flatnonzero(buffer[place : place + 65_536] == LINE_FEED)) == 0:
            place += 65_536
        if place < len(buffer):
            ends.append(place + int(found[0]) + 1)
    return [*ends, len(buffer)]


def cut_into(
    room: Room, buffer: UInt8, begin: int, line: int, separator: int, slots: Int32, most_faults: int = MOST_LINES
) -> Cut:
    """Cut as many rows as there is room for, and list so many faulty ones; other parameters as of `cut_part`."""
    ragged = np.zeros((most_faults, 2), dtype=np.int64)
    stray = np.zeros(most_faults, dtype=np.int64)
    found = cut_rows(buffer, begin, line, separator, slots, room.starts, room.lengths, room.lines, ragged, stray)
    numbers = [int(number) for number in found]
    n_ragged, n_stray = numbers[3], numbers[5]
    return Cut(room.starts, room.lengths, room.lines, ragged[:n_ragged].copy(), stray[:n_stray].copy(), *numbers)


def _joined(cuts: list[Cut], room: Room, first_row: Int64) -> Cut:
    """One cut of the whole text; where blank lines left room behind a part, the next one moves up."""
    n_rows = 0
    for cut, first in zip(cuts, first_row[:-1].tolist(), strict=True):
        if first != n_rows:
            moved, here = slice(n_rows, n_rows + cut.n_rows), slice(first, first + cut.n_rows)
            room.starts[:, moved] = room.starts[:, here]
            room.lengths[:, moved] = room.lengths[:, here]
            room.lines[moved] = room.lines[here]
        n_rows += cut.n_rows
    ragged = np.concatenate([cut.ragged for cut in cuts])
    n_like_first = sum(cut.n_like_first for cut in cuts if len(cut.ragged) and cut.ragged[0, 1] == ragged[0, 1])
    return Cut(
        room.starts,
        room.lengths,
        room.lines,
        ragged[:MOST_LINES],
        np.concatenate([cut.stray for cut in cuts])[:MOST_LINES],
        n_rows,
        cuts[-1].end,
        cuts[-1].line,
        sum(cut.n_ragged for cut in cuts),
        n_like_first,
        sum(cut.n_stray for cut in cuts),
        0,
        max(cut.longest for cut in cuts),
    )
