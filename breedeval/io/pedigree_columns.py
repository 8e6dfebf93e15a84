"""Which column of a pedigree file is the animal, the sire, the dam and so on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from breedeval.errors import TableError, name_some
from breedeval.io.text_table import ColumnKey

#: What a user says of a column: its name or number; None to recognize it; False if there is none.
Choice = str | int | bool | None

PARTS = ("animal", "sire", "dam", "birth_year", "birth_date", "sex")
_NEEDED = ("animal", "sire", "dam")
#: Usual names of each part, best first, in small letters with "_" for blanks, points and hyphens.
_USUAL = {
    "animal": "animal animal_id id ind individual individual_id ind_id anim progeny offspring calf cow lamb tree ego iid name",
    "sire": "sire sire_id sireid sid father father_id dad fid pat paternal male_parent",
    "dam": "dam dam_id damid did mother mother_id mum mom mid mat maternal female_parent",
    "birth_year": "birth_year birthyear year_of_birth yob born year",
    "birth_date": "birth_date birthdate date_of_birth dob birthday birth_day",
    "sex": "sex gender",
}
_JOINTS = re.compile(r"[\s.\-_]+")


@dataclass(frozen=True)
class PedigreeColumns:
    """The column of each part of a pedigree that the file has; the `recognized` ones were not named by the user."""

    keys: Mapping[str, ColumnKey]
    recognized: tuple[str, ...]

    def describe(self) -> tuple[str, ...]:
        """Say which columns were recognized and not named."""
        if not self.recognized:
            return ()
        pairs = ", ".join(f"{part} = '{self.keys[part]}'" for part in self.recognized)
        return (f"Columns recognized by their names: {pairs}.",)


def usual_names(texts: Mapping[str, str]) -> bool:
    """Whether texts that stand for the animal and its parents are usual names of these columns: then they are a header.

    Examples
    --------
    >>> usual_names({"animal": "ID", "sire": "Sire.ID", "dam": "0"}), usual_names({"animal": "Calf", "sire": "7"})
    (True, False)
    """
    usual = [part for part, text in texts.items() if _normal(text) in _USUAL[part].split()]
    return "animal" in usual and len(usual) > 1


def named_columns(choices: Mapping[str, Choice]) -> dict[str, ColumnKey]:
    """Columns that the user names, by part."""
    return {part: choice for part, choice in choices.items() if choice is not None and not isinstance(choice, bool)}


def choose_columns(path: str, header: Sequence[str], choices: Mapping[str, Choice]) -> PedigreeColumns:
    """Take the columns that the user names, and recognize the others by their usual names.

    Parameters
    ----------
    path
        Name of the file, for messages.
    header
        Names of the columns.
    choices
        For each of ``PARTS`` a name or number, None or False.

    Raises
    ------
    TableError
        If the animal, sire or dam column is neither named nor recognized.
    """
    _refuse_true(path, choices)
    keys = named_columns(choices)
    recognized: list[str] = []
    if not any(isinstance(key, int) for key in keys.values()):
        normal = {_normal(name): name for name in reversed(header)}
        for part in PARTS:
            found = next((normal[usual] for usual in _USUAL[part].split() if usual in normal), None)
            if choices.get(part) is None and found is not None and found not in keys.values():
                keys[part] = found
                recognized.append(part)
    absent = [part for part in _NEEDED if part not in keys and (choices.get(part) is None or part == "animal")]
    if absent:
        raise _not_recognized(path, header, absent, keys)
    _refuse_shared(path, keys)
    return PedigreeColumns(keys, tuple(recognized))


def _normal(name: str) -> str:
    return _JOINTS.sub("_", name.strip().lower())


def _refuse_true(path: str, choices: Mapping[str, Choice]) -> None:
    wrong = [part for part, choice in choices.items() if choice is True]
    if wrong:
        raise TableError(
            f"{path}: {', '.join(wrong)} is True. Give the column's name or number, or False if there is none.", path=path
        )


def _refuse_shared(path: str, keys: Mapping[str, ColumnKey]) -> None:
    shared = [f"{part} = '{key}'" for part, key in keys.items() if list(keys.values()).count(key) > 1]
    if shared:
        raise TableError(
            f"{path}: one column cannot be several things: {', '.join(shared)}. Name a column for each.", path=path
        )


def _not_recognized(path: str, header: Sequence[str], absent: Sequence[str], keys: Mapping[str, ColumnKey]) -> TableError:
    numbered = any(isinstance(key, int) for key in keys.values())
    plural = "columns" if len(absent) > 1 else "column"
    if numbered:
        remedy = f"Give a number for each: {', '.join(f'`{part}: ...`' for part in absent)}"
        text = f"{path}: no number is given for the {plural} of {_joined(absent)}, but columns are chosen by number. {remedy}"
    else:
        text = (
            f"{path}: the {plural} of {_joined(absent)} cannot be recognized among {name_some(header, 30)}. Name "
            f"{'them' if len(absent) > 1 else 'it'}: {', '.join(f'`{part}: ...`' for part in absent)}"
        )
    parents = [part for part in absent if part != "animal"]
    text += f" (or `{parents[0]}: none` if the file has none)." if parents and len(absent) < len(_NEEDED) else "."
    if len(header) == 1 and not numbered:
        text += _one_column(header[0])
    if not numbered and len(absent) == len(_NEEDED) and len(header) >= len(_NEEDED) and _looks_like_data(header):
        text += " If the file has no header, give column numbers: `animal: 1`, `sire: 2`, `dam: 3`."
    return TableError(text, path=path, columns=tuple(header), parts=tuple(absent))


def _one_column(name: str) -> str:
    """What may be wrong where all columns were taken for one."""
    if len(name.split()) > 1:
        return " The header is one field: a .csv file has commas or semicolons between its fields; with blanks, name it .txt."
    marks = [mark for mark in "|:/" if mark in name]
    if marks:
        return f" The header is one field: '{marks[0]}' separates no fields; write commas, semicolons, tabs or blanks."
    return ""


def _looks_like_data(header: Sequence[str]) -> bool:
    """Whether the first line may be a row of ids: a number or an empty field in it, or a text that stands twice."""
    return len(set(header)) < len(header) or any(not name or any(c.isdigit() for c in name) for name in header)


def _joined(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
