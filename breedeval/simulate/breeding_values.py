"""True breeding values down a pedigree that is given: mean of the parents plus Mendelian sampling."""

from __future__ import annotations

import numpy as np

from breedeval.arrays import NONE, Float64, freeze
from breedeval.errors import ConfigError, VarianceError
from breedeval.kernels.gene_drop import drop_genes
from breedeval.pedigree.pedigree import Pedigree
from breedeval.relationship.inbreeding import Inbreeding, ancestral_levels
from breedeval.relationship.sire_mgs import MalePedigree

#: Animals whose values are drawn at a time, to bound memory.
_CHUNK = 1 << 20


def draw_breeding_values(
    rng: np.random.Generator,
    pedigree: Pedigree,
    inbreeding: Inbreeding,
    covariance: Float64,
    group_values: Float64 | None = None,
) -> Float64:
    """Draw breeding values of all animals for k correlated effects.

    An animal has the mean of its parents plus a Mendelian sampling with covariance d·G, where d follows exactly from the
    inbreeding of the parents; so the values of all animals have covariance A ⊗ G.

    Parameters
    ----------
    rng
        Source of all randomness.
    pedigree
        n animals; unknown-parent groups are allowed.
    inbreeding
        From `breedeval.relationship.inbreeding.compute_inbreeding` of the same pedigree.
    covariance
        (k, k) G, genetic (co)variances of the base; traits, direct and maternal effects or random-regression coefficients.
    group_values
        (g, k) mean of the unknown parents of each group; zero without it.

    Returns
    -------
    (n, k) float64, in the order of the pedigree's rows.

    Raises
    ------
    VarianceError
        If `covariance` is not positive definite.
    ConfigError
        If the sizes do not fit each other.

    Notes
    -----
    Time in proportion to n k, a step for each level of the pedigree; memory 8 (k + 1) bytes an animal.

    Examples
    --------
    >>> import breedeval as be
    >>> pedigree = be.read_pedigree("pedigrees/mrode_table_2_1.csv")
    >>> rng = np.random.default_rng(1)
    >>> draw_breeding_values(rng, pedigree, be.compute_inbreeding(pedigree), np.array([[20.0, -5.0], [-5.0, 10.0]])).shape
    (6, 2)
    """
    root = covariance_root(covariance)
    n, k = pedigree.n_animals, len(root)
    if len(inbreeding) != n:
        raise ConfigError(f"{len(inbreeding):,} coefficients of inbreeding for {n:,} animals. Compute them from this pedigree.")
    if group_values is not None and group_values.shape != (pedigree.n_groups, k):
        raise ConfigError(
            f"group_values is {group_values.shape}, not {(pedigree.n_groups, k)}: a row a group, a column an effect."
        )
    return values_from_normals(_standard_normals(rng, n, k), pedigree, inbreeding, root, group_values)


def values_from_normals(
    normals: Float64, pedigree: Pedigree, inbreeding: Inbreeding, root: Float64, group_values: Float64 | None = None
) -> Float64:
    """Breeding values (n, k) from independent standard `normals` (n, k), which are overwritten; G = `root` `root`'."""
    n, k = normals.shape
    values = np.zeros((n + pedigree.n_groups + 1, k))  # the last row answers for an unknown parent (−1)
    for first in range(0, n, _CHUNK):
        part = slice(first, min(first + _CHUNK, n))
        values[part] = np.sqrt(inbreeding.mendelian_variance[part])[:, None] * (normals[part] @ root.T)
    if group_values is not None:
        values[n : n + pedigree.n_groups] = group_values
    _add_parent_means(values, pedigree)
    return freeze(values[:n])


def draw_transmitting_abilities(
    rng: np.random.Generator, males: MalePedigree, inbreeding: Inbreeding, covariance: Float64
) -> Float64:
    """Draw the values of sires related through their sires and maternal grandsires, for k correlated effects.

    A male has ½ of his sire's, ¼ of his maternal grandsire's and a Mendelian part, which what comes from the granddam is in.

    Parameters
    ----------
    males
        From `breedeval.relationship.sire_mgs.male_pedigree`.
    inbreeding
        From `breedeval.relationship.sire_mgs.compute_male_inbreeding`.
    covariance
        (k, k) (co)variances of transmitting abilities, a quarter of the genetic ones.

    Returns
    -------
    (m, k) float64, in the order of the males.
    """
    sire, grandsire = males.pedigree.sire, males.maternal_grandsire
    m = len(sire)
    values = np.zeros((2 * m, len(covariance)))
    values[1::2] = draw_correlated(rng, m, covariance)
    # a dam without variance of her own passes half of half of her sire's on: dam of male i in row 2i, he himself in 2i + 1
    parents, scale = np.full((2, 2 * m), NONE, dtype=np.int32), np.zeros(2 * m)
    parents[0, 0::2] = np.where(grandsire >= 0, 2 * grandsire + 1, NONE)
    parents[0, 1::2] = np.where(sire >= 0, 2 * sire + 1, NONE)
    parents[1, 1::2] = 2 * np.arange(m, dtype=np.int32)
    scale[1::2] = np.sqrt(inbreeding.mendelian_variance)
    drop_genes(parents[0], parents[1], scale, values)
    return freeze(values[1::2].copy())


def draw_correlated(rng: np.random.Generator, n: int, covariance: Float64) -> Float64:
    """(n, k) independent rows, each with this (k, k) covariance.

    Examples
    --------
    >>> draw_correlated(np.random.default_rng(1), 4, np.eye(2)).shape
    (4, 2)
    """
    return _standard_normals(rng, n, len(covariance)) @ covariance_root(covariance).T


def draw_group_values(rng: np.random.Generator, group_covariance: Float64, covariance: Float64) -> Float64:
    """(g, k) means of unknown parents of g groups, with covariance `group_covariance` ⊗ `covariance`.

    Metafounders have Γ as `group_covariance` (g, g), independent groups a diagonal.

    Examples
    --------
    >>> draw_group_values(np.random.default_rng(1), np.array([[0.5, 0.2], [0.2, 0.6]]), np.eye(3)).shape
    (2, 3)
    """
    values: Float64 = covariance_root(group_covariance) @ draw_correlated(rng, len(group_covariance), covariance)
    return values


def covariance_root(covariance: Float64) -> Float64:
    """Lower triangular L with L L' = `covariance`.

    Raises
    ------
    VarianceError
        If it is not positive definite.
    """
    try:
        root = np.linalg.cholesky(covariance).astype(np.float64)
    except np.linalg.LinAlgError as error:
        smallest = float(np.linalg.eigvalsh(covariance)[0])
        raise VarianceError(
            f"A (co)variance matrix of {len(covariance)} × {len(covariance)} is not positive definite: its smallest "
            f"eigenvalue is {smallest:g}. Correlations contradict each other, or a variance is not positive."
        ) from error
    return root


def _standard_normals(rng: np.random.Generator, n: int, k: int) -> Float64:
    return rng.standard_normal((n, k))


def _add_parent_means(values: Float64, pedigree: Pedigree) -> None:
    """Level by level, so that the parents are done; founders with groups take the mean of their groups."""
    level = ancestral_levels(pedigree)
    by_level = np.argsort(level, kind="stable")
    ends = np.cumsum(np.bincount(level)) if len(level) else np.zeros(0, dtype=np.int64)
    first = 0
    for end in ends.tolist():
        rows = by_level[first:end]
        sires, dams = pedigree.sire[rows], pedigree.dam[rows]
        if first > 0 or pedigree.n_groups:
            # NONE is −1: an unknown parent reads the last row of values, which is zero
            values[rows] += 0.5 * (values[sires] + values[dams])
        first = end
