"""The loops of the commands for pedigrees, each used once on a small one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from breedeval.arrays import freeze
from breedeval.io.pedigree_file import read_pedigree_table
from breedeval.names import Names
from breedeval.pedigree.build import build_pedigree
from breedeval.pedigree.completeness import index_of_completeness
from breedeval.pedigree.pedigree import Pedigree
from breedeval.pedigree.prune import prune_pedigree
from breedeval.pedigree.subset import descendant_mask
from breedeval.pedigree.summary import summarize_pedigree
from breedeval.pedigree.trend import birth_year_trend
from breedeval.relationship.a_inverse import NumeratorInverse
from breedeval.relationship.group_means import average_relationships
from breedeval.relationship.inbreeding import Inbreeding, compute_inbreeding
from breedeval.relationship.metafounders import compute_inbreeding_with_metafounders
from breedeval.relationship.numerator import Numerator
from breedeval.relationship.stored_inbreeding import StoredInbreeding
from breedeval.relationship.subset_inverse import SubsetInverse

_LOOP = "animal,sire,dam,born\na,b,,2001\nb,a,,2000\nc,b,a,2003\n"


def compile_pedigree_loops(file: Path) -> None:
    """Describe the pedigree in `file`, compute its inbreeding in every way, and multiply by its relationships."""
    pedigree = build_pedigree(read_pedigree_table(file)).pedigree
    _mend_a_loop(file.with_name("loop.csv"))
    for method in ("rows", "window", "meuwissen_luo"):
        inbreeding = compute_inbreeding(pedigree, method=method)
    changed = StoredInbreeding.of(pedigree, inbreeding)
    for known in (changed, np.where(np.arange(len(pedigree)) % 2, np.nan, inbreeding.coefficients)):
        compute_inbreeding(pedigree, known=known)
    summarize_pedigree(pedigree, inbreeding)
    birth_year_trend(pedigree, inbreeding)
    index_of_completeness(pedigree)
    last = np.arange(len(pedigree) - 10, len(pedigree))
    prune_pedigree(pedigree, last)
    descendant_mask(pedigree, [0])
    _multiply(pedigree, inbreeding, last)


def _mend_a_loop(file: Path) -> None:
    file.write_text(_LOOP, encoding="utf-8")
    build_pedigree(read_pedigree_table(file), mend=["loop"])


def _multiply(pedigree: Pedigree, inbreeding: Inbreeding, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
    related = Numerator(pedigree, inbreeding)
    inverse = NumeratorInverse(pedigree, inbreeding)
    related.relationship(0, 1)
    average_relationships(pedigree, inbreeding, np.arange(len(pedigree)) % 2)
    for x in (np.ones(len(pedigree)), np.ones((len(pedigree), 2))):
        related.multiply(x)
        inverse.multiply(x)
        inverse.multiply_shared(x)
    inverse.multiply_shared(np.ones((len(pedigree), 2)), np.eye(2))
    SubsetInverse(pedigree, inbreeding, rows).multiply(np.ones(len(rows)))
    n = len(pedigree)
    sire = np.where(pedigree.sire < 0, np.int32(n), pedigree.sire)
    grouped = replace(pedigree, sire=freeze(sire), groups=Names.of(["metafounder"]))
    Numerator(grouped, compute_inbreeding_with_metafounders(grouped, np.array([[0.5]]))).subset(rows)
