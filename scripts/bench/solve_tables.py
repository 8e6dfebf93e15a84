"""Tables of scripts/bench/solve: growth with the number of animals, several right-hand sides, explicit matrix, warm start."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pandas as pd
from solve_cases import CASES, make_equations
from solve_explicit import explicit

import breedeval as be
from breedeval.equations.mme import MixedModelEquations
from breedeval.equations.triangle import assemble_lower_triangle
from breedeval.kernels.vectors import dot, next_direction, step
from breedeval.solvers.incomplete_cholesky import IncompleteCholesky
from breedeval.solvers.pcg import pcg
from breedeval.solvers.pcg_columns import pcg_columns
from breedeval.solvers.preconditioners import DiagonalPreconditioner
from breedeval.solvers.stopping import StoppingRule

#: Elements of each vector of the triad, and bytes an element that move (the line of `a` is read before it is written).
TRIAD, TRIAD_BYTES = 20_000_000, 32
#: Vectors that a round of PCG reads or writes beside the operator and the preconditioner, and those of these two.
VECTORS, OPERATOR_VECTORS, PRECONDITIONER_VECTORS = 13, 4, 3
#: A year of records is added to so many.
YEARS = 10
#: Sizes of the populations that a warm start is measured on; a seed each.
WARM_ANIMALS = (100_000, 50_000, 30_000, 50_000, 30_000, 20_000)
#: Stages of a run that a warm start makes shorter or longer, setting up the preconditioner included.
WARM_STAGES = ("preconditioner", "first guess", "solution")
#: Each way is run so many times, and the shortest counts.
WARM_TIMES = 3
#: Rounds that a solve of the table of threads has, twice.
ROUNDS = 15


@numba.njit(parallel=True)
def triad(a: Any, b: Any, c: Any) -> None:
    for i in numba.prange(a.shape[0]):
        a[i] = b[i] + 3.0 * c[i]


def bandwidth() -> float:
    """Bytes a second of the triad, with as many threads as are set."""
    a, b, c = np.zeros(TRIAD), np.ones(TRIAD), np.ones(TRIAD)
    triad(a, b, c)
    return TRIAD_BYTES * TRIAD / best(lambda: triad(a, b, c), 5)


def best(work: Callable[[], Any], times: int) -> float:
    """Least seconds of several times."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return min(found)


def growth(options: argparse.Namespace) -> None:
    """Seconds of a round by number of animals and threads, as multiples of the streaming floor."""
    most: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    threads = [t for t in (1, 2) if t <= most]
    rates = {}
    for t in threads:
        numba.set_num_threads(t)
        rates[t] = bandwidth()
        print(f"triad, {t} threads: {rates[t] / 1e9:.1f} GB/s")
    print("animals      equations    threads  preconditioner        ms a round  ns an equation  times the floor")
    n = 100_000
    while n <= options.largest:
        equations, _ = make_equations(CASES["repeatability"], n, options.seed)
        factor = IncompleteCholesky.of(assemble_lower_triangle(equations))
        for preconditioner in (DiagonalPreconditioner.of(equations.diagonal()), factor):
            for t in threads:
                numba.set_num_threads(t)
                seconds = seconds_a_round(equations, preconditioner)
                floor = bytes_a_round(equations, preconditioner) / rates[t]
                print(
                    f"{n:10,}  {equations.order:11,}  {t:7}  {preconditioner.name:20}  {1e3 * seconds:10.2f}  "
                    f"{1e9 * seconds / equations.order:14.1f}  {seconds / floor:15.1f}"
                )
        n *= 10


def seconds_a_round(equations: MixedModelEquations, preconditioner: Any) -> float:
    """Least seconds of one round."""
    b = equations.right_hand_side
    x, r, p = np.zeros_like(b), b.copy(), b.copy()
    z, q = np.empty_like(b), np.empty_like(b)

    def one() -> None:
        equations.multiply(p, q)
        dot(p, q)
        step(1e-9, p, q, x, r)
        preconditioner.apply(r, z)
        dot(r, z)
        next_direction(z, 1e-3, p)

    one()
    return best(one, 7)


def bytes_a_round(equations: MixedModelEquations, preconditioner: Any) -> float:
    """What a round reads and writes at least: records, parents, each element of the factor twice, and the vectors."""
    w, r = equations.incidence, equations.residual
    total = w.first.nbytes + w.covariates.nbytes + r.kind.nbytes + r.weights.nbytes
    for penalty in equations.penalties:
        if isinstance(penalty.relationship_inverse, be.NumeratorInverse):
            inverse = penalty.relationship_inverse
            total += inverse.sire.nbytes + inverse.dam.nbytes + inverse.precision.nbytes
    if isinstance(preconditioner, IncompleteCholesky):
        total += preconditioner.n_bytes  # by rows and by columns, each once
    else:
        total += preconditioner.inverse.nbytes
    return total + 8.0 * equations.order * (VECTORS + OPERATOR_VECTORS + PRECONDITIONER_VECTORS)


def rounds(options: argparse.Namespace) -> None:
    """Milliseconds of a round and its parts as multiples of the streaming floor, for every model."""
    rate = bandwidth()
    print(f"triad, {numba.get_num_threads()} threads: {rate / 1e9:.1f} GB/s")
    print("model          animals    equations    preconditioner        ms a round  floor  times  (at most)   product  apply")
    for name in options.models:
        animals = options.animals or min(CASES[name].animals, 300_000)
        equations, _ = make_equations(CASES[name], animals, options.seed)
        factor = IncompleteCholesky.of(assemble_lower_triangle(equations))
        x = np.random.default_rng(1).normal(size=equations.order)
        out = np.empty_like(x)
        for preconditioner, most in ((DiagonalPreconditioner.of(equations.diagonal()), 3), (factor, 7)):
            seconds = seconds_a_round(equations, preconditioner)
            floor = bytes_a_round(equations, preconditioner) / rate
            product = best(lambda: equations.multiply(x, out), 7)  # noqa: B023
            apply = best(lambda: preconditioner.apply(x, out), 7)  # noqa: B023
            print(
                f"{name:13}  {animals:7,}  {equations.order:11,}    {preconditioner.name:20}  {1e3 * seconds:10.2f}  "
                f"{1e3 * floor:5.2f}  {seconds / floor:5.2f}  ({most})        {1e3 * product:8.2f}  {1e3 * apply:5.2f}"
            )


def columns(options: argparse.Namespace) -> None:
    """A round of several right-hand sides against one, for every model; the parts for the most of them."""
    for name in options.models:
        equations, _ = make_equations(CASES[name], options.animals or 300_000, options.seed)
        factor = IncompleteCholesky.of(assemble_lower_triangle(equations))
        rng = np.random.default_rng(1)
        print(f"{name}, {equations.order:,} equations, {numba.get_num_threads()} threads")
        alone = seconds_of_rounds(lambda n: pcg(equations, equations.right_hand_side, factor, rule_of(n)))  # noqa: B023
        print(f"  1 right-hand side:  {1e3 * alone:8.1f} ms a round")
        for c in (4, 8, 16):
            b = equations.multiply(rng.normal(size=(equations.order, c)))
            together = seconds_of_rounds(lambda n: pcg_columns(equations, b, factor, 0.0, n))  # noqa: B023
            print(f"{c:3} right-hand sides: {1e3 * together:8.1f} ms a round, {together / alone:5.2f} times one")
        print(f"    of which {parts_of(equations, factor, b)}")


def rule_of(n_rounds: int) -> StoppingRule:
    """Neither earlier nor later than so many rounds."""
    return StoppingRule("residual_squared", 0.0, n_rounds)


def seconds_of_rounds(solve: Callable[[int], Any]) -> float:
    """Seconds of one round, from solves of few and of more rounds: without what is done before the first and after the last."""
    few, more = 2, 10
    solve(1)
    return (best(lambda: solve(more), 3) - best(lambda: solve(few), 3)) / (more - few)


def parts_of(equations: MixedModelEquations, factor: IncompleteCholesky, b: Any) -> str:
    """Milliseconds of product and preconditioner with several right-hand sides and with one."""
    x, out = np.ascontiguousarray(b[:, 0]), np.empty_like(b[:, 0])
    several = np.empty_like(b)
    texts = []
    for text, work in (("product", equations.multiply), ("preconditioner", factor.apply)):
        one = best(lambda: work(x, out), 5)  # noqa: B023
        together = best(lambda: work(b, several), 5)  # noqa: B023
        texts.append(f"{text} {1e3 * together:.1f} ms ({together / one:.2f} times one)")
    return ", ".join(texts)


def threads(options: argparse.Namespace) -> None:
    """Triangular solves and whole solves by one and two threads, and with a busy loop pinned to the last core."""
    equations, _ = make_equations(CASES["repeatability"], options.animals or 1_000_000, options.seed)
    factor = IncompleteCholesky.of(assemble_lower_triangle(equations))
    b, z = equations.right_hand_side, np.empty(equations.order)
    rule = StoppingRule("residual_squared", 0.0, 2 * ROUNDS)
    print(f"repeatability, {equations.order:,} equations, {len(factor.factor.runs)} runs of nodes")
    solved: dict[str, float] = {}
    found: dict[int, Any] = {}
    busy_core = max(os.sched_getaffinity(0))
    others = os.sched_getaffinity(0) - {busy_core}
    for beside in ("", ", a core busy", ", a core busy and left alone"):
        loop = busy_loop(busy_core) if beside else None
        for t in (1, 2) if not beside.endswith("alone") else (1,):
            if beside.endswith("alone"):
                os.sched_setaffinity(0, others or {busy_core})
            numba.set_num_threads(t)
            factor.apply(b, z)
            applied = best(lambda: factor.apply(b, z), 7)
            found[t] = z.copy()
            pcg(equations, b, factor, StoppingRule("residual_squared", 0.0, 3))
            solved[f"{t}{beside}"] = best(lambda: pcg(equations, b, factor, rule), 3)
            print(
                f"{t} threads{beside:28}: triangular solves {1e3 * applied:7.1f} ms, "
                f"solve {1e3 * solved[f'{t}{beside}'] / rule.max_rounds:7.1f} ms a round"
            )
        if loop is not None:
            loop.kill()
    os.sched_setaffinity(0, others | {busy_core})
    print(f"the same bits: {bool((found[1] == found[2]).all())}")
    print(f"two threads are {solved['1'] / solved['2']:.2f} times as fast as one on an idle machine")
    print(
        f"beside a busy core two threads take {solved['2, a core busy'] / solved['1']:.2f} times one on an idle machine; "
        f"one there takes {solved['1, a core busy'] / solved['1']:.2f} times it, "
        f"{solved['1, a core busy and left alone'] / solved['1']:.2f} where it is kept off that core"
    )


def busy_loop(core: int) -> subprocess.Popen[bytes]:
    """A process that does nothing, on one core, all the time."""
    return subprocess.Popen([sys.executable, "-c", f"import os\nos.sched_setaffinity(0, [{core}])\nwhile True: pass"])


def warm(options: argparse.Namespace) -> None:
    """Rounds and seconds with a year of records added to ten, from nothing and from the older solutions."""
    for k, animals in enumerate([options.animals] * len(WARM_ANIMALS) if options.animals else WARM_ANIMALS):
        print(f"{animals:,} animals: ", end="")
        _warm(animals, options.seed + k)


def _warm(animals: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "new"
        command = [sys.executable, "-m", "breedeval", "simulate", "dairy", "-o", str(folder), "--animals", str(animals)]
        subprocess.run([*command, "--years", str(YEARS + 1), "--seed", str(seed)], check=True, stdout=subprocess.DEVNULL)
        config = folder / "evaluation.yaml"
        config.write_text(config.read_text() + "\nsolver: {method: pcg}\naccuracy: {method: none}\n")
        old = Path(name) / "old"
        old.mkdir()
        pedigree, records = (pd.read_csv(folder / f"{table}.csv", dtype=str) for table in ("pedigree", "records"))
        year = records["herd_year"].str.extract(r"(\d+)$", expand=False).astype(int)
        kept = records[year < year.max()]
        born = pedigree["birth_year"].astype(int) < pedigree["birth_year"].astype(int).max()
        pedigree[born].to_csv(old / "pedigree.csv", index=False)
        kept[kept["id"].isin(set(pedigree["id"][born]))].to_csv(old / "records.csv", index=False)
        (old / "evaluation.yaml").write_text(config.read_text())
        be.evaluate(old / "evaluation.yaml", Path(name) / "old.h5")
        runs = [[be.evaluate(config, start=start) for _ in range(WARM_TIMES)] for start in (None, Path(name) / "old.h5")]
        cold, started = (run[0].solve.rounds for run in runs)
        spent = [min(_seconds(run, WARM_STAGES) for run in of_kind) for of_kind in runs]
        print(f"{len(kept):,} records and {len(records) - len(kept):,} new ones: {cold} rounds, ", end="")
        print(f"{started} from the older solutions ({1 - started / cold:.0%} fewer); ", end="")
        print(f"{spent[0]:.2f} and {spent[1]:.2f} s with setting up and reading these ({1 - spent[1] / spent[0]:.0%} less)")


def _seconds(run: Any, stages: tuple[str, ...]) -> float:
    """Wall-clock seconds of stages of a run."""
    return sum(stage["seconds"] for stage in run.record["stages"] if stage["name"] in stages)


TABLES: dict[str, Callable[[argparse.Namespace], None]] = {
    "growth": growth,
    "rounds": rounds,
    "columns": columns,
    "explicit": explicit,
    "threads": threads,
    "warm": warm,
}
