"""Which of very many texts are equal: each is told the place of the first one like it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breedeval.arrays import Int32, Int64, UInt8, freeze
from breedeval.kernels import equal_texts as kernels
from breedeval.kernels.threads import Part, cut_range, map_parts
from breedeval.returned_memory import ReturnedWords

#: Texts of a partition, about: their keys and their table fit into the caches of a processor.
_PARTITION = 1 << 17
_MOST_BITS = 10
#: Texts for which a second thread pays.
_SMALLEST_PART = 1 << 16
_PARTS_A_THREAD = 4
#: Texts that are shorter can be matched; a key has so many bytes beside its letters, for the length and the place.
TOO_LONG, _BESIDE = 32, 5
#: Places have 32 bits, and one of them is a mark.
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
        if int(lengths.max(initial=0)) >= TOO_LONG:
            return None
        kind = np.uint32 if len(buffer) <= np.iinfo(np.uint32).max else np.int64
        return cls(freeze(buffer), freeze(starts.astype(kind, copy=False)), freeze(lengths.astype(np.uint16, copy=False)))

    def __len__(self) -> int:
        return len(self.starts)


class DealtTexts:
    """Texts in streams, dealt out into partitions by their hash: all that is needed to find equal ones.

    Parameters
    ----------
    rooms
        How many texts each stream may take. What is not taken costs no memory.
    expected
        About how many texts there will be.
    longest
        Bytes of the longest text that can be taken.

    Notes
    -----
    A stream takes its texts in their order, from one thread at a time; several threads may fill several streams. 18 to 42 bytes
    a text; the texts themselves need not be kept. See `breedeval.kernels.equal_texts`.
    """

    def __init__(self, rooms: Sequence[int], expected: int, longest: int) -> None:
        bits = min((expected // _PARTITION).bit_length(), _MOST_BITS)
        n_partitions = 1 << bits
        blocks = [-(-room // kernels.BLOCK) + min(room, n_partitions) for room in rooms]
        *first_blocks, n_blocks = accumulate(blocks, initial=0)
        self._bits = bits
        self._words = (0,) * max(2, (longest + _BESIDE + 7) // 8)
        self._next_block = np.array(first_blocks, dtype=np.int64)
        self._blocks = list(pairwise([*first_blocks, n_blocks]))
        self._begins, self._ends = (np.zeros((len(rooms), n_partitions), dtype=np.int64) for _ in range(2))
        self._links = np.empty(n_blocks, dtype=np.int32)
        self._key_memory = ReturnedWords((n_blocks * kernels.BLOCK, len(self._words)))
        self._keys = self._key_memory.words
        kind = np.uint8 if bits <= 8 else np.uint16
        self._partitions = [np.empty(room, dtype=kind) for room in rooms]
        self._counts = [0] * len(rooms)

    @property
    def counts(self) -> tuple[int, ...]:
        """Texts of each stream."""
        return tuple(self._counts)

    def deal(self, stream: int, buffer: UInt8, starts: NDArray[Any], lengths: NDArray[Any]) -> bool:
        """Take texts into a stream; False if one is too long or there is no room, and these are of no use any more."""
        first = self._counts[stream]
        partitions = self._partitions[stream][first : first + len(starts)]
        if len(partitions) < len(starts):
            return False
        block = slice(stream, stream + 1)
        n_dealt = kernels.deal_out(
            buffer, starts, lengths, first, self._words, self._bits, self._blocks[stream][1], self._next_block[block],
            self._begins[stream], self._ends[stream], self._links, self._keys, partitions,
        )  # fmt: skip
        self._counts[stream] += len(starts)
        return bool(n_dealt == len(starts))

    def first_places(self, progress: Callable[[float], None] | None = None) -> NDArray[np.uint32]:
        """(t,) uint32 place of the first text that is equal, for the texts of all streams one behind the other.

        A text without an equal one before it has its own place. Call this or `codes`, and once.
        """
        before, _ = self._match(progress)
        out = np.empty(before[-1], dtype=np.uint32)

        def fetch(stream: int) -> None:
            places = out[before[stream] : before[stream + 1]]
            kernels.fetch_first(self._partitions[stream][: len(places)], self._begins[stream], self._links, self._keys, places)
            self._forget_keys(stream)

        _each(fetch, list(range(len(self._counts))))
        return out

    def codes(self, progress: Callable[[float], None] | None = None) -> tuple[Int32, list[int], UInt8, Int64]:
        """Codes in order of first appearance, and the distinct texts. Call this or `first_places`, and once.

        Returns
        -------
        codes
            (t,) int32 code of each text, of all streams one behind the other.
        before
            (streams + 1,) place of the first text of each stream, and of the end.
        buffer, offsets
            (b,) uint8 and (n + 1,) int64: the text of code i is ``buffer[offsets[i]:offsets[i + 1]]``.
        """
        before, new = self._match(progress)
        first_code, first_byte = (list(accumulate(column, initial=0)) for column in new.T.tolist())
        out = np.empty(before[-1], dtype=np.uint32)
        offsets = np.zeros(first_code[-1] + 1, dtype=np.int64)
        buffer = np.empty(first_byte[-1], dtype=np.uint8)

        def fetch(stream: int) -> None:
            places = out[before[stream] : before[stream + 1]]
            kernels.fetch_codes(
                self._partitions[stream][: len(places)], self._begins[stream], self._links, self._keys,
                before[stream], first_code[stream], first_byte[stream], places,
                offsets[1 + first_code[stream] : 1 + first_code[stream + 1]],
                buffer[first_byte[stream] : first_byte[stream + 1]],
            )  # fmt: skip
            self._forget_keys(stream)

        everywhere = list(range(len(self._counts)))
        _each(fetch, everywhere[::-1])  # columns that bring few new texts give back most memory, and mostly stand last
        # Texts at the beginning none of which has an equal one before it: the code of each is its place.
        n_leading = next((before[k] for k in everywhere if new[k, 0] < self._counts[k]), before[-1])
        _each(lambda k: kernels.code_others(out, n_leading, out[before[k] : before[k + 1]]), everywhere)
        return out.view(np.int32), before, buffer, offsets

    def _forget_keys(self, stream: int) -> None:
        first, end = self._blocks[stream]
        self._key_memory.give_back(first * kernels.BLOCK, end * kernels.BLOCK)

    def _match(self, progress: Callable[[float], None] | None) -> tuple[list[int], Int64]:
        """Find equal texts; gives the place of the first text of each stream, and of the end; and what is new in each."""
        tell = progress or (lambda _: None)
        before = list(accumulate(self._counts, initial=0))
        counts = np.zeros(1 << self._bits, dtype=np.int64)
        kernels.count_keys(self._begins, self._ends, self._links, counts)
        places = np.array(before, dtype=np.int64)
        parts = cut_range(1 << self._bits, 1, 4 * _PARTS_A_THREAD)

        def match(part: tuple[int, int]) -> Int64:
            slots = np.empty(max(16, 1 << (2 * int(counts[slice(*part)].max()) - 1).bit_length()), dtype=np.uint32)
            new = np.zeros((len(self._counts), 2), dtype=np.int64)
            kernels.match_partitions(
                self._words, self._begins, self._ends, self._links, places, counts, *part, slots, self._keys, new
            )
            return new

        new = np.zeros((len(self._counts), 2), dtype=np.int64)
        for done, some in enumerate(map_parts(match, parts), start=1):
            new += some
            tell(0.3 + 0.4 * done / len(parts))
        return before, new


def may_be_matched(columns: Sequence[TextRows | None]) -> bool:
    """Whether `deal_columns` can do these: none was refused by `TextRows.of`, and they are not too many."""
    return all(texts is not None for texts in columns) and sum(map(len, columns)) <= _MOST_TEXTS  # type: ignore[arg-type]


def deal_columns(columns: Sequence[TextRows]) -> tuple[DealtTexts, list[int]]:
    """Deal out all texts of columns, by threads; also gives the stream with which each column begins, and their number.

    Examples
    --------
    >>> letters = np.frombuffer(b"abab", dtype=np.uint8)
    >>> texts = TextRows.of(letters, np.arange(4), np.ones(4, dtype=np.int32))
    >>> dealt, _ = deal_columns([texts])
    >>> dealt.first_places().tolist()
    [0, 1, 0, 1]
    >>> codes, _, buffer, offsets = deal_columns([texts])[0].codes()
    >>> codes.tolist(), buffer.tobytes(), offsets.tolist()
    ([0, 1, 0, 1], b'ab', [0, 1, 2])
    """
    parts = [cut_range(len(texts), _SMALLEST_PART, _PARTS_A_THREAD) for texts in columns]
    streams = [(texts, slice(*part)) for texts, of_column in zip(columns, parts, strict=True) for part in of_column]
    longest = max((int(texts.lengths.max(initial=0)) for texts in columns), default=0)
    dealt = DealtTexts([part.stop - part.start for _, part in streams], sum(map(len, columns)), longest)

    def deal(stream: int) -> None:
        texts, part = streams[stream]
        dealt.deal(stream, texts.buffer, texts.starts[part], texts.lengths[part])

    _each(deal, list(range(len(streams))))
    return dealt, list(accumulate(map(len, parts), initial=0))


def _each(work: Callable[[Part], None], parts: list[Part]) -> None:
    """Do all of the work, by threads."""
    for _ in map_parts(work, parts):
        pass
