"""Animals and their true breeding values, as a simulation makes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breedeval.arrays import NONE, Float64, Int8, Int32, Int64, freeze
from breedeval.names import Names
from breedeval.pedigree.table import FEMALE
from breedeval.simulate.population import TruePedigree

#: Neutral loci that carry the inbreeding of parents to the Mendelian sampling of their progeny.
N_LOCI = 16


@dataclass(frozen=True)
class SimulatedPedigree(TruePedigree):
    """Animals of a herd-book in order of birth.

    Parameters
    ----------
    herd
        (n,) int32 herd of birth, from 0.
    lactations
        (n,) int8 number of lactations in a cow's life, also those after the last year; 0 for males.
    breeding_value
        (n,) float64 true breeding value; founders have mean 0.
    """

    herd: Int32
    lactations: Int8
    breeding_value: Float64

    @property
    def cows(self) -> Int64:
        """Rows of the females."""
        return np.flatnonzero(self.sex == FEMALE)


class GeneDrop:
    """Founder alleles at `N_LOCI` unlinked neutral loci, two of them a locus and animal.

    The share of loci at which an animal has two copies of one founder allele has its inbreeding coefficient as
    expectation. So Mendelian samplings drawn with variance ½ (1 − ½ (f_s + f_d)) σ²_a, where f are these shares, have
    the variance of the infinitesimal model, without the cost of relationships among a million animals. The shares
    themselves are rough (multiples of 1/16) and are not given out.
    """

    def __init__(self, n_animals: int) -> None:
        self._alleles = np.empty((n_animals, 2, N_LOCI), dtype=np.int32)

    def found(self, rows: Int64) -> None:
        """Give every founder in `rows` two alleles of its own at each locus."""
        self._alleles[rows, 0] = 2 * rows[:, None]
        self._alleles[rows, 1] = 2 * rows[:, None] + 1

    def transmit(self, rng: np.random.Generator, rows: Int64, sires: Int64, dams: Int64) -> None:
        """Give each animal in `rows` one allele a locus of each parent."""
        locus = np.arange(N_LOCI)
        for place, parents in enumerate((sires, dams)):
            chosen = rng.integers(0, 2, size=(len(rows), N_LOCI), dtype=np.int8)
            self._alleles[rows, place] = self._alleles[parents[:, None], chosen, locus]

    def homozygosity(self, rows: Int64) -> Float64:
        """(k,) share of loci with two copies of one founder allele; its expectation is the inbreeding coefficient."""
        shares: Float64 = np.mean(self._alleles[rows, 0] == self._alleles[rows, 1], axis=1)
        return shares


def numbered_names(prefix: str, n: int, digits: int) -> Names:
    """Names such as ``NL000001`` to ``NL000123``, made without a Python text each.

    Examples
    --------
    >>> numbered_names("NL", 12, 6)[11]
    'NL000012'
    """
    digits = max(digits, len(str(n)))
    head = prefix.encode()
    width = len(head) + digits
    texts = np.empty((n, width), dtype=np.uint8)
    texts[:, : len(head)] = np.frombuffer(head, dtype=np.uint8)
    number = np.arange(1, n + 1)
    for place in range(digits):
        texts[:, width - 1 - place] = ord("0") + number // 10**place % 10
    return Names(freeze(texts.reshape(-1)), freeze(np.arange(n + 1, dtype=np.int64) * width))


def forget_parents(rng: np.random.Generator, parent: Int32, share: float) -> Int32:
    """Return a copy of `parent` (n,) in which a random `share` is unknown."""
    return np.where(rng.random(len(parent)) < share, NONE, parent).astype(np.int32)
