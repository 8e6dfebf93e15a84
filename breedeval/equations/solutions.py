"""Solutions with their names: the door from numbers back to names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from breedeval.arrays import Bool, Float64, Int64, freeze
from breedeval.errors import UnknownNameError, name_some
from breedeval.model.layout import EquationBlock, Layout


@dataclass(frozen=True)
class Solutions:
    """Solutions of all effects.

    Parameters
    ----------
    layout
        The equations.
    values
        (N,) in the user's units.
    constrained
        (N,) equations that are zero by constraint.
    """

    layout: Layout
    values: Float64
    constrained: Bool

    @classmethod
    def of(cls, layout: Layout, values: Float64, constrained: Int64) -> Solutions:
        """From a solution vector and the numbers of the constrained equations."""
        mask = np.zeros(layout.n_equations, dtype=bool)
        mask[constrained] = True
        return cls(layout, freeze(values), freeze(mask))

    def __iter__(self) -> Iterator[EquationBlock]:
        return iter(self.layout.blocks)

    def block(self, name: str) -> EquationBlock:
        """The block of one effect."""
        for block in self.layout.blocks:
            if block.name == name:
                return block
        raise UnknownNameError(
            f"No effect '{name}' in this model. It has {name_some([b.name for b in self], shown=50)}.", name=name, nearest=[]
        )

    def effect(self, name: str) -> pd.DataFrame:
        """Solutions of one effect: level, one column a column of the block, constrained."""
        block = next((b for b in self if b.n_extra and b.extra_name == name), None)
        extra = block is not None
        block = block or self.block(name)
        n = block.n_levels - block.n_extra
        rows = slice(n, block.n_levels) if extra else slice(0, n)
        frame = pd.DataFrame(block.view(self.values)[rows], columns=list(block.columns))
        frame.insert(0, "level", block.levels.to_list()[rows])
        frame["constrained"] = np.any(block.view(self.constrained)[rows], axis=1)
        return frame
