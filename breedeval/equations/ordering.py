"""The order in which to eliminate equations, from what they mean.

Permanent environments first (each meets few equations), then animals without progeny (they link only their parents), dams young
to old, large contemporary groups, sires young to old, and last the few equations that meet everything.
"""

from __future__ import annotations

import numpy as np

from breedeval.arrays import Float64, Int32, Int64
from breedeval.model.layout import EquationBlock, Layout

#: A block with fewer levels than this meets almost everything.
FEW_LEVELS = 100


def elimination_order(layout: Layout, sire: Int32, dam: Int32) -> Int64:
    """(N,) equations in elimination order.

    Parameters
    ----------
    layout
        The equations.
    sire, dam
        (n,) rows of the parents of the animals of the genetic block; empty without one.
    """
    rank = np.empty(layout.n_equations)
    for block in layout.blocks:
        block.view(rank)[:] = _rank_of_levels(block, sire, dam)[:, None]
    return np.argsort(rank, kind="stable")


def _rank_of_levels(block: EquationBlock, sire: Int32, dam: Int32) -> Float64:
    """Stage of elimination, and within the stage a fraction below one."""
    within = np.arange(block.n_levels) / max(block.n_levels, 1)
    if block.relationship == "pedigree":
        stage = np.full(block.n_levels, 1.0)
        n = len(sire)
        stage[dam[(dam >= 0) & (dam < n)]] = 2.0
        stage[sire[(sire >= 0) & (sire < n)]] = 4.0
        stage[n:] = 5.0
        return stage + (1.0 - within) * 0.999
    if block.name.startswith("permanent("):
        return within
    return within + (5.5 if block.n_levels < FEW_LEVELS else 3.0)
