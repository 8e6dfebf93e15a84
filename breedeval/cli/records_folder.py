"""The folder of simulated records: what the configuration names beside the records, and a configuration of the copies."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, MutableMapping
from io import StringIO
from pathlib import Path
from typing import Any

from breedeval.evaluation.config import EvaluationConfig
from breedeval.evaluation.variance_files import path_of

#: Endings that say only how a file is packed.
_PACKED = (".gz",)


class _Copies:
    """Files that are to be copied, each under a name of its own."""

    def __init__(self) -> None:
        self.names: dict[Path, str] = {}

    def name_of(self, path: Path, name: str | None = None) -> str:
        """The name of the copy: that of the file, or one that no other file has yet."""
        if path not in self.names:
            wanted = path.name if name is None else name
            taken = {"records.csv", "true_values.csv", "true_effects.csv", "evaluation.yaml", *self.names.values()}
            self.names[path] = next(name for name in _numbered(wanted) if name not in taken)
        return self.names[path]


def copy_configuration(config: EvaluationConfig, folder: Path, weight: Any) -> None:
    """Write ``evaluation.yaml``: the configuration as the user wrote it, of ``records.csv``, which has a column a trait.

    All other files that it names are copied into the folder.
    """
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 120
    content = yaml.load(config.config_text)
    content["title"] = f"{config.title}, simulated records"
    section, copies = content["records"], _Copies()
    section["file"], section["missing"] = "records.csv", [""]
    for key in ("columns", "encoding"):
        section.pop(key, None)
    if section.pop("long", None) is not None and weight is not None:
        section["weight"] = weight
    _name_copies(config, content, copies)
    for path, name in copies.names.items():
        shutil.copyfile(path, folder / name)
    text = StringIO()
    yaml.dump(content, text)
    (folder / "evaluation.yaml").write_text(text.getvalue(), encoding="utf-8")


def _name_copies(config: EvaluationConfig, content: MutableMapping[str, Any], copies: _Copies) -> None:
    """Put the names of the copies into the configuration."""
    if config.pedigree is not None:
        given = content["pedigree"]
        given["file"] = copies.name_of(config.pedigree.file, f"pedigree{_ending(config.pedigree.file)}")
        if config.pedigree.stored_inbreeding is not None:
            given["stored_inbreeding"] = copies.name_of(config.pedigree.stored_inbreeding)
    for name, relationship in config.relationships.items():
        # a name in a formula may be that of the file itself, which then needs a declaration
        declared = content.setdefault("relationships", {}).setdefault(name, {})
        declared["file"] = copies.name_of(relationship.file)
        if relationship.labels is not None:
            declared["labels"] = copies.name_of(relationship.labels)
    for named in (content["variances"], *content["variances"].values()):
        if isinstance(named, MutableMapping) and isinstance(named.get("file"), str):
            named["file"] = copies.name_of(path_of(config, named["file"]))


def _ending(path: Path) -> str:
    return "".join(path.suffixes[-2 if path.suffix in _PACKED else -1 :])


def _numbered(name: str) -> Iterator[str]:
    yield name
    first, dot, rest = name.partition(".")
    number = 2
    while True:
        yield f"{first}_{number}{dot}{rest}"
        number += 1
