"""Metafounders: groups of founders that are related, within and between (Legarra et al. 2015, Genetics 200:455)."""

from __future__ import annotations

import numpy as np

from breedeval.arrays import Float64, freeze
from breedeval.errors import VarianceError
from breedeval.kernels import metafounders as kernels
from breedeval.pedigree.pedigree import Pedigree
from breedeval.relationship.inbreeding import Inbreeding


def check_gamma(gamma: Float64, n_groups: int) -> Float64:
    """Γ as a read-only float64 matrix.

    Raises
    ------
    VarianceError
        If it is not (g, g), not symmetric, not positive definite, or a self-relationship is 2 or more (then progeny of the
        metafounder would have no Mendelian variance).
    """
    gamma = np.array(gamma, dtype=np.float64)
    if gamma.shape != (n_groups, n_groups):
        raise VarianceError(
            f"gamma is {' × '.join(map(str, gamma.shape))}, but there are {n_groups} metafounders. "
            "Give a row and a column for each."
        )
    if not np.allclose(gamma, gamma.T, rtol=0, atol=1e-12):
        raise VarianceError("gamma is not symmetric. Give the same value above and below the diagonal.")
    smallest = float(np.linalg.eigvalsh(gamma)[0])
    if smallest <= 0:
        raise VarianceError(
            f"gamma is not positive definite: its smallest eigenvalue is {smallest:.3g}. "
            "Relationships between metafounders must be smaller than those within."
        )
    if gamma.diagonal().max() >= 2:
        raise VarianceError(f"gamma has a self-relationship of {gamma.diagonal().max():g}; it must be below 2.")
    return freeze(gamma)


def uniform_gamma(n_groups: int, within: float, between: float) -> Float64:
    """Γ with one relationship within metafounders and one between them.

    Examples
    --------
    >>> uniform_gamma(2, 0.4, 0.1).tolist()
    [[0.4, 0.1], [0.1, 0.4]]
    """
    gamma = np.full((n_groups, n_groups), float(between))
    np.fill_diagonal(gamma, float(within))
    return gamma


def drift_gamma(years: Float64, rate: float, start: float = 0.0, extra: float = 1e-6) -> Float64:
    """Γ of one population that drifts: founders of a year are related by the inbreeding that had built up until then.

    Two groups share the history up to the earlier of the two: γ_jk = start + 2 rate (min(t_j, t_k) − t_first), where `rate` is
    the rate of inbreeding a year; the factor 2 because the inbreeding of progeny is half the relationship of the parents.

    Parameters
    ----------
    years
        (g,) mean birth year of each group.
    rate
        Rate of inbreeding a year.
    start
        Relationship within the earliest group.
    extra
        Added to the diagonal, so that groups of the same year stay apart.

    Examples
    --------
    >>> drift_gamma(np.array([2000.0, 2010.0]), 0.005, start=0.1, extra=0.0).round(3).tolist()
    [[0.1, 0.1], [0.1, 0.2]]
    """
    since = np.asarray(years, dtype=np.float64) - np.min(years)
    shared: Float64 = start + 2.0 * rate * np.minimum.outer(since, since)
    return shared + extra * np.eye(len(since))


def variance_divisor(gamma: Float64) -> float:
    """What the genetic variance of unrelated founders is divided by when founders are related by Γ (Legarra et al. 2015).

    Examples
    --------
    >>> variance_divisor(uniform_gamma(1, 0.5, 0.0))
    0.75
    """
    return float(1.0 + np.mean(np.diag(gamma)) / 2.0 - np.mean(gamma))


def compute_inbreeding_with_metafounders(pedigree: Pedigree, gamma: Float64) -> Inbreeding:
    """Inbreeding coefficients (self-relationship minus one) relative to metafounders.

    Parameters
    ----------
    pedigree
        With its unknown-parent groups as metafounders.
    gamma
        (g, g) relationships of the metafounders, in the order of ``pedigree.groups``.

    Returns
    -------
    Inbreeding
        Coefficients, which may be below zero where γ is below 1, Mendelian variances to go with them, and Γ.

    Raises
    ------
    VarianceError
        If gamma is not a relationship matrix of these groups.

    Notes
    -----
    Meuwissen and Luo with related founders: time grows with the ancestors of every animal, minutes for some millions.
    """
    checked = check_gamma(gamma, pedigree.n_groups)
    coefficients, variance = np.empty(pedigree.n_animals), np.empty(pedigree.n_animals)
    kernels.inbreeding(pedigree.sire, pedigree.dam, checked, coefficients, variance)
    return Inbreeding(freeze(coefficients), freeze(variance), gamma=checked)


def group_shares(pedigree: Pedigree) -> Float64:
    """(n, g) share of each animal's genes that came from each group, the matrix Q."""
    out = np.zeros((pedigree.n_animals, pedigree.n_groups))
    kernels.group_shares(pedigree.sire, pedigree.dam, out)
    return out


def spread_group_values(pedigree: Pedigree, values: Float64) -> Float64:
    """Q g for group values (g, k), without Q: what each animal inherits from the groups, (n, k)."""
    n = pedigree.n_animals
    x = np.zeros((n + pedigree.n_groups, values.shape[1]))
    x[n:] = values
    kernels.spread(pedigree.sire, pedigree.dam, x)
    return x[:n]
