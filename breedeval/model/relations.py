"""Levels of random effects that are neither the animals of the pedigree nor independent classes of the records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from breedeval.arrays import NONE, Int32
from breedeval.errors import RecordsError, count_of, name_some
from breedeval.model.records import RecordTable
from breedeval.model.spec import ModelSpec
from breedeval.pedigree.pedigree import Pedigree
from breedeval.relationship.related import RelatedLevels
from breedeval.relationship.sire_mgs import MalePedigree


@dataclass(frozen=True)
class Relations:
    """What the terms of a model need beside animals and classes.

    Parameters
    ----------
    levels
        Related levels by `RandomTerm.related_by`: those of matrices that a user gives, and ``dominance``.
    sires, grandsires
        By column of a ``genetic(sire_mgs(id))``: the level (int32) of the sire and of the maternal grandsire of each name of
        the column; −1 unknown.
    """

    levels: Mapping[str, RelatedLevels] = field(default_factory=dict)
    sires: Mapping[str, Int32] = field(default_factory=dict)
    grandsires: Mapping[str, Int32] = field(default_factory=dict)


def sires_of_names(
    spec: ModelSpec, table: RecordTable, pedigree: Pedigree, males: MalePedigree
) -> tuple[dict[str, Int32], dict[str, Int32]]:
    """Level of the sire and of the maternal grandsire of each name, by column of a term with ``sire_mgs``.

    `males` are the sires of `pedigree`.
    """
    sires, grandsires = {}, {}
    for column in dict.fromkeys(term.column for model in spec.traits for term in model.random if term.by_sire_mgs):
        animal = pedigree.ids.find(table.classes[column].names)
        sires[column] = np.append(males.sire_of, np.int32(NONE))[animal]
        grandsires[column] = np.append(males.grandsire_of, np.int32(NONE))[animal]
    return sires, grandsires


def refuse_unrelated_levels(spec: ModelSpec, table: RecordTable, relations: Relations) -> None:
    """Raise `RecordsError` if records name levels that a relationship matrix does not have."""
    problems = []
    for term in dict.fromkeys(term for model in spec.traits for term in model.random if term.relationship is not None):
        column, known = table.classes[term.column], relations.levels[term.related_by].names
        absent = known.find(column.names) < 0
        rows = np.flatnonzero((column.codes >= 0) & np.append(absent, False)[column.codes])
        if len(rows):
            names = column.names.take(np.unique(column.codes[rows]))
            problems.append(
                f"{count_of(len(names), 'level')} of column {term.column} with {count_of(len(rows), 'record')} not in the "
                f"relationship '{term.relationship}', which has {count_of(len(known), 'level')}: {name_some(names.to_list())} "
                f"{table.source.where(rows)}."
            )
    if problems:
        raise RecordsError(
            " ".join(problems) + " Add them to the relationship (with 1 on the diagonal if nothing is known of them), or list "
            "their code under records: missing. Names must be written alike in both files."
        )
