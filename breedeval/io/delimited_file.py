"""A delimited text file as a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from breedeval.arrays import Int32, freeze
from breedeval.errors import EXAMPLES_SHOWN, TableError, count_of
from breedeval.io.cut_rows import Cut, cut_by_threads, cut_part
from breedeval.io.separator import NAMES, choose_separator
from breedeval.io.text_bytes import read_text_bytes
from breedeval.io.text_head import cut_header, first_lines, note_of_last_line
from breedeval.io.text_table import Column, ColumnKey, TextColumn, TextTable, find_columns
from breedeval.kernels.plain_rows import QUOTE
from breedeval.progress import Progress, part_of
from breedeval.source import Source


class DelimitedFile:
    """A text file in memory; its fields are cut when columns are asked for.

    Parameters
    ----------
    path
        Name of the file.
    encoding
        How its letters are coded.
    with_header
        Whether the first line names the columns.
    progress
        Told how far the reading of the file is, and the cutting of rows.

    Attributes
    ----------
    header : tuple of str
        Names of the columns, or the fields of the first line if it is no header.

    Raises
    ------
    TableError
        If the file cannot be opened, is empty or is not text.
    """

    def __init__(self, path: str, *, encoding: str, with_header: bool, progress: Progress | None = None) -> None:
        self.path = path
        self.with_header = with_header
        self._progress = progress
        self._text = read_text_bytes(path, encoding, part_of(progress, f"reading {path}"))
        self._buffer = self._text.buffer
        lines = first_lines(self._buffer, is_whole=True)
        if not lines:
            raise TableError(f"{path} has blank lines only. Give a file with a line for each row.", path=path)
        if self._text.fault_lines and self._text.fault_lines[0] == 1:
            self._refuse_bytes()  # a header that is no text; other lines wait for the faults of rows
        self._separator, guessed = choose_separator(path, lines, has_header=with_header)
        self.notes = (*self._text.notes, *guessed, *note_of_last_line(self._buffer))
        header = cut_header(self._buffer, self._separator)
        self._refuse_unclosed(header.unclosed)
        self.header, self._begin, self._line = header.fields, header.end, header.line

    def read(self, columns: Sequence[ColumnKey], optional: Sequence[ColumnKey] = ()) -> TextTable:
        """Cut all rows; returns these columns. Call it once: fields with doubled quotes are changed in place.

        Raises
        ------
        TableError
            If a column is missing, there are no rows, or rows have too few or too many fields.
        """
        places = find_columns(self.path, self.header, columns, optional)
        used = sorted(set(places.values()))
        slots = np.full(len(self.header), -1, dtype=np.int32)
        slots[used] = np.arange(len(used), dtype=np.int32)
        begin, line = (self._begin, self._line) if self.with_header else (0, 1)
        cut = self._cut_all(begin, line, slots)
        self._refuse(cut)
        buffer = freeze(self._buffer)
        made: dict[str, Column] = {}
        for key, place in places.items():
            starts, lengths = cut.starts[slots[place], : cut.n_rows], cut.lengths[slots[place], : cut.n_rows]
            made[key] = TextColumn(buffer, freeze(starts), freeze(lengths))
        return TextTable(Source(self.path, _line_of_row(cut), "line"), cut.n_rows, made, self.notes)

    def _cut_all(self, begin: int, line: int, slots: Int32) -> Cut:
        """Cut all rows. Without quotes a line feed ends a row wherever it stands, and threads may begin behind any of them."""
        progress = part_of(self._progress, "cutting rows")
        if self._text.has_quotes and (self._buffer[begin:] == QUOTE).any():
            # Every row but the last ends with a line feed, so this is room enough.
            return cut_part(self._buffer, begin, line, self._separator, slots, self._text.n_line_feeds + 2)
        return cut_by_threads(self._buffer, begin, line, self._separator, slots, progress)

    def _refuse(self, cut: Cut) -> None:
        self._refuse_unclosed(cut.unclosed)
        if cut.n_rows == 0:
            self._refuse_bytes()
            raise TableError(f"{self.path} has a header and no rows. Give a file with a line for each row.", path=self.path)
        problems = list(self._text.faults)
        lines = list(self._text.fault_lines)
        if cut.n_stray:
            stray = cut.stray[: cut.n_stray].tolist()
            lines += stray
            problems.append(
                f"{count_of(cut.n_stray, 'field')} {'goes' if cut.n_stray == 1 else 'go'} on behind a closing quote "
                f"({_lines_named(stray, cut.n_stray)}). Write a quote inside quotes twice."
            )
        if cut.n_ragged:
            lines += cut.ragged[: cut.n_ragged, 0].tolist()
            problems.append(self._ragged(cut))
        if problems:
            raise _faulty(self.path, problems, lines)

    def _refuse_bytes(self) -> None:
        if self._text.faults:
            raise _faulty(self.path, self._text.faults, self._text.fault_lines)

    def _refuse_unclosed(self, line: int) -> None:
        if line:
            raise TableError(
                f"{self.path}, line {line:,}: a quote is opened and never closed. Close it, or write it twice if it is "
                "a part of the text; if it stands near the end, the file may be cut.",
                path=self.path,
                lines=(line,),
            )

    def _ragged(self, cut: Cut) -> str:
        n_fields = len(self.header)
        shown = cut.ragged[: min(cut.n_ragged, EXAMPLES_SHOWN)].tolist()
        named = ", ".join(f"line {line:,}: {fields}" for line, fields in shown)
        more = f" and {cut.n_ragged - EXAMPLES_SHOWN:,} more" if cut.n_ragged > EXAMPLES_SHOWN else ""
        first = "header" if self.with_header else "first line"
        verb = "has" if cut.n_ragged == 1 else "have"
        text = f"{count_of(cut.n_ragged, 'row')} {verb} not {n_fields} fields as the {first} has ({named}{more})."
        all_alike = cut.n_ragged == cut.n_rows == cut.n_like_first
        if all_alike and cut.ragged[0, 1] == n_fields + 1 and self.with_header:
            return (
                f"{text} Every row has one more than the header: name the first column too (or write without row names); "
                "if every row ends with a separator, let the header end with one."
            )
        if all_alike and cut.n_rows > 1 and cut.ragged[0, 1] == n_fields - 1 and self.with_header:
            return f"{text} Every row has one fewer than the header: take a name away, or the separator at the header's end."
        last_is_ragged = cut.n_ragged <= EXAMPLES_SHOWN and cut.ragged[cut.n_ragged - 1, 0] == cut.lines[cut.n_rows - 1]
        if last_is_ragged and cut.ragged[cut.n_ragged - 1, 1] < n_fields:
            return f"{text} The last line is short: the file may be cut; copy it anew."
        return f"{text} Fields are separated by {NAMES[self._separator]}; write a code for missing where a value is missing."


def _line_of_row(cut: Cut) -> Callable[[int], int]:
    first = int(cut.lines[0])
    if int(cut.lines[cut.n_rows - 1]) - first == cut.n_rows - 1:
        return lambda row: first + int(row)
    # Blank lines, or line ends inside quotes: the number of each line is kept.
    lines = freeze(cut.lines[: cut.n_rows].copy())
    return lambda row: int(lines[row])


def _faulty(path: str, problems: Sequence[str], lines: Sequence[int]) -> TableError:
    """Make the one error for all faults of rows."""
    lines = tuple(sorted(set(lines)))
    if len(problems) > 1:
        listed = "\n".join(f"  {problem}" for problem in problems)
        return TableError(f"{path} cannot be read as a table:\n{listed}", path=path, lines=lines)
    # A sentence that begins with its line is read as the place.
    joint = ", " if problems[0].startswith("line") else ": "
    return TableError(f"{path}{joint}{problems[0]}", path=path, lines=lines)


def _lines_named(lines: Sequence[int], n: int) -> str:
    shown = lines[:EXAMPLES_SHOWN]
    more = f" and {n - len(shown):,} more" if n > len(shown) else ""
    return f"line{'s' if n > 1 else ''} {', '.join(f'{line:,}' for line in shown)}{more}"
