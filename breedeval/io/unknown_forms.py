"""How files write that a parent is not known."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from breedeval.arrays import Bool, Int32
from breedeval.io.column_codes import are_among
from breedeval.names import Names
from breedeval.pedigree.table import UnknownForm

_WORDS = ("NA", "N/A", "NaN", "null", "none", "unknown", "unk")
_SIGNS = ("", ".", "-", "--", "*", "?")
#: Texts that are no default code but hardly the name of an animal.
_SUSPICIOUS = ("0.0", "#N/A", "#NV", "n.a.", "missing")
_NEGATIVE = re.compile(r"-\d+")
_LONGEST_ZEROS = 64

#: The default list in words, for messages.
DEFAULT_LIST = "empty, zeros (0, 00, ...), NA, N/A, NaN, null, none, unknown, unk, '.', '-', '--', '*', '?'"


def default_forms() -> tuple[str, ...]:
    """Every text that means "unknown" unless the user gives a list: signs, runs of zeros, and words in any case."""
    words = (spelling for word in _WORDS for spelling in _spellings(word))
    return (*_SIGNS, *("0" * n for n in range(1, _LONGEST_ZEROS + 1)), *words)


def looks_unknown(names: Names) -> Bool:
    """(n,) which of `names` look like a code for "unknown": the default forms, negative whole numbers and a few more."""
    found = are_among(names, (*default_forms(), *_SUSPICIOUS))
    begins = np.zeros(len(names), dtype=np.uint8)
    some = names.lengths > 0
    begins[some] = names.buffer[names.offsets[:-1][some]]
    for row in np.flatnonzero(begins == ord("-")):
        found[row] |= _NEGATIVE.fullmatch(names[int(row)]) is not None
    return found


def is_unknown(names: Names, unknown: Sequence[str] | None) -> Bool:
    """(n,) which of `names` mean "unknown": those in the list `unknown` as written there, or the default forms if None."""
    return are_among(names, default_forms() if unknown is None else unknown)


def count_forms(names: Names, chosen: Bool, codes: Int32, column: str) -> Iterator[UnknownForm]:
    """How often each of the `chosen` names stands in a column, the most frequent first."""
    rows = np.flatnonzero((codes >= 0) & chosen[codes])
    forms, first, counts = np.unique(codes[rows], return_index=True, return_counts=True)
    for i in np.argsort(-counts, kind="stable"):
        yield UnknownForm(names[int(forms[i])], column, int(counts[i]), int(rows[first[i]]))


def _spellings(word: str) -> Iterator[str]:
    return ("".join(letters) for letters in product(*({letter.lower(), letter.upper()} for letter in word)))
