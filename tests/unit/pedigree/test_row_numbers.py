"""What a caller takes for rows of a pedigree, and is none."""

from __future__ import annotations

import numpy as np
import pytest

from breedeval.names import Names
from breedeval.pedigree.completeness import completeness_by_depth
from breedeval.pedigree.founders import ancestor_contributions, founder_contributions
from breedeval.pedigree.prune import prune_pedigree
from breedeval.pedigree.subset import ancestor_mask, take_animals
from breedeval.relationship.inbreeding import compute_inbreeding
from breedeval.relationship.numerator import Numerator
from breedeval.relationship.subset_inverse import SubsetInverse
from tests.factories import make_pedigree

PEDIGREE = make_pedigree([("a", None, None), ("b", None, None), ("c", "a", "b"), ("d", "c", "b")])
INBREEDING = compute_inbreeding(PEDIGREE)

USES = {
    "prune": lambda rows: prune_pedigree(PEDIGREE, rows),
    "take": lambda rows: take_animals(PEDIGREE, rows),
    "ancestors": lambda rows: ancestor_mask(PEDIGREE, rows),
    "completeness": lambda rows: completeness_by_depth(PEDIGREE, rows),
    "founder contributions": lambda rows: founder_contributions(PEDIGREE, rows),
    "ancestor contributions": lambda rows: ancestor_contributions(PEDIGREE, rows),
    "subset": lambda rows: Numerator(PEDIGREE, INBREEDING).subset(rows),
    "block": lambda rows: Numerator(PEDIGREE, INBREEDING).block(rows, [0]),
    "pairs": lambda rows: Numerator(PEDIGREE, INBREEDING).relationships(rows, rows),
    "inverse": lambda rows: SubsetInverse(PEDIGREE, INBREEDING, rows),
}


@pytest.mark.parametrize("use", USES)
def test_a_mask_is_not_taken_for_rows_0_and_1(use):
    with pytest.raises(TypeError, match=r"np\.flatnonzero\(mask\)"):
        USES[use](np.array([True, False, False, True]))


@pytest.mark.parametrize("use", USES)
def test_an_animal_that_was_not_found_is_not_the_last(use):
    rows = PEDIGREE.ids.find(Names.of(["a", "nobody"]))
    with pytest.raises(IndexError, match="1 row outside the pedigree's 0 to 3: '-1'"):
        USES[use](rows)
    with pytest.raises(IndexError, match="'4'"):
        USES[use]([4])


@pytest.mark.parametrize("use", USES)
def test_numbers_are_not_rounded_to_rows(use):
    with pytest.raises(TypeError, match="no whole numbers"):
        USES[use]([0.5, 1.0])
    USES[use](np.array([0, 3], dtype=np.uint16))


def test_a_number_is_no_name():
    with pytest.raises(TypeError, match="names are texts, not int: write '5' in quotes"):
        PEDIGREE.row_of(5)
