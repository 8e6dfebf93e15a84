"""Letters that nobody sees at the ends of names: no-break spaces, zero-width spaces and the like, which spreadsheets leave."""

from __future__ import annotations

import numpy as np

from breedeval.arrays import Bool, Int32, Int64, UInt8
from breedeval.errors import count_of, name_some
from breedeval.names import Names

_LETTERS = (
    "\u00a0\u00ad\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u200c\u200d\u2060\u202f\u3000\ufeff"
)
_CODES = tuple(letter.encode() for letter in _LETTERS)
_FIRST_BYTES = np.array(sorted({code[0] for code in _CODES}), dtype=np.uint8)
_ASCII = 0x80
_PART = 1 << 20


def invisible_names(names: Names) -> Int32:
    r"""(k,) which of `names` hold no letter that can be seen.

    Examples
    --------
    >>> invisible_names(Names.of(["7", "\u00a0", "7\u00a0"])).tolist()
    [1]
    """
    return np.array([code for code in _odd_ends(names).tolist() if not seen(names[code])], dtype=np.int32)


def seen(text: str) -> str:
    r"""The text without invisible letters at its ends.

    Examples
    --------
    >>> seen("\u00a07 \u200b")
    '7'
    """
    return text.strip(f" {_LETTERS}")


def note_on_ends(names: Names) -> tuple[str, ...]:
    r"""A sentence on names that begin or end with a letter that cannot be seen, which makes them others than those without.

    Examples
    --------
    >>> note_on_ends(Names.of(["7", "7\u00a0"]))
    ("1 name begins or ends with a letter that cannot be seen, and so is not the name without it: '7\\xa0'.",)
    """
    odd = _odd_ends(names)
    if not len(odd):
        return ()
    verb = "begins or ends" if len(odd) == 1 else "begin or end"
    rest = "is not the name" if len(odd) == 1 else "are not the names"
    shown = name_some([ascii(names[int(code)])[1:-1] for code in odd[:1000]])
    return (f"{count_of(len(odd), 'name')} {verb} with a letter that cannot be seen, and so {rest} without it: {shown}.",)


def _odd_ends(names: Names) -> Int64:
    """(k,) which names begin or end with one of `_LETTERS`."""
    if not any((part >= _ASCII).any() for part in np.array_split(names.buffer, len(names.buffer) // _PART + 1)):
        return np.empty(0, dtype=np.int64)
    some = np.flatnonzero(names.offsets[1:] > names.offsets[:-1])
    first, last = names.buffer[names.offsets[some]], names.buffer[names.offsets[some + 1] - 1]
    some = some[np.isin(first, _FIRST_BYTES) | (last >= _ASCII)]
    starts, ends = names.offsets[some], names.offsets[some + 1]
    odd = np.zeros(len(some), dtype=np.bool_)
    for code in _CODES:
        fits = np.flatnonzero(ends - starts >= len(code))
        odd[fits] |= _stands(names.buffer, starts[fits], code) | _stands(names.buffer, ends[fits] - len(code), code)
    return some[odd]


def _stands(buffer: UInt8, places: Int64, code: bytes) -> Bool:
    """Whether the bytes of `code` stand in each of `places` (k,)."""
    here = np.ones(len(places), dtype=np.bool_)
    for shift, byte in enumerate(code):
        rows = np.flatnonzero(here)
        here[rows] = buffer[places[rows] + shift] == byte
    return here
