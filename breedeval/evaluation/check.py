"""Everything but the solution: read, check, lay out, choose, predict."""

from __future__ import annotations

from breedeval.errors import count_of
from breedeval.evaluation.config import EvaluationConfig
from breedeval.evaluation.forecast import forecast
from breedeval.evaluation.inputs import prepare
from breedeval.evaluation.observer import Observer, Silence
from breedeval.evaluation.problem import expected_size, set_up
from breedeval.evaluation.taken_inbreeding import StoredFile
from breedeval.evaluation.variance_files import WrittenVariances
from breedeval.io.relationship_file import ArrayReader
from breedeval.results.memory import available_memory_mib
from breedeval.results.provenance import StageClock

#: Libraries that write and tabulate results (h5py, pandas), which a check does not load.
RESULTS_LIBRARIES_MIB = 75


def check_evaluation(
    config: EvaluationConfig,
    observer: Observer | None = None,
    written: WrittenVariances | None = None,
    stored: StoredFile | None = None,
    read_hdf5: ArrayReader | None = None,
) -> list[str]:
    """Check a configuration and its files without solving; the last three as in `breedeval.evaluation.inputs.prepare`.

    Returns
    -------
    list of str
        What a run will need.

    Raises
    ------
    ConfigError, DataError
        As `breedeval.evaluation.run.evaluate` would.
    """
    clock = StageClock()
    inputs = prepare(config, clock, observer or Silence(), written, stored=stored, read_hdf5=read_hdf5)
    problem = set_up(config, inputs, clock, observer or Silence())
    needs = forecast(problem, timed=True)
    read = sum(s.seconds for s in clock.stages)
    available = available_memory_mib()
    there = "" if available is None else f"; {available:,.0f} MiB are available for it"
    animals = "" if inputs.genetics is None else f"{count_of(inputs.genetics.pedigree.n_animals, 'animal')}, "
    return [
        f"{config.title}: no problem found",
        f"{animals}{count_of(inputs.design.n_records, 'record')} used, {count_of(problem.equations.order, 'equation')}",
        f"time of a run: about {read + needs.seconds:,.0f} s (reading and setting up took {read:.1f} s)",
        f"memory of a run: about {needs.highest_mib + RESULTS_LIBRARIES_MIB:,.0f} MiB "
        f"({needs.more_mib + RESULTS_LIBRARIES_MIB:,.0f} more than now to solve and write{there})",
        f"results file: about {expected_size(inputs) / 1e6:,.1f} MB",
    ]
