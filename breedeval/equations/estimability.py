"""What can be said of fixed effects when their columns depend on each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breedeval.arrays import Bool, Float64, Int64
from breedeval.model.layout import EquationBlock, Layout

#: A null vector's element below this is zero.
ZERO = 1e-8


@dataclass(frozen=True)
class Estimability:
    """Of one fixed effect.

    Parameters
    ----------
    effect
        Name of the effect.
    constrained
        Levels whose solution is zero by constraint, not by estimate.
    estimable_levels
        Whether each level's solution itself is estimable (the same under every constraint).
    contrasts
        Whether all differences between levels are.
    """

    effect: str
    constrained: tuple[str, ...]
    estimable_levels: bool
    contrasts: bool

    def sentence(self) -> str:
        """For a person."""
        text = f"{self.effect}: {', '.join(self.constrained[:5])}"
        if len(self.constrained) > 5:
            text += f" and {len(self.constrained) - 5:,} more"
        text = text + " set to zero" if self.constrained else f"{self.effect}: depends on the constraints of other effects"
        if self.contrasts:
            return text + "; differences between levels are estimable"
        return text + "; not all differences between levels are estimable: the data leave levels unconnected"


def preferred_constraints(layout: Layout) -> Int64:
    """Equations that users expect at zero: first levels of effects (later effects first), then regressions."""
    with_levels = [b for b in reversed(layout.fixed) if b.n_levels > 1]
    without = [b for b in reversed(layout.fixed) if b.n_levels == 1]
    first_levels = [b.first + column for b in with_levels for column in range(b.n_columns)]
    rest = [b.first + column for b in without for column in range(b.n_columns) if b.name != "intercept"]
    return np.array(first_levels + rest, dtype=np.int64)


def describe_estimability(layout: Layout, constrained: Int64, basis: Float64 | None) -> tuple[Estimability, ...]:
    """Say for each fixed effect touched by a dependency what is estimable.

    Parameters
    ----------
    constrained
        Equations set to zero.
    basis
        (p, d) null vectors of the fixed effects; None if not kept, and then nothing is called estimable.
    """
    found = []
    for block in layout.fixed:
        here = constrained[(constrained >= block.first) & (constrained < block.equations.stop)]
        values, contrasts = _estimable(block, basis, len(constrained))
        if not values:
            found.append(Estimability(block.name, tuple(block.label(int(e)) for e in here), values, contrasts))
    return tuple(found)


def _estimable(block: EquationBlock, basis: Float64 | None, n_dependencies: int) -> tuple[bool, bool]:
    if n_dependencies == 0:
        return True, True
    if basis is None:
        return False, False
    part = basis[block.equations].reshape(block.n_levels, block.n_columns, -1)
    levels: Bool = np.abs(part) > ZERO
    return not levels.any(), not (np.abs(part - part[:1]) > ZERO).any()
