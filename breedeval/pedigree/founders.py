"""Where the genes of a population come from: founders, ancestors, and how many there effectively are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from breedeval.arrays import NONE, Float64, Int32, Int64, freeze
from breedeval.kernels import ancestor_queue as queue_kernels
from breedeval.kernels import contributions as kernels
from breedeval.kernels import order as order_kernels
from breedeval.pedigree.pedigree import Pedigree
from breedeval.pedigree.row_numbers import row_numbers
from breedeval.pedigree.subset import ancestor_mask


@dataclass(frozen=True, eq=False)
class FounderContributions:
    """Expected shares of founders in the genes of a reference population.

    An unknown parent of an animal whose other parent is known is a founder of its own; it is not named.

    Parameters
    ----------
    contribution
        (n,) share of each founder with a name (an animal without a known parent), 0 for all others.
    unnamed
        (n,) share of the unknown parent of each animal with one known parent, 0 for all others. Together they sum to 1.
    n_reference
        Animals in the reference population.
    """

    contribution: Float64
    unnamed: Float64
    n_reference: int

    @property
    def n_founders(self) -> int:
        """Founders with a share, the unnamed among them."""
        return int((self.contribution > 0).sum() + (self.unnamed > 0).sum())

    @property
    def effective_number(self) -> float:
        """1/Σp²: equal founders that would give the same probability of two genes from one founder (Lacy 1989)."""
        return float(1.0 / (self.contribution @ self.contribution + self.unnamed @ self.unnamed))

    def to_frame(self, pedigree: Pedigree, top: int = 20) -> pd.DataFrame:
        """Name the founders with the largest shares: ``founder``, ``contribution``, ``cumulative``."""
        rows = np.argsort(-self.contribution, kind="stable")[:top]
        rows = rows[self.contribution[rows] > 0]
        return _contributor_frame(pedigree, "founder", rows, self.contribution[rows])


@dataclass(frozen=True, eq=False)
class AncestorContributions:
    """Marginal contributions of the ancestors that explain a reference population.

    Parameters
    ----------
    rows
        (k,) ancestors, founders or not, in the order in which they were taken.
    marginal
        (k,) share of the genes that each explains beyond those before it, falling.
    n_reference
        Animals in the reference population.
    lower, upper
        Bounds of the effective number. Equal, but for rounding, if everything is explained.
    """

    rows: Int64
    marginal: Float64
    n_reference: int
    lower: float
    upper: float

    @property
    def effective_number(self) -> float:
        """1/Σp², where Σp² is the middle of what the bounds allow (Boichard, Maignel & Verrier 1997)."""
        return 2.0 / (1.0 / self.lower + 1.0 / self.upper)

    def n_explaining(self, share: float) -> int | None:
        """Smallest number of ancestors that explain a share of the genes; None if more than were taken."""
        enough = np.flatnonzero(np.cumsum(self.marginal) >= share - 1e-12)
        return int(enough[0]) + 1 if len(enough) else None

    def to_frame(self, pedigree: Pedigree, top: int = 20) -> pd.DataFrame:
        """Name the ancestors that explain most: ``ancestor``, ``contribution``, ``cumulative``."""
        return _contributor_frame(pedigree, "ancestor", self.rows[:top], self.marginal[:top])


def founder_contributions(pedigree: Pedigree, reference: ArrayLike) -> FounderContributions:
    """Trace the genes of a reference population back to founders.

    Parameters
    ----------
    pedigree
        Any pedigree; unknown-parent groups count as unknown.
    reference
        Rows of the animals of the reference population, as :func:`reference_rows` gives them.

    Notes
    -----
    Lacy (1989, Zoo Biol. 8:111). One pass up the pedigree.

    Examples
    --------
    >>> import breedeval as be
    >>> pedigree = be.read_pedigree("pedigrees/mrode_table_2_1.csv")
    >>> found = founder_contributions(pedigree, [pedigree.row_of("6")])
    >>> found.contribution.tolist(), float(found.unnamed[pedigree.row_of("4")]), found.n_founders
    ([0.25, 0.625, 0.0, 0.0, 0.0, 0.0], 0.125, 3)
    """
    n = pedigree.n_animals
    weight, n_reference = _gene_flow(pedigree.sire, pedigree.dam, _require_some(reference, n), n)
    weight /= n_reference
    n_known = _known(pedigree.sire, n).astype(np.int8) + _known(pedigree.dam, n)
    return FounderContributions(
        contribution=freeze(np.where(n_known == 0, weight, 0.0)),
        unnamed=freeze(np.where(n_known == 1, 0.5 * weight, 0.0)),
        n_reference=n_reference,
    )


def ancestor_contributions(
    pedigree: Pedigree, reference: ArrayLike, *, tolerance: float = 1e-3, most: int | None = None
) -> AncestorContributions:
    """Find the ancestors, founders or not, that explain the genes of a reference population.

    Parameters
    ----------
    pedigree
        Any pedigree; unknown-parent groups count as unknown.
    reference
        Rows of the animals of the reference population. They are ancestors of their own genes: one that nothing older explains
        can be among the ancestors found.
    tolerance
        Stop when the effective number is known to this relative error; 0 to explain everything.
    most
        Largest number of ancestors; no limit by default.

    Notes
    -----
    Boichard, Maignel & Verrier (1997, Genet. Sel. Evol. 29:5). An ancestor costs the ancestors of a few candidates rather than
    a pass over the pedigree. Their upper bound of the effective number supposes that no more ancestors follow than founders are
    left. But an ancestor that is no founder leaves its founders to follow with what else they gave, so that there may be more;
    the upper bound here allows for it.

    Two ancestors may explain the same, and the result may depend on which is taken: where each explains the other, only the
    first is listed, and later contributions follow from it. Boichard and others say so and give no rule. Here equal means equal
    to 12 decimals of the share, and first comes the ancestor with the fewer generations of known ancestors behind it; of those
    equal in that too, one that is chosen by its place among ancestors and descendants (see
    ``breedeval.kernels.ancestor_queue``), and only where no place tells two apart, so that no number changes, the first by
    name. Neither the order of rows, nor names, nor which parent is called the sire change a number.

    Examples
    --------
    >>> import breedeval as be
    >>> pedigree = be.read_pedigree("pedigrees/herd_book_pedigree.csv")
    >>> from breedeval.pedigree.reference import reference_rows
    >>> found = ancestor_contributions(pedigree, reference_rows(pedigree))
    >>> found.lower <= found.effective_number <= found.upper
    True
    """
    chosen = _require_some(reference, pedigree.n_animals)
    rows = np.flatnonzero(ancestor_mask(pedigree, chosen))
    place = np.full(pedigree.n_animals + 1, NONE, dtype=np.int32)
    place[rows] = np.arange(len(rows), dtype=np.int32)
    sire, dam = (_local(parent[rows], place, pedigree.n_animals) for parent in (pedigree.sire, pedigree.dam))
    weight, n_reference = _gene_flow(sire, dam, place[chosen], len(rows))
    n_founders = int((sire == NONE).sum() + (dam == NONE).sum() - ((sire == NONE) & (dam == NONE)).sum())
    size = len(rows) if most is None else min(most, len(rows))
    taken, marginal = np.empty(size, dtype=np.int64), np.empty(size)
    rule = _rule_of_equals(pedigree, rows, sire, dam, place[chosen])
    number = int(kernels.marginal_contributions(sire, dam, weight, n_reference, n_founders, tolerance, rule, taken, marginal))
    marginal = marginal[:number] / n_reference
    left, squares = max(0.0, 1.0 - float(marginal.sum())), float(marginal @ marginal)
    last = float(marginal[-1]) if number else 1.0
    founders_left = n_founders - int(((sire[taken[:number]] == NONE) | (dam[taken[:number]] == NONE)).sum())
    return AncestorContributions(
        rows=freeze(rows[taken[:number]]),
        marginal=freeze(marginal),
        n_reference=n_reference,
        lower=1.0 / (squares + left * last),
        upper=1.0 / (squares + float(kernels.least_square_sum(left, founders_left))),
    )


def _gene_flow(sire: Int32, dam: Int32, reference: Int64 | Int32, n: int) -> tuple[Float64, int]:
    """(n,) genomes of the reference animals that come from each animal, themselves included; and how many these are."""
    weight = np.zeros(n)
    weight[reference] = 1.0
    n_reference = int(weight.sum())
    kernels.pass_to_parents(sire, dam, weight)
    return weight, n_reference


def _rule_of_equals(pedigree: Pedigree, rows: Int64, sire: Int32, dam: Int32, reference: Int32) -> tuple[NDArray[Any], ...]:
    """What tells ancestors of equal contribution apart, see ``breedeval.kernels.ancestor_queue``."""
    level = np.empty(len(rows), dtype=np.int32)
    order_kernels.ancestral_levels(sire, dam, level)
    code = np.ones(len(rows), dtype=np.uint64)
    code[reference] = 2
    queue_kernels.place_codes(sire, dam, np.empty_like(code), np.empty_like(code), code)
    return level, code, rows, pedigree.ids.buffer, pedigree.ids.offsets


def _known(parent: Int32, n: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return (parent != NONE) & (parent < n)  # type: ignore[no-any-return]


def _local(parent: Int32, place: Int32, n: int) -> Int32:
    """Codes of parents among the chosen rows; groups and unknown parents −1."""
    local: Int32 = place[np.where(parent < n, parent, NONE)]
    return local


def _require_some(reference: ArrayLike, n: int) -> Int64:
    rows = row_numbers(reference, n)
    if rows.size == 0:
        raise ValueError("the reference population is empty; choose at least one animal")
    return rows


def _contributor_frame(pedigree: Pedigree, kind: str, rows: Int64, share: Float64) -> pd.DataFrame:
    return pd.DataFrame({kind: pedigree.ids.take(rows).to_list(), "contribution": share, "cumulative": np.cumsum(share)})
