"""The order in which to eliminate equations, from what they mean.

Permanent environments first (each meets few equations), then animals without progeny (they link only their parents), dams young
to old, large contemporary groups, sires young to old, and last the few equations that meet everything. Blocks of one stage
follow each other, the one with most levels first: what is then left of two crossed effects is no larger than the smaller.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from breedeval.arrays import Float64, Int32, Int64
from breedeval.model.layout import FIXED, IDENTITY, PEDIGREE, EquationBlock, Layout
from breedeval.operators import SymmetricOperator

#: A block with fewer levels than this meets almost everything.
FEW_LEVELS = 100


def elimination_order(
    layout: Layout, sire: Int32, dam: Int32, inverses: Mapping[str, SymmetricOperator] | None = None
) -> Int64:
    """(N,) equations in elimination order.

    Parameters
    ----------
    layout
        The equations.
    sire, dam
        (n,) rows of the parents of the animals of the genetic block; empty without one.
    inverses
        Inverse relationship matrices by key, from which levels that are related otherwise are ordered.
    """
    by_size = sorted(layout.blocks, key=lambda block: -block.n_levels)
    rank = np.empty(layout.n_equations)
    for k, block in enumerate(by_size):
        if block.relationship in (FIXED, IDENTITY, PEDIGREE):
            stage = _rank_of_levels(block, sire, dam, k / len(by_size), 1.0 / len(by_size))
        else:
            stage = _rank_by_links((inverses or {})[block.relationship])
        block.view(rank)[:] = stage[:, None]
    return np.argsort(rank, kind="stable")


def _rank_by_links(inverse: SymmetricOperator) -> Float64:
    """Levels with few links early, as animals without progeny are; levels linked to almost all behind the sires."""
    links = np.diff(inverse.to_csr().indptr).astype(np.float64)
    stage: Float64 = np.minimum(0.5 + 1.5 * np.log10(np.maximum(links, 1.0)), 4.99)
    return stage


def _rank_of_levels(block: EquationBlock, sire: Int32, dam: Int32, begin: float, share: float) -> Float64:
    """Stage of elimination, and within the stage a fraction below one: the block's part of it, unless animals share it."""
    within = np.arange(block.n_levels) / max(block.n_levels, 1)
    if block.relationship == PEDIGREE:
        stage = np.full(block.n_levels, 1.0)
        n = len(sire)
        stage[dam[(dam >= 0) & (dam < n)]] = 2.0
        stage[sire[(sire >= 0) & (sire < n)]] = 4.0
        stage[n:] = 5.0
        return stage + (1.0 - within) * 0.999
    if block.name.startswith("permanent("):
        return begin + share * within
    return begin + share * within + (6.0 if block.n_levels < FEW_LEVELS else 3.0)
