"""Numbers of pedigrees that papers and other programs give.

Lacy (1989, Zoo Biol. 8:111), the example of seven animals: founder equivalents 2.91. The aquaculture pedigree deep.csv: output
of the R package visPedigree, from its article on pedigree analysis (functions pedecg, pedcontrib, pediv, pedhalflife, printed
to 6 or 7 digits).
"""

from __future__ import annotations

import numpy as np
import pytest

from breedeval.io.pedigree_file import read_pedigree
from breedeval.pedigree.completeness import compute_completeness
from breedeval.pedigree.founders import ancestor_contributions, founder_contributions
from breedeval.pedigree.inbreeding_rate import rate_from_individuals
from breedeval.relationship.group_means import average_relationships
from breedeval.relationship.inbreeding import compute_inbreeding
from tests.factories import make_pedigree

#: Level from 1: animals, fe, fa, fg. fg of the last is from a sample of 1,000 animals there. fa of levels 5 and 9 depends on
#: which of two equal ancestors is taken; Boichard and others (1997, p. 10) say that it may and give no rule; visPedigree takes
#: the one that the rounding of its sums makes the larger, else the first in its order.
LEVELS = {
    1: (138, 138.0, 138.0, 138.0),
    2: (96, 81.55752, 74.02410, 57.242236),
    3: (74, 69.53651, 55.45316, 36.204959),
    4: (91, 33.07439, 22.47218, 18.505028),
    5: (95, 58.21114, None, 17.148880),
    6: (119, 20.87729, 13.46723, 9.709381),
    7: (37, 40.12238, 24.89445, 10.016763),
    8: (41, 43.07344, 23.20121, 9.927020),
    9: (51, 43.45747, None, 11.468733),
    10: (78, 58.80040, 35.70455, 14.967166),
    11: (108, 49.32442, 33.37264, 14.920611),
    12: (209, 51.27256, 33.93121, 14.728712),
    13: (3262, 65.47682, 44.33880, None),
}


@pytest.fixture(scope="module")
def deep(refdata):
    return read_pedigree(refdata("ped_deep_and_plants") / "deep.csv")


def test_founder_equivalents_of_lacys_example():
    rows = [("A", None, None), ("B", None, None), ("C", "A", "B"), ("D", "A", "B"), ("E", None, None)]
    pedigree = make_pedigree([*rows, ("F", "D", "E"), ("G", "D", "E")])
    living = [pedigree.row_of(name) for name in "CDFG"]
    assert founder_contributions(pedigree, living).effective_number == pytest.approx(2.9090909091)


@pytest.mark.parametrize(
    ("animal", "equivalent", "complete", "longest"),
    [
        ("K110997Q", 7.616211, 5, 12),
        ("K110997Z", 6.722656, 5, 12),
        ("K110998Q", 4.606445, 2, 12),
        ("K110034Q", 9.078125, 6, 12),
    ],
)
def test_depth_of_ancestry(deep, animal, equivalent, complete, longest):
    found, row = compute_completeness(deep), deep.row_of(animal)
    assert found.equivalent[row] == pytest.approx(equivalent, abs=5e-7)
    assert (found.complete[row], found.longest[row]) == (complete, longest)


@pytest.mark.parametrize("level", LEVELS)
def test_origin_of_the_genes_of_each_level(deep, level):
    n, founders, ancestors, genomes = LEVELS[level]
    label = compute_completeness(deep).longest
    rows = np.flatnonzero(label == level - 1)
    assert len(rows) == n
    assert founder_contributions(deep, rows).effective_number == pytest.approx(founders, rel=1e-6)
    if ancestors is not None:
        assert ancestor_contributions(deep, rows, tolerance=0).effective_number == pytest.approx(ancestors, rel=1e-6)
    if genomes is not None:
        means = average_relationships(deep, compute_inbreeding(deep), label)
        assert means.founder_genome_equivalents()[level - 1] == pytest.approx(genomes, rel=1e-7)


def test_the_last_two_levels_together(deep):
    depth = compute_completeness(deep)
    rows = np.flatnonzero(depth.longest >= 11)
    assert founder_contributions(deep, rows).effective_number == pytest.approx(64.73344, rel=1e-6)
    found = ancestor_contributions(deep, rows, tolerance=0)
    assert len(found.rows) == 94
    assert found.effective_number == pytest.approx(44.12033, rel=1e-6)
    marginal = [0.05248848, 0.04525893, 0.04525893, 0.04445765, 0.03927182, 0.03622875, 0.02906223, 0.02890017, 0.02890017]
    np.testing.assert_allclose(found.marginal[:9], marginal, atol=5e-9)
    names = found.to_frame(deep)["ancestor"].tolist()
    assert names[0] == "K500I804"
    assert names[3:7] == ["K600532I", "K700S069", "K900D251", "K700S011"]
    rate = rate_from_individuals(compute_inbreeding(deep), depth.equivalent, rows)
    assert rate.effective_size == pytest.approx(98.00425, rel=1e-6)
