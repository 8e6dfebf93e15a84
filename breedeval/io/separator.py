"""Which byte stands between the fields of a text file."""

from __future__ import annotations

from breedeval.kernels.fields import WHITE_SPACE

COMMA, SEMICOLON, TAB = ord(","), ord(";"), ord("\t")
NAMES = {COMMA: "commas", SEMICOLON: "semicolons", TAB: "tabs", WHITE_SPACE: "white space"}


def choose_separator(path: str, lines: list[bytes], *, has_header: bool) -> tuple[int, tuple[str, ...]]:
    """Choose the separator from the file's ending, else from its first lines.

    Parameters
    ----------
    path
        Name of the file; an ending ``.gz`` is looked through.
    lines
        The first lines that are not blank.
    has_header
        Whether the first line names the columns.

    Returns
    -------
    tuple
        The separator's byte (``WHITE_SPACE`` for runs of blanks and tabs), and notes on what was guessed.
    """
    name = path.lower().removesuffix(".gz")
    first = _without_quoted(lines[0])
    if name.endswith((".tsv", ".tab")):
        return TAB, ()
    if name.endswith(".csv"):
        # Without a header a comma may be a decimal comma, so semicolons decide.
        if SEMICOLON in first and (COMMA not in first or not has_header):
            return SEMICOLON, ("Columns are separated by semicolons.",)
        if COMMA not in first and TAB in first:
            return TAB, ("Columns are separated by tabs.",)
        return COMMA, ()
    found = _sniff(lines)
    return found, (f"Columns are taken to be separated by {NAMES[found]}.",)


def _sniff(lines: list[bytes]) -> int:
    for separator in (TAB, SEMICOLON, COMMA):
        counts = {_without_quoted(line).count(separator) for line in lines}
        if len(counts) == 1 and counts != {0}:
            return separator
    first = _without_quoted(lines[0])
    return next((separator for separator in (SEMICOLON, COMMA) if separator in first), WHITE_SPACE)


def _without_quoted(line: bytes) -> bytes:
    return b"".join(line.split(b'"')[::2])
