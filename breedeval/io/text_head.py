"""The beginning of a text file: its first lines, its header; and how it ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breedeval.arrays import UInt8
from breedeval.io.cut_rows import cut_part
from breedeval.kernels.plain_rows import LINE_FEED

#: As much of a file is looked at to guess how it is written.
SAMPLE = 1 << 20
_LINES_LOOKED_AT = 20
_SHORT_HEADER, _LONGEST_HEADER = 1 << 16, 1 << 24


@dataclass(frozen=True)
class Header:
    """Fields of the first row that is not blank, the place behind it, and the number of the line there.

    `unclosed` is the line of a quote that is never closed, else 0; then there are no fields.
    """

    fields: tuple[str, ...]
    end: int
    line: int
    unclosed: int = 0


def first_lines(buffer: UInt8, *, is_whole: bool) -> list[bytes]:
    """The first lines that are not blank; the last one may be cut unless this is the whole text."""
    whole = buffer[:SAMPLE].tobytes().split(b"\n")
    if not (is_whole and len(buffer) <= SAMPLE) and len(whole) > 1:
        whole.pop()
    return [line for line in whole if line.strip()][:_LINES_LOOKED_AT]


def cut_header(buffer: UInt8, separator: int) -> Header:
    """Cut the first row."""
    for size in (_SHORT_HEADER, _LONGEST_HEADER):
        head = buffer[:size]
        # On copies, because a doubled quote may be shortened only once.
        counted = cut_part(head.copy(), 0, 1, separator, np.empty(0, dtype=np.int32), 1)
        if counted.n_rows == 1 and counted.end <= len(head):
            break
    if counted.unclosed:
        return Header((), counted.end, counted.line, counted.unclosed)
    n_fields = int(counted.ragged[0, 1])
    copy = head.copy()
    cut = cut_part(copy, 0, 1, separator, np.arange(n_fields, dtype=np.int32), 1)
    spans = zip(cut.starts[:, 0].tolist(), cut.lengths[:, 0].tolist(), strict=True)
    fields = tuple(copy[start : start + length].tobytes().decode() for start, length in spans)
    return Header(fields, cut.end, cut.line)


def note_of_last_line(buffer: UInt8) -> tuple[str, ...]:
    """Say so if the text does not end with a line feed."""
    return () if buffer[-1] == LINE_FEED else ("The last line has no line end: make sure that the file was not cut.",)
