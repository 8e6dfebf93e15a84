"""A formula cut into names, numbers and signs, each with its place in the user's text."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from breedeval.errors import FormulaError

SIGNS = "+-:*/(),"
_NUMBER = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")

_ARGUMENT = re.compile(r"\s*=\s*")

_HINTS = {
    "~": "Write the right-hand side only; the trait stands before it in the configuration.",
    "|": "Random effects are written random(g), where lme4 has (1 | g), and random(g, slope(x)), where it has (x | g).",
    "^": "Powers of a covariate are written poly(x, 2).",
    "=": "Arguments are written without names: legendre(x, 2).",
    "'": "A name with unusual characters stands in backquotes: `days open`.",
    '"': "A name with unusual characters stands in backquotes: `days open`.",
}


@dataclass(frozen=True)
class Token:
    """A piece of a formula; `start` and `end` are 0-based characters of the text. A quoted name is without its backquotes.

    ``relationship = "G"`` is one piece with the text G.
    """

    kind: Literal["name", "number", "sign", "relationship", "end"]
    text: str
    start: int
    end: int
    quoted: bool = False

    def is_sign(self, signs: str) -> bool:
        """Whether this is one of the `signs`."""
        return self.kind == "sign" and self.text in signs


def fault(message: str, start: int, end: int) -> FormulaError:
    """Make the error for characters `start` to `end`; whoever knows the trait adds it (see `pointed`)."""
    return FormulaError(message, position=start, end=max(end, start + 1))


def tokenize(text: str) -> list[Token]:
    """Cut `text`; the last token has the kind ``end``.

    Raises
    ------
    FormulaError
        At a character that no formula has, an open backquote, or a name that begins with a digit.

    Examples
    --------
    >>> [token.text for token in tokenize("herd + poly(`days open`, 2)")]
    ['herd', '+', 'poly', '(', 'days open', ',', '2', ')', '']
    """
    tokens: list[Token] = []
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        token = _next_token(text, place)
        tokens.append(token)
        place = token.end
    return [*tokens, Token("end", "", len(text), len(text))]


def _next_token(text: str, start: int) -> Token:
    sign = text[start]
    if sign in SIGNS:
        return Token("sign", sign, start, start + 1)
    if sign == "`":
        return _quoted(text, start)
    if sign in "0123456789" or (sign == "." and text[start + 1 : start + 2] in tuple("0123456789")):
        return _number(text, start)
    if _in_name(sign):
        end = _end_of_name(text, start)
        argument = _ARGUMENT.match(text, end) if text[start:end] == "relationship" else None
        return _relationship(text, start, argument.end()) if argument else Token("name", text[start:end], start, end)
    hint = _HINTS.get(sign, "A name with unusual characters stands in backquotes: `days open`.")
    raise fault(f"{sign!r} has no meaning in a formula. {hint}", start, start + 1)


def _in_name(character: str) -> bool:
    # marks (category M) are letters' parts in many scripts, and in text that is not composed
    return character.isalnum() or character in "._" or unicodedata.category(character).startswith("M")


def _end_of_name(text: str, start: int) -> int:
    end = start
    while end < len(text) and _in_name(text[end]):
        end += 1
    return end


def _relationship(text: str, start: int, place: int) -> Token:
    """Read what stands behind ``relationship =``: a text in quotes, or a name."""
    quote = text[place : place + 1]
    if quote and quote in "'\"`":
        end = text.find(quote, place + 1)
        if end < 0:
            raise fault("This quote is not closed. Put one behind the name as well.", place, place + 1)
        value, end = text[place + 1 : end], end + 1
    else:
        end = _end_of_name(text, place)
        value = text[place:end]
    if not value.strip():
        raise fault('The name of a relationship or of its file is missing here: relationship = "G".', start, max(end, place))
    return Token("relationship", value.strip(), start, end)


def _quoted(text: str, start: int) -> Token:
    end = text.find("`", start + 1)
    if end < 0:
        raise fault("This backquote is not closed. Put one behind the name as well.", start, start + 1)
    if end == start + 1:
        raise fault("There is no name between these backquotes.", start, end + 1)
    return Token("name", text[start + 1 : end], start, end + 1, quoted=True)


def _number(text: str, start: int) -> Token:
    end = _end_of_name(text, start)
    if text[end - 1] in "eE" and text[end : end + 1] in ("+", "-"):  # 1e-4
        end = _end_of_name(text, end + 1)
    written = text[start:end]
    if not _NUMBER.fullmatch(written):
        name = text[start : _end_of_name(text, start)]
        raise fault(f"A name that begins with a digit stands in backquotes: `{name}`.", start, start + len(name))
    return Token("number", written, start, end)


def pointed(text: str, start: int, end: int) -> str:
    """Return the line of `text` with characters `start` to `end`, and below it a line that points at them.

    Examples
    --------
    >>> print(pointed("herd + yaer", 7, 11))
        herd + yaer
               ^^^^
    """
    begin = text.rfind("\n", 0, start) + 1
    stop = text.find("\n", start)
    line = text[begin : stop if stop >= 0 else len(text)]
    shown = "".join(" " if character.isspace() else character for character in line)
    before, below = shown[: start - begin], shown[start - begin : end - begin]
    return f"    {shown.rstrip()}\n    {' ' * _width(before)}{'^' * max(_width(below), 1)}"


def _width(text: str) -> int:
    """Columns of a terminal that `text` takes: two for wide letters, none for marks."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    marks = sum(unicodedata.category(character) in ("Mn", "Me") for character in text)
    return len(text) + wide - marks
