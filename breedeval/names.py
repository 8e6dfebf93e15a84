"""Names of animals and levels: many texts in one buffer, found by hash."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from breedeval.arrays import NONE, AnyArray, Int32, Int64, UInt8, freeze
from breedeval.equal_texts import TextRows, deal_columns, may_be_matched
from breedeval.errors import UnknownNameError
from breedeval.kernels import text
from breedeval.kernels.threads import cut_range, map_parts, n_threads

_NEAREST_AMONG = 50_000
_CHUNK = 1 << 20
#: Texts for which a second thread pays.
_SMALLEST_PART = 1 << 16
#: Slots of tables are cut into so many regions, if each gets so many slots.
_REGIONS, _SMALLEST_REGION = 16, 1 << 12
#: So many others are found by partitions, if the names are no more than so many times as many.
_MANY, _PARTITION_PAYS = 1 << 16, 4


@dataclass(frozen=True, eq=False, repr=False)
class Names:
    """A read-only sequence of texts (UTF-8), 8 bytes each beside their letters.

    Parameters
    ----------
    buffer
        (b,) uint8, the texts one behind the other.
    offsets
        (n + 1,) int64, text i is ``buffer[offsets[i]:offsets[i + 1]]``.

    Examples
    --------
    >>> names = Names.of(["NL42", "NL17"])
    >>> names[1], names.row_of("NL42"), list(names.take([1, 0]))
    ('NL17', 0, ['NL17', 'NL42'])
    """

    buffer: UInt8
    offsets: Int64

    @classmethod
    def of(cls, texts: Iterable[str]) -> Names:
        """Make names from Python strings."""
        try:
            encoded = [item.encode() for item in texts]
        except AttributeError as error:
            raise TypeError(f"names are texts, not {type(error.obj).__name__}: write '{error.obj}' in quotes.") from error
        offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
        np.cumsum([len(item) for item in encoded], out=offsets[1:])
        return cls(freeze(np.frombuffer(b"".join(encoded), dtype=np.uint8)), freeze(offsets))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> str:
        n = len(self)
        row = int(row)
        if not -n <= row < n:
            raise IndexError(f"row {row} of {n} names")
        row %= n
        return self.buffer[self.offsets[row] : self.offsets[row + 1]].tobytes().decode()

    def __iter__(self) -> Iterator[str]:
        return iter(self.to_list())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._find_one(name) != NONE

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Names):
            return NotImplemented
        return np.array_equal(self.offsets, other.offsets) and np.array_equal(self.buffer, other.buffer)

    __hash__ = None  # type: ignore[assignment]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.to_list(), dtype=dtype or object)

    def __repr__(self) -> str:
        shown = ", ".join(repr(self[i]) for i in range(min(len(self), 3)))
        return f"Names([{shown}{', ...' if len(self) > 3 else ''}], n={len(self)})"

    @cached_property
    def lengths(self) -> Int32:
        """(n,) bytes of each text."""
        return freeze(np.diff(self.offsets).astype(np.int32))

    @cached_property
    def common_length(self) -> int:
        """Bytes of every text, −1 if they differ or there is none."""
        return int(text.common_length(self.offsets))

    def to_list(self) -> list[str]:
        """All names as Python strings."""
        data = self.buffer.tobytes()
        ends = self.offsets.tolist()
        return [data[a:b].decode() for a, b in pairwise(ends)]

    def take(self, rows: ArrayLike) -> Names:
        """Names of `rows` (k,), in that order."""
        chosen = np.asarray(rows)
        if chosen.dtype not in (np.int32, np.int64):
            chosen = chosen.astype(np.int64)
        if len(chosen) and not (-len(self) <= chosen.min() and chosen.max() < len(self)):
            raise IndexError(f"rows from {chosen.min()} to {chosen.max()} of {len(self)} names")
        if len(chosen) and chosen.min() < 0:
            chosen = np.where(chosen < 0, chosen + len(self), chosen)
        return _gathered(self, chosen)

    def joined(self, others: Names) -> Names:
        """These names with `others` behind them."""
        buffer = np.append(self.buffer, others.buffer)
        return Names(freeze(buffer), freeze(np.append(self.offsets, self.offsets[-1] + others.offsets[1:])))

    def find(self, others: Names) -> Int32:
        """(k,) int32 row of each of `others` among these names, −1 for one that is not here."""
        if len(others) >= _MANY and _PARTITION_PAYS * len(others) >= len(self) and (found := self._match(others)) is not None:
            return found
        out = np.empty(len(others), dtype=np.int32)
        slots = self._slots

        def find_part(part: tuple[int, int]) -> None:
            starts = others.offsets[part[0] : part[1]]
            lengths = np.diff(others.offsets[part[0] : part[1] + 1]).astype(np.int32)
            hashes = np.empty(len(starts), dtype=np.uint64)
            text.hash_texts(others.buffer, starts, lengths, hashes)
            text.find_texts(
                others.buffer, starts, lengths, hashes, slots, _region(slots), self.buffer, self.offsets, out[part[0] : part[1]]
            )

        for _ in map_parts(find_part, cut_range(len(others), _SMALLEST_PART)):
            pass
        return out

    def row_of(self, name: str, place: str = "") -> int:
        """Row of one name; raises `UnknownNameError` with the nearest names if it is not here, in `place` as a message says."""
        row = self._find_one(name)
        if row == NONE:
            nearest = difflib.get_close_matches(name, self.to_list(), 3) if len(self) <= _NEAREST_AMONG else []
            hint = f" Did you mean {' or '.join(repr(n) for n in nearest)}?" if nearest else ""
            place = place or f"among these {len(self):,} names"
            raise UnknownNameError(f"'{name}' is not {place}.{hint}", name=name, nearest=nearest)
        return row

    def sort_order(self) -> Int64:
        """(n,) rows in the order that people expect: numbers by value, then texts by letters."""
        listed = self.to_list()
        keys = [(0, float(item), item) if _is_number(item) else (1, 0.0, item) for item in listed]
        return np.array(sorted(range(len(listed)), key=keys.__getitem__), dtype=np.int64)

    def _match(self, others: Names) -> Int32 | None:
        """As `find`, for many others: all texts are dealt out into partitions, without a table of them all."""
        both = [TextRows.of(names.buffer, names.offsets[:-1], names.lengths) for names in (self, others)]
        if not may_be_matched(both):
            return None
        dealt, _ = deal_columns([texts for texts in both if texts is not None])
        found = dealt.first_places()[len(self) :].view(np.int32)
        found[found >= len(self)] = NONE
        return found

    def _find_one(self, name: str) -> int:
        return int(self.find(Names.of([name]))[0])

    @cached_property
    def _slots(self) -> NDArray[np.uint64]:
        return _filled_slots(_table_size(len(self)), _hashes(self.buffer, self.offsets[:-1], self.lengths))


class NameTable:
    """Collects distinct texts from buffers and gives each a code, in order of first appearance.

    Parameters
    ----------
    expected
        About how many texts will be distinct; memory for so many is taken at once.
    """

    def __init__(self, expected: int = 0) -> None:
        self._n = 0
        # Memory that is never written costs nothing: there is room for another chunk, all of whose texts may be new.
        room = expected + min(expected, _CHUNK)
        self._buffer: UInt8 = np.empty(max(1 << 16, 24 * room), dtype=np.uint8)
        self._offsets: Int64 = np.empty(max(1 << 12, room + 1), dtype=np.int64)
        self._offsets[0] = 0
        self._slots: NDArray[np.uint64] = _zeros(max(1 << 13, _table_size(expected)))

    def __len__(self) -> int:
        return self._n

    def encode(
        self, buffer: UInt8, starts: NDArray[Any], lengths: NDArray[Any], progress: Callable[[float], None] | None = None
    ) -> Int32:
        """(m,) int32 code of each text; texts not met before are added. `progress` is told the share that is done."""
        out = np.empty(len(starts), dtype=np.int32)
        places = np.empty(min(_CHUNK, len(starts)), dtype=np.uint32)
        for first in range(0, len(starts), _CHUNK):
            part = slice(first, min(first + _CHUNK, len(starts)))
            self._encode_chunk(buffer, starts[part], lengths[part], out[part], places)
            if progress is not None:
                progress(part.stop / len(starts))
        return out

    def find(self, others: Names) -> Int32:
        """(k,) int32 code of each of `others`, −1 for one that was not met."""
        out = np.empty(len(others), dtype=np.int32)
        hashes = _hashes(others.buffer, others.offsets[:-1], others.lengths)
        text.find_texts(
            others.buffer, others.offsets[:-1], others.lengths, hashes, self._slots, _region(self._slots), self._buffer,
            self._offsets[: self._n + 1], out,
        )  # fmt: skip
        return out

    def freeze(self) -> Names:
        """Return the texts collected so far."""
        end = int(self._offsets[self._n])
        return Names(freeze(self._buffer[:end].copy()), freeze(self._offsets[: self._n + 1].copy()))

    def give_away(self, first: int = 0) -> Names:
        """Return the texts from code `first` on without copying them; this table is empty afterwards."""
        begin, end = int(self._offsets[first]), int(self._offsets[self._n])
        offsets = self._offsets[first : self._n + 1]
        if begin:
            offsets -= begin
        names = Names(freeze(self._buffer[begin:end]), freeze(offsets))
        self.__init__()  # type: ignore[misc]
        return names

    def _encode_chunk(
        self, buffer: UInt8, starts: NDArray[Any], lengths: NDArray[Any], out: Int32, places: NDArray[np.uint32]
    ) -> None:
        self._make_room(len(starts), int(lengths.sum(dtype=np.int64)))
        hashes = _hashes(buffer, starts, lengths)
        region = _region(self._slots)

        def encode_part(part: tuple[int, int]) -> None:
            text.encode_texts(
                buffer, starts, lengths, hashes, self._slots, region, *part, self._buffer, self._offsets, self._n, out, places
            )

        for _ in map_parts(encode_part, _region_parts(self._slots, len(starts))):
            pass
        self._n = text.settle_codes(buffer, starts, lengths, self._slots, places, self._buffer, self._offsets, self._n, out)

    def _make_room(self, n_texts: int, n_bytes: int) -> None:
        end = int(self._offsets[self._n])
        if end + n_bytes > len(self._buffer):
            self._buffer = _grown(self._buffer, 2 * (end + n_bytes))
        if self._n + n_texts + 1 > len(self._offsets):
            self._offsets = _grown(self._offsets, 2 * (self._n + n_texts + 1))
        if _table_size(self._n + n_texts) > len(self._slots):
            offsets = self._offsets[: self._n + 1]
            hashes = _hashes(self._buffer, offsets[:-1], np.diff(offsets).astype(np.int32))
            self._slots = _filled_slots(_table_size(2 * (self._n + n_texts)), hashes)


def _hashes(buffer: UInt8, starts: NDArray[Any], lengths: NDArray[Any]) -> NDArray[np.uint64]:
    out = np.empty(len(starts), dtype=np.uint64)

    def hash_part(part: tuple[int, int]) -> None:
        chosen = slice(*part)
        text.hash_texts(buffer, starts[chosen], lengths[chosen], out[chosen])

    for _ in map_parts(hash_part, cut_range(len(starts), _SMALLEST_PART)):
        pass
    return out


def _gathered(names: Names, rows: AnyArray) -> Names:
    """Texts of these rows, none below 0, copied into a buffer of their own."""
    buffer, offsets = names.buffer, names.offsets
    parts = cut_range(len(rows), _SMALLEST_PART)
    if names.common_length >= 0:
        return _gathered_even(buffer, int(offsets[0]), names.common_length, rows, parts)
    ends = np.zeros(len(rows) + 1, dtype=np.int64)
    bytes_before = 0
    for part, n_bytes in zip(
        parts, map_parts(lambda part: text.end_texts(offsets, rows[slice(*part)], ends[1:][slice(*part)]), parts), strict=True
    ):
        if bytes_before:
            ends[part[0] + 1 : part[1] + 1] += bytes_before
        bytes_before += int(n_bytes)
    out = np.empty(bytes_before, dtype=np.uint8)

    def gather_part(part: tuple[int, int]) -> None:
        first, end = part
        text.gather_texts(buffer, offsets, rows[first:end], out[ends[first] : ends[end]], ends[first : end + 1])

    for _ in map_parts(gather_part, parts):
        pass
    return Names(freeze(out), freeze(ends))


def _gathered_even(buffer: UInt8, first: int, length: int, rows: AnyArray, parts: list[tuple[int, int]]) -> Names:
    """As `_gathered` where every text is as long as the others."""
    out = np.empty(len(rows) * length, dtype=np.uint8)
    ends = np.empty(len(rows) + 1, dtype=np.int64)
    ends[-1] = len(out)

    def gather_part(part: tuple[int, int]) -> None:
        text.gather_even_texts(buffer, first, length, rows[slice(*part)], out[part[0] * length : part[1] * length])
        ends[slice(*part)] = np.arange(part[0] * length, part[1] * length, length) if length else 0

    for _ in map_parts(gather_part, parts):
        pass
    return Names(freeze(out), freeze(ends))


def _zeros(n: int) -> NDArray[np.uint64]:
    """Make an array that is zero already: the zeros of numpy come page by page when first written, which is slower."""
    slots = np.empty(n, dtype=np.uint64)
    for _ in map_parts(lambda part: slots[slice(*part)].fill(0), cut_range(n, 1 << 20)):
        pass
    return slots


def _filled_slots(n: int, hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    slots = _zeros(n)
    for _ in map_parts(lambda part: text.fill_slots(hashes, slots, _region(slots), *part), _region_parts(slots, len(hashes))):
        pass
    return slots


def _region(slots: NDArray[np.uint64]) -> int:
    """Slots of a region: a text stays within the region of its hash, so threads that own regions never meet."""
    return len(slots) // _REGIONS if len(slots) >= _REGIONS * _SMALLEST_REGION else len(slots)


def _region_parts(slots: NDArray[np.uint64], n_texts: int) -> list[tuple[int, int]]:
    """Regions for each thread, as (first, end)."""
    n_regions = len(slots) // _region(slots)
    n_parts = max(1, min(n_threads(), n_regions, n_texts // _SMALLEST_PART))
    ends = [n_regions * part // n_parts for part in range(n_parts + 1)]
    return list(pairwise(ends))


def _grown(array: AnyArray, size: int) -> AnyArray:
    """Copy `array` to the front of a longer one."""
    longer = np.empty(size, dtype=array.dtype)
    longer[: len(array)] = array
    return longer  # type: ignore[return-value]


def _table_size(n: int) -> int:
    """Return a power of two of which n are at most three quarters."""
    return max(16, 1 << (4 * n // 3).bit_length())


def _is_number(item: str) -> bool:
    try:
        float(item)
    except ValueError:
        return False
    return item.strip() == item and item.lower() not in {"nan", "inf", "-inf", "infinity", "-infinity"}
