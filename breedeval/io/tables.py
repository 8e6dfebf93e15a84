"""Open a file as a table, whatever its format."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Protocol

from breedeval.io.delimited_file import DelimitedFile
from breedeval.io.parquet_file import ParquetFile
from breedeval.io.text_table import ColumnKey, TextTable, has_header
from breedeval.progress import Progress


class TableFile(Protocol):
    """A file whose columns are known and can be read once."""

    path: str
    header: tuple[str, ...]
    with_header: bool
    notes: tuple[str, ...]

    def read(self, columns: Sequence[ColumnKey], optional: Sequence[ColumnKey] = ()) -> TextTable:
        """Read these columns of all rows."""
        ...


def open_table(
    path: str | os.PathLike[str], *, encoding: str = "utf-8", with_header: bool = True, progress: Progress | None = None
) -> TableFile:
    """Open a ``.parquet`` file, or a text file: its ending (``.gz`` behind it or not) or its first lines say the separator.

    Raises
    ------
    TableError
        If the file cannot be opened, is empty or is of another format.
    MissingExtraError
        If it is Parquet and pyarrow is not installed.
    """
    name = os.fspath(path)
    if name.lower().endswith((".parquet", ".pq")):
        return ParquetFile(name, with_header=with_header)
    return DelimitedFile(name, encoding=encoding, with_header=with_header, progress=progress)


def read_table(
    path: str | os.PathLike[str],
    columns: Sequence[ColumnKey],
    *,
    optional: Sequence[ColumnKey] = (),
    encoding: str = "utf-8",
) -> TextTable:
    """Read columns of a file as texts.

    Parameters
    ----------
    path
        A text file (separated by commas, semicolons, tabs or white space; ``.gz`` or not) or a ``.parquet`` file.
    columns
        Names of columns; or numbers from 1, then the file has no header.
    optional
        Columns that the file may lack.
    encoding
        How the letters are coded, such as ``latin-1``.

    Returns
    -------
    TextTable
        With the columns by ``str(key)``.

    Raises
    ------
    TableError
        If the file is not readable as a table, or a column is missing.

    Notes
    -----
    The file is held in memory, and 12 bytes a row for each column. Blanks around fields and blank lines are left out. Quotes
    are those of RFC 4180.
    """
    with_header = has_header(os.fspath(path), [*columns, *optional])
    return open_table(path, encoding=encoding, with_header=with_header).read(columns, optional)
