"""What is wrong in a configuration, in sentences with the line and the key."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from breedeval.errors import ConfigError, count_of
from breedeval.evaluation.config_lines import ConfigText, KeyPath
from breedeval.evaluation.config_values import shown_value
from breedeval.nearest import did_you_mean

_NEEDED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "a text",
    "tuple_type": "a list in square brackets",
    "dict_type": "a mapping (key: value)",
    "model_type": "a section (lines key: value)",
    "model_attributes_type": "a section (lines key: value)",
}


@dataclass(frozen=True)
class ConfigProblem:
    """Something wrong under `key_path`."""

    key_path: KeyPath
    message: str


def config_error(problems: Iterable[ConfigProblem], text: ConfigText) -> ConfigError:
    """Make one error of all problems, in the order of their lines."""
    ordered = sorted(problems, key=lambda problem: text.line_of(problem.key_path))
    lines = []
    for problem in ordered:
        key = ".".join(map(str, problem.key_path))
        lines.append(f"{text.where(problem.key_path)}: {key + ': ' if key else ''}{problem.message}")
    if len(lines) > 1:
        lines.insert(0, f"{text.path}: {count_of(len(lines), 'problem')}.")
    first = ordered[0]
    return ConfigError(
        "\n".join(lines),
        path=str(text.path),
        line=text.line_of(first.key_path),
        key=".".join(map(str, first.key_path)),
        problems=tuple(ordered),
    )


def problems_of(error: ValidationError, root: type[BaseModel]) -> list[ConfigProblem]:
    """Turn what pydantic found into sentences."""
    found = []
    for detail in error.errors(include_url=False):
        key_path: KeyPath = tuple(detail["loc"])
        found.append(ConfigProblem(key_path, _sentence(detail, key_path, root)))
    return found


def _sentence(detail: Any, key_path: KeyPath, root: type[BaseModel]) -> str:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        known = [field.alias or name for name, field in section_at(root, key_path[:-1]).model_fields.items()]
        return f"there is no such key.{did_you_mean(str(key_path[-1]), known)} Known are {', '.join(known)}."
    if kind == "missing":
        if key_path == ("variances",):
            return "this key is missing. Add it; 'breedeval estimate' finds (co)variances that nobody knows."
        return "a value is missing in this list. Add it." if isinstance(key_path[-1], int) else "this key is missing. Add it."
    if kind == "value_error":
        if key_path[0] == "model" and value is None:
            return "no formula stands here. Within { }, a formula with a comma must stand in quotes."
        return str(context["error"])
    if kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", context["expected"])
        hint = did_you_mean(value, allowed) if isinstance(value, str) else ""
        return f"{_shown(value)} is none of {', '.join(allowed)}.{hint}"
    if kind in ("greater_than", "greater_than_equal"):
        limit = f"above {context['gt']:g}" if kind == "greater_than" else f"at least {context['ge']:g}"
        return f"{value} must be {limit}."
    if kind in ("less_than", "less_than_equal"):
        limit = f"below {context['lt']:g}" if kind == "less_than" else f"at most {context['le']:g}"
        return f"{value} must be {limit}."
    if kind == "too_long" or (kind == "too_short" and context["min_length"] > 1):
        needed = context["max_length" if kind == "too_long" else "min_length"]
        n = context["actual_length"]
        return f"{n} {'value stands' if n == 1 else 'values stand'} here; {needed} are needed."
    if kind == "too_short":
        return "nothing stands here. Write at least one line."
    what = _NEEDED.get(kind)
    return f"{_shown(value)} cannot stand here; {what} is needed." if what else f"{detail['msg']}."


def section_at(root: type[BaseModel], key_path: KeyPath) -> type[BaseModel]:
    """Find the model of the section under `key_path`; a key of a mapping or a place in a list leads to what it holds."""
    section, in_container = root, False
    for key in key_path:
        if in_container:
            in_container = False
            continue
        field = next(field for name, field in section.model_fields.items() if str(key) in (name, field.alias))
        section, in_container = _held(field.annotation) or (section, False)
    return section


def _held(annotation: Any) -> tuple[type[BaseModel], bool] | None:
    """The model that an annotation speaks of, and whether it stands in a mapping or a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    for part in typing.get_args(annotation):
        found = _held(part)
        if found is not None:
            return found[0], found[1] or typing.get_origin(annotation) in (dict, tuple)
    return None


def _shown(value: Any) -> str:
    return "nothing" if value is None else shown_value(value)
