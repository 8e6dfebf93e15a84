"""The bytes of a text file, as UTF-8: unpacked, decoded and checked, or refused with the line that is wrong."""

from __future__ import annotations

import codecs
import gzip
import os
import zlib
from pathlib import Path

import numpy as np

from breedeval.arrays import UInt8
from breedeval.errors import TableError
from breedeval.kernels.fields import LINE_FEED, RETURN, count_line_ends

_PART = 1 << 24
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


def read_text_bytes(path: str, encoding: str) -> tuple[UInt8, tuple[str, ...]]:
    """Read a text file, unpacked if its name ends in ``.gz``, as UTF-8 without a byte-order mark.

    Returns
    -------
    tuple
        (b,) uint8, writable; and notes for the user.

    Raises
    ------
    TableError
        If the file cannot be opened, is empty, is not text, or its bytes are not of this encoding.
    """
    check_readable(path)
    buffer = _unpack(path) if path.lower().endswith(".gz") else np.fromfile(path, dtype=np.uint8)
    if len(buffer) == 0:
        raise TableError(f"{path} is empty. Give a file with a line for each row.", path=path)
    _refuse_foreign(path, buffer[:8].tobytes(), encoding)
    if buffer[:3].tobytes() == _BOM:
        encoding = "utf-8"
    buffer = _to_utf8(path, buffer, encoding)
    if buffer[:3].tobytes() == _BOM:
        buffer = buffer[3:]
    _refuse_nul(path, buffer)
    return _with_line_feeds(buffer)


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


def line_at(buffer: UInt8, place: int) -> int:
    """1-based number of the line of the byte at `place`."""
    return int(count_line_ends(buffer[:place])) + 1


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


def _refuse_foreign(path: str, head: bytes, encoding: str) -> None:
    for mark, remedy in _FOREIGN.items():
        if head.startswith(mark):
            raise TableError(f"{path} is not a text file. {remedy}", path=path)
    if head[:2] in _UTF_16 and not encoding.lower().replace("_", "-").startswith(("utf-16", "utf16", "utf-32", "utf32")):
        raise TableError(f"{path} is written in UTF-16. Set `encoding: utf-16`, or save it as UTF-8.", path=path)


def _to_utf8(path: str, buffer: UInt8, encoding: str) -> UInt8:
    try:
        extends_ascii = bytes(range(128)).decode(encoding) == bytes(range(128)).decode("ascii")
        name = codecs.lookup(encoding).name
    except UnicodeDecodeError:
        extends_ascii, name = False, codecs.lookup(encoding).name
    except LookupError as error:
        raise TableError(
            f"{path}: '{encoding}' is not an encoding of text. Use utf-8, latin-1 or cp1252.", path=path
        ) from error
    if extends_ascii and (len(buffer) == 0 or buffer.max() < 128):
        return buffer
    converted = _decode(path, buffer, encoding, keep=name != "utf-8")
    return buffer if name == "utf-8" else np.frombuffer(converted, dtype=np.uint8)


def _decode(path: str, buffer: UInt8, encoding: str, *, keep: bool) -> bytearray:
    """Decode part by part; the UTF-8 text is returned only if it is to be kept."""
    decoder = codecs.getincrementaldecoder(encoding)()
    converted = bytearray()
    for first in range(0, len(buffer), _PART):
        waiting = len(decoder.getstate()[0])
        try:
            text = decoder.decode(buffer[first : first + _PART].tobytes(), final=first + _PART >= len(buffer))
        except UnicodeDecodeError as error:
            raise _wrong_byte(path, buffer, first - waiting + error.start, encoding) from error
        if keep:
            converted += text.encode()
    return converted


def _wrong_byte(path: str, buffer: UInt8, place: int, encoding: str) -> TableError:
    line = line_at(buffer, place)
    begin = max(place - 15, 0)
    near = buffer[begin : place + 15].tobytes().decode("ascii", "replace").replace("\n", " ").replace("\r", "").strip()
    remedy = "Set `encoding: latin-1` (or cp1252)" if "utf" in encoding.lower() else "Set the encoding it is written in"
    return TableError(
        f"{path}, line {line:,}: byte 0x{buffer[place]:02x} is not {encoding}, near '{near}'. {remedy}, or save it as UTF-8.",
        path=path,
        lines=(line,),
    )


def _refuse_nul(path: str, buffer: UInt8) -> None:
    if len(buffer) and buffer.min() == 0:
        line = line_at(buffer, int(np.argmin(buffer)))
        raise TableError(
            f"{path}, line {line:,}: a NUL byte. The file is no text, or was damaged when copied. Export it anew as CSV.",
            path=path,
            lines=(line,),
        )


def _with_line_feeds(buffer: UInt8) -> tuple[UInt8, tuple[str, ...]]:
    """Turn the lone carriage returns of old files into line feeds."""
    if len(buffer) == 0 or count_line_ends(buffer[:_PART]) > 0 or not (buffer == RETURN).any():
        return buffer, ()
    buffer[buffer == RETURN] = LINE_FEED
    return buffer, ("Lines end with a carriage return alone.",)
