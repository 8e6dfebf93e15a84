"""Which of very many texts are equal: each is told the place of the first one like it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breedeval.arrays import Int32, Int64, UInt8, UInt64, freeze
from breedeval.kernels import equal_texts as kernels
from breedeval.kernels.threads import Part, cut_range, map_parts

#: Texts of a partition, about: their keys and their table fit into the caches of a processor.
_PARTITION = 1 << 17
_MOST_BITS = 10
#: Texts for which a second thread pays.
_SMALLEST_PART = 1 << 16
_PARTS_A_THREAD = 4
#: Texts that are shorter can be matched; a key has so many bytes beside its letters, for the length and the place.
_TOO_LONG, _BESIDE = 32, 5
#: Bytes of the smallest page of memory.
_PAGE = 4096
_MOST_TEXTS = np.iinfo(np.int32).max


@dataclass(frozen=True)
class TextRows:
    """Texts in a buffer: text i is ``buffer[starts[i]:starts[i] + lengths[i]]``.

    Parameters
    ----------
    buffer
        (b,) uint8.
    starts
        (m,) int64, or uint32 where the buffer is short enough for that.
    lengths
        (m,) uint16.
    """

    buffer: UInt8
    starts: NDArray[Any]
    lengths: NDArray[np.uint16]

    @classmethod
    def of(cls, buffer: UInt8, starts: NDArray[Any], lengths: NDArray[Any]) -> TextRows | None:
        """Texts with starts and lengths of any integer type; None if one is too long for `first_places`."""
        if int(lengths.max(initial=0)) >= _TOO_LONG:
            return None
        kind = np.uint32 if len(buffer) <= np.iinfo(np.uint32).max else np.int64
        return cls(freeze(buffer), freeze(starts.astype(kind, copy=False)), freeze(lengths.astype(np.uint16, copy=False)))

    def __len__(self) -> int:
        return len(self.starts)


@dataclass(frozen=True)
class _Part:
    """Rows `first` to `end` of texts, whose row 0 is the text number `before` of all."""

    texts: TextRows
    first: int
    end: int
    before: int

    @property
    def place(self) -> int:
        return self.before + self.first

    @property
    def slice(self) -> slice:
        return slice(self.place, self.before + self.end)

    @property
    def rows(self) -> tuple[UInt8, NDArray[Any], NDArray[np.uint16]]:
        chosen = slice(self.first, self.end)
        return self.texts.buffer, self.texts.starts[chosen], self.texts.lengths[chosen]


def may_be_matched(columns: Sequence[TextRows | None]) -> bool:
    """Whether `first_places` can do these: none was refused by `TextRows.of`, and they are not too many."""
    return all(texts is not None for texts in columns) and sum(map(len, columns)) <= _MOST_TEXTS  # type: ignore[arg-type]


def first_places(columns: Sequence[TextRows], progress: Callable[[float], None] | None = None) -> NDArray[np.uint32]:
    """(t,) uint32 place of the first text that is equal, for the texts of all columns one behind the other.

    A text without an equal one before it has its own place.

    Notes
    -----
    Time in proportion to the texts, 18 to 42 bytes a text beside the result. See `breedeval.kernels.equal_texts`.

    Examples
    --------
    >>> letters = np.frombuffer(b"abab", dtype=np.uint8)
    >>> texts = TextRows.of(letters, np.arange(4), np.ones(4, dtype=np.int32))
    >>> first_places([texts]).tolist()
    [0, 1, 0, 1]
    """
    tell = progress or (lambda _: None)
    total = sum(map(len, columns))
    longest = max((int(texts.lengths.max(initial=0)) for texts in columns), default=0)
    words = (0,) * max(2, (longest + _BESIDE + 7) // 8)
    bits = min(max((total // _PARTITION).bit_length(), 0), _MOST_BITS)
    parts = parts_of(columns)
    everywhere = list(range(len(parts)))
    counts = np.zeros((len(parts), 1 << bits), dtype=np.int64)
    all_partitions = np.empty(total, dtype=np.uint16)
    partitions = [all_partitions[part.slice] for part in parts]
    _each(lambda k: kernels.count_partitions(*parts[k].rows, words, bits, counts[k], partitions[k]), everywhere)
    tell(0.15)
    begins, ends = _room(counts)
    keys, next_free = _touched((total, len(words))), begins.copy()
    _each(lambda k: kernels.deal_out(*parts[k].rows, parts[k].place, words, partitions[k], next_free[k], keys), everywhere)
    tell(0.45)

    def match(part: tuple[int, int]) -> None:
        biggest = int(np.diff(ends[part[0] : part[1] + 1]).max())
        slots = np.empty(max(16, 1 << (2 * biggest - 1).bit_length()), dtype=np.uint32)
        kernels.match_partitions(words, ends, *part, slots, keys)

    _each(match, cut_range(1 << bits, 1, 2 * _PARTS_A_THREAD))
    tell(0.8)
    out = np.empty(total, dtype=np.uint32)
    _each(lambda k: kernels.fetch_first(partitions[k], begins[k], keys, out[parts[k].slice]), everywhere)
    tell(0.9)
    return out


def _each(work: Callable[[Part], None], parts: list[Part]) -> None:
    """Do all of the work, by threads."""
    for _ in map_parts(work, parts):
        pass


def _touched(shape: tuple[int, ...]) -> UInt64:
    """Make an array whose memory is there already: several threads that write to all ends of new memory fetch it twice."""
    out = np.empty(shape, dtype=np.uint64)
    flat, step = out.reshape(-1), _PAGE // out.itemsize

    def touch(part: tuple[int, int]) -> None:
        flat[part[0] : part[1] : step] = 0

    _each(touch, cut_range(flat.size, _SMALLEST_PART))
    return out


def parts_of(columns: Sequence[TextRows]) -> list[_Part]:
    """All rows, in parts for the threads."""
    before = accumulate((len(texts) for texts in columns), initial=0)
    return [
        _Part(texts, *part, n_before)
        for texts, n_before in zip(columns, before, strict=False)
        for part in cut_range(len(texts), _SMALLEST_PART, _PARTS_A_THREAD)
    ]


def number_distinct(columns: Sequence[TextRows], first_place: NDArray[np.uint32]) -> tuple[Int32, UInt8, Int64]:
    """Codes in order of first appearance, and the distinct texts.

    Parameters
    ----------
    columns
        As given to `first_places`.
    first_place
        Its result, which is used up: the codes take its memory.

    Returns
    -------
    codes
        (t,) int32 code of each text.
    buffer, offsets
        (b,) uint8 and (n + 1,) int64: the text of code i is ``buffer[offsets[i]:offsets[i + 1]]``.

    Examples
    --------
    >>> letters = np.frombuffer(b"abab", dtype=np.uint8)
    >>> texts = TextRows.of(letters, np.arange(4), np.ones(4, dtype=np.int32))
    >>> codes, buffer, offsets = number_distinct([texts], first_places([texts]))
    >>> codes.tolist(), buffer.tobytes(), offsets.tolist()
    ([0, 1, 0, 1], b'ab', [0, 1, 2])
    """
    parts = parts_of(columns)
    of_part = [first_place[part.slice] for part in parts]
    everywhere = list(range(len(parts)))
    counted = list(map_parts(lambda k: kernels.count_first(of_part[k], parts[k].place), everywhere))
    codes = list(accumulate((int(n) for n, _ in counted), initial=0))
    offsets = np.empty(codes[-1] + 1, dtype=np.int64)
    offsets[0] = 0

    def number(k: int) -> int:
        ends = offsets[1 + codes[k] : 1 + codes[k + 1]]
        return int(kernels.number_first(parts[k].rows[2], parts[k].place, codes[k], of_part[k], ends))

    n_bytes = list(accumulate(map_parts(number, everywhere), initial=0))
    buffer = np.empty(n_bytes[-1], dtype=np.uint8)
    leading = _n_leading([int(n) for _, n in counted], parts)

    def finish(k: int) -> None:
        offsets[1 + codes[k] : 1 + codes[k + 1]] += n_bytes[k]
        kernels.copy_first(*parts[k].rows, of_part[k], buffer[n_bytes[k] : n_bytes[k + 1]])
        kernels.code_others(first_place, leading, of_part[k])

    _each(finish, everywhere)
    return first_place.view(np.int32), buffer, offsets


def _n_leading(n_leading: list[int], parts: list[_Part]) -> int:
    """Texts at the beginning that all have no equal one before them, so that the code of each is its place."""
    total = 0
    for n, part in zip(n_leading, parts, strict=True):
        total += n
        if n < part.end - part.first:
            break
    return total


def _room(counts: Int64) -> tuple[Int64, Int64]:
    """From texts of each part in each partition (parts, partitions): where each of them begins; where each partition begins."""
    ends = list(accumulate(counts.T.ravel().tolist(), initial=0))
    n_parts, n_partitions = counts.shape
    begins = np.array(ends[:-1], dtype=np.int64).reshape(n_partitions, n_parts)
    of_partition = np.append(begins[:, :1].ravel(), ends[-1])
    return np.ascontiguousarray(begins.T), of_partition
