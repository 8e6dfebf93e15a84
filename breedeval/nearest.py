"""The nearest known name to one that was not found, for messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest_names(name: str, known: Iterable[str], shown: int = 3) -> list[str]:
    """Return the known names most like `name`, best first; upper and lower case do not matter.

    Examples
    --------
    >>> nearest_names("hred", ["herd", "year", "lactation"])
    ['herd']
    """
    by_folded: dict[str, str] = {}
    for candidate in known:
        by_folded.setdefault(candidate.casefold(), candidate)
    return [by_folded[match] for match in difflib.get_close_matches(name.casefold(), list(by_folded), shown)]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a sentence with a leading space that names the nearest names, or an empty text if none is near.

    Examples
    --------
    >>> did_you_mean("sier", ["sire", "dam"])
    " Did you mean 'sire'?"
    >>> did_you_mean("xyz", ["sire", "dam"])
    ''
    """
    near = nearest_names(name, known)
    return f" Did you mean {' or '.join(repr(item) for item in near)}?" if near else ""
