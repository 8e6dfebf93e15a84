"""The main job: from a configuration to breeding values, in memory and in a results file."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numba
import numpy as np

from breedeval.accuracy.exact import relationship_diagonal
from breedeval.accuracy.reliability import reliability
from breedeval.arrays import Float64, Int32, freeze
from breedeval.errors import OutputError, count_of
from breedeval.evaluation.base import base_animals
from breedeval.evaluation.config import EvaluationConfig, read_config
from breedeval.evaluation.factorization import factorize_as_planned
from breedeval.evaluation.forecast import forecast, refuse_short_memory
from breedeval.evaluation.genetics import Genetics
from breedeval.evaluation.inputs import Inputs, prepare
from breedeval.evaluation.observer import Observer, Silence
from breedeval.evaluation.problem import Problem, expected_size, set_up
from breedeval.evaluation.solution import LongRun, Solved, solve
from breedeval.evaluation.start import genetic_trend, start_from
from breedeval.evaluation.storage import store_records
from breedeval.evaluation.stored_inbreeding import read_stored
from breedeval.evaluation.stored_variances import written_variances
from breedeval.evaluation.variance_files import variance_files
from breedeval.io.relationship_hdf5 import read_hdf5_arrays
from breedeval.model.layout import PEDIGREE
from breedeval.names import Names
from breedeval.pedigree.pedigree import Pedigree
from breedeval.results.atomic import check_writable, remove_leftovers
from breedeval.results.content import FUNCTION, BreedingValues, EvaluationResults
from breedeval.results.new_file import check_results_place
from breedeval.results.provenance import StageClock, now, run_record
from breedeval.results.results_writer import write_results
from breedeval.results.store import ResultsFile

#: Below so many equations a second thread costs more to wake than it does.
WORTH_THREADS = 50_000


def evaluate(
    config: str | os.PathLike[str] | EvaluationConfig,
    results: str | os.PathLike[str] | None = None,
    threads: int | None = None,
    observer: Observer | None = None,
    start: str | os.PathLike[str] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
) -> EvaluationResults:
    r"""Evaluate: the same as the command of this name.

    Parameters
    ----------
    config
        Path of a configuration, or one that was read.
    results
        Path of the results file to write; None writes nothing.
    threads
        Threads to use; by default as configured, else all cores.
    observer
        Told of stages, facts and rounds; by default nobody is.
    start
        An older results file, whose solutions are the first guess of an iterative solution.
    checkpoint
        File for the state of an iterative solution, written every few minutes; if it is there, the run goes on from it.

    Returns
    -------
    EvaluationResults
        Breeding values, solutions and everything that the results file holds.

    Raises
    ------
    ConfigError, DataError
        If the configuration or a file is wrong; all problems are named together.
    NotConvergedError
        If the solution is not good enough. Nothing is written then.
    OutputError
        If the results file cannot be written.
    MemoryShortError
        If the solution needs more memory than there is.
    InterruptedRunError
        If the user interrupts (Ctrl-C) a run with a checkpoint.

    Examples
    --------
    >>> import breedeval as be
    >>> run = be.evaluate("configs/mrode_animal.yaml")
    >>> run.ebv("gain").query("id == '6'").round(3).to_string(index=False)
    'id   ebv  reliability\n 6 0.177        0.115'
    """
    config = config if isinstance(config, EvaluationConfig) else read_config(config)
    observer = observer or Silence()
    path = None if results is None else Path(results)
    if path is not None:
        refuse_input(path, config)
        check_results_place(path)
        clear_leftovers(path, observer)
    if checkpoint is not None:
        _check_checkpoint(Path(checkpoint), path, start, config)
        clear_leftovers(Path(checkpoint), observer)
    if start is not None:
        ResultsFile(Path(start)).close()  # refuses now what is no results file
    use_threads(threads or config.solver.threads)
    clock = StageClock()
    written, stored = written_variances(config), read_stored(config)
    inputs = prepare(config, clock, observer, written, stored=stored, read_hdf5=read_hdf5_arrays)
    if threads is None and config.solver.threads is None and inputs.design.layout.n_equations < WORTH_THREADS:
        use_threads(1)
    problem = set_up(config, inputs, clock, observer)
    if path is not None:
        check_results_place(path, expected_size(inputs))
    starts = start is not None
    problem, inputs = store_records(config.solver, problem, inputs, forecast(problem, starts=starts), path, observer)
    refuse_short_memory(forecast(problem, starts=starts), problem, observer)
    problem, factor = factorize_as_planned(config, problem, clock, observer)
    if problem.plan.solver != "pcg":
        _say_not_used(observer, start, checkpoint)
    long_run = LongRun(checkpoint=None if checkpoint is None else Path(checkpoint))
    if start is not None and problem.plan.solver == "pcg":
        with clock.stage("first guess"):
            guess = start_from(Path(start), inputs, observer, problem)
            slow = genetic_trend(inputs) if problem.plan.preconditioner == "incomplete_cholesky" else None
            long_run = LongRun(guess, long_run.checkpoint, slow)
    solved = solve(config, problem, factor, clock, observer, long_run)
    found = _collect(config, inputs, problem, solved, clock)
    if path is not None:
        observer.stage("writing results")
        write_results(path, found)
        observer.say(f"results: {path}")
    return found


def refuse_input(path: Path, config: EvaluationConfig, what: str = "results", option: str = "-o") -> None:
    """Refuse to write over a file that is read.

    Raises
    ------
    OutputError
        If `path` is the configuration or a file that it names.
    """
    read = [config.source.path, config.records.file, *variance_files(config)]
    if config.pedigree is not None:
        read += [file for file in (config.pedigree.file, config.pedigree.stored_inbreeding) if file is not None]
    read += [file for section in config.relationships.values() for file in (section.file, section.labels) if file is not None]
    if path.resolve() in [Path(file).resolve() for file in read]:
        raise OutputError(f"{path} is a file that this run reads. Give the {what} another name with {option}.", path=path)


def clear_leftovers(path: Path, observer: Observer) -> None:
    """Remove what killed runs have left beside a file that this run writes, and say so."""
    n, n_bytes = remove_leftovers(path)
    if n:
        observer.say(f"removed {count_of(n, 'unfinished file')} of killed runs beside {path}: {n_bytes / 1e6:,.1f} MB")


def _say_not_used(observer: Observer, start: str | os.PathLike[str] | None, checkpoint: str | os.PathLike[str] | None) -> None:
    """Say what a direct solution has no use for."""
    for path, what in ((start, "a first guess"), (checkpoint, "checkpoints")):
        if path is not None:
            observer.say(f"{os.fspath(path)} is not used: a direct solution has no rounds, and so no use for {what}")


def _check_checkpoint(path: Path, results: Path | None, start: str | os.PathLike[str] | None, config: EvaluationConfig) -> None:
    """Refuse a checkpoint that cannot be written, or that would be written over another file of the run."""
    refuse_input(path, config, "checkpoint", "--checkpoint")
    for other, what in ((results, "the results"), (start, "the first guess")):
        if other is not None and Path(other).resolve() == path.resolve():
            raise OutputError(
                f"{path} is the file of {what}, too. Give the checkpoint another name with --checkpoint.", path=path
            )
    check_writable(path, what="checkpoint", option="--checkpoint")


def use_threads(threads: int | None) -> None:
    """Set the number of threads of compiled loops; None means all cores."""
    most: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    numba.set_num_threads(min(threads or most, most))


def _collect(
    config: EvaluationConfig, inputs: Inputs, problem: Problem, solved: Solved, clock: StageClock
) -> EvaluationResults:
    pedigree = _EMPTY if inputs.genetics is None else inputs.genetics.pedigree
    inbreeding = np.empty(0) if inputs.genetics is None else inputs.genetics.inbreeding.coefficients
    return EvaluationResults(
        title=config.title,
        created=now(),
        pedigree=pedigree,
        inbreeding=freeze(inbreeding),
        n_records=_records_of_animals(inputs, pedigree.n_animals),
        breeding_values=_breeding_values(config, inputs, solved),
        solutions=solved.solutions,
        solution_pev=solved.pev,
        effect_reliability=_effect_reliability(inputs, solved),
        estimability=problem.dependencies.estimability,
        variances=inputs.variances,
        variance_terms=inputs.variance_terms,
        solve=solved.solve,
        config_text=config.config_text,
        record=_record(config, inputs, problem, solved, clock),
    )


def _breeding_values(config: EvaluationConfig, inputs: Inputs, solved: Solved) -> tuple[BreedingValues, ...]:
    block = inputs.design.layout.genetic
    genetics = inputs.genetics
    if block is None or genetics is None:
        return ()
    chosen, base = base_animals(config.base, genetics.pedigree)
    covariance = inputs.variances.random[block.key]
    order = {label: j for j, label in enumerate(covariance.labels)}
    n = genetics.pedigree.n_animals
    ignored = config.pedigree is not None and not config.pedigree.inbreeding
    own = _prior_relationship(genetics, ignored) if solved.pev is not None else genetics.self_relationship
    found = []
    for column, label in enumerate(block.columns):
        trait, _, name = label.partition(":")
        variance = float(covariance.matrix[order[label], order[label]])
        value = block.view(solved.solutions.values)[:n, column]
        offset = 0.0 if chosen is None else float(value[chosen].mean())
        pev = None if solved.pev is None else freeze(block.view(solved.pev)[:n, column])
        rel = None if pev is None else freeze(reliability(pev, own, variance))
        found.append(BreedingValues(trait, name, freeze(value - offset), rel, pev, variance, base, offset))
    coefficients = block.view(solved.solutions.values)[:n]
    for row, contrast in enumerate(inputs.contrasts):
        value = coefficients @ contrast.weights
        offset = 0.0 if chosen is None else float(value[chosen].mean())
        pev = None if solved.contrast_pev is None else freeze(solved.contrast_pev[row])
        rel = None if pev is None else freeze(reliability(pev, own, contrast.variance))
        values = BreedingValues(
            contrast.function.name, FUNCTION, freeze(value - offset), rel, pev, contrast.variance, base, offset, contrast
        )
        found.append(values)
    return tuple(found)


def _prior_relationship(genetics: Genetics, ignored: bool) -> Float64:
    """(n,) var(u) / σ²_a of what has a PEV: of breeding values, or of deviations from fixed groups.

    Where inbreeding was ignored, or is relative to unknown parents that are inbred themselves, it is not 1 + F.
    """
    if not ignored and genetics.unknown_parents != "inbred":
        return genetics.self_relationship
    of_groups = genetics.self_relationship - (1.0 + genetics.inbreeding.coefficients)
    own: Float64 = relationship_diagonal(genetics.inverse, genetics.pedigree.n_animals) + of_groups
    return own


def _effect_reliability(inputs: Inputs, solved: Solved) -> dict[str, Float64]:
    """Reliability (levels, columns) of the random effects that hold no breeding values, by name."""
    found = {}
    for block in inputs.design.layout.random:
        if solved.pev is None or block.relationship == PEDIGREE:
            continue
        own = inputs.own_relationships.get(block.relationship, np.ones(block.n_levels))
        covariance = inputs.variances.random[block.key]
        order = [covariance.labels.index(label) for label in block.columns]
        variance = covariance.matrix.diagonal()[order]
        pev = block.view(solved.pev)
        columns = [reliability(pev[:, j], own, float(variance[j])) for j in range(block.n_columns)]
        found[block.name] = freeze(np.column_stack(columns))
    return found


def _records_of_animals(inputs: Inputs, n_animals: int) -> Int32:
    """Records used of each animal: those of the first genetic term (the animal itself; the sire in a sire model)."""
    design = inputs.design
    for term in design.terms:
        if design.layout.blocks[term.block].relationship == "pedigree" and not term.is_ragged:
            levels = term.level[term.level >= 0]
            return freeze(np.bincount(levels, minlength=n_animals).astype(np.int32))
    return freeze(np.zeros(n_animals, dtype=np.int32))


def _record(config: EvaluationConfig, inputs: Inputs, problem: Problem, solved: Solved, clock: StageClock) -> dict[str, Any]:
    files = {"config": config.source.path, "records": config.records.file}
    if config.pedigree is not None:
        files["pedigree"] = config.pedigree.file
        if config.pedigree.stored_inbreeding is not None:
            files["stored inbreeding"] = config.pedigree.stored_inbreeding
    files |= {f"relationship {name}": section.file for name, section in config.relationships.items()}
    files |= {f"variances {path.name}": path for path in variance_files(config)}
    account = inputs.design.account
    counts: dict[str, Any] = {
        "records": {
            "read": account.n_read,
            "used": account.n_used,
            "used_by_trait": dict(account.used_by_trait),
            "dropped": dict(account.dropped),
        },
        "equations": problem.equations.order,
        "dependencies": problem.dependencies.null_space.dimension,
    }
    if inputs.genetics is not None:
        report = inputs.genetics.built.report
        counts["pedigree"] = {
            "rows": report.n_rows,
            "animals": report.n_animals,
            "added": report.n_added,
            "founders": report.n_founders,
            "groups": inputs.genetics.pedigree.n_groups,
            "group_kind": inputs.genetics.group_kind,
            "unknown_forms": [asdict(form) for form in report.unknown_forms],
            "warnings": [problem.message for problem in report.warnings],
            "mended": [asdict(link) for link in report.mended],
        }
        if inputs.genetics.taken is not None:
            counts["stored_inbreeding"] = vars(inputs.genetics.taken)
    choices = {
        "plan": list(problem.plan.reasons),
        "solution": solved.solve.sentence(),
        "notes": [*config.notes, *inputs.notes, *inputs.design.notes, *inputs.variances.notes],
        "estimability": list(problem.dependencies.lines),
        "inbreeding": None if config.pedigree is None else config.pedigree.inbreeding,
        "publish": [contrast.text for contrast in inputs.contrasts],
        "unknown_parents": None if inputs.genetics is None else inputs.genetics.unknown_parents,
        "index": {name: dict(weights) for name, weights in config.index.items()},
    }
    return run_record(clock, files, counts, choices)


_EMPTY = Pedigree(
    Names.of([]),
    freeze(np.empty(0, dtype=np.int32)),
    freeze(np.empty(0, dtype=np.int32)),
    freeze(np.empty(0, dtype=np.int8)),
    freeze(np.empty(0, dtype=np.int32)),
    Names.of([]),
)
