"""Every compiled loop used once, so that numba has it in its cache."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from breedeval.evaluation.estimate import estimate
from breedeval.evaluation.observer import Observer, Silence
from breedeval.evaluation.run import evaluate
from breedeval.evaluation.warmup_pedigree import compile_pedigree_loops
from breedeval.simulate.dairy import simulate_dairy
from breedeval.simulate.files import write_population
from breedeval.simulate.pig import simulate_pig

_N_ANIMALS = 400
_YEARS = 8
_PCG = "solver: {method: pcg, preconditioner: block}\naccuracy: {method: none}\n"
#: What is written behind the simulated configuration: each way to solve uses other loops.
_WAYS = {
    "pcg": _PCG,
    "incomplete": "solver: {method: pcg, preconditioner: incomplete_cholesky, threads: 1}\naccuracy: {method: none}\n",
    "incomplete_threads": "solver: {method: pcg, preconditioner: incomplete_cholesky, threads: 2}\naccuracy: {method: none}\n",
    "diagonal": "solver: {method: pcg, preconditioner: diagonal}\naccuracy: {method: none}\n",
    "direct": "solver: {method: direct}\naccuracy: {method: exact}\n",
}
#: What is written behind the key of the pedigree before: each kind of groups, and stored coefficients, use other loops.
_GROUPS = "groups: {by: [birth_year], min_size: 20"
_PEDIGREES = {
    "groups": _GROUPS + "}",
    "random_groups": _GROUPS + ", effect: random, variance: 1}",
    "inbred_groups": _GROUPS + ", inbred: true}",
    "metafounders": _GROUPS + ", gamma: {within: 0.5}}",
    "stored": "stored_inbreeding: ../pcg.h5",
}
#: Pen mates, and a weight for each trait.
_PEN_MATES = """\
pedigree: {file: pedigree.csv, animal: id, sire: sire, dam: dam, unknown: ["0"]}
records: {file: weighted.csv, missing: [""], classes: [batch, sex], weight: {growth: heavy, backfat: light}}
model:
  growth: batch + genetic(id) + social(id, litter)
  backfat: sex + genetic(id)
variances:
  genetic:
    labels: ["growth:id", "growth:social", "backfat:id"]
    matrix: [[2000, 0, 10], [0, 100, 0], [10, 0, 2]]
  residual: {labels: ["growth", "backfat"], matrix: [[4000, 0], [0, 2]]}
"""
#: A curve of each animal over the days in milk, instead of what the simulated configuration says from the key of the model on.
_CURVES = """\
model:
  milk: herd_year + lactation + genetic(id, legendre(dim, 1, 0, 400)) + permanent(id)
variances:
  genetic: {labels: ["milk:id:0", "milk:id:1"], matrix: [[432000, 0], [0, 50000]]}
  permanent: 288000
  residual: 720000
"""
_BEFORE = '  unknown: ["0"]\n'


def compile_all(folder: Path, observer: Observer | None = None) -> None:
    """Compile all loops of evaluations, of estimates of variances and of the commands for pedigrees, by running small ones.

    Parameters
    ----------
    folder
        Where the simulated populations and their results are written; they can be thrown away.
    observer
        Told which way is tried; not of the runs themselves.

    Notes
    -----
    A minute or two the first time, some seconds when numba has the loops in its cache.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     compile_all(Path(folder))
    ...     sorted(path.name for path in Path(folder).glob("d*.h5"))
    ['diagonal.h5', 'direct.h5']
    """
    observer = observer or Silence()
    observer.stage("simulating a small herd-book")
    population = simulate_dairy(np.random.default_rng(1), n_animals=_N_ANIMALS, years=_YEARS, unknown_sire=0.1)
    herd, pigs = folder / "herd", folder / "pigs"
    write_population(population, herd)
    text = (herd / "evaluation.yaml").read_text(encoding="utf-8")
    for name, way in _WAYS.items():
        _evaluate(herd, name, text + way, observer)
    _evaluate(herd, "curves", text[: text.index("model:")] + _CURVES + _PCG, observer)
    for name, keys in _PEDIGREES.items():
        _evaluate(herd, name, text.replace(_BEFORE, f"{_BEFORE}  {keys}\n") + _PCG, observer, start=folder / "pcg.h5")
    for name in _write_disordered(herd / "pedigree.csv"):
        _evaluate(herd, name, text.replace("pedigree.csv", f"{name}.csv") + _PCG, observer)
    observer.stage("simulating a small pig nucleus")
    write_population(simulate_pig(np.random.default_rng(1), n_animals=_N_ANIMALS, years=3), pigs)
    text = (pigs / "evaluation.yaml").read_text(encoding="utf-8")
    for name, way in _WAYS.items():
        _evaluate(pigs, f"traits_{name}", text + way, observer)
    _write_weighted(pigs / "records.csv")
    for name in ("pcg", "incomplete"):
        _evaluate(pigs, f"pen_mates_{name}", _PEN_MATES + _WAYS[name], observer)
    observer.stage("estimating its variances")
    for simulated in (herd, pigs):
        estimate(simulated / "evaluation.yaml")
    observer.stage("describing its pedigree")
    compile_pedigree_loops(herd / "pedigree.csv")


def _evaluate(population: Path, name: str, text: str, observer: Observer, start: Path | None = None) -> None:
    observer.stage(f"evaluating it: {name.replace('_', ' ')}")
    (population / f"{name}.yaml").write_text(text, encoding="utf-8")
    evaluate(population / f"{name}.yaml", population.parent / f"{name}.h5", start=start)


def _write_disordered(pedigree: Path) -> list[str]:
    """The pedigree with the youngest animals first, and with a sire without a row of his own; names of the files."""
    header, *rows = pedigree.read_text(encoding="utf-8").splitlines()
    sires = {row.split(",")[1] for row in rows}
    of_a_sire = next(row for row in rows if row.split(",")[0] in sires)
    found = {"upside_down": rows[::-1], "without_a_sire": [row for row in rows if row != of_a_sire]}
    for name, some in found.items():
        pedigree.with_name(f"{name}.csv").write_text("\n".join([header, *some]) + "\n", encoding="utf-8")
    return list(found)


def _write_weighted(records: Path) -> None:
    """The records with two columns of weights."""
    header, *rows = records.read_text(encoding="utf-8").splitlines()
    lines = [f"{header},heavy,light", *(f"{row},{1 + i % 3},0.5" for i, row in enumerate(rows))]
    records.with_name("weighted.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
