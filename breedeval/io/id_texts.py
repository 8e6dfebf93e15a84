"""The ids of a pedigree file, as its reader left them: in their places in the text, or dealt out already."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from breedeval.arrays import Int32
from breedeval.equal_texts import TextRows
from breedeval.io.plain_file import PlainTable
from breedeval.io.text_table import TextColumn
from breedeval.name_codes import dealt_codes, encode_columns
from breedeval.names import Names


class IdTexts(Protocol):
    """Columns of ids, which become codes together."""

    @property
    def parts(self) -> Sequence[str]:
        """Which columns there are: ``animal``, ``sire``, ``dam``."""

    @property
    def longest(self) -> int:
        """No text has more bytes."""

    @property
    def has_nulls(self) -> bool:
        """Whether the file itself can call fields missing."""

    def encode(self, before: Names, behind: Names, progress: Callable[[float], None]) -> tuple[Names, list[Int32]]:
        """Codes of the texts `before`, of each column, and of the texts `behind`, in order of first appearance.

        The names are those from code ``len(before)`` on; the texts `before` must be distinct. Call it once.
        """


@dataclass(frozen=True)
class PlacedIds:
    """Ids in a text that is in memory, by part."""

    columns: Mapping[str, TextColumn]

    @property
    def parts(self) -> Sequence[str]:
        """Which columns there are."""
        return list(self.columns)

    @property
    def longest(self) -> int:
        """No text has more bytes."""
        return max(int(column.lengths.max(initial=0)) for column in self.columns.values())

    @property
    def has_nulls(self) -> bool:
        """Whether the file itself can call fields missing."""
        return any(column.null is not None for column in self.columns.values())

    def encode(self, before: Names, behind: Names, progress: Callable[[float], None]) -> tuple[Names, list[Int32]]:
        """See `IdTexts.encode`."""
        listed = [(column.buffer, column.starts, column.lengths) for column in self.columns.values()]
        first, last = ((some.buffer, some.offsets[:-1], some.lengths) for some in (before, behind))
        return encode_columns([first, *listed, last], progress, first=len(before))


@dataclass(frozen=True)
class DealtIds:
    """Ids that were dealt out while a plain file was read."""

    parts: Sequence[str]
    read: PlainTable

    @property
    def longest(self) -> int:
        """No text has more bytes."""
        return self.read.longest

    @property
    def has_nulls(self) -> bool:
        """Whether the file itself can call fields missing."""
        return False

    def encode(self, before: Names, behind: Names, progress: Callable[[float], None]) -> tuple[Names, list[Int32]]:
        """See `IdTexts.encode`."""
        last = len(self.read.ids.counts) - 1
        for stream, names in ((0, before), (last, behind)):
            texts = TextRows.of(names.buffer, names.offsets[:-1], names.lengths)
            assert texts is not None  # no longer than the ids are
            self.read.ids.deal(stream, texts.buffer, texts.starts, texts.lengths)
        return dealt_codes(self.read.ids, self.read.begins, progress, first=len(before))
