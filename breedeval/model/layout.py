"""The equations as blocks: rectangles of levels × columns.

Effects that share their levels (several traits, direct and maternal, coefficients of a regression) stand side by side as
columns of one block, so a level's equations are neighbours and its (co)variance is one small matrix.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from breedeval.names import Names

#: Relationships that need no inverse from elsewhere, and that of the animals of the pedigree.
FIXED, IDENTITY, PEDIGREE = "fixed", "identity", "pedigree"


@dataclass(frozen=True)
class EquationBlock:
    """A rectangle of equations; level i, column j is equation ``first + i * n_columns + j``.

    Parameters
    ----------
    name
        Canonical name of the effect: ``herd``, ``lactation:dim``, ``permanent(id)``, ``genetic``.
    levels
        (n_levels,) names of the levels.
    columns
        Labels ``trait:column`` or ``trait:column:coefficient`` (random), ``trait`` or ``trait:coefficient`` (fixed).
    first
        Number of the first equation.
    relationship
        ``fixed``, or how the levels of a random effect are related: ``identity``, or the key of an inverse relationship matrix
        that the equations are given, such as ``pedigree`` for that of the animals.
    key
        Key of the block's (co)variance among the variances; empty for a fixed effect.
    n_extra, extra_name
        Number of levels at the end that no record can name, and what they are: families of a dominance effect, for instance.
        (Groups of unknown parents stand behind the animals without being counted here.)
    """

    name: str
    levels: Names
    columns: tuple[str, ...]
    first: int
    relationship: str
    key: str = ""
    n_extra: int = 0
    extra_name: str = ""

    @property
    def n_levels(self) -> int:
        """Number of levels."""
        return len(self.levels)

    @property
    def n_columns(self) -> int:
        """Number of columns, k."""
        return len(self.columns)

    @property
    def n_equations(self) -> int:
        """Number of equations."""
        return self.n_levels * self.n_columns

    @property
    def is_random(self) -> bool:
        """Whether the block has a (co)variance."""
        return self.relationship != FIXED

    @property
    def equations(self) -> slice:
        """Where the block stands in a vector of all equations."""
        return slice(self.first, self.first + self.n_equations)

    def view(self, x: NDArray[Any]) -> NDArray[Any]:
        """The block's part of a vector of all equations as (n_levels, n_columns); shares memory with `x`."""
        return x[self.equations].reshape(self.n_levels, self.n_columns)

    def label(self, equation: int) -> str:
        """Name one equation of the block for a message: ``herd 12``."""
        level, column = divmod(equation - self.first, self.n_columns)
        text = f"{self.name} {self.levels[level]}" if self.n_levels > 1 else self.name
        return f"{text} ({self.columns[column]})" if self.n_columns > 1 else text


@dataclass(frozen=True)
class Layout:
    """All blocks, one behind the other."""

    blocks: tuple[EquationBlock, ...]

    @property
    def n_equations(self) -> int:
        """Number of equations, N."""
        return sum(block.n_equations for block in self.blocks)

    @property
    def fixed(self) -> tuple[EquationBlock, ...]:
        """Blocks of fixed effects."""
        return tuple(block for block in self.blocks if not block.is_random)

    @property
    def random(self) -> tuple[EquationBlock, ...]:
        """Blocks of random effects."""
        return tuple(block for block in self.blocks if block.is_random)

    @property
    def genetic(self) -> EquationBlock | None:
        """The block whose levels are the animals of the pedigree, if the model has one."""
        return next((block for block in self.blocks if block.relationship == PEDIGREE), None)

    def owner(self, equation: int) -> EquationBlock:
        """The block that an equation belongs to."""
        return next(b for b in self.blocks if b.first <= equation < b.first + b.n_equations)

    def labels(self, equations: Iterable[int]) -> list[str]:
        """Name equations for a message."""
        return [self.owner(int(e)).label(int(e)) for e in equations]
