"""Every compiled loop used once, so that numba has it in its cache."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from breedeval.evaluation.observer import Observer, Silence
from breedeval.evaluation.run import evaluate
from breedeval.simulate.dairy import simulate_dairy
from breedeval.simulate.files import write_population

_N_ANIMALS = 400
_YEARS = 8
#: What is written behind the simulated configuration: each way to solve uses other loops.
_WAYS = {
    "pcg.yaml": "solver: {method: pcg, preconditioner: block}\naccuracy: {method: none}\n",
    "incomplete.yaml": "solver: {method: pcg, preconditioner: incomplete_cholesky}\naccuracy: {method: none}\n",
    "diagonal.yaml": "solver: {method: pcg, preconditioner: diagonal}\naccuracy: {method: none}\n",
    "direct.yaml": "solver: {method: direct}\naccuracy: {method: exact}\n",
}


def compile_all(folder: Path, observer: Observer | None = None) -> None:
    """Compile all loops of an evaluation by running small ones.

    Parameters
    ----------
    folder
        Where the simulated herd-book and its results are written; they can be thrown away.
    observer
        Told which way is tried; not of the runs themselves.

    Notes
    -----
    Half a minute the first time, a few seconds when numba has the loops in its cache.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     compile_all(Path(folder))
    ...     sorted(path.name for path in Path(folder).glob("*.h5"))
    ['diagonal.h5', 'direct.h5', 'incomplete.h5', 'pcg.h5']
    """
    observer = observer or Silence()
    observer.stage("simulating a small herd-book")
    population = simulate_dairy(np.random.default_rng(1), n_animals=_N_ANIMALS, years=_YEARS, unknown_sire=0.1)
    herd = folder / "herd"
    write_population(population, herd)
    text = (herd / "evaluation.yaml").read_text(encoding="utf-8")
    for name, way in _WAYS.items():
        observer.stage(f"evaluating it: {Path(name).stem}")
        (herd / name).write_text(text + way, encoding="utf-8")
        evaluate(herd / name, (folder / name).with_suffix(".h5"))
