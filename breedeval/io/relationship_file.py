"""Read a relationship matrix, or its inverse, with the names of its levels.

Text (``.csv``, ``.txt``, ``.tsv``, ``.gz``, also ``.parquet``): a square with the names in the header and in the first column;
or a line an element: level, level, value, with or without header. Binary: NumPy ``.npz``, HDF5, Matrix Market ``.mtx``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import mmread
from scipy.sparse import coo_array, issparse

from breedeval.arrays import Float64, Int64
from breedeval.errors import BreedevalError, DataError, TableError, count_of, name_some
from breedeval.io.column_codes import encode_column
from breedeval.io.number_column import NotNumbers, number_values, shown_texts
from breedeval.io.tables import open_table, read_table
from breedeval.io.text_table import TextTable
from breedeval.names import Names
from breedeval.relationship.given import LabelledMatrix, from_triplets, symmetrized

_FORMS = (
    "Give a square with the names of the levels in the header, or a line an element: level, level, value (the lower triangle "
    "is enough)."
)


#: Reads the arrays of a binary file by name.
ArrayReader = Callable[[str], Mapping[str, Any]]


def read_relationship(
    path: str | os.PathLike[str], labels: str | os.PathLike[str] | None = None, read_hdf5: ArrayReader | None = None
) -> LabelledMatrix:
    """Read a symmetric matrix and the names of its levels.

    Parameters
    ----------
    path
        The file; its ending tells the form: ``.npz``, ``.h5`` or ``.hdf5``, ``.mtx``, else a table.
    labels
        A file with one name a line, in the order of the rows, for a form that has none (Matrix Market, ``.npz`` of scipy).
    read_hdf5
        `breedeval.io.relationship_hdf5.read_hdf5_arrays`; only a caller who may meet HDF5 loads its library.

    Raises
    ------
    TableError, DataError
        If the file cannot be read, is not symmetric, or its labels do not fit.

    Notes
    -----
    Forms other than tables: ``.npz`` with ``matrix`` (dense) and ``labels``, or as `scipy.sparse.save_npz` writes it; HDF5
    with data sets ``matrix`` and ``labels``; ``.mtx`` as `scipy.io.mmwrite` writes it. Without labels the levels are called 1,
    2, ...
    """
    name = os.fspath(path)
    if not Path(name).is_file():
        raise TableError(f"There is no file {name}. Paths are relative to the folder of the configuration.", path=name)
    given = None if labels is None else _read_labels(os.fspath(labels))
    ending = Path(name).suffix.lower()
    try:
        if ending == ".npz":
            return _from_arrays(_npz_arrays(name), given)
        if ending in (".h5", ".hdf5"):
            if read_hdf5 is None:
                raise DataError("HDF5 cannot be read here. Give a table, .npz or .mtx.")
            return _from_arrays(read_hdf5(name), given)
        if ending == ".mtx":
            return _from_arrays({"matrix": mmread(name, spmatrix=False)}, given)
        return _from_table(name, given)
    except (ValueError, OSError, KeyError) as error:
        if isinstance(error, TableError):
            raise
        message = error.message if isinstance(error, BreedevalError) else _unreadable(ending)
        raise DataError(f"{name}: {message}", path=name) from error


def _unreadable(ending: str) -> str:
    """What to say of a file that is not what its ending says, or is damaged."""
    form = {
        ".npz": "a NumPy file of numbers and texts, as numpy.savez or scipy.sparse.save_npz write it; labels are no Python "
        "objects (labels.astype(str))",
        ".h5": "HDF5 with the data sets matrix and labels",
        ".hdf5": "HDF5 with the data sets matrix and labels",
        ".mtx": "Matrix Market, as scipy.io.mmwrite writes it",
    }
    if ending not in form:
        return f"cannot be read. {_FORMS}"
    return f"cannot be read: it is damaged or something else. The ending {ending} means {form[ending]}."


def _read_labels(path: str) -> Names:
    column = read_table(path, [1]).ids(1)
    names, codes = encode_column(column, ())
    if len(names) < len(codes):
        raise DataError(
            f"{path}: {count_of(len(codes) - len(names), 'name')} more than once. Every level has one line.", path=path
        )
    return names.take(codes)


def _npz_arrays(path: str) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


def _from_arrays(arrays: Mapping[str, Any], given: Names | None) -> LabelledMatrix:
    matrix = _assembled(arrays)
    if matrix.dtype.kind not in "biuf":
        raise DataError("its elements are no real numbers. A relationship matrix has real elements.")
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise DataError(f"the matrix has the shape {' × '.join(map(str, matrix.shape))}; it must be square.")
    notes: tuple[str, ...] = ()
    names = given
    if names is None and "labels" in arrays:
        names = Names.of(_text(label) for label in np.atleast_1d(arrays["labels"]))
    if names is None:
        names = Names.of(str(i + 1) for i in range(matrix.shape[0]))
        notes = (f"levels are called 1 to {matrix.shape[0]:,}: the file has no labels",)
    _refuse_labels(names, matrix.shape[0])
    if not issparse(matrix):
        dense = np.array(matrix, dtype=np.float64)
        if not np.triu(dense, 1).any() or not np.tril(dense, -1).any():
            dense = dense + dense.T - np.diag(dense.diagonal())
        return symmetrized(names, dense, (*notes, "dense"))
    found = coo_array(matrix)
    found.sum_duplicates()
    one = from_triplets(names, found.row.astype(np.int64), found.col.astype(np.int64), found.data.astype(np.float64))
    return LabelledMatrix(one.names, one.matrix, (*notes, "sparse", *one.notes))


def _assembled(arrays: Mapping[str, Any]) -> Any:
    if "matrix" in arrays:
        return arrays["matrix"]
    if {"data", "row", "col", "shape"} <= set(arrays):
        return coo_array((arrays["data"], (arrays["row"], arrays["col"])), shape=tuple(arrays["shape"]))
    if {"data", "indices", "indptr", "shape"} <= set(arrays):
        # Rows or columns first makes no difference to a symmetric matrix.
        pointer = np.asarray(arrays["indptr"])
        row = np.repeat(np.arange(len(pointer) - 1), np.diff(pointer))
        return coo_array((arrays["data"], (row, arrays["indices"])), shape=tuple(arrays["shape"]))
    raise DataError(f"there is no array 'matrix'; it has {name_some(arrays)}. Write matrix and labels.")


def _text(label: Any) -> str:
    return label.decode() if isinstance(label, bytes) else str(label)


def _refuse_labels(names: Names, n: int) -> None:
    if len(names) != n:
        raise DataError(f"{count_of(len(names), 'label')} for {count_of(n, 'row')}. Give one label a row, in order.")
    listed = names.to_list()
    if len(set(listed)) < n:
        again = dict.fromkeys(label for label in listed if listed.count(label) > 1) if n <= 5_000 else ()
        raise DataError(f"labels that stand more than once: {name_some(again)}. Every level has one row.")


def _from_table(path: str, given: Names | None) -> LabelledMatrix:
    header = open_table(path).header
    square = _square(path, header, given)
    if square is not None:
        return square
    if len(header) != 3:
        raise DataError(
            f"neither a square with names nor three columns: the first line has {count_of(len(header), 'field')}. {_FORMS}"
        )
    return _triplets(path, header, given)


def _square(path: str, header: tuple[str, ...], given: Names | None) -> LabelledMatrix | None:
    """A dense matrix, if the table is a square: names in the header, perhaps in the first column too, or a file of labels."""
    by_number = open_table(path, with_header=False).read(list(range(1, len(header) + 1)))
    n_rows, n_columns = by_number.n_rows, len(header)
    if given is not None and n_rows == n_columns == len(given):
        return symmetrized(
            given, _dense(by_number, range(1, n_columns + 1), 0, given.to_list()), ("dense, names from the file of labels",)
        )
    if n_rows == n_columns:  # a header, and the names of rows before the values
        names, codes = encode_column(by_number.ids(1), ())
        rows = names.take(codes).to_list()[1:]
        _refuse_other_names(rows, header)
        if set(rows) == set(header[1:]) and len(set(rows)) == n_rows - 1:
            if given is not None:
                raise DataError("it has the names of its levels, and labels names them again. Leave out labels.")
            values = _dense(by_number, range(2, n_columns + 1), 1, header[1:])
            place = {label: i for i, label in enumerate(header[1:])}
            return symmetrized(Names.of(rows), values[:, [place[label] for label in rows]], ("dense, with names",))
    if n_rows == n_columns + 1 and n_columns != 3 and len(set(header)) == n_columns:
        return symmetrized(
            Names.of(header), _dense(by_number, range(1, n_columns + 1), 1, header), ("dense, names in the header",)
        )
    return None


def _refuse_other_names(rows: list[str], header: tuple[str, ...]) -> None:
    """Refuse what is a square with names by its shape, whose rows are called other than its columns."""
    columns = header[1:]
    is_square = header[0] == "" or len(header) > 3
    if is_square and set(rows) & set(columns) and set(rows) != set(columns):
        only = [
            f"{name_some(sorted(set(these) - set(others)))} only in the {where}"
            for these, others, where in ((rows, columns, "first column"), (columns, rows, "header"))
            if set(these) - set(others)
        ]
        raise DataError(f"rows and columns have different names: {'; '.join(only)}. Both must name the same levels.")


def _dense(table: TextTable, columns: range, first_row: int, labels: Sequence[str]) -> Float64:
    """Numbers of these columns from `first_row` on, as a square."""
    found = np.empty((table.n_rows - first_row, len(columns)))
    for j, column in enumerate(columns):
        values, wrong = number_values(str(column), table.columns[str(column)], [])
        rows = np.empty(0, dtype=np.int64) if wrong is None else wrong.rows[wrong.rows >= first_row]
        if len(rows):
            bad = NotNumbers(labels[j], rows, shown_texts(table.columns[str(column)], rows))
            raise DataError(f"{bad.describe(table.source)} Correct them; every element must be given.")
        found[:, j] = values[first_row:]
    return found


def _triplets(path: str, header: tuple[str, ...], given: Names | None) -> LabelledMatrix:
    with_header = not _is_number(header[2])
    table = open_table(path, with_header=with_header).read(list(header) if with_header else [1, 2, 3])
    keys = header if with_header else ("1", "2", "3")
    value, wrong = number_values(keys[2], table.columns[keys[2]], [])
    if wrong is not None:
        raise DataError(f"{wrong.describe(table.source)} Every line is level, level, value.")
    ends = [encode_column(table.ids(key), ()) for key in keys[:2]]
    names = given
    if names is None:
        joined = dict.fromkeys([*ends[0][0].to_list(), *ends[1][0].to_list()])
        names = Names.of(joined)
        names = names.take(names.sort_order())
    rows: list[Int64] = []
    for end, codes in ends:
        place = names.find(end)
        absent = end.take(np.flatnonzero(place < 0)).to_list()
        if absent:
            raise DataError(f"{count_of(len(absent), 'level')} not among the labels: {name_some(absent)}. Add them there.")
        rows.append(place[codes].astype(np.int64))
    found = from_triplets(names, rows[0], rows[1], value)
    return LabelledMatrix(found.names, found.matrix, ("a line an element", *found.notes))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
