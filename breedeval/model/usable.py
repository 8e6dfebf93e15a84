"""Which records are used for which trait, and why the others are dropped: every record read is accounted for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from breedeval.arrays import Bool, Float64, Int32, Int64, freeze
from breedeval.errors import EXAMPLES_SHOWN, RecordsError, count_of, name_some
from breedeval.model.places import show_term
from breedeval.model.records import RecordTable
from breedeval.model.relations import Relations
from breedeval.model.spec import ModelSpec, TraitModel
from breedeval.model.weights import Weight, weight_columns, weight_of_trait
from breedeval.pedigree.pedigree import Pedigree

UnknownAnimals = Literal["refuse", "add", "drop"]


@dataclass(frozen=True)
class RecordAccount:
    """What became of the records.

    Parameters
    ----------
    n_read, n_used
        Records in the file; records with at least one trait used.
    used_by_trait
        Observations used, by trait.
    dropped
        Records dropped, by reason.
    """

    n_read: int
    n_used: int
    used_by_trait: Mapping[str, int]
    dropped: Mapping[str, int]

    def lines(self) -> list[str]:
        """Sentences for a person."""
        text = [f"{count_of(self.n_read, 'record')} read, {self.n_used:,} used"]
        text += [f"{count_of(n, 'record')} dropped: {reason}" for reason, n in self.dropped.items()]
        if len(self.used_by_trait) > 1:
            text += [f"{trait}: {count_of(n, 'observation')}" for trait, n in self.used_by_trait.items()]
        return text


@dataclass(frozen=True)
class UsableRecords:
    """The used records: `rows` (m,) of the file (those of one animal together), `observed` (m, t), and the account."""

    rows: Int64
    observed: Bool
    account: RecordAccount


def find_animals(spec: ModelSpec, table: RecordTable, pedigree: Pedigree | None) -> dict[str, Int32]:
    """Row in the pedigree of each name of each column that stands in a ``genetic`` or ``dominance`` term; −1 if not there."""
    columns = dict.fromkeys(r.column for m in spec.traits for r in m.random if r.kind in ("genetic", "dominance"))
    if pedigree is None:
        return {}
    return {column: pedigree.ids.find(table.classes[column].names) for column in columns}


def refuse_unknown_animals(table: RecordTable, animals: Mapping[str, Int32], pedigree_source: str) -> None:
    """Raise `RecordsError` if records name animals that are not in the pedigree."""
    problems = []
    for column, rows_of_names in animals.items():
        absent = rows_of_names < 0
        codes = table.classes[column].codes
        rows = np.flatnonzero((codes >= 0) & np.append(absent, False)[codes])
        if len(rows):
            met = np.unique(codes[rows])
            names = table.classes[column].names.take(met[:EXAMPLES_SHOWN])
            problems.append(
                f"{count_of(len(met), 'animal')} in column {column} with {count_of(len(rows), 'record')} not in the pedigree "
                f"{pedigree_source}: {name_some(names, of=len(met))} "
                f"{table.source.where(rows)}."
            )
    if problems:
        raise RecordsError(
            " ".join(problems) + " Add them to the pedigree file, or set records: unknown_animals to 'add' "
            "(they become animals with unknown parents) or 'drop' (their records are left out)."
        )


def find_usable(
    spec: ModelSpec,
    table: RecordTable,
    animals: Mapping[str, Int32],
    weight: Weight = None,
    residual_by: str | None = None,
    relations: Relations | None = None,
) -> UsableRecords:
    """Decide for every record and trait whether it is used.

    A trait of a record counts when its value, every class and every covariate of its model, its animals, the weight and the
    class of the residual are there. A record is used when at least one trait counts.

    Raises
    ------
    RecordsError
        If a trait has no usable record, or a weight is negative.
    """
    _refuse_negative_weights(table, weight)
    observed = np.empty((table.n_rows, len(spec.traits)), dtype=bool)
    reasons: dict[str, Bool] = {}
    by_trait: dict[str, dict[str, int]] = {}
    for j, model in enumerate(spec.traits):
        usable = np.ones(table.n_rows, dtype=bool)
        counts = by_trait.setdefault(model.trait, {})
        shared = _shared_obstacles(table, weight_of_trait(weight, model.trait), residual_by)
        for reason, bad in {**_obstacles(model, table, animals, relations or Relations()), **shared}.items():
            first = usable & bad
            counts[reason] = int(first.sum())
            reasons[reason] = reasons.get(reason, np.zeros(table.n_rows, dtype=bool)) | first
            usable &= ~bad
        observed[:, j] = usable
    used: Bool = np.any(observed, axis=1)
    account = _account(spec, table, observed, used, reasons)
    _refuse_empty_traits(spec, account, table, by_trait)
    rows = _by_animal(np.flatnonzero(used), table, animals)
    return UsableRecords(freeze(rows), freeze(observed[rows]), account)


def _by_animal(rows: Int64, table: RecordTable, animals: Mapping[str, Int32]) -> Int64:
    """Rows in the order of their animals in the pedigree: a pass over records then walks through the animals in step.

    It also makes the sums, and with them the last bits of the solutions, independent of the order of animals in the file.
    """
    for column, row_of_name in animals.items():
        return rows[np.argsort(row_of_name[table.classes[column].codes[rows]], kind="stable")]
    return rows


def _obstacles(model: TraitModel, table: RecordTable, animals: Mapping[str, Int32], relations: Relations) -> dict[str, Bool]:
    """Rows where something that this trait needs is missing, by reason."""
    found = {f"{model.trait} missing": np.isnan(table.numbers[model.trait])}
    for fixed in model.fixed:
        found.update({f"{c} missing": table.classes[c].codes < 0 for c in fixed.classes})
        found.update({f"{c.column} missing": np.isnan(table.numbers[c.column]) for c in fixed.covariables})
    for random in model.random:
        found.update({f"{column} missing": table.classes[column].codes < 0 for column in random.columns})
        codes = table.classes[random.columns[0]].codes
        if random.kind in ("genetic", "dominance"):
            found[f"{random.column} not in the pedigree"] = np.append(animals[random.column] < 0, False)[codes]
        if random.pen is not None:
            found[f"{random.pen} missing"] = table.classes[random.pen].codes < 0
        if random.by_sire_mgs:
            found[f"sire of {random.column} unknown"] = np.append(relations.sires[random.column] < 0, False)[codes]
        for c in random.covariables:
            found[f"{c.column} missing"] = np.isnan(table.numbers[c.column])
    return found


def _refuse_negative_weights(table: RecordTable, weight: Weight) -> None:
    problems = []
    for column in weight_columns(weight):
        negative = np.flatnonzero(table.numbers[column] < 0)
        if len(negative):
            problems.append(
                f"{count_of(len(negative), 'record')} with a negative weight in {column} {table.source.where(negative)}."
            )
    if problems:
        raise RecordsError(f"{' '.join(problems)} A weight multiplies the inverse residual variance and must be positive.")


def _shared_obstacles(table: RecordTable, weight: str | None, residual_by: str | None) -> dict[str, Bool]:
    found: dict[str, Bool] = {}
    if residual_by is not None:
        found[f"{residual_by} missing"] = table.classes[residual_by].codes < 0
    if weight is not None:
        values: Float64 = table.numbers[weight]
        found[f"weight {weight} missing"] = np.isnan(values)
        found[f"weight {weight} zero"] = values == 0
    return found


def _account(spec: ModelSpec, table: RecordTable, observed: Bool, used: Bool, reasons: Mapping[str, Bool]) -> RecordAccount:
    left = ~used
    dropped = {}
    for reason, rows in reasons.items():
        counted = left & rows
        if counted.any():
            dropped[reason] = int(counted.sum())
        left &= ~rows
    by_trait = {trait: int(observed[:, j].sum()) for j, trait in enumerate(spec.trait_names)}
    return RecordAccount(table.n_rows, int(used.sum()), by_trait, dropped)


def _refuse_empty_traits(
    spec: ModelSpec, account: RecordAccount, table: RecordTable, by_trait: Mapping[str, Mapping[str, int]]
) -> None:
    empty = [trait for trait, n in account.used_by_trait.items() if n == 0]
    if empty:
        counts = {reason: n for trait in empty for reason, n in by_trait[trait].items() if n}
        why = "; ".join(f"{reason}: {count_of(n, 'record')}" for reason, n in counts.items())
        places = "".join(f"\n{show_term(model, '')}" for model in spec.traits if model.trait in empty and model.text)
        raise RecordsError(
            f"No record of {table.source.path} can be used for {name_some(empty)}. Why records were left out: {why}. "
            f"Check the column names, the codes under records: missing, and that ids are written alike in both files.{places}"
        )
