"""Inbreeding where unknown parents are as related as their contemporaries (VanRaden 1992, J. Dairy Sci. 75:3136).

An animal whose parents are not written down is not therefore less inbred than others of its year. Unknown parents of a group
are taken to be related by twice the mean inbreeding of that time, and two groups by that of the older one; since these means
follow from the coefficients, both are computed in turn until they agree (Aguilar and Misztal 2008, J. Dairy Sci. 91:1669).

The oldest group is the base, unrelated and not inbred. Were it as inbred as the animals of its time, that would have no answer:
all their genes come from it, so that with pedigree inbreeding f and a mean F of the group theirs is f + (1 − f) F, above F
until everything is 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breedeval.arrays import Float64, Int64, freeze
from breedeval.errors import EXAMPLES_SHOWN, NotConvergedError, name_some
from breedeval.kernels import metafounders as kernels
from breedeval.pedigree.pedigree import Pedigree
from breedeval.pedigree.table import YEAR_UNKNOWN
from breedeval.relationship.inbreeding import Inbreeding

#: The mean inbreeding of every group changes by less than this at the end.
TOLERANCE = 1e-7
#: Rounds at most; the change shrinks by about half in each.
MOST_ROUNDS = 60
#: A mean of a group above this is on its way to 1, where nothing varies any more.
LARGEST_MEAN = 0.999


@dataclass(frozen=True)
class UnknownParentInbreeding:
    """Coefficients, and the mean inbreeding (g,) taken for the progeny of each group's unknown parents."""

    inbreeding: Inbreeding
    of_groups: Float64
    rounds: int


def compute_inbreeding_of_unknown_parents(pedigree: Pedigree, years: Float64) -> UnknownParentInbreeding:
    """Inbreeding coefficients with inbred and related unknown parents.

    Parameters
    ----------
    pedigree
        With unknown-parent groups by time, and birth years.
    years
        (g,) mean birth year of the progeny of each group.

    Returns
    -------
    UnknownParentInbreeding
        Mendelian variances go with fixed groups: ½ − ¼ (F_s + F_d), where an unknown parent counts as 2 F − 1 of its group.

    Raises
    ------
    NotConvergedError
        If the means of the groups do not settle: the animals of a group's time descend from almost nobody but its own unknown
        parents, and are inbred.

    Notes
    -----
    The mean of a group is over the animals born nearest to its time with both parents known; where it falls from an older to a
    younger group the older one's is kept. Groups without any such animal take the mean before them, the oldest has 0. Each
    round costs as much as the method of Meuwissen and Luo.
    """
    n, g = pedigree.n_animals, pedigree.n_groups
    by_time: Int64 = np.argsort(years, kind="stable").astype(np.int64)
    counted = np.flatnonzero(
        (pedigree.birth_year != YEAR_UNKNOWN)
        & (pedigree.sire >= 0)
        & (pedigree.sire < n)
        & (pedigree.dam >= 0)
        & (pedigree.dam < n)
    )
    group = by_time[_nearest(np.asarray(years)[by_time], pedigree.birth_year[counted].astype(np.float64))]
    count = np.bincount(group, minlength=g)
    coefficients, variance = np.empty(n), np.empty(n)
    means, gamma = np.zeros(g), np.zeros((g, g))
    rounds, change, moved = 0, np.inf, np.zeros(g)
    while change >= TOLERANCE and rounds < MOST_ROUNDS:
        rounds += 1
        gamma = _shared(means, by_time)
        kernels.inbreeding(pedigree.sire, pedigree.dam, gamma, coefficients, variance)
        total = np.bincount(group, weights=coefficients[counted], minlength=g)
        new = np.divide(total, count, out=np.zeros(g), where=count > 0)
        new[years == np.min(years)] = 0.0
        new[by_time] = np.maximum.accumulate(new[by_time])
        moved = np.abs(new - means)
        change = float(moved.max(initial=0.0))
        means = new
    if change >= TOLERANCE or means.max(initial=0.0) > LARGEST_MEAN:
        _refuse_unsettled(pedigree, np.flatnonzero((moved >= TOLERANCE) | (means > LARGEST_MEAN)), means)
    inbreeding = Inbreeding(freeze(coefficients), freeze(variance), gamma=freeze(gamma))
    return UnknownParentInbreeding(inbreeding, freeze(means), rounds)


def _refuse_unsettled(pedigree: Pedigree, groups: Int64, means: Float64) -> None:
    names = name_some(pedigree.groups.take(groups[:EXAMPLES_SHOWN]), of=len(groups))
    raise NotConvergedError(
        f"The mean inbreeding of the unknown parents of {names} does not settle (it is {means[groups].max():.3f} and grows): "
        "the animals of that time with both parents known descend from hardly anybody but the unknown parents of the same "
        "groups. Use larger groups (min_size), so that they reach back further, or leave out inbred: true.",
        groups=tuple(pedigree.groups.take(groups[:1000])),
    )


def _nearest(sorted_years: Float64, years: Float64) -> Int64:
    """Place of the nearest of `sorted_years`; the earlier of two as near."""
    after = np.clip(np.searchsorted(sorted_years, years), 1, max(len(sorted_years) - 1, 1))
    before = after - 1
    last = len(sorted_years) - 1
    nearer_before = years - sorted_years[before] <= sorted_years[np.minimum(after, last)] - years
    place: Int64 = np.where(nearer_before, before, np.minimum(after, last))
    return place


def _shared(means: Float64, by_time: Int64) -> Float64:
    """(g, g) relationships of unknown parents: twice the mean inbreeding of the older group's time."""
    gamma = np.empty((len(means), len(means)))
    ordered = means[by_time]
    gamma[np.ix_(by_time, by_time)] = 2.0 * np.minimum.outer(ordered, ordered)
    return gamma
