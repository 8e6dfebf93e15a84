"""The bytes of a text file, as UTF-8: unpacked, decoded and checked, or refused with the line that is wrong."""

from __future__ import annotations

import codecs
import gzip
import os
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import reduce
from io import FileIO
from pathlib import Path

import numpy as np

from breedeval.arrays import UInt8
from breedeval.errors import EXAMPLES_SHOWN, TableError
from breedeval.kernels.fields import count_line_ends
from breedeval.kernels.plain_rows import LINE_FEED, RETURN
from breedeval.kernels.threads import map_parts
from breedeval.kernels.utf8 import find_foreign_bytes
from breedeval.kernels.words import survey

#: Faulty lines that are listed one by one; beyond that they are only counted.
MOST_LINES = 100_000

_PART, _PIECE = 1 << 24, 1 << 18
_BOM = b"\xef\xbb\xbf"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
#: How files that are no text begin, and what to do with them.
_FOREIGN = {
    b"\x1f\x8b": "It is compressed with gzip: give its name the ending .gz.",
    b"PK\x03\x04": "It is a spreadsheet or a zip archive: save the table as CSV.",
    b"\xd0\xcf\x11\xe0": "It is a spreadsheet: save the table as CSV.",
    b"PAR1": "It is a Parquet file: give its name the ending .parquet.",
    b"\x89HDF": "It is an HDF5 file: save the table as CSV or Parquet.",
}


@dataclass(frozen=True)
class TextBytes:
    """The bytes of a text file as UTF-8, and what was seen in them.

    Parameters
    ----------
    buffer
        (b,) uint8, writable, without a byte-order mark.
    n_line_feeds
        How many there are.
    has_quotes
        Whether there is any double quote.
    faults
        One sentence for each kind of byte that is no text.
    fault_lines
        The lines they stand in, at most `MOST_LINES` of each kind.
    notes
        What was assumed, for the user to see.
    """

    buffer: UInt8
    n_line_feeds: int
    has_quotes: bool
    faults: tuple[str, ...] = ()
    fault_lines: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


def read_text_bytes(path: str, encoding: str, progress: Callable[[float], None] | None = None) -> TextBytes:
    """Read a text file, unpacked if its name ends in ``.gz``, as UTF-8 without a byte-order mark.

    Bytes that are no text are left where they are and listed, so that a reader can name all faults of a file together.

    Raises
    ------
    TableError
        If the file cannot be opened, is empty or is of another kind.
    """
    check_readable(path)
    if path.lower().endswith(".gz"):
        buffer = _unpack(path)
        seen = _survey(buffer)
    else:
        buffer, seen = _read(path, progress)
    if len(buffer) == 0:
        raise TableError(f"{path} is empty. Give a file with a line for each row.", path=path)
    _refuse_foreign(path, buffer[:8].tobytes(), encoding)
    if buffer[:3].tobytes() == _BOM:
        encoding = "utf-8"
    name = _encoding_name(path, encoding)
    faults: list[_Fault] = []
    if name != "utf-8" and (seen.has_high or not _extends_ascii(encoding)):
        buffer, faults = _converted(buffer, encoding)
        seen = _survey(buffer)
    elif seen.has_nul or seen.has_high:
        faults = _foreign_bytes(buffer, check_utf8=seen.has_high)
    if buffer[:3].tobytes() == _BOM:
        buffer = buffer[3:]
    notes: tuple[str, ...] = ()
    n_line_feeds = seen.n_line_feeds
    if n_line_feeds == 0 and (buffer == RETURN).any():
        # The lone carriage returns of old files.
        buffer[buffer == RETURN] = LINE_FEED
        n_line_feeds = int(count_line_ends(buffer))
        notes = ("Lines end with a carriage return alone.",)
    sentences, lines = _in_words(faults, encoding)
    return TextBytes(buffer, n_line_feeds, seen.has_quotes, sentences, lines, notes)


def check_readable(path: str) -> None:
    """Raise `TableError` if `path` is no file that can be opened."""
    place = Path(path)
    if not place.exists():
        beside = f" The folder {place.parent} does not exist either." if not place.parent.exists() else ""
        raise TableError(f"{path} does not exist.{beside} Check the name; the current folder is {Path.cwd()}.", path=path)
    if not place.is_file():
        raise TableError(f"{path} is {'a folder' if place.is_dir() else 'not a file'}. Give the name of a file.", path=path)
    if not os.access(path, os.R_OK):
        raise TableError(f"{path} may not be read by this user. Ask for permission to read it.", path=path)


@dataclass(frozen=True)
class Seen:
    """What is in a text: number of line feeds; whether there are NUL bytes, bytes beyond ASCII, quotes."""

    n_line_feeds: int = 0
    has_nul: bool = False
    has_high: bool = False
    has_quotes: bool = False

    @classmethod
    def of(cls, found: tuple[int, bool, bool, bool]) -> Seen:
        """What `survey` found."""
        return cls(int(found[0]), *map(bool, found[1:]))

    def joined(self, other: Seen) -> Seen:
        """What is in both."""
        return Seen(
            self.n_line_feeds + other.n_line_feeds,
            self.has_nul or other.has_nul,
            self.has_high or other.has_high,
            self.has_quotes or other.has_quotes,
        )


@dataclass(frozen=True)
class _Fault:
    line: int
    byte: int
    near: str


def _read(path: str, progress: Callable[[float], None] | None) -> tuple[UInt8, Seen]:
    """Read a file, its parts by several threads, and look at each piece while it is in the caches of the processor."""
    size = Path(path).stat().st_size
    buffer = np.empty(size, dtype=np.uint8)

    def read_part(part: tuple[int, int]) -> Seen | None:
        seen = Seen()
        with open(path, "rb", buffering=0) as file:
            file.seek(part[0])
            for first in range(*part, _PIECE):
                piece = buffer[first : min(first + _PIECE, part[1])]
                if not fill(file, piece):
                    return None
                seen = seen.joined(look_at(piece))
        return seen

    parts = [(first, min(first + _PART, size)) for first in range(0, size, _PART)]
    whole = Seen()
    for (_, end), seen in zip(parts, map_parts(read_part, parts), strict=True):
        if seen is None:
            raise TableError(f"{path} became shorter while it was read. Read it when it is complete.", path=path)
        whole = whole.joined(seen)
        if progress is not None:
            progress(end / size)
    return buffer, whole


def fill(file: FileIO, piece: UInt8) -> bool:
    """Read bytes until the piece is full; False if there are no more."""
    place = 0
    while place < len(piece) and (n := file.readinto(memoryview(piece[place:]))):  # type: ignore[arg-type]
        place += n
    return place == len(piece)


def _survey(buffer: UInt8) -> Seen:
    """Look at all bytes once: what is there."""
    pieces = [buffer[first : first + _PART] for first in range(0, len(buffer), _PART)]
    return reduce(Seen.joined, map_parts(look_at, pieces), Seen())


def look_at(piece: UInt8) -> Seen:
    """Look at all bytes of a piece of text, which begins at a multiple of eight bytes in memory."""
    whole = len(piece) // 8 * 8
    tail = np.frombuffer(piece[whole:].tobytes().ljust(8, b" "), dtype=np.uint64)
    return Seen.of(survey(piece[:whole].view(np.uint64))).joined(Seen.of(survey(tail)))


def _unpack(path: str) -> UInt8:
    unpacked = bytearray()
    try:
        with gzip.open(path) as file:
            while part := file.read(_PART):
                unpacked += part
    except gzip.BadGzipFile as error:
        raise TableError(
            f"{path} is not compressed with gzip, or damaged. Take the ending .gz away or copy it anew.", path=path
        ) from error
    except (EOFError, zlib.error) as error:
        raise TableError(
            f"{path} is cut short or damaged: unpacking stopped after {len(unpacked):,} bytes. Copy the file anew.", path=path
        ) from error
    return np.frombuffer(unpacked, dtype=np.uint8)


def begins_plainly(head: bytes) -> bool:
    """Whether neither a byte-order mark nor another kind of file is seen in the first bytes."""
    return not head.startswith((_BOM, *_UTF_16, *_FOREIGN))


def is_utf8(text: UInt8) -> bool:
    """Whether a text, which ends behind a letter, is UTF-8 without NUL bytes."""
    place, line, kind = (np.zeros(1, dtype=np.int64) for _ in range(3))
    return int(find_foreign_bytes(text, True, place, line, kind)) == 0


def _refuse_foreign(path: str, head: bytes, encoding: str) -> None:
    for mark, remedy in _FOREIGN.items():
        if head.startswith(mark):
            raise TableError(f"{path} is not a text file. {remedy}", path=path)
    if head[:2] in _UTF_16 and not encoding.lower().replace("_", "-").startswith(("utf-16", "utf16", "utf-32", "utf32")):
        raise TableError(f"{path} is written in UTF-16. Set `encoding: utf-16`, or save it as UTF-8.", path=path)


def _encoding_name(path: str, encoding: str) -> str:
    try:
        # Some codecs of Python are no encodings of text: they fail here, if there is anything to decode.
        with suppress(UnicodeDecodeError):
            b" ".decode(encoding)
        return codecs.lookup(encoding).name
    except LookupError as error:
        raise TableError(
            f"{path}: '{encoding}' is not an encoding of text. Use utf-8, latin-1 or cp1252.", path=path
        ) from error


def _extends_ascii(encoding: str) -> bool:
    try:
        return bytes(range(128)).decode(encoding) == bytes(range(128)).decode("ascii")
    except UnicodeDecodeError:
        return False


def _converted(buffer: UInt8, encoding: str) -> tuple[UInt8, list[_Fault]]:
    """Decode part by part; a byte that cannot be decoded is left out and noted."""
    decoder = codecs.getincrementaldecoder(encoding)()
    converted = bytearray()
    faults: list[_Fault] = []
    line, counted = 1, 0
    for first in range(0, len(buffer), _PART):
        part = buffer[first : first + _PART].tobytes()
        final = first + _PART >= len(buffer)
        while True:
            waiting = decoder.getstate()
            try:
                converted += decoder.decode(part, final).encode()
                break
            except UnicodeDecodeError as error:
                decoder.setstate(waiting)
                n_before = len(waiting[0])
                good = error.object[n_before : error.start]
                converted += decoder.decode(good).encode() if error.start >= n_before else b""
                if error.start < n_before:
                    decoder.setstate((b"", waiting[1]))
                line, counted = line + converted.count(b"\n", counted), len(converted)
                near = converted[-15:].decode("utf-8", "ignore")
                faults.append(_Fault(line, error.object[error.start], near.replace("\n", " ").strip()))
                part = error.object[error.end :]
                if len(faults) >= MOST_LINES:
                    break
        if len(faults) >= MOST_LINES:
            break
    return np.frombuffer(converted, dtype=np.uint8), faults


def _foreign_bytes(buffer: UInt8, *, check_utf8: bool) -> list[_Fault]:
    place, line, kind = (np.zeros(MOST_LINES, dtype=np.int64) for _ in range(3))
    n = min(find_foreign_bytes(buffer, check_utf8, place, line, kind), MOST_LINES)
    faults: list[_Fault] = []
    for at, number in zip(place[:n].tolist(), line[:n].tolist(), strict=True):
        near = buffer[max(at - 15, 0) : at + 15].tobytes().decode("ascii", "replace")
        faults.append(_Fault(number, int(buffer[at]), near.replace("\n", " ").replace("\r", "").strip()))
    return faults


def _in_words(faults: list[_Fault], encoding: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """A sentence for bytes that are not of the encoding and one for NUL bytes; the lines of both."""
    sentences: list[str] = []
    foreign = [fault for fault in faults if fault.byte != 0]
    nul = [fault for fault in faults if fault.byte == 0]
    if foreign:
        first = foreign[0]
        remedy = "Set `encoding: latin-1` (or cp1252)" if "utf" in encoding.lower() else "Set the encoding it is written in"
        sentences.append(
            f"{_where(foreign)}: byte 0x{first.byte:02x} is not {encoding}, near '{first.near}'. {remedy}, or save it as UTF-8."
        )
    if nul:
        sentences.append(f"{_where(nul)}: a NUL byte. The file is no text, or was damaged when copied. Export it anew as CSV.")
    return tuple(sentences), tuple(sorted({fault.line for fault in faults}))


def _where(faults: list[_Fault]) -> str:
    named = ", ".join(f"{fault.line:,}" for fault in faults[:EXAMPLES_SHOWN])
    more = f" and {len(faults) - EXAMPLES_SHOWN:,} more" if len(faults) > EXAMPLES_SHOWN else ""
    return f"line{'s' if len(faults) > 1 else ''} {named}{more}"
