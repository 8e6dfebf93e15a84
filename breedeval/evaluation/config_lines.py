"""A YAML 1.2 file as plain values, with the line of every key and the text of every value as it was written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from breedeval.errors import ConfigError, count_of

#: A larger file is no configuration; it is refused before it is read.
LARGEST = 1 << 20
#: First bytes of every HDF5 file.
_HDF5 = b"\x89HDF\r\n\x1a\n"
#: Aliases can make a small file large; more values than this are refused.
MOST_VALUES = 100_000

KeyPath = tuple[str | int, ...]

# the core schema, YAML 1.2.2 section 10.3.2
_NULL = re.compile(r"null|Null|NULL|~|")
_TRUE, _FALSE = re.compile(r"true|True|TRUE"), re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_NESTED_MOST = 20


class WrittenInt(int):
    """A whole number that remembers its text: ``00`` is 0."""

    written: str


class WrittenFloat(float):
    """A number that remembers its text."""

    written: str


@dataclass(frozen=True)
class ConfigText:
    """A configuration as it was read.

    Parameters
    ----------
    path
        The file as the user named it.
    text
        Its content.
    sections
        Plain values: dict with keys as they are written, list, str, int, float, bool, None.
    lines
        Line (from 1) of each key and list item, by its path of keys.
    """

    path: Path
    text: str
    sections: Mapping[str, Any]
    lines: Mapping[KeyPath, int]

    def line_of(self, key_path: KeyPath) -> int:
        """Line of a key, or of the nearest key above it that is written; 1 if there is none."""
        while key_path and key_path not in self.lines:
            key_path = key_path[:-1]
        return self.lines.get(key_path, 1)

    def where(self, key_path: KeyPath) -> str:
        """``farm.yaml:12`` for a message."""
        return f"{self.path}:{self.line_of(key_path)}"


def read_config_text(path: Path) -> ConfigText:
    """Read a YAML file.

    Raises
    ------
    ConfigError
        If there is no such file, it is not text in UTF-8, not YAML 1.2, or a key stands twice.
    """
    text = _read_text(path)
    if re.search(r"^%YAML +(?!1\.2\s)", text, re.MULTILINE):
        raise ConfigError(f"{path}: configurations are YAML 1.2. Remove the line that begins with %YAML.", path=str(path))
    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except YAMLError as error:
        raise _not_yaml(path, text, error) from None
    except RecursionError:
        raise ConfigError(f"{path}: lists or mappings are nested too deeply.", path=str(path)) from None
    if not isinstance(node, MappingNode):
        what = "is empty" if node is None or not text.strip() else "has no sections"
        raise ConfigError(
            f"{path}: the configuration {what}. It needs the sections pedigree, records, model and variances.", path=str(path)
        )
    reader = _Reader(path)
    sections = reader.value(node, ())
    if reader.problems:
        found = count_of(len(reader.problems), "problem")
        head = [f"{path}: {found}."] if len(reader.problems) > 1 else []
        raise ConfigError("\n".join([*head, *reader.problems]), path=str(path))
    return ConfigText(path, text, sections, MappingProxyType(reader.lines))


def _read_text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST and path.is_file():
            raise ConfigError(f"{path}: with {path.stat().st_size:,} bytes this is no configuration file.", path=str(path))
        data = path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file. Give the path of a configuration (.yaml).", path=str(path)) from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}).", path=str(path)) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if data.startswith(_HDF5):
            raise ConfigError(
                f"{path}: this is HDF5, perhaps results, and no configuration. Give the path of a configuration (.yaml).",
                path=str(path),
            ) from None
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path}:{line}: byte 0x{data[error.start]:02x} is not UTF-8. Save the configuration as UTF-8.",
            path=str(path),
            line=line,
        ) from None


def _not_yaml(path: Path, text: str, error: YAMLError) -> ConfigError:
    mark = None
    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        message = " ".join(part for part in (error.context, error.problem) if part)
    else:
        message = str(error).splitlines()[0]
    line = 1 if mark is None else min(mark.line + 1, len(text.splitlines()) or 1)
    advice = "Look at the signs : - [ ] { } and quotes there and in the line above."
    if "'\\t'" in message:
        message, advice = "a tab stands where spaces are needed", "Indent by spaces."
    elif "${" in text.splitlines()[line - 1]:
        advice = "Within { } and [ ], a path with ${NAME} must stand in quotes."
    return ConfigError(f"{path}:{line}: this is not YAML: {message}. {advice}", path=str(path), line=line)


class _Reader:
    """Turns nodes into values by the core schema; keys stay the text they are."""

    def __init__(self, path: Path) -> None:
        self.lines: dict[KeyPath, int] = {}
        self.problems: list[str] = []
        self._path = path

    def value(self, node: Node, place: KeyPath) -> Any:
        if len(self.lines) > MOST_VALUES:
            message = f"with its aliases the configuration has more than {MOST_VALUES:,} values."
            raise ConfigError(f"{self._path}: {message}", path=str(self._path))
        if len(place) > _NESTED_MOST:
            self._problem(node, "lists or mappings are nested too deeply.")
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, place)
        if isinstance(node, SequenceNode):
            items = []
            for number, item in enumerate(node.value):
                self.lines[(*place, number)] = item.start_mark.line + 1
                items.append(self.value(item, (*place, number)))
            return items
        return _scalar(node.value, plain=node.style is None) if isinstance(node, ScalarNode) else None

    def _problem(self, node: Node, message: str) -> None:
        self.problems.append(f"{self._path}:{node.start_mark.line + 1}: {message}")

    def _mapping(self, node: MappingNode, place: KeyPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, item in node.value:
            if not isinstance(key, ScalarNode):
                self._problem(key, "a key must be a text, not a list or a mapping.")
                continue
            if key.value in values:
                first = self.lines[(*place, key.value)]
                self._problem(key, f"the key '{key.value}' stands twice, first in line {first}. Remove one of them.")
                continue
            self.lines[(*place, key.value)] = key.start_mark.line + 1
            values[key.value] = self.value(item, (*place, key.value))
        return values


def _scalar(text: str, plain: bool) -> Any:
    if not plain:  # quoted or a block: always text
        return text
    for pattern, value in ((_NULL, None), (_TRUE, True), (_FALSE, False)):
        if pattern.fullmatch(text):
            return value
    if _INTEGER.fullmatch(text):
        whole = WrittenInt(text, 0 if text[:2] in ("0o", "0x") else 10)
        whole.written = text
        return whole
    if _FLOAT.fullmatch(text):
        special = text[-3:].lower() in ("inf", "nan")
        number = WrittenFloat(text.replace(".", "") if special else text)
        number.written = text
        return number
    return text
