"""How fast inbreeding rises, and the effective size of a population that would make it rise so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from breedeval.arrays import Bool, Float64
from breedeval.pedigree.birth_classes import BirthClasses
from breedeval.pedigree.completeness import compute_completeness
from breedeval.pedigree.pedigree import Pedigree
from breedeval.pedigree.row_numbers import row_numbers
from breedeval.pedigree.table import YEAR_UNKNOWN

#: A coefficient this close to 1 has no logarithm of 1 − F that means anything.
_FULLY_INBRED = 1.0 - 1e-12


@dataclass(frozen=True)
class InbreedingRate:
    """Rate of inbreeding a generation.

    Parameters
    ----------
    method
        How it was found, in words.
    n_animals
        Animals it rests on.
    rate
        ΔF a generation; NaN where it cannot be told.
    standard_error
        Of the rate, as if animals were independent: too small, since relatives share their inbreeding.
    """

    method: str
    n_animals: int
    rate: float
    standard_error: float

    @property
    def effective_size(self) -> float:
        """Ne = 1/(2ΔF); infinite where inbreeding does not rise."""
        if np.isnan(self.rate):
            return float("nan")
        return 1.0 / (2.0 * self.rate) if self.rate > 0 else float("inf")

    @property
    def effective_size_error(self) -> float:
        """Standard error of Ne, 2 Ne² times that of ΔF."""
        size = self.effective_size
        return 2.0 * size * size * self.standard_error if np.isfinite(size) else float("nan")


def rate_from_birth_years(
    pedigree: Pedigree, inbreeding: ArrayLike, interval: float, *, first_year: int | None = None, last_year: int | None = None
) -> InbreedingRate:
    """Rate of inbreeding from the regression of ln(1 − F) on the birth year.

    Inbreeding that rises by ΔF a generation makes 1 − F fall by the factor 1 − ΔF in each, so with a slope b a year and L years
    a generation ΔF = 1 − exp(bL) (Pérez-Enciso 1995, J. Anim. Breed. Genet. 112:327).

    Parameters
    ----------
    pedigree
        Any pedigree with birth years.
    inbreeding
        (n,) coefficients. Fully inbred animals are left out.
    interval
        Generation interval L, years, as :func:`generation_interval` gives it.
    first_year, last_year
        Birth years to regress on, all by default.

    Examples
    --------
    >>> import breedeval as be
    >>> pedigree = be.read_pedigree("pedigrees/herd_book_pedigree.csv")
    >>> found = rate_from_birth_years(pedigree, be.compute_inbreeding(pedigree), 3.58)
    >>> found.rate > 0
    True
    """
    coefficients = np.asarray(inbreeding, dtype=np.float64)
    year = pedigree.birth_year
    used = (year != YEAR_UNKNOWN) & (coefficients < _FULLY_INBRED)
    if first_year is not None:
        used &= year >= first_year
    if last_year is not None:
        used &= year <= last_year
    slope, error = _regression(year[used].astype(np.float64), np.log1p(-coefficients[used]))
    factor = float(np.exp(slope * interval))
    return InbreedingRate("ln(1 − F) on birth year", int(used.sum()), 1.0 - factor, interval * factor * error)


def individual_increases(inbreeding: ArrayLike, equivalent_generations: ArrayLike) -> Float64:
    """(n,) ΔF_i = 1 − (1 − F_i)^(1/(t_i − 1)) with t equivalent complete generations; NaN where t ≤ 1.

    Gutiérrez, Cervantes & Goyache (2009, J. Anim. Breed. Genet. 126:327).

    Examples
    --------
    >>> individual_increases([0.25, 0.0], [2.0, 1.0]).tolist()
    [0.25, nan]
    """
    coefficients = np.asarray(inbreeding, dtype=np.float64)
    t = np.asarray(equivalent_generations, dtype=np.float64)
    increase = np.full(len(t), np.nan)
    deep = t > 1.0
    increase[deep] = 1.0 - (1.0 - coefficients[deep]) ** (1.0 / (t[deep] - 1.0))
    return increase


def rate_from_individuals(
    inbreeding: ArrayLike, equivalent_generations: ArrayLike, rows: ArrayLike | None = None
) -> InbreedingRate:
    """Rate of inbreeding as the mean individual increase of a reference population.

    Parameters
    ----------
    inbreeding, equivalent_generations
        (n,) of all animals.
    rows
        The reference population; all animals by default. Those with one equivalent generation or less are left out.
    """
    increase = individual_increases(inbreeding, equivalent_generations)
    chosen = increase if rows is None else increase[row_numbers(rows, len(increase))]
    known = chosen[~np.isnan(chosen)]
    n = len(known)
    mean = float(known.mean()) if n else float("nan")
    error = float(known.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
    return InbreedingRate("mean of individual increases", n, mean, error)


def rates_by_birth_year(pedigree: Pedigree, inbreeding: ArrayLike, *, width: int = 1) -> pd.DataFrame:
    """Rate of inbreeding and effective size by class of birth years, from individual increases.

    Returns
    -------
    DataFrame
        One row a class of `width` birth years: ``birth_year`` (its first), ``n`` animals, ``used`` (with more than one
        equivalent generation), ``mean_inbreeding``, ``rate`` a generation, ``effective_size`` (missing where inbreeding does
        not rise).
    """
    coefficients = np.asarray(inbreeding, dtype=np.float64)
    increase = individual_increases(coefficients, compute_completeness(pedigree).equivalent)
    classes = BirthClasses.of(pedigree, width)
    known: Bool = ~np.isnan(increase)
    used = classes.count(known)
    total = classes.sum(np.where(known, increase, 0.0))
    rate = np.divide(total, used, out=np.full(len(used), np.nan), where=used > 0)
    size = np.divide(1.0, 2.0 * rate, out=np.full(len(rate), np.nan), where=rate > 0)
    return pd.DataFrame(
        {
            "birth_year": classes.years(),
            "n": classes.count(),
            "used": used,
            "mean_inbreeding": classes.mean(coefficients),
            "rate": rate,
            "effective_size": size,
        }
    )


def _regression(x: Float64, y: Float64) -> tuple[float, float]:
    """Slope of y on x and its standard error; NaN where there are too few different x."""
    n = len(x)
    if n < 3:
        return float("nan"), float("nan")
    x, y = x - x.mean(), y - y.mean()
    squares = float(x @ x)
    if squares == 0.0:
        return float("nan"), float("nan")
    slope = float(x @ y) / squares
    residual = y - slope * x
    return slope, float(np.sqrt(residual @ residual / (n - 2) / squares))
