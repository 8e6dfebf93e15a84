"""What breeders know of a bull: his dam's, his half-sisters' and his daughters' records, up to now."""

from __future__ import annotations

import numpy as np

from breedeval.arrays import NONE, Float64, Int32, Int64
from breedeval.simulate.plan import DairyPlan


class Proofs:
    """Sums of records within herd-years, from which bulls are ranked.

    Selection uses nothing but records that the evaluation gets as well. Then the evaluation knows of the selection and predicts
    the genetic trend (Henderson 1975, Biometrics 31:423-447); bulls selected on anything else would make a trend that no
    evaluation of these records sees in full.

    A dam counts with her own records, a sire with his daughters', both regressed towards zero as single sources of
    information are in a selection index; a bull with the mean of both parents and his daughters.
    """

    def __init__(self, plan: DairyPlan) -> None:
        n = plan.n_animals
        self._own_sum, self._own_number = np.zeros(n), np.zeros(n)
        self._daughter_sum, self._daughter_number = np.zeros(n), np.zeros(n)
        # number of records at which half of a difference is believed; for daughters twice their mean estimates the sire
        self._own_doubt = (1.0 - plan.h2) / plan.h2
        self._daughter_doubt = (4.0 - plan.h2) / plan.h2

    def add_year(self, cows: Int64, herds: Int32, sires: Int32, yields: Float64) -> None:
        """Take in the records of one year: (k,) cow, her herd, her sire (−1 unknown) and yield."""
        herd_sum, herd_number = np.bincount(herds, yields), np.bincount(herds)
        deviation = yields - herd_sum[herds] / herd_number[herds]
        self._own_sum[cows] += deviation  # a cow has one record a year at most
        self._own_number[cows] += 1
        known = sires != NONE
        n = len(self._daughter_sum)
        self._daughter_sum += np.bincount(sires[known], deviation[known], minlength=n)
        self._daughter_number += np.bincount(sires[known], minlength=n)

    def of_bulls(self, bulls: Int64, sire: Int32, dam: Int32) -> Float64:
        """(k,) estimated merit of `bulls`, kg; `sire` and `dam` are their parents, −1 unknown."""
        of_dam = self._own_sum[dam] / (self._own_number[dam] + self._own_doubt)
        of_sire = 2.0 * self._daughter_sum[sire] / (self._daughter_number[sire] + self._daughter_doubt)
        expected = 0.5 * (np.where(sire == NONE, 0.0, of_sire) + np.where(dam == NONE, 0.0, of_dam))
        number = self._daughter_number[bulls]
        proof: Float64 = (self._daughter_doubt * expected + 2.0 * self._daughter_sum[bulls]) / (self._daughter_doubt + number)
        return proof


def draw_genomic_proofs(
    rng: np.random.Generator, breeding_value: Float64, genetic_variance: float, reliability: float
) -> Float64:
    """(k,) proofs whose squared correlation with `breeding_value` is `reliability`, where these have the genetic variance.

    They know of Mendelian sampling what no record of the evaluation tells: an evaluation without genotypes does not see all of
    the trend that they make.

    Examples
    --------
    >>> draw_genomic_proofs(np.random.default_rng(1), np.array([1.0, 2.0]), 4.0, 1.0).tolist()
    [1.0, 2.0]
    """
    error = np.sqrt(genetic_variance * (1.0 - reliability) / reliability)
    proofs: Float64 = breeding_value + error * rng.standard_normal(len(breeding_value))
    return proofs
