"""Levels of a random effect that are related to each other, other than the animals of the pedigree."""

from __future__ import annotations

from dataclasses import dataclass, field

from breedeval.arrays import Float64
from breedeval.names import Names
from breedeval.operators import SymmetricOperator


@dataclass(frozen=True)
class RelatedLevels:
    """The levels of a relationship matrix K and what is known of them.

    Parameters
    ----------
    names
        (n,) levels that records can name, in the order of the rows.
    inverse
        K⁻¹ of the levels and, behind them, of `extra`.
    own
        (n + extra,) diagonal of K: the prior variance of each level in units of the effect's variance; NaN where not known.
    extra, extra_name
        Further levels that no record names, and what they are.
    """

    names: Names
    inverse: SymmetricOperator
    own: Float64
    extra: Names = field(default_factory=lambda: Names.of([]))
    extra_name: str = ""

    @property
    def levels(self) -> Names:
        """All levels, in the order of the rows of the inverse."""
        return self.names.joined(self.extra)
