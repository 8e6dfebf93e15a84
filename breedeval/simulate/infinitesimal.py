"""Breeding values of several traits while a population grows, under the infinitesimal model."""

from __future__ import annotations

import numpy as np

from breedeval.arrays import Float64, Int64
from breedeval.simulate.breeding_values import covariance_root, draw_correlated
from breedeval.simulate.pedigree import GeneDrop


class InfinitesimalModel:
    """Breeding values (n, k) of animals born so far; `values` is filled as they are born.

    Mendelian sampling has covariance ½ (1 − ½ (f_s + f_d)) G, where f are the shares of homozygous neutral loci of `GeneDrop`,
    which have the inbreeding coefficients as expectation: mating depends on selection, so that relationships cannot be known
    beforehand.
    """

    def __init__(self, n_animals: int, covariance: Float64) -> None:
        self.values: Float64 = np.zeros((n_animals, len(covariance)))
        self._genes = GeneDrop(n_animals)
        self._covariance = covariance
        self._root = covariance_root(covariance)

    def found(self, rng: np.random.Generator, rows: Int64) -> None:
        """Draw unrelated founders."""
        self._genes.found(rows)
        self.values[rows] = draw_correlated(rng, len(rows), self._covariance)

    def breed(self, rng: np.random.Generator, rows: Int64, sires: Int64, dams: Int64) -> None:
        """Draw the progeny `rows` of `sires` and `dams`."""
        self._genes.transmit(rng, rows, sires, dams)
        homozygosity = 0.5 * (self._genes.homozygosity(sires) + self._genes.homozygosity(dams))
        sampling = rng.standard_normal((len(rows), len(self._root))) @ self._root.T
        sampling *= np.sqrt(0.5 * (1.0 - homozygosity))[:, None]
        self.values[rows] = 0.5 * (self.values[sires] + self.values[dams]) + sampling
