"""Kinds of values in a configuration: paths, texts as written, columns."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema

from breedeval.evaluation.config_lines import WrittenFloat, WrittenInt

#: What a column says that the file does not have.
NO_COLUMN = "none"

_VARIABLE = re.compile(r"\$\{([^}]*)\}")


@dataclass(frozen=True)
class Place:
    """Where the configuration stands: paths in it are relative to `folder`."""

    folder: Path


def expand_path(text: str, folder: Path) -> Path:
    """Put environment variables into a path and make it relative to `folder`.

    Raises
    ------
    ValueError
        If a variable is not set.

    Examples
    --------
    >>> os.environ["HERD_BOOKS"] = "/books"
    >>> expand_path("${HERD_BOOKS}/cows.csv", Path("configs")).as_posix(), expand_path("a.csv", Path("configs")).as_posix()
    ('/books/cows.csv', 'configs/a.csv')
    """
    unset = sorted({name for name in _VARIABLE.findall(text) if not os.environ.get(name)})
    if unset:
        names = " and ".join(unset)
        verb = "variable {} is" if len(unset) == 1 else "variables {} are"
        raise ValueError(
            f"the environment {verb.format(names)} not set, which '{text}' needs. "
            f"Set it before the run: export {unset[0]}=/a/folder"
        )
    return folder / Path(_VARIABLE.sub(lambda match: os.environ[match[1]], text)).expanduser()


def _path(value: Any, info: ValidationInfo) -> Path:
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value:
        raise ValueError(f"{shown_value(value)} is not a path. Write the name of a file.")
    place = info.context if isinstance(info.context, Place) else Place(Path())
    return expand_path(value, place.folder)


def _text(value: Any) -> str:
    if isinstance(value, WrittenInt | WrittenFloat):
        return value.written
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        raise ValueError(f"{shown_value(value)} is not a text. If the word is meant, put it into quotes.")
    raise ValueError(f"{shown_value(value)} is not a text.")


def _column(value: Any) -> str | int:
    if value is None:
        return NO_COLUMN
    if isinstance(value, int) and not isinstance(value, bool):
        return _column_number(value)
    if isinstance(value, str) and value:
        return value
    raise ValueError(f"{shown_value(value)} is not a column. Write its name, or its number in a file without header.")


def _column_number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{shown_value(value)} is not the number of a column. Columns are numbered from 1.")
    return int(value)


def shown_value(value: Any) -> str:
    """A value of the configuration as a message names it."""
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{value}'"
    if isinstance(value, list):
        return "a list"
    return "a mapping" if isinstance(value, dict) else f"{value}"


def _weights(value: Any) -> str | dict[str, str] | None:
    if isinstance(value, dict):
        if not value:
            raise ValueError("no trait stands here. Write weight: {milk: w}, or weight: w for all traits.")
        return {str(trait): _text(column) for trait, column in value.items()}
    return None if value is None else _text(value)


_NUMBER_OR_TEXT = {"type": ["string", "number"]}

#: A path, relative to the configuration, with ``${NAME}`` replaced.
InputPath = Annotated[Path, BeforeValidator(_path), WithJsonSchema({"type": "string"})]
#: A text; a number stands for its digits as they are written.
Text = Annotated[str, BeforeValidator(_text), WithJsonSchema(_NUMBER_OR_TEXT)]
#: The column of weights, or one for each trait that has weights of its own.
Weights = Annotated[
    str | dict[str, str] | None,
    BeforeValidator(_weights),
    WithJsonSchema({"anyOf": [_NUMBER_OR_TEXT, {"type": "object", "additionalProperties": _NUMBER_OR_TEXT}]}),
]
#: The name of a column, or its number from 1 in a file without header.
Column = Annotated[str | int, BeforeValidator(_column), WithJsonSchema({"type": ["string", "integer", "null"]})]
#: The number of a column, from 1.
ColumnNumber = Annotated[int, BeforeValidator(_column_number), WithJsonSchema({"type": "integer", "minimum": 1})]
