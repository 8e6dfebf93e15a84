"""Records in long form, one line a trait: lines of one record joined, so that its traits stand together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import cast

import numpy as np

from breedeval.arrays import NONE, AnyArray, Bool, Float64, Int32, Int64, freeze
from breedeval.errors import RecordsError, count_of, name_some
from breedeval.model.records import ClassColumn, RecordTable
from breedeval.model.weights import Weight
from breedeval.names import Names
from breedeval.nearest import did_you_mean
from breedeval.source import Source


@dataclass(frozen=True)
class LongForm:
    """Columns of a file in long form.

    Parameters
    ----------
    trait
        Class column with the name of the trait of each line.
    value
        Number column with its value.
    record
        Class columns that together say which lines are one record; empty where every line is a record of its own.
    """

    trait: str
    value: str
    record: tuple[str, ...] = ()


@dataclass(frozen=True)
class JoinedRecords:
    """Records with a column a trait, the weights that belong to them, and what was done, in sentences."""

    table: RecordTable
    weight: Weight
    notes: tuple[str, ...]


def join_lines(table: RecordTable, form: LongForm, traits: Sequence[str], weight: Weight = None) -> JoinedRecords:
    """Join the lines of each record.

    What any line of a record says of it holds for the whole record; a single column of weights is that of the line's own trait.
    Records stand in the order of their first lines. Lines of other traits are left out and counted.

    Parameters
    ----------
    table
        A row a line, with the columns of `form`, of the model and of the weights.
    form
        Which column is what.
    traits
        Traits of the model.
    weight
        Weights as the configuration has them.

    Raises
    ------
    RecordsError
        If a trait has no line, stands twice in a record, or lines of one record contradict each other.

    Notes
    -----
    Without a key of the record, residuals of different traits are independent whatever their covariance.

    Examples
    --------
    >>> from breedeval.names import Names
    >>> from breedeval.source import Source
    >>> codes = ClassColumn(Names.of(["a", "b"]), np.array([0, 0, 1], np.int32))
    >>> trait = ClassColumn(Names.of(["milk", "fat"]), np.array([0, 1, 1], np.int32))
    >>> table = RecordTable(Source("three lines"), 3, {"id": codes, "trait": trait}, {"value": np.array([20.0, 0.8, 0.9])})
    >>> joined = join_lines(table, LongForm("trait", "value", ("id",)), ["milk", "fat"])
    >>> joined.table.numbers["milk"].tolist(), joined.table.numbers["fat"].tolist()
    ([20.0, nan], [0.8, 0.9])
    """
    return _Joiner(table, form, traits).join(weight)


class _Joiner:
    """The lines of the model's traits and the record of each; thrown away when the table is made."""

    def __init__(self, table: RecordTable, form: LongForm, traits: Sequence[str]) -> None:
        self._table, self._form, self._traits = table, form, list(traits)
        self._notes: list[str] = []
        self._problems: list[str] = []
        column = table.classes[form.trait]
        found = column.names.find(Names.of(self._traits))
        self._refuse_absent(column, found)
        place = np.full(len(column.names) + 1, NONE, dtype=np.int32)
        place[found] = np.arange(len(found), dtype=np.int32)
        trait_of_line = place[column.codes]
        self._lines: Int64 = np.flatnonzero(trait_of_line >= 0)
        self._trait: Int32 = trait_of_line[self._lines]
        self._note_left_out(column, trait_of_line)
        self._record, self._first = self._find_records()

    def join(self, weight: Weight) -> JoinedRecords:
        values, weights = self._values(weight if isinstance(weight, str) else None)
        joined_apart = {self._form.trait, *self._form.record}
        classes = {
            name: ClassColumn(column.names, freeze(self._merged(name, column.codes, column.codes >= 0, NONE)))
            for name, column in self._table.classes.items()
            if name not in joined_apart
        }
        for name in self._form.record:
            column = self._table.classes[name]
            classes[name] = ClassColumn(column.names, freeze(column.codes[self._lines[self._first]]))
        numbers = {
            name: freeze(self._merged(name, x, ~np.isnan(x), np.nan))
            for name, x in self._table.numbers.items()
            if name not in (self._form.value, weight)
        }
        if self._problems:
            raise RecordsError(
                f"{' '.join(self._problems)} A record is joined from the lines that agree in "
                f"{', '.join(self._form.record)} (records: long: record)."
            )
        source, lines = self._table.source, self._lines[self._first]
        table = RecordTable(
            Source(source.path, lambda row: source.line_of_row(int(lines[row])), source.unit),
            len(self._first),
            MappingProxyType(classes),
            MappingProxyType({**numbers, **values, **weights}),
            self._table.notes,
        )
        by_trait = {trait: _weight_name(weight, trait) for trait in self._traits} if isinstance(weight, str) else weight
        return JoinedRecords(table, by_trait, tuple(self._notes))

    def _refuse_absent(self, column: ClassColumn, found: Int32) -> None:
        absent = [trait for trait, code in zip(self._traits, found, strict=True) if code == NONE]
        if absent:
            known = list(column.names)[:1000]
            hints = "".join(did_you_mean(trait, known) for trait in absent)
            raise RecordsError(
                f"No line of {self._table.source.path} has {name_some(absent)} in column {self._form.trait}.{hints} "
                f"It holds {name_some(known)}. Correct the names of the traits in the model or in the file."
            )

    def _note_left_out(self, column: ClassColumn, trait_of_line: Int32) -> None:
        other = np.unique(column.codes[(trait_of_line < 0) & (column.codes >= 0)])
        if len(other):
            n = int(((trait_of_line < 0) & (column.codes >= 0)).sum())
            names = name_some(list(column.names.take(other[:6])))
            self._notes.append(f"{count_of(n, 'line')} of other traits left out: {names}")
        if (column.codes < 0).any():
            self._notes.append(f"{count_of(int((column.codes < 0).sum()), 'line')} without a trait left out")

    def _find_records(self) -> tuple[Int64, Int64]:
        """Record of each line, and first line of each record, both in the order of the lines."""
        n = len(self._lines)
        if not self._form.record:
            self._notes.append(
                f"{count_of(n, 'line')}, each a record of its own: residuals of different traits are independent. "
                "To join the lines of a record, name its columns under records: long: record."
            )
            return np.arange(n), np.arange(n)
        key = np.zeros(n, dtype=np.int64)
        incomplete: Bool = np.zeros(n, dtype=np.bool_)
        for name in self._form.record:
            codes = self._table.classes[name].codes[self._lines].astype(np.int64)
            incomplete |= codes < 0
            key = np.unique(key * (int(codes.max(initial=0)) + 2) + codes + 1, return_inverse=True)[1].astype(np.int64)
        alone = np.flatnonzero(incomplete)
        key[alone] = n + np.arange(len(alone))
        _, first, record = np.unique(key, return_index=True, return_inverse=True)
        order = np.argsort(first, kind="stable")
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        by = ", ".join(self._form.record)
        self._notes.append(f"{count_of(n, 'line')} joined to {count_of(len(order), 'record')} by {by}")
        if len(alone):
            self._notes.append(f"{count_of(len(alone), 'line')} without {by}: each a record of its own")
        return place[record], first[order]

    def _merged(self, name: str, values: AnyArray, known: Bool, missing: float) -> AnyArray:
        """The one value of each record that its lines state; lines without it say nothing."""
        line = np.flatnonzero(known[self._lines])
        found, record = values[self._lines[line]], self._record[line]
        merged = np.full(len(self._first), missing, dtype=values.dtype)
        merged[record[::-1]] = found[::-1]  # the first line of a record is written last
        wrong = line[found != merged[record]]
        if len(wrong):
            first = line[np.unique(record, return_index=True)[1]]
            shown = np.sort(np.concatenate([wrong, first[np.isin(self._record[first], self._record[wrong])]]))
            self._problems.append(
                f"Column {name} differs between lines of {count_of(len(np.unique(self._record[wrong])), 'record')} "
                f"{self._table.source.where(self._lines[shown])}: correct it, or write a column for each trait, filled in its "
                "lines alone."
            )
        return cast(AnyArray, merged)

    def _values(self, weight: str | None) -> tuple[dict[str, Float64], dict[str, Float64]]:
        """Columns of the traits and, if lines have weights, of the weight of each."""
        values, weights = {}, {}
        x = self._table.numbers[self._form.value]
        for j, trait in enumerate(self._traits):
            chosen = np.flatnonzero((self._trait == j) & ~np.isnan(x[self._lines]))
            record, lines = self._record[chosen], self._lines[chosen]
            count = np.bincount(record, minlength=len(self._first))
            if (count > 1).any():
                again = lines[count[record] > 1]
                self._problems.append(
                    f"{trait} stands more than once in {count_of(int((count > 1).sum()), 'record')} "
                    f"{self._table.source.where(again)}: add the column that tells repeated records apart, such as a date."
                )
            values[trait] = self._spread(record, x[lines])
            if weight is not None:
                weights[_weight_name(weight, trait)] = self._spread(record, self._table.numbers[weight][lines])
        return values, weights

    def _spread(self, record: Int64, values: Float64) -> Float64:
        full = np.full(len(self._first), np.nan)
        full[record] = values
        return freeze(full)


def _weight_name(weight: str, trait: str) -> str:
    """Name of the joined column with the weights of one trait."""
    return f"{weight} of {trait}"
