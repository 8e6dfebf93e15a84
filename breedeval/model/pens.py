"""Pen mates: which other animals shared the pen of a record."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breedeval.arrays import NONE, Float64, Int32, Int64, freeze
from breedeval.errors import count_of


@dataclass(frozen=True)
class PenMates:
    """The other animals in the pen of each record: `animal`[`pointer`[i]:`pointer`[i + 1]], by their row in the pedigree.

    `n_left_out` counts lines with a pen whose animal is not in the pedigree.
    """

    pointer: Int64
    animal: Int32
    n_left_out: int

    @property
    def n_mates(self) -> Int64:
        """(m,) number of pen mates of each record."""
        return np.diff(self.pointer)

    def diluted(self, dilution: float) -> Float64:
        """(m, 1) factor of the sum over pen mates: their number to the power of minus `dilution`."""
        return freeze((np.maximum(self.n_mates, 1).astype(np.float64) ** -dilution)[:, None])

    def sentence(self, pen: str) -> str:
        """For a person: sizes of pens, animals alone."""
        n = self.n_mates
        alone = int((n == 0).sum())
        several = len(n) > 0 and n.min() < n.max()
        sizes = f"{n.min() + 1} to {n.max() + 1} animals" if several else count_of(int(n.max(initial=0)) + 1, "animal")
        text = f"pens ({pen}): {sizes}"
        if alone:
            text += f"; {count_of(alone, 'record')} of an animal alone in its pen, without social effect"
        if self.n_left_out:
            text += f"; {count_of(self.n_left_out, 'line')} of animals not in the pedigree, left out as pen mates"
        return text


def find_pen_mates(animal: Int32, pen: Int32, rows: Int64) -> PenMates:
    """Find the pen mates of the records in `rows`.

    Everyone with a line in the file is in the pen named there, whether or not its record is used: an animal that was not
    measured is known by a line whose trait is missing. Several lines of an animal in one pen count once.

    Parameters
    ----------
    animal
        (n,) row in the pedigree of the animal of every line of the file; −1 if it has none.
    pen
        (n,) code of its pen; −1 where missing.
    rows
        (m,) lines of the records; one whose animal or pen is missing has no pen mates.

    Examples
    --------
    >>> mates = find_pen_mates(np.array([4, 5, 6, 7], np.int32), np.array([0, 0, 0, 1], np.int32), np.array([1, 3]))
    >>> mates.pointer.tolist(), mates.animal.tolist()
    ([0, 2, 2], [4, 6])
    """
    there = (animal >= 0) & (pen >= 0)
    n_animals = int(animal.max(initial=0)) + 1
    pairs = np.unique(pen[there].astype(np.int64) * n_animals + animal[there])
    member = (pairs % n_animals).astype(np.int32)
    first = np.searchsorted(pairs, np.arange(int(pen.max(initial=NONE)) + 2, dtype=np.int64) * n_animals)
    size = np.where(there[rows], np.append(np.diff(first), 0)[pen[rows]], 0)
    start = np.concatenate([[0], np.cumsum(size)])
    record = np.repeat(np.arange(len(rows)), size)
    mates = member[np.arange(start[-1]) - start[record] + first[pen[rows]][record]]
    pointer = np.concatenate([[0], np.cumsum(np.maximum(size - 1, 0))]).astype(np.int64)
    left_out = int(((animal < 0) & (pen >= 0)).sum())
    return PenMates(freeze(pointer), freeze(mates[mates != animal[rows][record]]), left_out)
