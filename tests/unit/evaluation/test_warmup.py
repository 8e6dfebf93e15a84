"""After a warm-up no loop that an evaluation or a command for pedigrees uses is left to be compiled."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import breedeval.kernels

#: Loops for what a small run cannot have, each with the reason.
LEFT_OUT = {
    "inbreeding_rows sampled_visits",  # pedigrees with many sires at a time: an estimate of the work from a sample
    "order key_nodes",  # levels of hundreds of thousands of animals, by several threads
    "order deal_items",
    "order settle_items",
    "equal_texts fetch_first",  # names of a great many animals found among others
    "utf8 find_foreign_bytes",  # files with bytes that are no UTF-8
    "factor find_elements",  # the optional CHOLMOD
    "triangular_columns give_columns",  # several right-hand sides, as variances by simulated data have
    "triangular_columns forward_columns_by_threads",
    "triangular_columns backward_columns_by_threads",
    "triangular_columns dense_shares_of_columns",
    "vectors dot_columns",
    "vectors step_columns",
    "vectors residual_columns",
    "vectors step",  # PCG without breeding values
    "triangular forward_by_threads",  # factors with thousands of nodes that threads share
    "triangular backward_by_threads",
    "incomplete_alike invert_pivots",
    "incomplete_alike eliminate_shared",
    "incomplete_alike scale_columns",
    "gene_drop drop_genes",  # simulation, and variances by simulated data
    "supernodal_solve solve_transposed",
}


def entries() -> set[str]:
    """Loops that Python calls: public ones that no other loop calls; those are compiled along with it."""
    names = [module.name for module in pkgutil.iter_modules(breedeval.kernels.__path__)]
    modules = [importlib.import_module(f"breedeval.kernels.{name}") for name in names]
    sources = "".join(Path(str(module.__file__)).read_text(encoding="utf-8") for module in modules)
    return {
        f"{name} {loop}"
        for name, module in zip(names, modules, strict=True)
        for loop, compiled in vars(module).items()
        if not loop.startswith("_")
        and getattr(getattr(compiled, "py_func", None), "__module__", None) == module.__name__
        and len(re.findall(rf"\b{loop}\(", sources)) == 1
    }


def not_compiled() -> set[str]:
    """Entries without a compiled version in this process."""
    split = [entry.split() for entry in entries()]
    return {
        f"{name} {loop}"
        for name, loop in split
        if not getattr(importlib.import_module(f"breedeval.kernels.{name}"), loop).signatures
    }


@pytest.mark.slow
def test_every_loop_is_compiled(tmp_path: Path) -> None:
    text = (
        "import sys, pathlib; from tests.unit.evaluation.test_warmup import not_compiled; "
        "from breedeval.evaluation.warmup import compile_all; before = not_compiled(); "
        "compile_all(pathlib.Path(sys.argv[1])); print(len(before)); print('\\n'.join(sorted(not_compiled())))"
    )
    found = subprocess.run(
        [sys.executable, "-c", text, str(tmp_path)], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3]
    )
    n_before, *left = found.stdout.splitlines()
    assert int(n_before) > 100  # a process of its own had compiled nothing
    assert set(left) <= LEFT_OUT
