"""A dairy-like pedigree of any size in a moment, for the bench scripts: overlapping generations, few sires, many dams."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FIRST_YEAR = 2000
CHUNK = 1_000_000


@dataclass(frozen=True)
class DairyPedigree:
    """Animals in order of birth; parents as places in it, −1 unknown; year 0 is the first."""

    sire: NDArray[np.int32]
    dam: NDArray[np.int32]
    year: NDArray[np.int32]
    male: NDArray[np.bool_]


def simulate(
    rng: np.random.Generator, n: int, *, years: int = 25, sires_a_year: int = 3000, unknown: float = 0.07
) -> DairyPedigree:
    """Simulate n animals: sires 2 to 6 years old, used unequally; dams 2 to 7 years old; a share `unknown` of the parents."""
    sires_a_year = min(sires_a_year, max(n // (40 * years), 1))
    first = np.linspace(0, n, years + 1).astype(np.int64)
    sire, dam = np.full(n, -1, dtype=np.int32), np.full(n, -1, dtype=np.int32)
    year = np.repeat(np.arange(years, dtype=np.int32), np.diff(first))
    male = np.zeros(n, dtype=np.bool_)
    proven: list[NDArray[np.int64]] = []
    for y in range(years):
        born = np.arange(first[y], first[y + 1])
        males = rng.choice(born, size=min(max(len(born) // 10, 1), len(born)), replace=False)
        male[males] = True
        proven.append(males[:sires_a_year])
        if y < 2:
            continue
        bulls = np.concatenate(proven[max(y - 6, 0) : y - 1])
        chosen = (len(bulls) * rng.random(len(born)) ** 2).astype(np.int64)
        sire[born] = rng.permutation(bulls)[chosen]
        cows = rng.integers(first[max(y - 7, 0)], first[y - 1], size=len(born))
        # A bull drawn as a dam becomes the next cow.
        while male[cows].any():
            cows[male[cows]] = rng.integers(first[max(y - 7, 0)], first[y - 1], size=int(male[cows].sum()))
        dam[born] = cows
        sire[born[rng.random(len(born)) < unknown]] = -1
        dam[born[rng.random(len(born)) < unknown]] = -1
    return DairyPedigree(sire, dam, year, male)


def shuffled_rows(rng: np.random.Generator, pedigree: DairyPedigree) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers of the animals' names, and the animals in the order of their rows; both without any order."""
    n = len(pedigree.sire)
    return rng.permutation(n), rng.permutation(n)


def write_csv(path: Path, pedigree: DairyPedigree, number: NDArray[np.int64], rows: NDArray[np.int64]) -> None:
    """Write ``id,sire,dam,birth_year,sex``; names such as NL000123456, unknown parents 0."""
    with path.open("wb") as file:
        file.write(b"id,sire,dam,birth_year,sex\n")
        for begin in range(0, len(rows), CHUNK):
            file.write(_lines(pedigree, number, rows[begin : begin + CHUNK]))


def _lines(pedigree: DairyPedigree, number: NDArray[np.int64], rows: NDArray[np.int64]) -> bytes:
    comma, line_feed = np.full((len(rows), 1), ord(","), dtype=np.uint8), np.full((len(rows), 1), ord("\n"), dtype=np.uint8)
    sex = np.where(pedigree.male[rows], ord("M"), ord("F")).astype(np.uint8)[:, np.newaxis]
    years = _digits(pedigree.year[rows] + FIRST_YEAR, 4)
    columns = [
        _names(number, rows),
        comma,
        _names(number, pedigree.sire[rows]),
        comma,
        _names(number, pedigree.dam[rows]),
        comma,
    ]
    text = np.concatenate([*columns, years, comma, sex, line_feed], axis=1).ravel()
    return text[text != 0].tobytes()


def _names(number: NDArray[np.int64], animals: NDArray[np.integer]) -> NDArray[np.uint8]:
    """(k, 11) letters; a name that is shorter ends in zero bytes."""
    letters = np.concatenate(
        [np.tile(np.frombuffer(b"NL", dtype=np.uint8), (len(animals), 1)), _digits(number[animals], 9)], axis=1
    )
    letters[animals < 0] = 0
    letters[animals < 0, 0] = ord("0")
    return letters


def _digits(values: NDArray[np.integer], width: int) -> NDArray[np.uint8]:
    powers = 10 ** np.arange(width - 1, -1, -1)
    return (values[:, np.newaxis] // powers % 10 + ord("0")).astype(np.uint8)
