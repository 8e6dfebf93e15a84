"""The state of a long solution on disk, so that a run that was killed goes on from its last checkpoint."""

from __future__ import annotations

import hashlib
from pathlib import Path

import h5py
import numpy as np

from breedeval.arrays import Float64
from breedeval.errors import ResultsError
from breedeval.operators import SymmetricOperator
from breedeval.results.atomic import written_whole
from breedeval.results.sink import Sink
from breedeval.solvers.error_estimate import ErrorEstimate
from breedeval.solvers.pcg import Recurrence
from breedeval.solvers.result import Convergence

FORMAT = "breedeval-checkpoint"
FORMAT_VERSION = "3"
#: Of the numbers that the equations are recognized by.
PROBE_SEED = 20260101
_VECTORS = ("x", "r", "p")
_COEFFICIENTS = ("decrease", "largest", "bounds", "alpha", "beta", "estimates")


def fingerprint(equations: SymmetricOperator, b: Float64, preconditioner: str) -> str:
    """Tell equations apart: a checksum of b, of C times a vector of fixed pseudo-random numbers, and of the preconditioner.

    Every element of C has a part in the product: a changed relationship shows even where it leaves the diagonal as it was.
    Costs one product. The bits of a product are the same for any number of threads.
    """
    probe = np.random.default_rng(PROBE_SEED).uniform(0.5, 1.5, len(b))
    digest = hashlib.sha256(preconditioner.encode())
    for vector in (b, equations.multiply(probe)):
        digest.update(np.ascontiguousarray(vector).data)
    return digest.hexdigest()


def checkpoint_bytes(n_equations: int) -> int:
    """Room that a checkpoint takes on disk."""
    return 8 * len(_VECTORS) * n_equations + 1_000_000


def write_checkpoint(path: Path, state: Recurrence, of: str) -> None:
    """Write the state of PCG, whole or not at all; `of` is the fingerprint of the equations.

    Raises
    ------
    OutputError
        If the file cannot be written; an older checkpoint is then untouched.
    """
    with written_whole(path) as temporary, Sink(temporary) as sink, h5py.File(sink, "w") as file:
        file.attrs.update({"format": FORMAT, "format_version": FORMAT_VERSION, "fingerprint": of})
        file.attrs.update({"rounds": state.rounds, "rz": state.rz, "p_length": state.p_length})
        for name, vector in zip(_VECTORS, (state.x, state.r, state.p), strict=True):
            file[name] = vector
        for name, vector in zip(_COEFFICIENTS, state.error.coefficients(), strict=True):
            file[name] = vector
        rounds = [(c.ebv_error, c.residual, c.residual_squared, c.solution_change) for c in state.history]
        file["history"] = np.array(rounds, dtype=np.float64).reshape(-1, 4)


def read_checkpoint(path: Path, of: str) -> Recurrence:
    """Read the state of PCG for the equations with fingerprint `of`.

    Raises
    ------
    ResultsError
        If the file is no checkpoint, or one of other equations.
    """
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") != FORMAT or file.attrs.get("format_version") != FORMAT_VERSION:
                raise ResultsError(
                    f"{path} is not a checkpoint of this version of breedeval. Give another name with --checkpoint."
                )
            if file.attrs["fingerprint"] != of:
                raise ResultsError(
                    f"{path} is a checkpoint of other equations: the records, the pedigree, the model, the variances or the "
                    "preconditioner have changed since. Remove it to begin anew."
                )
            x, r, p = (np.array(file[name][()], dtype=np.float64) for name in _VECTORS)
            error = ErrorEstimate.of(*(file[name][()] for name in _COEFFICIENTS))
            history = [Convergence(*row) for row in file["history"][()].tolist()]
            rz, p_length, rounds = float(file.attrs["rz"]), float(file.attrs["p_length"]), int(file.attrs["rounds"])
            return Recurrence(x, r, p, rz, p_length, rounds, error, history)
    except (OSError, KeyError) as error:
        raise ResultsError(
            f"{path} cannot be read as a checkpoint: it is damaged or something else. Give another name with --checkpoint; "
            "a damaged checkpoint can be removed."
        ) from error
