"""Names of animals and levels: many texts in one buffer, found by hash."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from breedeval.arrays import NONE, AnyArray, Int32, Int64, UInt8, freeze
from breedeval.errors import UnknownNameError
from breedeval.kernels import text

_NEAREST_AMONG = 50_000
_CHUNK = 1 << 20


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
        encoded = [item.encode() for item in texts]
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

    def to_list(self) -> list[str]:
        """All names as Python strings."""
        data = self.buffer.tobytes()
        ends = self.offsets.tolist()
        return [data[a:b].decode() for a, b in pairwise(ends)]

    def take(self, rows: ArrayLike) -> Names:
        """Names of `rows` (k,), in that order."""
        chosen = np.asarray(rows, dtype=np.int64)
        lengths = self.lengths[chosen]
        offsets = np.zeros(len(chosen) + 1, dtype=np.int64)
        np.cumsum(lengths, out=offsets[1:])
        buffer = np.empty(offsets[-1], dtype=np.uint8)
        text.gather_texts(self.buffer, self.offsets[chosen], lengths, buffer)
        return Names(freeze(buffer), freeze(offsets))

    def find(self, others: Names) -> Int32:
        """(k,) int32 row of each of `others` among these names, −1 for one that is not here."""
        out = np.empty(len(others), dtype=np.int32)
        hashes = _hashes(others.buffer, others.offsets[:-1], others.lengths)
        text.find_texts(others.buffer, others.offsets[:-1], others.lengths, hashes, self._slots, self.buffer, self.offsets, out)
        return out

    def row_of(self, name: str) -> int:
        """Row of one name; raises `UnknownNameError` with the nearest names if it is not here."""
        row = self._find_one(name)
        if row == NONE:
            nearest = difflib.get_close_matches(name, self.to_list(), 3) if len(self) <= _NEAREST_AMONG else []
            hint = f" Did you mean {' or '.join(repr(n) for n in nearest)}?" if nearest else ""
            raise UnknownNameError(f"'{name}' is not among these {len(self):,} names.{hint}", name=name, nearest=nearest)
        return row

    def sort_order(self) -> Int64:
        """(n,) rows in the order that people expect: numbers by value, then texts by letters."""
        listed = self.to_list()
        keys = [(0, float(item), item) if _is_number(item) else (1, 0.0, item) for item in listed]
        return np.array(sorted(range(len(listed)), key=keys.__getitem__), dtype=np.int64)

    def _find_one(self, name: str) -> int:
        return int(self.find(Names.of([name]))[0])

    @cached_property
    def _slots(self) -> NDArray[np.uint64]:
        slots = np.zeros(_table_size(len(self)), dtype=np.uint64)
        text.fill_slots(_hashes(self.buffer, self.offsets[:-1], self.lengths), slots)
        return slots


class NameTable:
    """Collects distinct texts from buffers and gives each a code, in order of first appearance."""

    def __init__(self) -> None:
        self._n = 0
        self._buffer: UInt8 = np.empty(1 << 16, dtype=np.uint8)
        self._offsets: Int64 = np.zeros(1 << 12, dtype=np.int64)
        self._slots: NDArray[np.uint64] = np.zeros(1 << 13, dtype=np.uint64)

    def __len__(self) -> int:
        return self._n

    def encode(self, buffer: UInt8, starts: Int64, lengths: Int32) -> Int32:
        """(m,) int32 code of each text; texts not met before are added."""
        out = np.empty(len(starts), dtype=np.int32)
        for first in range(0, len(starts), _CHUNK):
            part = slice(first, min(first + _CHUNK, len(starts)))
            self._make_room(len(starts[part]), int(lengths[part].sum(dtype=np.int64)))
            hashes = _hashes(buffer, starts[part], lengths[part])
            self._n = text.encode_texts(
                buffer, starts[part], lengths[part], hashes, self._slots, self._buffer, self._offsets, self._n, out[part]
            )
        return out

    def freeze(self) -> Names:
        """Return the texts collected so far."""
        end = int(self._offsets[self._n])
        return Names(freeze(self._buffer[:end].copy()), freeze(self._offsets[: self._n + 1].copy()))

    def _make_room(self, n_texts: int, n_bytes: int) -> None:
        end = int(self._offsets[self._n])
        if end + n_bytes > len(self._buffer):
            self._buffer = _grown(self._buffer, 2 * (end + n_bytes))
        if self._n + n_texts + 1 > len(self._offsets):
            self._offsets = _grown(self._offsets, 2 * (self._n + n_texts + 1))
        if _table_size(self._n + n_texts) > len(self._slots):
            self._slots = np.zeros(2 * _table_size(self._n + n_texts), dtype=np.uint64)
            offsets = self._offsets[: self._n + 1]
            text.fill_slots(_hashes(self._buffer, offsets[:-1], np.diff(offsets).astype(np.int32)), self._slots)


def _hashes(buffer: UInt8, starts: Int64, lengths: Int32) -> NDArray[np.uint64]:
    out = np.empty(len(starts), dtype=np.uint64)
    text.hash_texts(buffer, starts, lengths, out)
    return out


def _grown(array: AnyArray, size: int) -> AnyArray:
    """Copy `array` to the front of a longer one."""
    longer = np.empty(size, dtype=array.dtype)
    longer[: len(array)] = array
    return longer  # type: ignore[return-value]


def _table_size(n: int) -> int:
    """Return a power of two that is at least twice n."""
    return max(16, 1 << (2 * n - 1).bit_length() if n else 16)


def _is_number(item: str) -> bool:
    try:
        float(item)
    except ValueError:
        return False
    return item.strip() == item and item.lower() not in {"nan", "inf", "-inf", "infinity", "-infinity"}
