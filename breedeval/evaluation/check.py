"""Everything but the solution: read, check, lay out, choose, predict."""

from __future__ import annotations

from breedeval.equations.triangle import predict_triangle_bytes
from breedeval.errors import count_of
from breedeval.evaluation.config import EvaluationConfig
from breedeval.evaluation.inputs import prepare
from breedeval.evaluation.observer import Observer, Silence
from breedeval.evaluation.plan import BYTES_PER_ELEMENT
from breedeval.evaluation.problem import expected_size, set_up
from breedeval.evaluation.variance_files import WrittenVariances
from breedeval.io.relationship_file import ArrayReader
from breedeval.results.provenance import StageClock, peak_memory_mib

#: Vectors of all equations that PCG keeps: x, r, z, p, q, and the preconditioner's.
PCG_VECTORS = 6
#: Libraries that write and tabulate results (h5py, pandas), which a check does not load.
RESULTS_LIBRARIES_MIB = 75


def check_evaluation(
    config: EvaluationConfig,
    observer: Observer | None = None,
    written: WrittenVariances | None = None,
    read_hdf5: ArrayReader | None = None,
) -> list[str]:
    """Check a configuration and its files without solving; `written`, `read_hdf5` as in `breedeval.evaluation.inputs.prepare`.

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
    inputs = prepare(config, clock, observer or Silence(), written, read_hdf5=read_hdf5)
    problem = set_up(config, inputs, clock, observer or Silence())
    here = peak_memory_mib()
    extra = RESULTS_LIBRARIES_MIB + PCG_VECTORS * 8 * problem.equations.order / 2**20
    if problem.plan.needs_factor and problem.n_elements >= 0:
        extra += problem.n_elements * BYTES_PER_ELEMENT / 2**20
    if problem.plan.solver == "pcg" and problem.plan.preconditioner == "incomplete_cholesky":
        extra += predict_triangle_bytes(problem.equations) / 2**20
    animals = "" if inputs.genetics is None else f"{count_of(inputs.genetics.pedigree.n_animals, 'animal')}, "
    return [
        f"{config.title}: no problem found",
        f"{animals}{count_of(inputs.design.n_records, 'record')} used, {count_of(problem.equations.order, 'equation')}",
        f"reading and setting up took {sum(s.seconds for s in clock.stages):.1f} s",
        f"memory of a run: about {here + extra:,.0f} MiB ({here:,.0f} now, {extra:,.0f} more to solve and write)",
        f"results file: about {expected_size(inputs) / 1e6:,.1f} MB",
    ]
