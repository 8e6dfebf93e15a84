"""How files write that a parent is not known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import product

import numpy as np

from breedeval.arrays import Int32, Int64
from breedeval.io.invisible import invisible_names
from breedeval.names import Names
from breedeval.pedigree.table import UnknownForm

_WORDS = ("NA", "N/A", "NaN", "null", "none", "unknown", "unk")
_SIGNS = ("", ".", "-", "--", "*", "?")
#: Texts that are no default code but hardly the name of an animal.
_SUSPICIOUS = ("0.0", "#N/A", "#NV", "n.a.", "missing")
_MINUS = ord("-")
_NEGATIVE = re.compile(r"-\d+")
_LONGEST_ZEROS = 64
_PART = 1 << 20

#: The default list in words, for messages.
DEFAULT_LIST = "empty, zeros (0, 00, ...), NA, N/A, NaN, null, none, unknown, unk, '.', '-', '--', '*', '?'"


def default_forms() -> tuple[str, ...]:
    """Every text that means "unknown" unless the user gives a list: signs, runs of zeros, and words in any case."""
    words = (spelling for word in _WORDS for spelling in _spellings(word))
    return (*_SIGNS, *("0" * n for n in range(1, _LONGEST_ZEROS + 1)), *words)


def suspicious_forms() -> tuple[str, ...]:
    """The default forms and a few more, which stand for an animal only if it has a row of its own."""
    return (*default_forms(), *_SUSPICIOUS)


def no_longer_than(n_bytes: int, texts: Iterable[str]) -> Iterator[str]:
    """Those of the texts that have at most so many bytes."""
    return (text for text in texts if len(text.encode()) <= n_bytes)


def suspicious_codes(met: set[int], names: Names) -> Int32:
    """(k,) which of `names` look like "unknown": `met` (`suspicious_forms`), negative whole numbers, and invisible ones."""
    found = met | set(invisible_names(names).tolist())
    if any((part == _MINUS).any() for part in np.array_split(names.buffer, len(names.buffer) // _PART + 1)):
        some = np.flatnonzero(names.offsets[1:] > names.offsets[:-1])
        signed = some[names.buffer[names.offsets[some]] == _MINUS]
        found |= {int(code) for code in signed if _NEGATIVE.fullmatch(names[int(code)])}
    return np.array(sorted(found), dtype=np.int32)


def looks_unknown(names: Names) -> Int32:
    """(k,) which of `names` look like a code for "unknown": the default forms, a few more, and negative whole numbers."""
    forms = names.find(Names.of(suspicious_forms()))
    return suspicious_codes(set(forms[forms >= 0].tolist()), names)


def count_forms(names: Names, codes: Int32, rows: Int32, column: str) -> Iterator[UnknownForm]:
    """How often each name stands in some `rows` (k,) of a column, where its code is `codes` (k,); the most frequent first."""
    counts = np.bincount(codes, minlength=0)
    first = np.zeros(len(counts), dtype=np.int64)
    first[codes[::-1]] = rows[::-1]
    return listed_forms(names, range(len(counts)), counts, first, column)


def listed_forms(names: Names, chosen: range, counts: Int64, first_rows: Int64, column: str) -> Iterator[UnknownForm]:
    """Those of the chosen names that stand in a column, from how often each does, and where first; the most frequent first."""
    met = [code for code in np.flatnonzero(counts).tolist() if code in chosen]
    for code in sorted(met, key=lambda code: -int(counts[code])):
        yield UnknownForm(names[code], column, int(counts[code]), int(first_rows[code]))


def _spellings(word: str) -> Iterator[str]:
    return ("".join(letters) for letters in product(*({letter.lower(), letter.upper()} for letter in word)))
