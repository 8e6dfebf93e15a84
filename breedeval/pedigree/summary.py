"""A pedigree in one screen: counts, families, completeness, intervals, inbreeding, origin of genes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from breedeval.arrays import Float64, Int64
from breedeval.pedigree.completeness import Completeness, compute_completeness
from breedeval.pedigree.describe import describe_pedigree
from breedeval.pedigree.founders import ancestor_contributions, founder_contributions
from breedeval.pedigree.generation_interval import mean_generation_interval
from breedeval.pedigree.inbreeding_rate import rate_from_birth_years, rate_from_individuals
from breedeval.pedigree.pedigree import Pedigree
from breedeval.pedigree.reference import Reference, reference_rows

_MOST_ANCESTORS = 20_000


def summarize_pedigree(
    pedigree: Pedigree, inbreeding: ArrayLike, *, reference: Reference = "auto", years: int = 1
) -> pd.DataFrame:
    """Tell the main numbers of every description of a pedigree; what the pedigree does not say is left out.

    Parameters
    ----------
    pedigree
        Any pedigree.
    inbreeding
        (n,) coefficients, from :func:`compute_inbreeding`.
    reference, years
        The reference population for the origin of genes and the rate of inbreeding, as in :func:`reference_rows`.

    Returns
    -------
    DataFrame
        ``quantity`` in words, ``value``.

    Examples
    --------
    >>> import breedeval as be
    >>> pedigree = be.read_pedigree("pedigrees/mrode_table_2_1.csv")
    >>> frame = summarize_pedigree(pedigree, be.compute_inbreeding(pedigree)).set_index("quantity")
    >>> round(float(frame.loc["effective number of founders", "value"]), 3)
    2.133
    """
    coefficients = np.asarray(inbreeding, dtype=np.float64)
    depth = compute_completeness(pedigree)
    counts = describe_pedigree(pedigree, coefficients, completeness=depth).to_frame()
    if not pedigree.n_animals:
        return counts
    rows = [
        *_of_all(pedigree, coefficients, depth),
        *_of_reference(pedigree, coefficients, depth.equivalent, reference_rows(pedigree, reference, years=years)),
    ]
    known = [(quantity, value) for quantity, value in rows if not np.isnan(value)]
    further = pd.DataFrame({"quantity": [quantity for quantity, _ in known]})
    further["value"] = pd.Series([value for _, value in known], dtype=object)
    return pd.concat([counts, further], ignore_index=True)


def _of_all(pedigree: Pedigree, coefficients: Float64, depth: Completeness) -> Iterator[tuple[str, float]]:
    interval = mean_generation_interval(pedigree)
    yield "equivalent complete generations, mean", float(depth.equivalent.mean())
    yield "equivalent complete generations, largest", float(depth.equivalent.max())
    yield "complete generations, mean", float(depth.complete.mean())
    yield "generation interval (years)", interval
    rate = rate_from_birth_years(pedigree, coefficients, interval)
    yield "rate of inbreeding a generation, from birth years", rate.rate
    yield "effective size, from birth years", rate.effective_size


def _of_reference(
    pedigree: Pedigree, coefficients: Float64, equivalent: Float64, reference: Int64
) -> Iterator[tuple[str, float]]:
    inbreeding, depth = coefficients[reference], equivalent[reference]
    founders = founder_contributions(pedigree, reference)
    ancestors = ancestor_contributions(pedigree, reference, most=_MOST_ANCESTORS)
    rate = rate_from_individuals(inbreeding, depth)
    yield "reference population (animals)", founders.n_reference
    yield "reference: inbreeding, mean", float(inbreeding.mean())
    yield "reference: equivalent complete generations, mean", float(depth.mean())
    yield "reference: rate of inbreeding, individual increases", rate.rate
    yield "reference: effective size, individual increases", rate.effective_size
    yield "founders of the reference population", founders.n_founders
    yield "effective number of founders", founders.effective_number
    yield "effective number of ancestors", ancestors.effective_number
    half = ancestors.n_explaining(0.5)
    yield "ancestors that explain half of the genes", float("nan") if half is None else half
