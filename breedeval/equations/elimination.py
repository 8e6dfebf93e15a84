"""In which order the incomplete factor eliminates the levels of a model's effects.

Effects whose levels meet few records first (permanent environment, litter, contemporary group), then animals from the youngest
to the oldest, so that an animal without progeny links only its parents, which A⁻¹ links already (levels with other
relationships before those with A⁻¹), and among them the sires last; then effects whose levels meet many records, and
unknown-parent groups. The last ones are few and meet everything: they get an exact factor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from breedeval.arrays import NONE
from breedeval.equations.incidence import Incidence
from breedeval.model.layout import FIXED, PEDIGREE, EquationBlock, Layout

#: Levels of an effect with more records each than this are eliminated after the animals.
MOST_RECORDS_EARLY = 1_000.0
#: An effect with so few levels as well.
FEW_LEVELS = 20
#: Most equations that get an exact factor.
MOST_DENSE = 1_000
#: Levels that are linked to more than this part of all are eliminated after those that are not.
FULL = 0.25
#: So many animals are not linked with the exact part where each record has a level of a fixed effect before them: eliminating
#: its levels takes the most of these links away, and what is left costs more time than the rounds that it saves.
MANY_ANIMALS = 20_000


@dataclass(frozen=True)
class Segment:
    """Levels of a block that stand together in the order of elimination.

    Parameters
    ----------
    number
        Of the block in the layout.
    block
        The block.
    first_level, n_levels
        The levels first_level, first_level + 1, ...; related animals in the order of their links.
    is_dense
        Whether the segment is in the part with an exact factor.
    spares_dense
        Whether the links that records make to the exact part may be left out.
    """

    number: int
    block: EquationBlock
    first_level: int
    n_levels: int
    is_dense: bool = False
    spares_dense: bool = False


@dataclass(frozen=True)
class Related:
    """Of a block whose levels are related: how many of them are animals (others are groups), and mean links of one."""

    n_animals: int
    links: float

    @property
    def is_full(self) -> bool:
        """Whether almost everything is linked to everything, as in the inverse of a genomic relationship matrix."""
        return self.links > FULL * self.n_animals


def elimination_segments(layout: Layout, incidence: Incidence, related: Mapping[int, Related]) -> tuple[Segment, ...]:
    """Order the blocks; `related` tells of those with an inverse relationship matrix, by number."""
    early: list[tuple[float, Segment]] = []
    late: list[tuple[float, Segment]] = []
    animals: list[Segment] = []
    records = _records_per_level(layout, incidence)
    for number, block in enumerate(layout.blocks):
        if number in related:
            n_animals = related[number].n_animals
            if related[number].is_full:
                late.append((-1.0, Segment(number, block, 0, n_animals)))
            else:
                animals.append(Segment(number, block, 0, n_animals))
            if n_groups := block.n_levels - n_animals:
                late.append((float("inf"), Segment(number, block, n_animals, n_groups)))
            continue
        whole = Segment(number, block, 0, block.n_levels)
        few = block.n_levels <= FEW_LEVELS or records[number] > MOST_RECORDS_EARLY
        (late if few else early).append((records[number], whole))
    ordered_late = [segment for _, segment in sorted(late, key=lambda pair: pair[0])]
    ordered_early = [segment for _, segment in sorted(early, key=lambda pair: pair[0])]
    animals.sort(key=lambda segment: segment.block.relationship == PEDIGREE)
    if any(_is_met_by_all(segment, incidence) for segment in ordered_early):
        animals = [replace(a, spares_dense=a.n_levels >= MANY_ANIMALS) for a in animals]
    return (*ordered_early, *animals, *_mark_dense(ordered_late))


def _is_met_by_all(segment: Segment, incidence: Incidence) -> bool:
    """Whether a segment is of a fixed effect of which each record has a level, for every trait."""
    block = segment.block
    if block.relationship != FIXED or segment.n_levels <= FEW_LEVELS:
        return False
    traits: set[int] = set()
    for term, index, slots in zip(incidence.blocks, incidence.levels, incidence.by_term, strict=True):
        if term.first == block.first and len(index.order) == incidence.n_records:
            traits |= set(slots.trait[slots.covariate == NONE].tolist())
    return len(traits) == incidence.n_traits


def _mark_dense(late: list[Segment]) -> list[Segment]:
    """The last segments as far as they fit."""
    room, marked = MOST_DENSE, []
    for segment in reversed(late):
        room -= segment.n_levels * segment.block.n_columns
        marked.append(replace(segment, is_dense=room >= 0))
    return marked[::-1]


def _records_per_level(layout: Layout, incidence: Incidence) -> list[float]:
    met = [0] * len(layout.blocks)
    for block, index in zip(incidence.blocks, incidence.levels, strict=True):
        met[layout.blocks.index(block)] += len(index.order)
    return [n / max(block.n_levels, 1) for n, block in zip(met, layout.blocks, strict=True)]
