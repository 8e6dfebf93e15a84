"""A Parquet file as a table."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from breedeval.arrays import freeze
from breedeval.errors import MissingExtraError, TableError
from breedeval.io.text_bytes import check_readable
from breedeval.io.text_table import Column, ColumnKey, NumberColumn, TextColumn, TextTable, find_columns
from breedeval.source import Source


class ParquetFile:
    """A Parquet file; only the columns that are asked for are read.

    Attributes
    ----------
    header : tuple of str
        Names of the columns.

    Raises
    ------
    TableError
        If the file cannot be opened or is not Parquet.
    MissingExtraError
        If pyarrow is not installed.
    """

    def __init__(self, path: str, *, with_header: bool) -> None:
        self.path = path
        self.with_header = True
        self.notes: tuple[str, ...] = ()
        check_readable(path)
        if not with_header:
            raise TableError(f"{path}: the columns of a Parquet file have names. Give names, not numbers.", path=path)
        self._arrow, parquet = _load_arrow(path)
        try:
            self._file: Any = parquet.ParquetFile(path)
            self.header: tuple[str, ...] = tuple(self._file.schema_arrow.names)
        except (self._arrow.ArrowException, OSError) as error:
            raise TableError(f"{path} cannot be read as Parquet: {error}. Write it anew.", path=path) from error

    def read(self, columns: Sequence[ColumnKey], optional: Sequence[ColumnKey] = ()) -> TextTable:
        """Read these columns: whole numbers, texts and dates as texts; floating-point numbers as numbers.

        Raises
        ------
        TableError
            If a column is missing or is of a type that is none of these, or there are no rows.
        """
        places = find_columns(self.path, self.header, columns, optional)
        try:
            table = self._file.read(columns=list(places))
        except (self._arrow.ArrowException, OSError) as error:
            raise TableError(f"{self.path} is damaged: {error}. Write it anew.", path=self.path) from error
        if table.num_rows == 0:
            raise TableError(f"{self.path} has no rows. Give a file with a row for each animal or record.", path=self.path)
        made = {key: self._convert(key, table.column(key)) for key in places}
        return TextTable(Source(self.path), table.num_rows, made, self.notes)

    def _convert(self, name: str, chunked: Any) -> Column:
        arrow, types = self._arrow, self._arrow.types
        kind = chunked.type
        if types.is_dictionary(kind):
            chunked = chunked.cast(kind.value_type)
            kind = kind.value_type
        if types.is_floating(kind):
            return NumberColumn(freeze(chunked.cast(arrow.float64()).to_numpy(zero_copy_only=False).astype(np.float64)))
        if types.is_timestamp(kind):
            chunked = chunked.cast(arrow.timestamp("us", kind.tz)).cast(arrow.date32(), safe=False)
        is_text = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
        if not (is_text or types.is_integer(kind) or types.is_date(kind) or types.is_timestamp(kind)):
            raise TableError(
                f"{self.path}: column '{name}' is of type {kind}. Store it as text, numbers or dates.",
                path=self.path,
            )
        return _text_column(chunked.cast(arrow.large_string()).combine_chunks())


def _text_column(array: Any) -> TextColumn:
    """View the buffers of an Arrow array of large strings; a null is an empty text."""
    if hasattr(array, "num_chunks"):
        array = array.chunk(0)
    offsets = np.frombuffer(array.buffers()[1], dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    letters = array.buffers()[2]
    buffer = np.frombuffer(letters, dtype=np.uint8) if letters is not None and len(letters) else np.zeros(1, dtype=np.uint8)
    null = array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None
    lengths = np.diff(offsets).astype(np.int32)
    return TextColumn(freeze(buffer), freeze(offsets[:-1]), freeze(lengths), null if null is None else freeze(null))


def _load_arrow(path: str) -> tuple[Any, Any]:
    # An optional package, and slow to load: asked for only when there is a Parquet file.
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError as error:
        raise MissingExtraError(
            f"Reading {path} needs pyarrow, which is not installed. Install it with: pip install 'breedeval[arrow]'",
            extra="arrow",
        ) from error
