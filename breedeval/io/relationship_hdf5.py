"""Read the arrays of a relationship matrix from HDF5.

Apart from the other forms, because a run without such a file has no need of the library that reads it.
"""

from __future__ import annotations

from typing import Any

import h5py

_MATRIX = ("matrix", "data", "indices", "indptr", "shape", "row", "col")


def read_hdf5_arrays(path: str) -> dict[str, Any]:
    """The data sets that make up a matrix, and its labels where it has them.

    Parameters
    ----------
    path
        HDF5 file with ``matrix``, or the parts of a sparse matrix; ``labels`` (or ``level``) are its names.

    Raises
    ------
    OSError
        If the file is not HDF5.
    """
    with h5py.File(path, "r") as file:
        found = {key: file[key][()] for key in _MATRIX if key in file}
        for key in ("labels", "level"):
            if key in file:
                found["labels"] = file[key].asstr()[:] if h5py.check_string_dtype(file[key].dtype) else file[key][()]
        return found
