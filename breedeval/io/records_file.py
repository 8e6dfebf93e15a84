"""Read a file of records."""

from __future__ import annotations

import os
from collections.abc import Sequence
from types import MappingProxyType

from breedeval.arrays import Float64, freeze
from breedeval.errors import RecordsError
from breedeval.io.column_codes import encode_column
from breedeval.io.number_column import NotNumbers, number_values
from breedeval.io.tables import read_table
from breedeval.io.text_table import TextTable
from breedeval.model.records import ClassColumn, RecordTable


def read_record_table(
    path: str | os.PathLike[str],
    *,
    classes: Sequence[str | int],
    numbers: Sequence[str | int],
    missing: Sequence[str] = ("", "NA"),
    encoding: str = "utf-8",
) -> RecordTable:
    """Read the columns of a records file that a model uses.

    Parameters
    ----------
    path
        A text file (separated by commas, semicolons, tabs or white space; ``.gz`` or not) or a ``.parquet`` file.
    classes
        Columns whose values are names, whatever they look like: ``0012`` stays ``0012``.
    numbers
        Columns whose values are numbers with a decimal point. A column may be in both lists.
    missing
        Texts that mean "missing", exactly as written; 0 is a value unless it is one of them.
    encoding
        How the letters are coded.

    Returns
    -------
    RecordTable
        With the columns by ``str(name)``; numbers are correctly rounded.

    Raises
    ------
    TableError
        If the file is not readable as a table, or a column is missing.
    RecordsError
        If a number column holds anything that is neither a number nor missing; all of them are named together.
    """
    table = read_table(path, [*classes, *numbers], encoding=encoding)
    class_columns: dict[str, ClassColumn] = {}
    for key in classes:
        names, codes = encode_column(table.ids(key), missing)
        class_columns[str(key)] = ClassColumn(names, freeze(codes))
    values: dict[str, Float64] = {}
    wrong: list[NotNumbers] = []
    for key in numbers:
        values[str(key)], problem = number_values(str(key), table.columns[str(key)], missing)
        if problem is not None:
            wrong.append(problem)
    if wrong:
        raise _not_numbers(table, wrong)
    return RecordTable(table.source, table.n_rows, MappingProxyType(class_columns), MappingProxyType(values), table.notes)


def _not_numbers(table: TextTable, wrong: Sequence[NotNumbers]) -> RecordsError:
    source = table.source
    listed = "\n".join(f"  {problem.describe(source)}" for problem in wrong)
    return RecordsError(
        f"{source.path}: {'a column' if len(wrong) == 1 else f'{len(wrong)} columns'} of numbers with other values:\n{listed}\n"
        "Correct them, add their code to `missing`, or declare the column as a class.",
        path=source.path,
        lines=tuple(source.line_of_row(int(row)) for problem in wrong for row in problem.rows[: len(problem.texts)]),
        columns=tuple(problem.column for problem in wrong),
    )
